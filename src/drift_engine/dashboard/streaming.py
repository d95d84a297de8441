"""One client of the stream: an ASGI response that lasts until the client goes, stalls or falls behind."""

import asyncio
from collections.abc import Callable

from starlette.types import Receive, Scope, Send

from drift_engine.dashboard.protocol import abort
from drift_engine.dashboard.stream import GapError, Stream, frame

CLIENTS = 256
_GAP = frame("gap", {"resync": "/api/engines"})
_HEADERS = (
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
)


class StreamResponse:
    """Sends a greeting (the statuses as they are), then every frame after the client's place."""

    def __init__(self, stream: Stream, greeting: Callable[[], bytes], last_event_id: str) -> None:
        self._stream, self._greeting, self._seen_id = stream, greeting, last_event_id

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the client."""
        self._stream.clients += 1
        sending = asyncio.create_task(self._serve(send))
        leaving = asyncio.create_task(_gone(receive))
        try:
            await asyncio.wait({sending, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if sending.done() and sending.exception() is not None:
                self._stream.drops += 1
                abort(scope)
        finally:
            self._stream.clients -= 1
            for task in (sending, leaving):
                task.cancel()
            await asyncio.gather(sending, leaving, return_exceptions=True)

    async def _serve(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
        try:
            seen = self._stream.place(self._seen_id)
            await self._send(send, b"retry: 2000\n\n" + self._greeting())
            while not self._stream.ended:
                seen, frames = await self._stream.after(seen)
                await self._send(send, frames)
            await self._send(send, b"", more=False)
        except GapError:
            self._stream.drops += 1
            await self._send(send, _GAP, more=False)

    async def _send(self, send: Send, body: bytes, *, more: bool = True) -> None:
        """Hand bytes on. Raises ``TimeoutError`` where the client has not read for too long."""
        async with asyncio.timeout(self._stream.stall_s):
            await send({"type": "http.response.body", "body": body, "more_body": more})


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        continue
