from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drift_engine.cli import figures


@given(st.integers(-(10**15), 10**15), st.integers(0, 6))
def test_money_is_within_half_of_its_last_place(value_e6: int, places: int) -> None:
    shown = Decimal(figures.money(value_e6, places).replace(",", ""))
    assert abs(shown - Decimal(value_e6).scaleb(-6)) <= Decimal(5).scaleb(-places - 1)


@given(st.integers(-(10**18), 10**18), st.integers(0, 10))
def test_exact_loses_nothing(value: int, decimals: int) -> None:
    assert Decimal(figures.exact(value, decimals).replace(",", "")).scaleb(decimals) == value


@given(st.integers(0, 10_000))
def test_no_health_is_shown_better_than_it_is(health_e4: int) -> None:
    shown = figures.percent(health_e4 / 10_000)
    assert int(shown.removesuffix(" %")) == health_e4 // 100


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (figures.money(None), "not known"),
        (figures.money(-1), "0.00"),
        (figures.money(1_234_567_890, sign=True), "+1,234.57"),
        (figures.money(0, 4, sign=True), "0.0000"),
        (figures.amount(-33_150_000_000, sign=True), "-33.1500"),
        (figures.percent(None), "not known"),
        (figures.percent(0.29), "29 %"),
        (figures.percent(-0.0004, 2, sign=True), "-0.04 %"),
        (figures.moment(1_744_588_800 * 10**9), "2025-04-14 00:00:00"),
        (figures.moment(0), "not known"),
        (figures.duration(0), "0 s"),
        (figures.duration(3_700), "1 h 1 m"),
        (figures.duration(86_400 * 200), "200 d"),
        (figures.counted(1, "fill"), "1 fill"),
        (figures.counted(1_372, "settlement"), "1,372 settlements"),
    ],
)
def test_figures_as_people_read_them(shown: str, expected: str) -> None:
    assert shown == expected


def test_funding_as_a_fraction_of_the_price() -> None:
    # 0.00512 quote per base and hour at a price of 151.2345: 0.0033855 % an hour, 29.66 % a year
    assert figures.hourly(5_120_000, 151_234_500) == pytest.approx(0.00512 / 151.2345)
    assert figures.yearly(5_120_000, 151_234_500) == pytest.approx(8_760 * 0.00512 / 151.2345)
    assert figures.hourly(None, 151_234_500) is None
    assert figures.yearly(5_120_000, None) is None
    assert figures.hourly(5_120_000, 0) is None


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("leverage_e4", 50_000, ("leverage", "5")),
        ("edge_e6", -1_500_000, ("edge", "-1.5")),
        ("age_slots", 3, ("age", "3 slots")),
        ("latency_ms", None, ("latency", "not known")),
        ("cooldown_ns", 1_800 * 10**9, ("cooldown", "30 m")),
        ("until_ns", 1_744_588_800 * 10**9, ("until", "2025-04-14 00:00:00")),
        ("bad_checks", 2, ("bad_checks", "2")),
        ("breach", True, ("breach", "yes")),
        ("phase", "hedged", ("phase", "hedged")),
        ("plan", None, ("plan", "not known")),
    ],
)
def test_the_unit_of_a_figure_comes_from_its_name(name: str, value: object, expected: tuple[str, str]) -> None:
    assert figures.by_name(name, value) == expected
