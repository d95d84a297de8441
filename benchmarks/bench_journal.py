"""The journal: a durable append beside one raw 300-byte append and fdatasync, and what the other appends cost.

Durable appends are wall time, because waiting for the disk is what they do; both kinds take turns in one loop on one
file system, so that a busy disk slows both. Everything else is CPU time.
"""

import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.measure import Result, median, median_cpu_ns, percentile
from drift_engine.core.types import (
    Account,
    AccountObserved,
    Event,
    Filled,
    FundingPaid,
    MarketUpdated,
    PerpPosition,
    SpotBalance,
    Ticked,
)
from drift_engine.journal import Journal
from drift_engine.journal.reader import verify

GROUP = "journal"
DURABLE_ROUNDS = 1_000
HOT_ROUNDS = 500_000
RECORDS = 50_000
RAW_BYTES = 300
DURABLE_LIMIT = 1.6
HOT_LIMIT_US = 0.1
RECORD_LIMIT_US = 2.0

_TS_NS = 1_760_000_000_000_000_000
_ROW = MarketUpdated(
    _TS_NS, "SOL-PERP", 4_400_000_000, 150_123_456, 4_400_000_000, 150_100_000, 150_090_000, 150_110_000
)
_TICK = Ticked(_TS_NS, 4_400_000_000)
_FILL = Filled(
    _TS_NS,
    7,
    "p1",
    0,
    "SOL-PERP",
    "perp",
    10**9,
    -150_110_000,
    150_110,
    150_123_456,
    150_100_000,
    4_400_000_000,
    _TS_NS,
)
_FUNDING = FundingPaid(_TS_NS, 8, "SOL-PERP", 1_234_567, 987_654_321, 10**9, -1_234)
_SPOTS = (SpotBalance("USDC", 9_876_543_210_123), SpotBalance("SOL", -1_234_567_890))
_PERP = PerpPosition("SOL-PERP", 10**9, -150_110_000, -150_110_000, -150_260_110, funding_cursor_e9=987_654_321)
_BOOKS = AccountObserved(_TS_NS, 9, Account("USDC", _SPOTS, (_PERP,)))


def main() -> list[Result]:
    """Return the figures; files are made in the working directory's file system and removed."""
    with tempfile.TemporaryDirectory(prefix=".bench-journal-", dir=Path.cwd()) as folder:
        return [*_durable(Path(folder)), *_hot(), *_records(Path(folder)), *_reading(Path(folder))]


def _durable(folder: Path) -> list[Result]:
    raw, journal = os.open(folder / "raw", os.O_CREAT | os.O_WRONLY | os.O_APPEND), Journal.open(folder / "durable")
    raw_ns: list[int] = []
    durable_ns: list[int] = []
    try:
        for _ in range(DURABLE_ROUNDS):
            raw_ns.append(_wall_ns(lambda: _raw_append(raw)))
            durable_ns.append(_wall_ns(lambda: journal.append(_FILL)))
    finally:
        os.close(raw)
        journal.close()
    raw_us, durable_us = median([*raw_ns]) / 1e3, median([*durable_ns]) / 1e3
    note = f"p99 {percentile(durable_ns, 990) / 1e3:,.0f} µs, raw {percentile(raw_ns, 990) / 1e3:,.0f} µs"
    return [
        Result(GROUP, f"raw append of {RAW_BYTES} bytes + fdatasync", raw_us, "µs wall"),
        Result(GROUP, "durable append (Filled)", durable_us, "µs wall", None, note),
        Result(GROUP, "durable append / raw", durable_us / raw_us, "x", DURABLE_LIMIT),
    ]


def _raw_append(file: int) -> None:
    os.write(file, bytes(RAW_BYTES))
    os.fdatasync(file)


def _wall_ns(work: Callable[[], object]) -> int:
    start_ns = time.perf_counter_ns()
    work()
    return time.perf_counter_ns() - start_ns


def _hot() -> list[Result]:
    events: tuple[tuple[str, Event], ...] = (("market row", _ROW), ("tick", _TICK))
    return [
        Result(GROUP, f"{name}, by reference", _per_append_us(Journal(reference=True), event), "µs", HOT_LIMIT_US)
        for name, event in events
    ]


def _per_append_us(journal: Journal, event: Event) -> float:
    def loop() -> None:
        append = journal.append
        for _ in range(HOT_ROUNDS):
            append(event)

    def empty() -> None:
        for _ in range(HOT_ROUNDS):
            pass

    return (median_cpu_ns(lambda: loop, 5) - median_cpu_ns(lambda: empty, 5)) / HOT_ROUNDS / 1e3


def _records(folder: Path) -> list[Result]:
    results = []
    for name, event, limit in (
        ("books observed (545 bytes)", _BOOKS, RECORD_LIMIT_US),
        ("funding paid (150 bytes)", _FUNDING, RECORD_LIMIT_US),
        ("fill", _FILL, None),
    ):
        append_us, flush_us = _record_us(folder / f"{event.cursor}", event)
        note = f"and {flush_us:.2f} µs at its flush: chain, insert, checkpoint"
        results.append(Result(GROUP, f"{name}, in a backtest", append_us, "µs", limit, note))
    memory_us = median_cpu_ns(lambda: _filling(Journal(reference=True), _FUNDING)) / RECORDS / 1e3
    results.append(Result(GROUP, "funding paid, journal in memory", memory_us, "µs", RECORD_LIMIT_US))
    return results


def _record_us(path: Path, event: Event) -> tuple[float, float]:
    """Return what an append costs, and what its share of the flush does, by the median of runs."""
    appends, flushes = [], []
    for number in range(3):
        with Journal.open(path.with_suffix(f".{number}"), reference=True) as journal:
            fill = _filling(journal, event, 500)
            spent_ns = [(_cpu_ns(fill), _cpu_ns(journal.flush)) for _ in range(RECORDS // 500)]
        appends.append(median([append for append, _ in spent_ns]) / 500 / 1e3)
        flushes.append(median([flush for _, flush in spent_ns]) / 500 / 1e3)
    return median(appends), median(flushes)


def _cpu_ns(work: Callable[[], object]) -> int:
    start_ns = time.process_time_ns()
    work()
    return time.process_time_ns() - start_ns


def _filling(journal: Journal, event: Event, rounds: int = RECORDS) -> Callable[[], None]:
    def loop() -> None:
        append = journal.append
        for _ in range(rounds):
            append(event)

    return loop


def _reading(folder: Path) -> list[Result]:
    path = folder / "read"
    with Journal.open(path, reference=True) as journal:
        _filling(journal, _FUNDING)()
    verify_us = median_cpu_ns(lambda: lambda: verify(path)) / RECORDS / 1e3

    def resume() -> None:
        with Journal.open(path, reference=True, resume=True) as journal:
            _filling(journal, _FUNDING)()

    resume_us = median_cpu_ns(lambda: resume) / RECORDS / 1e3
    return [
        Result(GROUP, "verify, a record", verify_us, "µs"),
        Result(GROUP, "resume: compare a record", resume_us, "µs"),
    ]
