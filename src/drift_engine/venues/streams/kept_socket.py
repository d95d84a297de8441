"""A WebSocket connection that is made again whenever it ends, whatever is spoken on it.

The speaker (``Listener``) hears of each connection that opens, each frame, and each end with its reason. It says
``alive()`` when it has heard what it waits for; where that does not happen for ``stall_ms`` the connection is given up,
also where TCP would still call it open. It ends one itself by raising ``LostError``. Frames are handed over one by one
in the reader: there is no queue but the socket's, which is bounded, so a slow listener slows the sender down. An
endpoint on which nothing was heard is left alone for a while and the next one is tried; pauses double and are jittered.
"""

import asyncio
import random
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import aiohttp

from drift_engine.venues.endpoints import Endpoint, Endpoints
from drift_engine.venues.urls import without_tokens

MAX_FRAME_BYTES = 32 << 20


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait for what, in milliseconds; the pause ``backoff`` doubles up to ``backoff_max``."""

    connect_ms: int = 10_000
    stall_ms: int = 5_000
    answer_ms: int = 10_000
    ping_ms: int = 15_000
    close_ms: int = 250
    backoff_ms: int = 100
    backoff_max_ms: int = 10_000


class LostError(Exception):
    """The connection is of no more use; the text says why."""


class Listener(Protocol):
    """Who speaks on the connection."""

    def opened(self) -> None:
        """Hear of a new connection."""

    def frame(self, frame: bytes) -> None:
        """Take a frame; ``LostError`` ends the connection."""

    def lost(self, why: str) -> None:
        """Hear that a connection ended, or that none came about."""


class KeptSocket:
    """Keeps a connection for ``listener``. ``connected`` says whether there is one now."""

    def __init__(
        self,
        endpoints: Sequence[str],
        listener: Listener,
        *,
        patience: Patience,
        clock: Callable[[], int] = time.monotonic_ns,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.endpoints = Endpoints(endpoints, ("ws", "wss"))
        self.connected = False
        self.connections = 0
        self._listener, self._patience = listener, patience
        self._clock, self._sleep, self._jitter = clock, sleep, jitter
        self._heard = False
        self._outbox: deque[str] = deque()
        self._mail = asyncio.Event()
        self._deadline: asyncio.Timeout | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to connect."""
        self._task = asyncio.create_task(self._run(), name="websocket")

    async def close(self) -> None:
        """End it for good; raises what the listener raised, where that ended it before."""
        task, self._task = self._task, None
        if task is None:
            return
        task.cancel()
        [end] = await asyncio.gather(task, return_exceptions=True)
        if isinstance(end, Exception):
            raise end

    def send(self, text: str) -> None:
        """Send a frame on the connection there is; without one it goes nowhere."""
        if self.connected:
            self._outbox.append(text)
            self._mail.set()

    def alive(self) -> None:
        """Say that the connection does what it is for: the time until it counts as stalled begins anew."""
        self._heard = True
        self._extend()

    def _extend(self) -> None:
        if self._deadline is not None and self.connected:
            self._deadline.reschedule(asyncio.get_running_loop().time() + self._patience.stall_ms / 1000)

    async def _run(self) -> None:
        failures = 0
        async with aiohttp.ClientSession() as session:
            while True:
                endpoint = self.endpoints.pick(self._clock())
                self._heard = False
                why = await self._one(session, endpoint)
                failures = 0 if self._heard else failures + 1
                if self._heard:
                    endpoint.healed()
                else:
                    endpoint.failed(self._clock())
                self._listener.lost(f"{endpoint.name}: {why}")
                await self._sleep(self._pause_s(failures))

    def _pause_s(self, failures: int) -> float:
        pause_ms = min(self._patience.backoff_ms << min(failures, 20), self._patience.backoff_max_ms)
        return pause_ms * (0.5 + self._jitter() / 2) / 1000

    async def _one(self, session: aiohttp.ClientSession, endpoint: Endpoint) -> str:
        """Live through one connection; return why it ended."""
        late = f"no connection in {self._patience.connect_ms} ms"
        try:
            async with asyncio.timeout(self._patience.connect_ms / 1000) as self._deadline:
                async with self._connect(session, endpoint) as socket:
                    late = f"stalled: nothing new for {self._patience.stall_ms} ms"
                    await self._converse(socket)
        except TimeoutError:
            return late
        except LostError as lost:
            return str(lost)
        except (aiohttp.ClientError, OSError) as error:
            return _reason(error)
        finally:
            self.connected = False
        return "ended"

    def _connect(self, session: aiohttp.ClientSession, endpoint: Endpoint) -> Any:
        return session.ws_connect(
            endpoint.url,
            decode_text=False,
            heartbeat=self._patience.ping_ms / 1000,
            max_msg_size=MAX_FRAME_BYTES,
            timeout=aiohttp.ClientWSTimeout(ws_close=self._patience.close_ms / 1000),
        )

    async def _converse(self, socket: "aiohttp.ClientWebSocketResponse[Any]") -> None:
        self._outbox.clear()
        self.connected = True
        self.connections += 1
        self._extend()
        self._listener.opened()
        sender = asyncio.create_task(self._send(socket), name="websocket: send")
        receive, take, text = socket.receive, self._listener.frame, aiohttp.WSMsgType.TEXT
        try:
            while True:
                message = await receive()
                if message.type is not text:
                    raise LostError(_farewell(message, socket))
                take(message.data)
        finally:
            sender.cancel()
            await asyncio.gather(sender, return_exceptions=True)

    async def _send(self, socket: "aiohttp.ClientWebSocketResponse[Any]") -> None:
        while True:
            await self._mail.wait()
            self._mail.clear()
            while self._outbox:
                await socket.send_str(self._outbox.popleft())


def _farewell(message: aiohttp.WSMessage, socket: "aiohttp.ClientWebSocketResponse[Any]") -> str:
    if message.type is aiohttp.WSMsgType.ERROR:
        return f"broken frame or connection: {type(message.data).__name__}"
    if message.type is aiohttp.WSMsgType.BINARY:
        return "a binary frame, where text is spoken"
    return f"closed by the other side (code {socket.close_code})"


def _reason(error: Exception) -> str:
    """Say what broke, without the address that aiohttp puts into its messages."""
    if isinstance(error, aiohttp.WSServerHandshakeError):
        return f"HTTP {error.status} instead of a WebSocket"
    cause = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    return without_tokens((cause.strerror if isinstance(cause, OSError) else None) or type(error).__name__)
