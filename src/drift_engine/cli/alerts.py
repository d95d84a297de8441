"""``drift-engine alerts``: whether an alert would reach a person."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from drift_engine.cli import exits
from drift_engine.cli.options import Json, State

if TYPE_CHECKING:
    from drift_engine.alerts import AlertSettings

app = typer.Typer(help="Try the ways alerts take.", no_args_is_help=True)
Fleet = Annotated[
    Path | None,
    typer.Option("--fleet", metavar="FILE", help="A fleet's TOML file; without it the running manager is asked."),
]


@app.command("test")
def try_ways(*, fleet: Fleet = None, state: State = None, as_json: Json = False) -> int:
    """Send a test alert by every way that is set, and say which took it."""
    from drift_engine.cli.output import print_json

    outcome = _by_manager(state) if fleet is None else _by_file(fleet)
    if as_json:
        print_json({name: {"ok": not trouble, "message": trouble} for name, trouble in outcome.items()})
    elif not outcome:
        print("no way out is set: alerts go to the page and the log; add webhook or telegram_chat under [alerts]")
    else:
        for name, trouble in outcome.items():
            print(f"{name}: {trouble or 'taken'}")
    return exits.FAILED if any(outcome.values()) else exits.OK


def _by_file(path: Path) -> dict[str, str]:
    import asyncio
    import time

    from drift_engine.alerts import AlertDesk
    from drift_engine.alerts.delivery import deliver_once

    return asyncio.run(deliver_once(_settings(path), AlertDesk().test(time.time_ns())))


def _settings(path: Path) -> "AlertSettings":
    import tomllib

    from drift_engine.alerts import settings_from
    from drift_engine.config import ConfigError

    try:
        table: dict[str, Any] = tomllib.loads(path.read_text())
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: is not TOML: {error}") from None
    try:
        return settings_from(table.get("alerts", {}))
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None


def _by_manager(state: Path | None) -> dict[str, str]:
    from drift_engine.config import DEFAULT_STATE_DIR
    from drift_engine.control.client import ask_now

    answer = ask_now((state or DEFAULT_STATE_DIR) / "manager.sock", "alert_test", 20.0)
    if isinstance(answer.data, dict):
        return {str(name): str(trouble) for name, trouble in answer.data.items()}
    if not answer.ok and answer.code == "unreachable":
        raise exits.FailedError("no manager runs here: start drift-engine serve, or name the --fleet FILE to try")
    raise exits.FailedError(answer.message)
