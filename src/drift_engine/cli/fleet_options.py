"""What the commands to a running fleet share: whom to ask, and how the answer is told."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

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


def who() -> str:
    """Return who asks, for the journal."""
    return f"terminal, user {os.environ.get('USER') or os.getuid()}"


def tell(answer: "Answer", *, as_json: bool) -> int:
    """Print an answer. Raises ``FailedError`` where it is a refusal."""
    from msgspec import structs

    from drift_engine.cli.output import print_json

    if as_json:
        print_json({key: value for key, value in structs.asdict(answer).items() if key != "id"})
        return exits.OK if answer.ok else exits.FAILED
    if not answer.ok:
        raise exits.FailedError(said(answer))
    print(answer.message)
    return exits.OK


def said(answer: "Answer") -> str:
    """Return a refusal in words; where nobody answered, what to do."""
    if answer.code == "unreachable":
        return f"{answer.message}; is drift-engine serve running with this --state?"
    return answer.message or answer.code
