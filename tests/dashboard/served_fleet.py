"""A whole fleet as processes of their own, and a client that steers it over HTTP as a browser would."""

import asyncio
import json
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

PROGRAM = str(Path(sys.executable).with_name("drift-engine"))
STRATEGY = '''
"""Waits, <script>alert(1)</script>."""
from decimal import Decimal
from typing import Annotated, Any

from drift_engine.core.parameters import Parameters, Unit
from drift_engine.strategies.base import DriftStrategy


class WaitingParams(Parameters, frozen=True):
    market: Annotated[str, Unit("perp market", "the market")] = "SOL-PERP"
    patience: Annotated[Decimal, Unit("h", "<b>how long</b>")] = Decimal("2.5")


class Waiting(DriftStrategy):
    Params = WaitingParams
    name = "waiting"

    @property
    def subscriptions(self) -> tuple[str, ...]:
        return (self.params.market,)

    async def on_tick(self, state: Any) -> None:
        return None

    def get_status(self) -> dict[str, Any]:
        return {"mood <i>": "calm", "waited_h": 7}
'''
FLEET = """
[engines.neutral]
strategy = "delta_neutral"
scenario = "calm_carry"
speed = 7200

[engines.waiting]
strategy = "waiting.py"
scenario = "calm_carry"
speed = 7200
sub_account = 1
"""


class Site:
    """The page of a fleet, and what asks it."""

    def __init__(self, url: str, state: Path, http: aiohttp.ClientSession) -> None:
        self.url, self.state, self.http = url, state, http

    async def get(self, path: str) -> Any:
        async with self.http.get(self.url + path) as response:
            return await response.json()

    async def post(self, path: str, body: Any = None) -> Any:
        about = {"Origin": self.url, "Content-Type": "application/json"}
        async with self.http.post(self.url + path, data=json.dumps(body or {}), headers=about) as response:
            return await response.json()

    async def engines(self) -> dict[str, Any]:
        return by_name(await self.get("/api/engines"))

    async def until(self, check: Callable[[Any], Any], path: str = "/api/engines", seconds: float = 30.0) -> Any:
        """Ask until a check of the answer holds, and return what it found."""
        last: Any = None
        by_s = time.monotonic() + seconds
        while time.monotonic() < by_s:
            try:
                last = await self.get(path)
                found = check(by_name(last) if path == "/api/engines" else last)
            except aiohttp.ClientConnectionError:
                found = None
            if found:
                return found
            await asyncio.sleep(0.1)
        raise AssertionError(f"it did not come about in {seconds:g} s: {last}")


def by_name(rows: Any) -> dict[str, Any]:
    return {row["engine"]: row for row in rows}


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def start(state: Path, port: int, alerts: str) -> subprocess.Popen[bytes]:
    (state.parent / "waiting.py").write_text(STRATEGY)
    (state.parent / "fleet.toml").write_text(FLEET + alerts)
    command = [
        PROGRAM,
        "serve",
        "--fleet",
        str(state.parent / "fleet.toml"),
        "--state",
        str(state),
        "--port",
        str(port),
    ]
    with (state.parent / "serve.log").open("ab") as log:
        return subprocess.Popen(command, stdout=log, stderr=log)


@asynccontextmanager
async def served(place: Path, alerts: str = "") -> AsyncIterator[Site]:
    """Serve a fleet of two, unlocked."""
    state, port = place / "s", free_port()
    running = start(state, port, alerts)
    try:
        async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as http:
            site = Site(f"http://127.0.0.1:{port}", state, http)
            await site.until(lambda rows: len(rows) == 2 and all(row["status"] == "RUNNING" for row in rows.values()))
            told = await site.post("/api/unlock", {"token": (state / "token").read_text().strip()})
            assert told["ok"], told
            yield site
    finally:
        running.terminate()
        code = await asyncio.to_thread(running.wait, 30)
        assert code == 0, (place / "serve.log").read_text()
