"""The alerts the page shows: the manager's, and what only the page's server can see.

The manager asks the rules and sends alerts out. Where no manager answers, or one that keeps no alerts, the same rules
are asked here, so that the banner stays true; nothing is sent outside from here.
"""

import time
from typing import Any

from msgspec import structs

from drift_engine.alerts import Alert, AlertDesk
from drift_engine.alerts.rules import Rule
from drift_engine.control.client import ask
from drift_engine.control.protocol import Answer
from drift_engine.dashboard.fleet import MANAGER, Fleet
from drift_engine.dashboard.stream import Stream

_WITHIN_S = 1.0
_OWN = Rule("CRITICAL")
Row = dict[str, Any]


class Bells:
    """Alerts of both, as rows of plain values. What is new, said again or over goes into the stream."""

    def __init__(self, fleet: Fleet, stream: Stream) -> None:
        self._fleet, self._stream = fleet, stream
        self._desk = AlertDesk()
        self._theirs: dict[str, list[Row]] = {"active": [], "history": []}
        self._heard: dict[str, tuple[int, bool]] | None = None

    async def beat(self, differences: dict[str, str]) -> None:
        """Look once: at the manager's alerts, else at the statuses, and at what we found ourselves."""
        now_ns = time.time_ns()
        answer = await ask(self._fleet.socket(MANAGER), "alerts", _WITHIN_S)
        rows = _rows(answer.data) if answer.ok else None
        if rows is not None:
            self._take(rows)
            own = []
        else:
            self._theirs = {"active": [], "history": []}
            own = self._desk.look(self._fleet.statuses(), now_ns)
        gone = None if self._fleet.manager.ok else "the manager does not answer; engines go on without it"
        own += self._desk.report("manager_down", MANAGER, gone, now_ns, _OWN)
        for name in self._fleet.names():
            own += self._desk.report("books_differ", name, differences.get(name), now_ns, _OWN)
        for alert in own:
            self._stream.publish("alert", structs.asdict(alert))

    def _take(self, rows: dict[str, list[Row]]) -> None:
        """Take the manager's alerts and tell of those that are new, were said again, or are over."""
        heard = {}
        for row in (*rows["history"][::-1], *rows["active"]):
            number, state = str(row.get("id")), (int(row.get("count") or 0), bool(row.get("active")))
            heard[number] = state
            if self._heard is not None and self._heard.get(number) != state:
                self._stream.publish("alert", row)
        self._heard, self._theirs = heard, rows

    def active(self, engine: str | None = None) -> list[Row]:
        """Return what stands, of one engine or of all."""
        ours = [structs.asdict(alert) for alert in self._desk.active(engine)]
        return ours + [row for row in self._theirs["active"] if engine in (None, row.get("engine"))]

    def to_dict(self) -> dict[str, list[Row]]:
        """Return what stands, and what stood before, the latest first."""
        past = [structs.asdict(alert) for alert in self._desk.history()] + self._theirs["history"]
        past.sort(key=lambda row: row.get("raised_ns") or 0, reverse=True)
        return {"active": self.active(), "history": past[:500]}

    def dismiss(self, number: str) -> bool:
        """Hide one of our own alerts; false where it is not ours."""
        return self._desk.dismiss(number)

    def test(self) -> Answer:
        """Show a test alert on the page; it is what is left to do where there is no manager to send one out."""
        alert: Alert = self._desk.test(time.time_ns())
        self._stream.publish("alert", structs.asdict(alert))
        return Answer(ok=True, code="page_only", message="shown on the page; without a manager nothing is sent out")


def _rows(data: Any) -> dict[str, list[Row]] | None:
    """Return the manager's alerts, ``None`` where the answer holds none."""
    if not isinstance(data, dict) or not isinstance(data.get("active"), list):
        return None
    return {"active": data["active"], "history": list(data.get("history") or ())}
