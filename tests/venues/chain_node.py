"""A small chain and a node that serves it on loopback, in Solana's JSON-RPC shapes, with faults on demand.

The chain keeps what it wrote and when, so that a test can say of anything held whether, and since when, it is out of
date. Every state of an account begins with its version, a counter.
"""

import asyncio
import base64
import json
import random
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web
from solders.pubkey import Pubkey

OWNER = Pubkey.from_bytes(bytes([7] * 32))
SYSTEM = "1" * 32


@dataclass
class Written:
    at_ns: int
    slot: int
    lamports: int
    data: bytes


@dataclass
class Chain:
    """Accounts by slots. ``history`` has every state that an account has had, ``began`` when each slot did."""

    slot: int = 1000
    history: dict[Pubkey, list[Written]] = field(default_factory=dict)
    began: dict[int, int] = field(default_factory=dict)

    def write(self, key: Pubkey, payload: bytes = b"", lamports: int = 1_000_000) -> Written:
        states = self.history.setdefault(key, [])
        data = len(states).to_bytes(8, "little") + payload if lamports else b""
        states.append(Written(time.monotonic_ns(), self.slot, lamports, data))
        return states[-1]

    def now(self, key: Pubkey) -> Written | None:
        return self.history[key][-1] if key in self.history else None

    def missing_since(self, key: Pubkey, data: bytes) -> int | None:
        """When the chain first wrote something that ``data`` does not have; ``None`` where it has all."""
        states = self.history[key]
        version = int.from_bytes(data[:8], "little") if data else max(i for i, s in enumerate(states) if not s.data)
        assert states[version].data == data, "held bytes were never on the chain"
        return states[version + 1].at_ns if version + 1 < len(states) else None


def wire(state: Written) -> dict[str, Any]:
    return {
        "lamports": state.lamports,
        "data": [base64.b64encode(state.data).decode(), "base64"],
        "owner": str(OWNER) if state.lamports else SYSTEM,
        "executable": False,
        "rentEpoch": 18446744073709551615,
        "space": len(state.data),
    }


class Socket:
    """A client's WebSocket at the node: its subscriptions, and what is done to what it is sent."""

    def __init__(self, node: "Node", ws: web.WebSocketResponse, request: web.Request) -> None:
        self.node, self.ws, self.request = node, ws, request
        self.subscriptions: dict[int, tuple[str, list[Any]]] = {}
        self.queue: asyncio.Queue[str] = asyncio.Queue()
        self.kept: str | None = None

    def tell(self, method: str, number: int, result: Any) -> None:
        text = json.dumps({"jsonrpc": "2.0", "method": method, "params": {"result": result, "subscription": number}})
        self.put(text)

    def put(self, text: str) -> None:
        if self.node.stalled:
            return
        self.node.sent.append(text)
        for each in self.node.mangle(text, self):
            self.queue.put_nowait(each)

    def abort(self) -> None:
        if self.request.transport is not None:
            self.request.transport.abort()


