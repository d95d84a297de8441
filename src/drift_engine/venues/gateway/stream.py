"""What happens to sub-accounts, as the gateway tells it on its WebSocket.

Iterate over a ``GatewayStream`` for the events in order. When the connection is lost it is opened again, the
subscriptions are made again, and ``on_gap`` is awaited before the first event after it: the gateway repeats nothing, so
read orders, positions and transactions there. A pong that fails to come counts as a lost connection; the gateway
itself sends nothing while nothing happens.

Source: ``src/websocket.rs`` of the gateway at commit 1008ca0.
"""

import time
from collections.abc import Callable, Mapping
from typing import Literal

import aiohttp
import msgspec
from msgspec import Raw, Struct

from drift_engine.venues.figures import U8, within
from drift_engine.venues.gateway.event_wire import read_event
from drift_engine.venues.gateway.events import AccountEvent, Unknown
from drift_engine.venues.gateway.messages import Scales
from drift_engine.venues.streams.live_socket import Patience
from drift_engine.venues.streams.service_stream import Hook, ServiceStream

DEFAULT_STREAM_URL = "ws://127.0.0.1:1337"


class Told(Struct, frozen=True):
    """One event and the sub-account it is of; ``None`` where the frame does not say."""

    sub_account: int | None
    event: AccountEvent


class StreamRefused(Struct, frozen=True):
    """The gateway did not like a request of ours."""

    reason: str


class _Frame(Struct, rename="camel"):
    data: Raw = Raw()
    channel: str | None = None
    sub_account_id: int | None = None
    error: str | None = None
    reason: str = ""


class GatewayStream(ServiceStream[int, Told | StreamRefused]):
    """The events of some sub-accounts, for ever: ``async for told in stream``."""

    def __init__(
        self,
        url: str = DEFAULT_STREAM_URL,
        *,
        spot_decimals: Mapping[int, int] | None = None,
        on_gap: Hook | None = None,
        patience: Patience | None = None,
        session: aiohttp.ClientSession | None = None,
        now_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self._scales = Scales(spot_decimals or {})
        super().__init__(url, "gateway stream", on_gap=on_gap, patience=patience, session=session, now_ns=now_ns)

    async def subscribe(self, sub_account: int) -> None:
        """Hear of a sub-account (0..255) on this connection and every later one."""
        await self._subscribe(within(sub_account, 0, U8, "sub-account"))

    async def unsubscribe(self, sub_account: int) -> None:
        """Hear of a sub-account no more."""
        await self._unsubscribe(sub_account)

    def _request(self, what: Literal["subscribe", "unsubscribe"], wanted: int) -> bytes:
        return msgspec.json.encode({"method": what, "subAccountId": wanted})

    def _read(self, text: str) -> Told | StreamRefused:
        try:
            frame = msgspec.json.decode(text, type=_Frame)
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            return Told(None, Unknown("", str(error), text.encode()))
        if frame.error is not None:
            return StreamRefused(f"{frame.error}: {frame.reason}" if frame.reason else frame.error)
        if not bytes(frame.data):
            return Told(frame.sub_account_id, Unknown("", "a frame without data", text.encode()))
        return Told(frame.sub_account_id, read_event(frame.data, self._scales))
