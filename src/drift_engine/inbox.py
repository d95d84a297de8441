"""Where the world's news waits for the next tick.

Prices are conflated: the last of a market wins. Everything else is kept in order. Account events are put in the venue's
order by their cursor and taken once each: a copy is dropped, one that came too early waits for those before it, and a
hole is visible (``missing``) so that the executor can ask again. Books that the venue shows wait until every event
before them has come. No thread, no clock: the engine drains it at each tick.
"""

from collections.abc import Collection, Sequence

from drift_engine.core.types import (
    AccountEvent,
    AccountObserved,
    Deposited,
    Event,
    Filled,
    FundingPaid,
    InterestAccrued,
    Liquidated,
    MarketUpdated,
    PlanClosed,
    PnlSettled,
    Withdrawn,
)

ACCOUNT_EVENTS = frozenset(
    (Deposited, Withdrawn, Filled, PlanClosed, FundingPaid, InterestAccrued, PnlSettled, Liquidated)
)


class Inbox:
    """The one queue between the asynchronous world and the tick.

    ``missing`` says that an account event is known to exist and has not come; ``duplicates`` counts dropped copies.
    """

    def __init__(self, cursor: int = 0) -> None:
        self._cursor = cursor
        self._kept: list[Event] = []
        self._prices: dict[str, MarketUpdated] = {}
        self._early: dict[int, AccountEvent] = {}
        self._books: AccountObserved | None = None
        self.missing = False
        self.duplicates = 0

    def start_after(self, cursor: int) -> None:
        """Take account events from the one after ``cursor`` on; what came before is in the books already."""
        self._cursor = cursor

    def put(self, event: Event) -> None:
        """Take one event."""
        if type(event) is MarketUpdated:
            self._prices[event.market] = event
        elif type(event) in ACCOUNT_EVENTS:
            self._put_account(event)  # type: ignore[arg-type]
        elif type(event) is AccountObserved:
            self._put_books(event)
        else:
            self._kept.append(event)

    def drain(self) -> tuple[Sequence[Event], Collection[MarketUpdated]]:
        """Hand over what came since the last call: account events and the rest in order, and the prices after them."""
        prices, self._prices = self._prices, {}
        if not self._kept:
            return (), prices.values()
        others, self._kept = self._kept, []
        return others, prices.values()

    def _put_account(self, event: AccountEvent) -> None:
        if event.cursor <= self._cursor or event.cursor in self._early:
            self.duplicates += 1
            return
        if event.cursor == self._cursor + 1 and not self.missing:
            self._cursor += 1
            self._kept.append(event)
            return
        self._early[event.cursor] = event
        while (next_event := self._early.pop(self._cursor + 1, None)) is not None:
            self._cursor += 1
            self._kept.append(next_event)
        if self._books is not None:
            self._put_books(self._books)
        self.missing = bool(self._early) or self._books is not None

    def _put_books(self, books: AccountObserved) -> None:
        if books.cursor == self._cursor:
            self._kept.append(books)
        if self._books is None or books.cursor > self._books.cursor:
            self._books = books
        if self._books.cursor <= self._cursor:
            self._books = None
        self.missing = bool(self._early) or self._books is not None