class Node:
    """Serves a chain. ``http_faults`` are used up one a request; the others hold until they are changed."""

    def __init__(self, chain: Chain, seed: int = 0) -> None:
        self.chain = chain
        self.random = random.Random(seed)
        self.http_faults: deque[str] = deque()
        self.requests: list[Any] = []
        self.peers: set[tuple[str, int]] = set()
        self.sockets: set[Socket] = set()
        self.sent: deque[str] = deque(maxlen=64)
        self.batch_fault = ""
        self.contexts = True
        self.stalled = False
        self.refuse_ws = False
        self.silent_acks = False
        self.refusals: dict[str, dict[str, Any]] = {}
        self.answers: dict[str, Any] = {}
        self.duplicate = self.stale = self.reorder = 0.0
        self.behind = self.slot_behind = 0
        self.delay_s = 0.0
        self.numbers = 0
        self._runner: web.AppRunner | None = None
        self.port = 0

    @property
    def http(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    @property
    def ws(self) -> str:
        return f"ws://127.0.0.1:{self.port}/"

    async def __aenter__(self) -> "Node":
        app = web.Application(client_max_size=1 << 26)
        app.router.add_post("/{path:.*}", self._post)
        app.router.add_get("/{path:.*}", self._socket)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port)
        await site.start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        for socket in list(self.sockets):
            socket.abort()
        assert self._runner is not None
        await self._runner.cleanup()

    def cut(self) -> None:
        for socket in list(self.sockets):
            socket.abort()

    def say(self, text: str) -> None:
        for socket in self.sockets:
            socket.queue.put_nowait(text)

    def mangle(self, text: str, socket: Socket) -> list[str]:
        """Turn what is to be sent into what is sent: now and then twice, with an old one, or after the next one."""
        out = [text]
        if self.duplicate and self.random.random() < self.duplicate:
            out.append(text)
        if self.stale and self.random.random() < self.stale and '"method"' in text:
            out.append(self.random.choice([each for each in self.sent if '"method"' in each]))
        if socket.kept is not None:
            out.append(socket.kept)
            socket.kept = None
        elif self.reorder and '"method"' in text and self.random.random() < self.reorder:
            socket.kept = out.pop(0)
        return out

    # the chain moves

    def begin_slot(self, parent: int | None = None) -> None:
        parent = self.chain.slot if parent is None else parent
        self.chain.slot += 1
        self.chain.began[self.chain.slot] = time.monotonic_ns()
        for socket in self.sockets:
            for number, (topic, _) in socket.subscriptions.items():
                if topic == "slot":
                    socket.tell("slotNotification", number, {"slot": self.chain.slot, "parent": parent, "root": 1})

    def write(self, key: Pubkey, payload: bytes = b"", lamports: int = 1_000_000) -> None:
        self.chain.write(key, payload, lamports)
        self.notify(key)

    def notify(self, key: Pubkey, state: Written | None = None, slot: int | None = None) -> None:
        state = state or self.chain.now(key)
        assert state is not None
        context = {"slot": slot or self.chain.slot}
        for socket in self.sockets:
            for number, (topic, params) in socket.subscriptions.items():
                if topic == "account" and params[0] == str(key):
                    socket.tell("accountNotification", number, {"context": context, "value": wire(state)})
                elif topic == "program" and state.lamports and _passes(params[1].get("filters", []), state.data):
                    value = {"pubkey": str(key), "account": wire(state)}
                    socket.tell("programNotification", number, {"context": context, "value": value})

    # JSON-RPC

    async def _post(self, request: web.Request) -> web.StreamResponse:
        self.peers.add(request.transport.get_extra_info("peername"))  # type: ignore[union-attr]
        body = json.loads(await request.read())
        self.requests.append(body)
        if self.http_faults and (fault := self.http_faults.popleft()) != "ok":
            return await self._fail(request, fault)
        if self.delay_s:
            await asyncio.sleep(self.delay_s)
        if isinstance(body, list) and self.batch_fault:
            return await self._fail(request, self.batch_fault)
        if isinstance(body, list):
            replies = [self._reply(each) for each in body]
            self.random.shuffle(replies)
            return web.json_response(replies)
        return web.json_response(self._reply(body))

    async def _fail(self, request: web.Request, fault: str) -> web.StreamResponse:
        if fault.isdecimal():
            return web.Response(status=int(fault), text="no")
        if fault.startswith("retry-after "):
            return web.Response(status=429, headers={"Retry-After": fault.partition(" ")[2]})
        if fault == "slow":
            await asyncio.sleep(5)
        if fault == "drop":
            assert request.transport is not None
            request.transport.abort()
        if fault == "half":
            response = web.StreamResponse(headers={"Content-Length": "500"})
            await response.prepare(request)
            await response.write(b'{"jsonrpc":"2.0","id":1,')
            assert request.transport is not None
            request.transport.abort()
            return response
        return web.Response(text=fault, content_type="application/json")

    def _reply(self, call: dict[str, Any]) -> dict[str, Any]:
        reply: dict[str, Any] = {"jsonrpc": "2.0", "id": call["id"]}
        if call["method"] in self.refusals:
            return {**reply, "error": self.refusals[call["method"]]}
        if call["method"] in self.answers:
            return {**reply, "result": self.answers[call["method"]]}
        answer: Callable[..., Any] | None = getattr(self, call["method"], None)
        if answer is None:
            return {**reply, "error": {"code": -32601, "message": "Method not found"}}
        return {**reply, "result": answer(*call["params"])}

    def _state(self, key: str) -> dict[str, Any] | None:
        """What a node that is ``behind`` slots behind knows of an account."""
        states = self.chain.history.get(Pubkey.from_string(key), [])
        known = [state for state in states if state.slot <= self.chain.slot - self.behind]
        return wire(known[-1]) if known and known[-1].lamports else None

    def _at(self, value: Any) -> dict[str, Any]:
        return {"context": {"apiVersion": "3.0.0", "slot": self.chain.slot - self.behind}, "value": value}

    def getSlot(self, config: dict[str, Any]) -> int:  # noqa: N802
        del config
        return self.chain.slot - self.slot_behind

    def getAccountInfo(self, key: str, config: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        assert config["encoding"] == "base64"
        return self._at(self._state(key))

    def getMultipleAccounts(self, keys: list[str], config: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        assert len(keys) <= 100
        assert config["encoding"] == "base64"
        return self._at([self._state(key) for key in keys])

    def getProgramAccounts(self, program: str, config: dict[str, Any]) -> Any:  # noqa: N802
        assert program == str(OWNER)
        assert config["withContext"]
        found = []
        for key in self.chain.history:
            state = self._state(str(key))
            if state is not None and _passes(config["filters"], base64.b64decode(state["data"][0])):
                found.append({"pubkey": str(key), "account": state})
        return self._at(found) if self.contexts else found

    # WebSocket

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        if self.refuse_ws:
            return web.Response(status=503)
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        socket = Socket(self, ws, request)
        self.sockets.add(socket)
        sender = asyncio.create_task(self._send(socket))
        try:
            async for message in ws:
                if message.type is WSMsgType.TEXT:
                    self._take(socket, json.loads(message.data))
        finally:
            self.sockets.discard(socket)
            sender.cancel()
            await asyncio.gather(sender, return_exceptions=True)
        return ws

    async def _send(self, socket: Socket) -> None:
        while True:
            await socket.ws.send_str(await socket.queue.get())

    def _take(self, socket: Socket, call: dict[str, Any]) -> None:
        self.requests.append(call)
        if self.silent_acks:
            return
        method, reply = call["method"], {"jsonrpc": "2.0", "id": call["id"]}
        if method in self.refusals:
            socket.put(json.dumps({**reply, "error": self.refusals[method]}))
        elif method.endswith("Unsubscribe"):
            socket.put(json.dumps({**reply, "result": socket.subscriptions.pop(call["params"][0], None) is not None}))
        else:
            self.numbers += 1
            socket.subscriptions[self.numbers] = (method.removesuffix("Subscribe"), call["params"])
            socket.put(json.dumps({**reply, "result": self.numbers}))


def _passes(filters: list[dict[str, Any]], data: bytes) -> bool:
    for each in filters:
        memcmp = each["memcmp"]
        wanted = _base58(memcmp["bytes"])
        if data[memcmp["offset"] : memcmp["offset"] + len(wanted)] != wanted:
            return False
    return True


def _base58(text: str) -> bytes:
    alphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
    number = 0
    for digit in text:
        number = number * 58 + alphabet.index(digit)
    zeros = len(text) - len(text.lstrip("1"))
    return bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8, "big")
