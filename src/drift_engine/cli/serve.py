"""``drift-engine serve``: the manager of a fleet and the page, until stopped."""

from pathlib import Path
from typing import Annotated

import typer

from drift_engine.cli import exits
from drift_engine.cli.options import State

FleetFile = Annotated[
    Path | None, typer.Option("--fleet", metavar="FILE", help="A TOML file of engines. (default: three on paper)")
]
Host = Annotated[str | None, typer.Option("--host", metavar="HOST", help="Where the page listens. (default 127.0.0.1)")]
Port = Annotated[int | None, typer.Option("--port", min=0, max=65_535, help="Its port. (default 8700)")]
Detach = Annotated[bool, typer.Option("--detach", help="Leave the engines running when this is stopped.")]
For = Annotated[str | None, typer.Option("--for", metavar="TIME", help="End after this long, as 20s, 5m, 1h.")]
NoPage = Annotated[bool, typer.Option("--no-page", help="Run the engines without the page.")]


def serve(
    *,
    fleet: FleetFile = None,
    host: Host = None,
    port: Port = None,
    state: State = None,
    detach: Detach = False,
    no_page: NoPage = False,
    length: For = None,
) -> int:
    """Run a fleet of engines and the page that shows and steers them."""
    import asyncio
    import logging

    from msgspec import structs

    from drift_engine.cli import fleet_view
    from drift_engine.cli.fleet_options import state_dir
    from drift_engine.cli.options import parse_duration
    from drift_engine.cli.places import make_dir
    from drift_engine.control.places import Places, held
    from drift_engine.dashboard.security import fresh_token
    from drift_engine.manager.fleet import default_fleet, load_fleet
    from drift_engine.manager.serving import Service

    length_s = parse_duration(length)
    found = default_fleet() if fleet is None else load_fleet(fleet)
    found = structs.replace(found, host=host or found.host, port=found.port if port is None else port)
    directory = state_dir(state)
    make_dir(directory)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    with held(Places(directory, "manager").pid, f"the fleet in {directory}"):
        if not no_page and Places(directory, "page").living_pid() is None:
            _check_free(found.host, found.port)
        token = None if no_page else fresh_token(directory)
        service = Service(found, directory, None if no_page else (found.host, found.port))
        names = list(service.manager.engines)
        with fleet_view.shown() as show:
            work = service.run(
                lambda page: _tell(names, page, token, found.host), show, length_s=length_s, leave=detach
            )
            asyncio.run(work)
    return exits.OK


def _check_free(host: str, port: int) -> None:
    """Raise ``ConfigError`` where the page could not listen; nothing has been started by then."""
    import socket

    from drift_engine.config import ConfigError

    try:
        socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET).close()
    except OSError as error:
        said = error.strerror or error
        raise ConfigError(f"cannot listen on {host} port {port}: {said}; choose another --port") from None


def _tell(names: list[str], page: str, token: str | None, host: str) -> None:
    print(f"engines: {', '.join(names)}", flush=True)
    if page:
        print(page, flush=True)
    if token is not None:
        print(f"token {token} unlocks its commands; it is shown once", flush=True)
        if host not in ("127.0.0.1", "::1", "localhost"):
            print("the network can read the page, and overhear the token: nothing is encrypted", flush=True)
    print("Ctrl-C stops it all; drift-engine status --watch shows the engines here", flush=True)
