"""The port every venue implements.

A venue tells of one account as a stream of events numbered by ``cursor``: 1, 2, 3, … without a hole. Whatever got lost
on the way can be asked for again by number, and any plan's outcome can be asked for by its id; so nothing is ever
guessed and nothing is sent twice. Methods are coroutines because a live venue is far away; only executors and start-up
await them, never the tick.
"""

from typing import Protocol

from drift_engine.core.types import AccountEvent, AccountObserved, ApprovedPlan, Market, PlanClosed


class VenueUnavailableError(Exception):
    """The venue did not answer. What was asked of it may or may not have happened."""


class UnknownEventError(LookupError):
    """The venue was asked for events after one it never told: its memory and ours are not of one account."""


class DriftClient(Protocol):
    """One sub-account on one venue."""

    @property
    def name(self) -> str:
        """The venue's name, as ``sim``, ``velocity`` or ``drift_v2``."""
        ...

    async def markets(self) -> tuple[Market, ...]:
        """Return every market with what is known of it now."""
        ...

    async def place(self, approved: ApprovedPlan, now_ns: int) -> None:
        """Send a plan's orders. Returns when they were handed over; the outcome arrives as events."""
        ...

    async def cancel_all(self, now_ns: int) -> None:
        """Cancel every open order of the account; the plans close as events."""
        ...

    async def settle_pnl(self, market: str, now_ns: int) -> str | None:
        """Move a perp position's PnL to the quote balance; return the program's refusal, ``None`` when it was done.

        What was moved arrives as ``PnlSettled``.
        """
        ...

    async def observe(self, now_ns: int) -> AccountObserved:
        """Return the venue's own books, and the cursor they stand at."""
        ...

    async def events_since(self, cursor: int, now_ns: int) -> tuple[AccountEvent, ...]:
        """Return the account's events after ``cursor``, in order.

        Raises ``UnknownEventError`` where the venue never told of an event with that number.
        """
        ...

    async def resolve(self, plan_id: str, now_ns: int) -> PlanClosed | None:
        """Return a plan's proven outcome, ``None`` while it may still land.

        The answer is the plan's own ``PlanClosed`` of the stream. A plan the venue never saw and, being past its
        expiry, never can see, is closed there and then as ``never_landed``.
        """
        ...
