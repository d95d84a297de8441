"""``drift-engine doctor``: is a venue, and the way to it, what we take it for? Exit 1 where something is not."""

import os
from typing import TYPE_CHECKING, Any

from drift_engine.cli import exits, venue_options
from drift_engine.cli.options import Json
from drift_engine.config import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

    from solders.pubkey import Pubkey

    from drift_engine.venues.checks.check import Check
    from drift_engine.venues.checks.examine import Patient

_WORDS = {"ok": ("ok  ", "green"), "warn": ("warn", "yellow"), "fail": ("FAIL", "bold red")}


def doctor(
    authority: venue_options.Authority = None,
    *,
    venue: venue_options.Venue = "velocity",
    rpc: venue_options.RpcUrls = None,
    ws: venue_options.WsUrl = None,
    as_json: Json = False,
) -> int:
    """Check nodes, clock, program, layouts, exchange, markets, oracles and the key; exit 1 on any FAIL."""
    place = venue_options.place(venue, rpc, ws)
    key = _key()
    whose = None if authority is None else venue_options.address(authority)
    from drift_engine.cli.output import out, print_json
    from drift_engine.venues.checks.examine import Patient, passed

    console = out()
    patient = Patient(place.program, place.urls, place.ws_urls, key, whose)
    found = venue_options.run(_examined(patient, lambda check: None if as_json else _show(console, check)))
    if as_json:
        print_json({"venue": venue, "ok": passed(found), "checks": found})
    return exits.OK if passed(found) else exits.FAILED


async def _examined(patient: "Patient", tell: "Callable[[Check], None]") -> "list[Check]":
    from drift_engine.venues.checks.examine import examine

    found = []
    async for check in examine(patient):
        found.append(check)
        tell(check)
    return found


def _show(console: Any, check: "Check") -> None:
    """Print one check as one line; a terminal breaks a long one between words, and what it is about stays in sight."""
    from rich.text import Text

    from drift_engine.cli.output import is_live

    word, style = _WORDS[check.verdict]
    mend = f". Mend: {check.mend}" if check.mend else ""
    if not is_live(console):
        print(f"{word} {check.name}: {check.found}{mend}", flush=True)
        return
    text = Text(word, style=style).append(f" {check.name}", style="bold").append(f": {check.found}", style="not bold")
    console.print(text.append(mend, style="dim not bold"), soft_wrap=False)


def _key() -> "Pubkey | None":
    """Return the address of the key in the environment, if there is one. Raises ``ConfigError`` where it is none."""
    from drift_engine.venues.keys import VARIABLE, KeyUnusableError, key_from_environment

    if not os.environ.get(VARIABLE, "").strip():
        return None
    try:
        return key_from_environment(os.environ).address
    except KeyUnusableError as error:
        raise ConfigError(str(error)) from None
