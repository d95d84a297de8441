"""``drift-engine status``: the state the last run was left in, or is in, read from its journal."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from drift_engine.cli import exits
from drift_engine.cli.options import Json, LastJournal, State

if TYPE_CHECKING:
    from rich.console import RenderableType


def status(
    journal: LastJournal = None,
    *,
    state: State = None,
    as_json: Json = False,
) -> int:
    """Show the state of the last run: health, positions, profit and loss, the last decision."""
    from drift_engine.cli import fold
    from drift_engine.cli.output import out, print_json
    from drift_engine.cli.places import find_journal

    found = fold.read(find_journal(journal, state))
    if as_json:
        print_json(found)
        return exits.OK
    console = out()
    for part in shown(found):
        console.print(part)
    return exits.OK


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
    yield Text(f"journal {found['journal']}", style="dim")


def _folded(found: dict[str, Any]) -> "Iterator[RenderableType]":
    from drift_engine.cli import fold, panels
    from drift_engine.cli.health import health
    from drift_engine.journal.reader import run_started

    started = run_started(Path(found["journal"]))
    if started is not None:
        yield health(found, fold.limits_of(started))
    yield panels.positions(found)
    yield panels.side_by_side(panels.funding(found), panels.pnl(found))


def _by_reference(found: dict[str, Any]) -> "Iterator[RenderableType]":
    from rich.text import Text

    from drift_engine.cli import panels
    from drift_engine.cli.figures import amount, money
    from drift_engine.cli.output import pairs

    tally = found["tally"]
    traded = ", ".join(f"{amount(base_e9, sign=True)} {name}" for name, base_e9 in found["traded_base_e9"].items())
    yield Text(
        "health, equity and profit are not known without the data: drift-engine replay reads it", style="magenta"
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
