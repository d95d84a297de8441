"""``drift-engine config check FILE``: does this file describe a run, or a fleet, that could start?"""

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
    """Check the TOML file of a run or of a fleet: each key, value, parameter and limit, the strategies, the markets."""
    from drift_engine.cli.output import out, pairs, print_json
    from drift_engine.config import read_toml

    with streams.only_json(as_json):
        runs = _fleet(file) if "engines" in read_toml(file) else {"": _run(file)}
    if as_json:
        print_json({"ok": True, "file": str(file), **({"config": runs[""]} if "" in runs else {"engines": runs})})
        return exits.OK
    console = out()
    console.print(f"{file}: good", markup=False)
    for name, shown in runs.items():
        if name:
            console.print(f"\n{name}", style="bold", markup=False)
        console.print(pairs((key, value or "-") for key, value in shown.items()))
    return exits.OK


def _run(file: Path) -> dict[str, str]:
    """Return a run as it would start. Raises ``ConfigError`` that names the file."""
    from drift_engine.config import load

    return _shown(load(file), f"{file}:")


def _fleet(file: Path) -> dict[str, dict[str, str]]:
    """Return each engine's run as it would start, by the engine's name. Raises ``ConfigError`` that names both."""
    from drift_engine.manager.fleet import load_fleet

    return {
        engine.name: _shown(engine.config(Path()), f"{file}: [engines.{engine.name}]")
        for engine in load_fleet(file).engines
    }


def _shown(run: "RunConfig", where: str) -> dict[str, str]:
    """Return a run as it would start, the strategy's defaults filled in. Raises ``ConfigError`` where it could not.

    A market that the file names is loaded; one that is left to the command line, or to a node, is not.
    """
    from drift_engine import wiring
    from drift_engine.cli.options import checked
    from drift_engine.config import ConfigError, paced
    from drift_engine.journal import Journal

    try:
        strategy = wiring.make_strategy(checked(run))
        if run.mode == "live":
            raise ConfigError(wiring.NOT_LIVE_YET)
        started = paced(run, speed_given=True) if run.mode == "paper" else run
        if started.data is not None or started.scenario is not None:
            wiring.build(started, strategy, Journal()).close()
    except exits.mistakes() as error:
        raise ConfigError(f"{where} {error}") from None
    params = {f"param.{name}": str(getattr(strategy.params, name)) for name in strategy.params.__struct_fields__}
    return run.identity() | params
