"""The socket that comes back: ended by its owner, cut, silent, refused, flooded."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web
from service_stage import Sockets, serving, sockets

from drift_engine.venues.dlob.stream import DlobStream
from drift_engine.venues.gateway.stream import GatewayStream
from drift_engine.venues.http import InvalidRequestError, UnreachableError
from drift_engine.venues.streams.live_socket import Gap, LiveSocket, Patience

QUICK = Patience(first_wait_s=0.01, longest_wait_s=0.02, connect_s=0.3)


@asynccontextmanager
async def live(url: str, patience: Patience = QUICK) -> AsyncIterator[LiveSocket]:
    async with LiveSocket(url, name="thing", hello=lambda: [b'"hello"'], patience=patience) as socket:
        yield socket


async def hold(made: Sockets, socket: web.WebSocketResponse, number: int) -> None:
    await made.hear(socket, number)
    await socket.send_str(str(number))
    await socket.receive()


async def test_a_connection_torn_without_a_word_is_a_gap() -> None:
    async def tear(made: Sockets, socket: web.WebSocketResponse, number: int) -> None:
        await made.hear(socket, number)
        await socket.send_str(str(number))
        assert socket._req is not None
        assert socket._req.transport is not None
        socket._req.transport.abort()

    async with sockets(tear) as made, live(made.url) as socket:
        for number in range(5):
            assert await socket.next() == str(number)
            gap = await socket.next()
            assert isinstance(gap, Gap)
            assert "closed by the other side" in gap.why
    assert made.heard[:5] == [["hello"]] * 5


async def test_what_is_sent_while_it_stands_arrives_and_else_waits_for_hello() -> None:
    async def echo(made: Sockets, socket: web.WebSocketResponse, number: int) -> None:
        await made.hear(socket, number)
        await socket.send_str("ready")
        await made.hear(socket, number)
        await socket.send_str("heard")
        await socket.receive()

    async with sockets(echo) as made, live(made.url) as socket:
        await socket.send(b'"too early"')
        assert await socket.next() == "ready"
        await socket.send(b'"now"')
        assert await socket.next() == "heard"
        assert made.heard == [["hello", "now"]]


async def test_its_owner_ends_it_from_another_task() -> None:
    for make in (GatewayStream, DlobStream):
        async with sockets(lambda made, socket, number: asyncio.sleep(0.5)) as made:
            stream = make(made.url)
            waiting = asyncio.create_task(drain(stream))
            await asyncio.sleep(0.1)
            await stream.close()
            assert await asyncio.wait_for(waiting, 20) == 0
            assert not stream.connected
        assert len(made.heard) == 1


async def drain(stream: GatewayStream | DlobStream) -> int:
    count = 0
    async for _ in stream:
        count += 1
    return count


async def test_it_can_be_ended_while_it_waits_for_the_service() -> None:
    async with sockets(hold) as made:
        socket = LiveSocket(made.url, name="thing", hello=lambda: [b'"hello"'], patience=QUICK)
        assert await socket.next() == "0"
    waiting = asyncio.create_task(socket.next())  # nobody serves any more
    await asyncio.sleep(0.1)
    await socket.close()
    assert await asyncio.wait_for(waiting, 20) is None
    assert await socket.next() is None


async def test_a_service_that_answers_http_says_so() -> None:
    async def upgrade(_: web.Request) -> web.Response:
        return web.Response(status=426, text="This is a WebSocket endpoint.")

    async with serving(upgrade) as url, live(url) as socket:
        with pytest.raises(UnreachableError, match="it answered 426 instead of a WebSocket"):
            await socket.next()


async def test_a_handshake_that_never_ends_is_given_up() -> None:
    async def never(_: web.Request) -> web.Response:
        await asyncio.sleep(60)
        return web.Response()

    async with serving(never) as url, live(url) as socket:
        with pytest.raises(UnreachableError, match="TimeoutError"):
            await socket.next()


async def test_no_pong_is_a_lost_connection() -> None:
    async def deaf(made: Sockets, socket: web.WebSocketResponse, number: int) -> None:
        await socket.send_str("x")
        await asyncio.sleep(60)  # reads nothing, so it answers no ping

    patience = Patience(ping_s=0.1, first_wait_s=0.01, longest_wait_s=0.02)
    async with sockets(deaf) as made, live(made.url, patience) as socket:
        assert await socket.next() == "x"
        async with asyncio.timeout(20):
            assert isinstance(await socket.next(), Gap)


async def test_a_frame_too_large_is_a_gap_and_not_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("drift_engine.venues.streams.live_socket.MAX_FRAME_BYTES", 1000)

    async def flood(made: Sockets, socket: web.WebSocketResponse, number: int) -> None:
        await socket.send_str("x" * (2000 if number == 0 else 10))
        await socket.receive()

    async with sockets(flood) as made, live(made.url) as socket:
        assert isinstance(await socket.next(), Gap)
        assert await socket.next() == "x" * 10


async def test_a_shared_session_stays_open_and_secrets_stay_hidden() -> None:
    key = "abcdefabcdefabcdef"
    async with sockets(hold) as made, aiohttp.ClientSession() as session:
        url = f"{made.url}/{key}"
        async with LiveSocket(url, name="thing", hello=lambda: [b'"hello"'], session=session) as socket:
            assert await socket.next() == "0"
            assert key not in repr(socket)
        assert not session.closed
    with pytest.raises(UnreachableError) as raised:
        async with live(url) as socket:
            await socket.next()
    assert key not in str(raised.value)


def test_an_unusable_address_is_refused_at_once() -> None:
    with pytest.raises(InvalidRequestError, match="it must begin with ws or wss"):
        LiveSocket("ftp://h", name="thing", hello=list)
