"""The records a journal holds, one at a time, each checked against the chain before it counts.

A run that is taken up again is held to them: it must make the same records, byte for byte. Only what tells where and
when it was started may differ, so a run can be resumed from another place, and by a newer version that decides alike.
"""

from typing import TYPE_CHECKING, Final

from drift_engine.core.types import Event, RunStarted
from drift_engine.journal_record import (
    GENESIS,
    JournalError,
    JournalMismatchError,
    Line,
    Record,
    brief,
    checked,
    differences,
)

if TYPE_CHECKING:
    from drift_engine.journal_file import JournalFile

IGNORED: Final = frozenset(("ts_ns", "version", "config.data", "config.journal", "config.state"))


class Prefix:
    """What a journal holds, from its first record on. ``line`` is the record due, ``event`` its event."""

    __slots__ = ("_file", "_lines", "event", "line")

    event: Event
    line: Line

    def __init__(self, file: "JournalFile") -> None:
        self._file = file
        self._lines = file.lines()
        self._take(next(self._lines), 1, GENESIS)

    def advance(self) -> bool:
        """Move to the next record; ``False`` when there is none."""
        line = next(self._lines, None)
        if line is None:
            self._check_seal()
            return False
        self._take(line, self.line.seq + 1, self.line.chain)
        return True

    def expect(self, actual: Record, body: bytes) -> None:
        """Hold what a run made to the record due. Raises ``JournalMismatchError``."""
        if (actual.row, body) == (self.line.row, self.line.body):
            return
        same_kind = type(self.event) is type(actual.event)
        ignored = IGNORED if isinstance(self.event, RunStarted) else frozenset()
        found = differences(self.event, actual.event, ignored) if same_kind else ()
        if self.line.row != actual.row:
            found = (*found, f"row was {self.line.row}, is now {actual.row}")
        if found or not same_kind:
            raise JournalMismatchError(actual.seq, brief(self.event), brief(actual.event), found)

    def _take(self, line: Line, seq: int, previous: bytes) -> None:
        try:
            self.event = checked(line, seq, previous)
        except JournalError as error:
            raise JournalError(
                f"{self._file.path} is damaged at record {seq}: {error}; only a copy can mend it"
            ) from error
        self.line = line

    def _check_seal(self) -> None:
        seal = self._file.seal()
        if seal is not None and seal.seq > self.line.seq:
            held = f"{self.line.seq} of its {seal.seq} records"
            raise JournalError(f"{self._file.path} holds only {held}, the rest is gone; only a copy can mend it")
