"""The join on event time: when each figure is known, what stands in for what, and what is reported."""

from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from market_files import (
    CANDLES,
    FUNDING,
    FUNDING_FILE,
    HOUR,
    LENDING,
    NS,
    PERP_FILE,
    SOL_RATES,
    SPOT_FILE,
    T0,
    USDC_RATES,
    candles,
    funding,
    lending,
    small_directory,
    write,
)

from drift_engine.simulation.rows import Row
from drift_engine.simulation.timeline import DataError, RowKind, Timeline, load_timeline

FROM, TO = T0 * NS, (T0 + 3 * HOUR) * NS


def rows(timeline: Timeline, kind: int | None = None, market: str | None = None) -> list[Row]:
    names = timeline.markets
    found = [row for chunk in timeline.chunks() for row in chunk.rows()]
    return [row for row in found if kind in (None, row[1]) and market in (None, names[row[2]])]


def load(root: Path, mark: Literal["drift", "binance"] = "drift") -> Timeline:
    return load_timeline(root, "SOL-PERP", FROM, TO, spots=("SOL",), mark=mark)


def test_the_first_moment_in_full(tmp_path: Path) -> None:
    timeline = load(small_directory(tmp_path))
    assert timeline.markets == ("SOL-PERP", "USDC", "SOL")
    assert rows(timeline)[:7] == [
        (FROM, RowKind.FUNDING, 0, 100_000, 101_000_000, 100_000_000, 0),
        (FROM, RowKind.INTEREST, 1, 97_160, 123_258, 0, 0),
        (FROM, RowKind.INTEREST, 2, 44_701, 123_258, 0, 0),
        (FROM, RowKind.PRICE, 0, 100_001_000, 101_001_010, 100_000_000, 0),
        (FROM, RowKind.PRICE, 2, 100_001_000, 100_001_000, 100_000_000, 1),
        (FROM + 300 * NS, RowKind.PRICE, 0, 100_002_000, 101_002_020, 100_001_000, 0),
        (FROM + 300 * NS, RowKind.PRICE, 2, 100_002_000, 100_002_000, 100_001_000, 1),
    ]


def test_a_window_is_half_open_in_the_time_of_knowledge(tmp_path: Path) -> None:
    timeline = load(small_directory(tmp_path))
    prices = rows(timeline, RowKind.PRICE, "SOL-PERP")
    assert (prices[0][0], prices[-1][0], len(prices)) == (FROM, TO - 300 * NS, 36)
    assert (timeline.first_ns, timeline.last_ns, timeline.length) == (FROM, TO - 300 * NS, len(rows(timeline)))
    assert timeline.gaps == ()


