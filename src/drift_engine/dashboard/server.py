"""The server process: one event loop, one listening socket, the application, and an end within five seconds."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn

from drift_engine.dashboard.app import make_app
from drift_engine.dashboard.protocol import Connection, listening
from drift_engine.dashboard.room import Room
from drift_engine.dashboard.security import Doorkeeper, fresh_token, kept_token
from drift_engine.signals import stopping

DEFAULT_HOST, DEFAULT_PORT = "127.0.0.1", 8700
_GRACE_S = 2
_CONNECTIONS = 512


class PageServer(uvicorn.Server):
    """A server on a socket that is already listening. Port 0 takes a free one: ``url`` says which."""

    def __init__(self, state_dir: Path, host: str = DEFAULT_HOST, port: int = DEFAULT_PORT) -> None:
        self.socket: socket.socket = listening(host, port)
        self.port: int = self.socket.getsockname()[1]
        self.url = f"http://{f'[{host}]' if ':' in host else host}:{self.port}"
        self.token = kept_token(state_dir) or fresh_token(state_dir)
        self.room = Room(state_dir)
        self.doorkeeper = Doorkeeper(self.token)
        super().__init__(
            uvicorn.Config(
                make_app(self.room, self.doorkeeper, host, self.port),
                http=Connection,
                ws="none",
                lifespan="on",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                limit_concurrency=_CONNECTIONS,
                timeout_keep_alive=30,
                timeout_graceful_shutdown=_GRACE_S,
            )
        )

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let those who listen go, so that nobody is waited for."""
        self.room.stream.end()
        await super().shutdown(sockets)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """End cleanly by SIGTERM and SIGINT: that is no error, and nothing is raised again afterwards."""
        with stopping(self._leave):
            yield

    def _leave(self) -> None:
        self.should_exit = True

    async def run_page(self) -> None:
        """Serve until stopped by a signal or ``should_exit``."""
        try:
            await self.serve(sockets=[self.socket])
        finally:
            self.socket.close()
