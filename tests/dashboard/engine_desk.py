"""Real engines behind real Unix sockets, in this process: what the page's server is tested against.

The engine is the one that trades; only what the fleet's own process does around it (its control socket) is done here.
"""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, cast

import msgspec

from drift_engine import wiring
from drift_engine.alerts import AlertDesk
from drift_engine.config import RunConfig, for_paper
from drift_engine.engine import DriftEngine
from drift_engine.execution.limits import Limits


class EngineDesk:
    """One engine with its journal, log and control socket in a state directory."""

    def __init__(self, state: Path, name: str, strategy: str = "delta_neutral", speed: float = 3_600.0) -> None:
        self.state, self.name = state, name
        self.config = RunConfig(
            strategy=strategy,
            scenario="calm_carry",
            speed=speed,
            interval_s=360,
            limits=for_paper(Limits()),
            journal=state / f"{name}.journal",
            state_dir=state,
        )
        self.engine = DriftEngine(wiring.make_strategy(self.config), config=self.config)
        self.asked: list[dict[str, Any]] = []
        self.silent = False
        self.changes: dict[str, Any] = {}

    @asynccontextmanager
    async def running(self) -> AsyncIterator["EngineDesk"]:
        await self.engine.start()
        self.log("INFO started")
        server = await asyncio.start_unix_server(self._serve, self.state / f"{self.name}.sock")
        try:
            yield self
        finally:
            server.close()
            await self.engine.stop()
            (self.state / f"{self.name}.sock").unlink(missing_ok=True)

    def log(self, line: str) -> None:
        with (self.state / f"{self.name}.log").open("a") as file:
            file.write(f"{line}\n")

    def status(self) -> dict[str, Any]:
        found = self.engine.get_status()
        return found | {
            "engine": self.name,
            "status": "RUNNING" if self.engine.running else "STOPPED",
            "as_of_ns": found["now_ns"],
            "heard_ns": time.time_ns() // 10**9 * 10**9,
            "pid": os.getpid(),
            "restarts": 0,
            **self.changes,
        }

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = await reader.readline()
        request = msgspec.json.decode(line)
        self.asked.append(request)
        if self.silent:
            await reader.read()
        else:
            writer.write(msgspec.json.encode({"id": request["id"], **self.answer(request)}) + b"\n")
        writer.close()

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        if request["do"] == "status":
            return {"ok": True, "code": "ok", "message": "", "data": self.status()}
        return {"ok": True, "code": "done", "message": f"{request['do']} done", "data": None}


class ManagerDesk:
    """The manager's socket over engines of this process."""

    def __init__(self, state: Path, desks: list[EngineDesk]) -> None:
        self.state, self.desks = state, desks
        self.hangs = False
        self.alerts: AlertDesk | None = None
        self.asked: list[dict[str, Any]] = []

    @asynccontextmanager
    async def running(self) -> AsyncIterator["ManagerDesk"]:
        server = await asyncio.start_unix_server(self._serve, self.state / "manager.sock")
        try:
            yield self
        finally:
            server.close()
            (self.state / "manager.sock").unlink(missing_ok=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = msgspec.json.decode(await reader.readline())
        told = {"id": request["id"], **self.answer(request)}
        if request["do"] == "kill" and self.hangs:
            await reader.read()
        writer.write(msgspec.json.encode(told) + b"\n")
        writer.close()

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        word, data = request["do"], cast("Any", None)
        known = word not in ("alerts", "alert_test", "alert_dismiss") or self.alerts is not None
        if word == "fleet":
            data = [desk.status() for desk in self.desks]
        elif word == "alerts" and self.alerts is not None:
            data = self.alerts.to_dict()
        elif known:
            self.asked.append(request)
        return {"ok": known, "code": "ok" if known else "unknown_command", "message": f"{word} done", "data": data}


@asynccontextmanager
async def fleet(state: Path, *names: str, speed: float = 3_600.0) -> AsyncIterator[ManagerDesk]:
    """Run engines of these strategies and a manager's socket over them."""
    async with AsyncExitStack() as stack:
        desks = [
            await stack.enter_async_context(EngineDesk(state, name.replace("_", "-"), name, speed).running())
            for name in names
        ]
        yield await stack.enter_async_context(ManagerDesk(state, desks).running())
