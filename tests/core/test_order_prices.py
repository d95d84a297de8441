"""Prices of orders along auctions and beyond: the figures of ``math/auction/tests.rs`` and ``math/orders/tests.rs``."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drift_engine.core.orders.auction import (
    OracleNeededError,
    auction_complete,
    auction_price_e6,
    elapsed_ms,
    limit_price_e6,
    resting,
    triggers_at,
)
from drift_engine.core.orders.steps import price_on_tick, size_on_step
from drift_engine.core.orders.terms import Order, OrderKind, OrderParams, Trigger
from drift_engine.core.units import E6


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [(-E6 // 10, E6 // 10, (900_000, E6, 1_100_000)), (-E6 // 5, -E6 // 10, (800_000, 850_000, 900_000)),
     (E6 // 10, E6 // 5, (1_100_000, 1_150_000, 1_200_000))],
)  # fmt: skip
def test_long_oracle_order(start: int, end: int, expected: tuple[int, int, int]) -> None:
    order = Order(kind="oracle", auction_duration=10, auction_start_e6=start, auction_end_e6=end)
    assert tuple(auction_price_e6(order, elapsed_ms(order, slot), 1, E6) for slot in (0, 5, 10)) == expected


@pytest.mark.parametrize(("long", "side", "expected"), [(True, 1, (105, 107.5, 110)), (False, -1, (95, 92.5, 90))])
def test_order_with_auction_and_oracle_price_offset(long: bool, side: int, expected: tuple[float, ...]) -> None:
    order = Order(
        kind="limit", long=long, auction_duration=10, auction_start_e6=side * 5 * E6, auction_end_e6=side * 10 * E6,
        offset_e6=side * 20 * E6,
    )  # fmt: skip
    prices = tuple(auction_price_e6(order, slot * 400, 1, 100 * E6) / E6 for slot in (0, 5, 10))
    assert prices == expected
    assert limit_price_e6(order, 4_001, 1, 100 * E6) == (100 + side * 20) * E6


@pytest.mark.parametrize("long", [True, False])
def test_same_auction_start_and_end(long: bool) -> None:
    order = Order(long=long, auction_duration=10, auction_start_e6=E6, auction_end_e6=E6)
    assert auction_price_e6(order, 2_000, 1, None) == E6
    of_oracle = Order(kind="oracle", long=long, auction_duration=10, auction_start_e6=E6 // 2, auction_end_e6=E6 // 2)
    assert auction_price_e6(of_oracle, 2_000, 1, E6) == 3 * E6 // 2
    assert auction_price_e6(Order(long=long, auction_end_e6=7), 0, 1, None) == 7


def test_shorter_slots_are_the_same_time() -> None:
    """Ten units of 400 ms are twenty slots of 200: half way after ten of them, over after twenty-one."""
    order = Order(auction_duration=10, auction_start_e6=100, auction_end_e6=200, slot=7)
    assert auction_price_e6(order, elapsed_ms(order, 17, 200), 1, None) == 150
    assert auction_price_e6(order, elapsed_ms(order, 18, 200), 1, None) == 155
    assert not auction_complete(order, elapsed_ms(order, 27, 200))
    assert auction_complete(order, elapsed_ms(order, 28, 200))


def test_what_an_order_takes_at_worst() -> None:
    market = Order(auction_duration=1, auction_start_e6=100, auction_end_e6=200)
    assert limit_price_e6(market, 400, 1, None) == 200
    assert limit_price_e6(market, 401, 1, None) is None
    assert limit_price_e6(market, 401, 10, None, 55) == 50
    assert limit_price_e6(Order(kind="limit", price_e6=77), 0, 10, None) == 77
    offset = Order(kind="limit", long=False, offset_e6=-E6)
    assert limit_price_e6(offset, 0, 10, 500) == 10
    assert limit_price_e6(Order(kind="limit", offset_e6=E6), 0, 10, E6, prediction=True) == E6
    with pytest.raises(OracleNeededError, match="oracle"):
        limit_price_e6(offset, 0, 10, None)


def test_a_fired_trigger_order_follows_the_oracle() -> None:
    fired = Order(kind="trigger_market", auction_end_e6=5, oracle_trigger=True, trigger="triggered_above")
    assert auction_price_e6(fired, 0, 1, 100) == 105
    assert auction_price_e6(Order(kind="trigger_market", auction_end_e6=5), 0, 1, 100) == 5
    assert auction_price_e6(Order(kind="trigger_limit", auction_end_e6=5), 0, 1, 100) == 5
    assert fired.triggers
    assert fired.triggered
    assert OrderParams(kind="trigger_market").triggers


@pytest.mark.parametrize(
    ("kind", "post_only", "elapsed", "rests"),
    [("limit", False, 400, False), ("limit", False, 401, True), ("limit", True, 0, True), ("market", True, 999, False),
     ("trigger_limit", False, 401, True)],
)  # fmt: skip
def test_what_rests(kind: OrderKind, post_only: bool, elapsed: int, rests: bool) -> None:
    assert resting(Order(kind=kind, post_only=post_only, auction_duration=1), elapsed) == rests


@pytest.mark.parametrize(
    ("trigger", "price", "fires"),
    [("above", 100, False), ("above", 101, True), ("below", 100, False), ("below", 99, True),
     ("triggered_above", 101, False), ("triggered_below", 99, False)],
)  # fmt: skip
def test_when_a_trigger_fires(trigger: Trigger, price: int, fires: bool) -> None:
    assert triggers_at(Order(kind="trigger_market", trigger_e6=100, trigger=trigger), price) == fires


@given(st.integers(-(10**12), 10**12), st.integers(1, 10**6))
def test_prices_are_on_the_tick(price: int, tick: int) -> None:
    bid, ask = (price_on_tick(price, tick, long=long) for long in (True, False))
    assert bid % tick == ask % tick == 0
    assert bid <= price <= ask < bid + 2 * tick


@given(st.integers(0, 10**12), st.integers(1, 10**6))
def test_sizes_are_on_the_step(size: int, step: int) -> None:
    down, up = size_on_step(size, step), size_on_step(size, step, up=True)
    assert down % step == up % step == 0
    assert down <= size <= up < down + 2 * step
