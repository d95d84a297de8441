"""What is kept warm so that no round trip stands between decision and send: a blockhash and the lookup tables.

Whoever talks to the chain tells ``Warm`` what it saw; whoever signs asks it, without waiting. A blockhash is good for
150 blocks: one that was fetched too long ago is refused rather than signed with, since a transaction that dies on the
way is an order that was never placed. Time is an argument.
"""

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct
from solders.address_lookup_table_account import AddressLookupTable, AddressLookupTableAccount
from solders.hash import Hash
from solders.pubkey import Pubkey

from drift_engine.core.units import MILLISECOND_NS, SECOND_NS
from drift_engine.venues.errors import DecodeError, VenueError

MAX_AGE_NS = 15 * SECOND_NS
"""Half of the 150 blocks at the shortest slot planned, 200 ms."""
MIN_BLOCKS_LEFT = 20
"""Blocks in which a transaction signed now must still be able to land."""


class ColdError(VenueError):
    """Nothing can be signed: the blockhash is missing or too old, or a lookup table was not read."""


class HeldBlockhash(Struct, frozen=True, gc=False):
    """A blockhash, the last block that takes it, and when it was fetched."""

    blockhash: Hash
    raw: bytes
    last_valid_block_height: int
    fetched_ns: int


class FetchedBlockhash(Protocol):
    """A blockhash as a node tells it."""

    @property
    def blockhash(self) -> Hash:
        """The blockhash."""
        ...

    @property
    def last_valid_block_height(self) -> int:
        """The last block that takes it."""
        ...


class FetchedAccount(Protocol):
    """An account as a node tells it."""

    @property
    def data(self) -> bytes:
        """Its bytes."""
        ...


class Node(Protocol):
    """What ``refresh`` asks: ``venues.rpc`` answers."""

    async def get_latest_blockhash(self) -> FetchedBlockhash:
        """Return the newest blockhash."""
        ...

    async def get_account(self, key: Pubkey) -> FetchedAccount | None:
        """Return an account, ``None`` where there is none."""
        ...


class Warm:
    """The newest blockhash, the block height, and lookup tables by address."""

    def __init__(self, max_age_ns: int = MAX_AGE_NS) -> None:
        self._max_age_ns = max_age_ns
        self._latest: HeldBlockhash | None = None
        self._height = 0
        self._tables: dict[Pubkey, AddressLookupTableAccount] = {}

    def saw_blockhash(self, blockhash: Hash, last_valid_block_height: int, now_ns: int) -> None:
        """Take in a fetched blockhash; one older than what is held, from a node that lags, is ignored."""
        held = self._latest
        if held is None or last_valid_block_height >= held.last_valid_block_height:
            self._latest = HeldBlockhash(blockhash, bytes(blockhash), last_valid_block_height, now_ns)

    def saw_block_height(self, height: int) -> None:
        """Take in how far the chain has come."""
        self._height = max(self._height, height)

    def saw_table(self, address: Pubkey, data: bytes) -> None:
        """Take in a lookup table's account. Raises ``DecodeError`` where it is none."""
        try:
            table = AddressLookupTable.deserialize(data)
        except ValueError as error:
            raise DecodeError(f"{address} is no lookup table: {error}") from None
        self._tables[address] = AddressLookupTableAccount(address, table.addresses)

    def blockhash(self, now_ns: int) -> HeldBlockhash:
        """Return the blockhash to sign with. Raises ``ColdError`` where there is none that will last."""
        held = self._latest
        if held is None:
            raise ColdError("no blockhash was fetched yet")
        age_ns = now_ns - held.fetched_ns
        if age_ns > self._max_age_ns:
            most_ms = self._max_age_ns // MILLISECOND_NS
            raise ColdError(f"the blockhash is {age_ns // MILLISECOND_NS} ms old, over {most_ms}")
        left = held.last_valid_block_height - self._height
        if self._height and left < MIN_BLOCKS_LEFT:
            raise ColdError(f"the blockhash has {left} blocks left to land in, under {MIN_BLOCKS_LEFT}")
        return held

    def tables(self, addresses: Sequence[Pubkey]) -> list[AddressLookupTableAccount]:
        """Return lookup tables. Raises ``ColdError`` for one that was not read."""
        if missing := [str(each) for each in addresses if each not in self._tables]:
            raise ColdError(f"lookup table {', '.join(missing)} was not read yet")
        return [self._tables[each] for each in addresses]


async def refresh(warm: Warm, node: Node, now_ns: int) -> None:
    """Fetch the newest blockhash. ``now_ns`` is the time before asking: an age is never understated."""
    fetched = await node.get_latest_blockhash()
    warm.saw_blockhash(fetched.blockhash, fetched.last_valid_block_height, now_ns)


async def read_tables(warm: Warm, node: Node, addresses: Sequence[Pubkey]) -> None:
    """Fetch lookup tables, once at start. Raises ``ColdError`` where the chain has none at an address."""
    for address in addresses:
        account = await node.get_account(address)
        if account is None:
            raise ColdError(f"the chain has no lookup table {address}")
        warm.saw_table(address, account.data)
