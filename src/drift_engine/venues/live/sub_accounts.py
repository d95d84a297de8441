"""All sub-accounts of an authority, mirrored: opened, changed and closed ones as the stream tells them.

    accounts = SubAccounts(connection, listed, authority)
    await accounts.ready()
    accounts.all()  ->  {0: SubAccount(...), 3: SubAccount(...)}

The program's accounts are watched by their kind and their authority, so one that is opened appears by itself; the
addresses of those that are known are watched one by one, so that one that is closed is seen to be gone. Bytes are
decoded when somebody asks, once for each state.
"""

import asyncio

from msgspec import Struct
from solders.pubkey import Pubkey

from drift_engine.core.types import Account
from drift_engine.venues.errors import DecodeError
from drift_engine.venues.live.listed import Listed
from drift_engine.venues.live.shared_client import Connection
from drift_engine.venues.rpc.types import AccountInfo, Memcmp
from drift_engine.venues.wire.accounts import decode_as, layout_of
from drift_engine.venues.wire.user import User

_WAIT_S = 0.02


class SubAccount(Struct, frozen=True):
    """A sub-account as it is mirrored. ``age_ns``: how old it may be, ``None`` where that is not known.

    ``account`` is what core counts margin on, ``None`` where it holds something that cannot be read: ``problem`` says
    what.
    """

    address: Pubkey
    number: int
    name: str
    account: Account | None
    user: User
    slot: int
    age_ns: int | None
    problem: str | None = None


class SubAccounts:
    """One authority's sub-accounts over a shared connection."""

    def __init__(self, connection: Connection, listed: Listed, authority: Pubkey) -> None:
        self.authority, self._connection, self._listed = authority, connection, listed
        layout = layout_of(listed.program, User)
        wanted = [Memcmp(0, layout.head), Memcmp(layout.offsets["authority"], bytes(authority))]
        self._held = connection.mirror.add_program(listed.program.program_id, wanted)
        self._decoded: dict[Pubkey, tuple[AccountInfo, User, Account | None, str | None]] = {}

    async def ready(self) -> None:
        """Wait until the list and every sub-account on it were read."""
        while not self._held.slot or any(self._info(key) is None for key in self._held.members):  # noqa: ASYNC110
            await asyncio.sleep(_WAIT_S)

    @property
    def addresses(self) -> tuple[Pubkey, ...]:
        """The addresses of the sub-accounts that are open."""
        return tuple(key for key in self._held.members if (info := self._info(key)) is not None and info.exists)

    def all(self) -> dict[int, SubAccount]:
        """Return the open sub-accounts by number. Raises ``DecodeError`` where one is of a layout not known."""
        found = [self._one(key) for key in self.addresses]
        return {each.number: each for each in sorted(found, key=lambda each: each.number)}

    def age_ns(self) -> int | None:
        """Return how old the oldest of them may be, ``None`` where that is not known."""
        ages = [self._connection.mirror.age_ns(key) for key in self.addresses]
        known = [age for age in ages if age is not None]
        return max(known, default=None) if len(known) == len(ages) else None

    def _one(self, key: Pubkey) -> SubAccount:
        info = self._info(key)
        assert info is not None  # noqa: S101 — addresses are of what is held
        kept = self._decoded.get(key)
        if kept is None or kept[0] is not info:
            user = decode_as(User, info.owner, info.data)
            kept = self._decoded[key] = info, user, *self._translated(user)
        _, user, account, problem = kept
        age_ns = self._connection.mirror.age_ns(key)
        return SubAccount(key, user.sub_account_id, user.name, account, user, info.slot, age_ns, problem)

    def _translated(self, user: User) -> tuple[Account | None, str | None]:
        try:
            return self._listed.translator.account(user, self._listed.names), None
        except DecodeError as error:
            return None, str(error)

    def _info(self, key: Pubkey) -> AccountInfo | None:
        return self._connection.mirror.get(key)
