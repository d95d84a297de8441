"""``drift-engine logs``: the last lines an engine printed."""

from pathlib import Path
from typing import Annotated

import typer

from drift_engine.cli import exits
from drift_engine.cli.fleet_options import Engine, state_dir
from drift_engine.cli.options import Json, State

Lines = Annotated[int, typer.Option("-n", "--lines", min=1, max=5_000, help="How many.")]


def logs(engine: Engine, *, n: Lines = 50, state: State = None, as_json: Json = False) -> int:
    """Show the last lines of an engine's log; the file is read, so this needs no manager."""
    from drift_engine.cli.output import print_json
    from drift_engine.control.places import Places, last_lines

    path = Places(state_dir(state), engine).log
    if not path.exists():
        raise exits.FailedError(f"there is no log {path}; known are {_known(path.parent)}")
    found = last_lines(path, n)
    if as_json:
        print_json(found)
    else:
        for line in found:
            print("".join(char if char.isprintable() or char == "\t" else "\N{REPLACEMENT CHARACTER}" for char in line))
    return exits.OK


def _known(folder: Path) -> str:
    return ", ".join(sorted(path.stem for path in folder.glob("*.log"))) or "none"
