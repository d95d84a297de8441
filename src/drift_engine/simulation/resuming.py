"""Where a venue that was taken up again stands in its timeline: at the row after the last it has lived through.

A price that was taken left its time with the market's quote, a rate that was booked left an event. The last row with a
trace is found by them; all rows before it were taken too, and one after it changed nothing and may come again.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import takewhile

from drift_engine.core.types import AccountEvent, FundingPaid, InterestAccrued
from drift_engine.simulation.quotes import Quotes
from drift_engine.simulation.rows import Row, RowKind
from drift_engine.simulation.timeline import Timeline


def row_to_resume(timeline: Timeline, quotes: Quotes, quote: str, events: Sequence[AccountEvent]) -> int:
    """Return the first row that is news to a venue with these quotes and events; 0 for a new one."""
    priced = {name: taken.last.ts_ns for name, taken in quotes.of.items() if name in timeline.markets and name != quote}
    booked = [event for event in events if isinstance(event, FundingPaid | InterestAccrued)]
    last_ns = max([0, *priced.values(), *(event.ts_ns for event in booked)])
    taken = {(True, name) for name, ts_ns in priced.items() if ts_ns == last_ns}
    taken |= {(False, event.market) for event in booked if event.ts_ns == last_ns}
    row = bisect_left(range(timeline.length), last_ns, key=lambda at: int(timeline.source.cut(at, at + 1).ts[0]))
    same_time = takewhile(lambda each: each[0] == last_ns, _rows(timeline, row))
    traces = [(kind == RowKind.PRICE, timeline.markets[market]) in taken for _, kind, market, *_ in same_time]
    return row + max((at + 1 for at, left in enumerate(traces) if left), default=0)


def _rows(timeline: Timeline, first_row: int) -> Iterator[Row]:
    return (row for chunk in timeline.chunks(first_row) for row in chunk.rows())
