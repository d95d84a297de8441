"""The world a run happens in: rows of market data and the venue, told as one stream of events in order of time.

At equal time: what was due at the venue, funding, interest, prices, then the tick. Rows of markets nobody asked for
are skipped; the quote asset is always among those asked for.
"""

from collections.abc import Callable, Iterable, Iterator

import numpy as np

from drift_engine.core.types import Event, RowsRead
from drift_engine.simulation.quotes import sides, slot_at
from drift_engine.simulation.rows import Bytes, Columns, Ints, RowKind
from drift_engine.simulation.timeline import Chunk, Timeline
from drift_engine.simulation.venue import SimVenue

_FUNDING, _PRICE = int(RowKind.FUNDING), int(RowKind.PRICE)


class World:
    """A timeline and a venue. ``markets`` are those whose rows count; all of the timeline's where none are named."""

    def __init__(
        self, timeline: Timeline, venue: SimVenue, markets: Iterable[str] | None = None, first_row: int = 0
    ) -> None:
        self.timeline, self.venue, self._first_row = timeline, venue, first_row
        wanted = set(timeline.markets if markets is None else markets) | {venue.config.quote}
        self._desks = [venue.desks.get(name) if name in wanted else None for name in timeline.markets]
        self._counts = np.array([desk is not None for desk in self._desks])
        self._half_e6 = np.array([desk.quote.half_e6 if desk else 0 for desk in self._desks])
        self._tick_e6 = np.array([desk.quote.tick_e6 if desk else 1 for desk in self._desks])

    def run(self, deliver: Callable[[Event], object]) -> Iterator[tuple[int, int]]:
        """Deliver every event in order; yield time and slot of each tick, and go on when asked for the next."""
        venue, prices, desks = self.venue, self.venue.prices, self._desks
        ts_ns = 0
        for chunk, ticks in self._chunks():
            rows = chunk.columns._replace(tick=ticks)
            more = (slot_at(rows.ts), *self._sides(rows))
            for ts_ns, kind, index, a, b, c, tick, slot, bid, ask in rows.rows(*more):
                if ts_ns >= venue.due_ns:
                    self._advance(ts_ns, deliver)
                desk = desks[index]
                if desk is not None:
                    if kind == 2:  # a price
                        take = desk.take
                        update = take(ts_ns, slot, a, b, c, bid, ask)
                        if update is not None:
                            deliver(update)
                    else:
                        self._rates(ts_ns, kind, desk.quote.name, a, b, c, deliver)
                if tick:
                    if prices.moved or ts_ns >= venue.due_ns:
                        self._end(ts_ns, deliver)
                    yield ts_ns, slot
            deliver(RowsRead(ts_ns, chunk.first, chunk.last, chunk.digest))
        if ts_ns >= venue.due_ns:
            self._advance(ts_ns, deliver)

    def times(self) -> Iterator[int]:
        """Yield the times of the ticks to come. Nothing is lived through: the venue stays where it is."""
        for chunk, ticks in self._chunks():
            yield from chunk.columns.ts[ticks > 0].tolist()

    def _chunks(self) -> Iterator[tuple[Chunk, Bytes]]:
        """Iterate over chunks, and after which of their rows a tick comes: the last of a time, if one counted since."""
        waiting = 0
        for chunk in self.timeline.chunks(self._first_row):
            rows = chunk.columns
            ticks, fresh = np.flatnonzero(rows.tick), np.zeros_like(rows.tick)
            seen = waiting + np.cumsum(self._counts.take(rows.market))
            fresh[ticks] = np.diff(seen[ticks], prepend=0) > 0
            waiting = int(seen[-1] - seen[ticks[-1]]) if len(ticks) else int(seen[-1])
            yield chunk, fresh

    def _sides(self, rows: Columns) -> tuple[Ints, Ints]:
        """Return the bids and asks of a chunk's price rows; what stands in other rows means nothing."""
        return sides(rows.b, self._half_e6.take(rows.market), self._tick_e6.take(rows.market))

    def _rates(
        self, ts_ns: int, kind: int, name: str, a: int, b: int, c: int, deliver: Callable[[Event], object]
    ) -> None:
        if kind == _FUNDING:
            self.venue.funding(ts_ns, name, a, b, c)
            return
        update = self.venue.interest(ts_ns, name, a, b, c)
        if update is not None:
            deliver(update)

    def _end(self, ts_ns: int, deliver: Callable[[Event], object]) -> None:
        """End a moment: all its prices are in."""
        self.venue.moment(ts_ns)
        self._advance(ts_ns, deliver)

    def _advance(self, ts_ns: int, deliver: Callable[[Event], object]) -> None:
        for event in self.venue.advance(ts_ns):
            deliver(event)
