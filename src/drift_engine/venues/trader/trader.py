"""One sub-account of an authority, acted for by one key: from opening it to closing it.

    async with Trader.connect(VELOCITY, "https://node.example", key) as trader:
        await trader.create_user()
        await trader.deposit("USDT", "100")
        await trader.place(trader.order("SOL-PERP", "0.5", "140"))

Every act is one transaction. It returns an ``Outcome`` (``transactions.sending``): landed, failed with the program's
own name, expired, or unknown. What cannot be right is refused before anything is signed, by ``EncodeError`` (a market
that is not known or has no oracle, a wrong mint, a figure too precise or too large) or ``InvalidRequestError`` (no such
account or order, a key without the right). Figures are text, ``Decimal`` or whole units.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Self

from solders.keypair import Keypair
from solders.pubkey import Pubkey

from drift_engine.core.units import parse_scaled, show_scaled
from drift_engine.venues.directory import SpotTerms
from drift_engine.venues.errors import EncodeError
from drift_engine.venues.http import InvalidRequestError
from drift_engine.venues.instructions import accounts, funds, needs, settling
from drift_engine.venues.instructions.tokens import (
    WRAPPED_SOL,
    create_token_account,
    token_account,
    unwrap_sol,
    wrap_sol,
)
from drift_engine.venues.instructions.trader import Trader as Owner
from drift_engine.venues.instructions.trader import trader as owner_of
from drift_engine.venues.keys import Key
from drift_engine.venues.live.listed import Listed
from drift_engine.venues.live.shared_client import Settings, shared
from drift_engine.venues.program import Program
from drift_engine.venues.trader.order_forms import Figure, token_amount
from drift_engine.venues.trader.orders import OrderDesk
from drift_engine.venues.transactions.sending import Following, Outcome, Sender
from drift_engine.venues.wire.order_enums import SettleMode
from drift_engine.venues.wire.user import User

_MINT, _HELD = slice(0, 32), slice(64, 72)
_TOKEN_ACCOUNT_BYTES = 165
_RATIO_DECIMALS = 4


class Trader(OrderDesk):
    """A sub-account. ``connect`` makes one; reads and orders are those of ``Desk`` and ``OrderDesk``."""

    @classmethod
    @asynccontextmanager
    async def connect(
        cls,
        program: Program,
        rpc_url: str | Sequence[str],
        key: Key | Keypair,
        *,
        ws_url: str | Sequence[str] = (),
        authority: Pubkey | None = None,
        sub_account: int = 0,
        settings: Settings | None = None,
        following: Following | None = None,
        compute_units: int = 800_000,
        price_micro_lamports: int = 0,
    ) -> AsyncIterator[Self]:
        """Connect to a node and read the markets.

        ``authority`` is whose sub-account it is, where ``key`` is a delegate's. Raises ``RpcUnavailableError`` where
        nobody answers and ``DecodeError`` where the chain does not have the protocol.
        """
        key = key if isinstance(key, Key) else Key(key)
        async with shared(_several(rpc_url), _several(ws_url), settings) as connection:
            listed = Listed(program, connection)
            await listed.read()
            tables = await connection.read_tables(program.lookup_tables)
            owner = owner_of(program, authority or key.address, sub_account, key.address)
            connection.mirror.add(owner.user)
            sender = Sender(
                program,
                connection.rpc,
                connection.warm,
                key,
                subscriptions=connection.subscriptions,
                following=following,
            )
            yield cls(
                connection,
                listed,
                sender,
                owner,
                tables=tuple(tables),
                compute_units=compute_units,
                price_micro_lamports=price_micro_lamports,
            )

    def at(self, sub_account: int) -> Self:
        """Return a trader of another sub-account of the same authority, over the same connection."""
        owner = owner_of(self.program, self.owner.authority, sub_account, self.owner.signer)
        self.connection.mirror.add(owner.user)
        other = type(self)(
            self.connection,
            self.listed,
            self.sender,
            owner,
            tables=self.tables,
            compute_units=self.compute_units,
            price_micro_lamports=self.price_micro_lamports,
        )
        other._slot = self._slot
        return other

    # ------------------------------------------------------------------- the sub-account

    async def create_user(self, name: str = "Main Account", referrer: Owner | None = None) -> Outcome:
        """Open the sub-account, and the authority's statistics where it has none."""
        self.require_authority("opening a sub-account")
        if await self.found() is not None:
            raise InvalidRequestError(f"sub-account {self.owner.sub_account_id} is open already")
        opening = accounts.initialize_user(self.program, self.owner, name, referrer=referrer)
        if await self.connection.newest(self.owner.user_stats, self._slot) is None:
            return await self.act(accounts.initialize_user_stats(self.program, self.owner), opening)
        return await self.act(opening)

    async def delete_user(self) -> Outcome:
        """Close the sub-account; it has to be empty. Its rent goes back to the authority."""
        self.require_authority("closing a sub-account")
        await self.user(fits=_require_empty)
        return await self.act(accounts.delete_user(self.program, self.owner))

    async def set_delegate(self, delegate: Pubkey | None) -> Outcome:
        """Let another key trade for the sub-account, never withdraw; ``None`` takes it away."""
        self.require_authority("setting a delegate")
        await self.user()
        return await self.act(accounts.update_user_delegate(self.program, self.owner, delegate))

    async def set_margin_ratio(self, ratio: Figure, market: int | str | None = None) -> Outcome:
        """Ask for at least this initial margin ratio (``"0.2"`` is 5 times leverage), of one position where given."""
        try:
            ratio_e4 = parse_scaled(ratio, _RATIO_DECIMALS)
        except ValueError as error:
            raise EncodeError(f"margin ratio: {error}") from None
        await self.user(fits=self.require_rights)
        if market is not None:
            index = self.directory.perp(market).index
            one = accounts.update_user_perp_position_custom_margin_ratio(self.program, self.owner, index, ratio_e4)
            return await self.act(one)
        self.require_authority("setting a margin ratio of the whole sub-account")
        return await self.act(accounts.update_user_custom_margin_ratio(self.program, self.owner, ratio_e4))

    # ------------------------------------------------------------------- tokens

    async def deposit(
        self, market: int | str, amount: Figure, *, source: Pubkey | None = None, reduce_only: bool = False
    ) -> Outcome:
        """Deposit from ``source``, or from the signer's associated token account; SOL comes from its lamports.

        ``reduce_only`` repays a borrow at most.
        """
        terms, units = self.directory.spot(market), token_amount(self.directory, market, amount)
        user = await self.user()
        wrapping = wrap_sol(self.owner.signer, units) if source is None and terms.mint == WRAPPED_SOL else []
        purse = source or token_account(self.owner.signer, terms.mint, terms.token_program)
        if not wrapping:
            await self._check_purse(terms, purse, units)
        moved = funds.deposit(
            self.program,
            self.owner,
            terms.index,
            units,
            purse,
            reduce_only=reduce_only,
            token_program=terms.token_program,
            remaining=needs.for_moving(self.directory, user, terms.index),
        )
        return await self.act(*wrapping, moved)

    async def withdraw(
        self, market: int | str, amount: Figure, *, target: Pubkey | None = None, reduce_only: bool = False
    ) -> Outcome:
        """Withdraw to ``target``, or to the authority's associated token account, opened where needed; SOL to lamports.

        Where the balance is less, it is borrowed, unless ``reduce_only``. Unwrapping turns all wrapped SOL of the
        associated account into lamports.
        """
        self.require_authority("withdrawing")
        terms, units = self.directory.spot(market), token_amount(self.directory, market, amount)
        user = await self.user()
        purse = target or token_account(self.owner.authority, terms.mint, terms.token_program)
        if target is not None:
            await self._check_purse(terms, target, 0)
        moved = funds.withdraw(
            self.program,
            self.owner,
            terms.index,
            units,
            purse,
            reduce_only=reduce_only,
            token_program=terms.token_program,
            remaining=needs.for_moving(self.directory, user, terms.index),
        )
        mine = self.owner.authority
        before = [] if target else [create_token_account(mine, mine, terms.mint, terms.token_program)]
        after = [unwrap_sol(mine)] if target is None and terms.mint == WRAPPED_SOL else []
        return await self.act(*before, *self.fresh(terms.index), moved, *after)

    async def transfer(self, market: int | str, amount: Figure, to_sub_account: int) -> Outcome:
        """Move a balance to another sub-account of the authority."""
        self.require_authority("transferring")
        if to_sub_account == self.owner.sub_account_id:
            raise InvalidRequestError(f"sub-account {to_sub_account} cannot transfer to itself: name another")
        terms, units = self.directory.spot(market), token_amount(self.directory, market, amount)
        user = await self.user()
        target = owner_of(self.program, self.owner.authority, to_sub_account)
        await self.user(target)
        rest = needs.for_moving(self.directory, user, terms.index)
        moved = funds.transfer_deposit(self.program, self.owner, target, terms.index, units, rest)
        return await self.act(*self.fresh(terms.index), moved)

    async def _check_purse(self, terms: SpotTerms, purse: Pubkey, units: int) -> None:
        info = await self.connection.rpc.get_account(purse)
        if info is None or info.owner != terms.token_program or len(info.data) < _TOKEN_ACCOUNT_BYTES:
            raise InvalidRequestError(f"{purse} is no token account of {terms.symbol}: open one and fund it first")
        self.directory.check_mint(terms.index, Pubkey.from_bytes(info.data[_MINT]))
        held = int.from_bytes(info.data[_HELD], "little")
        if held < units:
            has, needed = (show_scaled(each, terms.decimals) for each in (held, units))
            raise InvalidRequestError(f"{purse} holds {has} {terms.symbol}, and {needed} are to leave it")

    # ------------------------------------------------------------------- settling

    async def settle_pnl(self, *markets: int | str, must: bool = True) -> Outcome:
        """Turn unsettled PnL of positions into quote; of several, one that cannot be settled fails all if ``must``."""
        if not markets:
            raise InvalidRequestError("no market given: nothing to settle")
        user = await self.user()
        indexes = [self.directory.perp(market).index for market in markets]
        rest = needs.for_settling(self.directory, user, indexes)
        if len(indexes) == 1:
            one = settling.settle_pnl(self.program, self.owner, indexes[0], self.owner.signer, rest)
            return await self.act(one)
        mode = SettleMode.MUST if must else SettleMode.TRY
        every = settling.settle_multiple_pnls(self.program, self.owner, indexes, self.owner.signer, mode, rest)
        return await self.act(every)

    async def settle_funding(self) -> Outcome:
        """Settle funding of every perp position."""
        user = await self.user()
        rest = needs.for_funding(self.directory, user, free_slots=self.program.name == "drift_v2")
        return await self.act(settling.settle_funding_payment(self.program, self.owner, rest))


def _require_empty(user: User) -> None:
    if user.spot_positions() or user.perp_positions() or user.orders():
        raise InvalidRequestError(
            f"sub-account {user.sub_account_id} still has balances, positions or orders: close and withdraw them"
        )


def _several(urls: str | Sequence[str]) -> tuple[str, ...]:
    return (urls,) if isinstance(urls, str) else tuple(urls)
