"""A whole venue as one value: state, markets with their oracles, an authority's sub-accounts, all of one moment.

Pure: accounts' bytes go in (``reading`` gets them), values come out. Each account is taken only from the
program that must own it. What is missing or cannot be read stays in its place with the reason: a market without an
oracle has no price, an account that holds something unreadable has no margin. Nothing is dropped.

Source of the addresses: the seeds in ``instructions/admin.rs`` and ``instructions/user.rs``.
"""

from collections.abc import Sequence

from msgspec import Struct
from solders.pubkey import Pubkey

from drift_engine.core.types import Account, Market
from drift_engine.core.units import SECOND_NS
from drift_engine.venues import addresses
from drift_engine.venues.errors import DecodeError, VenueError
from drift_engine.venues.market_id import MarketId, MarketKind
from drift_engine.venues.program import Program
from drift_engine.venues.rpc.types import AccountInfo
from drift_engine.venues.snapshot.market_reads import (
    Accounts,
    AnyRead,
    MarketRead,
    MarketReader,
    market_indexes,
    owned,
)
from drift_engine.venues.translate import Names, Translator
from drift_engine.venues.wire.accounts import decode
from drift_engine.venues.wire.perp_market import PerpMarket
from drift_engine.venues.wire.records import FeeTier
from drift_engine.venues.wire.spot_market import SpotMarket
from drift_engine.venues.wire.state import State
from drift_engine.venues.wire.user import User
from drift_engine.venues.wire.user_stats import UserStats


class SnapshotError(VenueError):
    """There is no such venue to read, or what was asked for is not on the chain."""


class SubAccount(Struct, frozen=True):
    """A sub-account: its account, and what core counts margin on; ``problem`` says why that is not known."""

    address: Pubkey
    view: User
    account: Account | None = None
    problem: str | None = None


class Snapshot(Struct, frozen=True):
    """The venue at ``slot``; ``block_time_s`` is that slot's unix time, ``None`` where the node does not know it."""

    program: Program
    slot: int
    block_time_s: int | None
    state: State
    perps: tuple[MarketRead[PerpMarket], ...]
    spots: tuple[MarketRead[SpotMarket], ...]
    stats: UserStats | None = None
    users: tuple[SubAccount, ...] = ()

    @property
    def markets(self) -> dict[str, Market]:
        """The markets that could be read, by name: what core's maths takes."""
        reads: list[AnyRead] = [*self.perps, *self.spots]
        return {read.market.name: read.market for read in reads if read.market is not None}


def market_addresses(program: Program, state: State) -> tuple[list[Pubkey], list[Pubkey]]:
    """Return the addresses of all perp and of all spot markets. Raises ``DecodeError`` as ``market_indexes``."""
    perps, spots = market_indexes(state)
    program_id = program.program_id
    return [addresses.perp_market(program_id, each) for each in perps], [
        addresses.spot_market(program_id, each) for each in spots
    ]


def beside(program: Program, found: Accounts, markets: Sequence[Pubkey]) -> list[Pubkey]:
    """Return what has to be read beside markets' accounts: oracles, and the vaults of spot markets."""
    keys: dict[Pubkey, None] = {}
    for address in markets:
        info = found.get(address)
        if info is not None and info.owner == program.program_id:
            keys |= dict.fromkeys(_named_in(info))
    keys.pop(Pubkey.default(), None)
    return list(keys)


def _named_in(info: AccountInfo) -> tuple[Pubkey, ...]:
    """Return the oracle and vault that a market names; what cannot be read here is told of where it is assembled."""
    try:
        view = decode(info.owner, info.data)
    except DecodeError:
        return ()
    if isinstance(view, SpotMarket):
        return view.oracle, view.vault
    return (view.oracle,) if isinstance(view, PerpMarket) else ()


def assemble(
    program: Program,
    found: Accounts,
    slot: int,
    block_time_s: int | None,
    *,
    perps: Sequence[int] | None = None,
    spots: Sequence[int] | None = None,
    authority: Pubkey | None = None,
    users: Sequence[Pubkey] = (),
) -> Snapshot:
    """Return the venue out of accounts; all its markets unless ``perps`` and ``spots`` name fewer.

    Raises ``DecodeError`` where the state cannot be read: then nothing is known.
    """
    state = owned(State, program, program.state, found)
    translator = _translator(program, state.perp_fee_structure.fee_tiers[0])
    rails, ts_ns = state.oracle_guard_rails, (block_time_s or 0) * SECOND_NS
    seen = MarketReader(program, found, slot, rails, translator, ts_ns)
    every_perp, every_spot = market_indexes(state)
    perp_reads = tuple(seen.perp(index) for index in (every_perp if perps is None else perps))
    spot_reads = tuple(seen.spot(index) for index in (every_spot if spots is None else spots))
    names = Names(
        {read.index: read.name for read in perp_reads if read.market is not None},
        {read.index: read.name for read in spot_reads if read.market is not None},
        _unread(perp_reads, "perp") | _unread(spot_reads, "spot"),
    )
    held = tuple(_sub_account(program, translator, names, found, key) for key in users)
    stats = None
    if authority is not None and found.get(addresses.user_stats(program.program_id, authority)) is not None:
        stats = owned(UserStats, program, addresses.user_stats(program.program_id, authority), found)
    return Snapshot(program, slot, block_time_s, state, perp_reads, spot_reads, stats, held)


def _unread(reads: Sequence[AnyRead], kind: MarketKind) -> dict[MarketId, str]:
    return {MarketId(kind, read.index): "; ".join(read.problems) for read in reads if read.market is None}


def _sub_account(
    program: Program, translator: Translator, names: Names, found: Accounts, address: Pubkey
) -> SubAccount:
    view = owned(User, program, address, found)
    try:
        return SubAccount(address, view, translator.account(view, names))
    except DecodeError as error:
        return SubAccount(address, view, None, str(error))


def _translator(program: Program, tier: FeeTier) -> Translator:
    """Return a translator that shows fees by the first tier, where the exchange has one."""
    return Translator(program, tier) if tier.fee_denominator and tier.maker_rebate_denominator else Translator(program)
