"""What a service tells on its WebSocket of the things that were subscribed to, one event after the other.

When the connection is lost it is opened again, the subscriptions are made again, and ``on_gap`` is awaited before the
first event after it: what was told meanwhile has to be asked for elsewhere.
"""

import time
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from typing import Generic, Literal, Self, TypeVar

import aiohttp

from drift_engine.core.units import MILLISECOND_NS
from drift_engine.venues.streams.live_socket import Gap, LiveSocket, Patience

Wanted = TypeVar("Wanted")
Told = TypeVar("Told")
Hook = Callable[[Gap], Awaitable[None]]


class ServiceStream(ABC, Generic[Wanted, Told]):
    """Events of one service, for ever: ``async for told in stream``. A protocol adds its requests and its reader."""

    def __init__(
        self,
        url: str,
        name: str,
        *,
        on_gap: Hook | None = None,
        patience: Patience | None = None,
        session: aiohttp.ClientSession | None = None,
        now_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self._on_gap = on_gap
        self._wanted: dict[Wanted, None] = {}
        self._socket = LiveSocket(url, name=name, hello=self._hello, patience=patience, session=session, now_ns=now_ns)

    @abstractmethod
    def _request(self, what: Literal["subscribe", "unsubscribe"], wanted: Wanted) -> bytes:
        """Return the frame that asks for it."""

    @abstractmethod
    def _read(self, text: str) -> Told | None:
        """Return what a frame tells; ``None`` where it is nothing worth telling."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Told:
        while True:
            frame = await self._socket.next()
            if frame is None:
                raise StopAsyncIteration
            if isinstance(frame, str):
                told = self._read(frame)
                if told is not None:
                    return told
            elif self._on_gap is not None:
                await self._on_gap(frame)

    @property
    def connected(self) -> bool:
        """Whether a connection stands, as far as is known."""
        return self._socket.connected

    @property
    def silent_ms(self) -> int | None:
        """Milliseconds since anything was heard, heartbeats included; ``None`` where nothing ever was."""
        heard_ns = self._socket.heard_ns
        return None if heard_ns is None else (self._socket.now_ns() - heard_ns) // MILLISECOND_NS

    async def close(self) -> None:
        """Close the connection for good: iterating ends."""
        await self._socket.close()

    async def _subscribe(self, wanted: Wanted) -> None:
        if wanted not in self._wanted:
            self._wanted[wanted] = None
            await self._socket.send(self._request("subscribe", wanted))

    async def _unsubscribe(self, wanted: Wanted) -> None:
        if wanted in self._wanted:
            del self._wanted[wanted]
            await self._socket.send(self._request("unsubscribe", wanted))

    def _hello(self) -> list[bytes]:
        return [self._request("subscribe", wanted) for wanted in self._wanted]
