"""Real processes for tests: engines and managers started as people start them, and killed as they should not be."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from drift_engine.control.client import ask_now
from drift_engine.control.protocol import Answer

PROGRAM = (sys.executable, "-m", "drift_engine")
FAST: dict[str, Any] = {"strategy": "delta_neutral", "scenario": "calm_carry", "speed": 3600, "days": 365}
HOLD: dict[str, Any] = {**FAST, "strategy": "hold"}


class Fleet:
    """A state directory, and the processes that were started in it."""

    def __init__(self, state: Path) -> None:
        self.state = state
        self.started: list[subprocess.Popen[bytes]] = []

    def spec(self, name: str, run: dict[str, Any] = FAST, **fields: Any) -> None:
        folder = self.state / "engines"
        folder.mkdir(exist_ok=True)
        (folder / f"{name}.json").write_text(json.dumps({"name": name, "run": run, **fields}))

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        with (self.state / "test.log").open("ab") as log:
            process = subprocess.Popen(
                (*PROGRAM, *arguments, "--state", str(self.state)),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.started.append(process)
        return process

    def engine(self, name: str) -> subprocess.Popen[bytes]:
        """Start an engine and wait until it trades."""
        process = self.start("engine", name)
        self.until(lambda: self.ask(name, "status").ok)
        return process

    def ask(self, name: str, do: str, **fields: Any) -> Answer:
        return ask_now(self.state / f"{name}.sock", do, **fields)

    def status(self, name: str) -> dict[str, Any]:
        answer = self.ask(name, "status")
        assert answer.ok, answer
        found: dict[str, Any] = answer.data
        return found

    def fleet(self) -> dict[str, dict[str, Any]]:
        """Return what the manager tells of each engine."""
        answer = self.ask("manager", "fleet")
        return {row["engine"]: row for row in answer.data or ()}

    def until(self, true: Callable[[], Any], within_s: float = 30.0) -> float:
        """Wait for something; return how long it took."""
        began = time.monotonic()
        while not true():
            assert time.monotonic() - began < within_s, self.log()
            time.sleep(0.05)
        return time.monotonic() - began

    def log(self) -> str:
        return "\n".join(f"{path.name}: {path.read_text()[-2000:]}" for path in self.state.glob("*.log"))

    def close(self) -> None:
        """Kill what is left, ours by its process, others by the pid they hold the lock of."""
        for process in self.started:
            if process.poll() is None:
                process.kill()
            process.wait(30)
        for path in self.state.glob("*.pid"):
            if (pid := living(path)) is not None:
                os.kill(pid, signal.SIGKILL)


def made() -> Iterator[Fleet]:
    """Yield a fleet in a directory of its own, with a path short enough for sockets."""
    state = Path(tempfile.mkdtemp(prefix="de-"))
    found = Fleet(state)
    yield found
    found.close()
    shutil.rmtree(state, ignore_errors=True)


def living(path: Path) -> int | None:
    from drift_engine.control.places import holder

    return holder(path)
