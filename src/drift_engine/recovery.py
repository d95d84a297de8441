"""Start-up is recovery: a journal's run is lived through again, decision by decision, until its end.

While the journal verifies, whatever the engine writes is compared with the record that stands there. News from outside
is taken from the records; what the engine itself decides must come out the same, or the journal does not belong to this
program and ``JournalMismatchError`` says where. The executor is silent meanwhile: what was sent once is not sent again.

A backtest's journal holds its market rows by reference, so its driver feeds them anew and only news of the journal that
no data can give again (a human's ``resume``) is taken from here.
"""

from typing import TYPE_CHECKING

from drift_engine.clock import SimClock
from drift_engine.config import ConfigError
from drift_engine.core.types import Decided, Event, RunStarted, StateChanged, Submitted, Ticked
from drift_engine.journal import Journal
from drift_engine.strategies.base import drive

if TYPE_CHECKING:
    from drift_engine.engine import DriftEngine


def first_event(journal: Journal, started: RunStarted) -> RunStarted:
    """Return the journal's own RunStarted, the given one for a new journal. A different run is a ``ConfigError``."""
    before = journal.peek()
    if before is None:
        return started
    if not isinstance(before, RunStarted):
        raise ConfigError("the journal does not begin with the start of a run; take another file")
    for what, old, new in (("strategy", before.strategy, started.strategy), ("mode", before.mode, started.mode)):
        if old != new:
            raise ConfigError(f"the journal is of another run: {what} was {old!r} and is {new!r}; take another file")
    _refuse_difference(before.config, started.config, "")
    _refuse_difference(before.params, started.params, "parameter ")
    _refuse_difference(before.sources, started.sources, "data ")
    return before


def _refuse_difference(old: dict[str, str], new: dict[str, str], what: str) -> None:
    for key in sorted(old.keys() | new.keys()):
        if old.get(key) != new.get(key):
            raise ConfigError(
                f"the journal is of another run: {what}{key} was {old.get(key)!r} and is {new.get(key)!r};"
                " take another file or the old setting"
            )


def replay(engine: "DriftEngine", journal: Journal, clock: SimClock) -> None:
    """Live through a journal that holds all its events, up to its end."""
    while (event := journal.peek()) is not None:
        if isinstance(event, Ticked):
            clock.set(event.ts_ns)
            drive(engine.tick())
        else:
            take(engine, event)


def take_outside_news(engine: "DriftEngine", journal: Journal) -> None:
    """Process what a human wrote into the journal at this point of the run."""
    while isinstance(event := journal.peek(), StateChanged) and event.cause == "resume":
        engine.process(event)


def take(engine: "DriftEngine", event: Event) -> None:
    """Process news from outside; a decision found here is one that the engine did not come to again."""
    if isinstance(event, Decided | Submitted) or (isinstance(event, StateChanged) and event.cause != "resume"):
        raise engine.not_reproduced(event)
    engine.process(event)
