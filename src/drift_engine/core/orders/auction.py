"""The price of an order at a moment: along its auction, then at its limit.

A fixed auction runs from one price to another, an oracle auction from one offset to another; both end at the last.
Time is wall-clock time by slots: an auction's duration counts in units of 400 ms, and progress is milliseconds over
milliseconds, so that a program that counts slots (Drift v2, 400 ms each) and one that counts time (Velocity, whose
slots are shorter) are one rule.

Sources: ``math/auction.rs`` calculate_auction_price and is_auction_complete, ``state/user.rs`` get_limit_price,
is_resting_limit_order and has_auction_price, ``math/orders.rs`` order_satisfies_trigger_condition. Velocity:
``math/auction.rs`` auction_progress.
"""

from drift_engine.core.orders.steps import price_on_tick
from drift_engine.core.orders.terms import Order
from drift_engine.core.units import E6, tdiv

UNIT_MS = 400


class OracleNeededError(LookupError):
    """The order's price follows the oracle, whose price is not known (``OracleNotFound``)."""


def elapsed_ms(order: Order, slot: int, slot_ms: int = UNIT_MS) -> int:
    """Return the time since an order was placed, by slots of one length."""
    return (slot - order.slot) * slot_ms


def auction_complete(order: Order, elapsed: int) -> bool:
    """Return whether an order's auction is over after ``elapsed`` milliseconds; one without is always."""
    return order.auction_duration == 0 or elapsed > order.auction_duration * UNIT_MS


def auction_price_e6(
    order: Order, elapsed: int, tick_e6: int, oracle_e6: int | None, *, prediction: bool = False
) -> int:
    """Return an order's auction price after ``elapsed`` milliseconds. Raises ``OracleNeededError``."""
    whole = order.auction_duration * UNIT_MS
    price_e6 = order.auction_end_e6
    if whole:
        moved_e6 = tdiv(abs(price_e6 - order.auction_start_e6) * min(elapsed, whole), whole)
        price_e6 = order.auction_start_e6 + (moved_e6 if order.long else -moved_e6)
    if _by_oracle(order):
        price_e6 = _at_oracle(price_e6, tick_e6, oracle_e6, prediction=prediction)
    return price_on_tick(price_e6, tick_e6, long=order.long)


def limit_price_e6(
    order: Order,
    elapsed: int,
    tick_e6: int,
    oracle_e6: int | None,
    fallback_e6: int | None = None,
    *,
    prediction: bool = False,
) -> int | None:
    """Return the worst price an order takes after ``elapsed`` milliseconds, ``None`` where it takes any.

    ``fallback_e6`` stands in for a market order without a price whose auction is over. Raises ``OracleNeededError``.
    """
    if not auction_complete(order, elapsed) and (order.auction_start_e6 or order.auction_end_e6):
        return auction_price_e6(order, elapsed, tick_e6, oracle_e6, prediction=prediction)
    if order.offset_e6:
        price_e6 = _at_oracle(order.offset_e6, tick_e6, oracle_e6, prediction=prediction)
        return price_on_tick(price_e6, tick_e6, long=order.long)
    if order.price_e6:
        return order.price_e6
    return None if fallback_e6 is None else price_on_tick(fallback_e6, tick_e6, long=order.long)


def resting(order: Order, elapsed: int) -> bool:
    """Return whether an order rests in the book as a maker's."""
    return order.is_limit and (order.post_only or auction_complete(order, elapsed))


def triggers_at(order: Order, price_e6: int) -> bool:
    """Return whether a waiting order's price has come; one that was triggered waits no more."""
    if order.trigger == "above":
        return price_e6 > order.trigger_e6
    return order.trigger == "below" and price_e6 < order.trigger_e6


def _by_oracle(order: Order) -> bool:
    if order.kind == "trigger_market":
        return order.oracle_trigger
    return order.kind == "oracle" or (order.kind == "limit" and order.offset_e6 != 0)


def _at_oracle(offset_e6: int, tick_e6: int, oracle_e6: int | None, *, prediction: bool) -> int:
    if oracle_e6 is None:
        raise OracleNeededError("the order's price follows the oracle, whose price is not known")
    price_e6 = max(oracle_e6 + offset_e6, tick_e6)
    return min(price_e6, E6) if prediction else price_e6
