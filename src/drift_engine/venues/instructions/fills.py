"""Filling: taking at once, making against a taker, triggering, and filling others' orders.

Source: ``instructions/user.rs`` (place_and_take, place_and_make) and ``keeper.rs`` (fill, trigger, force_cancel) of
both programs. The perp market that is traded stands writable in ``remaining``; behind the maps come makers and referrer
as pairs of User and UserStats, then the taker's revenue-share escrow where its order carries a builder code.
"""

from collections.abc import Sequence

from solders.instruction import AccountMeta, Instruction

from drift_engine.venues.errors import EncodeError
from drift_engine.venues.instructions.call import Call
from drift_engine.venues.instructions.trader import Trader
from drift_engine.venues.program import Program
from drift_engine.venues.wire.order_enums import SuccessCondition
from drift_engine.venues.wire.order_params import OrderParams

_KEEPER = "state authority! filler* user*"
PLACE_AND_TAKE_PERP_ORDER = Call(
    "place_and_take_perp_order",
    "state user* user_stats* authority!",
    "params OrderParams, success_condition option<u32>",
)
PLACE_AND_MAKE_PERP_ORDER = Call(
    "place_and_make_perp_order",
    "state user* user_stats* taker* taker_stats* authority!",
    "params OrderParams, taker_order_id u32",
)
FILL_PERP_ORDER = Call(
    "fill_perp_order",
    "state authority! filler* filler_stats* user* user_stats*",
    "order_id option<u32>, maker_order_id option<u32>",
)
TRIGGER_ORDER = Call("trigger_order", _KEEPER, "order_id u32")
TRIGGER_ORDER_WITH_STATS = Call("trigger_order", _KEEPER + " user_stats*", "order_id u32")
FORCE_CANCEL_ORDERS = Call("force_cancel_orders", _KEEPER)


def success_condition(condition: SuccessCondition | None = None, auction_percent: int | None = None) -> int | None:
    """Return ``optional_params`` of a taking order: the condition, and how much of the auction counts as passed.

    Bits 0 to 7: the condition; bits 8 to 15: percent, 100 where it is not given (``parse_optional_params``). ``None``
    asks for nothing. Raises ``EncodeError`` where the percentage is not within 0 to 100.
    """
    if condition is None and auction_percent is None:
        return None
    percent = 100 if auction_percent is None else auction_percent
    if not 0 <= percent <= 100:
        raise EncodeError(f"auction_percent = {percent} is not within 0 to 100")
    return percent << 8 | (condition or 0)


def place_and_take_perp_order(
    program: Program,
    who: Trader,
    params: OrderParams,
    optional_params: int | None = None,
    remaining: Sequence[AccountMeta] = (),
) -> Instruction:
    """Place an order and fill it at once against makers and the AMM. ``optional_params``: ``success_condition()``."""
    keys = (program.state, who.user, who.user_stats, who.signer)
    return PLACE_AND_TAKE_PERP_ORDER.build(program, keys, (params, optional_params), remaining)


def place_and_make_perp_order(
    program: Program,
    who: Trader,
    params: OrderParams,
    taker: Trader,
    taker_order_id: int,
    remaining: Sequence[AccountMeta] = (),
) -> Instruction:
    """Place a post-only order and fill the taker's order with it. Gone in Velocity's order-book builds."""
    keys = (program.state, who.user, who.user_stats, taker.user, taker.user_stats, who.signer)
    return PLACE_AND_MAKE_PERP_ORDER.build(program, keys, (params, taker_order_id), remaining)


def fill_perp_order(
    program: Program,
    filler: Trader,
    taker: Trader,
    order_id: int | None,
    remaining: Sequence[AccountMeta] = (),
) -> Instruction:
    """Fill another's order for the filler's reward; ``None`` fills the one placed last."""
    keys = (program.state, filler.signer, filler.user, filler.user_stats, taker.user, taker.user_stats)
    return FILL_PERP_ORDER.build(program, keys, (order_id, None), remaining)


def trigger_order(
    program: Program,
    filler: Trader,
    owner: Trader,
    order_id: int,
    remaining: Sequence[AccountMeta] = (),
    *,
    stats: bool = False,
) -> Instruction:
    """Trigger an order whose condition holds.

    ``stats`` adds the owner's UserStats, as Velocity's newest builds want it. Off by default, as the published IDL has
    it: which build is deployed is not known here, and a build that does not expect the account takes it for a map.
    """
    keys = (program.state, filler.signer, filler.user, owner.user)
    if stats:
        return TRIGGER_ORDER_WITH_STATS.build(program, (*keys, owner.user_stats), (order_id,), remaining)
    return TRIGGER_ORDER.build(program, keys, (order_id,), remaining)


def force_cancel_orders(
    program: Program, filler: Trader, owner: Trader, remaining: Sequence[AccountMeta] = ()
) -> Instruction:
    """Cancel the orders of an account that no longer meets its initial margin."""
    return FORCE_CANCEL_ORDERS.build(program, (program.state, filler.signer, filler.user, owner.user), (), remaining)
