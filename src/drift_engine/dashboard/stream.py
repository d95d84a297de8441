"""What happens, told to any number of browsers over server-sent events, without waiting for one of them.

There is one ring of numbered frames for all. A frame is encoded once and goes out with its neighbours four times a
second. A client is a place in the ring: it keeps nothing of its own, so the slowest costs as little as the fastest.
Whoever falls out of the ring, or does not read for ``STALL_S``, is dropped: it is told ``gap`` where it still listens.
A client that comes back names the last frame it has seen (``Last-Event-ID``, as browsers do) and gets exactly what it
missed, or ``gap``: then it asks for the statuses, whose ``seq`` says where the stream goes on.
"""

import asyncio
import secrets
from collections import deque
from collections.abc import Iterator
from itertools import islice
from typing import Any

import msgspec

FRAMES, RING_BYTES = 8_192, 4 * 2**20
FLUSH_S, PING_S, STALL_S = 0.25, 5.0, 10.0
_encode = msgspec.json.Encoder(enc_hook=str).encode


class GapError(Exception):
    """What a client asks for is no longer in the ring."""


def frame(kind: str, data: Any, number: str = "") -> bytes:
    """Return a frame as it goes over the wire. JSON has no line breaks of its own, so one ``data`` line is enough."""
    head = f"id: {number}\nevent: {kind}\n" if number else f"event: {kind}\n"
    return head.encode() + b"data: " + _encode(data) + b"\n\n"


class Stream:
    """The ring. ``drops`` counts the clients that fell behind, ``clients`` those that listen."""

    def __init__(self, frames: int = FRAMES, ring_bytes: int = RING_BYTES) -> None:
        self.stall_s = STALL_S
        self.boot = secrets.token_hex(4)
        self.last = 0
        self.clients = self.drops = 0
        self.ended = False
        self._frames_limit, self._bytes_limit = frames, ring_bytes
        self._ring: deque[bytes] = deque()
        self._ring_bytes = 0
        self._shown = 0
        self._fresh = asyncio.Event()
        self._joined: tuple[int, int, bytes] = (0, 0, b"")

    def publish(self, kind: str, data: Any) -> None:
        """Add a frame; the oldest go where there is no room."""
        self.last += 1
        made = frame(kind, data, f"{self.boot}-{self.last}")
        self._ring.append(made)
        self._ring_bytes += len(made)
        while len(self._ring) > self._frames_limit or self._ring_bytes > self._bytes_limit:
            self._ring_bytes -= len(self._ring.popleft())

    async def run(self) -> None:
        """Show what was published, four times a second, and ping where nothing was."""
        loop = asyncio.get_running_loop()
        told_s = loop.time()
        while True:
            await asyncio.sleep(FLUSH_S)
            if self.last == self._shown and loop.time() - told_s >= PING_S:
                self.publish("ping", {})
            if self.last != self._shown:
                told_s = loop.time()
                self.flush()

    def flush(self) -> None:
        """Show what was published to those who wait."""
        self._shown = self.last
        fresh, self._fresh = self._fresh, asyncio.Event()
        fresh.set()

    def end(self) -> None:
        """Let every client go."""
        self.ended = True
        self.flush()

    def place(self, last_event_id: str) -> int:
        """Return the place of a client that has seen a frame; a new one begins with the next."""
        if not last_event_id:
            return self._shown
        boot, _, number = last_event_id.partition("-")
        seen = int(number) if number.isascii() and number.isdigit() and len(number) < 20 else -1
        if boot != self.boot or not self.last - len(self._ring) <= seen <= self.last:
            raise GapError(last_event_id)
        return seen

    async def after(self, seen: int) -> tuple[int, bytes]:
        """Wait for frames after a place; return the new place and bytes. Raises ``GapError`` where some are gone."""
        while self._shown <= seen and not self.ended:
            await self._fresh.wait()
        if self.last - len(self._ring) > seen:
            raise GapError(str(seen))
        if self._joined[:2] != (seen, self._shown):
            self._joined = seen, self._shown, b"".join(self._between(seen, self._shown))
        return self._shown, self._joined[2]

    def _between(self, seen: int, upto: int) -> Iterator[bytes]:
        gone = self.last - len(self._ring)
        return islice(self._ring, seen - gone, upto - gone)
