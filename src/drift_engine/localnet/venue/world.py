"""The venue's accounts as they are before anybody comes: state, markets, oracles, mints and vaults.

Everything that a market's facts say is in the accounts, so a client reads from the chain what the venue plays by. What
stands behind the markets is made plentiful, as the simulated venue assumes: each PnL pool holds ten million, and each
spot market has deposits of others to borrow from, whose tokens lie in the vaults. Depth is the modelled book's.

Sources of figures that are the program's defaults: ``state/state.rs`` (OracleGuardRails, FeeStructure), and
``instructions/admin.rs`` handle_initialize_perp_market, handle_initialize_spot_market.
"""

from collections.abc import Callable, Mapping
from hashlib import sha256
from struct import pack

from solders.account import Account
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from drift_engine.core.types import PerpSpec, SpotSpec
from drift_engine.core.units import E6, E9, E10
from drift_engine.localnet import tokens
from drift_engine.localnet.venue.listings import LAZER, LAZER_STABLE, LISTINGS, Listing, feed_of
from drift_engine.simulation.models import Impact
from drift_engine.venues import addresses
from drift_engine.venues.program import Program
from drift_engine.venues.wire.layout import View
from drift_engine.venues.wire.oracle_accounts import PYTH_LAZER_ORACLE, PythLazerOracle
from drift_engine.venues.wire.perp_market import PerpMarket
from drift_engine.venues.wire.records import (
    FeeStructure,
    FeeTier,
    HistoricalOracleData,
    InsuranceFund,
    OracleGuardRails,
    PoolBalance,
)
from drift_engine.venues.wire.spot_market import SpotMarket
from drift_engine.venues.wire.state import State

FAUCET = Keypair.from_seed(sha256(b"localnet token faucet").digest())
"""Mints the tokens of a local chain; there is nothing behind them."""
PRICES_E6 = {"SOL": 150 * E6, "BTC": 90_000 * E6, "ETH": 3_000 * E6}
_RESERVE_E9 = 1_000_000 * E9
_POOL_E6 = 10_000_000 * E6
_FEE_DENOMINATOR = 100_000
_EXPONENT = -8
_CONFIDENCE_E6 = 500
_HOUR_S = 3_600
_TIERS = ("A", "B", "C", "speculative", "highly_speculative", "isolated")
_RAILS = OracleGuardRails(100_000, 500_000, 10, 120, 20_000, 5)
Rent = Callable[[int], int]


def genesis(
    program: Program,
    rent: Rent,
    slot: int,
    now: int,
    *,
    listing: Listing | None = None,
    prices_e6: Mapping[str, int] | None = None,
    impact: Impact | None = None,
) -> dict[Pubkey, Account]:
    """Return the venue's accounts; ``rent`` says what an account of a size needs, prices are by asset."""
    listing, impact = listing or LISTINGS[program.name], impact or Impact()
    prices = PRICES_E6 | {listing.quote: E6} | dict(prices_e6 or {})
    found: dict[Pubkey, Account] = {program.state: _owned(program, state(program, listing), rent)}
    for asset in {spec.asset for spec in listing.specs.values()}:
        oracle = PythLazerOracle.blank(PYTH_LAZER_ORACLE)
        post_price(oracle, prices[asset], slot, now)
        found[addresses.pyth_lazer_oracle(program.program_id, feed_of(asset))] = _owned(program, oracle, rent)
    for spot in listing.spots():
        found |= _spot_accounts(program, listing, spot, prices[spot.asset], rent, now)
    for perp in listing.perps():
        view = perp_market(program, perp, prices[perp.asset], impact, slot, now)
        found[addresses.perp_market(program.program_id, perp.index)] = _owned(program, view, rent)
    return found


def is_posted(data: bytes) -> bool:
    """Whether an account's bytes are an oracle as ``post_price`` writes it."""
    if data[:8] != PYTH_LAZER_ORACLE.head or len(data) < PYTH_LAZER_ORACLE.size:
        return False
    return PythLazerOracle(data, PYTH_LAZER_ORACLE).exponent == _EXPONENT


def posted_e6(oracle: PythLazerOracle) -> int:
    """Return the price that was posted."""
    price_e6: int = oracle.price // 10 ** (-_EXPONENT - 6)
    return price_e6


def post_price(oracle: PythLazerOracle, price_e6: int, slot: int, now: int) -> None:
    """Write a price to a Lazer oracle."""
    scale = 10 ** (-_EXPONENT - 6)
    oracle.price, oracle.conf, oracle.exponent = price_e6 * scale, _CONFIDENCE_E6 * scale, _EXPONENT
    oracle.posted_slot, oracle.publish_time = slot, now * E6


