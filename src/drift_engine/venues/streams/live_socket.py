"""One WebSocket that comes back: opened again when it is cut or falls silent, and honest about what was missed.

``next`` returns the frames in order. Between the last frame of one connection and the first of the following one it
returns a ``Gap``: whatever the service told in between is lost, and has to be asked for elsewhere. Each new connection
begins with the frames of ``hello``, which subscribe again. The first connection is not tried twice: an address where
nobody listens is an error, not a wait.

A connection that brought no frame is followed by a longer wait before the next, so that a service which accepts and
closes is not hammered. One task reads; ``send`` may be called from others.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Self

import aiohttp
from msgspec import Struct

from drift_engine.venues.http import UnreachableError, service_url

MAX_FRAME_BYTES = 16 * 1024 * 1024
_ENDED = (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSING, aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR)


class Gap(Struct, frozen=True, kw_only=True):
    """A time without connection: what the service told between ``lost_ns`` and ``back_ns`` (UTC) was not heard."""

    service: str
    why: str
    lost_ns: int
    back_ns: int
    attempts: int


class Patience(Struct, frozen=True, kw_only=True):
    """How long to wait: for a frame, for a pong, for a connection, and between attempts (doubled up to the longest)."""

    silence_s: float | None = None
    ping_s: float | None = 10.0
    connect_s: float = 10.0
    first_wait_s: float = 0.2
    longest_wait_s: float = 10.0


class LiveSocket:
    """A WebSocket kept open. ``hello`` gives the frames each connection begins with."""

    def __init__(
        self,
        url: str,
        *,
        name: str,
        hello: Callable[[], Sequence[bytes]],
        patience: Patience | None = None,
        session: aiohttp.ClientSession | None = None,
        now_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self.name = name
        self.shown_url = service_url(url, ("ws", "wss", "http", "https"))
        self.heard_ns: int | None = None
        self.now_ns = now_ns
        self._url = url
        self._hello = hello
        self._patience = patience or Patience()
        self._session = session
        self._owned = session is None
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._lost: tuple[int, str] | None = None
        self._wait_s = 0.0
        self._closed = False

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name} at {self.shown_url})"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @property
    def connected(self) -> bool:
        """Whether a connection stands, as far as is known."""
        return self._socket is not None and not self._socket.closed

    async def close(self) -> None:
        """Close the connection for good, and the session where it is this socket's own; ``next`` ends."""
        self._closed = True
        if self._socket is not None:
            await self._socket.close()
            self._socket = None
        if self._owned and self._session is not None:
            await self._session.close()
            self._session = None

    async def send(self, frame: bytes) -> None:
        """Send a frame on the standing connection, if there is one: ``hello`` is what each one begins with."""
        if self._socket is not None and not self._socket.closed:
            await self._deliver(self._socket, [frame])

    async def next(self) -> str | Gap | None:
        """Return the next frame, or the gap before it; ``None`` after ``close``.

        Raises ``UnreachableError`` where the first connection fails.
        """
        while not self._closed:
            if self._socket is None:
                gap = await self._open()
                if gap is not None:
                    return gap
            frame = await self._receive()
            if frame is not None:
                self.heard_ns = self.now_ns()
                self._wait_s = 0.0
                return frame
        return None

    async def _open(self) -> Gap | None:
        attempts = 0
        while True:
            attempts += 1
            await asyncio.sleep(self._wait_s)
            if self._closed:
                return None
            self._wait_s = min(max(2 * self._wait_s, self._patience.first_wait_s), self._patience.longest_wait_s)
            try:
                await self._connect()
                break
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                if self._lost is None and not self._closed:
                    raise UnreachableError(
                        f"{self.name} at {self.shown_url} is not reachable: {_cause(error)}"
                    ) from None
        if self._lost is None:
            return None
        (lost_ns, why), self._lost = self._lost, None
        return Gap(service=self.name, why=why, lost_ns=lost_ns, back_ns=self.now_ns(), attempts=attempts)

    async def _connect(self) -> None:
        if self._session is None:
            self._session = aiohttp.ClientSession()
        async with asyncio.timeout(self._patience.connect_s):
            socket = await self._session.ws_connect(
                self._url, heartbeat=self._patience.ping_s, max_msg_size=MAX_FRAME_BYTES
            )
        if self._closed:
            await socket.close()
            return
        self._socket = socket  # first: what is subscribed to from here on is sent, not forgotten
        await self._deliver(socket, self._hello())

    async def _receive(self) -> str | None:
        socket = self._socket
        if socket is None:
            return None
        try:
            async with asyncio.timeout(self._patience.silence_s):
                message = await socket.receive()
        except TimeoutError:
            await self._lose(f"nothing heard for {self._patience.silence_s:g} s")
            return None
        if message.type in _ENDED:
            await self._lose(_why(socket, message))
            return None
        return message.data if isinstance(message.data, str) else bytes(message.data).decode(errors="replace")

    async def _lose(self, why: str) -> None:
        self._lost = (self.heard_ns or self.now_ns(), why)
        if self._socket is not None:
            await self._socket.close()
            self._socket = None

    @staticmethod
    async def _deliver(socket: aiohttp.ClientWebSocketResponse, frames: Sequence[bytes]) -> None:
        try:
            for frame in frames:
                await socket.send_str(frame.decode())
        except (aiohttp.ClientError, ConnectionError):
            await socket.close()  # the reader finds it closed, and opens another one


def _cause(error: Exception) -> str:
    if isinstance(error, aiohttp.WSServerHandshakeError):
        return f"it answered {error.status} instead of a WebSocket"
    return type(error).__name__


def _why(socket: aiohttp.ClientWebSocketResponse, message: aiohttp.WSMessage) -> str:
    told = message.extra if isinstance(message.extra, str) else ""
    code = f"code {socket.close_code}" if socket.close_code is not None else "no close code"
    return f"closed by the other side ({code}{': ' + told[:100] if told else ''})"
