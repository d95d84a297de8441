"""Orders between the wire and ``core``: the program's numbers, and the words that the rules are written in."""

from drift_engine.core.orders.terms import Order as Said
from drift_engine.core.orders.terms import OrderParams as Asked
from drift_engine.core.orders.terms import PostOnly
from drift_engine.venues.translate import orders as translate_orders
from drift_engine.venues.wire.order_enums import IMMEDIATE_OR_CANCEL, Direction, MarketType
from drift_engine.venues.wire.order_params import OrderParams
from drift_engine.venues.wire.user import ORDER_OPEN, Order

POST_ONLY: tuple[PostOnly, ...] = ("no", "must", "try", "slide")
SAFE_TRIGGER, NEW_TRIGGER_REDUCE_ONLY = 4, 8


def asked(params: OrderParams) -> Asked:
    """Return what an order asks for."""
    return Asked(
        kind=translate_orders.KINDS[params.order_type],
        long=params.direction == Direction.LONG,
        base_e9=params.base_asset_amount,
        price_e6=params.price,
        reduce_only=params.reduce_only,
        post_only=POST_ONLY[params.post_only],
        immediate=bool(params.bit_flags & IMMEDIATE_OR_CANCEL),
        max_ts_s=params.max_ts,
        trigger_e6=params.trigger_price,
        trigger=translate_orders.TRIGGERS[params.trigger_condition],
        offset_e6=params.oracle_price_offset,
        auction_duration=params.auction_duration,
        auction_start_e6=params.auction_start_price,
        auction_end_e6=params.auction_end_price,
        user_order_id=params.user_order_id,
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
    word = translate_orders.order(order)
    quiet = order.reduce_only and order.bit_flags & NEW_TRIGGER_REDUCE_ONLY
    return not word.triggers or (word.triggered and not quiet)
