"""``drift-engine status``: what a fleet's engines say of themselves, or what the last run's journal says of it."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from drift_engine.cli import exits
from drift_engine.cli.fleet_options import AnyEngine
from drift_engine.cli.options import Json, LastJournal, State

if TYPE_CHECKING:
    from rich.console import RenderableType

Watch = Annotated[bool, typer.Option("--watch", help="Go on showing it, once a second.")]
For = Annotated[str | None, typer.Option("--for", metavar="TIME", help="With --watch: end after this long.")]


def status(
    engine: AnyEngine = None,
    *,
    journal: LastJournal = None,
    watch: Watch = False,
    length: For = None,
    state: State = None,
    as_json: Json = False,
) -> int:
    """Show a fleet's engines; one engine, or the last run, in full: health, positions, PnL, last decision."""
    from drift_engine.cli import fleet_view, fold
    from drift_engine.cli.fleet_options import state_dir
    from drift_engine.cli.options import parse_duration
    from drift_engine.cli.output import print_json
    from drift_engine.cli.places import find_journal

    if watch:
        return fleet_view.watch(state_dir(state), engine, parse_duration(length), as_json=as_json)
    living = None if journal is not None else fleet_view.found(state_dir(state), engine)
    if living is not None:
        fleet_view.show(living, one=engine is not None, as_json=as_json)
        if engine is not None and not as_json and living[0]["pnl"] is not None:
            _print(_living(living[0], state_dir(state)), below=6)
        return exits.OK
    if journal is None and engine is None and (ended := fleet_view.stopped(state_dir(state))):
        fleet_view.show(ended, one=False, as_json=as_json)
        return exits.OK
    found = fold.read(find_journal(journal or (Path(engine) if engine else None), state))
    if as_json:
        print_json(found)
    else:
        _print(shown(found))
    return exits.OK


def _print(parts: "Iterator[RenderableType]", below: int = 3) -> None:
    """Print the parts; on a narrow terminal only what it has room for, less the rows of what stands around them."""
    from drift_engine.cli.figures import NARROW
    from drift_engine.cli.fitting import Fitted
    from drift_engine.cli.output import out

    console = out()
    if console.is_terminal and console.width < NARROW:
        console.print(Fitted(tuple(parts), max(console.height - below, 1)), crop=False)
        return
    for part in parts:
        console.print(part, crop=False)


def _living(document: dict[str, Any], directory: Path) -> "Iterator[RenderableType]":
    """Return what an engine says of itself in the shape of what its journal says."""
    journal = directory / f"{document['engine']}.journal"
    return shown({**document, "journal": str(journal), "records": document["seq"]})


def shown(found: dict[str, Any]) -> "Iterator[RenderableType]":
    """Return the status as people read it, part by part."""
    from rich.text import Text

    from drift_engine.cli import panels
    from drift_engine.cli.figures import moment

    name = Text(found["name"], style="bold").append(f" on {found['market']}  {found['mode']}", style="not bold")
    yield panels.ends(name, panels.market_label(found))
    when = Text(f"as of {moment(found['now_ns'])} UTC", style="bold").append(
        f", record {found['records']}", style="not bold dim"
    )
    yield panels.ends(when, panels.trading(found))
    if found["reason"]:
        yield Text(found["reason"], style="yellow")
    yield from _by_reference(found) if found["margin"] is None else _folded(found)
    yield panels.decision({"in_flight": (), **found})
    yield Text(f"journal {found['journal']}", style="dim", no_wrap=True, overflow="ignore")


def _folded(found: dict[str, Any]) -> "Iterator[RenderableType]":
    from drift_engine.cli import fold, panels
    from drift_engine.cli.health import health
    from drift_engine.journal.reader import run_started

    started = run_started(Path(found["journal"]))
    if started is not None:
        yield health(found, fold.limits_of(started))
    yield panels.positions(found)
    yield panels.earned(found)


def _by_reference(found: dict[str, Any]) -> "Iterator[RenderableType]":
    from rich.text import Text

    from drift_engine.cli import panels
    from drift_engine.cli.figures import amount, money
    from drift_engine.cli.output import pairs

    tally = found["tally"]
    traded = ", ".join(f"{amount(base_e9, sign=True)} {name}" for name, base_e9 in found["traded_base_e9"].items())
    yield Text(
        "health, equity and profit are not known without the data: drift-engine replay reads it, and says them",
        style="magenta",
    )
    yield panels.section("Known from the records")
    yield pairs(
        (
            ("market rows", f"{found['rows']:,}"),
            ("fills", f"{tally['trades']:,}, together {traded or 'nothing'}; fees {money(found['fees_paid_e6'], 4)}"),
            (
                "funding",
                f"{money(found['funding_received_e6'], 4, sign=True)} in {tally['funding_settlements']:,} settlements",
            ),
            ("liquidations", str(tally["liquidations"])),
            ("refusals", ", ".join(f"{gate} {count:,}" for gate, count in tally["refusals"].items()) or "none"),
        )
    )
