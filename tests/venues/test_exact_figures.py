"""Decimal text and integers, in both directions, without loss."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drift_engine.venues.figures import FigureError, at_least, exact, human, nearest, parse, within
from drift_engine.venues.http import InvalidRequestError

AMOUNTS = st.integers(min_value=-(2**70), max_value=2**70)
DECIMALS = st.integers(min_value=0, max_value=12)


@given(AMOUNTS, DECIMALS)
def test_text_and_integer_round_trip(amount: int, decimals: int) -> None:
    text = human(amount, decimals)
    assert parse(text, decimals, "x") == amount
    assert exact(Decimal(text), decimals) == amount
    assert "e" not in text.lower()
    assert not ("." in text and text.endswith(("0", ".")))


@given(AMOUNTS, DECIMALS, st.integers(min_value=1, max_value=9))
def test_one_digit_too_many_is_refused(amount: int, decimals: int, digit: int) -> None:
    text = f"{human(amount, 0)}.{'0' * decimals}{digit}"
    with pytest.raises(InvalidRequestError, match=f"more than {decimals} decimals"):
        parse(text, decimals, "amount")
    with pytest.raises(FigureError):
        exact(Decimal(text), decimals)


@given(st.integers(min_value=0, max_value=2**53 // 1000), st.integers(min_value=0, max_value=9))
def test_an_integer_survives_the_servers_floats(units: int, decimals: int) -> None:
    """``convertToNumber`` of the SDK: whole part plus fraction in binary floating point, printed by JSON."""
    whole, rest = divmod(units, 10**decimals)
    printed = repr(whole + rest / 10**decimals)
    assert nearest(Decimal(printed), decimals) == units


@pytest.mark.parametrize(
    "text", ["", "-", ".", "1.", ".5", "1e5", "1_0", " 1", "1 ", "NaN", "inf", "+1", "0x1", "１", "1" * 41]
)
def test_only_plain_decimals_are_numbers(text: str) -> None:
    with pytest.raises(InvalidRequestError, match="write it like"):
        parse(text, 6, "price")


@pytest.mark.parametrize("text", ["NaN", "sNaN", "Infinity", "-Infinity", "1e41", "1e999999999", "9" * 5000])
@pytest.mark.parametrize("read", [exact, nearest, at_least])
def test_monsters_are_no_amounts(read: type, text: str) -> None:
    with pytest.raises(FigureError, match="no amount"):
        read(Decimal(text), 6)


def test_tiny_and_empty_figures() -> None:
    assert exact(Decimal("0E+999999"), 6) == 0
    assert exact(Decimal("-0.000"), 6) == 0
    assert at_least(Decimal("1e-999999"), 9) == 0
    with pytest.raises(FigureError):
        exact(Decimal("1e-999999"), 9)


def test_lamports_of_the_tip_floor_as_jito_prints_them() -> None:
    """The sample of Jito's documentation (tip_floor): noise is dropped, a real fraction rounds up."""
    printed = [
        "6.001000000000001e-06",
        "1e-05",
        "3.6196500000000005e-05",
        "0.0014479055000000002",
        "9.836078125000002e-06",
    ]
    assert [at_least(Decimal(text), 9) for text in printed] == [6001, 10000, 36197, 1447906, 9837]


def test_nearest_refuses_what_was_never_an_integer() -> None:
    with pytest.raises(FigureError):
        nearest(Decimal("1.0000005"), 6)


def test_bounds() -> None:
    assert within(5, 5, 5, "x") == 5
    with pytest.raises(InvalidRequestError, match="price 6 does not fit: the protocol takes 0 to 5"):
        within(6, 0, 5, "price")
