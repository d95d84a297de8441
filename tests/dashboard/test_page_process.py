"""The page's server as a process of its own: it starts, tells where it is, ends when told to, and harms no engine."""

import asyncio
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import aiohttp
from engine_desk import fleet

PROGRAM = str(Path(sys.executable).with_name("drift-engine"))


@contextmanager
def process(state: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    command = [PROGRAM, "page", "--state", str(state), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        try:
            yield running, running.stdout.readline().split()[-1]
        finally:
            running.kill()


async def statuses(url: str) -> list[str]:
    async with aiohttp.ClientSession() as http:
        for _ in range(100):
            try:
                async with http.get(f"{url}/api/engines") as response:
                    return [row["status"] for row in await response.json()]
            except aiohttp.ClientConnectionError:
                await asyncio.sleep(0.05)
    raise AssertionError(f"{url} does not answer")


async def test_it_ends_at_once_when_told_to_also_with_listeners(tmp_path: Path) -> None:
    async with fleet(tmp_path, "hold"):
        with await asyncio.to_thread(lambda: process(tmp_path)) as (running, url):
            assert await statuses(url) == ["RUNNING"]
            async with aiohttp.ClientSession() as http, http.get(f"{url}/api/stream", timeout=None) as response:
                await response.content.readline()
                running.send_signal(signal.SIGTERM)
                assert await asyncio.to_thread(running.wait, 20) == 0
            assert running.stderr is not None
            assert running.stderr.read() == ""


async def test_no_engine_notices_that_it_was_killed(tmp_path: Path) -> None:
    async with fleet(tmp_path, "hold") as manager:
        engine = manager.desks[0].engine
        for _ in range(2):
            with await asyncio.to_thread(lambda: process(tmp_path)) as (running, url):
                assert await statuses(url) == ["RUNNING"]
                running.kill()
            seq = engine.state.seq
            await asyncio.sleep(0.3)
            assert engine.running
            assert engine.state.seq > seq


def test_a_port_in_use_is_one_line(tmp_path: Path) -> None:
    with process(tmp_path) as (_, url):
        port = url.rpartition(":")[2]
        second = subprocess.run(
            [PROGRAM, "page", "--state", str(tmp_path), "--port", port], capture_output=True, text=True, check=False
        )
    assert second.returncode == 2
    assert second.stderr.count("\n") == 1
    assert "choose another --port" in second.stderr
