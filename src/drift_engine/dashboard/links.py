"""Questions to the manager and to engines: JSON lines over their Unix sockets, a connection a question.

A question has a time to be answered in; whoever does not answer is said not to (``code`` ``unreachable`` or
``timeout``) and is asked again by the next question. Nothing is kept open, so nothing has to be mended when the other
end dies and comes back.
"""

import asyncio
import itertools
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

LINE_LIMIT = 4 * 2**20
_numbers = itertools.count(1)


class Answer(Struct, frozen=True):
    """What came back: ``code`` is a word, ``message`` a line for people."""

    ok: bool
    code: str = ""
    message: str = ""
    data: Any = None


async def ask(socket: Path, word: str, within_s: float = 4.0, **details: Any) -> Answer:
    """Ask one thing and return the answer, also where there is none."""
    request = msgspec.json.encode({"id": next(_numbers), "do": word, **details}) + b"\n"
    try:
        async with asyncio.timeout(within_s):
            return await _converse(socket, request)
    except TimeoutError:
        return Answer(ok=False, code="timeout", message=f"{socket.stem} did not answer {word!r} within {within_s:g} s")
    except (OSError, ValueError) as error:
        return Answer(ok=False, code="unreachable", message=f"{socket.stem} cannot be reached: {_said(error)}")


async def _converse(socket: Path, request: bytes) -> Answer:
    reader, writer = await asyncio.open_unix_connection(socket, limit=LINE_LIMIT)
    try:
        writer.write(request)
        await writer.drain()
        line = await reader.readline()
        if not line:
            raise ConnectionResetError("the connection was closed without an answer")
        return msgspec.json.decode(line, type=Answer)
    finally:
        writer.transport.abort()


def _said(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__
