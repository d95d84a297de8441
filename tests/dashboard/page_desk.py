"""The page's server, real and listening, and clients that speak HTTP to it."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from drift_engine.dashboard.server import PageServer


async def eventually(check: Callable[[], object], seconds: float = 20.0) -> None:
    """Wait until a check holds."""
    for _ in range(int(seconds / 0.02)):
        if check():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it did not come about in time")


class Page:
    """A running server and a client session without cookies of its own."""

    def __init__(self, server: PageServer, http: aiohttp.ClientSession) -> None:
        self.server, self.http = server, http
        self.origin = server.url

    async def get(self, path: str, **how: Any) -> Any:
        async with self.http.get(self.origin + path, **how) as response:
            assert response.status == 200, await response.text()
            return await response.json()

    async def post(self, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        about = {"Origin": self.origin, "Content-Type": "application/json", **headers}
        async with self.http.post(self.origin + path, data=json.dumps(body or {}), headers=about) as response:
            return response.status, await response.json()

    async def frames(self, last_event_id: str = "") -> AsyncIterator[tuple[str, str, Any]]:
        """Yield ``(kind, id, data)`` of the stream until it ends."""
        headers = {"Last-Event-ID": last_event_id} if last_event_id else {}
        async with self.http.get(f"{self.origin}/api/stream", headers=headers, timeout=None) as response:
            async for found in read_frames(response.content):
                yield found

    async def until(self, kind: str, seconds: float = 20.0, last_event_id: str = "") -> tuple[str, str, Any]:
        async with asyncio.timeout(seconds):
            async for found in self.frames(last_event_id):
                if found[0] == kind:
                    return found
        raise AssertionError(f"the stream ended without {kind}")


async def read_frames(content: aiohttp.StreamReader) -> AsyncIterator[tuple[str, str, Any]]:
    fields: dict[str, str] = {}
    async for line in content:
        name, _, value = line.decode().rstrip("\n").partition(": ")
        if name:
            fields[name] = value
        elif "event" in fields:
            yield fields["event"], fields.get("id", ""), json.loads(fields["data"])
            fields = {}


@asynccontextmanager
async def page(state: Path, **how: Any) -> AsyncIterator[Page]:
    server = PageServer(state, port=0, **how)
    serving = asyncio.create_task(server.run_page())
    while not server.started:
        assert not serving.done(), serving.exception()
        await asyncio.sleep(0.01)
    try:
        async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as http:
            yield Page(server, http)
    finally:
        server.should_exit = True
        await serving
