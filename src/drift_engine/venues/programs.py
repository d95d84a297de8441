"""The protocols we speak, and how to find one: by its name, or by the program that owns an account."""

from solders.pubkey import Pubkey

from drift_engine.venues.drift_v2.program import DRIFT_V2
from drift_engine.venues.errors import DecodeError, VenueError
from drift_engine.venues.program import Program
from drift_engine.venues.velocity.program import VELOCITY

__all__ = ["DRIFT_V2", "PROGRAMS", "VELOCITY", "by_name", "by_owner"]

PROGRAMS: dict[str, Program] = {program.name: program for program in (VELOCITY, DRIFT_V2)}
_BY_ID = {program.program_id: program for program in PROGRAMS.values()}


def by_owner(owner: Pubkey) -> Program:
    """Return the protocol whose program owns an account.

    Both programs share their accounts' discriminators, so an account's bytes never tell.
    """
    try:
        return _BY_ID[owner]
    except KeyError:
        known = " and ".join(f"{program.name} {program.program_id}" for program in PROGRAMS.values())
        raise DecodeError(f"the account belongs to {owner}, which is no program of ours: we know {known}") from None


def by_name(name: str) -> Program:
    """Return the protocol called ``name``; an unknown name is refused with those that exist."""
    try:
        return PROGRAMS[name]
    except KeyError:
        raise VenueError(f"no protocol is called {name!r}: we know {' and '.join(PROGRAMS)}") from None
