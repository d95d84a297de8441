"""Reading a journal from outside, also while another process writes it. Nothing here writes, or makes a file beside it.

A journal that was closed is one file and is read as it lies. Beside one that is being written, or whose writer was
killed, lie SQLite's WAL and its index; it is read through them. A WAL without an index (someone copied the files) is
read in a temporary copy.
"""

import shutil
import sqlite3
from collections.abc import Collection, Generator, Iterator
from contextlib import ExitStack, closing, contextmanager
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

from msgspec import Struct

from drift_engine.core.types import Decided, Event, Filled, PlanClosed, RunStarted, Submitted
from drift_engine.journal.file import check_identity, identify, read_lines, read_lines_back, read_seal, translated
from drift_engine.journal.record import (
    GENESIS,
    Digest,
    JournalDamagedError,
    JournalError,
    Line,
    Record,
    Seal,
    checked,
    decode,
)


class VerifyReport(Struct, frozen=True):
    """What a journal is worth. ``digest`` is that of its records, without the final state of a run.

    ``records`` counts the good ones; ``first_bad_seq`` is the number of the first that is not, ``None`` where all are.
    """

    ok: bool
    records: int
    rows: int
    first_bad_seq: int | None
    reason: str
    digest: str


def verify(path: Path) -> VerifyReport:
    """Check every record, their chain, and the file itself. Raises ``JournalError`` for what is no journal."""
    _identify(path)
    scan = _Scan()
    try:
        with _reading(path) as db:
            db.execute("BEGIN")
            for line in read_lines(db):
                scan.take(line)
            scan.finish(db)
    except JournalError as error:
        return scan.report(scan.seq + 1, str(error))
    return scan.report(None, "")


def records(path: Path, after: int = 0) -> Iterator[Record]:
    """Yield the records after number ``after``, in order."""
    with _reading(path) as db:
        yield from map(_record, read_lines(db, after))


def lines(path: Path) -> Generator[Line]:
    """Yield the records as they are stored."""
    with _reading(path) as db:
        yield from read_lines(db)


def seal(path: Path) -> Seal | None:
    """Return the seal of the last clean close."""
    with _reading(path) as db:
        return read_seal(db)


def run_started(path: Path) -> RunStarted | None:
    """Return what a journal says of its run, ``None`` where it is still empty."""
    with _reading(path) as db:
        first = next(read_lines(db, upto=1), None)
    event = None if first is None else decode(first.body)
    return event if isinstance(event, RunStarted) else None


def tail(path: Path, n: int = 10, types: Collection[str] = ()) -> list[Record]:
    """Return the last ``n`` records, in order; only those of these types where any are named."""
    with _reading(path) as db:
        lines = (line for line in read_lines_back(db) if not types or line.type in types)
        return [_record(line) for line in islice(lines, n)][::-1]


def export(path: Path) -> Iterator[str]:
    """Yield each record as one line of JSON: ``seq``, ``row``, ``chain`` and the event with its ``type``.

    Raises ``JournalError`` at a record that is none: what was yielded before it is whole.
    """
    with _reading(path) as db:
        for line in read_lines(db):
            _record(line)
            yield f'{{"seq":{line.seq},"row":{line.row},"chain":"{line.chain.hex()}","event":{line.body.decode()}}}'


def decisions(path: Path) -> Iterator[Record]:
    """Yield the decisions, in order."""
    with _reading(path) as db:
        yield from (_record(line) for line in read_lines(db) if line.type == Decided.__name__)


def find_decision(path: Path, seq: int | None = None) -> Record | None:
    """Return the decision behind record ``seq``: of the plan it is about, else the last up to it; the last without one.

    ``None`` where there is no such decision. Raises ``JournalError`` where there is no such record.
    """
    with _reading(path) as db:
        plan_id = "" if seq is None else _plan_id(_at(db, path, seq))
        for line in read_lines_back(db, seq):
            if line.type == Decided.__name__:
                record = _record(line)
                if not plan_id or _plan_id(record.event) == plan_id:
                    return record
    return None


