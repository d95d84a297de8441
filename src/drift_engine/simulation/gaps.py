"""Where rows are missing from a regular series, and how to say so in one line."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
SHOWN = 5


def show_time(ts_s: int) -> str:
    """Return a Unix time in seconds as ``2025-10-31 23:55:00`` (UTC)."""
    return datetime.fromtimestamp(ts_s, UTC).strftime("%Y-%m-%d %H:%M:%S")


def missing_steps(present_s: Ints, first_s: int, last_s: int, step_s: int) -> Ints:
    """Return the starts, from ``first_s`` to ``last_s`` included, of the steps in which nothing is present."""
    steps = np.arange(-(-first_s // step_s), last_s // step_s + 1)
    return np.setdiff1d(steps, present_s // step_s) * step_s


def places(missing_s: Ints, step_s: int) -> list[tuple[int, int]]:
    """Return runs of missing steps: where each begins and how many it counts."""
    if not len(missing_s):
        return []
    breaks = np.flatnonzero(np.diff(missing_s) != step_s) + 1
    return [(int(run[0]), len(run)) for run in np.split(missing_s, breaks)]


def show_places(runs: Sequence[tuple[int, int]]) -> str:
    """Return ``in 2 places: 2025-05-01 00:05:00 (2), 2025-05-03 10:00:00 (1)``, the first few of many."""
    shown = ", ".join(f"{show_time(start)} ({count})" for start, count in runs[:SHOWN])
    more = f" and {len(runs) - SHOWN} more" if len(runs) > SHOWN else ""
    return f"in {len(runs)} place{'' if len(runs) == 1 else 's'}: {shown}{more}"


def show_lines(lines: Sequence[int]) -> str:
    """Return ``lines 17, 40``, the first few of many."""
    shown = ", ".join(map(str, lines[:SHOWN]))
    more = f" and {len(lines) - SHOWN} more" if len(lines) > SHOWN else ""
    return f"line{'' if len(lines) == 1 else 's'} {shown}{more}"
