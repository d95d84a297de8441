"""The chain as a server on loopback: JSON-RPC by HTTP and WebSocket, and a control for faults and slots.

Two ports, as Solana has it: RPC on one, WebSockets on the next; either takes both. The control is plain JSON:

- ``GET /faults`` shows what is set; ``POST /faults`` sets: ``{"drop": {"next": 2}, "stale": {"rate": 0.1}}``;
  ``{"stall": null}`` unsets one, ``{"clear": true}`` all; ``{"disconnect": {}}`` and ``{"fork": {"slots": 2}}`` act at
  once;
- ``POST /slots`` with ``{"advance": 3}`` opens slots by hand.
"""

from typing import Any

import msgspec
from aiohttp import web

from drift_engine.localnet.blocks import FinalizedError
from drift_engine.localnet.chain import Event, SlotOpened
from drift_engine.localnet.dispatch import METHODS, answer_all
from drift_engine.localnet.faults import ACTS, BadFaultError, Fault
from drift_engine.localnet.node import Node
from drift_engine.localnet.rpc_subscriptions import Subscriptions
from drift_engine.localnet.sockets import Socket

MAX_ADVANCE = 10_000
JSON = "application/json"


class Server:
    """A node's HTTP and WebSocket side."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._subscriptions = Subscriptions(node)
        self._sockets: set[Socket] = set()
        node.chain.listeners.append(self._turn)

    @property
    def listeners(self) -> tuple[int, int]:
        """Return how many sockets are open, and how many subscriptions."""
        return len(self._sockets), len(self._subscriptions)

    def app(self) -> web.Application:
        """Return the application that both ports serve."""
        app = web.Application()
        app.add_routes(
            [
                web.get("/", self._upgrade),
                web.post("/", self._call),
                web.get("/health", self._health),
                web.get("/faults", self._faults),
                web.post("/faults", self._set_faults),
                web.post("/slots", self._advance),
            ]
        )
        app.on_shutdown.append(self._close)
        return app

    async def _call(self, request: web.Request) -> web.Response:
        fault = self._node.faults.refuse_request()
        raw = await request.read()
        if fault is not None:
            return too_many(429, "Too many requests for a specific RPC call", fault.retry_after_s)
        return web.Response(body=answer_all(self._node, METHODS, raw), content_type=JSON)

    async def _upgrade(self, request: web.Request) -> web.StreamResponse:
        socket = Socket(self._node, self._subscriptions, METHODS)
        self._sockets.add(socket)
        try:
            return await socket.run(request)
        finally:
            self._sockets.discard(socket)

    async def _health(self, _: web.Request) -> web.Response:
        return web.Response(text="ok" if self._node.behind() is None else "behind")

    async def _faults(self, _: web.Request) -> web.Response:
        return web.Response(body=msgspec.json.encode(self._node.faults.shown()), content_type=JSON)

    async def _set_faults(self, request: web.Request) -> web.Response:
        try:
            for kind, value in _object(await request.read()).items():
                self.set_fault(kind, value)
        except (BadFaultError, FinalizedError, msgspec.ValidationError) as error:
            return web.json_response({"error": str(error)}, status=400)
        return await self._faults(request)

    def set_fault(self, kind: str, value: Any) -> None:
        """Set, unset or act on a fault, as the control is told; raise ``BadFaultError`` for what makes no sense."""
        if kind == "clear":
            self._node.faults.clear()
        elif value is None:
            self._node.faults.clear(kind)
        else:
            fault = msgspec.convert(value, Fault)
            if kind not in ACTS:
                self._node.faults.set(kind, fault)
            else:
                self._act(kind, fault)

    def _act(self, kind: str, fault: Fault) -> None:
        if kind == "fork":
            self._node.chain.roll_back(fault.slots)
        self._node.faults.struck[kind] += 1
        for socket in list(self._sockets) if kind == "disconnect" else ():
            socket.cut()

    async def _advance(self, request: web.Request) -> web.Response:
        try:
            count = _object(await request.read()).get("advance")
        except BadFaultError as error:
            return web.json_response({"error": str(error)}, status=400)
        if not isinstance(count, int) or isinstance(count, bool) or not 0 < count <= MAX_ADVANCE:
            return web.json_response({"error": f"advance must be a whole number from 1 to {MAX_ADVANCE}"}, status=400)
        self._node.chain.advance(count)
        return web.json_response({"slot": self._node.chain.slot})

    def _turn(self, event: Event) -> None:
        if isinstance(event, SlotOpened):
            for socket in self._sockets:
                socket.turn(event.block.slot)

    async def _close(self, _: web.Application) -> None:
        for socket in list(self._sockets):
            await socket.close()


def too_many(code: int, message: str, retry_after_s: int) -> web.Response:
    """Return the answer to one request too many."""
    body = {"jsonrpc": "2.0", "error": {"code": code, "message": message}, "id": None}
    return web.json_response(body, status=429, headers={"Retry-After": str(retry_after_s)})


def _object(raw: bytes) -> dict[str, Any]:
    try:
        return msgspec.json.decode(raw, type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise BadFaultError(f"the body must be one JSON object: {error}") from error
