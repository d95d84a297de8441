"""Is an order well formed, does it add risk, may it rest: the program's own answers, by the program's own names.

A refusal is the name of the program's error, ``None`` is consent. Both programs share these rules; only Drift v2 has
prediction markets, and Velocity refuses limit orders with an offset where its book holds them (``no_offset_limits``).

Sources: ``validation/order.rs`` validate_order and what it calls, validate_order_for_force_reduce_only,
``math/orders.rs`` is_new_order_risk_increasing and calculate_base_asset_amount_to_fill_up_to_limit_price.
"""

from collections.abc import Iterator

from drift_engine.core.orders.auction import limit_price_e6
from drift_engine.core.orders.maker import Maker, fills_up_to_e9, liquidity_e9
from drift_engine.core.orders.steps import size_on_step
from drift_engine.core.orders.terms import Order
from drift_engine.core.types import PerpPosition, PerpSpec
from drift_engine.core.units import E6, tdiv


def validate_order(
    order: Order, spec: PerpSpec, maker: Maker | None, oracle_e6: int, *, no_offset_limits: bool = False
) -> str | None:
    """Return the program's error for an order at the moment it is placed, ``None`` where it is well formed.

    ``maker`` is the vAMM that a post-only order must not trade with, ``None`` where it is paused.
    """
    return next(_refusals(order, spec, maker, oracle_e6, no_offset_limits=no_offset_limits), None)


def _refusals(
    order: Order, spec: PerpSpec, maker: Maker | None, oracle_e6: int, *, no_offset_limits: bool
) -> Iterator[str]:
    small_too = order.reduce_only or (order.kind == "limit" and order.jit_maker)
    yield from _size(order, spec, small_too=small_too)
    if order.kind == "limit":
        if no_offset_limits and order.offset_e6:
            yield "InvalidOrderOracleOffset"
        yield from _limit(order, spec, maker, oracle_e6)
    elif order.triggers:
        yield from _trigger(order)
    else:
        yield from _taking(order)
    prices_e6 = (order.price_e6, order.auction_start_e6, order.auction_end_e6, order.offset_e6)
    if spec.contract == "prediction" and max(map(abs, prices_e6)) > E6:
        yield "InvalidPredictionMarketOrder"


def _size(order: Order, spec: PerpSpec, *, small_too: bool) -> Iterator[str]:
    if order.base_e9 == 0:
        yield "InvalidOrderSizeTooSmall"
    if order.base_e9 % spec.step_e9:
        yield "InvalidOrderNotStepSizeMultiple"
    if order.base_e9 < spec.min_order_e9 and not small_too:
        yield "InvalidOrderMinOrderSize"


def _taking(order: Order) -> Iterator[str]:
    """Judge market and oracle orders."""
    of_oracle = order.kind == "oracle"
    yield from _auction(order, of_oracle=of_oracle)
    if order.trigger_e6:
        yield "InvalidOrderTrigger"
    if order.post_only:
        yield "InvalidOrderPostOnly"
    if of_oracle and order.price_e6:
        yield "InvalidOrderLimitPrice"
    if not of_oracle and order.offset_e6:
        yield "InvalidOrderOracleOffset"
    if order.immediate:
        yield "InvalidOrderIOC"


def _limit(order: Order, spec: PerpSpec, maker: Maker | None, oracle_e6: int) -> Iterator[str]:
    if (order.price_e6 == 0) == (order.offset_e6 == 0):
        yield "InvalidOrderLimitPrice"
    if order.trigger_e6:
        yield "InvalidOrderTrigger"
    if order.post_only:
        if order.auction_duration:
            yield "InvalidOrder"
        if not order.jit_maker and maker is not None:
            yield from _post_only(order, spec, maker, oracle_e6)
    if order.auction_duration:
        yield from _auction(order, of_oracle=order.offset_e6 != 0)
    elif order.auction_start_e6 or order.auction_end_e6:
        yield "InvalidOrder"


def _trigger(order: Order) -> Iterator[str]:
    if order.triggered:
        yield "InvalidTriggerOrderCondition"
    if (order.price_e6 == 0) == (order.kind == "trigger_limit"):
        yield "InvalidOrderLimitPrice"
    if order.trigger_e6 == 0:
        yield "InvalidOrderTrigger"
    if order.post_only:
        yield "InvalidOrderPostOnly"
    if order.offset_e6:
        yield "InvalidOrderOracleOffset"


