"""The world a run happens in: rows of market data and the venue, told as one stream of events in order of time.

At equal time: what was due at the venue, funding, interest, prices, then the tick. Rows of markets nobody asked for
are skipped; the quote asset is always among those asked for.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

from drift_engine.core.types import Event, RowsRead
from drift_engine.simulation.venue import SimVenue

Row = tuple[int, int, int, int, int, int, int]
"""ts_ns, kind (0 funding, 1 interest, 2 price), market's index, three figures, and whether a tick follows."""
_FUNDING = 0
_PRICE = 2


class Chunk(Protocol):
    """Rows ``[first, last)`` and their digest."""

    first: int
    last: int
    digest: str

    def rows(self) -> Iterator[Row]:
        """Return the rows in order."""
        ...


class Timeline(Protocol):
    """Market data as columns, in chunks."""

    markets: tuple[str, ...]

    def chunks(self, first_row: int = 0) -> Iterator[Chunk]:
        """Return the chunks from a row on."""
        ...


class World:
    """A timeline and a venue. ``markets`` are those whose rows count; all of the timeline's where none are named."""

    def __init__(
        self, timeline: Timeline, venue: SimVenue, markets: Iterable[str] | None = None, first_row: int = 0
    ) -> None:
        self.timeline, self.venue, self._first_row = timeline, venue, first_row
        wanted = set(timeline.markets if markets is None else markets) | {venue.config.quote}
        self._names = [name if name in wanted and name in venue.quotes.of else None for name in timeline.markets]

    def run(self, deliver: Callable[[Event], object]) -> Iterator[int]:
        """Deliver every event in order; yield the time of each tick, and go on when asked for the next."""
        venue, price = self.venue, self.venue.price
        names = self._names
        ts_ns = 0
        for chunk in self.timeline.chunks(self._first_row):
            fresh = False
            for ts_ns, kind, index, a, b, c, tick in chunk.rows():
                if ts_ns >= venue.due_ns:
                    self._advance(ts_ns, deliver)
                name = names[index]
                if name is not None:
                    fresh = True
                    if kind == _PRICE:
                        update = price(ts_ns, name, a, b, c)
                        if update is not None:
                            deliver(update)
                    else:
                        self._rates(ts_ns, kind, name, a, b, c, deliver)
                if tick and fresh:
                    if ts_ns >= venue.due_ns:
                        self._advance(ts_ns, deliver)
                    fresh = False
                    yield ts_ns
            deliver(RowsRead(ts_ns, chunk.first, chunk.last, chunk.digest))
        if ts_ns >= venue.due_ns:
            self._advance(ts_ns, deliver)

    def _rates(
        self, ts_ns: int, kind: int, name: str, a: int, b: int, c: int, deliver: Callable[[Event], object]
    ) -> None:
        if kind == _FUNDING:
            self.venue.funding(ts_ns, name, a, b, c)
            return
        update = self.venue.interest(ts_ns, name, a, b, c)
        if update is not None:
            deliver(update)

    def _advance(self, ts_ns: int, deliver: Callable[[Event], object]) -> None:
        for event in self.venue.advance(ts_ns):
            deliver(event)
