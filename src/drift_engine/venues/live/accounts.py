"""An authority's sub-accounts, live: mirrored with all that their margin stands on, as that changes.

    async with Rpc([http]) as rpc, Subscriptions([ws]) as stream, Mirror(rpc, stream) as mirror:
        live = LiveAccounts(mirror, stream, VELOCITY, Owner(authority))
        live.follow()           # now and then: a new position brings a new market, that one its oracle
        live.snapshot()         # as of the mirror; its age is ``mirror.age_ns()``

A sub-account that does not exist yet is waited for; one that closes is gone from the next snapshot.
"""

from collections.abc import Iterator

from solders.pubkey import Pubkey

from drift_engine.venues import addresses
from drift_engine.venues.directory import QUOTE_INDEX
from drift_engine.venues.errors import DecodeError
from drift_engine.venues.mirror import Mirror
from drift_engine.venues.program import Program
from drift_engine.venues.rpc.types import AccountInfo
from drift_engine.venues.snapshot import Snapshot, assemble, beside
from drift_engine.venues.snapshot.market_reads import Accounts, owned
from drift_engine.venues.snapshot.reading import Owner
from drift_engine.venues.streams.subscriptions import Subscriptions
from drift_engine.venues.wire.user import User
from drift_engine.venues.wire.user_stats import UserStats

MOST_SUB_ACCOUNTS = 64
"""Sub-accounts followed at most, the first ones: each costs a subscription."""
_PERP = 1


class LiveAccounts:
    """Which accounts to mirror for an owner, and the venue as they say it is."""

    def __init__(self, mirror: Mirror, stream: Subscriptions, program: Program, owner: Owner) -> None:
        self._mirror, self._stream = mirror, stream
        self._program, self._owner = program, owner
        self._stats = addresses.user_stats(program.program_id, owner.authority)
        self._keys: dict[Pubkey, None] = {}
        self._perps: dict[int, None] = {}
        self._spots: dict[int, None] = {QUOTE_INDEX: None}
        self.follow()

    @property
    def complete(self) -> bool:
        """Whether all that is followed was read, and nothing more has to be."""
        self.follow()
        return all(self._mirror.get(key) is not None for key in self._keys)

    def follow(self) -> None:
        """Mirror what is needed by now and was not before."""
        wanted = [self._program.state, self._stats, *self._users()]
        for user in self._held_users():
            self._note_markets(user)
        markets = [addresses.perp_market(self._program.program_id, index) for index in self._perps]
        markets += [addresses.spot_market(self._program.program_id, index) for index in self._spots]
        for key in (*wanted, *markets, *beside(self._program, self._found(), markets)):
            if key not in self._keys:
                self._keys[key] = None
                self._mirror.add(key)

    def snapshot(self) -> Snapshot:
        """Return the venue as far as it is followed. Raises ``DecodeError`` where State cannot be read (yet)."""
        found = self._found()
        users = [key for key in self._users() if found.get(key) is not None]
        slot = max([self._stream.slot, *(info.slot for info in found.values() if info is not None)])
        return assemble(
            self._program,
            found,
            slot,
            None,
            perps=sorted(self._perps),
            spots=sorted(self._spots),
            authority=self._owner.authority,
            users=users,
        )

    def _found(self) -> Accounts:
        return {key: _there(self._mirror.get(key)) for key in self._keys}

    def _users(self) -> list[Pubkey]:
        if self._owner.user is not None:
            return [self._owner.user]
        program_id, authority = self._program.program_id, self._owner.authority
        made = min(self._made(), MOST_SUB_ACCOUNTS)
        return [addresses.user(program_id, authority, number) for number in range(made)]

    def _made(self) -> int:
        """Return how many sub-accounts the authority ever opened, as far as is known."""
        info = _there(self._mirror.get(self._stats))
        if info is None:
            return 0
        try:
            return owned(UserStats, self._program, self._stats, {self._stats: info}).number_of_sub_accounts_created
        except DecodeError:
            return 0

    def _held_users(self) -> Iterator[User]:
        for key in self._users():
            try:
                yield owned(User, self._program, key, {key: _there(self._mirror.get(key))})
            except DecodeError:
                continue  # there is none yet, or a snapshot says what is wrong with it

    def _note_markets(self, user: User) -> None:
        self._perps |= {held.market_index: None for held in user.perp_positions()}
        self._spots |= {held.market_index: None for held in user.spot_positions()}
        for order in user.orders():
            (self._perps if order.market_type == _PERP else self._spots)[order.market_index] = None


def _there(info: AccountInfo | None) -> AccountInfo | None:
    """Return an account that the chain has; a closed one is none."""
    return info if info is not None and info.exists else None
