"""What every act of a trader needs: its account as it is after its last act, a check before signing, and the send.

An account is read from the mirror where that is sure to hold the last act that landed, else from the node: whoever acts
twice in a row never builds the second upon what was before the first. Once an act has landed the mirror reads what it
wrote, so that the next one need not wait for that. Others act too, and a mirror hears of it a moment later: what is
refused for what the account holds, or does not, is refused by the node's word.
"""

from collections.abc import Callable
from contextlib import suppress

from solders.instruction import Instruction
from solders.pubkey import Pubkey

from drift_engine.core.types import Account
from drift_engine.venues.directory import Directory
from drift_engine.venues.http import InvalidRequestError
from drift_engine.venues.instructions.settling import update_spot_market_cumulative_interest
from drift_engine.venues.instructions.trader import Trader as Owner
from drift_engine.venues.live.listed import Listed
from drift_engine.venues.live.shared_client import Connection
from drift_engine.venues.program import Program
from drift_engine.venues.rpc.types import Transaction
from drift_engine.venues.transactions.sending import Failed, Landed, Outcome, Sender
from drift_engine.venues.wire.accounts import decode_as
from drift_engine.venues.wire.events.decoding import UnknownEvent
from drift_engine.venues.wire.events.kinds import Event
from drift_engine.venues.wire.logs import parse
from drift_engine.venues.wire.user import Order, User


class Desk:
    """One sub-account, the key that acts for it, and the way to the chain."""

    def __init__(
        self,
        connection: Connection,
        listed: Listed,
        sender: Sender,
        owner: Owner,
        *,
        tables: tuple[Pubkey, ...] = (),
        compute_units: int = 800_000,
        price_micro_lamports: int = 0,
    ) -> None:
        self.connection, self.listed, self.sender, self.owner = connection, listed, sender, owner
        self.compute_units, self.price_micro_lamports = compute_units, price_micro_lamports
        self.tables = tables
        self._slot = 0

    @property
    def program(self) -> Program:
        """The protocol."""
        return self.listed.program

    @property
    def directory(self) -> Directory:
        """The markets, as instructions need them."""
        return self.listed.directory

    async def found(self, owner: Owner | None = None, *, anew: bool = False) -> User | None:
        """Return the sub-account's account (or another's), ``None`` where it is not open; ``anew`` asks the node."""
        info = await self.connection.newest((owner or self.owner).user, self._slot, anew=anew)
        return None if info is None else decode_as(User, info.owner, info.data)

    async def user(
        self, owner: Owner | None = None, fits: Callable[[User], object] = bool, *, anew: bool = False
    ) -> User:
        """Return the sub-account's account (or another's); ``anew`` asks the node in any case.

        Raises ``InvalidRequestError`` where it is not open, and where ``fits`` raises it.
        """
        who = owner or self.owner
        user = None if anew else await self.found(who)
        if user is not None:
            with suppress(InvalidRequestError):
                fits(user)
                return user
        user = await self.found(who, anew=True)
        if user is None:
            raise InvalidRequestError(
                f"{who.authority} has no sub-account {who.sub_account_id} on {self.program.name}: create_user opens it"
            )
        fits(user)
        return user

    async def account(self) -> Account:
        """Return the sub-account in core's words."""
        return self.listed.translator.account(await self.user(), self.listed.names)

    async def orders(self) -> tuple[Order, ...]:
        """Return the open orders."""
        return (await self.user()).orders()

    async def act(self, *instructions: Instruction) -> Outcome:
        """Send instructions as one transaction and return its outcome. Raises ``EncodeError`` and ``ColdError``."""
        sent = self.sender.sign(
            instructions,
            compute_units=self.compute_units,
            price_micro_lamports=self.price_micro_lamports,
            tables=self.tables,
        )
        outcome = await self.sender.send(sent)
        if isinstance(outcome, Landed | Failed) and outcome.slot is not None:
            self._slot = max(self._slot, outcome.slot)
            for key in {meta.pubkey for each in instructions for meta in each.accounts if meta.is_writable}:
                self.connection.mirror.happened(key, outcome.slot)
        return outcome

    async def transaction(self, outcome: Landed) -> Transaction | None:
        """Return a transaction that landed, ``None`` where the node does not know it."""
        return await self.connection.rpc.get_transaction(outcome.signature)

    async def events(self, outcome: Landed) -> tuple[Event | UnknownEvent, ...]:
        """Return what the program logged of a transaction that landed, nothing where the node does not know it."""
        found = await self.transaction(outcome)
        return () if found is None else tuple(logged.event for logged in parse(found.logs).events)

    def fresh(self, *spots: int | str) -> list[Instruction]:
        """Return what has to go ahead of fills and withdrawals on Velocity: interest brought up to date (6371)."""
        if self.program.name != "velocity":
            return []
        markets = [self.directory.spot(spot) for spot in spots]
        return [update_spot_market_cumulative_interest(self.program, market) for market in dict.fromkeys(markets)]

    def require_authority(self, what: str) -> None:
        """Raise ``InvalidRequestError`` where the key is not the authority's: a delegate may not do this."""
        if self.sender.key.address != self.owner.authority:
            raise InvalidRequestError(
                f"{what} has to be signed by the authority {self.owner.authority}, not by {self.sender.key.address}"
            )

    def require_rights(self, user: User) -> None:
        """Raise ``InvalidRequestError`` where the key may do nothing with the account."""
        if self.sender.key.rights(user) == "none":
            raise InvalidRequestError(
                f"{self.sender.key.address} is neither authority nor delegate of sub-account {user.sub_account_id} "
                f"of {user.authority}"
            )
