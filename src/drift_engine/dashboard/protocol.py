"""The HTTP server's connections, so that one whose client no longer reads can be cut.

Closing such a connection would wait for the client to read what is buffered, which is what it does not do.
"""

import asyncio
import socket

from starlette.types import Scope
from uvicorn.protocols.http.h11_impl import H11Protocol

SEND_BUFFER = 65_536
FIRST_REQUEST_S = 10.0
_open: dict[tuple[str, int], asyncio.Transport] = {}


class Connection(H11Protocol):
    """A connection that is known by its client's address while it lasts."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin."""
        super().connection_made(transport)
        self.loop.call_later(FIRST_REQUEST_S, self._hurry)
        if self.client is not None:
            _open[self.client] = transport

    def _hurry(self) -> None:
        """Cut a connection over which nothing was asked yet: it only takes the place of others."""
        if self.cycle is None and not self.transport.is_closing():
            self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        if self.client is not None:
            _open.pop(self.client, None)
        super().connection_lost(exc)


def abort(scope: Scope) -> None:
    """Cut the connection of a request."""
    transport = _open.get(tuple(scope.get("client") or ()))
    if transport is not None:
        transport.abort()


def listening(host: str, port: int) -> socket.socket:
    """Return a listening socket whose connections buffer little, so that a client that stalls is noticed soon."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    server = socket.socket(family, socket.SOCK_STREAM)
    try:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        server.bind((host, port))
        server.listen(512)
        server.settimeout(0)
    except OSError:
        server.close()
        raise
    return server
