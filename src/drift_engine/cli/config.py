"""``drift-engine config check FILE``: is this file a run that could start?"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from drift_engine.cli import exits, streams
from drift_engine.cli.options import Json

if TYPE_CHECKING:
    from drift_engine.config import RunConfig

app = typer.Typer(help="Check configuration files.")


@app.callback()
def config() -> None:
    """Check configuration files."""


@app.command()
def check(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A TOML file.", show_default=False)],
    *,
    as_json: Json = False,
) -> int:
    """Check a run's TOML file: every key, value, parameter and limit, and that the strategy exists."""
    from drift_engine.cli.output import pairs, print_json
    from drift_engine.config import ConfigError, load

    run = load(file)
    try:
        with streams.only_json(as_json):
            shown = _shown(run)
    except exits.mistakes() as error:
        raise ConfigError(f"{file}: {error}") from None
    if as_json:
        print_json({"ok": True, "file": str(file), "config": shown})
        return exits.OK
    from drift_engine.cli.output import out

    console = out()
    console.print(f"{file}: good", markup=False)
    console.print(pairs((name, value or "-") for name, value in shown.items()))
    return exits.OK


def _shown(run: "RunConfig") -> dict[str, str]:
    """Return the run as it would start, the strategy's defaults filled in. Raises where it could not."""
    from drift_engine import wiring
    from drift_engine.core.parameters import ParameterError

    strategy = wiring.make_strategy(run)
    if not run.strategy:
        raise ParameterError("no strategy is named")
    params = {f"param.{name}": str(getattr(strategy.params, name)) for name in strategy.params.__struct_fields__}
    return run.identity() | params
