"""The engine as it runs in a process of its own: the same, with clocks on its ticks and a door for those who watch.

A tick is timed twice. The wall says how long a person or the market waited for it, and also counts what the machine did
meanwhile for others. The thread's CPU time says what the tick itself took: only that can be compared between two runs.
"""

import time
from collections import deque
from collections.abc import Collection
from typing import Any

from msgspec import to_builtins

from drift_engine.core.driving import Done
from drift_engine.engine import DriftEngine

_KEPT = 1_024
_US_NS = 1_000


class HostedEngine(DriftEngine):
    """A ``DriftEngine`` that knows how long its ticks take."""

    _wall_ns: deque[int]
    _cpu_ns: deque[int]
    _timed = False

    def open(self) -> None:
        """Open, and begin to measure: what is lived through again from a journal is not counted."""
        if not self._timed:
            self._wall_ns, self._cpu_ns = deque(maxlen=_KEPT), deque(maxlen=_KEPT)
        super().open()
        self._timed = True

    def close(self) -> None:
        """Close; the next opening measures anew."""
        super().close()
        self._timed = False

    def tick(self) -> Done:
        """Tick, and keep how long it took."""
        if not self._timed:
            return super().tick()
        wall_ns, cpu_ns = time.perf_counter_ns(), time.thread_time_ns()
        done = super().tick()
        self._cpu_ns.append(time.thread_time_ns() - cpu_ns)
        self._wall_ns.append(time.perf_counter_ns() - wall_ns)
        return done

    def tick_latency(self) -> dict[str, float | None]:
        """Return median and 99th percentile of the last ticks in microseconds: on the wall, and of this thread's CPU.

        ``None`` before any tick.
        """
        p50_us, p99_us = _percentiles_us(self._wall_ns)
        cpu_p50_us, cpu_p99_us = _percentiles_us(self._cpu_ns)
        return {"p50_us": p50_us, "p99_us": p99_us, "cpu_p50_us": cpu_p50_us, "cpu_p99_us": cpu_p99_us}

    def decisions(self, n: int) -> list[dict[str, Any]]:
        """Return the last ``n`` decisions in order, with every gate's figures; no more than the journal keeps."""
        records = list(self._journal.decisions)[-n:] if n else []
        return [{"seq": record.seq, "event": to_builtins(record.event)} for record in records]

    def flush(self) -> None:
        """Let those who read the journal's file see all that was done."""
        self._journal.flush(durable=False)


def _percentiles_us(took_ns: Collection[int]) -> tuple[float, float] | tuple[None, None]:
    took = sorted(took_ns)
    if not took:
        return None, None
    return took[len(took) // 2] / _US_NS, took[len(took) * 99 // 100] / _US_NS
