"""``drift-engine paper``: the live loop against a simulated venue, in real or scaled time, with a view to watch."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from drift_engine.cli import exits, options, streams, venue_options
from drift_engine.config import ConfigError, paced

if TYPE_CHECKING:
    from drift_engine.cli.venue_options import Place
    from drift_engine.cli.watch import Outcome
    from drift_engine.config import RunConfig

Speed = Annotated[
    float | None,
    typer.Option("--speed", metavar="X", help="Market seconds in a second; 1 is real time. (default 600)"),
]
For = Annotated[str | None, typer.Option("--for", metavar="TIME", help="End after this long, as 20s, 5m, 1h.")]
Mode = Annotated[
    str | None, typer.Option("--mode", metavar="MODE", help="paper; live refuses until it exists.", hidden=True)
]


def paper(
    strategy: options.Strategy = None,
    *,
    market: options.Market = None,
    venue: options.Venue = None,
    rpc: venue_options.RpcUrls = None,
    ws: venue_options.WsUrl = None,
    scenario: options.Scenario = None,
    data: options.Data = None,
    speed: Speed = None,
    length: For = None,
    capital: options.Capital = None,
    params: options.Set = None,
    limits: options.Limit = None,
    config: options.Config = None,
    from_: options.From = None,
    to: options.To = None,
    mark: options.Mark = None,
    fill: options.Fill = None,
    seed: options.Seed = None,
    days: options.Days = None,
    interval: options.Interval = None,
    faults: options.Fault = None,
    journal: options.JournalFile = None,
    state: options.State = None,
    mode: Mode = None,
    as_json: options.Json = False,
) -> int:
    """Trade a simulated, recorded or real market with a simulated account, and watch."""
    flags = {
        "strategy": strategy, "market": market, "venue": venue, "scenario": scenario, "data": data, "speed": speed,
        "capital": capital, "set": params, "limit": limits, "from": from_, "to": to, "mark": mark, "fill": fill,
        "seed": seed, "days": days, "interval_s": interval, "faults": tuple(faults) if faults else None,
        "journal": journal, "state_dir": state, "mode": mode,
    }  # fmt: skip
    length_s = options.parse_duration(length)
    run = paced(
        options.run_config("paper", config, flags),
        speed_given=speed is not None or config is not None,
        interval_given=interval is not None or config is not None,
    )
    if run.venue is None and (rpc or ws):
        raise ConfigError("--rpc and --ws are of a real market; name it, as in --venue velocity")
    node = None if run.venue is None else venue_options.place(run.venue, rpc, ws)
    return _run(run, length_s, node, as_json=as_json)


def _run(run: "RunConfig", length_s: float | None, node: "Place | None", *, as_json: bool) -> int:
    import asyncio
    from datetime import UTC, datetime

    from msgspec import structs

    from drift_engine import wiring
    from drift_engine.cli import places, watch

    if run.mode == "live":
        raise ConfigError(wiring.NOT_LIVE_YET)
    with streams.only_json(as_json):
        strategy = wiring.make_strategy(run)
        fresh = None
        if run.journal is None:
            fresh = places.new_journal(run.state_dir, "paper", strategy.name, datetime.now(UTC))
            run = structs.replace(run, journal=fresh)
        try:
            if node is None:
                outcome = asyncio.run(watch.watch(run, strategy, length_s, quiet=as_json))
            else:
                outcome = asyncio.run(watch.watch_chain(run, strategy, node, length_s, quiet=as_json))
        finally:
            places.drop_unused(fresh)
    _tell(outcome, run.journal, as_json=as_json)
    status = outcome.status
    return exits.HALTED if status["latched"] or status["trading"] == "HALTED" else exits.OK


def _tell(outcome: "Outcome", journal: Path | None, *, as_json: bool) -> None:
    from drift_engine.cli.output import print_json, tell
    from drift_engine.cli.view import summary

    document: dict[str, Any] = {**outcome.status, "journal": str(journal), "wall_s": round(outcome.wall_s, 3)}
    if as_json:
        print_json(document)
    else:
        tell(summary(outcome.status, outcome.wall_s, outcome.began_ns, str(journal)))
