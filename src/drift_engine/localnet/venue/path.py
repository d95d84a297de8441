"""Where prices come from: what an asset's oracle says at a time, and at which mark its perp trades.

A path is a function of time alone, so a slot that is rolled back and played again sees the same prices.
"""

from bisect import bisect_right
from collections.abc import Iterator
from typing import Protocol

from drift_engine.core.units import SECOND_NS
from drift_engine.simulation.rows import Columns, RowKind
from drift_engine.simulation.timeline import Timeline

Prices = tuple[int, int]
"""Oracle and mark, in quote 1e6."""


class Path(Protocol):
    """Prices over time."""

    def at(self, asset: str, unix_s: int) -> Prices | None:
        """Return an asset's oracle and mark, ``None`` where its oracle posts nothing."""
        ...


class TimelinePath:
    """The price rows of a timeline, played from ``start_s`` on, ``speed`` seconds of it in each second of the chain.

    Before its first row and after its last, an asset stands at that row.
    """

    def __init__(self, timeline: Timeline, start_s: int, speed: int = 1) -> None:
        self._timeline, self._start_s, self._speed = timeline, start_s, speed
        self._rows: dict[str, tuple[list[int], list[Prices]]] = {}
        self._chunks = self._columns()

    def at(self, asset: str, unix_s: int) -> Prices | None:
        """Return an asset's prices; assets that the timeline has no perp of post nothing."""
        market = f"{asset}-PERP"
        if market not in self._timeline.markets:
            return None
        ts_ns = self._timeline.first_ns + max(0, unix_s - self._start_s) * self._speed * SECOND_NS
        times, prices = self._until(market, ts_ns)
        return prices[max(0, bisect_right(times, ts_ns) - 1)]

    def _until(self, market: str, ts_ns: int) -> tuple[list[int], list[Prices]]:
        """Read on until the rows of a market go beyond a time, or end."""
        times, prices = self._rows.setdefault(market, ([], []))
        while not times or times[-1] < ts_ns:
            columns = next(self._chunks, None)
            if columns is None:
                break
            self._take(columns)
        return times, prices

    def _columns(self) -> Iterator[Columns]:
        return (chunk.columns for chunk in self._timeline.chunks())

    def _take(self, columns: Columns) -> None:
        for ts_ns, kind, index, oracle_e6, mark_e6, *_ in columns.rows():
            if kind == RowKind.PRICE:
                times, prices = self._rows.setdefault(self._timeline.markets[index], ([], []))
                times.append(ts_ns)
                prices.append((oracle_e6, mark_e6 or oracle_e6))
