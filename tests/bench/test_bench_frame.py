"""The shared pieces of the benchmarks: candles, the reference list of trades, peers that are not to be had."""

import json
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from benchmarks import bench_peers, candles, ema, measure, run
from benchmarks.peers import environments
from benchmarks.peers.environments import Peer

Series = npt.NDArray[np.float64]


def rows_of(closes: list[int], gap_e6: int = 1_000) -> candles.Rows:
    """Candles with these closes in whole quote, each opening a gap above the close before."""
    ends = np.array(closes, dtype=np.int64) * 1_000_000
    opens = np.concatenate([ends[:1], ends[:-1]]) + gap_e6
    stamps = candles.FIRST_S + candles.LENGTH_S * np.arange(len(closes))
    return np.column_stack([stamps, opens, np.maximum(opens, ends), np.minimum(opens, ends), ends, ends])


def test_candles_are_the_same_for_the_same_seed() -> None:
    first, second, other = candles.make(500), candles.make(500), candles.make(500, seed=1)
    assert (first == second).all()
    assert (first != other).any()


def test_candles_are_candles() -> None:
    rows = candles.make(2_000)
    _, opens, highs, lows, closes, _ = rows.T
    assert (np.diff(rows[:, 0]) == candles.LENGTH_S).all()
    assert (lows > 0).all()
    assert (lows <= np.minimum(opens, closes)).all()
    assert (highs >= np.maximum(opens, closes)).all()
    assert (opens[1:] != closes[:-1]).mean() > 0.5, "without gaps a fill at the close looks like one at the next open"


def test_candles_survive_a_file(tmp_path: Path) -> None:
    rows = candles.make(50)
    candles.write(tmp_path / "c.npy", rows)
    assert (candles.read(tmp_path / "c.npy") == rows).all()


def test_the_first_cross_trades_one_at_the_next_open_and_later_ones_two() -> None:
    closes = [100] * 58 + [99, 98] + [140] * 5 + [60] * 12
    assert ema.trades(rows_of(closes)) == [ema.Trade(61, 1, 140_001_000), ema.Trade(68, -2, 60_001_000)]


def test_no_trade_before_a_cross_nor_after_the_last_candle() -> None:
    assert ema.trades(rows_of(list(range(100, 300)))) == []
    assert ema.trades(rows_of([100] * 58 + [99, 98] + [140])) == []


def test_the_averages_are_exponential_ones() -> None:
    rows = candles.make(5_000)
    closes = rows[:, 4] / 1e6
    fast, slow = (smoothed(closes, span) for span in (ema.FAST, ema.SLOW))
    side = np.sign(fast - slow)[ema.SLOW - 1 :]
    crossed = np.flatnonzero(np.diff(side)) + ema.SLOW + 1
    assert [trade.candle for trade in ema.trades(rows)] == [candle for candle in crossed if candle < len(rows)]


def smoothed(values: Series, span: int) -> Series:
    """The weighted sum over all values before, by its definition, not by recursion."""
    alpha = 2 / (span + 1)
    weights = alpha * (1 - alpha) ** np.arange(len(values))
    begun = values[0] * (1 - alpha) ** np.arange(1, len(values) + 1)
    total: Series = np.convolve(values, weights)[: len(values)] + begun
    return total


def test_an_absent_peer_is_shown_as_absent(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(environments, "HOME", tmp_path)
    peer = Peer("none", "benchmarks.peers.flint_peer", "none==1")
    (tmp_path / "none").mkdir()
    (tmp_path / "none" / "installed").write_text("none==1")
    result = bench_peers.measured(peer, tmp_path / "c.npy", [], rounds=1)
    assert result.value is None
    assert result.verdict == "absent"
    assert "No such file" in result.note
    assert "absent" in run.table([result])


def test_a_peer_with_other_trades_gets_no_figure(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(bench_peers, "install", lambda _: None)
    monkeypatch.setattr(bench_peers, "run", lambda *_: (1.0, [ema.Trade(1, 1, 1)]))
    result = bench_peers.measured(environments.PEERS[0], tmp_path, [ema.Trade(2, 1, 1)])
    assert result.value is None
    assert "other than" in result.note


def test_limits_are_judged_and_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    lines = [measure.Result("g", "slow", 3.0, "µs", 2.0), measure.Result("g", "fast", 1.0, "µs", 2.0)]
    monkeypatch.setattr("benchmarks.bench_import.main", lambda: lines)
    file = tmp_path / "figures.json"
    assert run.main(["import", "--json", str(file)]) == 0
    assert run.main(["import", "--strict"]) == 1
    assert [each["verdict"] for each in json.loads(file.read_text())] == ["over", "ok"]


def test_a_broken_benchmark_fails_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.bench_import.main", lambda: 1 // 0)
    assert run.main(["import"]) == 1


def test_percentiles() -> None:
    values = list(range(1_000))
    assert measure.percentile(values, 500) == 500
    assert measure.percentile(values, 999) == 999
    assert measure.percentile(values, 1000) == 999
