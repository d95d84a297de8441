"""The options of commands that look at a venue, and how a question reaches it. Nothing heavy is imported before.

Errors become a user's lines here: a wrong word or address is a mistake (exit 2); a venue that does not answer, or is
not what it should be, did not succeed (exit 1).
"""

import os
import sys
from collections.abc import Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, TypeVar

import typer

from drift_engine.cli import exits
from drift_engine.config import ConfigError

if TYPE_CHECKING:
    from solders.pubkey import Pubkey

    from drift_engine.venues.program import Program
    from drift_engine.venues.rpc import Rpc
    from drift_engine.venues.snapshot import Snapshot

T = TypeVar("T")
VENUES = ("velocity", "drift_v2")
PUBLIC_RPC = "https://api.mainnet-beta.solana.com"
VARIABLE = "DRIFT_ENGINE_RPC"
_PANEL = "Which venue, and how to reach it"

Venue = Annotated[
    str, typer.Option("--venue", metavar="velocity|drift_v2", help="The protocol.", rich_help_panel=_PANEL)
]
RpcUrls = Annotated[
    list[str] | None,
    typer.Option("--rpc", metavar="URL", help=f"A Solana node; repeatable. (env {VARIABLE})", rich_help_panel=_PANEL),
]
WsUrl = Annotated[
    str | None,
    typer.Option("--ws", metavar="URL", help="Its WebSocket, where not beside --rpc.", rich_help_panel=_PANEL),
]
Authority = Annotated[
    str | None,
    typer.Argument(metavar="[AUTHORITY]", help="A wallet, or a sub-account. (the key's own)", show_default=False),
]
For = Annotated[str | None, typer.Option("--for", metavar="TIME", help="End after this long, as 20s, 5m, 1h.")]


class Place(NamedTuple):
    """A venue and the nodes to ask, ``urls`` in the order of preference; ``ws_urls`` where some were named."""

    program: "Program"
    urls: tuple[str, ...]
    ws_urls: tuple[str, ...]

    @property
    def shown(self) -> str:
        """The nodes without the keys in their addresses."""
        from drift_engine.venues.urls import shown

        return ", ".join(shown(url) for url in self.urls)


def check_venue(venue: str) -> None:
    """Raise ``ConfigError`` where a venue is not one of ours."""
    if venue not in VENUES:
        raise ConfigError(f"--venue is {venue!r}; it must be one of {', '.join(VENUES)}")


def place(venue: str, rpc: list[str] | None, ws: str | None = None) -> Place:
    """Return the venue and nodes that options and environment name. Raises ``ConfigError``."""
    check_venue(venue)
    from drift_engine.venues.programs import by_name

    urls = tuple(rpc or os.environ.get(VARIABLE, "").replace(",", " ").split())
    if not urls:
        urls = (PUBLIC_RPC,)
        print(
            f"drift-engine: asking the public node {PUBLIC_RPC}, which is slow and limited; "
            f"name your own by --rpc URL or {VARIABLE}",
            file=sys.stderr,
        )
    checked = tuple(_checked(url, "--rpc", ("http", "https")) for url in urls)
    ws_urls = (_checked(ws, "--ws", ("ws", "wss")),) if ws else ()
    return Place(by_name(venue), checked, ws_urls)


def ask(found: Place, question: Callable[["Rpc"], Awaitable[T]]) -> T:
    """Open the client, ask, and close it."""
    from drift_engine.venues.rpc import Rpc
    from drift_engine.venues.rpc.transport import Policy

    async def asked() -> T:
        async with Rpc(found.urls, policy=Policy(backoff_ms=300)) as rpc:
            return await question(rpc)

    return run(asked())


def read_venue(found: Place) -> "Snapshot":
    """Read a venue as it is now: its state and its markets."""
    from drift_engine.venues.snapshot.reading import read_snapshot

    return ask(found, lambda rpc: read_snapshot(rpc, found.program))


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run what asks a venue; what a user has to know of its errors becomes one line."""
    import asyncio

    from drift_engine.core.client import VenueUnavailableError
    from drift_engine.venues.errors import VenueError
    from drift_engine.venues.keys import KeyUnusableError

    try:
        return asyncio.run(work)
    except KeyUnusableError as error:
        raise ConfigError(str(error)) from None
    except (VenueUnavailableError, VenueError) as error:
        raise exits.FailedError(str(error)) from None


def address(authority: str | None) -> "Pubkey":
    """Return the address that was named, or the key's own. Raises ``ConfigError``."""
    from solders.pubkey import Pubkey

    from drift_engine.venues.keys import VARIABLE as KEY
    from drift_engine.venues.keys import KeyUnusableError, key_from_environment

    if authority is not None:
        try:
            return Pubkey.from_string(authority)
        except ValueError:
            raise ConfigError(f"AUTHORITY {authority[:60]!r} is no address: it is 32 bytes in base58") from None
    if not os.environ.get(KEY, "").strip():
        raise ConfigError(f"name an AUTHORITY, or set {KEY} to a key file's path: its own accounts are shown then")
    try:
        return key_from_environment(os.environ).address
    except KeyUnusableError as error:
        raise ConfigError(str(error)) from None


def _checked(url: str, option: str, schemes: tuple[str, ...]) -> str:
    from drift_engine.venues.streams.address import ws_url_of
    from drift_engine.venues.urls import checked_url

    try:
        checked = checked_url(url, schemes)
        _ = ws_url_of(checked)
    except ValueError as error:
        raise ConfigError(f"{option}: {error}") from None
    return checked
