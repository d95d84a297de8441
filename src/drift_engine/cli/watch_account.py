"""``drift-engine watch``: an authority's sub-accounts, live, with the age of what is shown.

A terminal is redrawn; a pipe gets one flushed line a second. Where the stream stalls or is cut, the age grows and the
reason is shown until it is made again.
"""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from drift_engine.background import Background
from drift_engine.cli import exits, venue_options
from drift_engine.cli.options import Json, parse_duration

if TYPE_CHECKING:
    from solders.pubkey import Pubkey

    from drift_engine.venues.live.accounts import LiveAccounts
    from drift_engine.venues.mirror import Mirror

Facts = dict[str, Any]
Show = Callable[[Facts], None]
_REDRAW_S, _LINE_S = 0.25, 1.0
_FIRST_S, _LOOK_S = 10.0, 0.1


def watch(
    authority: venue_options.Authority = None,
    *,
    venue: venue_options.Venue = "velocity",
    rpc: venue_options.RpcUrls = None,
    ws: venue_options.WsUrl = None,
    length: venue_options.For = None,
    as_json: Json = False,
) -> int:
    """Watch sub-accounts live: health, positions, orders, and how old all that is."""
    length_s = parse_duration(length)
    place = venue_options.place(venue, rpc, ws)
    whose = venue_options.address(authority)
    found = venue_options.run(_watched(place, whose, length_s, quiet=as_json))
    if as_json:
        from drift_engine.cli.output import print_json

        print_json(found)
    return exits.OK


async def _watched(place: venue_options.Place, whose: "Pubkey", length_s: float | None, *, quiet: bool) -> Facts:
    from drift_engine.signals import stopping
    from drift_engine.venues.live.accounts import LiveAccounts
    from drift_engine.venues.mirror import Mirror
    from drift_engine.venues.rpc import Rpc
    from drift_engine.venues.snapshot.reading import find_owner, read_state
    from drift_engine.venues.streams.address import find_ws_urls
    from drift_engine.venues.streams.subscriptions import Subscriptions

    stop = asyncio.Event()
    with stopping(stop.set):
        streams = place.ws_urls or await find_ws_urls(place.urls)
        async with Rpc(place.urls) as rpc, Subscriptions(streams) as stream, Mirror(rpc, stream) as mirror:
            await read_state(rpc, place.program)
            owner = await find_owner(rpc, place.program, whose)
            live = LiveAccounts(mirror, stream, place.program, owner)

            def facts() -> Facts:
                found = _facts(live, mirror, place.program.name, str(owner.authority))
                return found | {"connections": stream.connections}

            await _first(live, mirror, stop)
            work = Background(again_s=_LOOK_S)
            work.keep("following the account", partial(_follow, live))
            try:
                with _shown(quiet=quiet) as (show, pause_s):
                    await _until_over(facts, show, stop, length_s, pause_s)
            finally:
                await work.close()
            return facts()


async def _first(live: "LiveAccounts", mirror: "Mirror", stop: asyncio.Event) -> None:
    """Wait until there is something to show, or that took too long."""
    until = time.monotonic() + _FIRST_S
    while time.monotonic() < until and not (live.complete and mirror.age_ns() is not None):
        try:
            await asyncio.wait_for(stop.wait(), _LOOK_S)
        except TimeoutError:
            continue
        return


async def _follow(live: "LiveAccounts") -> None:
    """Mirror what comes to be held soon after, so that the next line already knows its price."""
    from drift_engine.venues.errors import DecodeError

    while True:
        with suppress(DecodeError):  # what is shown says so
            live.follow()
        await asyncio.sleep(_LOOK_S)


async def _until_over(
    facts: Callable[[], Facts], show: Show, stop: asyncio.Event, length_s: float | None, pause_s: float
) -> None:
    began, turns = time.monotonic(), 0
    while not stop.is_set():
        show(facts())
        turns += 1
        left_s = began + turns * pause_s - time.monotonic()
        if length_s is not None:
            left_s = min(left_s, began + length_s - time.monotonic())
        try:
            await asyncio.wait_for(stop.wait(), max(left_s, 0))
        except TimeoutError:
            if length_s is not None and time.monotonic() - began >= length_s:
                return


def _facts(live: "LiveAccounts", mirror: "Mirror", venue: str, authority: str) -> Facts:
    """Return what is known now; what cannot be read is trouble, and never taken for health."""
    from drift_engine.cli.account_facts import account_of
    from drift_engine.venues.errors import DecodeError

    trouble = mirror.trouble
    age_ns = mirror.age_ns()
    try:
        live.follow()
        found = account_of(live.snapshot(), authority, age_ns)
    except DecodeError as error:
        unread: Facts = {"slot": 0, "block_time_s": None, "age_ms": None, "sub_accounts": []}
        found, trouble = {"venue": venue, "authority": authority} | unread, str(error)
    return found | {"now_s": int(time.time()), "trouble": trouble}


@contextmanager
def _shown(*, quiet: bool) -> Iterator[tuple[Show, float]]:
    """Yield how to show what is known, and how often."""
    if quiet:
        yield (lambda _: None), _LINE_S
        return
    from drift_engine.cli.account_view import line, live_parts
    from drift_engine.cli.output import is_live, out

    console = out()
    if not is_live(console):
        yield (lambda found: print(line(found), flush=True)), _LINE_S
        return
    from rich.console import Group
    from rich.live import Live

    last: list[Any] = []
    with Live(console=console, screen=True, auto_refresh=False, redirect_stdout=False) as live:

        def redraw(found: Facts) -> None:
            last[:] = [Group(*live_parts(found))]
            live.update(last[0], refresh=True)

        yield redraw, _REDRAW_S
    console.print(*last)
