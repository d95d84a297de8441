"""Decoded orders and markets into what core's order rules look at.

Sources: ``state/user.rs`` (Order), ``state/perp_market.rs`` (AMM, MarketStats) of both programs.
"""

from drift_engine.core.orders.maker import Maker
from drift_engine.core.orders.stats import MarketStats
from drift_engine.core.orders.terms import Order, OrderKind, Trigger
from drift_engine.venues.errors import DecodeError
from drift_engine.venues.wire import perp_market as wire_perp
from drift_engine.venues.wire import user as wire_user
from drift_engine.venues.wire.enums import OracleSource

KINDS: tuple[OrderKind, ...] = ("market", "limit", "trigger_market", "trigger_limit", "oracle")
TRIGGERS: tuple[Trigger, ...] = ("above", "below", "triggered_above", "triggered_below")
ORACLE_TRIGGER = 2


def order(held: wire_user.Order) -> Order:
    """Return an order of an account. Raises ``DecodeError`` where its kind or condition is not known."""
    if held.order_type >= len(KINDS) or held.trigger_condition >= len(TRIGGERS):
        raise DecodeError(f"order {held.order_id} is of type {held.order_type}, {held.trigger_condition}: not known")
    return Order(
        kind=KINDS[held.order_type],
        long=held.direction == 0,
        base_e9=held.base_asset_amount,
        filled_e9=held.base_asset_amount_filled,
        price_e6=held.price,
        reduce_only=bool(held.reduce_only),
        post_only=bool(held.post_only),
        immediate=bool(held.immediate_or_cancel),
        max_ts_s=held.max_ts,
        trigger_e6=held.trigger_price,
        trigger=TRIGGERS[held.trigger_condition],
        offset_e6=held.oracle_price_offset,
        auction_duration=held.auction_duration,
        auction_start_e6=held.auction_start_price,
        auction_end_e6=held.auction_end_price,
        slot=held.slot,
        oracle_trigger=bool(held.bit_flags & ORACLE_TRIGGER),
        user_order_id=held.user_order_id,
    )


def maker(view: wire_perp.PerpMarket) -> Maker:
    """Return a perp market's vAMM."""
    return Maker(
        base_reserve=view.base_asset_reserve,
        quote_reserve=view.quote_asset_reserve,
        sqrt_k=view.sqrt_k,
        peg_e6=view.peg_multiplier,
        min_base_reserve=view.min_base_asset_reserve,
        max_base_reserve=view.max_base_asset_reserve,
        ask_base_reserve=view.ask_base_asset_reserve,
        bid_base_reserve=view.bid_base_asset_reserve,
        base_spread_e6=view.base_spread,
        long_spread_e6=view.long_spread,
        short_spread_e6=view.short_spread,
        reference_offset_e6=view.reference_price_offset,
        max_fill_fraction=max(1, view.max_fill_reserve_fraction),
    )


def stats(view: wire_perp.PerpMarket) -> MarketStats:
    """Return what a perp market remembers of its prices."""
    history = view.historical_oracle_data
    return MarketStats(
        mark_twap_5min_e6=view.last_mark_price_twap_5min,
        mark_twap_s=view.last_mark_price_twap_ts,
        bid_twap_e6=view.last_bid_price_twap,
        ask_twap_e6=view.last_ask_price_twap,
        oracle_twap_e6=history.last_oracle_price_twap,
        oracle_twap_5min_e6=history.last_oracle_price_twap_5min,
        oracle_twap_s=history.last_oracle_price_twap_ts,
        oracle_last_e6=history.last_oracle_price,
        mark_std_e6=view.mark_std,
        oracle_std_e6=view.oracle_std,
        volume_24h_e6=view.volume_24h,
        last_fill_e6=view.last_fill_price,
        funding_oracle_twap_e6=view.last_funding_oracle_twap if "last_funding_oracle_twap" in view.layout else 0,
        funding_rate_e9=view.last_funding_rate,
        funding_s=view.last_funding_rate_ts,
        funding_period_s=view.funding_period,
        prelaunch=view.oracle_source == OracleSource.PRELAUNCH,
    )
