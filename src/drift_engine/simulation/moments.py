"""The price rows of one moment, until the last of them is in.

An asset's markets stand on one oracle, but their rows come one after the other. Orders fill and margin is worked out
when all are in (``moved``): between two rows one market would stand at a new price and the other at an old one.
"""

from collections.abc import Callable, Mapping
from functools import partial

from drift_engine.core.types import MarketUpdated
from drift_engine.simulation.quotes import MarketQuote
from drift_engine.simulation.watch import Desk

Opens = Callable[[int, str, int], object]
"""Fills at a row's open: time, market, open."""


class Moment:
    """What came of a moment: the markets with orders that were priced, and whether a price left its band."""

    def __init__(self, desks: Mapping[str, Desk], opens: Opens | None) -> None:
        self.moved = False
        self._desks, self._opens = desks, opens
        self._waiting: set[str] = set()
        self._priced: list[MarketQuote] = []
        self._left = False
        for desk in desks.values():
            desk.quote.left = self._leave

    def wait(self, waiting: set[str]) -> None:
        """Take rows of markets where an order waits here, and leave the others to their quotes."""
        for name in waiting ^ self._waiting:
            desk = self._desks[name]
            if name in waiting:
                desk.take, desk.quote.left = partial(self._traded, desk.quote), int
            else:
                desk.take, desk.quote.left = desk.quote.price, self._leave
        self._waiting = waiting

    def end(self) -> tuple[list[MarketQuote], bool]:
        """Return the markets with orders that were priced, and whether a price of another left its band."""
        priced, left = self._priced, self._left
        self.moved, self._left, self._priced = False, False, []
        return priced, left

    def _traded(self, quote: MarketQuote, ts_ns: int, slot: int, *prices_e6: int) -> MarketUpdated | None:
        """Take a price row in a market where an order is open."""
        if self._opens is not None:
            self._opens(ts_ns, quote.name, prices_e6[2])
        self.moved = True
        self._priced.append(quote)
        return quote.price(ts_ns, slot, *prices_e6)

    def _leave(self, _ts_ns: int) -> None:
        self.moved = self._left = True
