"""Orders taken back: one, several, all that match.

Source: ``instructions/user.rs`` handle_cancel_order and those after it, ``controller/orders.rs`` cancel_orders,
cancel_order_by_order_id, cancel_order_by_user_order_id. An order that is not there is no error; it is only said.
"""

from collections.abc import Callable

from drift_engine.localnet.venue.actions import cancelled
from drift_engine.localnet.venue.frame import Frame
from drift_engine.localnet.venue.maps import Maps, load_maps
from drift_engine.localnet.venue.pauses import require_open
from drift_engine.localnet.venue.slots import active, order_slot
from drift_engine.venues.wire.user import ORDER_OPEN, Order, User

_NO_ORDER_YET = (1 << 32) - 1


def cancel_order(frame: Frame, order_id: int | None) -> None:
    """Cancel an order by its id, the last one placed where none is named."""
    _each(frame, [order_id if order_id is not None else last_order_id(frame.user())])


def cancel_orders_by_ids(frame: Frame, order_ids: tuple[int, ...]) -> None:
    """Cancel orders by their ids."""
    _each(frame, order_ids)


def cancel_order_by_user_id(frame: Frame, user_order_id: int) -> None:
    """Cancel the order in the first slot whose owner gave it this id; one that is closed already is refused."""
    require_open(frame.state())
    maps, user = load_maps(frame), frame.user()
    found = [slot for slot, order in enumerate(user.order_slots()) if order.user_order_id == user_order_id]
    if not found:
        frame.say(f"could not find user order id {user_order_id}")
        return
    cancelled(maps, user, frame.key("user"), found[0])
    active(user, frame.slot)


def cancel_orders(frame: Frame, market_type: int | None, market_index: int | None, direction: int | None) -> None:
    """Cancel every order of a market, of a side, or of both; of a market only where type and index are named."""
    require_open(frame.state())
    cancel_matching(load_maps(frame), frame.user(), _matching(market_type, market_index, direction))


def cancel_matching(maps: Maps, user: User, wanted: Callable[[Order], bool]) -> None:
    """Cancel every open order that is wanted."""
    for slot, order in enumerate(user.order_slots()):
        if order.status == ORDER_OPEN and wanted(order):
            cancelled(maps, user, maps.frame.key("user"), slot)
    active(user, maps.frame.slot)


def last_order_id(user: User) -> int:
    """Return the id of the order placed last, one that none has where there was none."""
    return _NO_ORDER_YET if user.next_order_id == 1 else user.next_order_id - 1


def _each(frame: Frame, order_ids: list[int] | tuple[int, ...]) -> None:
    require_open(frame.state())
    maps, user = load_maps(frame), frame.user()
    for order_id in order_ids:
        slot = order_slot(user, order_id)
        if slot is None:
            frame.say(f"could not find order id {order_id}")
            continue
        cancelled(maps, user, frame.key("user"), slot)
        active(user, frame.slot)


def _matching(market_type: int | None, market_index: int | None, direction: int | None) -> Callable[[Order], bool]:
    def wanted(order: Order) -> bool:
        named = market_type is not None and market_index is not None
        if named and (order.market_type, order.market_index) != (market_type, market_index):
            return False
        return direction is None or order.direction == direction

    return wanted