def state(program: Program, listing: Listing) -> State:
    """Return the state account's contents."""
    view = State.blank(program.layouts.state)
    view.signer = program.signer
    view.signer_nonce = Pubkey.find_program_address([program.signer_seed], program.program_id)[1]
    view.perp_fee_structure = _fees(listing)
    view.spot_fee_structure = _fees(listing)
    view.oracle_guard_rails = _RAILS
    view.liquidation_margin_buffer_ratio = 200
    view.number_of_markets, view.number_of_spot_markets = len(listing.perps()), len(listing.spots())
    view.min_perp_auction_duration, view.default_spot_auction_duration = 10, 10
    view.default_market_order_time_in_force = 60
    view.liquidation_duration, view.initial_pct_to_liquidate = 150, 2_000
    if "slot_duration_ms" in program.layouts.state:
        view.slot_duration_ms = 400
    return view


def _fees(listing: Listing) -> FeeStructure:
    tiers = [
        FeeTier(
            tier.taker_e6 * _FEE_DENOMINATOR // E6,
            _FEE_DENOMINATOR,
            -tier.maker_e6 * _FEE_DENOMINATOR * 10 // E6,
            _FEE_DENOMINATOR * 10,
            *(15, 100, 5, 100),
        )
        for tier in listing.tiers
    ]
    return FeeStructure(fee_tiers=(*tiers, *(FeeTier(),) * (10 - len(tiers))))


def perp_market(program: Program, spec: PerpSpec, price_e6: int, impact: Impact, slot: int, now: int) -> PerpMarket:
    """Return a perp market's contents, its mark at the oracle."""
    view = PerpMarket.blank(program.layouts.perp_market)
    view.pubkey = addresses.perp_market(program.program_id, spec.index)
    view.name, view.market_index, view.status = spec.name, spec.index, 1
    view.oracle, view.oracle_source = addresses.pyth_lazer_oracle(program.program_id, feed_of(spec.asset)), LAZER
    view.contract_tier = _TIERS.index(spec.tier)
    view.order_step_size, view.order_tick_size, view.min_order_size = spec.step_e9, spec.tick_e6, spec.min_order_e9
    view.margin_ratio_initial, view.margin_ratio_maintenance = spec.margin_initial_e4, spec.margin_maintenance_e4
    view.imf_factor = spec.imf_e6
    view.liquidator_fee, view.if_liquidation_fee = spec.liquidator_fee_e6, spec.insurance_fee_e6
    view.unrealized_pnl_initial_asset_weight = spec.upnl_initial_e4
    view.unrealized_pnl_maintenance_asset_weight = spec.upnl_maintenance_e4
    view.next_fill_record_id = view.next_funding_rate_record_id = 1
    _set_amm(view, price_e6, impact, slot)
    _set_averages(view, price_e6, now)
    if "funding_ramp_slope" in view.layout:
        view.funding_clamp_threshold, view.funding_ramp_slope = 5, E6
    return view


def _set_amm(view: PerpMarket, price_e6: int, impact: Impact, slot: int) -> None:
    view.base_asset_reserve = view.quote_asset_reserve = view.sqrt_k = _RESERVE_E9
    view.min_base_asset_reserve, view.max_base_asset_reserve = _RESERVE_E9 // 2, _RESERVE_E9 * 2
    view.peg_multiplier, view.terminal_quote_asset_reserve = price_e6, _RESERVE_E9
    view.concentration_coef = 1_414_213
    view.long_spread = view.short_spread = impact.half_spread_e6
    view.base_spread = 2 * impact.half_spread_e6
    view.ask_quote_asset_reserve = _RESERVE_E9 + _aside(impact)
    view.bid_quote_asset_reserve = _RESERVE_E9 - _aside(impact)
    view.ask_base_asset_reserve = _RESERVE_E9 * _RESERVE_E9 // view.ask_quote_asset_reserve
    view.bid_base_asset_reserve = _RESERVE_E9 * _RESERVE_E9 // view.bid_quote_asset_reserve
    view.max_spread = 20_000
    view.max_fill_reserve_fraction, view.max_slippage_ratio = 10, 50
    view.pnl_pool = PoolBalance(_POOL_E6 * 1_000)
    view.total_fee_minus_distributions = _POOL_E6
    view.last_update_slot, view.last_oracle_valid = slot, True


def _aside(impact: Impact) -> int:
    """Return how far the spread moves a reserve (``controller/amm.rs`` calculate_spread_reserves)."""
    half = impact.half_spread_e6 // 2
    return _RESERVE_E9 // (E6 // half) if half else 0


