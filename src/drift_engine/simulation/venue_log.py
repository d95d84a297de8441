"""The paper venue's durable memory: its account events, and its state after the last of them.

SQLite with a write-ahead log and ``synchronous=FULL``: what was appended survives a kill at any line. Events and the
state they led to are one transaction, so the two never disagree; the venue appends before it tells anyone.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec
from msgspec import Struct

from drift_engine.core.types import AccountEvent
from drift_engine.simulation.books import BooksRecord
from drift_engine.simulation.liquidation import Progress
from drift_engine.simulation.models import Volume
from drift_engine.simulation.orders import OpenPlan
from drift_engine.simulation.quotes import QuoteRecord

Action = tuple[int, int, str, str]
"""When, in which order, what (open, arrive, expire, cancel), and of which plan."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS events (cursor INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS state (id INTEGER PRIMARY KEY CHECK (id = 1), body BLOB NOT NULL) STRICT;
"""


class VenueLogError(Exception):
    """A venue's log cannot be opened, read or written. One line: which, why, and how to mend it."""


class VenueRecord(Struct, frozen=True):
    """The venue's whole state on disk; its events are kept beside it."""

    books: BooksRecord
    plans: list[OpenPlan]
    actions: list[Action]
    missed: dict[str, int]
    taker: Volume
    maker: Volume
    progress: Progress
    quotes: dict[str, QuoteRecord]


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(AccountEvent).decode
_decode_state = msgspec.json.Decoder(VenueRecord).decode


class VenueLog:
    """One venue's log in one file. Raises ``VenueLogError`` where the file cannot be read or written."""

    def __init__(self, path: Path | str) -> None:
        self._path = path
        with self._told():
            self._db = sqlite3.connect(path, isolation_level=None)
            try:
                self._db.execute("PRAGMA journal_mode=WAL")
                self._db.execute("PRAGMA synchronous=FULL")
                self._db.executescript(_SCHEMA)
            except BaseException:
                self._db.close()
                raise

    def append(self, events: Sequence[AccountEvent], state: VenueRecord) -> None:
        """Keep events and the state after them, in one durable transaction."""
        rows = [(event.cursor, _encode(event)) for event in events]
        with self._told():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                self._db.executemany("INSERT INTO events VALUES (?, ?)", rows)
                self._db.execute("INSERT OR REPLACE INTO state VALUES (1, ?)", (_encode(state),))
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    def state(self) -> VenueRecord | None:
        """Return the last state, ``None`` in a new log."""
        with self._told():
            row = self._db.execute("SELECT body FROM state").fetchone()
            return None if row is None else _decode_state(row[0])

    def events(self) -> list[AccountEvent]:
        """Return every event, in order."""
        with self._told():
            return [_decode(body) for (body,) in self._db.execute("SELECT body FROM events ORDER BY cursor")]

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, msgspec.DecodeError, UnicodeDecodeError) as error:
            remedy = "free space on the disk, put back a copy, or begin anew with another --journal"
            raise VenueLogError(f"the paper venue's log {self._path}: {error}; {remedy}") from error
