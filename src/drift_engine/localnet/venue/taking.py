"""An order placed and taken at once, within one instruction.

Source: ``instructions/user.rs`` handle_place_and_take_perp_order, ``state/order_params.rs`` parse_optional_params: the
low byte is the success condition, the next one how much of its auction the order takes as run off, all where unset.
"""

from drift_engine.localnet.venue import amm, placing
from drift_engine.localnet.venue.actions import cancelled
from drift_engine.localnet.venue.filling import Book, fill
from drift_engine.localnet.venue.frame import Frame
from drift_engine.localnet.venue.maps import load_maps
from drift_engine.localnet.venue.pauses import FILL, require_not_paused
from drift_engine.localnet.venue.refusals import require
from drift_engine.localnet.venue.slots import order_slot
from drift_engine.venues.wire.order_enums import IMMEDIATE_OR_CANCEL, PostOnly, SuccessCondition
from drift_engine.venues.wire.order_params import OrderParams

_WHOLE = 100


def place_and_take_perp_order(frame: Frame, params: OrderParams, optional: int | None, book: Book) -> None:
    """Place an order, fill what fills, and hold the transaction to its success condition."""
    require_not_paused(frame.state(), FILL)
    maps = load_maps(frame, writable_perps=(params.market_index,))
    require(params.post_only == PostOnly.NONE, "InvalidOrderPostOnly", "post_only cant be used in place_and_take")
    user, address, market = frame.user(), frame.key("user"), maps.perp(params.market_index)
    amm.crank(market, maps.price(market), frame.state().oracle_guard_rails, frame.slot, frame.now)
    condition, auction_pct = (optional & 255, optional >> 8 & 255) if optional is not None else (0, _WHOLE)
    order = placing.placed(maps, user, address, params).order
    slot = None if order is None else order_slot(user, order.order_id)
    require(slot is not None, "OrderDoesNotExist")
    filled_e9 = fill(maps, user, address, frame.stats(), slot or 0, book, auction_pct=auction_pct)
    left = None if order is None else order_slot(user, order.order_id)
    if left is not None and params.bit_flags & IMMEDIATE_OR_CANCEL:
        cancelled(maps, user, address, left)
    name = "PlaceAndTakeOrderSuccessConditionFailed"
    if condition == SuccessCondition.PARTIAL_FILL:
        require(filled_e9, name, "no partial fill")
    elif condition == SuccessCondition.FULL_FILL:
        require(filled_e9 and left is None, name, "no full fill")
