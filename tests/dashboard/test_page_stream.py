"""The stream: many clients, stalled ones, and coming back without a hole."""

import asyncio
import json
import re
import socket
from pathlib import Path
from typing import Any

import pytest
from engine_desk import fleet
from page_desk import Page, eventually, page

from drift_engine.dashboard.replica import Replica
from drift_engine.dashboard.stream import GapError, Stream
from drift_engine.journal import Journal


async def drained(stream: Stream, seen: int) -> tuple[int, bytes]:
    stream.flush()
    return await stream.after(seen)


async def test_a_client_that_comes_back_gets_exactly_what_it_missed() -> None:
    stream = Stream(frames=10)
    for number in range(5):
        stream.publish("event", {"n": number})
    stream.flush()
    place = stream.place(f"{stream.boot}-2")
    seen, frames = await stream.after(place)
    assert [json.loads(line[6:])["n"] for line in frames.decode().splitlines() if line.startswith("data")] == [2, 3, 4]
    assert seen == 5
    for number in range(5, 17):
        stream.publish("event", {"n": number})
    with pytest.raises(GapError):
        await drained(stream, seen)
    for unknown in ("other-3", f"{stream.boot}-99", f"{stream.boot}-x", f"{stream.boot}-1", f"{stream.boot}-²"):
        with pytest.raises(GapError):
            stream.place(unknown)
    assert stream.place(f"{stream.boot}-7") == 7


async def test_the_ring_is_bounded_in_bytes() -> None:
    stream = Stream(ring_bytes=1_000)
    for _ in range(100):
        stream.publish("log", {"message": "x" * 50})
    assert sum(map(len, stream._ring)) <= 1_000


async def test_frames_are_numbered_without_a_hole_and_come_back_without_one(tmp_path: Path) -> None:
    async with fleet(tmp_path, "delta_neutral", "hold", "funding_farm"), page(tmp_path) as site:
        first: list[tuple[str, str, Any]] = []
        async for found in site.frames():
            if found[1]:
                first.append(found)
            if len(first) >= 8:
                break
        await asyncio.sleep(0.6)
        second: list[tuple[str, str, Any]] = []
        async for found in site.frames(first[-1][1]):
            if found[1]:
                second.append(found)
            if len(second) >= 8:
                break
        numbers = [int(number.partition("-")[2]) for _, number, _ in first + second]
        assert numbers == list(range(numbers[0], numbers[0] + 16))


async def test_the_stream_tells_every_event_of_the_journal_once(tmp_path: Path) -> None:
    async with fleet(tmp_path, "delta_neutral", speed=20_000) as manager, page(tmp_path) as site:
        told: list[int] = []
        async with asyncio.timeout(20):
            async for kind, _, data in site.frames():
                if kind in ("event", "decision"):
                    told.append(data["seq"])
                if len(told) > 12:
                    break
        await manager.desks[0].engine.stop()
        quiet = ("Ticked", "MarketUpdated", "RowsRead", "InterestAccrued", "AccountObserved")
        wanted = [
            record.seq
            for record in Journal.read(tmp_path / "delta-neutral.journal")
            if type(record.event).__name__ not in quiet and told[0] <= record.seq <= told[-1]
        ]
        assert told == wanted


async def test_an_unknown_place_is_a_gap(tmp_path: Path) -> None:
    async with fleet(tmp_path, "hold"), page(tmp_path) as site:
        seen = [found async for found in site.frames("elsewhere-12")]
        assert [kind for kind, _, _ in seen] == ["gap"]


def stalled(site: Page) -> socket.socket:
    """Ask for the stream and never read it."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    client.connect(("127.0.0.1", site.server.port))
    client.sendall(f"GET /api/stream HTTP/1.1\r\nHost: 127.0.0.1:{site.server.port}\r\n\r\n".encode())
    return client


def read_ids(client: socket.socket) -> list[int]:
    """Read what lies in a connection that was cut, and return the numbers of its whole frames."""
    client.settimeout(20)
    found = b""
    while True:
        try:
            data = client.recv(65_536)
        except ConnectionResetError:
            break
        if not data:
            break
        found += data
    whole = found.rpartition(b"\n\n")[0]
    return [int(number) for number in re.findall(rb"^id: \w+-(\d+)", whole, re.MULTILINE)]


async def comes_back(site: Page, last: int) -> int | str:
    """Come back after a frame and return the number of the first one, or ``gap``."""
    async for kind, number, _ in site.frames(f"{site.server.room.stream.boot}-{last}"):
        if kind == "gap":
            return kind
        if number:
            return int(number.partition("-")[2])
    raise AssertionError("the stream ended")


async def test_stalled_clients_are_dropped_and_the_rest_is_served(tmp_path: Path) -> None:
    async with fleet(tmp_path, "delta_neutral") as manager, page(tmp_path) as site:
        dead = [stalled(site) for _ in range(20)]
        stream = site.server.room.stream
        stream.stall_s = 1.0
        await eventually(lambda: stream.clients == 20)
        counts = [0] * 80

        async def read(number: int) -> None:
            async for _ in site.frames():
                counts[number] += 1

        reading = [asyncio.create_task(read(number)) for number in range(80)]
        await eventually(lambda: stream.clients == 100)

        async def flood() -> None:
            while True:
                stream.publish("log", {"engine": "delta-neutral", "message": "x" * 20_000})
                await asyncio.sleep(0.05)

        flooding = asyncio.create_task(flood())
        ticks = manager.desks[0].engine.state.ticks
        await eventually(lambda: stream.drops == 20)
        await eventually(lambda: stream.clients == 80)
        await eventually(lambda: len(site.server.server_state.connections) <= 82)
        flooding.cancel()
        assert manager.desks[0].engine.state.ticks > ticks
        assert manager.desks[0].asked == [], "a hundred viewers ask the engine nothing"
        before = list(counts)
        await asyncio.sleep(1.5)
        assert all(now > then for now, then in zip(counts, before, strict=True)), "the others go on"
        for task in reading:
            task.cancel()
        await asyncio.gather(*reading, return_exceptions=True)
        ids = await asyncio.to_thread(read_ids, dead[0])
        assert ids
        missed = await comes_back(site, ids[-1])
        assert missed == "gap" or missed == ids[-1] + 1, "it goes on where it was cut off, or is told that it cannot"
        for client in dead:
            client.close()


async def test_a_replica_that_differs_is_an_alert(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Replica, "differs", lambda *_: "at record 7 the engine says 1, its journal says 2")
    async with fleet(tmp_path, "hold"), page(tmp_path) as site:
        _, _, alert = await site.until("alert")
        assert (alert["rule"], alert["severity"], alert["engine"]) == ("books_differ", "CRITICAL", "hold")
        assert (await site.get("/api/alerts"))["active"][0]["id"] == alert["id"]
