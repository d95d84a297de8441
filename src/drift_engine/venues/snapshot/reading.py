"""A whole venue read by RPC: first what there is, then everything at once, so that the figures are of one slot.

    async with Rpc([url]) as rpc:
        snapshot = await read_snapshot(rpc, VELOCITY, authority=key)

State says how many markets there are, an authority's statistics how many sub-accounts it ever made: their addresses
follow, so no node has to search its accounts. More than a hundred accounts come in several answers; the snapshot's slot
is then the lowest of theirs.
"""

from collections.abc import Sequence

from msgspec import Struct
from solders.pubkey import Pubkey

from drift_engine.venues import addresses
from drift_engine.venues.errors import DecodeError
from drift_engine.venues.program import Program
from drift_engine.venues.rpc import Rpc
from drift_engine.venues.rpc.errors import RpcError
from drift_engine.venues.rpc.types import AccountInfo
from drift_engine.venues.snapshot.market_reads import Accounts, owned
from drift_engine.venues.snapshot.snapshot import Snapshot, SnapshotError, assemble, beside, market_addresses
from drift_engine.venues.wire.accounts import decode_as
from drift_engine.venues.wire.state import State
from drift_engine.venues.wire.user import User
from drift_engine.venues.wire.user_stats import UserStats

_AT_ONCE = 100


class Owner(Struct, frozen=True):
    """Whose accounts: an authority, and of its sub-accounts all, or the one at ``user``."""

    authority: Pubkey
    user: Pubkey | None = None


async def read_state(rpc: Rpc, program: Program) -> State:
    """Return the exchange's state. Raises ``SnapshotError`` where this chain has no such exchange."""
    info = await rpc.get_account(program.state)
    try:
        return owned(State, program, program.state, {program.state: info})
    except DecodeError as error:
        why = f"{program.name} is not on this chain, or is another build: {error}; drift-engine doctor says more"
        raise SnapshotError(why) from None


async def find_owner(rpc: Rpc, program: Program, address: Pubkey) -> Owner:
    """Return whose accounts ``address`` means: its own, or, where it is a sub-account, that one of its authority's."""
    info = await rpc.get_account(address)
    if info is None or info.owner != program.program_id:
        return Owner(address)
    try:
        return Owner(decode_as(User, info.owner, info.data).authority, address)
    except DecodeError as error:
        raise SnapshotError(f"{address} is an account of {program.name}, and no sub-account: {error}") from None


async def sub_accounts(rpc: Rpc, program: Program, authority: Pubkey) -> tuple[Pubkey, ...]:
    """Return the addresses of an authority's sub-accounts that exist. Numbers of deleted ones are never used again."""
    info = await rpc.get_account(addresses.user_stats(program.program_id, authority))
    if info is None or not info.exists:
        return ()
    key = addresses.user_stats(program.program_id, authority)
    stats = owned(UserStats, program, key, {key: info})
    found: list[Pubkey] = []
    for first in range(0, stats.number_of_sub_accounts_created, _AT_ONCE):
        numbers = range(first, min(first + _AT_ONCE, stats.number_of_sub_accounts_created))
        keys = [addresses.user(program.program_id, authority, number) for number in numbers]
        _, held = await _read(rpc, keys)
        found += [key for key in keys if (one := held[key]) is not None and one.owner == program.program_id]
        if len(found) >= stats.number_of_sub_accounts:
            break
    return tuple(found)


async def read_snapshot(rpc: Rpc, program: Program, owner: Owner | None = None) -> Snapshot:
    """Return the venue, with an owner's sub-accounts where one is named.

    Raises ``SnapshotError`` where this chain has no such exchange, and what ``Rpc`` raises.
    """
    state = await read_state(rpc, program)
    perps, spots = market_addresses(program, state)
    _, markets = await _read(rpc, [*perps, *spots])
    users: tuple[Pubkey, ...] = ()
    keys = [program.state, *perps, *spots, *beside(program, markets, [*perps, *spots])]
    if owner is not None:
        users = (owner.user,) if owner.user else await sub_accounts(rpc, program, owner.authority)
        keys += [addresses.user_stats(program.program_id, owner.authority), *users]
    slot, found = await _read(rpc, list(dict.fromkeys(keys)))
    users = tuple(key for key in users if found[key] is not None)
    return assemble(
        program,
        found,
        slot,
        await block_time_s(rpc, slot),
        authority=None if owner is None else owner.authority,
        users=users,
    )


async def block_time_s(rpc: Rpc, slot: int) -> int | None:
    """Return a slot's unix time, ``None`` where the node has none for it: a slot without a block, or an old one."""
    try:
        return await rpc.get_block_time(slot)
    except RpcError:
        return None


async def _read(rpc: Rpc, keys: Sequence[Pubkey]) -> tuple[int, Accounts]:
    parts = await rpc.get_multiple_accounts(keys)
    infos: list[AccountInfo | None] = [info for _, part in parts for info in part]
    return min((slot for slot, _ in parts), default=0), dict(zip(keys, infos, strict=True))