def test_the_mark_follows_the_row_settled_last(tmp_path: Path) -> None:
    prices = rows(load(small_directory(tmp_path)), RowKind.PRICE, "SOL-PERP")
    marks = {(row[0] - FROM) // NS: (row[3], row[4]) for row in prices}
    oracle, mark = marks[HOUR]  # the second row is settled 7 s later
    assert mark == oracle * 101 // 100
    oracle, mark = marks[HOUR + 300]
    assert mark == oracle * 99 // 100
    oracle, mark = marks[2 * HOUR + 300]
    assert mark == oracle * 100_500_001 // 100_000_003


def test_before_any_settled_row_the_mark_is_the_oracle_and_that_is_said(tmp_path: Path) -> None:
    write(small_directory(tmp_path), FUNDING_FILE, FUNDING, [funding(T0 + HOUR + 7, "0.0002", "100", "99")])
    timeline = load(tmp_path)
    prices = rows(timeline, RowKind.PRICE, "SOL-PERP")
    assert all(row[3] == row[4] for row in prices[:13])
    assert prices[13][4] == prices[13][3] * 99 // 100
    assert "mark of SOL-PERP: the oracle for 13 prices before the first Drift row" in timeline.assumptions


def test_a_row_settled_before_the_window_sets_the_first_mark(tmp_path: Path) -> None:
    timeline = load_timeline(small_directory(tmp_path), "SOL-PERP", FROM + 300 * NS, TO)
    first = rows(timeline, RowKind.PRICE)[0]
    assert first[4] == first[3] * 101 // 100


def test_the_binance_mark(tmp_path: Path) -> None:
    timeline = load(small_directory(tmp_path), mark="binance")
    assert rows(timeline, RowKind.PRICE, "SOL-PERP")[0] == (FROM, 2, 0, 100_001_000, 99_001_000, 99_000_000, 0)
    assert "mark of SOL-PERP: close of Binance's SOL perp 5-minute candle" in timeline.assumptions
    write(tmp_path, PERP_FILE, CANDLES, candles(37, base=99)[2:])
    short = load(tmp_path, mark="binance")
    assert rows(short, RowKind.PRICE, "SOL-PERP")[0][0] == FROM + 600 * NS
    assert rows(short, RowKind.PRICE, "SOL")[0][-1] == 1
    assert [line for line in short.gaps if line.startswith(PERP_FILE)] == [
        f"{PERP_FILE}: 2 of 36 5-minute candles missing in 1 place: 2025-06-15 23:55:00 (2)"
    ]


def test_interest_is_known_at_the_end_of_its_hour(tmp_path: Path) -> None:
    hours = [lending(T0 + hour * HOUR, f"{hour + 5}.5", f"{hour + 9}") for hour in range(-1, 3)]
    write(small_directory(tmp_path), USDC_RATES, LENDING, hours)
    interest = rows(load(tmp_path), RowKind.INTEREST, "USDC")
    assert [row[3:6] for row in interest] == [(45_000, 80_000, 0), (55_000, 90_000, 3_600), (65_000, 100_000, 3_600)]
    assert [row[0] for row in interest] == [FROM, FROM + HOUR * NS, FROM + 2 * HOUR * NS]


def test_interest_covers_no_time_before_the_window(tmp_path: Path) -> None:
    timeline = load_timeline(small_directory(tmp_path), "SOL-PERP", FROM + 600 * NS, TO)
    assert [row[5] for row in rows(timeline, RowKind.INTEREST)] == [3_000, 3_600]


def test_a_missing_hour_carries_the_rate_for_twelve_hours_and_no_longer(tmp_path: Path) -> None:
    write(small_directory(tmp_path), SPOT_FILE, CANDLES, candles(24 * 12 + 1))
    write(tmp_path, USDC_RATES, LENDING, [lending(T0, "5", "8"), lending(T0 + 15 * HOUR, "6", "9")])
    timeline = load_timeline(tmp_path, "SOL-PERP", FROM, FROM + 17 * HOUR * NS)
    interest = [row[3:5] for row in rows(timeline, RowKind.INTEREST)]
    assert interest == [(0, -1), *[(50_000, 80_000)] * 13, (0, -1), (0, -1), (60_000, 90_000)]
    assert [line for line in timeline.gaps if line.startswith(USDC_RATES)] == [
        f"{USDC_RATES}: 14 of 16 hours missing in 1 place: 2025-06-16 01:00:00 (14); "
        "12 carry the last rate, 2 are unknown (deposits earn 0, no borrowing)"
    ]


def test_without_a_lending_series_there_is_no_row_and_an_assumption(tmp_path: Path) -> None:
    (small_directory(tmp_path) / SOL_RATES).unlink()
    timeline = load(tmp_path)
    assert rows(timeline, RowKind.INTEREST, "SOL") == []
    assert "SOL: no lending rates; deposits earn 0 and borrowing it is refused" in timeline.assumptions


def test_missing_candles_are_reported_and_not_filled(tmp_path: Path) -> None:
    whole = candles(37)
    write(small_directory(tmp_path), SPOT_FILE, CANDLES, [*whole[:3], *whole[5:20], *whole[21:]])
    timeline = load(tmp_path)
    assert len(rows(timeline, RowKind.PRICE, "SOL")) == 33
    assert timeline.gaps == (
        f"{SPOT_FILE}: 3 of 36 5-minute candles missing in 2 places: 2025-06-16 00:10:00 (2), 2025-06-16 01:35:00 (1)",
    )


def test_a_missing_settlement_is_reported_and_not_filled(tmp_path: Path) -> None:
    write(small_directory(tmp_path), FUNDING_FILE, FUNDING, [funding(T0 + 86, "0.0001", "100", "101")])
    timeline = load(tmp_path)
    assert len(rows(timeline, RowKind.FUNDING)) == 1
    assert timeline.gaps == (
        f"{FUNDING_FILE}: 2 of 3 hours missing in 1 place: 2025-06-16 01:00:00 (2); nothing is settled in them",
    )


@pytest.mark.parametrize(
    ("span", "message"),
    [
        ((FROM, FROM), "the window .* is empty; .* 2025-06-16 00:00:00 to 2025-06-16 03:00:00"),
        ((TO, FROM), "is empty"),
        ((FROM - 10 * HOUR * NS, FROM), f"no prices in the window .*: {SPOT_FILE} has 2025-06-16 00:00:00 to"),
        ((FROM + 2 * HOUR * NS + 8 * NS, TO), f"no funding in the window .*: {FUNDING_FILE} has"),
    ],
)
def test_a_window_without_data_says_what_there_is(tmp_path: Path, span: tuple[int, int], message: str) -> None:
    with pytest.raises(DataError, match=message):
        load_timeline(small_directory(tmp_path), "SOL-PERP", *span)


def test_without_bounds_the_window_is_all_there_is(tmp_path: Path) -> None:
    timeline = load_timeline(small_directory(tmp_path), "SOL-PERP", spots=("SOL",))
    assert rows(timeline) == rows(load(tmp_path))


def test_sources_name_every_file_by_its_hash(tmp_path: Path) -> None:
    timeline = load(small_directory(tmp_path))
    names = {SPOT_FILE, FUNDING_FILE, SOL_RATES, USDC_RATES}
    assert timeline.sources == {name: sha256((tmp_path / name).read_bytes()).hexdigest() for name in names}
    assert not timeline.simulated


def test_unknown_marks_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no mark 'coinbase'; known are drift, binance"):
        load_timeline(small_directory(tmp_path), "SOL-PERP", mark="coinbase")  # type: ignore[arg-type]


def prices_of(count: int) -> Timeline:
    ts = np.arange(count) * NS
    a = np.arange(count) + 10**6
    return Timeline.from_columns(("X",), ts, np.full(count, 2), np.zeros(count, int), a, a, a * 0)


def test_chunks_end_at_the_same_rows_wherever_reading_begins() -> None:
    timeline = prices_of(10_000)
    whole = [row for chunk in timeline.chunks() for row in chunk.rows()]
    assert [(chunk.first, chunk.last) for chunk in timeline.chunks()] == [(0, 4_096), (4_096, 8_192), (8_192, 10_000)]
    assert [(chunk.first, chunk.last) for chunk in timeline.chunks(5_000)] == [(5_000, 8_192), (8_192, 10_000)]
    assert [row for chunk in timeline.chunks(5_000) for row in chunk.rows()] == whole[5_000:]
    assert list(timeline.chunks(10_000)) == []


def test_a_digest_is_of_the_rows_and_nothing_else() -> None:
    one, other = prices_of(5_000), prices_of(5_000)
    assert [chunk.digest for chunk in one.chunks()] == [chunk.digest for chunk in other.chunks()]
    changed = prices_of(5_000)
    changed.source.cut(0, 5_000).a[4_999] += 1
    assert [a.digest == b.digest for a, b in zip(one.chunks(), changed.chunks(), strict=True)] == [True, False]
    # written down so that a change of the layout, which would break old journals, is seen
    assert next(prices_of(10).chunks()).digest == "c910f4550e88a7bea95a16b07632aca7"


@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 2), st.integers(0, 3)), min_size=1, max_size=40, unique=True)
)
def test_rows_are_put_in_order_and_one_tick_follows_each_time_with_prices(keys: list[tuple[int, int, int]]) -> None:
    ts, kind, market = (np.array(column) for column in zip(*keys, strict=True))
    value = np.arange(len(keys)) + 1
    timeline = Timeline.from_columns(("A", "B", "C", "D"), ts, kind, market, value, value, value)
    found = rows(timeline)
    assert [row[:3] for row in found] == sorted(keys)
    assert {row[3]: row[:3] for row in found} == {at + 1: key for at, key in enumerate(keys)}
    for row, following in zip(found, [*found[1:], (-1,)], strict=True):
        assert row[6] == (row[1] == RowKind.PRICE and following[0] != row[0])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": [2, 3]}, "kind is 0"),
        ({"market": [0, 1]}, "index below 1"),
        ({"a": [1, 0]}, "positive oracle"),
        ({"b": [1, -1]}, "positive oracle"),
        ({"c": [1]}, "one length"),
        ({"a": [1.5, 2.5]}, "integers"),
        ({"kind": [0, 0], "ts": [7, 7]}, "a settlement stands twice at 7 ns"),
    ],
)
def test_columns_that_cannot_be_rows_are_refused(change: dict[str, Any], message: str) -> None:
    columns: dict[str, Any] = {"ts": [1, 2], "kind": [2, 2], "market": [0, 0], "a": [1, 1], "b": [1, 1], "c": [0, 0]}
    columns |= change
    with pytest.raises(ValueError, match=message):
        Timeline.from_columns(("X",), **columns)


def test_no_rows_are_no_timeline() -> None:
    empty = np.zeros(0, int)
    with pytest.raises(ValueError, match="at least one row"):
        Timeline.from_columns(("X",), empty, empty, empty, empty, empty, empty)
