"""Columns of history in a bounded space: buckets of equal length that merge in pairs when there are too many.

A bucket keeps the last, the lowest and the highest value of each figure, so that no trough disappears when it is drawn
from afar. What was not known is ``None`` and stays so.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

LIMIT = 4_096
Value = float | None
Spread = tuple[Value, Value, Value]


class Series:
    """Figures over time. ``width_ns`` is the length of a bucket; it doubles as the run grows."""

    def __init__(self, names: Sequence[str], width_ns: int, limit: int = LIMIT) -> None:
        self.names = tuple(names)
        self.width_ns = width_ns
        self._limit = limit
        self._starts: list[int] = []
        self._times: list[int] = []
        self._rows: list[list[Spread]] = []

    def add(self, ts_ns: int, values: Sequence[Value]) -> None:
        """Take the figures of one moment; moments come in order."""
        start = ts_ns - ts_ns % self.width_ns
        if self._starts and self._starts[-1] >= start:
            self._times[-1] = ts_ns
            self._rows[-1] = [_joined(old, (new, new, new)) for old, new in zip(self._rows[-1], values, strict=True)]
            return
        self._starts.append(start)
        self._times.append(ts_ns)
        self._rows.append([(value, value, value) for value in values])
        if len(self._starts) > self._limit:
            self._halve()

    def _halve(self) -> None:
        self.width_ns *= 2
        self._starts, self._times, self._rows = _merged(self._starts, self._times, self._rows, self.width_ns)

    def columns(
        self, names: Sequence[str], from_ns: int | None, to_ns: int | None, points: int
    ) -> tuple[list[int], list[list[Spread]], int]:
        """Return times, for each the spreads of some figures, and the width of a point in ns: at most ``points``."""
        first = 0 if from_ns is None else bisect_left(self._times, from_ns)
        last = len(self._times) if to_ns is None else bisect_right(self._times, to_ns)
        places = [self.names.index(name) for name in names]
        starts, times = self._starts[first:last], self._times[first:last]
        rows = [[row[place] for place in places] for row in self._rows[first:last]]
        width_ns = self.width_ns
        if len(starts) > points:
            while (starts[-1] // width_ns - starts[0] // width_ns) >= max(1, points):
                width_ns *= 2
            _, times, rows = _merged(starts, times, rows, width_ns)
        return times, rows, width_ns


def _merged(
    starts: list[int], times: list[int], rows: list[list[Spread]], width_ns: int
) -> tuple[list[int], list[int], list[list[Spread]]]:
    out: tuple[list[int], list[int], list[list[Spread]]] = ([], [], [])
    for fine, ts_ns, row in zip(starts, times, rows, strict=True):
        start = fine - fine % width_ns
        if out[0] and out[0][-1] == start:
            out[1][-1] = ts_ns
            out[2][-1] = [_joined(old, new) for old, new in zip(out[2][-1], row, strict=True)]
        else:
            out[0].append(start)
            out[1].append(ts_ns)
            out[2].append(row)
    return out


def _joined(old: Spread, new: Spread) -> Spread:
    low = old[1] if new[1] is None else new[1] if old[1] is None else min(old[1], new[1])
    high = old[2] if new[2] is None else new[2] if old[2] is None else max(old[2], new[2])
    return new[0], low, high