def _set_averages(view: PerpMarket, price_e6: int, now: int) -> None:
    view.historical_oracle_data = HistoricalOracleData(price_e6, _CONFIDENCE_E6, 0, price_e6, price_e6, now)
    view.last_mark_price_twap = view.last_mark_price_twap_5min = price_e6
    view.last_bid_price_twap = price_e6 * (E6 - view.short_spread) // E6
    view.last_ask_price_twap = price_e6 * (E6 + view.long_spread) // E6
    view.last_mark_price_twap_ts = view.last_trade_ts = now
    view.funding_period, view.last_funding_rate_ts = _HOUR_S, now - now % _HOUR_S


def spot_market(program: Program, listing: Listing, spec: SpotSpec, price_e6: int, now: int) -> SpotMarket:
    """Return a spot market's contents, with the deposits of others and of the markets' pools."""
    view = SpotMarket.blank(program.layouts.spot_market)
    quote = spec.name == listing.quote
    view.pubkey = addresses.spot_market(program.program_id, spec.index)
    view.name, view.market_index, view.status, view.decimals = spec.name, spec.index, 1, spec.decimals
    view.oracle = addresses.pyth_lazer_oracle(program.program_id, feed_of(spec.asset))
    view.oracle_source = LAZER_STABLE if quote else LAZER
    view.mint, view.vault = listing.mints[spec.name], addresses.spot_market_vault(program.program_id, spec.index)
    view.insurance_fund = InsuranceFund(vault=addresses.insurance_fund_vault(program.program_id, spec.index))
    view.cumulative_deposit_interest = view.cumulative_borrow_interest = E10
    view.initial_asset_weight, view.maintenance_asset_weight = spec.asset_initial_e4, spec.asset_maintenance_e4
    view.initial_liability_weight = spec.liability_initial_e4
    view.maintenance_liability_weight = spec.liability_maintenance_e4
    view.imf_factor, view.liquidator_fee, view.if_liquidation_fee = (
        spec.imf_e6,
        spec.liquidator_fee_e6,
        spec.insurance_fee_e6,
    )
    view.optimal_utilization, view.optimal_borrow_rate = spec.optimal_utilisation_e6, spec.optimal_rate_e6
    view.max_borrow_rate = spec.max_rate_e6
    view.order_step_size, view.order_tick_size, view.min_order_size = 1, 1, 1
    view.withdraw_guard_threshold = _reserve(spec, price_e6)
    view.next_deposit_record_id = view.next_fill_record_id = 1
    view.historical_oracle_data = HistoricalOracleData(price_e6, _CONFIDENCE_E6, 0, price_e6, price_e6, now)
    view.last_interest_ts = view.last_twap_ts = now
    held = _held(listing, spec, price_e6)
    view.deposit_balance = held * 10 ** (9 - spec.decimals)
    view.revenue_pool = PoolBalance(_reserve(spec, price_e6) * 10 ** (9 - spec.decimals), spec.index)
    view.deposit_token_twap = held
    return view


def _reserve(spec: SpotSpec, price_e6: int) -> int:
    """Return the tokens that others have deposited, worth ten million."""
    return int(_POOL_E6 * 10**spec.decimals // price_e6)


def _held(listing: Listing, spec: SpotSpec, price_e6: int) -> int:
    """Return all tokens in a vault: the others' deposits, and in the quote token the PnL pools."""
    pools = len(listing.perps()) * _POOL_E6 if spec.name == listing.quote else 0
    return _reserve(spec, price_e6) + pools


def _spot_accounts(
    program: Program, listing: Listing, spec: SpotSpec, price_e6: int, rent: Rent, now: int
) -> dict[Pubkey, Account]:
    view = spot_market(program, listing, spec, price_e6, now)
    held = _held(listing, spec, price_e6)
    lamports = rent(tokens.ACCOUNT_BYTES)
    return {
        view.pubkey: _owned(program, view, rent),
        view.mint: mint_account(spec.decimals, held, rent),
        view.vault: tokens.account_of(view.mint, program.signer, held, lamports),
        view.insurance_fund.vault: tokens.account_of(view.mint, program.signer, 0, lamports),
    }


def mint_account(decimals: int, supply: int, rent: Rent) -> Account:
    """Return a mint whose authority is the faucet (spl-token ``state.rs``, Mint, 82 bytes)."""
    data = pack("<I32sQBBI32s", 1, bytes(FAUCET.pubkey()), supply, decimals, 1, 0, bytes(32))
    return Account(rent(len(data)), data, tokens.TOKEN_PROGRAM)


def _owned(program: Program, view: View, rent: Rent) -> Account:
    return Account(rent(len(view.data)), bytes(view.data), program.program_id)
