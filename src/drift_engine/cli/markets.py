"""``drift-engine markets``: what a venue's markets are at, and by which rules they go."""

from typing import Annotated, Any

import typer

from drift_engine.cli import exits, venue_options
from drift_engine.cli.options import Json
from drift_engine.config import ConfigError

Name = Annotated[
    str | None, typer.Argument(metavar="[NAME]", help="Only this one, with every figure.", show_default=False)
]


def markets(
    name: Name = None,
    *,
    venue: venue_options.Venue = "velocity",
    rpc: venue_options.RpcUrls = None,
    as_json: Json = False,
) -> int:
    """Show a venue's markets: oracle, mark, funding, open interest, status, sizes, margin, rates."""
    place = venue_options.place(venue, rpc)
    from drift_engine.cli import market_facts
    from drift_engine.cli.output import out, print_json

    found = only(market_facts.markets_of(venue_options.read_venue(place)), name)
    if as_json:
        print_json(found)
        return exits.OK
    _show(found, alone=name is not None, console=out())
    return exits.OK


def only(found: dict[str, Any], name: str | None) -> dict[str, Any]:
    """Return the markets of that name alone, all where none is named. Raises ``ConfigError``."""
    if name is None:
        return found
    kept = {kind: [m for m in found[kind] if m["name"].upper() == name.upper()] for kind in ("perps", "spots")}
    if not kept["perps"] and not kept["spots"]:
        known = ", ".join(market["name"] for market in (*found["perps"], *found["spots"]))
        raise ConfigError(f"{found['venue']} has no market {name!r}; it has {known}")
    return found | kept


def _show(found: dict[str, Any], *, alone: bool, console: Any) -> None:
    from drift_engine.cli import market_tables

    if not alone:
        for part in market_tables.shown(found, console.width):
            console.print(part)
        return
    console.print(market_tables.heading(found))
    for market in (*found["perps"], *found["spots"]):
        for part in market_tables.alone(market):
            console.print(part)
