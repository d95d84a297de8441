"""The records a journal holds, one at a time, each checked against the chain before it counts.

A run that is taken up again is held to them: it must make the same records, byte for byte. Only what tells where and
when it was started may differ, so a run can be resumed from another place, and by a newer version that decides alike.
"""

from collections.abc import Callable, Generator
from pathlib import Path
from typing import Final

from drift_engine.core.types import RunStarted
from drift_engine.journal.record import (
    GENESIS,
    JournalDamagedError,
    JournalError,
    JournalMismatchError,
    Line,
    Record,
    Seal,
    brief,
    checked,
    differences,
)

IGNORED: Final = frozenset(("ts_ns", "version", "config.data", "config.journal", "config.state"))


class Prefix:
    """What a journal holds, from its first record on. ``line`` and ``record`` are the ones due."""

    __slots__ = ("_lines", "_path", "_seal", "line", "record")

    line: Line
    record: Record

    def __init__(self, path: Path, lines: Generator[Line], seal: Callable[[], Seal | None]) -> None:
        self._path = path
        self._lines = lines
        self._seal = seal
        self._take(next(lines), 1, GENESIS)

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
        expected = self.record.event
        same_kind = type(expected) is type(actual.event)
        ignored = IGNORED if isinstance(expected, RunStarted) else frozenset()
        found = differences(expected, actual.event, ignored) if same_kind else ()
        if self.line.row != actual.row:
            found = (*found, f"row was {self.line.row}, is now {actual.row}")
        if found or not same_kind:
            raise JournalMismatchError(actual.seq, brief(expected), brief(actual.event), found)

    def close(self) -> None:
        """Read no further."""
        self._lines.close()

    def _take(self, line: Line, seq: int, previous: bytes) -> None:
        try:
            event = checked(line, seq, previous)
        except JournalError as error:
            raise JournalDamagedError(
                f"{self._path} is damaged at record {seq}: {error}; only a copy can mend it"
            ) from error
        self.line, self.record = line, Record(line.seq, line.row, line.ts_ns, event)

    def _check_seal(self) -> None:
        seal = self._seal()
        if seal is not None and seal.seq > self.line.seq:
            held = f"{self.line.seq} of its {seal.seq} records"
            raise JournalDamagedError(f"{self._path} holds only {held}, the rest is gone; only a copy can mend it")
