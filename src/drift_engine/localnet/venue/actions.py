"""What happens to an order in an account beside its fill: it is booked, cancelled, expired; and what is told of it.

Source: ``controller/orders.rs`` cancel_order, expire_orders, cancel_reduce_only_trigger_orders,
get_taker_and_maker_for_order_record; ``state/events.rs`` get_order_action_record.
"""

from msgspec import structs
from solders.pubkey import Pubkey

from drift_engine.core.orders.rules import unfilled_e9
from drift_engine.localnet.venue.maps import Maps
from drift_engine.localnet.venue.refusals import require
from drift_engine.localnet.venue.slots import change_perp, counted, position
from drift_engine.localnet.venue.words import counts_as_open
from drift_engine.venues.translate import orders as translate_orders
from drift_engine.venues.wire.enums import OrderAction, OrderActionExplanation, OrderStatus
from drift_engine.venues.wire.events.trading import OrderActionRecord
from drift_engine.venues.wire.order_enums import Direction
from drift_engine.venues.wire.user import ORDER_OPEN, Order, User

WHY = OrderActionExplanation


def opened(user: User, order: Order, slot: int) -> None:
    """Put a new order into a slot, and count it."""
    counted(user, order, 1)
    user.put_order(slot, order)
    held = position(user, order.market_index) if _has(user, order.market_index) else None
    change_perp(user, order.market_index, open_orders=(held.open_orders if held else 0) + 1)
    if counts_as_open(order):
        count_open(user, order, order.base_asset_amount)


def count_open(user: User, order: Order, base_e9: int) -> None:
    """Count base among open bids or asks, or out of them where it is negative; neither goes beyond zero."""
    held = position(user, order.market_index)
    if order.direction == Direction.LONG:
        change_perp(user, order.market_index, open_bids=max(0, held.open_bids + base_e9))
    else:
        change_perp(user, order.market_index, open_asks=min(0, held.open_asks - base_e9))


def cancelled(
    maps: Maps,
    user: User,
    address: Pubkey,
    slot: int,
    why: OrderActionExplanation = WHY.NONE,
    filler: Pubkey | None = None,
) -> None:
    """Cancel an open order."""
    order = user.order_slots()[slot]
    require(order.status == ORDER_OPEN, "OrderNotOpen")
    price_e6 = maps.price(maps.perp(order.market_index)).price_e6
    tell(maps, address, order, OrderAction.CANCEL, price_e6, why=why, filler=filler, filler_reward=0)
    closed(user, slot, order, OrderStatus.CANCELED)


def closed(user: User, slot: int, order: Order, status: OrderStatus) -> None:
    """Take an order out of what is open."""
    counted(user, order, -1)
    if status == OrderStatus.CANCELED and counts_as_open(order):
        count_open(user, order, -unfilled_e9(translate_orders.order(order)))
    held = position(user, order.market_index)
    user.put_order(slot, structs.replace(order, status=status))
    change_perp(user, order.market_index, open_orders=held.open_orders - 1)


def expires(order: Order, now: int) -> bool:
    """Return whether an open order's time is over; one with a trigger has none (should_expire_order)."""
    return order.status == ORDER_OPEN and 0 < order.max_ts < now and not translate_orders.order(order).triggers


def expire_all(maps: Maps, user: User, address: Pubkey) -> None:
    """Cancel every order whose time is over."""
    for slot, order in enumerate(user.order_slots()):
        if expires(order, maps.frame.now):
            cancelled(maps, user, address, slot, WHY.ORDER_EXPIRED)


def cancel_closing_triggers(maps: Maps, user: User, address: Pubkey, market_index: int, filler: Pubkey) -> None:
    """Cancel the waiting reduce-only orders of a market in which nothing is held any more."""
    for slot, order in enumerate(user.order_slots()):
        word = translate_orders.order(order)
        waits = order.status == ORDER_OPEN and word.triggers and not word.triggered
        if waits and order.reduce_only and order.market_index == market_index:
            cancelled(maps, user, address, slot, WHY.REDUCE_ONLY_ORDER_INCREASED_POSITION, filler)


def tell(
    maps: Maps,
    address: Pubkey,
    order: Order,
    action: OrderAction,
    oracle_e6: int,
    *,
    why: OrderActionExplanation = WHY.NONE,
    filler: Pubkey | None = None,
    filler_reward: int | None = None,
    loudly: bool = False,
) -> None:
    """Log what happened to an order, as the program writes it itself or (``loudly``) by Anchor's way."""
    event = action_record(maps.frame.now, address, order, action, oracle_e6)
    event = structs.replace(event, action_explanation=why, filler=filler, filler_reward=filler_reward)
    if loudly:
        maps.frame.emit(event)
    else:
        maps.frame.emit_stack(event)


def action_record(now: int, address: Pubkey, order: Order, action: OrderAction, oracle_e6: int) -> OrderActionRecord:
    """Return the record of an action: a post-only order is the maker's, any other the taker's."""
    told = OrderActionRecord(
        ts=now,
        action=action,
        action_explanation=WHY.NONE,
        market_index=order.market_index,
        market_type=order.market_type,
        filler=None,
        filler_reward=None,
        fill_record_id=None,
        base_asset_amount_filled=None,
        quote_asset_amount_filled=None,
        taker_fee=None,
        maker_fee=None,
        referrer_reward=None,
        quote_asset_amount_surplus=None,
        spot_fulfillment_method_fee=None,
        taker=None,
        taker_order_id=None,
        taker_order_direction=None,
        taker_order_base_asset_amount=None,
        taker_order_cumulative_base_asset_amount_filled=None,
        taker_order_cumulative_quote_asset_amount_filled=None,
        maker=None,
        maker_order_id=None,
        maker_order_direction=None,
        maker_order_base_asset_amount=None,
        maker_order_cumulative_base_asset_amount_filled=None,
        maker_order_cumulative_quote_asset_amount_filled=None,
        oracle_price=oracle_e6,
    )
    side = "maker" if order.post_only else "taker"
    figures = {
        f"{side}": address,
        f"{side}_order_id": order.order_id,
        f"{side}_order_direction": order.direction,
        f"{side}_order_base_asset_amount": order.base_asset_amount,
        f"{side}_order_cumulative_base_asset_amount_filled": order.base_asset_amount_filled,
        f"{side}_order_cumulative_quote_asset_amount_filled": order.quote_asset_amount_filled,
    }
    return structs.replace(told, **figures)


def _has(user: User, market_index: int) -> bool:
    return any(held.market_index == market_index and not held.empty for held in user.perp_slots())
