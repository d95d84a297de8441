"""``drift-engine engine``: one engine of a fleet in this process. The manager starts it; people start the manager."""

from pathlib import Path
from typing import Annotated, Any

import typer

from drift_engine.cli import exits
from drift_engine.cli.options import State

Name = Annotated[str, typer.Argument(metavar="NAME", help="The engine's name in the fleet.")]


def engine(name: Name, *, state: State = None) -> int:
    """Run one engine of the fleet in this process until it is told to stop."""
    from drift_engine.cli.places import make_dir
    from drift_engine.config import DEFAULT_STATE_DIR
    from drift_engine.control import spec
    from drift_engine.control.places import Places, held

    state_dir = (state or DEFAULT_STATE_DIR).absolute()
    make_dir(state_dir)
    found = spec.load(state_dir, name)
    places = Places(state_dir, name)
    with held(places.pid, f"engine {name}"):
        places.end.unlink(missing_ok=True)
        return _run(places, found, state_dir)


def _run(places: Any, found: Any, state_dir: Path) -> int:
    """Run, and leave word of how it ended: what is caught here is raised again."""
    import asyncio
    import os

    import msgspec

    from drift_engine.control.connecting import StoppedError
    from drift_engine.control.host import Host
    from drift_engine.control.places import Ended
    from drift_engine.control.protocol import encode
    from drift_engine.control.scribe import writing

    host, code, reason = Host(found, state_dir), exits.FAILED, ""
    try:
        with writing():
            code = exits.HALTED if asyncio.run(host.run()) else exits.OK
    except (KeyboardInterrupt, StoppedError):
        code = exits.OK
    except BaseException as error:
        code, reason = exits.judge(error) or (code, "") if isinstance(error, Exception) else (code, "")
        reason = reason or f"{type(error).__name__}: {error}"
        raise
    finally:
        status = msgspec.Raw(b"null") if host.engine is None else msgspec.Raw(encode(host.status()))
        places.note_end(Ended(os.getpid(), code, reason, status))
    return code
