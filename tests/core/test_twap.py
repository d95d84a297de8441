"""Means over time: they move toward what they see, and no farther than a market's tier lets them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drift_engine.core.twap import new_twap, rolling_sum, sanitized, until_update_s, weighted_average


@pytest.mark.parametrize(
    ("first", "second", "weights", "expected"),
    [(5, 7, (0, 9), 7), (5, 7, (9, 0), 5), (100, 100, (1, 1), 100), (100, 0, (1, 2), 32), (0, 5, (3, 4), 3),
     (1, 0, (1, 2), 0), (10, 100, (1, 3), 78), (100, 10, (3, 1), 77)],
)  # fmt: skip
def test_the_mean_and_its_bias(first: int, second: int, weights: tuple[int, int], expected: int) -> None:
    """The bias compares the products: 3 x 100 beside 1 x 10 moves the mean of 77.5, cut to 77, up to 78."""
    assert weighted_average(first, second, *weights) == expected


@given(st.integers(1, 10**12), st.integers(1, 10**12), st.integers(0, 7_200), st.integers(1, 3_600))
def test_a_mean_stays_between(price: int, last: int, since: int, period: int) -> None:
    mean = new_twap(price, 1_000 + since, last, 1_000, period)
    assert min(price, last) - 1 <= mean <= max(price, last) + 1
    assert new_twap(price, 0, last, 10, period) == last


def test_a_sum_fades() -> None:
    assert rolling_sum(1_000, 5, 900, 3_600) == 755
    assert rolling_sum(1_000, 5, 9_000, 3_600) == 5


@pytest.mark.parametrize(("tier", "most"), [("A", 110), ("B", 120), ("C", 150), ("speculative", 133)])
def test_one_update_moves_so_far(tier: str, most: int) -> None:
    assert sanitized(10**6, 100, tier) == most
    assert sanitized(1, 100, tier) == 200 - most
    assert sanitized(101, 100, tier) == 101
    assert sanitized(7, 0, tier) == 7


@pytest.mark.parametrize(
    ("now", "last", "period", "left"),
    [(3_600, 0, 3_600, 0), (3_599, 0, 3_600, 1), (7_200, 4_000, 3_600, 0), (7_199, 4_000, 3_600, 1),
     (7_200, 5_000, 3_600, 3_600), (10_800, 5_000, 3_600, 0), (5, 4, 1, 0), (5, 4, 0, 0), (5, 4, -1, 0)],
)  # fmt: skip
def test_funding_is_updated_on_the_hour(now: int, last: int, period: int, left: int) -> None:
    """One updated more than a third late waits for the hour after the next (``on_the_hour_update``)."""
    assert until_update_s(now, last, period) == left
