"""Where a node's WebSockets are, when nobody said.

Validators serve them on the port after that of their RPC; gateways and small test nodes on the very same one. So where
an RPC address names a port, the next one is tried first, and the same one only if nobody is there or what is there
speaks no WebSocket. Where neither does, the first is the answer: it may come up later.
"""

import asyncio
from collections.abc import Sequence
from urllib.parse import urlsplit, urlunsplit

import aiohttp

_WAIT_S = 2.0
_LAST_PORT = 65_535


def ws_url_of(rpc_url: str) -> str:
    """Return where a node's WebSockets are by custom: on the port after an RPC port that is named, else beside it."""
    port = urlsplit(rpc_url).port
    return _ws_at(rpc_url, port and min(port + 1, _LAST_PORT))


async def find_ws_url(rpc_url: str) -> str:
    """Return where a node's WebSockets are: by custom, or on the RPC's own port where only that one speaks them."""
    by_custom, same = ws_url_of(rpc_url), _ws_at(rpc_url, urlsplit(rpc_url).port)
    if by_custom == same or await speaks(by_custom):
        return by_custom
    return same if await speaks(same) else by_custom


async def find_ws_urls(rpc_urls: Sequence[str]) -> tuple[str, ...]:
    """Return where the WebSockets of several nodes are, in their order."""
    return tuple(await asyncio.gather(*(find_ws_url(url) for url in rpc_urls)))


async def speaks(ws_url: str) -> bool:
    """Whether somebody at an address speaks WebSocket now."""
    try:
        async with (
            asyncio.timeout(_WAIT_S),
            aiohttp.ClientSession() as session,
            session.ws_connect(ws_url, timeout=aiohttp.ClientWSTimeout(ws_close=0.25)),
        ):
            return True
    except (aiohttp.ClientError, OSError, TimeoutError):
        return False


def _ws_at(rpc_url: str, port: int | None) -> str:
    parts = urlsplit(rpc_url)
    where = parts.netloc if port is None else f"{parts.netloc.rpartition(':')[0]}:{port}"
    return urlunsplit((parts.scheme.replace("http", "ws", 1), where, parts.path, parts.query, ""))
