"""Funding: the hourly rate of a market, and what a position pays or receives.

Source: ``controller/funding.rs`` update_funding_rate, settle_funding_payment(s); ``math/funding.rs``
calculate_funding_rate_long_short, calculate_capped_funding_rate; ``math/helpers.rs`` on_the_hour_update;
``instructions/keeper.rs`` handle_update_funding_rate, handle_settle_funding_payment. The rate is the protocol's rule
(``Program.rules``), the payment ``core.funding``'s, as in the simulated venue.
"""

from msgspec import structs
from solders.pubkey import Pubkey

from drift_engine.core.funding import Imbalance, payment_e6, rates_e9, spare_drift_e6, spare_velocity_e6
from drift_engine.core.oracle_validity import accepts
from drift_engine.core.twap import new_twap, until_update_s
from drift_engine.localnet.venue import amm
from drift_engine.localnet.venue.figures import status_of
from drift_engine.localnet.venue.frame import Frame
from drift_engine.localnet.venue.maps import load_maps, one_oracle
from drift_engine.localnet.venue.pauses import FUNDING, is_paused, require_not_paused
from drift_engine.localnet.venue.positions import cumulative_e9, paid
from drift_engine.localnet.venue.refusals import refuse, require
from drift_engine.localnet.venue.slots import active, perp_slot
from drift_engine.venues.translate import oracles as translate_oracles
from drift_engine.venues.wire.events.markets import FundingRateRecord
from drift_engine.venues.wire.events.trading import FundingPaymentRecord
from drift_engine.venues.wire.oracles import OraclePrice
from drift_engine.venues.wire.perp_market import PerpMarket
from drift_engine.venues.wire.records import OracleGuardRails
from drift_engine.venues.wire.user import User

_UPDATE_PAUSED = 1
_DAY_S = 86_400


def update_funding_rate(frame: Frame, market_index: int) -> None:
    """Set the hour's rate; anyone may ask, once an hour."""
    market, address, state = frame.accounts.perp(frame.key("perp_market")), frame.key("oracle"), frame.state()
    require(status_of(market) != "delisted", "MarketDelisted")
    require_not_paused(state, FUNDING)
    require(market.oracle == address, "InvalidOracle", "not valid_oracle_for_perp_market")
    reading = one_oracle(frame, address).price(market)
    amm.crank(market, reading, state.oracle_guard_rails, frame.slot, frame.now)
    require(status_of(market) in ("active", "reduce_only"), "MarketActionPaused", "Market funding is paused")
    if not update_rate(frame, market, reading):
        frame.say(f"time_until_next_update = {seconds_left(market, frame.now)} seconds")
        refuse("FundingWasNotUpdated")


def update_rate(frame: Frame, market: PerpMarket, reading: OraclePrice) -> bool:
    """Set the hour's rate where it is due and nothing speaks against it, and say whether it was."""
    state, now = frame.state(), frame.now
    blocked = is_blocked(market, reading, state.oracle_guard_rails, frame.slot) or is_paused(state, FUNDING)
    if blocked or seconds_left(market, now):
        return False
    oracle_e6 = amm.remember_oracle(market, reading, frame.slot, now)
    reserve_e6 = amm.reserve_price_e6(market)
    mark_e6 = amm.remember_mark(market, now, (reserve_e6, reserve_e6), reserve_e6)
    rate_e9 = frame.program.rules.funding_rate_e9(market, mark_e6, oracle_e6)
    long_e9, short_e9, revenue_e6 = sides_of(market, rate_e9)
    market.cumulative_funding_rate_long += long_e9
    market.cumulative_funding_rate_short += short_e9
    last_ts = market.last_funding_rate_ts
    market.last_24h_avg_funding_rate = new_twap(rate_e9, now, market.last_24h_avg_funding_rate, last_ts, _DAY_S)
    market.last_funding_rate, market.last_funding_rate_ts = rate_e9, now
    market.last_funding_rate_long, market.last_funding_rate_short = long_e9, short_e9
    market.net_unsettled_funding_pnl -= revenue_e6
    if "last_funding_oracle_twap" in market.layout:
        market.last_funding_oracle_twap = oracle_e6
    _tell_rate(frame, market, oracle_e6, mark_e6)
    market.net_revenue_since_last_funding = 0
    return True


