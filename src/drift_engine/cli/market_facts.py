"""Markets as plain dictionaries: what ``drift-engine markets --json`` prints, and what its tables are made of.

Figures are the exact integers, their scale in the name; what is not known is ``None``, and ``problems`` say why. A cap
of 0 is none, as in the program.
"""

from typing import Any

from drift_engine.core.interest import market_utilisation_e6
from drift_engine.core.oracle_validity import accepts
from drift_engine.core.types import Market, PerpSpec, SpotSpec
from drift_engine.venues.errors import DecodeError
from drift_engine.venues.program import Program
from drift_engine.venues.snapshot import Snapshot
from drift_engine.venues.snapshot.market_reads import MarketRead, rates_a_year
from drift_engine.venues.wire.enums import OracleSource, PerpOperation, SpotOperation
from drift_engine.venues.wire.perp_market import PerpMarket
from drift_engine.venues.wire.spot_market import SpotMarket

Facts = dict[str, Any]


def markets_of(snapshot: Snapshot) -> Facts:
    """Return the venue's markets."""
    return {
        "venue": snapshot.program.name,
        "program": str(snapshot.program.program_id),
        "slot": snapshot.slot,
        "block_time_s": snapshot.block_time_s,
        "perps": [perp(snapshot.program, read) for read in snapshot.perps],
        "spots": [spot(snapshot.program, read) for read in snapshot.spots],
    }


def perp(program: Program, read: MarketRead[PerpMarket]) -> Facts:
    """Return a perp market."""
    found = _any(program, read, "perp")
    view = read.view
    if view is None:
        return found
    long_e9, short_e9 = view.base_asset_amount_long, -view.base_asset_amount_short
    found |= {
        "paused": _names(PerpOperation(view.paused_operations)),
        "mark_e6": read.market.mark_e6 if read.market is not None else None,
        "bid_e6": _side(read.market, -view.short_spread),
        "ask_e6": _side(read.market, view.long_spread),
        "funding_1h_e9": view.last_funding_rate,
        "funding_1h_long_e9": view.last_funding_rate_long,
        "funding_1h_short_e9": view.last_funding_rate_short,
        "funding_s": view.last_funding_rate_ts,
        "open_interest_e9": max(long_e9, short_e9),
        "open_interest_long_e9": long_e9,
        "open_interest_short_e9": short_e9,
        "open_interest_cap_e9": view.max_open_interest,
        "volume_24h_e6": view.volume_24h,
        "spread_long_e6": view.long_spread,
        "spread_short_e6": view.short_spread,
        "users": view.number_of_users,
        "tick_e6": view.order_tick_size,
        "step_e9": view.order_step_size,
        "minimum_e9": view.min_order_size,
        "margin_initial_e4": view.margin_ratio_initial,
        "margin_maintenance_e4": view.margin_ratio_maintenance,
        "imf_e6": view.imf_factor,
        "liquidator_fee_e6": view.liquidator_fee,
        "insurance_fee_e6": view.if_liquidation_fee,
    }
    spec = read.market.spec if read.market is not None else None
    if isinstance(spec, PerpSpec):
        names = ("tier", "taker_fee_e6", "maker_fee_e6", "fee_adjustment_pct", "taker_addon_tenth_bps")
        found |= {name: getattr(spec, name) for name in names}
    return found


def spot(program: Program, read: MarketRead[SpotMarket]) -> Facts:
    """Return a spot market; amounts of tokens are in the token's own units."""
    found = _any(program, read, "spot")
    view, market = read.view, read.market
    if view is None:
        return found
    deposit_e6, borrow_e6 = (None, None) if market is None else rates_a_year(view, market)
    found |= {
        "paused": _names(SpotOperation(view.paused_operations)),
        "mint": str(view.mint),
        "decimals": view.decimals,
        "deposits": _tokens(market, view, view.deposit_balance, view.cumulative_deposit_interest),
        "borrows": _tokens(market, view, view.borrow_balance, view.cumulative_borrow_interest),
        "vault": read.vault,
        "deposits_cap": view.max_token_deposits,
        "utilisation_e6": None if market is None else market_utilisation_e6(market),
        "deposit_rate_e6": deposit_e6,
        "borrow_rate_e6": borrow_e6,
        "tick_e6": view.order_tick_size,
        "step": view.order_step_size,
        "minimum": view.min_order_size,
        "asset_weight_initial_e4": view.initial_asset_weight,
        "asset_weight_maintenance_e4": view.maintenance_asset_weight,
        "liability_weight_initial_e4": view.initial_liability_weight,
        "liability_weight_maintenance_e4": view.maintenance_liability_weight,
        "imf_e6": view.imf_factor,
        "liquidator_fee_e6": view.liquidator_fee,
        "insurance_fee_e6": view.if_liquidation_fee,
    }
    spec = market.spec if market is not None else None
    if isinstance(spec, SpotSpec):
        names = ("asset_tier", "optimal_utilisation_e6", "optimal_rate_e6", "max_rate_e6", "min_rate_e6")
        found |= {name: getattr(spec, name) for name in names}
    return found


def status_of(program: Program, number: int) -> str:
    """Return a market's status in the program's word."""
    try:
        return program.rules.market_status(number).value
    except DecodeError:
        return f"not known ({number})"


def _any(program: Program, read: MarketRead[Any], kind: str) -> Facts:
    view, oracle = read.view, read.oracle
    found: Facts = {
        "kind": kind,
        "index": read.index,
        "name": read.name,
        "address": str(read.address),
        "status": None if view is None else status_of(program, view.status),
        "problems": list(read.problems),
    }
    source = None if view is None else view.oracle_source
    found["oracle_e6"] = None if oracle is None else oracle.price_e6
    found["oracle"] = (
        None
        if view is None
        else {
            "address": str(view.oracle),
            "source": OracleSource(source).name if source in set(OracleSource) else f"not known ({source})",
            "confidence_e6": None if oracle is None else oracle.confidence_e6,
            "slots_old": None if oracle is None else oracle.delay_slots,
            "twap_e6": view.historical_oracle_data.last_oracle_price_twap,
            "validity": read.validity,
            "good_for_margin": None if read.validity is None else accepts("margin", read.validity),
        }
    )
    return found


def _side(market: Market | None, spread_e6: int) -> int | None:
    """Return the vAMM's bid or ask (``state/perp_market.rs`` bid_price, ask_price)."""
    if market is None or market.mark_e6 is None:
        return None
    return market.mark_e6 * (10**6 + spread_e6) // 10**6


def _tokens(market: Market | None, view: SpotMarket, scaled_e9: int, interest_e10: int) -> int | None:
    """Return a market's total in tokens (``get_token_amount``), rounded down."""
    if market is None:
        return None
    return int(scaled_e9 * interest_e10 // 10 ** (19 - view.decimals))


def _names(flags: PerpOperation | SpotOperation) -> list[str]:
    return [(flag.name or str(flag.value)).lower() for flag in flags]
