"""One engine as the manager knows it: its process, its last heartbeat, and the document made of both."""

import time
from pathlib import Path
from typing import Any

import msgspec

from drift_engine.control.contract import blank
from drift_engine.control.places import Places
from drift_engine.control.spec import EngineSpec
from drift_engine.core.units import show_base
from drift_engine.manager.process import Child
from drift_engine.manager.supervisor import Supervisor

STALE_S = 3.0
SLOW_START_S = 60.0


class Managed:
    """An engine of the fleet. ``kill_for`` names who wants it flat as soon as it answers."""

    def __init__(self, spec: EngineSpec, state_dir: Path) -> None:
        self.spec, self.places = spec, Places(state_dir, spec.name)
        self.state_dir = state_dir
        self.supervisor = Supervisor(Child(self.places, ("engine", spec.name, "--state", str(state_dir))))
        self.kill_for: str | None = None
        self._last: dict[str, Any] = self._left()
        self._heard_ns: int | None = None
        self._heard_s: float | None = None

    def _left(self) -> dict[str, Any]:
        """Return the last status its last process left behind: old figures, shown with their age."""
        end = self.places.last_end()
        found = None if end is None else msgspec.json.decode(end.status)
        return found if isinstance(found, dict) else {}

    def heard(self, status: dict[str, Any]) -> None:
        """Take a heartbeat."""
        self._last, self._heard_ns, self._heard_s = status, time.time_ns(), time.monotonic()
        if status.get("status") != "STARTING":
            self.supervisor.heard()

    def look(self) -> None:
        """See what became of its process."""
        had = self.supervisor.alive
        self.supervisor.look(time.monotonic())
        if had and not self.supervisor.alive:
            self._last = {**self._last, **self._left()}

    def is_late(self) -> bool:
        """Whether its process lives and should have been heard of, and was not."""
        if self.supervisor.phase not in ("STARTING", "RUNNING") or not self.supervisor.alive:
            return False
        began_s = self.supervisor.child.began_s
        if self.supervisor.phase == "STARTING" or self._heard_s is None or self._heard_s < began_s:
            return time.monotonic() - began_s > SLOW_START_S
        return time.monotonic() - self._heard_s > STALE_S

    def status(self) -> str:
        """Return the status people see: the process's, or the engine's own while it is heard."""
        phase = self.supervisor.phase
        if self.is_late():
            return "STALE"
        return str(self._last.get("status", phase)) if phase == "RUNNING" else phase

    def document(self) -> dict[str, Any]:
        """Return the engine's document. Of an engine that does not run the figures are the last ones known."""
        status, own = self.status(), self.supervisor
        document = {
            **blank(self.spec),
            **self._last,
            "engine": self.spec.name,
            "mode": self.spec.mode,
            "status": status,
            "restarts": own.restarts,
            "heard_ns": self._heard_ns,
            "wall_ns": time.time_ns(),
            "process_reason": own.reason,
        }
        if own.reason:
            document["reason"] = own.reason
        if not own.alive:
            document |= {"pid": None, "uptime_s": None}
        if status not in ("RUNNING", "EMERGENCY") and document["margin"]["status"] == "known":
            document["margin"] = {**document["margin"], "status": "stale"}
        return document

    def open_positions(self) -> list[str]:
        """Return what is known to be held besides the quote: perps and borrows, as words."""
        return [
            f"{show_base(row['base_e9'])} {row['market']}"
            for row in self._last.get("positions") or ()
            if row["base_e9"] and (row["kind"] == "perp" or row["side"] == "borrow")
        ]
