"""``drift-engine account``: an authority's sub-accounts: balances, positions, orders, health, liquidation prices."""

from typing import TYPE_CHECKING

from drift_engine.cli import exits, venue_options
from drift_engine.cli.options import Json

if TYPE_CHECKING:
    from drift_engine.venues.rpc import Rpc
    from drift_engine.venues.snapshot import Snapshot


def account(
    authority: venue_options.Authority = None,
    *,
    venue: venue_options.Venue = "velocity",
    rpc: venue_options.RpcUrls = None,
    as_json: Json = False,
) -> int:
    """Show sub-accounts: health, leverage, free collateral, positions with liquidation prices, orders."""
    place = venue_options.place(venue, rpc)
    whose = venue_options.address(authority)
    from drift_engine.cli.account_facts import account_of
    from drift_engine.cli.output import out, print_json
    from drift_engine.venues.snapshot.reading import find_owner, read_snapshot

    async def read(client: "Rpc") -> "tuple[str, Snapshot]":
        owner = await find_owner(client, place.program, whose)
        return str(owner.authority), await read_snapshot(client, place.program, owner)

    found_authority, snapshot = venue_options.ask(place, read)
    if not snapshot.users:
        raise exits.FailedError(f"{found_authority} has no account on {venue} at {place.shown}")
    found = account_of(snapshot, found_authority)
    if as_json:
        print_json(found)
        return exits.OK
    from drift_engine.cli.account_view import shown

    console = out()
    for part in shown(found):
        console.print(part)
    return exits.OK
