"""``drift-engine serve``: the manager of a fleet and the page, until stopped."""

from importlib import import_module
from importlib.util import find_spec
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
NoPage = Annotated[bool, typer.Option("--no-page", help="Run the engines without the page.")]


def serve(
    *,
    fleet: FleetFile = None,
    host: Host = None,
    port: Port = None,
    state: State = None,
    detach: Detach = False,
    no_page: NoPage = False,
) -> int:
    """Run a fleet of engines and the page that shows and steers them."""
    import asyncio
    import logging

    from msgspec import structs

    from drift_engine.cli.fleet_options import state_dir
    from drift_engine.cli.places import make_dir
    from drift_engine.control.places import Places, held
    from drift_engine.manager.fleet import default_fleet, load_fleet
    from drift_engine.manager.serving import Service

    found = default_fleet() if fleet is None else load_fleet(fleet)
    found = structs.replace(found, host=host or found.host, port=found.port if port is None else port)
    directory = state_dir(state)
    make_dir(directory)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    with held(Places(directory, "manager").pid, f"the fleet in {directory}"):
        token = None if no_page else _token(directory)
        service = Service(found, directory, None if no_page else (found.host, found.port))
        names = list(service.manager.engines)
        asyncio.run(service.run(lambda: _tell(names, found.host, found.port, token), leave=detach))
    return exits.OK


def _token(directory: Path) -> str | None:
    """Make the page's token, ``None`` where the page is not installed."""
    if find_spec("drift_engine.dashboard") is None:
        return None
    return str(import_module("drift_engine.dashboard.security").fresh_token(directory))


def _tell(names: list[str], host: str, port: int, token: str | None) -> None:
    print(f"engines: {', '.join(names)}", flush=True)
    if token is not None:
        print(f"page:    http://{f'[{host}]' if ':' in host else host}:{port}", flush=True)
        print(f"token:   {token}  (unlocks the commands; it is shown once)", flush=True)
    print("Ctrl-C stops it all; drift-engine status --watch shows the engines here", flush=True)
