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
    """Check a run's TOML file: each key, value, parameter and limit, the strategy, and the market it names."""
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
    """Return the run as it would start, the strategy's defaults filled in. Raises where it could not.

    A market that the file names is loaded; one that is left to the command line, or to a node, is not.
    """
    from drift_engine import wiring
    from drift_engine.cli.options import checked
    from drift_engine.config import ConfigError, paced
    from drift_engine.journal import Journal

    strategy = wiring.make_strategy(checked(run))
    if run.mode == "live":
        raise ConfigError(wiring.NOT_LIVE_YET)
    started = paced(run, speed_given=True) if run.mode == "paper" else run
    if started.data is not None or started.scenario is not None:
        wiring.build(started, strategy, Journal()).close()
    params = {f"param.{name}": str(getattr(strategy.params, name)) for name in strategy.params.__struct_fields__}
    return run.identity() | params