def is_blocked(market: PerpMarket, reading: OraclePrice, rails: OracleGuardRails, slot: int) -> bool:
    """Return whether the oracle, the vAMM's age or the mark's distance speak against an update (block_operation)."""
    valid = accepts("update_funding", translate_oracles.validity(market, reading, rails))
    old = slot - market.last_update_slot > market.funding_period
    paused = market.paused_operations & _UPDATE_PAUSED
    return bool(old or not valid or paused or amm.too_divergent(market, amm.reserve_price_e6(market), rails))


def seconds_left(market: PerpMarket, now: int) -> int:
    """Return how long until the rate may be set."""
    return until_update_s(now, market.last_funding_rate_ts, market.funding_period)


def sides_of(market: PerpMarket, rate_e9: int) -> tuple[int, int, int]:
    """Return the rates of longs and of shorts, and what the protocol receives (negative: pays)."""
    held = market.base_asset_amount_long, market.base_asset_amount_short, market.base_asset_amount_with_amm
    imbalance = Imbalance(*held, _spare_e6(market))
    revenue_e6 = -payment_e6(rate_e9, imbalance.users_e9)
    _book_revenue(market, max(revenue_e6, -imbalance.spare_e6))
    return *rates_e9(rate_e9, imbalance), revenue_e6


def _spare_e6(market: PerpMarket) -> int:
    """Return what the market's maker may pay."""
    profit_e6 = market.total_fee_minus_distributions
    if "last_funding_oracle_twap" not in market.layout:
        return spare_velocity_e6(profit_e6)
    fees = market.total_exchange_fee, market.total_liquidation_fee, market.total_fee_withdrawn
    return spare_drift_e6(profit_e6, *fees)


def _book_revenue(market: PerpMarket, revenue_e6: int) -> None:
    market.total_fee_minus_distributions += revenue_e6
    market.net_revenue_since_last_funding += revenue_e6


def settle(frame: Frame, user: User, address: Pubkey, market: PerpMarket) -> None:
    """Settle funding of one position up to the market's cumulative rate."""
    slot = perp_slot(user, market.market_index)
    if slot is None:
        return
    position = user.perp_slots()[slot]
    base_e9 = position.base_asset_amount
    cumulative = cumulative_e9(market, base_e9)
    if base_e9 == 0 or cumulative == position.last_cumulative_funding_rate:
        return
    payment = payment_e6(cumulative - position.last_cumulative_funding_rate, base_e9)
    user.cumulative_perp_funding += payment
    event = FundingPaymentRecord(
        ts=frame.now,
        user_authority=user.authority,
        user=address,
        market_index=market.market_index,
        funding_payment=payment,
        base_asset_amount=base_e9,
        user_last_cumulative_funding=position.last_cumulative_funding_rate,
        amm_cumulative_funding_long=market.cumulative_funding_rate_long,
        amm_cumulative_funding_short=market.cumulative_funding_rate_short,
    )
    frame.emit(event)
    after = structs.replace(paid(position, market, payment), last_cumulative_funding_rate=cumulative)
    user.put_perp(slot, after)
    market.net_unsettled_funding_pnl -= payment


def settle_funding_payment(frame: Frame) -> None:
    """Settle funding of every position; anyone may ask."""
    require_not_paused(frame.state(), FUNDING)
    user = frame.user()
    held = [position.market_index for position in user.perp_positions()]
    maps = load_maps(frame, writable_perps=held)
    for position in user.perp_positions():
        if position.base_asset_amount:
            settle(frame, user, frame.key("user"), maps.perp(position.market_index))
    active(user, frame.slot)


def _tell_rate(frame: Frame, market: PerpMarket, oracle_e6: int, mark_e6: int) -> None:
    event = FundingRateRecord(
        ts=frame.now,
        record_id=market.next_funding_rate_record_id,
        market_index=market.market_index,
        funding_rate=market.last_funding_rate,
        funding_rate_long=market.last_funding_rate_long,
        funding_rate_short=market.last_funding_rate_short,
        cumulative_funding_rate_long=market.cumulative_funding_rate_long,
        cumulative_funding_rate_short=market.cumulative_funding_rate_short,
        oracle_price_twap=oracle_e6,
        mark_price_twap=mark_e6,
        period_revenue=market.net_revenue_since_last_funding,
        base_asset_amount_with_amm=market.base_asset_amount_with_amm,
    )
    market.next_funding_rate_record_id += 1
    frame.emit(event)
