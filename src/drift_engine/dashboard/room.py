"""The control room: everything the page's server knows, and the tasks that keep it up to date.

Statuses come from the manager, records from the journals, lines from the logs; all of it goes into one stream. The
requests of browsers only read from here.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from msgspec import to_builtins

from drift_engine.background import Background
from drift_engine.core.types import AccountObserved, Decided, InterestAccrued, MarketUpdated, RowsRead, Ticked
from drift_engine.dashboard.bells import Bells
from drift_engine.dashboard.fleet import Fleet, Status
from drift_engine.dashboard.logs import LogTail
from drift_engine.dashboard.replica import decision
from drift_engine.dashboard.stream import Stream, frame
from drift_engine.dashboard.tail import Tail
from drift_engine.journal import Record

_QUIET = (Ticked, MarketUpdated, RowsRead, InterestAccrued, AccountObserved)
_LOG_PAUSE_S = 0.5
_RING_PAUSE_S = 0.5


class Room:
    """The fleet, the stream, and a journal's tail and a log's tail for each engine."""

    def __init__(self, state_dir: Path) -> None:
        self.state_dir = state_dir
        self.stream = Stream()
        self.fleet = Fleet(state_dir, self._heard)
        self.bells = Bells(self.fleet, self.stream)
        self.fleet.alerts = self.bells.active
        self.tails: dict[str, Tail] = {}
        self.differences: dict[str, str] = {}
        self.refusals: dict[str, int] = {}
        self._logs: dict[str, LogTail] = {}
        self.work = Background()

    @asynccontextmanager
    async def open(self) -> AsyncIterator["Room"]:
        """Keep up to date for as long as the context lasts."""
        await self.fleet.beat()
        for work in (self.fleet.run, self.stream.run, self._follow_logs, self._ring):
            self.work.keep(work.__qualname__, work)
        try:
            yield self
        finally:
            await self.work.close()

    def greeting(self) -> bytes:
        """Return what a new client of the stream is told first: every status as it is."""
        return b"".join(frame("status", status) for status in self.fleet.statuses())

    def tail(self, name: str) -> Tail | None:
        """Return an engine's journal, followed; ``None`` where it has not been looked for yet."""
        return self.tails.get(name)

    def _heard(self, status: Status) -> None:
        name = status["engine"]
        if name not in self.tails:
            self._follow(name)
        self._compare(name, status)
        self.stream.publish("status", status)

    def _follow(self, name: str) -> None:
        tail = Tail(self.state_dir / f"{name}.journal", lambda record: self._tell(name, record))
        self.tails[name], self._logs[name] = tail, LogTail(self.state_dir / f"{name}.log")
        self.work.keep(f"journal of {name}", tail.run)

    def _compare(self, name: str, status: Status) -> None:
        if status.get("status") not in ("RUNNING", "EMERGENCY"):
            return
        found = self.tails[name].replica.differs(status.get("seq") or 0, status.get("equity_e6"))
        if found is None:
            self.differences.pop(name, None)
        else:
            self.differences[name] = found

    def _tell(self, name: str, record: Record) -> None:
        event = record.event
        if isinstance(event, Decided):
            self.stream.publish("decision", {"engine": name, **decision(record.seq, event)})
        elif not isinstance(event, _QUIET):
            self.stream.publish("event", {"engine": name, "seq": record.seq, "event": to_builtins(event)})

    async def _follow_logs(self) -> None:
        while True:
            await asyncio.sleep(_LOG_PAUSE_S)
            for name, tail in list(self._logs.items()):
                for line in await asyncio.to_thread(tail.fresh):
                    self.stream.publish("log", {"engine": name, **line})

    async def _ring(self) -> None:
        while True:
            await self.bells.beat(self.differences)
            await asyncio.sleep(_RING_PAUSE_S)

    def to_health(self) -> dict[str, Any]:
        """Return whether all is well, and what is not."""
        statuses = self.fleet.statuses()
        bad = [status["engine"] for status in statuses if status.get("status") in ("ERROR", "STALE", "EMERGENCY")]
        trouble = {name: tail.trouble for name, tail in self.tails.items() if tail.trouble}
        return {
            "ok": self.fleet.manager.ok and not bad and not trouble and not self.differences and not self.work.broken,
            "manager": "up" if self.fleet.manager.ok else self.fleet.manager.message,
            "engines": {status["engine"]: status.get("status") for status in statuses},
            "journals": trouble,
            "differences": dict(self.differences),
            "broken": dict(self.work.broken),
            "stream": {"clients": self.stream.clients, "drops": self.stream.drops, "last": self.stream.last},
        }
