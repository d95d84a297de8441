"""Measuring: CPU time of this process, medians over rounds, ratios only between figures of one run."""

import gc
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Result:
    """One line of the table. ``limit`` is the most it may be, ``None`` where nothing was promised."""

    group: str
    name: str
    value: float | None
    unit: str
    limit: float | None = None
    note: str = ""

    @property
    def verdict(self) -> str:
        """``ok``, ``over``, ``absent``, or nothing where nothing was promised."""
        if self.value is None:
            return "absent"
        if self.limit is None:
            return ""
        return "ok" if self.value <= self.limit else "over"


def cpu_ns(work: Callable[[], Any]) -> int:
    """Return the CPU time of one call, with garbage of before out of the way."""
    gc.collect()
    start_ns = time.process_time_ns()
    work()
    return time.process_time_ns() - start_ns


def median_cpu_ns(prepare: Callable[[], Callable[[], Any]], rounds: int = 3) -> float:
    """Return the median CPU time over rounds of what ``prepare`` returns; preparing is not counted."""
    return statistics.median(cpu_ns(prepare()) for _ in range(rounds))


def median(values: list[float]) -> float:
    """Return the median."""
    return statistics.median(values)


def percentile(values: list[int], per_mille: int) -> int:
    """Return the value below which ``per_mille`` thousandths of the values lie: 999 for p99.9, 1000 for the most."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, len(ordered) * per_mille // 1000)]
