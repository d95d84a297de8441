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
        runs, around = _fleet(file) if "engines" in read_toml(file) else ({"": _run(file)}, {})
    if as_json:
        found = {"config": runs[""]} if "" in runs else {"engines": runs, **around}
        print_json({"ok": True, "file": str(file), **found})
        return exits.OK
    console = out()
    console.print(f"{file}: good", markup=False)
    for name, shown in (runs | {f"[{name}]": settings for name, settings in around.items()}).items():
        if name:
            console.print(f"\n{name}", style="bold", markup=False)
        console.print(pairs((key, value or "-") for key, value in shown.items()))
    return exits.OK


def _run(file: Path) -> dict[str, str]:
    """Return a run as it would start. Raises ``ConfigError`` that names the file."""
    from drift_engine.config import load

    run = load(file)
    places = {"journal": str(run.journal or ""), "state_dir": str(run.state_dir)}
    return _shown(run, f"{file}:") | places


def _fleet(file: Path) -> tuple[dict[str, dict[str, str]], dict[str, dict[str, str]]]:
    """Return each engine's run as it would start, by the engine's name, and what is set beside the engines.

    Raises ``ConfigError`` that names file and engine. Where alerts go is a secret: only that it is set is told.
    """
    from drift_engine.manager.fleet import load_fleet

    fleet = load_fleet(file)
    runs = {
        engine.name: {"sub_account": str(engine.sub_account), "autostart": "yes" if engine.autostart else "no"}
        | _shown(engine.config(Path()), f"{file}: [engines.{engine.name}]")
        for engine in fleet.engines
    }
    alerts = fleet.alerts
    ways = {"webhook": "set" if alerts.webhook else "", "telegram_chat": alerts.telegram_chat or ""}
    rules = {
        f"rule.{name}": f"{rule.severity}, at {rule.at:g}, again after {rule.cooldown_s:g} s, {rule.an_hour} an hour"
        if rule.on
        else "off"
        for name, rule in alerts.rules.items()
    }
    server = {"host": fleet.host, "port": str(fleet.port)}
    return runs, {"server": server, "alerts": {"least": alerts.least, **ways, **rules}}


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
    pace = {"speed": f"{run.speed:g}"} if run.mode == "paper" and run.venue is None else {}
    return run.identity() | pace | params
