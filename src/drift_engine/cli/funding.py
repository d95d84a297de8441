"""``drift-engine funding``: what longs pay shorts, or shorts longs: an hour, eight hours, a year, and when next."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from drift_engine.cli import exits, venue_options
from drift_engine.cli.options import Json
from drift_engine.config import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import RenderableType

Market = Annotated[
    str | None, typer.Argument(metavar="[MARKET]", help="Only this perp market, as SOL-PERP.", show_default=False)
]


def funding(
    market: Market = None,
    *,
    venue: venue_options.Venue = "velocity",
    rpc: venue_options.RpcUrls = None,
    as_json: Json = False,
) -> int:
    """Show funding: the last settled rate, the predicted one, an hour, 8 h and a year, who is paid, when next."""
    place = venue_options.place(venue, rpc)
    from drift_engine.cli.funding_facts import funding_facts
    from drift_engine.cli.output import out, print_json

    found = funding_facts(venue_options.read_venue(place))
    if market is not None:
        rows = [row for row in found["markets"] if row["name"].upper() == market.upper()]
        if not rows:
            known = ", ".join(row["name"] for row in found["markets"])
            raise ConfigError(f"{venue} has no perp market {market!r}; it has {known}")
        found |= {"markets": rows}
    if as_json:
        print_json(found)
        return exits.OK
    console = out()
    for part in _shown(found):
        console.print(part)
    return exits.OK


def _shown(found: dict[str, Any]) -> "Iterator[RenderableType]":
    from rich.table import Table
    from rich.text import Text

    from drift_engine.cli.figures import duration
    from drift_engine.cli.market_tables import heading, problems

    yield heading(found)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for name in ("market", "rate", "an hour", "8 h", "a year", "who is paid"):
        table.add_column(name, justify="left" if name in ("market", "rate", "who is paid") else "right", no_wrap=True)
    for row in found["markets"]:
        for number, (kind, label) in enumerate((("last", "settled"), ("predicted", "predicted"))):
            table.add_row(Text(row["name"] if number == 0 else "", style="bold"), label, *_cells(row, kind))
    yield table
    for row in found["markets"]:
        if row["next_in_s"] is not None:
            when = "is due now" if row["next_in_s"] == 0 else f"in {duration(row['next_in_s'])}"
            since = "" if row["twap_age_s"] is None else f", means {duration(row['twap_age_s'])} old"
            yield Text(f"{row['name']}: next settlement {when}{since}", style="dim")
    yield Text("predicted: the rate that the hour's mean prices, as last written, would give; not settled", style="dim")
    yield from problems(found["markets"])


def _cells(row: dict[str, Any], kind: str) -> "Iterator[Any]":
    from rich.text import Text

    from drift_engine.cli.figures import UNKNOWN, percent

    rates = row[kind]
    if rates is None:
        yield from (Text(UNKNOWN, style="magenta") for _ in range(4))
        return
    for name, places in (("hour", 5), ("eight_hours", 4), ("year", 2)):
        yield Text(percent(rates[name], places, sign=True))
    yield Text(rates["who"])