def _auction(order: Order, *, of_oracle: bool) -> Iterator[str]:
    """Judge an auction between offsets, or between prices, which must not be 0 and not be beyond the limit."""
    start_e6, end_e6, side = order.auction_start_e6, order.auction_end_e6, 1 if order.long else -1
    limit_e6 = order.offset_e6 if of_oracle else order.price_e6
    if not of_oracle and (start_e6 == 0 or end_e6 == 0 or (order.kind == "market" and min(start_e6, end_e6) < 0)):
        yield "InvalidOrderAuction"
    if not of_oracle and limit_e6 and end_e6 < 0 and start_e6 * side <= end_e6 * side:
        yield "CastingFailure"
    if start_e6 * side > end_e6 * side or (limit_e6 and end_e6 * side > limit_e6 * side):
        yield "InvalidOrderAuction"


def _post_only(order: Order, spec: PerpSpec, maker: Maker, oracle_e6: int) -> Iterator[str]:
    """Refuse a post-only order that would trade with the vAMM at once, at a price not better than the oracle."""
    price_e6 = limit_price_e6(order, 0, spec.tick_e6, oracle_e6, prediction=spec.contract == "prediction") or 0
    inside_e6 = price_e6 - spec.tick_e6 if order.long else price_e6 + spec.tick_e6
    if inside_e6 <= 0:
        yield "InvalidOrderLimitPrice"
    fills_e9 = min(order.base_e9 - order.filled_e9, fills_up_to_e9(maker, max(1, inside_e6), long=order.long))
    better = price_e6 < oracle_e6 if order.long else price_e6 > oracle_e6
    if size_on_step(fills_e9, spec.step_e9) and not better:
        yield "PlacePostOnlyLimitFailure"


def risk_increasing(order: Order, position: PerpPosition) -> bool:
    """Return whether an order could make a position larger, with the orders on its side that are open already."""
    if order.reduce_only:
        return False
    if order.long:
        return position.base_e9 >= 0 or position.open_bids_e9 + order.base_e9 > -position.base_e9
    return position.base_e9 <= 0 or abs(position.open_asks_e9 - order.base_e9) > position.base_e9


def only_reduces(order: Order, held_e9: int) -> str | None:
    """Return the program's error for an order in a market that takes only reduce-only orders."""
    closing = held_e9 != 0 and order.long == (held_e9 < 0)
    return None if order.reduce_only and closing else "InvalidOrderNotRiskReducing"


def unfilled_e9(order: Order, held_e9: int | None = None) -> int:
    """Return what is left of an order; with what is held, as much as a reduce-only order may still trade.

    Source: ``state/user.rs`` get_base_asset_amount_unfilled.
    """
    left_e9 = order.base_e9 - order.filled_e9
    if held_e9 is None or not order.reduce_only:
        return left_e9
    return min(left_e9, abs(held_e9)) if order.long == (held_e9 < 0) else 0


def maker_fill_e9(
    order: Order, spec: PerpSpec, maker: Maker, limit_e6: int | None, held_e9: int, rebate: tuple[int, int] = (0, 1)
) -> int:
    """Return how much of an order the vAMM would fill now, given its limit at the moment and what is held.

    A post-only order leaves room for its rebate, a fraction of the price. Source: ``math/orders.rs``
    calculate_base_asset_amount_for_amm_to_fulfill.
    """
    if order.triggers and not order.triggered:
        return 0
    left_e9 = unfilled_e9(order, held_e9)
    if limit_e6 is not None:
        room_e6 = spec.tick_e6 + (_rebate_e6(limit_e6, rebate, spec.fee_adjustment_pct) if order.post_only else 0)
        price_e6 = limit_e6 - room_e6 if order.long else limit_e6 + room_e6
        left_e9 = min(left_e9, fills_up_to_e9(maker, price_e6, long=order.long) if price_e6 > 0 else 0)
    return min(size_on_step(left_e9, spec.step_e9), liquidity_e9(maker, spec.step_e9, long=order.long))


def _rebate_e6(price_e6: int, rebate: tuple[int, int], adjustment_pct: int) -> int:
    room_e6 = price_e6 * rebate[0] // rebate[1]
    return room_e6 + tdiv(room_e6 * adjustment_pct, 100)
