"""An account's bytes and its owner in, a view out.

The owner chooses the protocol, the discriminator then the kind: both programs share their discriminators, and programs
grow their accounts, so neither the first bytes nor the length ever tells whose an account is.
"""

from typing import Any, TypeVar

from solders.pubkey import Pubkey

from drift_engine.venues.errors import DecodeError
from drift_engine.venues.program import Program
from drift_engine.venues.programs import PROGRAMS, by_owner
from drift_engine.venues.wire.insurance import InsuranceFundStake
from drift_engine.venues.wire.layout import Buffer, Layout, View
from drift_engine.venues.wire.oracle_accounts import PrelaunchOracle, PythLazerOracle
from drift_engine.venues.wire.perp_market import PerpMarket
from drift_engine.venues.wire.spot_market import SpotMarket
from drift_engine.venues.wire.state import State
from drift_engine.venues.wire.user import User
from drift_engine.venues.wire.user_stats import UserStats

Account = User | UserStats | PerpMarket | SpotMarket | State | PythLazerOracle | PrelaunchOracle | InsuranceFundStake
V = TypeVar("V", bound=View)

KINDS: dict[type[View], str] = {
    User: "user",
    UserStats: "user_stats",
    PerpMarket: "perp_market",
    SpotMarket: "spot_market",
    State: "state",
    PythLazerOracle: "pyth_lazer_oracle",
    PrelaunchOracle: "prelaunch_oracle",
    InsuranceFundStake: "insurance_fund_stake",
}


def layout_of(program: Program, kind: type[View]) -> Layout:
    """Return how a protocol lays out a kind of account."""
    layout: Layout = getattr(program.layouts, KINDS[kind])
    return layout


_BY_HEAD: dict[Pubkey, dict[bytes, tuple[Any, Layout]]] = {
    program.program_id: {layout_of(program, kind).head: (kind, layout_of(program, kind)) for kind in KINDS}
    for program in PROGRAMS.values()
}


def decode(owner: Pubkey, data: Buffer) -> Account:
    """Return the account that ``owner`` keeps in ``data``; a foreign owner, an unknown kind and too few bytes refuse.

    The view reads on access and keeps ``data``, so a ``bytearray`` stays writable through it.
    """
    try:
        kind, layout = _BY_HEAD[owner][data[:8] if type(data) is bytes else bytes(data[:8])]
    except KeyError:
        raise _unknown(owner, data) from None
    if len(data) < layout.size:
        raise too_short(layout, data)
    account: Account = kind(data, layout)
    return account


def decode_as(kind: type[V], owner: Pubkey, data: Buffer) -> V:
    """Return the account as ``kind``; another kind of account refuses."""
    found = decode(owner, data)
    if isinstance(found, kind):
        return found
    raise DecodeError(f"expected a {kind.__name__}, found a {found.layout.name} of {by_owner(owner).name}")


def blank(program: Program, kind: type[V]) -> V:
    """Return a writable account of zeros, as the program would make it."""
    return kind.blank(layout_of(program, kind))


def too_short(layout: Layout, data: Buffer) -> DecodeError:
    """Return what is wrong with too few bytes."""
    return DecodeError(f"{layout.name} has {len(data)} bytes; this build knows no less than {layout.size}")


def _unknown(owner: Pubkey, data: Buffer) -> DecodeError:
    program = by_owner(owner)
    names = ", ".join(kind.__name__ for kind in KINDS)
    return DecodeError(
        f"an account of {program.name} starts with {bytes(data[:8]).hex() or 'nothing'}, which is none of {names}"
    )
