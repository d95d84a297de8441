"""A hundred viewers: what they cost a tick of the engine they look at.

A real fleet is served, one engine that ticks some 500 times a second. Windows without clients and windows with a
hundred of them, twenty of which never read, take turns; each ends with the engine's own figures of its last 1,024
ticks. What is compared is CPU time of the engine's thread: the wall also counts the clients, which share these cores.
"""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from benchmarks.measure import Result, median
from drift_engine.control.client import ask

GROUP = "the stream: 100 clients, 20 of them stalled, against none"
ROUNDS, CLIENTS, STALLED = 7, 100, 20
LIMIT = 1.1
_TICKS, _START_S, _READ = 1_100, 30.0, 65_536
_FLEET = """
[engines.watched]
strategy = "delta_neutral"
scenario = "calm_carry"
interval_s = 1
speed = 500
"""
Latency = dict[str, float]


def main() -> list[Result]:
    with tempfile.TemporaryDirectory(prefix="de-") as folder, _served(Path(folder)) as (state, port):
        alone, crowded = asyncio.run(_in_turns(state / "watched.sock", port))
    return [
        _figure("p99 alone, CPU", alone, "cpu_p99_us"),
        _figure("p99 with clients, CPU", crowded, "cpu_p99_us"),
        _ratio("p99, CPU", alone, crowded, "cpu_p99_us", LIMIT),
        _ratio("p50, CPU", alone, crowded, "cpu_p50_us", None),
        _ratio("p99, wall", alone, crowded, "p99_us", None),
    ]


def _figure(name: str, found: list[Latency], key: str) -> Result:
    return Result(GROUP, f"tick {name}", median([each[key] for each in found]), "µs")


def _ratio(name: str, alone: list[Latency], crowded: list[Latency], key: str, limit: float | None) -> Result:
    value = median([each[key] for each in crowded]) / median([each[key] for each in alone])
    return Result(GROUP, f"tick {name}: with clients against none", value, "ratio", limit, f"{ROUNDS} windows of each")


async def _in_turns(engine: Path, port: int) -> tuple[list[Latency], list[Latency]]:
    """Return the latencies of the windows without clients, and of those with them."""
    alone, crowded = [], []
    await _window(engine)
    for _ in range(ROUNDS):
        alone.append(await _window(engine))
        async with _viewers(port):
            crowded.append(await _window(engine))
    return alone, crowded


async def _window(engine: Path) -> Latency:
    """Let so many ticks pass that the engine remembers no older ones; return their latency."""
    until = (await _status(engine))["tally"]["ticks"] + _TICKS
    while (status := await _status(engine))["tally"]["ticks"] < until:  # noqa: ASYNC110 - another process ticks
        await asyncio.sleep(0.2)
    found: Latency = status["tick_latency"]
    return found


async def _status(engine: Path) -> dict[str, Any]:
    answer = await ask(engine, "status")
    if not answer.ok:
        raise RuntimeError(f"the engine does not answer: {answer.message}")
    found: dict[str, Any] = answer.data
    return found


@asynccontextmanager
async def _viewers(port: int) -> AsyncIterator[None]:
    """Keep all clients on the stream."""
    stalled = [_asked(port, buffer=4_096) for _ in range(STALLED)]
    readers = [asyncio.open_connection(sock=_asked(port)) for _ in range(CLIENTS - STALLED)]
    streams = [await reader for reader in readers]
    reading = [asyncio.create_task(_read(reader)) for reader, _ in streams]
    try:
        yield
        if any(task.done() for task in reading):
            raise RuntimeError("a client that reads was dropped")
    finally:
        for task in reading:
            task.cancel()
        await asyncio.gather(*reading, return_exceptions=True)
        for _, writer in streams:
            writer.transport.abort()
        for client in stalled:
            client.close()


def _asked(port: int, buffer: int = 256 * 1024) -> socket.socket:
    """Return a connection that asked for the stream and buffers so many bytes."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    client.connect(("127.0.0.1", port))
    client.sendall(f"GET /api/stream HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
    return client


async def _read(reader: asyncio.StreamReader) -> None:
    while await reader.read(_READ):
        continue


@contextmanager
def _served(folder: Path) -> Iterator[tuple[Path, int]]:
    """Serve the fleet as people do, and end it as they do."""
    state, fleet = folder / "s", folder / "fleet.toml"
    fleet.write_text(_FLEET)
    port = _free_port()
    command = (sys.executable, "-m", "drift_engine", "serve", "--fleet", str(fleet), "--state", str(state))
    with (folder / "log").open("wb") as log:
        serving = subprocess.Popen((*command, "--port", str(port)), stdout=log, stderr=log)
    try:
        asyncio.run(_ready(state, port))
        yield state, port
    finally:
        os.kill(serving.pid, signal.SIGTERM)
        serving.wait(20)


async def _ready(state: Path, port: int) -> None:
    async with asyncio.timeout(_START_S):
        while True:
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                if (await ask(state / "watched.sock", "status")).ok:
                    return
            await asyncio.sleep(0.2)


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
