"""What the commands to a running fleet share: whom to ask, and how the answer is told."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from drift_engine.cli import exits

if TYPE_CHECKING:
    from drift_engine.control.protocol import Answer

Engine = Annotated[str, typer.Argument(metavar="ENGINE", help="The engine's name in the fleet.")]
AnyEngine = Annotated[
    str | None, typer.Argument(metavar="[ENGINE]", help="The engine's name; all where not given.", show_default=False)
]
OneEngine = Annotated[
    str | None,
    typer.Argument(
        metavar="[ENGINE]", help="The engine's name; the last run, without a fleet, if not given.", show_default=False
    ),
]


def state_dir(state: Path | None) -> Path:
    """Return the state directory."""
    from drift_engine.config import DEFAULT_STATE_DIR

    return (state or DEFAULT_STATE_DIR).absolute()


def ask_manager(state: Path | None, do: str, within_s: float = 5.0, **fields: Any) -> "Answer":
    """Ask the manager of a state directory."""
    from drift_engine.control.client import ask_now
    from drift_engine.control.places import Places

    return ask_now(Places(state_dir(state), "manager").socket, do, within_s, who=who(), **fields)


def why_unreachable(state: Path | None, engine: str, answer: "Answer") -> "Answer":
    """Return the answer of an engine that nobody reached, made plainer: no such engine, or it does not run.

    Without a manager it is told by the files: of a name that never ran there it is said, and who could not be asked.
    """
    from drift_engine.cli.places import engines
    from drift_engine.control.protocol import no, no_engine

    if answer.code != "unreachable":
        return answer
    fleet = ask_manager(state, "fleet")
    if fleet.ok:
        names = [row["engine"] for row in fleet.data]
        stopped = no("not_running", f"{engine} does not run; drift-engine start {engine}")
        return stopped if engine in names else no_engine(engine, names)
    names = engines(state_dir(state))
    if not names or engine in names:
        return answer
    unknown = no_engine(engine, names, "those that ever ran here are")
    return no(unknown.code, f"{unknown.message}; {fleet.message}")


def noted(state: Path | None, what: str, target: str, answer: "Answer") -> "Answer":
    """Write a command into the fleet's audit, as the page does with its own; return its answer.

    What reached nobody is not written. What was done stays done where it cannot be written.
    """
    from drift_engine.dashboard.audit import Audit

    if answer.code == "unreachable":
        return answer
    try:
        audit = Audit(state_dir(state))
        audit.write(who(), what, answer.code, target=target, ok=answer.ok, message=answer.message)
    except OSError as error:
        exits.complain(f"the audit cannot be written ({error.strerror}): {what} {target}")
    return answer


def who() -> str:
    """Return who asks, for the journal."""
    return f"terminal, user {os.environ.get('USER') or os.getuid()}"


def tell(answer: "Answer", *, as_json: bool) -> int:
    """Print an answer. Raises as ``refuse`` does where it is a refusal that is to be told in words."""
    from msgspec import structs

    from drift_engine.cli.output import print_json

    if as_json:
        print_json({key: value for key, value in structs.asdict(answer).items() if key != "id"})
        return exits.OK if answer.ok else exits.USAGE if answer.code == "unknown_engine" else exits.FAILED
    if not answer.ok:
        refuse(answer)
    print(answer.message)
    return exits.OK


def refuse(answer: "Answer") -> NoReturn:
    """Raise ``ConfigError`` where there is no such engine, ``FailedError`` for any other refusal."""
    from drift_engine.config import ConfigError

    raise ConfigError(said(answer)) if answer.code == "unknown_engine" else exits.FailedError(said(answer))


def said(answer: "Answer") -> str:
    """Return a refusal in words; where nobody answered, what to do."""
    if answer.code == "unreachable":
        return f"{answer.message}; is drift-engine serve running with this --state?"
    return answer.message or answer.code
