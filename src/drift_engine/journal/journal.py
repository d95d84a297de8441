"""The journal: what the engine writes before it acts, and from which a run can be told again.

It has two homes. In memory it keeps the digest and the last decisions; in a file (``file``), every record.
With ``reference=True`` (backtests) market rows are counted and ticks left out, because the data itself holds them.
Nothing leaves the process, so records are committed at each chunk of rows, and need only outlive the process. Otherwise
everything is recorded; market rows wait at most 100 ms of the engine's time, and ``Submitted``, ``Filled``,
``StateChanged``, ``Commanded`` and ``RunStarted`` are on the disk, with all that went before them, when ``append``
returns: nothing leaves the process unwritten.

A journal that already holds a run can be taken up in two ways. ``resume=True``: the engine runs again from the start,
each append is compared with the record at its place, and writing begins where the records end. Or the engine reads
``records()``, applies them itself, and calls ``continue_after``. The chain is checked on both ways. ``replay=True`` is
the first way for one who only looks: nothing is ever written, and no lock is taken.

After a write failed the journal takes no more: a process that cannot write must stop.
"""

from collections import deque
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

from drift_engine.core.types import (
    Commanded,
    Decided,
    EngineState,
    Event,
    Filled,
    MarketUpdated,
    RowsRead,
    RunStarted,
    StateChanged,
    Submitted,
    Ticked,
)
from drift_engine.journal.prefix import Prefix
from drift_engine.journal.record import (
    GENESIS,
    Digest,
    JournalError,
    JournalMismatchError,
    Record,
    Seal,
    brief,
    encode,
    hashed,
    link_all,
)
from drift_engine.journal.waiting import Waiting

if TYPE_CHECKING:
    from drift_engine.journal.file import JournalFile

LAST_DECISIONS = 64
MAX_WAIT_NS = 100_000_000
MAX_WAITING = 512
_LIVE_COMMITS: Final = frozenset((RunStarted, Submitted, Filled, StateChanged, Commanded))
_REFERENCE_COMMITS: Final = frozenset((RunStarted, RowsRead))
_NEVER_NS = 2**63


