"""``drift-engine backtest``: the same engine over recorded or simulated history, as fast as it goes."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from drift_engine.cli import exits, options, streams

if TYPE_CHECKING:
    from pathlib import Path

    from drift_engine.backtest import BacktestResult
    from drift_engine.config import RunConfig
    from drift_engine.strategies.base import DriftStrategy

YARDSTICK = "hold"
_YARDSTICK_KEYS = (
    "strategy", "market", "params", "equity_end_e6", "pnl_e6", "max_drawdown", "min_health", "trades", "latched",
)  # fmt: skip


def backtest(
    strategy: options.Strategy = None,
    *,
    data: options.Data = None,
    scenario: options.Scenario = None,
    market: options.Market = None,
    from_: options.From = None,
    to: options.To = None,
    capital: options.Capital = None,
    params: options.Set = None,
    limits: options.Limit = None,
    config: options.Config = None,
    mark: options.Mark = None,
    fill: options.Fill = None,
    seed: options.Seed = None,
    days: options.Days = None,
    interval: options.Interval = None,
    faults: options.Fault = None,
    no_yardstick: Annotated[bool, typer.Option("--no-yardstick", help="Do not compare with hold.")] = False,
    journal: options.JournalFile = None,
    state: options.State = None,
    as_json: options.Json = False,
) -> int:
    """Run a strategy over history and report what it earned, from what, and what was assumed."""
    from datetime import UTC, datetime

    from msgspec import structs

    from drift_engine import wiring
    from drift_engine.cli import places

    flags = {
        "strategy": strategy, "data": data, "scenario": scenario, "market": market, "from": from_, "to": to,
        "capital": capital, "set": params, "limit": limits, "mark": mark, "fill": fill, "seed": seed, "days": days,
        "interval_s": interval, "faults": tuple(faults) if faults else None, "journal": journal, "state_dir": state,
    }  # fmt: skip
    run = options.run_config("backtest", config, flags)
    _refuse_what_cannot_run(run)
    with streams.only_json(as_json):
        player = wiring.make_strategy(run)
        kept, fresh = run.journal, None
        if kept is None:
            kept = fresh = places.new_journal(run.state_dir, "backtest", player.name, datetime.now(UTC))
        run = structs.replace(run, journal=kept)
        try:
            result = _measured(run, player)
        finally:
            _remember(run.state_dir, kept)
            places.drop_unused(fresh)
    yardstick = None if no_yardstick or result.strategy == YARDSTICK else _measured(hold_instead(run, result))
    _tell(result, yardstick, kept, as_json=as_json)
    return exits.HALTED if result.halted else exits.OK


def _refuse_what_cannot_run(run: "RunConfig") -> None:
    from drift_engine import wiring
    from drift_engine.config import ConfigError

    if run.mode == "live":
        raise ConfigError(wiring.NOT_LIVE_YET)
    if run.data is None and run.scenario is None:
        raise ConfigError("a backtest needs --data DIR, or --scenario NAME for a simulated market")


def _remember(state_dir: "Path", journal: "Path") -> None:
    """Note the journal as the last run's, also where the run broke off: that is when it is looked at."""
    from drift_engine.cli import places
    from drift_engine.journal import JournalError, reader

    try:
        begun = reader.run_started(journal) is not None
    except JournalError:  # it is no journal, or a damaged one, or empty: the command has said so
        begun = False
    if begun:
        places.remember(state_dir, journal)


def hold_instead(run: "RunConfig", result: "BacktestResult") -> "RunConfig":
    """Return the run that the result is compared with: one unit held long, in the same market, time and capital."""
    from msgspec import structs

    params = {"target": "1", "market": result.market}
    return structs.replace(run, strategy=YARDSTICK, market=result.market, params=params, journal=None, faults=())


def _measured(run: "RunConfig", strategy: "DriftStrategy | None" = None) -> "BacktestResult":
    from drift_engine import backtest as backtesting

    with _progress(run.strategy) as progress:
        return backtesting.run(run, strategy, progress=progress)


@contextmanager
def _progress(label: str) -> Iterator[Callable[[int, int], None] | None]:
    """Yield a progress bar's update on stderr, ``None`` where that is no terminal."""
    from drift_engine.cli.output import err, is_live

    console = err()
    if not is_live(console):
        yield None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(None),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bars:
        task = bars.add_task(label, total=None)
        yield lambda done, total: bars.update(task, completed=done, total=total)


def _tell(result: "BacktestResult", yardstick: "BacktestResult | None", journal: "Path", *, as_json: bool) -> None:
    from drift_engine.cli.output import out, print_json, tell

    if as_json:
        document: dict[str, Any] = result.to_json()
        if yardstick is not None:
            document["yardstick"] = {key: yardstick.to_json()[key] for key in _YARDSTICK_KEYS}
        print_json(document)
        return
    from drift_engine.cli.report import report

    out().print(report(result, yardstick))
    tell((f"journal {journal}: look with drift-engine why, status, journal tail; replay tells it again",))
