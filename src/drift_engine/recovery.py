"""Start-up is recovery: a journal's run is lived through again, decision by decision, until its end.

While the journal verifies, whatever the engine writes is compared with the record that stands there. News from outside
is taken from the records; what the engine itself decides must come out the same, or ``JournalMismatchError`` says where
the program and the journal part. The executor is silent meanwhile: what was sent once is not sent again. At the end the
venue is asked for what came meanwhile and for its books: they are compared before the first decision.

A backtest's journal holds its market rows by reference: its driver feeds them and the venue anew, and only what no data
can give again (a human's ``resume``) is taken from here.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from drift_engine.clock import SimClock
from drift_engine.core.types import ApprovedPlan, Decided, EngineState, InFlight, StateChanged, Submitted, Ticked
from drift_engine.execution.ports import Executor
from drift_engine.journal import Journal

if TYPE_CHECKING:
    from drift_engine.engine import DriftEngine


class QuietExecutor:
    """An executor that does nothing while it is ``quiet``, and hands everything on when it is not."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor
        self.quiet = False

    @property
    def trouble(self) -> str | None:
        """Why the venue did not answer when it was last asked."""
        return self._executor.trouble

    def submit(self, approved: ApprovedPlan, now_ns: int) -> None:
        """Send a plan, unless quiet."""
        if not self.quiet:
            self._executor.submit(approved, now_ns)

    def cancel_all(self, now_ns: int) -> None:
        """Cancel every open order, unless quiet."""
        if not self.quiet:
            self._executor.cancel_all(now_ns)

    def follow_up(self, in_flight: Mapping[str, InFlight], cursor: int, now_ns: int) -> None:
        """Ask for what is missing or overdue, unless quiet."""
        if not self.quiet:
            self._executor.follow_up(in_flight, cursor, now_ns)

    def settle_pnl(self, market: str, now_ns: int) -> None:
        """Ask for a settlement, unless quiet."""
        if not self.quiet:
            self._executor.settle_pnl(market, now_ns)

    def transfer(self, amount_e6: int, now_ns: int) -> str | None:
        """Pay in or out, unless quiet: then nothing is on its way because of it."""
        return "this was asked before" if self.quiet else self._executor.transfer(amount_e6, now_ns)

    def observe(self, now_ns: int) -> None:
        """Ask for the venue's books, unless quiet."""
        if not self.quiet:
            self._executor.observe(now_ns)

    def catch_up(self, state: EngineState) -> None:
        """After a start: ask for what came meanwhile, and for the venue's books, before anything is decided."""
        self.follow_up(state.in_flight, state.venue_cursor, state.now_ns)
        self.observe(state.now_ns)


def replay(engine: "DriftEngine", journal: Journal, clock: SimClock) -> None:
    """Live through a journal that holds all its events, up to its end."""
    while (record := journal.peek()) is not None:
        event = record.event
        if isinstance(event, Ticked):
            clock.set(event.ts_ns, event.slot)
            engine.tick()
        elif _is_ours(event):
            raise journal.unexpected(record)
        else:
            engine.process(event)


def take_outside_news(engine: "DriftEngine", journal: Journal) -> None:
    """Process what a human wrote into the journal at this point of the run."""
    while (record := journal.peek()) is not None and _is_resume(record.event):
        engine.process(record.event)


def was_sent(journal: Journal) -> bool:
    """Whether the decision just lived through again was followed by its order; a run may have died between the two."""
    due = journal.peek()
    return due is not None and isinstance(due.event, Submitted)


def _is_ours(event: object) -> bool:
    """Whether the engine itself makes such an event: then it should have been made by now."""
    return isinstance(event, Decided | Submitted) or (isinstance(event, StateChanged) and not _is_resume(event))


def _is_resume(event: object) -> bool:
    return isinstance(event, StateChanged) and event.cause == "resume"
