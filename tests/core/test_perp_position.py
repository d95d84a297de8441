"""Perp positions against the figures of the program's tests (``controller/position/tests.rs``)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drift_engine.core.perp_position import after_quote, after_settlement, after_trade, claimable_e6, with_open
from drift_engine.core.types import PerpPosition
from drift_engine.core.units import E6, E9

Figures = tuple[int, int, int, int]


@pytest.mark.parametrize(
    ("held", "base", "quote", "after"),
    [
        ((0, 0, 0, 0), 1, -1, (1, -1, -1, -1)),
        ((0, 0, 0, 0), -1, 1, (-1, 1, 1, 1)),
        ((1, -1, -1, -2), 1, -1, (2, -2, -2, -3)),
        ((-1, 1, 1, 2), -1, 1, (-2, 2, 2, 3)),
        ((10, -10, -10, -12), -1, 5, (9, -5, -9, -11)),
        ((10, -100, -100, -200), -1, 5, (9, -95, -90, -180)),
        ((10, -10, -10, -12), -11, 22, (-1, 12, 2, 2)),
        ((10, -10, -10, -12), -11, 10, (-1, 0, 1, 1)),
        ((-10, 100, 100, 200), 1, -5, (-9, 95, 90, 180)),
        ((-10, 100, 100, 200), 1, -15, (-9, 85, 90, 180)),
        ((-10, 100, 100, 200), 11, -60, (1, 40, -6, -6)),
        ((-10, 100, 100, 200), 11, -120, (1, -20, -11, -11)),
        ((10, -10, -10, -12), -10, 15, (0, 5, 0, 0)),
        ((10, -10, -10, -12), -10, 5, (0, -5, 0, 0)),
        ((-10, 10, 10, 12), 10, -5, (0, 5, 0, 0)),
        ((-10, 10, 10, 12), 10, -15, (0, -5, 0, 0)),
        ((10, -10, -8, -9), -10, 5, (0, -5, 0, 0)),
        ((-10, 10, 15, 17), 10, -15, (0, -5, 0, 0)),
    ],
    ids=[
        "increase_long_from_no_position", "increase_short_from_no_position", "increase_long", "increase_short",
        "reduce_long_profitable", "reduce_long_unprofitable", "flip_long_to_short_profitable",
        "flip_long_to_short_unprofitable", "reduce_short_profitable", "decrease_short_unprofitable",
        "flip_short_to_long_profitable", "flip_short_to_long_unprofitable", "close_long_profitable",
        "close_long_unprofitable", "close_short_profitable", "close_short_unprofitable",
        "close_long_with_break_even_below_quote", "close_short_with_break_even_above_quote",
    ],
)  # fmt: skip
def test_after_trade(held: Figures, base: int, quote: int, after: Figures) -> None:
    """(base, quote, entry, break-even) before and after."""
    position = after_trade(PerpPosition("SOL-PERP", *held, funding_cursor_e9=1), base, quote)
    assert position == PerpPosition("SOL-PERP", *after, funding_cursor_e9=1)


def test_quote_without_base_is_a_fee_or_funding() -> None:
    position = PerpPosition("SOL-PERP", 5, -50, -45, -48)
    assert after_trade(position, 0, -3) == after_quote(position, -3) == PerpPosition("SOL-PERP", 5, -53, -45, -51)


def test_settlement_moves_the_quote_alone() -> None:
    position = after_settlement(PerpPosition("SOL-PERP", 5, -50, -45, -48, settled_e6=2), 7)
    assert position == PerpPosition("SOL-PERP", 5, -57, -45, -48, settled_e6=9)


def test_open_orders_add_up() -> None:
    position = with_open(with_open(PerpPosition("SOL-PERP"), 5, 0, 1), 2, -3, 1)
    assert position == PerpPosition("SOL-PERP", open_bids_e9=7, open_asks_e9=-3, open_orders=2)


amounts = st.integers(-(10**15), 10**15)


@given(st.lists(st.tuples(amounts, amounts), max_size=8))
def test_base_and_quote_are_sums_and_a_flat_position_has_no_entry(trades: list[tuple[int, int]]) -> None:
    position = PerpPosition("SOL-PERP")
    for base, quote in trades:
        position = after_trade(position, base, quote)
        if position.base_e9 == 0 and base:
            assert position.quote_entry_e6 == position.quote_break_even_e6 == 0
    assert position.base_e9 == sum(base for base, _ in trades)
    assert position.quote_e6 == sum(quote for _, quote in trades)


@given(amounts.filter(bool), st.integers(1, 10**15), st.integers(1, 10**15))
def test_a_reduction_keeps_the_entry_price(base: int, entry: int, part: int) -> None:
    """What is left of the entry is its share of what was held, to the unit, away from zero."""
    side = 1 if base > 0 else -1
    part = min(part, abs(base))
    left = after_trade(PerpPosition("SOL-PERP", base, 0, -side * entry, -side * entry), -side * part, 0)
    assert abs(left.quote_entry_e6) == -((-entry * (abs(base) - part)) // abs(base))
    assert left.quote_entry_e6 * side <= 0


@given(
    st.integers(-50, 50),
    st.integers(-9_999, 9_999),
    st.integers(-60, 60),
    st.integers(-9_999, 9_999),
    st.integers(-9, 9),
)
def test_a_fee_of_the_trade_is_a_fee_after_it(held: int, quote: int, base: int, paid: int, fee: int) -> None:
    before = PerpPosition("SOL-PERP", held, quote, quote // 2, quote // 3)
    assert after_trade(before, base, paid, fee) == after_quote(after_trade(before, base, paid), -fee)


def test_what_may_be_settled() -> None:
    """A loss whole; of a profit what was realised, and what the pool has beyond (``get_claimable_pnl``)."""
    held = PerpPosition("SOL-PERP", E9, -90 * E6, quote_entry_e6=-95 * E6)
    assert claimable_e6(held, 80 * E6) == -10 * E6
    assert claimable_e6(held, 92 * E6) == 2 * E6
    assert claimable_e6(held, 100 * E6) == 5 * E6
    assert claimable_e6(held, 100 * E6, 3 * E6) == 8 * E6
    assert claimable_e6(held, 100 * E6, -3 * E6) == 5 * E6