class Journal:
    """The port the engine writes to.

    ``row`` counts the market rows appended, ``seq`` the records written or about to be. ``decisions`` holds the last
    ones. ``keep=True`` keeps every record in memory as well, for ``records()`` of a journal without a file.
    """

    def __init__(
        self,
        path: Path | None = None,
        *,
        reference: bool = False,
        resume: bool = False,
        replay: bool = False,
        keep: bool = False,
    ) -> None:
        self.path = path
        self.reference = reference
        self.replay = replay
        self.row = 0
        self.seq = 0
        self.decisions: deque[Record] = deque(maxlen=LAST_DECISIONS)
        self._commits = _REFERENCE_COMMITS if reference else _LIVE_COMMITS
        self._wait_ns = _NEVER_NS if reference else MAX_WAIT_NS
        self._kept: list[Record] | None = [] if keep else None
        self._digest = Digest()
        self._chain = GENESIS
        self._waiting = Waiting(self._digest)
        self._unsynced = False
        self._blocked = ""
        self._prefix: Prefix | None = None
        self._file: JournalFile | None = None
        if path is not None and replay:
            self._prefix = _prefix_to_read(path)
        elif path is not None:
            self._take_up(path, resume=resume)

    @classmethod
    def open(cls, path: Path | None = None, **how: bool) -> "Journal":
        """Open a file, or a journal in memory where ``path`` is ``None``; ``how`` as above. Raises ``JournalError``."""
        return cls(path, **how)

    @staticmethod
    def read(path: Path) -> Iterator[Record]:
        """Yield the records of a file, in order; it is only read."""
        from drift_engine.journal.reader import records

        return records(path)

    def _take_up(self, path: Path, *, resume: bool) -> None:
        from drift_engine.journal.file import JournalFile

        self._file = JournalFile(path, grow=not self.reference)
        try:
            last = self._file.last()
            if last is not None and resume:
                self._prefix = Prefix(path, self._file.lines(), self._file.seal)
        except BaseException:
            self._file.close()
            raise
        if last is not None and not resume:
            self._blocked = f"{path} already holds a run of {last.seq} records; resume it, or name another file"

    @property
    def verifying(self) -> bool:
        """Whether appends are still compared with what the journal holds."""
        return self._prefix is not None

    # ------------------------------------------------------------------ writing

    def append(self, event: Event) -> None:
        """Take in an event. Raises ``JournalError`` if it cannot be kept, ``JournalMismatchError`` if it differs."""
        kind = type(event)
        if kind is MarketUpdated:
            self.row += 1
            if self.reference:
                return
        elif kind is Ticked and self.reference:
            return
        if self._blocked:
            raise JournalError(self._blocked)
        self.seq += 1
        if kind is Decided or self._kept is not None:
            self._remember(Record(self.seq, self.row, event.ts_ns, event))
        if self._prefix is not None:
            self._compare(self._prefix, event)
        elif self._file is None:
            self._digest.update(hashed(event))
        else:
            self._await_commit(event, kind)

    def _await_commit(self, event: Event, kind: type) -> None:
        waiting = self._waiting.add(self.seq, self.row, event)
        if kind in self._commits:
            self.flush(durable=not self.reference)
        elif waiting >= MAX_WAITING or event.ts_ns - self._waiting.since_ns >= self._wait_ns:
            self.flush(durable=False)

    def _remember(self, record: Record) -> None:
        if self._kept is not None:
            self._kept.append(record)
        if type(record.event) is Decided:
            self.decisions.append(record)

    def flush(self, durable: bool = True) -> None:
        """Commit what waits in one transaction; when durable, all records are on the disk when this returns."""
        if self._file is None or not (self._waiting or (durable and self._unsynced)):
            return
        if self._blocked:
            raise JournalError(self._blocked)
        try:
            self._commit(self._file, durable=durable)
        except JournalError as error:
            self._blocked = str(error)
            raise

    def _commit(self, file: "JournalFile", *, durable: bool) -> None:
        if self._waiting:
            lines = link_all(self._chain, self._waiting.settle())
            file.write(lines, durable=durable)
            self._chain = lines[-1][-1]
            self._waiting.clear()
        else:
            self._seal(file)
        self._unsynced = not durable

    def _seal(self, file: "JournalFile") -> None:
        file.write_seal(Seal(self.seq, self._chain.hex()))

    def close(self) -> None:
        """Commit what waits, note the last record, close the file. A second call does nothing."""
        file, self._file = self._file, None
        if self._prefix is not None:
            self._prefix.close()
        if file is None:
            return
        try:
            if not self._blocked and self._prefix is None:
                self._finish(file)
        finally:
            self._blocked = f"{self.path} is closed; open it again"
            file.close()

    def _finish(self, file: "JournalFile") -> None:
        if self._waiting:
            self._commit(file, durable=True)
        if self.seq:
            self._seal(file)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # ------------------------------------------------------------------ taking up a run

    def peek(self) -> Record | None:
        """Return the record that the next append is compared with, ``None`` when there is none."""
        return None if self._prefix is None else self._prefix.record

    def unexpected(self, due: Record) -> JournalMismatchError:
        """Return the error of a run that should have made the record due by now, and did not."""
        expected = f"{brief(due.event)}, which this run does not make"
        return JournalMismatchError(due.seq, expected, "nothing", (f"the journal has {expected}",))

    def _compare(self, prefix: Prefix, event: Event) -> None:
        body = encode(event)
        self._digest.add(event, body)
        try:
            prefix.expect(Record(self.seq, self.row, event.ts_ns, event), body)
            self._chain = prefix.line.chain
            if not prefix.advance():
                self._prefix = None
        except JournalError as error:
            self._blocked = str(error)
            raise

    def records(self) -> Iterator[Record]:
        """Yield what the journal holds, the chain checked; when it is exhausted, ``continue_after`` may follow."""
        if self._file is None:
            yield from self._kept or ()
            return
        if self._prefix is not None or not self._blocked or self.seq:
            raise JournalError(f"{self.path} is being written; read it with the journal's reading tools")
        prefix = Prefix(self._file.path, self._file.lines(), self._file.seal)
        while True:
            record, line = prefix.record, prefix.line
            self._digest.add(record.event, line.body)
            self._remember(record)
            self.seq, self.row, self._chain = line.seq, line.row, line.chain
            yield record
            if not prefix.advance():
                return

    def continue_after(self, seq: int) -> None:
        """Begin to write after the last record. Raises ``JournalError`` where that is not record ``seq``."""
        if self._file is None or not self._blocked:
            raise JournalError("only a journal that was opened with a run in it can be continued")
        if not self.seq:
            deque(self.records(), maxlen=0)
        last = self._file.last()
        if last is None or not self.seq == last.seq == seq:
            raise JournalError(f"{self.path} was read up to record {self.seq}, cannot continue after record {seq}")
        self._blocked = ""

    # ------------------------------------------------------------------ what a run comes to

    def digest_hex(self, final_state: EngineState) -> str:
        """Return the digest of the run: decisions, plans, fills, settlements and the final state."""
        self._waiting.settle()
        return self._digest.hexdigest(final_state)


def _prefix_to_read(path: Path) -> Prefix:
    from drift_engine.journal import reader

    stored = reader.lines(path)
    try:
        return Prefix(path, stored, lambda: reader.seal(path))
    except StopIteration:
        raise JournalError(f"{path} holds no records yet; there is nothing to replay") from None
