"""Scales and rounding: truncation toward zero, and no digit lost in silence."""

from decimal import Decimal
from fractions import Fraction
from math import ceil, floor, trunc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drift_engine.core import units

numbers = st.integers(-(10**30), 10**30)
positive = st.integers(1, 10**15)


@given(st.integers(0, 10**20), st.integers(0, 10**15), positive)
def test_lowest_terms_round_down_to_the_same(amount: int, numerator: int, denominator: int) -> None:
    over, under = units.lowest_terms(numerator, denominator)
    assert Fraction(over, under) == Fraction(numerator, denominator)
    assert amount * over // under == amount * numerator // denominator
    assert units.lowest_terms(over, under) == (over, under)


@given(numbers, positive)
def test_division(numerator: int, denominator: int) -> None:
    exact = Fraction(numerator, denominator)
    assert units.tdiv(numerator, denominator) == trunc(exact)
    assert units.ceil_div(numerator, denominator) == ceil(exact)
    assert units.floor_div(numerator, denominator) == floor(exact)


@given(numbers, st.integers(0, 10**15))
def test_notional(base: int, price: int) -> None:
    assert units.notional_e6(base, price) == trunc(Fraction(base * price, 10**9))


@given(numbers, positive)
def test_steps(amount: int, step: int) -> None:
    floored, ceiled = units.floor_to_step(amount, step), units.ceil_to_step(amount, step)
    assert floored % step == ceiled % step == 0
    assert abs(floored) <= abs(amount) <= abs(ceiled) < abs(amount) + step
    assert abs(floored) > abs(amount) - step
    assert floored * amount >= 0
    assert ceiled * amount >= 0


@given(numbers, st.integers(0, 18), st.integers(0, 18))
def test_rescale(amount: int, before: int, after: int) -> None:
    assert units.rescale(amount, before, after) == trunc(Fraction(amount * 10**after, 10**before))


@given(numbers, st.integers(0, 18))
def test_text_and_back(amount: int, decimals: int) -> None:
    assert units.parse_scaled(units.show_scaled(amount, decimals), decimals) == amount


@pytest.mark.parametrize(
    ("text", "decimals", "figure"),
    [
        ("1.25", 6, 1_250_000),
        ("-0.000001", 6, -1),
        (3, 9, 3 * 10**9),
        (Decimal("1e-3"), 3, 1),
        ("1.2500000", 2, 125),
        ("9e31", 6, 9 * 10**37),
        ("0e999999999", 6, 0),
        ("-0e-999999999", 6, 0),
    ],
)
def test_parse(text: str | int | Decimal, decimals: int, figure: int) -> None:
    assert units.parse_scaled(text, decimals) == figure


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a lot", "not a number"),
        ("1_0", "not a number"),
        ("\u0661", "not a number"),
        ("x" * 10_000, "^'x{50,60} is not a number"),
        ("nan", "finite"),
        ("inf", "finite"),
        ("0.0000001", "more than 6"),
        (f"1.{'0' * 40}1", "more than 6"),
        ("1e-999999999", "more than 6"),
        ("1e999999999", "too large"),
        ("-1e32", "too large"),
        ("1e75", "'1e75' is too large"),
        ("-1e999999999", "too large"),
        ("1e999999999999999999", "too large"),
    ],
)
def test_parse_refuses(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        units.parse_scaled(text, 6)


def test_show() -> None:
    assert units.show_scaled(1_250_000, 6) == "1.250000"
    assert units.show_scaled(-1, 6) == "-0.000001"
    assert [units.show_base(amount) for amount in (0, 10**10, -1_500_000_000, 1)] == ["0", "10", "-1.5", "0.000000001"]
    assert units.show_scaled(7, 0) == "7"
