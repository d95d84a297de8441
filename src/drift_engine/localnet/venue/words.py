"""Orders between the wire and ``core``: the program's numbers, and the words that the rules are written in."""

from msgspec import structs

from drift_engine.core.orders.maker import Maker
from drift_engine.core.orders.stats import MarketStats
from drift_engine.core.orders.terms import Order as Said
from drift_engine.core.orders.terms import OrderKind, PostOnly, Trigger
from drift_engine.core.orders.terms import OrderParams as Asked
from drift_engine.venues.wire.order_enums import IMMEDIATE_OR_CANCEL, Direction, MarketType
from drift_engine.venues.wire.order_params import OrderParams
from drift_engine.venues.wire.perp_market import PerpMarket
from drift_engine.venues.wire.user import ORDER_OPEN, Order

KINDS: tuple[OrderKind, ...] = ("market", "limit", "trigger_market", "trigger_limit", "oracle")
POST_ONLY: tuple[PostOnly, ...] = ("no", "must", "try", "slide")
TRIGGERS: tuple[Trigger, ...] = ("above", "below", "triggered_above", "triggered_below")
ORACLE_TRIGGER, SAFE_TRIGGER, NEW_TRIGGER_REDUCE_ONLY = 2, 4, 8
_PRELAUNCH = 6


def asked(params: OrderParams) -> Asked:
    """Return what an order asks for."""
    return Asked(
        kind=KINDS[params.order_type],
        long=params.direction == Direction.LONG,
        base_e9=params.base_asset_amount,
        price_e6=params.price,
        reduce_only=params.reduce_only,
        post_only=POST_ONLY[params.post_only],
        immediate=bool(params.bit_flags & IMMEDIATE_OR_CANCEL),
        max_ts_s=params.max_ts,
        trigger_e6=params.trigger_price,
        trigger=TRIGGERS[params.trigger_condition],
        offset_e6=params.oracle_price_offset,
        auction_duration=params.auction_duration,
        auction_start_e6=params.auction_start_price,
        auction_end_e6=params.auction_end_price,
        user_order_id=params.user_order_id,
    )


def said(order: Order) -> Said:
    """Return what an order in an account says."""
    return Said(
        kind=KINDS[order.order_type],
        long=order.direction == Direction.LONG,
        base_e9=order.base_asset_amount,
        filled_e9=order.base_asset_amount_filled,
        price_e6=order.price,
        reduce_only=bool(order.reduce_only),
        post_only=bool(order.post_only),
        immediate=bool(order.immediate_or_cancel),
        max_ts_s=order.max_ts,
        trigger_e6=order.trigger_price,
        trigger=TRIGGERS[order.trigger_condition],
        offset_e6=order.oracle_price_offset,
        auction_duration=order.auction_duration,
        auction_start_e6=order.auction_start_price,
        auction_end_e6=order.auction_end_price,
        slot=order.slot,
        oracle_trigger=bool(order.bit_flags & ORACLE_TRIGGER),
        user_order_id=order.user_order_id,
    )


def booked(order: Said, params: OrderParams, order_id: int, held_e9: int, slot: int) -> Order:
    """Return an order as it lies in an account. ``held_e9`` is the position it meets."""
    return Order(
        slot=slot,
        price=order.price_e6,
        base_asset_amount=order.base_e9,
        trigger_price=order.trigger_e6,
        auction_start_price=order.auction_start_e6,
        auction_end_price=order.auction_end_e6,
        max_ts=order.max_ts_s,
        oracle_price_offset=order.offset_e6,
        order_id=order_id,
        market_index=params.market_index,
        status=ORDER_OPEN,
        order_type=params.order_type,
        market_type=MarketType.PERP,
        user_order_id=params.user_order_id,
        existing_position_direction=Direction.LONG if held_e9 >= 0 else Direction.SHORT,
        direction=params.direction,
        reduce_only=order.reduce_only,
        post_only=order.post_only,
        immediate_or_cancel=order.immediate,
        trigger_condition=params.trigger_condition,
        auction_duration=order.auction_duration,
        posted_slot_tail=slot % 256,
        bit_flags=NEW_TRIGGER_REDUCE_ONLY if order.triggers and order.reduce_only else 0,
    )


def counts_as_open(order: Order) -> bool:
    """Return whether an order adds to open bids or asks: one that waits for its trigger does not.

    Source: ``state/user.rs`` update_open_bids_and_asks.
    """
    word = said(order)
    quiet = order.reduce_only and order.bit_flags & NEW_TRIGGER_REDUCE_ONLY
    return not word.triggers or (word.triggered and not quiet)


def maker_of(market: PerpMarket) -> Maker:
    """Return a market's vAMM."""
    return Maker(
        base_reserve=market.base_asset_reserve,
        quote_reserve=market.quote_asset_reserve,
        sqrt_k=market.sqrt_k,
        peg_e6=market.peg_multiplier,
        min_base_reserve=market.min_base_asset_reserve,
        max_base_reserve=market.max_base_asset_reserve,
        ask_base_reserve=market.ask_base_asset_reserve,
        bid_base_reserve=market.bid_base_asset_reserve,
        base_spread_e6=market.base_spread,
        long_spread_e6=market.long_spread,
        short_spread_e6=market.short_spread,
        reference_offset_e6=market.reference_price_offset,
        max_fill_fraction=market.max_fill_reserve_fraction,
    )


def stats_of(market: PerpMarket) -> MarketStats:
    """Return what a market remembers."""
    oracle = market.historical_oracle_data
    known = MarketStats(
        mark_twap_5min_e6=market.last_mark_price_twap_5min,
        mark_twap_s=market.last_mark_price_twap_ts,
        bid_twap_e6=market.last_bid_price_twap,
        ask_twap_e6=market.last_ask_price_twap,
        oracle_twap_e6=oracle.last_oracle_price_twap,
        oracle_twap_5min_e6=oracle.last_oracle_price_twap_5min,
        oracle_twap_s=oracle.last_oracle_price_twap_ts,
        oracle_last_e6=oracle.last_oracle_price,
        mark_std_e6=market.mark_std,
        oracle_std_e6=market.oracle_std,
        volume_24h_e6=market.volume_24h,
        last_fill_e6=market.last_fill_price,
        funding_rate_e9=market.last_funding_rate,
        funding_s=market.last_funding_rate_ts,
        funding_period_s=market.funding_period,
        prelaunch=market.oracle_source == _PRELAUNCH,
    )
    if "last_funding_oracle_twap" in market.layout:
        return structs.replace(known, funding_oracle_twap_e6=market.last_funding_oracle_twap)
    return known
