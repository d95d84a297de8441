"""Funding rates and payments: the program's tests, every real row, and the two protocols' rules."""

import csv
import gzip
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drift_engine.core.funding import (
    Imbalance,
    payment_e6,
    rate_drift_e9,
    rate_velocity_e9,
    rates_e9,
    spare_drift_e6,
    spare_velocity_e6,
)
from drift_engine.core.units import E6, E9, parse_scaled

HISTORY = Path(os.environ.get("DRIFT_SHARED") or Path(__file__).parents[2] / "../shared") / "data" / "drift"


def rows(market: str) -> Iterator[tuple[int, int, int]]:
    """Rate, mark TWAP and oracle TWAP of each hour."""
    path = HISTORY / f"{market}_funding_1h.csv.gz"
    if not path.exists():
        pytest.skip(f"the funding history is not here: {path.name} under {HISTORY}")
    with gzip.open(path, "rt") as lines:
        for row in csv.DictReader(lines):
            twaps = parse_scaled(row["markPriceTwap"], 6), parse_scaled(row["oraclePriceTwap"], 6)
            yield parse_scaled(row["fundingRate"], 9), *twaps


@pytest.mark.parametrize("market", ["SOL-PERP", "BTC-PERP"])
def test_every_real_hour(market: str) -> None:
    hours = list(rows(market))
    assert len(hours) == 4_824
    wrong = [hour for hour in hours if rate_drift_e9(hour[1], hour[2], "B") != hour[0]]
    assert wrong == []


@pytest.mark.parametrize(("market", "received"), [("SOL-PERP", 2_453_931), ("BTC-PERP", -4_343_141_327)])
def test_what_one_base_receives_over_the_history(market: str, received: int) -> None:
    """Long one base over every hour but the first, each payment truncated (``definitions``, Funding and PnL)."""
    assert sum(payment_e6(rate, E9) for rate, _, _ in list(rows(market))[1:]) == received


def test_the_program_s_own_rate() -> None:
    """unsettled_funding_pnl: a mark TWAP of 47.629736 against an oracle TWAP of 51."""
    assert rate_drift_e9(47_629_736, 51 * E6, "other") == -140_002_666


@pytest.mark.parametrize(("tier", "cap"), [("A", 1_484_848), ("B", 1_484_848), ("C", 2_450_000), ("other", 4_900_000)])
def test_the_spread_is_capped_by_tier(tier: str, cap: int) -> None:
    """max_funding_rates: 4.9 and 1.484848 of an oracle TWAP of 49; a twentieth in tier C."""
    assert rate_drift_e9(100 * E6, 49 * E6, tier) == cap * 1_000 // 24
    assert rate_drift_e9(1 * E6, 49 * E6, tier) == -(cap * 1_000 // 24)


def test_velocity_s_rate() -> None:
    """At 100: offset 0.030003; inside 5 bps nothing more; beyond, twice what is beyond."""

    def rate(mark: int) -> int:
        return rate_velocity_e9(mark, 100 * E6, "A", clamp_bps=5, ramp_slope_e6=2 * E6)

    assert rate(100 * E6) == rate(100_050_000) == rate(99_950_000) == 30_003 * 1_000 // 24
    assert rate(100_060_000) == (20_000 + 30_003) * 1_000 // 24
    assert rate(99_900_000) == -((100_000 - 30_003) * 1_000 // 24)
    assert rate(110 * E6) == 3_030_303 * 1_000 // 24


@pytest.mark.parametrize(
    ("rate", "base", "payment"),
    [(E9, E9, -E6), (E9, -E9, E6), (-E9, E9, E6), (-E9, -E9, -E6), (1_999, E9, -1), (-1_999, E9, 1), (999, E9, 0),
     (0, E9, 0), (E9, 0, 0)],
)  # fmt: skip
def test_longs_pay_a_positive_rate_and_payments_truncate(rate: int, base: int, payment: int) -> None:
    assert payment_e6(rate, base) == payment


amounts = st.integers(-(10**15), 10**15)


@given(amounts, amounts)
def test_one_side_receives_what_the_other_pays(rate: int, base: int) -> None:
    assert payment_e6(rate, base) == -payment_e6(rate, -base) == -payment_e6(-rate, base)
    assert abs(payment_e6(rate, base)) <= abs(rate * base) // 10**12


@given(st.integers(1, 10**12), st.integers(1, 10**12), st.sampled_from("ABCD"))
def test_the_rate_never_passes_the_cap(mark: int, oracle: int, tier: str) -> None:
    cap = oracle // {"A": 33, "B": 33, "C": 20}.get(tier, 10)
    assert abs(rate_drift_e9(mark, oracle, tier)) <= cap * 1_000 // 24
    assert abs(rate_velocity_e9(mark, oracle, tier, clamp_bps=10, ramp_slope_e6=E6)) <= cap * 1_000 // 24


def test_capped_sym_funding() -> None:
    """``capped_sym_funding_test``: a third of a fee pool of 0.25 pays shorts beyond what longs give."""
    spare = spare_drift_e6(500_000, 500_000, 0, 0)
    base = 12_295_081_967
    assert spare == 83_333
    assert rates_e9(41_666_666, Imbalance(base, -base * 2, -base, spare)) == (41_666_666, 24_222_164)
    assert rates_e9(41_666_666, Imbalance(base * 2, -base, base, spare)) == (41_666_666, 41_666_666)
    assert rates_e9(41_666_666, Imbalance(base, -base * 2, -base, 10**6)) == (41_666_666, 41_666_666)


def test_the_receiving_side_is_capped_either_way() -> None:
    long, short = rates_e9(-(10**9), Imbalance(2 * E9, -E9, E9, 0))
    assert short == -(10**9)
    assert -(10**9) < long < 0
    assert rates_e9(10**9, Imbalance(E9, 0, -E9, 0)) == (10**9, 0)


def test_what_a_maker_can_spare() -> None:
    assert [spare_velocity_e6(profit) for profit in (-5, 0, 8, 9)] == [0, 0, 2, 3]
    assert spare_drift_e6(100, 100, 20, 10) == 13
    assert spare_drift_e6(10, 100, 0, 0) == 0
