"""What the engine asks of an executor; simulated and live ones answer alike."""

from collections.abc import Mapping
from typing import Protocol

from drift_engine.core.types import ApprovedPlan, InFlight


class Executor(Protocol):
    """Hands approved plans to a venue, and finds out what became of them. What it learns arrives in the inbox.

    No method waits for the venue: a live executor does its network calls in tasks of their own.
    """

    @property
    def trouble(self) -> str | None:
        """Why the venue did not answer when it was last asked; ``None`` where it did."""
        ...

    def submit(self, approved: ApprovedPlan, now_ns: int) -> None:
        """Send a plan. It stays in flight until a ``PlanClosed`` arrives."""
        ...

    def cancel_all(self, now_ns: int) -> None:
        """Cancel every open order."""
        ...

    def follow_up(self, in_flight: Mapping[str, InFlight], cursor: int, now_ns: int) -> None:
        """Ask again for what should have arrived: events after ``cursor`` that are missing, overdue plans."""
        ...

    def settle_pnl(self, market: str, now_ns: int) -> None:
        """Ask that a position's PnL is moved to the quote balance; ``PnlSettled`` tells when it was."""
        ...

    def transfer(self, amount_e6: int, now_ns: int) -> str | None:
        """Pay the quote asset in, or out where it is negative; return why not, ``None`` where it was asked for.

        ``Deposited`` or ``Withdrawn`` tells when it was done.
        """
        ...

    def observe(self, now_ns: int) -> None:
        """Ask for the venue's own books; they arrive as ``AccountObserved``."""
        ...
