"""A journal's file: SQLite in WAL mode, one process writing, any number reading.

A commit with ``synchronous=FULL`` has reached the disk when it returns; one with NORMAL survives the death of the
process, though not a power cut. The WAL is filled with zeros up to its checkpoint size beforehand (SQLite stops reading
at the first frame without a valid checksum), so that a commit overwrites blocks it has and syncs data alone.

The header is written before WAL mode begins, so that it tells friend from foe without opening the database:
``application_id`` names the program, ``user_version`` the format. The writer holds a lock on ``PATH-lock``, which the
kernel drops with the process. ``meta.sealed`` keeps the last record known at a clean close, so that a lost tail shows.
"""

import fcntl
import os
import sqlite3
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from drift_engine.journal.record import Columns, JournalDamagedError, JournalError, Line, Seal, short

FORMAT = 1
APPLICATION_ID = 0x44524A4C
MAGIC = b"SQLite format 3\0"
PAGE_BYTES = 4096
CHECKPOINT_PAGES = 256
BATCH = 1000

_HEADER_BYTES = 100
_FRAME_BYTES = PAGE_BYTES + 24
_WAL_BYTES = (CHECKPOINT_PAGES + 64) * _FRAME_BYTES
_LOCK_TRIES = 20
_LOCK_WAIT_S = 0.01
_SCHEMA = (
    "CREATE TABLE meta(name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID",
    "CREATE TABLE events(seq INTEGER PRIMARY KEY, row INTEGER, ts_ns INTEGER, type TEXT, body BLOB, chain BLOB)",
)
_INSERT = "INSERT INTO events VALUES(?, ?, ?, ?, ?, ?)"
_SELECT = "SELECT seq, row, ts_ns, type, body, chain FROM events "


def identify(path: Path) -> bool:
    """Say whether a file is a journal (``False``: it is empty or absent). Raises ``JournalError`` for a foreign one."""
    try:
        with path.open("rb") as file:
            header = file.read(_HEADER_BYTES)
    except FileNotFoundError:
        return False
    except OSError as error:
        raise JournalError(f"cannot read {path}: {error.strerror}") from error
    if not header:
        return False
    if len(header) < _HEADER_BYTES or not header.startswith(MAGIC):
        raise JournalError(f"{path} is not a journal; name another file")
    check_identity(path, int.from_bytes(header[68:72], "big"), int.from_bytes(header[60:64], "big"))
    return True


def check_identity(path: Path, application_id: int, version: int) -> None:
    """Raise ``JournalError`` for a database that is no journal, or a journal this version cannot read."""
    if application_id != APPLICATION_ID:
        raise JournalError(f"{path} is a database of another program; name another file")
    if version > FORMAT:
        raise JournalError(
            f"{path} has journal format {version}, this version reads up to {FORMAT}; upgrade drift-engine"
        )


_DAMAGED = "`drift-engine journal verify` says where, a copy of the file is the remedy"


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turn what SQLite and the system say into a ``JournalError`` that says how to mend it."""
    try:
        yield
    except sqlite3.Error as error:
        raise (JournalDamagedError if _is_damage(error) else JournalError)(f"{path}: {_remedy(error)}") from error
    except UnicodeDecodeError as error:  # what SQLite says of a damaged schema quotes the damage
        raise JournalDamagedError(f"{path}: damaged ({error}); {_DAMAGED}") from error
    except OSError as error:
        raise JournalError(f"{path}: {error.strerror}; free or mend the disk and start again") from error


def _is_damage(error: sqlite3.Error) -> bool:
    name = getattr(error, "sqlite_errorname", "")
    return name == "SQLITE_NOTADB" or name.startswith("SQLITE_CORRUPT")


def _remedy(error: sqlite3.Error) -> str:
    name = getattr(error, "sqlite_errorname", "")
    if name == "SQLITE_FULL" or name.startswith("SQLITE_IOERR"):
        return f"cannot write ({error}); nothing was half-written; free space on the disk and start again"
    if _is_damage(error):
        return f"damaged ({error}); {_DAMAGED}"
    if name.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM")):
        return f"cannot open ({error}); check the permissions of the file and its directory"
    return str(error)


def read_lines(db: sqlite3.Connection, after: int = 0, upto: int | None = None) -> Iterator[Line]:
    """Yield records in order, in batches, so that no long read holds back the writer's checkpoints."""
    while True:
        rows = db.execute(
            _SELECT + "WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?", (after, upto or 2**62, BATCH)
        ).fetchall()
        yield from map(Line._make, rows)
        if len(rows) < BATCH:
            return
        after = rows[-1][0]


def read_lines_back(db: sqlite3.Connection, upto: int | None = None) -> Iterator[Line]:
    """Yield records from the last (or from ``upto``) to the first, in batches."""
    before = 2**62 if upto is None else upto + 1
    while True:
        rows = db.execute(_SELECT + "WHERE seq < ? ORDER BY seq DESC LIMIT ?", (before, BATCH)).fetchall()
        yield from map(Line._make, rows)
        if len(rows) < BATCH:
            return
        before = rows[-1][0]