def _at(db: sqlite3.Connection, path: Path, seq: int) -> Event:
    line = next(read_lines_back(db, seq), None)
    if line is None or line.seq != seq:
        raise JournalError(f"{path} has no record {seq}; `drift-engine journal tail` shows the last ones")
    return _record(line).event


def _plan_id(event: Event) -> str:
    if isinstance(event, Decided | Submitted):
        return event.plan.plan_id
    return event.plan_id if isinstance(event, Filled | PlanClosed) else ""


def _record(line: Line) -> Record:
    try:
        return Record(line.seq, line.row, line.ts_ns, decode(line.body))
    except JournalError as error:
        raise JournalDamagedError(f"record {line.seq} is damaged: {error}") from error


@contextmanager
def _reading(path: Path) -> Iterator[sqlite3.Connection]:
    if not path.exists():
        raise JournalError(f"there is no journal at {path}")
    if not _identify(path):
        raise JournalError(f"{path} is empty: no run has written to it yet")
    with translated(path), ExitStack() as stack:
        db = stack.enter_context(closing(_connect(path, stack)))
        check_identity(
            path, *(db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version"))
        )
        if db.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'events'").fetchone() == (0,):
            raise JournalError(f"{path} is empty: no run has written to it yet")
        yield db


def _identify(path: Path) -> bool:
    """As ``identify``. Beside a WAL SQLite alone opens the file: its locks go when this process closes it elsewhere."""
    return Path(f"{path}-wal").exists() or identify(path)


def _connect(path: Path, stack: ExitStack) -> sqlite3.Connection:
    wal, index = Path(f"{path}-wal"), Path(f"{path}-shm")
    if not wal.exists():
        return _open(path, "immutable=1")
    if index.exists():
        return _open(path, "mode=ro")
    scratch = Path(stack.enter_context(TemporaryDirectory(prefix="drift-engine-")))
    for file in (path, wal):
        shutil.copy(file, scratch)
    return _open(scratch / path.name, "mode=rw")


def _open(path: Path, how: str) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?{how}", uri=True, isolation_level=None)


class _Scan:
    """The state of a verification: how far it came, and what it hashed."""

    def __init__(self) -> None:
        self.seq = 0
        self._rows = 0
        self._chain = GENESIS
        self._digest = Digest()

    def take(self, line: Line) -> None:
        """Check the next record."""
        event = checked(line, self.seq + 1, self._chain)
        if line.row < self._rows:
            raise JournalDamagedError(f"it stands at row {line.row}, the record before it at row {self._rows}")
        self._digest.add(event, line.body)
        self.seq, self._rows, self._chain = line.seq, line.row, line.chain

    def finish(self, db: sqlite3.Connection) -> None:
        """Check the end, and the file's own structure."""
        self._check_seal(read_seal(db), db)
        (said,) = db.execute("PRAGMA quick_check(1)").fetchone()
        if said != "ok":
            raise JournalDamagedError(f"the records are whole, but the file is not: {said}")

    def _check_seal(self, seal: Seal | None, db: sqlite3.Connection) -> None:
        if seal is None:
            return
        if seal.seq > self.seq:
            raise JournalDamagedError(
                f"records {self.seq + 1} to {seal.seq} were there when it was closed, and are gone"
            )
        line = next(read_lines_back(db, seal.seq), None)
        if line is None or line.chain.hex() != seal.chain:
            raise JournalDamagedError(f"record {seal.seq} is not the one that was there when it was closed")

    def report(self, first_bad_seq: int | None, reason: str) -> VerifyReport:
        """Sum up."""
        ok = first_bad_seq is None
        return VerifyReport(ok, self.seq, self._rows, first_bad_seq, reason, self._digest.hexdigest())
