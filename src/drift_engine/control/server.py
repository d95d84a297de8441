"""The listening end of a control socket: requests are answered one after the other, streams have a reader's patience.

Whoever reads too slowly is cut off: what is written to a connection waits in a bounded buffer, and a peer that does not
take it within ``PATIENCE_S`` is dropped. Nothing here waits for a peer but the peer's own task.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from drift_engine.config import ConfigError
from drift_engine.control import protocol
from drift_engine.control.protocol import Answer, BadRequestError, Request, no

PATIENCE_S = 5.0
BUFFER_BYTES = 256 * 1024
MAX_PEERS = 64
_PATH_BYTES = 100

Stream = Callable[["Peer"], Awaitable[None]]
Handler = Callable[[Request], "Answer | tuple[Answer, Stream] | Awaitable[Answer]"]


class Peer:
    """One connection. ``send`` returns once the line is on its way; a peer that does not read is dropped."""

    def __init__(self, writer: asyncio.StreamWriter, patience_s: float) -> None:
        self._writer, self._patience_s = writer, patience_s
        writer.transport.set_write_buffer_limits(high=BUFFER_BYTES)

    async def send(self, data: bytes) -> None:
        """Write; wait while the buffer is full. Raises ``ConnectionError`` where the peer is gone or too slow."""
        self._writer.write(data)
        try:
            async with asyncio.timeout(self._patience_s):
                await self._writer.drain()
        except TimeoutError:
            self.drop()
            raise ConnectionAbortedError("the peer does not read") from None

    def drop(self) -> None:
        """End the connection at once, whatever still waits to be sent."""
        self._writer.transport.abort()


class ControlServer:
    """Serves ``handlers`` by their word on a socket of mode 0600."""

    def __init__(self, path: Path, handlers: Mapping[str, Handler], patience_s: float = PATIENCE_S) -> None:
        self.path, self._handlers, self._patience_s = path, handlers, patience_s
        self._server: asyncio.Server | None = None
        self._peers: set[asyncio.Task[None]] = set()
        self.dropped = 0

    async def start(self) -> None:
        """Listen. A socket left behind by a process that died is replaced; whoever starts holds the lock of its name.

        Raises ``ConfigError`` where the path is too long for a socket or cannot be made.
        """
        if len(os.fsencode(self.path.absolute())) > _PATH_BYTES:
            raise ConfigError(f"{self.path}: too long for a socket; choose a shorter --state")
        self.path.unlink(missing_ok=True)
        before = os.umask(0o177)
        try:
            self._server = await asyncio.start_unix_server(self._meet, self.path, limit=protocol.REQUEST_BYTES)
        except OSError as error:
            raise ConfigError(f"{self.path}: cannot listen: {error.strerror or error}") from None
        finally:
            os.umask(before)

    async def close(self) -> None:
        """Stop listening, end every connection, remove the socket."""
        if self._server is None:
            return
        self._server.close()
        for task in tuple(self._peers):
            task.cancel()
        await asyncio.gather(*self._peers, return_exceptions=True)
        await self._server.wait_closed()
        self._server = None
        self.path.unlink(missing_ok=True)

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None or len(self._peers) >= MAX_PEERS:
            writer.transport.abort()
            return
        self._peers.add(task)
        peer = Peer(writer, self._patience_s)
        try:
            await self._converse(reader, peer)
        except ConnectionAbortedError:
            self.dropped += 1
        except (ConnectionError, asyncio.CancelledError):
            peer.drop()
        finally:
            self._peers.discard(task)
            writer.close()

    async def _converse(self, reader: asyncio.StreamReader, peer: Peer) -> None:
        while True:
            try:
                text = await reader.readline()
            except ValueError:  # the line is longer than a request may be
                await peer.send(protocol.line(no("bad_request", "the request is too long")))
                return
            if not text:
                return
            answer, stream = await self._answered(text)
            await peer.send(protocol.line(answer))
            if stream is not None:
                await _until_gone(reader, stream(peer))
                return

    async def _answered(self, text: bytes) -> tuple[Answer, Stream | None]:
        number = None
        try:
            request = protocol.parse(text)
            number = request.id
            found = self._handled(request)
            if isinstance(found, tuple):
                return _numbered(found[0], number), found[1]
            return _numbered(found if isinstance(found, Answer) else await found, number), None
        except BadRequestError as error:
            return _numbered(no("bad_request", str(error)), number), None

    def _handled(self, request: Request) -> "Answer | tuple[Answer, Stream] | Awaitable[Answer]":
        handler = self._handlers.get(request.do)
        if handler is None:
            known = ", ".join(self._handlers)
            return no("unknown_command", f"nothing is known of {request.do!r}; known are {known}")
        return handler(request)


def _numbered(answer: Answer, number: int | None) -> Answer:
    return Answer(answer.ok, answer.code, answer.message, answer.data, number)


async def _until_gone(reader: asyncio.StreamReader, stream: Awaitable[None]) -> None:
    """Run a stream until it ends, or its reader hangs up."""
    streaming = asyncio.ensure_future(stream)
    gone = asyncio.ensure_future(reader.read(1))
    try:
        await asyncio.wait({streaming, gone}, return_when=asyncio.FIRST_COMPLETED)
        if streaming.done():
            streaming.result()
    finally:
        for task in (streaming, gone):
            task.cancel()
        await asyncio.gather(streaming, gone, return_exceptions=True)