def read_seal(db: sqlite3.Connection) -> Seal | None:
    """Return the seal of the last clean close, ``None`` where there was none."""
    row = db.execute("SELECT value FROM meta WHERE name = 'sealed'").fetchone()
    if row is None:
        return None
    seq, _, chain = str(row[0]).partition(":")
    if not seq.isdecimal():
        raise JournalDamagedError(f"its seal is damaged: {short(repr(row[0]))}")
    return Seal(int(seq), chain)


class JournalFile:
    """The writer's end. Every write is a transaction: all of it, or nothing."""

    def __init__(self, path: Path, *, grow: bool) -> None:
        self.path = path
        if not path.parent.is_dir():
            raise JournalError(f"cannot create {path}: its directory does not exist; create it first")
        self._lock = _take_lock(path)
        try:
            known = identify(path)
            with translated(path):
                self._db = _connect(path, known=known)
                if grow:
                    _grow_wal(path)
        except BaseException:
            self._drop_lock()
            raise
        self._durable = True

    def last(self) -> Line | None:
        """Return the last record, ``None`` in a new journal. Raises ``JournalError`` where there should be one."""
        with translated(self.path):
            line = next(read_lines_back(self._db), None)
        if line is None and self.seal() is not None:
            raise JournalDamagedError(f"{self.path} held a run once, its records are gone; name another file")
        return line

    def lines(self) -> Generator[Line]:
        """Yield every record in order."""
        with translated(self.path):
            yield from read_lines(self._db)

    def seal(self) -> Seal | None:
        """Return the seal of the last clean close."""
        with translated(self.path):
            return read_seal(self._db)

    def write(self, lines: Sequence[Columns], *, durable: bool) -> None:
        """Write records in one transaction; when durable, they are on the disk when this returns."""
        with translated(self.path):
            self._synchronous(full=durable)
            if len(lines) == 1:
                self._db.execute(_INSERT, lines[0])
                return
            with self._transaction():
                self._db.executemany(_INSERT, lines)

    def write_seal(self, seal: Seal) -> None:
        """Note the last record, durably."""
        with translated(self.path):
            self._synchronous(full=True)
            self._db.execute("INSERT OR REPLACE INTO meta VALUES('sealed', ?)", (f"{seal.seq}:{seal.chain}",))

    def close(self) -> None:
        """Close the database and let go of the lock."""
        try:
            with translated(self.path):
                self._db.close()
        finally:
            self._drop_lock()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

    def _synchronous(self, *, full: bool) -> None:
        if full is not self._durable:
            self._db.execute("PRAGMA synchronous = FULL" if full else "PRAGMA synchronous = NORMAL")
            self._durable = full

    def _drop_lock(self) -> None:
        _lock_path(self.path).unlink(missing_ok=True)
        os.close(self._lock)


def _connect(path: Path, *, known: bool) -> sqlite3.Connection:
    db = sqlite3.connect(path, isolation_level=None)
    try:
        db.execute("PRAGMA synchronous = FULL")
        tables = {name for (name,) in db.execute("SELECT name FROM sqlite_schema")} if known else set()
        if "events" not in tables:
            _create(db)
        db.execute("PRAGMA journal_mode = WAL")
        db.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
        db.execute("SELECT count(*) FROM meta").fetchone()
    except BaseException:
        db.close()
        raise
    return db


def _create(db: sqlite3.Connection) -> None:
    db.execute(f"PRAGMA page_size = {PAGE_BYTES}")
    db.execute("BEGIN IMMEDIATE")
    db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    db.execute(f"PRAGMA user_version = {FORMAT}")
    for statement in _SCHEMA:
        db.execute(statement)
    meta = (("format", str(FORMAT)), ("created", datetime.now(UTC).isoformat(timespec="seconds")))
    db.executemany("INSERT INTO meta VALUES(?, ?)", meta)
    db.execute("COMMIT")


def _grow_wal(path: Path) -> None:
    with Path(f"{path}-wal").open("r+b") as wal:
        missing = _WAL_BYTES - wal.seek(0, os.SEEK_END)
        if missing > 0:
            wal.write(bytes(missing))
            wal.flush()
            os.fsync(wal.fileno())


def _lock_path(path: Path) -> Path:
    return Path(f"{path}-lock")


def _take_lock(path: Path) -> int:
    name = _lock_path(path)
    for _ in range(_LOCK_TRIES):
        with translated(path):
            lock = os.open(name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.pread(lock, 20, 0).decode(errors="replace")
            os.close(lock)
            raise JournalError(f"{path} is in use by process {owner}; stop it first, or name another file") from None
        if _is_current(name, lock):
            os.ftruncate(lock, 0)
            os.pwrite(lock, str(os.getpid()).encode(), 0)
            return lock
        os.close(lock)
        time.sleep(_LOCK_WAIT_S)
    raise JournalError(f"cannot lock {path}: other processes keep opening and closing it; try again")


def _is_current(name: Path, lock: int) -> bool:
    try:
        return os.path.samestat(name.stat(), os.fstat(lock))
    except FileNotFoundError:
        return False
