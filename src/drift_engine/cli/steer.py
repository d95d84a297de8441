"""``drift-engine start``, ``stop``, ``restart``, ``deposit``, ``withdraw``, ``kill``: commands to a running fleet."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from drift_engine.cli import closing, exits
from drift_engine.cli.fleet_options import AnyEngine, Engine, ask_manager, noted, state_dir, tell, who, why_unreachable
from drift_engine.cli.options import Json, State

if TYPE_CHECKING:
    from drift_engine.control.protocol import Answer

_LONG_S = 8.0
Within = Annotated[
    float, typer.Option("--within", min=0.0, metavar="S", help="Wait so long for all to be flat, 0 not at all.")
]
Amount = Annotated[str, typer.Argument(metavar="AMOUNT", help="USD, as 100.5.")]


def start(engine: Engine, *, state: State = None, as_json: Json = False) -> int:
    """Start an engine of the fleet."""
    return _steered("start", engine, state, as_json=as_json)


def stop(engine: Engine, *, state: State = None, as_json: Json = False) -> int:
    """Stop an engine cleanly; its positions stay as they are."""
    return _steered("stop", engine, state, as_json=as_json)


def restart(engine: Engine, *, state: State = None, as_json: Json = False) -> int:
    """Stop an engine and start it again in the mode it has."""
    return _steered("restart", engine, state, _LONG_S, as_json=as_json)


def _steered(word: str, engine: str, state: Path | None, within_s: float = 5.0, *, as_json: bool) -> int:
    answer = noted(state, word, engine, ask_manager(state, word, within_s, engine=engine))
    return tell(why_unreachable(state, engine, answer), as_json=as_json)


def deposit(engine: Engine, amount: Amount, *, state: State = None, as_json: Json = False) -> int:
    """Pay USD into a paper engine's account; it counts as no profit."""
    return _transfer("deposit", engine, amount, state, as_json=as_json)


def withdraw(engine: Engine, amount: Amount, *, state: State = None, as_json: Json = False) -> int:
    """Pay USD out of a paper engine's account; refused where health would be under 80 % after it."""
    return _transfer("withdraw", engine, amount, state, as_json=as_json)


def _transfer(word: str, engine: str, amount: str, state: Path | None, *, as_json: bool) -> int:
    from drift_engine.control.client import ask_now

    answer = ask_now(state_dir(state) / f"{engine}.sock", word, amount=amount, who=who())
    return tell(noted(state, word, engine, why_unreachable(state, engine, answer)), as_json=as_json)


def kill(engine: AnyEngine = None, *, within: Within = 10.0, state: State = None, as_json: Json = False) -> int:
    """Close everything of an engine, or of all: reduce only, cancel, close, verify flat, and stay halted."""
    which = {} if engine is None else {"engine": engine}
    answer = ask_manager(state, "kill", _LONG_S, **which)
    if answer.code in ("unreachable", "timeout"):
        answer = _without_manager(state_dir(state), engine, answer)
        answer = answer if engine is None else why_unreachable(state, engine, answer)
    noted(state, "kill", engine or "all", answer)
    if not answer.ok or not within:
        return tell(answer, as_json=as_json)
    if not as_json:
        print(answer.message, flush=True)
    closed = [name for name, code in answer.data.items() if code != "stopped"]
    return _tell_ends(answer, closing.watched(state_dir(state), closed, within), as_json=as_json)


def _tell_ends(answer: "Answer", ends: dict[str, Any], *, as_json: bool) -> int:
    """Print how it ended; what is not flat by now is a failure."""
    from drift_engine.cli.output import print_json

    if as_json:
        print_json({"ok": answer.ok, "code": answer.code, "message": answer.message, "data": answer.data, "ends": ends})
    for name, end in () if as_json else ends.items():
        left = "not known" if end["left"] is None else closing.words(end["left"])
        print(f"{name} is {'flat and halted' if end['flat'] else 'NOT flat'}; left: {left}; it says: {end['said']}")
    return exits.OK if all(end["flat"] for end in ends.values()) else exits.FAILED


def _without_manager(directory: Path, engine: str | None, failed: "Answer") -> "Answer":
    """Tell the engines themselves: a kill needs no manager."""
    from drift_engine.control.client import ask_now
    from drift_engine.control.protocol import Answer

    sockets = sorted(directory.glob("*.sock")) if engine is None else [directory / f"{engine}.sock"]
    told = {path.stem: ask_now(path, "kill", who=who()) for path in sockets if path.stem != "manager"}
    if not told or all(answer.code == "unreachable" for answer in told.values()):
        return failed
    ok = all(answer.ok for answer in told.values())
    said = "; ".join(f"{name}: {answer.message}" for name, answer in told.items())
    codes = {name: answer.code for name, answer in told.items()}
    return Answer(ok=ok, code="killing" if ok else "partly", message=said, data=codes)
