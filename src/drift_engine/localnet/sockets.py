"""One WebSocket of a client: its calls answered, its notifications sent in order, the stream's faults on the way."""

import asyncio
from typing import Any

import msgspec
from aiohttp import WSMsgType, web

from drift_engine.localnet.dispatch import NOTHING, answer_all
from drift_engine.localnet.node import Method, Node
from drift_engine.localnet.rpc_errors import bad_params
from drift_engine.localnet.rpc_params import needed
from drift_engine.localnet.rpc_subscriptions import KINDS, Subscriptions

MAX_WAITING = 100_000
"""A client that reads so slowly that more messages wait for it is cut."""
HELD_SLOTS = 2
"""How long a notification waits for another to overtake it."""


class Socket:
    """A WebSocket and what waits to be sent on it."""

    def __init__(self, node: Node, subscriptions: Subscriptions, methods: dict[str, Method]) -> None:
        self._node, self._subscriptions = node, subscriptions
        self._methods = methods | self._own_methods()
        self._socket = web.WebSocketResponse(autoping=False, compress=False)
        self._waiting: asyncio.Queue[bytes] = asyncio.Queue(MAX_WAITING)
        self._held_back: list[tuple[int, bytes]] = []
        self._last: dict[int, bytes] = {}
        self._begun: list[int] = []
        self._transport: asyncio.Transport | None = None

    async def run(self, request: web.Request) -> web.WebSocketResponse:
        """Serve the socket until either side closes it."""
        self._transport = request.transport
        await self._socket.prepare(request)
        sender = asyncio.create_task(self._send_waiting())
        try:
            async for message in self._socket:
                await self._take(message.type, message.data)
        finally:
            self._subscriptions.forget(self.notify)
            sender.cancel()
            await asyncio.gather(sender, return_exceptions=True)
        return self._socket

    async def _take(self, kind: WSMsgType, data: Any) -> None:
        if self._stalled():
            return
        if kind is WSMsgType.PING:
            await self._socket.pong(data)
        elif kind in (WSMsgType.TEXT, WSMsgType.BINARY):
            raw = data.encode() if isinstance(data, str) else data
            self._queue(answer_all(self._node, self._methods, raw))
            for number in self._begun:
                self._subscriptions.begin(number)
            self._begun.clear()

    def _stalled(self) -> bool:
        return self._node.faults.strike("stall") is not None

    def notify(self, message: dict[str, Any]) -> None:
        """Queue a notification, as the faults of the stream let it."""
        faults = self._node.faults
        if self._stalled():
            return
        raw, number = msgspec.json.encode(message), message["params"]["subscription"]
        before, self._last[number] = self._last.get(number), raw
        if faults.strike("reorder") is not None:
            self._held_back.append((self._node.chain.slot, raw))
            return
        for _ in range(2 if faults.strike("duplicate") is not None else 1):
            self._queue(raw)
        if before is not None and faults.strike("replay") is not None:
            self._queue(before)
        self._release(self._node.chain.slot)

    def turn(self, slot: int) -> None:
        """Send what no other notification has overtaken for some slots."""
        self._release(slot - HELD_SLOTS)

    def _release(self, slot: int) -> None:
        for _, held in (entry for entry in self._held_back if entry[0] <= slot):
            self._queue(held)
        self._held_back = [entry for entry in self._held_back if entry[0] > slot]

    def _queue(self, raw: bytes) -> None:
        if self._waiting.full():
            self.cut()
        elif raw != NOTHING:
            self._waiting.put_nowait(raw)

    async def _send_waiting(self) -> None:
        while True:
            await self._socket.send_str((await self._waiting.get()).decode())

    def cut(self) -> None:
        """Drop the connection at once, without the closing handshake."""
        if self._transport is not None:
            self._transport.abort()

    async def close(self) -> None:
        """Close the socket in order."""
        await self._socket.close()

    def _own_methods(self) -> dict[str, Method]:
        opening = {f"{kind}Subscribe": self._subscribing(kind) for kind in KINDS}
        return opening | {f"{kind}Unsubscribe": self._unsubscribing(kind) for kind in KINDS}

    def _subscribing(self, kind: str) -> Method:
        def subscribe(_: Node, params: list[Any]) -> int:
            number = self._subscriptions.subscribe(kind, params, self.notify)
            self._begun.append(number)
            return number

        return subscribe

    def _unsubscribing(self, kind: str) -> Method:
        def unsubscribe(_: Node, params: list[Any]) -> bool:
            number = needed(params, 0, int)
            if not self._subscriptions.unsubscribe(number, kind, self.notify):
                raise bad_params("Invalid subscription id.")
            self._last.pop(number, None)
            return True

        return unsubscribe
