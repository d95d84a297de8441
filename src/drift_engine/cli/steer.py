"""``drift-engine start``, ``stop``, ``restart`` and ``kill``: commands to a running fleet."""

from drift_engine.cli.fleet_options import AnyEngine, Engine, ask_manager, tell
from drift_engine.cli.options import Json, State

_LONG_S = 8.0


def start(engine: Engine, *, state: State = None, as_json: Json = False) -> int:
    """Start an engine of the fleet."""
    return tell(ask_manager(state, "start", engine=engine), as_json=as_json)


def stop(engine: Engine, *, state: State = None, as_json: Json = False) -> int:
    """Stop an engine cleanly; its positions stay as they are."""
    return tell(ask_manager(state, "stop", engine=engine), as_json=as_json)


def restart(engine: Engine, *, state: State = None, as_json: Json = False) -> int:
    """Stop an engine and start it again in the mode it has."""
    return tell(ask_manager(state, "restart", _LONG_S, engine=engine), as_json=as_json)


def kill(engine: AnyEngine = None, *, state: State = None, as_json: Json = False) -> int:
    """Close everything of an engine, or of all: reduce only, cancel, close, verify flat, and stay halted."""
    which = {} if engine is None else {"engine": engine}
    return tell(ask_manager(state, "kill", _LONG_S, **which), as_json=as_json)
