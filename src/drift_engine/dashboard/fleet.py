"""What is known of the engines: their last statuses, as the manager's heartbeat collector has them.

Where no manager answers, the engines that survived it are asked over their own sockets, so that the page stays true
while a new manager is on its way; that there is none is said. A status that nobody confirms for ``STALE_S`` is shown as
``STALE`` with its figures as they were and the time they were heard.
"""

import asyncio
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from drift_engine.control.client import ask
from drift_engine.control.protocol import Answer

MANAGER = "manager"
STALE_S = 3.0
_BEAT_S, _TELL_S, _WITHIN_S = 0.5, 0.95, 2.0
Status = dict[str, Any]


class Fleet:
    """The engines of one state directory. ``heard`` is called with each new status, and once a second."""

    def __init__(self, state_dir: Path, heard: Callable[[Status], None]) -> None:
        self.state_dir = state_dir
        self.manager = Answer(ok=False, code="unknown", message="the manager was not asked yet")
        self._heard = heard
        self.alerts: Callable[[str], list[dict[str, Any]]] = lambda _engine: []
        self._statuses: dict[str, Status] = {}
        self._confirmed_s: dict[str, float] = {}
        self._told: dict[str, tuple[float, object]] = {}

    def socket(self, name: str) -> Path:
        """Return the control socket of the manager or of an engine."""
        return self.state_dir / f"{name}.sock"

    def names(self) -> list[str]:
        """Return the names of the engines, in the order the manager gave them."""
        return list(self._statuses)

    def statuses(self) -> list[Status]:
        """Return what is known of each engine now."""
        return [self._aged(name) for name in self._statuses]

    def status(self, name: str) -> Status | None:
        """Return what is known of an engine, ``None`` where there is no such engine."""
        return self._aged(name) if name in self._statuses else None

    async def run(self) -> None:
        """Ask twice a second, so that a heartbeat is told soon after it was heard, until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            began_s = loop.time()
            await self.beat()
            await asyncio.sleep(max(0.05, _BEAT_S - (loop.time() - began_s)))

    async def beat(self) -> None:
        """Ask once, and tell of every engine."""
        self.manager = await ask(self.socket(MANAGER), "fleet", _WITHIN_S)
        found = _listed(self.manager.data) if self.manager.ok else await self._survivors()
        if self.manager.ok:
            for name in set(self._statuses) - {status["engine"] for status in found}:
                del self._statuses[name]
        for status in found:
            self._statuses[status["engine"]] = status
            self._confirmed_s[status["engine"]] = time.monotonic()
        for status in self.statuses():
            if self._is_news(status):
                self._heard(status)

    def _is_news(self, status: Status) -> bool:
        """Whether a heartbeat is to be told: a new one, or the old one for another second."""
        name, heard, now_s = status["engine"], (status.get("heard_ns"), status["status"]), time.monotonic()
        told_s, told = self._told.get(name, (0.0, None))
        if heard == told and now_s - told_s < _TELL_S:
            return False
        self._told[name] = now_s, heard
        return True

    async def _survivors(self) -> list[Status]:
        sockets = sorted(path for path in self.state_dir.glob("*.sock") if path.stem != MANAGER)
        answers = await asyncio.gather(*(ask(socket, "status", _WITHIN_S) for socket in sockets))
        found = []
        for socket, answer in zip(sockets, answers, strict=True):
            if answer.ok and isinstance(answer.data, dict):
                found.append({"heard_ns": time.time_ns(), **answer.data, "engine": socket.stem})
        return found

    def _aged(self, name: str) -> Status:
        status = {**self._statuses[name], "wall_ns": time.time_ns()}
        quiet_s = time.monotonic() - self._confirmed_s[name]
        if quiet_s > STALE_S and status.get("status") != "STOPPED":
            status["status"] = "STALE"
        status["alerts"] = status.get("alerts") or self.alerts(name)
        return status


def _listed(data: Any) -> list[Status]:
    """Return the statuses of the manager's answer: a list of them, or a mapping with one under ``engines``."""
    rows: Iterable[Any] = data.get("engines", data) if isinstance(data, dict) else data or ()
    rows = rows.values() if isinstance(rows, dict) else rows
    return [row for row in rows if isinstance(row, dict) and isinstance(row.get("engine"), str)]
