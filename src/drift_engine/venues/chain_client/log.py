"""A chain client's durable memory: which plan is which transaction, and which event had which number.

SQLite with a write-ahead log and ``synchronous=FULL``: what was kept survives a kill at any line. A plan's signature is
kept before its bytes leave, so that whatever happens then, the chain can be asked what became of it. An event's number
is given once: events of a transaction, the orders it opened or ended, and the mark that it was read are one
transaction.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec
from msgspec import Struct
from solders.signature import Signature

from drift_engine.core.types import AccountEvent, InterestAccrued, PlanClosed, TradePlan
from drift_engine.venues.transactions.sending import Sent

_SCHEMA = """
CREATE TABLE IF NOT EXISTS plans (
    plan_id TEXT PRIMARY KEY, plan BLOB, signature TEXT UNIQUE, last_height INTEGER
) STRICT;
CREATE TABLE IF NOT EXISTS events (
    cursor INTEGER PRIMARY KEY, signature TEXT NOT NULL, number INTEGER NOT NULL, body BLOB NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS read (id INTEGER PRIMARY KEY, signature TEXT UNIQUE NOT NULL, slot INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS orders (
    order_id INTEGER PRIMARY KEY, plan_id TEXT NOT NULL, leg INTEGER NOT NULL, ended TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS by_plan ON events (json_extract(CAST(body AS TEXT), '$.plan_id'));
CREATE INDEX IF NOT EXISTS by_market ON events (json_extract(CAST(body AS TEXT), '$.market'));
CREATE TABLE IF NOT EXISTS account (id INTEGER PRIMARY KEY CHECK (id = 1), name TEXT NOT NULL) STRICT;
"""
_BY_PLAN = """
SELECT body FROM events WHERE json_extract(CAST(body AS TEXT), '$.plan_id') = ?
AND json_extract(CAST(body AS TEXT), '$.type') = ? ORDER BY cursor
"""
_BY_MARKET = """
SELECT body FROM events WHERE json_extract(CAST(body AS TEXT), '$.market') = ?
AND json_extract(CAST(body AS TEXT), '$.type') = ? ORDER BY cursor DESC LIMIT 1
"""
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(AccountEvent).decode
_decode_plan = msgspec.json.Decoder(TradePlan).decode


class PlanOrder(Struct, frozen=True):
    """An order that a plan opened on the chain. ``ended``: how it ended, empty while it is open."""

    order_id: int
    plan_id: str
    leg: int
    ended: str = ""


class ForeignLogError(ValueError):
    """The log is of another account."""


class ClientLog:
    """One account's log in one file. Raises ``sqlite3.Error`` where the file cannot be read or written."""

    def __init__(self, path: Path | str, account: str) -> None:
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")
        self._db.executescript(_SCHEMA)
        self._db.execute("INSERT OR IGNORE INTO account VALUES (1, ?)", (account,))
        (kept,) = self._db.execute("SELECT name FROM account").fetchone()
        if kept != account:
            self._db.close()
            raise ForeignLogError(f"{path} is the log of {kept}, not of {account}: name another file")

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    @property
    def cursor(self) -> int:
        """The number of the last event, 0 for none."""
        return int(self._db.execute("SELECT coalesce(max(cursor), 0) FROM events").fetchone()[0])

    def keep(self, plan: TradePlan, sent: Sent) -> None:
        """Keep a plan's signature, before its bytes leave. Raises ``sqlite3.IntegrityError`` for one kept before."""
        row = (plan.plan_id, _encode(plan), str(sent.signature), sent.last_valid_block_height)
        self._db.execute("INSERT INTO plans VALUES (?, ?, ?, ?)", row)

    def knows(self, plan_id: str) -> bool:
        """Whether a plan was kept or closed before."""
        return self.sent(plan_id) is not None or self.closed(plan_id) is not None

    def sent(self, plan_id: str) -> Sent | None:
        """Return a plan's transaction (without its bytes), ``None`` where none was signed."""
        row = self._db.execute("SELECT signature, last_height FROM plans WHERE plan_id = ?", (plan_id,)).fetchone()
        return None if row is None else Sent(Signature.from_string(row[0]), row[1])

    def plan(self, plan_id: str) -> TradePlan:
        """Return a kept plan."""
        (body,) = self._db.execute("SELECT plan FROM plans WHERE plan_id = ?", (plan_id,)).fetchone()
        return _decode_plan(body)

    def plan_of(self, signature: str) -> TradePlan | None:
        """Return the plan that a transaction is, ``None`` where it is none of ours."""
        row = self._db.execute("SELECT plan FROM plans WHERE signature = ?", (signature,)).fetchone()
        return None if row is None else _decode_plan(row[0])

    def order(self, order_id: int) -> PlanOrder | None:
        """Return what is known of an order, ``None`` where no plan of ours opened it."""
        row = self._db.execute("SELECT * FROM orders WHERE order_id = ?", (order_id,)).fetchone()
        return None if row is None else PlanOrder(*row)

    def orders_of(self, plan_id: str) -> dict[int, PlanOrder]:
        """Return a plan's orders by their ids."""
        rows = self._db.execute("SELECT * FROM orders WHERE plan_id = ?", (plan_id,))
        return {row[0]: PlanOrder(*row) for row in rows}

    def was_read(self, signature: str) -> bool:
        """Whether a transaction's events are in the log."""
        return self._db.execute("SELECT 1 FROM read WHERE signature = ?", (signature,)).fetchone() is not None

    @property
    def newest(self) -> tuple[str, int] | None:
        """The transaction read last and its slot."""
        row = self._db.execute("SELECT signature, slot FROM read ORDER BY id DESC LIMIT 1").fetchone()
        return None if row is None else (row[0], row[1])

    def append(
        self,
        events: Sequence[AccountEvent],
        signature: str = "",
        slot: int | None = None,
        orders: Iterable[PlanOrder] = (),
    ) -> None:
        """Number events durably; with a ``slot``, the transaction was read to its end by this."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            rows = [(event.cursor, signature, number, _encode(event)) for number, event in enumerate(events)]
            self._db.executemany("INSERT INTO events VALUES (?, ?, ?, ?)", rows)
            changed = [(each.order_id, each.plan_id, each.leg, each.ended) for each in orders]
            self._db.executemany("INSERT OR REPLACE INTO orders VALUES (?, ?, ?, ?)", changed)
            if slot is not None:
                self._db.execute("INSERT INTO read (signature, slot) VALUES (?, ?)", (signature, slot))
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def after(self, cursor: int) -> tuple[AccountEvent, ...]:
        """Return the events after a number, in order."""
        rows = self._db.execute("SELECT body FROM events WHERE cursor > ? ORDER BY cursor", (cursor,))
        return tuple(_decode(body) for (body,) in rows)

    def closed(self, plan_id: str) -> PlanClosed | None:
        """Return a plan's outcome, ``None`` while it has none."""
        found = self._of(_BY_PLAN, plan_id, "PlanClosed")
        return found[0] if found and isinstance(found[0], PlanClosed) else None

    def fills(self, plan_id: str) -> tuple[AccountEvent, ...]:
        """Return a plan's fills."""
        return self._of(_BY_PLAN, plan_id, "Filled")

    def interest(self, market: str) -> tuple[int, int] | None:
        """Return a spot market's cumulative interest as last told: of deposits and of borrows, 1e10."""
        found = self._of(_BY_MARKET, market, "InterestAccrued")
        last = found[0] if found else None
        return (last.deposit_e10, last.borrow_e10) if isinstance(last, InterestAccrued) else None

    def _of(self, query: str, value: str, kind: str) -> tuple[AccountEvent, ...]:
        return tuple(_decode(body) for (body,) in self._db.execute(query, (value, kind)))
