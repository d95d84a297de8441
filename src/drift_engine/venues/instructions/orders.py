"""Orders: placing, changing, cancelling. Source: ``instructions/user.rs`` of both programs.

The signer is the authority or its delegate. ``remaining`` are the maps of ``remaining.py``: for all of these the
markets may be read-only.
"""

from collections.abc import Sequence

from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey

from drift_engine.venues.errors import EncodeError
from drift_engine.venues.instructions.call import Call
from drift_engine.venues.instructions.trader import Trader
from drift_engine.venues.program import Program
from drift_engine.venues.wire.order_params import ModifyOrderParams, OrderParams, ScaleOrderParams

MAX_ORDERS = 32
"""Orders that a sub-account holds at most."""
_ORDER = "state user* authority!"
PLACE_PERP_ORDER = Call("place_perp_order", _ORDER, "params OrderParams")
PLACE_SPOT_ORDER = Call(
    "place_spot_order", _ORDER, "params OrderParams", lacks={"velocity": "it has no spot order book; swap instead"}
)
PLACE_ORDERS = Call("place_orders", _ORDER, "params vec<OrderParams>")
PLACE_SCALE_ORDERS = Call("place_scale_orders", _ORDER, "params ScaleOrderParams")
CANCEL_ORDER = Call("cancel_order", _ORDER, "order_id option<u32>")
CANCEL_ORDERS = Call("cancel_orders", _ORDER, "market_type option<u8>, market_index option<u16>, direction option<u8>")
CANCEL_ORDERS_BY_IDS = Call("cancel_orders_by_ids", _ORDER, "order_ids vec<u32>")
CANCEL_ORDER_BY_USER_ID = Call("cancel_order_by_user_id", _ORDER, "user_order_id u8")
MODIFY_ORDER = Call("modify_order", _ORDER, "order_id option<u32>, modify_order_params ModifyOrderParams")
MODIFY_ORDER_BY_USER_ID = Call(
    "modify_order_by_user_id", _ORDER, "user_order_id u8, modify_order_params ModifyOrderParams"
)


def place_perp_order(
    program: Program, who: Trader, params: OrderParams, remaining: Sequence[AccountMeta] = ()
) -> Instruction:
    """Place one perp order. It is not filled by this, and may be rewritten into an auction."""
    return PLACE_PERP_ORDER.build(program, _keys(program, who), (params,), remaining)


def place_spot_order(
    program: Program, who: Trader, params: OrderParams, remaining: Sequence[AccountMeta] = ()
) -> Instruction:
    """Place one spot order. Raises ``EncodeError`` on Velocity, which trades spot by swaps only."""
    return PLACE_SPOT_ORDER.build(program, _keys(program, who), (params,), remaining)


def place_orders(
    program: Program, who: Trader, params: Sequence[OrderParams], remaining: Sequence[AccountMeta] = ()
) -> Instruction:
    """Place several orders, all or none. Raises ``EncodeError`` where there are more than 32."""
    if len(params) > MAX_ORDERS:
        raise EncodeError(f"{len(params)} orders at once; a sub-account holds {MAX_ORDERS}")
    return PLACE_ORDERS.build(program, _keys(program, who), (params,), remaining)


def place_scale_orders(
    program: Program, who: Trader, params: ScaleOrderParams, remaining: Sequence[AccountMeta] = ()
) -> Instruction:
    """Place orders spread over a range of prices."""
    return PLACE_SCALE_ORDERS.build(program, _keys(program, who), (params,), remaining)


def cancel_order(
    program: Program, who: Trader, order_id: int | None = None, remaining: Sequence[AccountMeta] = ()
) -> Instruction:
    """Cancel an order; ``None`` cancels the one placed last."""
    return CANCEL_ORDER.build(program, _keys(program, who), (order_id,), remaining)


def cancel_orders(
    program: Program,
    who: Trader,
    market_type: int | None = None,
    market_index: int | None = None,
    direction: int | None = None,
    remaining: Sequence[AccountMeta] = (),
) -> Instruction:
    """Cancel every order that matches all that is given; with nothing given, every order."""
    return CANCEL_ORDERS.build(program, _keys(program, who), (market_type, market_index, direction), remaining)


def cancel_orders_by_ids(
    program: Program, who: Trader, order_ids: Sequence[int], remaining: Sequence[AccountMeta] = ()
) -> Instruction:
    """Cancel orders by their ids."""
    return CANCEL_ORDERS_BY_IDS.build(program, _keys(program, who), (order_ids,), remaining)


def cancel_order_by_user_id(
    program: Program, who: Trader, user_order_id: int, remaining: Sequence[AccountMeta] = ()
) -> Instruction:
    """Cancel an order by the id its owner gave it (1 to 255)."""
    return CANCEL_ORDER_BY_USER_ID.build(program, _keys(program, who), (user_order_id,), remaining)


def modify_order(
    program: Program,
    who: Trader,
    params: ModifyOrderParams,
    order_id: int | None = None,
    remaining: Sequence[AccountMeta] = (),
) -> Instruction:
    """Cancel an order and place it changed, under a new id; ``None`` changes the one placed last."""
    return MODIFY_ORDER.build(program, _keys(program, who), (order_id, params), remaining)


def modify_order_by_user_id(
    program: Program,
    who: Trader,
    params: ModifyOrderParams,
    user_order_id: int,
    remaining: Sequence[AccountMeta] = (),
) -> Instruction:
    """Cancel an order and place it changed, found by the id its owner gave it."""
    return MODIFY_ORDER_BY_USER_ID.build(program, _keys(program, who), (user_order_id, params), remaining)


def _keys(program: Program, who: Trader) -> tuple[Pubkey, ...]:
    return program.state, who.user, who.signer
