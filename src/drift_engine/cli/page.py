"""``drift-engine page``: the page's server process. ``serve`` starts it, and starts it again where it dies."""

from pathlib import Path
from typing import Annotated

import typer

from drift_engine.cli import exits
from drift_engine.cli.options import State

_NICE = 5  # engines come first
Host = Annotated[str, typer.Option("--host", metavar="HOST", help="Address to listen on.")]
Port = Annotated[int, typer.Option("--port", min=0, max=65_535, help="Port to listen on; 0 takes a free one.")]


def page(*, host: Host = "127.0.0.1", port: Port = 8700, state: State = None) -> int:
    """Serve the page for the engines of a state directory."""
    import asyncio
    import os

    from drift_engine.cli.places import make_dir
    from drift_engine.config import DEFAULT_STATE_DIR, ConfigError
    from drift_engine.dashboard.server import PageServer

    directory: Path = state or DEFAULT_STATE_DIR
    make_dir(directory)
    try:
        server = PageServer(directory, host, port)
    except OSError as error:
        raise ConfigError(f"cannot listen on {host} port {port}: {error.strerror}; choose another --port") from None
    os.nice(_NICE)
    print(f"page at {server.url}", flush=True)
    asyncio.run(server.run_page())
    return exits.OK
