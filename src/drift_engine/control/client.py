"""The asking end of a control socket: one question a connection, or a stream until either side ends it.

Nothing is kept open between questions, so nothing has to be mended when the other end dies and comes back. Whoever does
not answer in time is said not to: that is an answer too (``unreachable``, ``timeout``).
"""

import asyncio
import itertools
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec

from drift_engine.control import protocol
from drift_engine.control.protocol import Answer, no

WITHIN_S = 5.0
_numbers = itertools.count(1)


async def ask(socket: Path, do: str, within_s: float = WITHIN_S, **fields: Any) -> Answer:
    """Ask one thing and return the answer, also where there is none."""
    try:
        async with asyncio.timeout(within_s):
            reader, writer = await _opened(socket, do, fields)
            try:
                return _decoded(await reader.readline())
            finally:
                writer.transport.abort()
    except TimeoutError:
        return no("timeout", f"{socket.stem} did not answer {do!r} within {within_s:g} s")
    except (OSError, ValueError) as error:
        return no("unreachable", f"{socket.stem} cannot be reached: {_said(error)}")


def ask_now(socket: Path, do: str, within_s: float = WITHIN_S, **fields: Any) -> Answer:
    """Ask from code that has no event loop."""
    return asyncio.run(ask(socket, do, within_s, **fields))


async def follow(socket: Path, do: str = "follow", **fields: Any) -> AsyncIterator[dict[str, Any]]:
    """Yield a stream's messages, its answer first (under ``answer``). Raises ``ConnectionError`` when it is cut off."""
    reader, writer = await _opened(socket, do, fields)
    try:
        answer = _decoded(await reader.readline())
        yield {"answer": answer}
        while answer.ok:
            line = await reader.readline()
            if not line:
                raise ConnectionResetError(f"{socket.stem} ended the stream")
            yield msgspec.json.decode(line)
    finally:
        writer.transport.abort()


async def _opened(socket: Path, do: str, fields: dict[str, Any]) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_unix_connection(socket, limit=protocol.LINE_BYTES)
    writer.write(protocol.line({"id": next(_numbers), "do": do, **fields}))
    return reader, writer


def _decoded(line: bytes) -> Answer:
    if not line:
        raise ConnectionResetError("the connection was closed without an answer")
    return msgspec.json.decode(line, type=Answer)


def _said(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__
