"""A sub-account's slots: which position, balance or order stands where, and which slot is free.

Source: ``state/user.rs`` and ``controller/position.rs`` (add_new_position, get_position_index). Slot 0 of the spot
balances is always the quote asset's.
"""

from msgspec import structs

from drift_engine.localnet.venue.refusals import refusal, refuse
from drift_engine.venues.wire.user import ORDER_OPEN, Order, PerpPosition, SpotPosition, User

BEING_LIQUIDATED, BANKRUPT, REDUCE_ONLY = 1, 2, 4


def perp_slot(user: User, market_index: int) -> int | None:
    """Return the slot of a position that holds something in a market."""
    for slot, held in enumerate(user.perp_slots()):
        if held.market_index == market_index and not held.empty:
            return slot
    return None


def open_perp_slot(user: User, market_index: int) -> int:
    """Return the slot of a market's position, a fresh one where there is none (add_new_position)."""
    slot = perp_slot(user, market_index)
    if slot is not None:
        return slot
    for free, held in enumerate(user.perp_slots()):
        if held.empty:
            ratio = held.max_margin_ratio if held.market_index == market_index else 0
            user.put_perp(free, PerpPosition(market_index=market_index, max_margin_ratio=ratio))
            return free
    raise refusal("MaxNumberOfPositions")


def position(user: User, market_index: int) -> PerpPosition:
    """Return the position in a market."""
    slot = perp_slot(user, market_index)
    if slot is None:
        refuse("UserHasNoPositionInMarket")
    return user.perp_slots()[slot]


def spot_slot(user: User, market_index: int) -> int | None:
    """Return the slot of a balance; slots are found by market even when they are empty, as the program finds them."""
    if market_index == 0:
        return 0
    for slot, held in enumerate(user.spot_slots()):
        if held.market_index == market_index:
            return slot
    return None


def open_spot_slot(user: User, market_index: int) -> int:
    """Return the slot of a market's balance, a fresh one where there is none (force_get_spot_position_index)."""
    slot = spot_slot(user, market_index)
    if slot is not None:
        return slot
    for free, held in enumerate(user.spot_slots()):
        if free and held.empty:
            user.put_spot(free, SpotPosition(market_index=market_index))
            return free
    raise refusal("NoSpotPositionAvailable")


def order_slot(user: User, order_id: int) -> int | None:
    """Return the slot of an open order by its number."""
    for slot, order in enumerate(user.order_slots()):
        if order.order_id == order_id and order.status == ORDER_OPEN:
            return slot
    return None


def free_order_slot(user: User) -> int:
    """Return a slot for a new order."""
    for slot, order in enumerate(user.order_slots()):
        if order.status != ORDER_OPEN:
            return slot
    raise refusal("MaxNumberOfOrders")


def change_perp(user: User, market_index: int, **changes: int) -> PerpPosition:
    """Change figures of a position and return it."""
    slot = open_perp_slot(user, market_index)
    changed = structs.replace(user.perp_slots()[slot], **changes)
    user.put_perp(slot, changed)
    return changed


def counted(user: User, order: Order, by: int) -> None:
    """Count an order, and its auction where it has one, among the open ones (``by`` 1) or out of them (-1)."""
    user.open_orders = max(0, user.open_orders + by)
    user.has_open_order = user.open_orders > 0
    if order.auction_duration:
        counted_auction(user, by)


def counted_auction(user: User, by: int) -> None:
    """Count an auction."""
    user.open_auctions = max(0, user.open_auctions + by)
    user.has_open_auction = user.open_auctions > 0


def active(user: User, slot: int) -> None:
    """Note that the user did something (update_last_active_slot)."""
    if not user.status & (BEING_LIQUIDATED | BANKRUPT):
        user.last_active_slot = slot
    user.idle = False
