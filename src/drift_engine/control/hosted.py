"""The engine as it runs in a process of its own: the same, with a clock on its ticks and a door for those who watch."""

import time
from collections import deque
from typing import Any

from msgspec import to_builtins

from drift_engine.core.driving import Done
from drift_engine.engine import DriftEngine

_KEPT = 1_024
_US_NS = 1_000


class HostedEngine(DriftEngine):
    """A ``DriftEngine`` that knows how long its ticks take."""

    _took_ns: deque[int]

    def open(self) -> None:
        """Begin to measure, and open."""
        self._took_ns = deque(maxlen=_KEPT)
        super().open()

    def tick(self) -> Done:
        """Tick, and keep how long it took."""
        began_ns = time.perf_counter_ns()
        done = super().tick()
        self._took_ns.append(time.perf_counter_ns() - began_ns)
        return done

    def tick_latency(self) -> dict[str, float | None]:
        """Return the median and the 99th percentile of the last ticks, in microseconds; ``None`` before any."""
        took = sorted(self._took_ns)
        if not took:
            return {"p50_us": None, "p99_us": None}
        return {"p50_us": took[len(took) // 2] / _US_NS, "p99_us": took[len(took) * 99 // 100] / _US_NS}

    def decisions(self, n: int) -> list[dict[str, Any]]:
        """Return the last ``n`` decisions in order, with every gate's figures; no more than the journal keeps."""
        records = list(self._journal.decisions)[-n:] if n else []
        return [{"seq": record.seq, "event": to_builtins(record.event)} for record in records]

    def flush(self) -> None:
        """Let those who read the journal's file see all that was done."""
        self._journal.flush(durable=False)
