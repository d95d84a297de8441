"""Columns of history: bounded, and no trough gets lost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drift_engine.dashboard.series import Series

VALUES = st.one_of(st.none(), st.floats(-1e6, 1e6))


@given(st.lists(VALUES, min_size=1, max_size=200), st.integers(1, 40))
def test_extremes_and_the_end_survive_merging(values: list[float | None], points: int) -> None:
    series = Series(("a",), 10, limit=16)
    for at, value in enumerate(values):
        series.add(at * 7, (value,))
    times, rows, width_ns = series.columns(("a",), None, None, points)
    assert len(times) <= min(16, points)
    assert width_ns % 10 == 0
    assert times[-1] == (len(values) - 1) * 7
    assert rows[-1][0][0] == values[-1]
    known = [value for value in values if value is not None]
    lows, highs = [row[0][1] for row in rows], [row[0][2] for row in rows]
    assert min((low for low in lows if low is not None), default=None) == min(known, default=None)
    assert max((high for high in highs if high is not None), default=None) == max(known, default=None)


def test_a_window_and_some_figures() -> None:
    series = Series(("a", "b"), 1)
    for at in range(100):
        series.add(at, (float(at), -float(at)))
    times, rows, _ = series.columns(("b",), 10, 19, 100)
    assert times == list(range(10, 20))
    assert rows[0] == [(-10.0, -10.0, -10.0)]
    assert series.columns(("b", "a"), 200, None, 5) == ([], [], 1)


@pytest.mark.parametrize("points", [1, 2, 7])
def test_few_points(points: int) -> None:
    series = Series(("a",), 1)
    for at in range(1_000):
        series.add(at, (float(at % 13),))
    times, rows, _ = series.columns(("a",), None, None, points)
    assert 1 <= len(times) <= points
    assert rows[0][0][1:] == (0.0, 12.0)
