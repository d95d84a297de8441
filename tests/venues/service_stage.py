"""Real HTTP and WebSocket servers on loopback that answer from a script, for the clients of services."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Heard:
    """A request as it arrived."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Service:
    """A server whose answers are set per ``METHOD path``; what it heard is kept in order."""

    url: str = ""
    heard: list[Heard] = field(default_factory=list)
    answers: dict[str, Handler] = field(default_factory=dict)

    def on(self, what: str, handler: Handler) -> None:
        self.answers[what] = handler

    def reply(self, what: str, body: object, status: int = 200, headers: dict[str, str] | None = None) -> None:
        """Answer ``what`` with JSON, or with text where ``body`` is a string."""
        text = body if isinstance(body, str) else json.dumps(body)

        async def handler(_: web.Request) -> web.Response:
            return web.Response(text=text, status=status, headers=headers)

        self.on(what, handler)

    def cut(self, what: str) -> None:
        """Close the connection instead of answering."""

        async def handler(request: web.Request) -> web.Response:
            assert request.transport is not None
            request.transport.abort()
            return web.Response()

        self.on(what, handler)

    @property
    def last(self) -> Heard:
        return self.heard[-1]

    def asked(self, method: str, path: str) -> int:
        return sum(each.method == method and each.path == path for each in self.heard)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.heard.append(Heard(request.method, request.path, dict(request.query), headers, body))
        handler = self.answers.get(f"{request.method} {request.path}")
        return await handler(request) if handler else web.Response(status=404, text="no route")


@asynccontextmanager
async def serving(handler: Handler) -> AsyncIterator[str]:
    """Serve every path by one handler on a free port; yields the address."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(app, shutdown_timeout=0.2)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def service() -> AsyncIterator[Service]:
    made = Service()
    async with serving(made.handle) as url:
        made.url = url
        yield made


@dataclass
class Sockets:
    """A WebSocket server: ``play`` plays each connection by its number, and what was heard is kept by number."""

    play: Callable[["Sockets", web.WebSocketResponse, int], Awaitable[None]]
    url: str = ""
    heard: list[list[Any]] = field(default_factory=list)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        number = len(self.heard)
        self.heard.append([])
        await self.play(self, socket, number)
        if not socket.closed:
            await socket.close()
        return socket

    async def hear(self, socket: web.WebSocketResponse, number: int) -> Any:
        """Wait for one frame of connection ``number``."""
        frame = json.loads(await socket.receive_str(timeout=20))
        self.heard[number].append(frame)
        return frame


@asynccontextmanager
async def sockets(play: Callable[[Sockets, web.WebSocketResponse, int], Awaitable[None]]) -> AsyncIterator[Sockets]:
    made = Sockets(play)
    async with serving(made.handle) as url:
        made.url = url.replace("http://", "ws://")
        yield made
