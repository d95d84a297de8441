"""The port of ``core.client`` over a node: one sub-account, its plans as transactions, its events from the chain.

A plan is one transaction, all its legs or none: what rests is placed, what takes is placed and taken at once and
cancelled where it does not fill. Its signature is kept before its bytes leave; afterwards the chain alone says what
became of it. The account's events are read from its transactions, numbered once and for all in ``log``.

A sub-account belongs to one engine: its books are the sum of its whole history, and what others do with it shows as
events without a plan.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Self

from solders.instruction import Instruction

from drift_engine.core.client import UnknownEventError, VenueUnavailableError
from drift_engine.core.types import (
    AccountEvent,
    AccountObserved,
    ApprovedPlan,
    Leg,
    Market,
    PlanClosed,
    PlanStatus,
    TradePlan,
)
from drift_engine.core.units import SECOND_NS, ceil_div
from drift_engine.venues.chain_client.account_history import AccountHistory
from drift_engine.venues.chain_client.events import leg_order
from drift_engine.venues.chain_client.log import ClientLog
from drift_engine.venues.directory import QUOTE_INDEX
from drift_engine.venues.errors import VenueError
from drift_engine.venues.http import InvalidRequestError
from drift_engine.venues.instructions import fills, needs, orders
from drift_engine.venues.rpc.errors import RpcError
from drift_engine.venues.rpc.types import AccountInfo
from drift_engine.venues.trader import Trader, order_forms
from drift_engine.venues.transactions import MAX_COMPUTE_UNITS
from drift_engine.venues.transactions.sending import Expired, Failed, Landed, Outcome, Sent
from drift_engine.venues.wire.accounts import decode_as
from drift_engine.venues.wire.order_enums import IMMEDIATE_OR_CANCEL, PostOnly, SuccessCondition
from drift_engine.venues.wire.order_params import OrderParams
from drift_engine.venues.wire.user import User

_logger = logging.getLogger("drift_engine.venues")
_UNITS_A_LEG = 500_000
_LATELY = 4
"""Perp markets of plans before, which the account may hold by now though the mirror has not heard of it."""
_OBSERVATIONS = 5
_OBSERVE_AGAIN_S = 0.3


class ChainClient:
    """A ``DriftClient`` over a node. ``preflight`` has the node try each plan before it is sent on.

    ``trouble`` is one line on a plan that is followed no more, ``None`` while nothing is wrong.
    """

    def __init__(
        self, trader: Trader, log: ClientLog, *, preflight: bool = True, now: Callable[[], int] = time.time_ns
    ) -> None:
        self._trader, self._log, self._preflight, self._now = trader, log, preflight, now
        self._connection, self._listed = trader.connection, trader.listed
        self.history = AccountHistory(self._connection.rpc, self._listed, trader.owner.user, log)
        self.trouble: str | None = None
        self._following: set[asyncio.Task[Outcome]] = set()
        self._lately: deque[int] = deque(maxlen=_LATELY)

    @classmethod
    @asynccontextmanager
    async def over(cls, trader: Trader, log: Path | str, *, preflight: bool = True) -> AsyncIterator[Self]:
        """Open the port of a trader's sub-account, with its log in a file beside the journal."""
        await trader.listed.follow()
        await trader.connection.hold([trader.owner.user])
        kept = ClientLog(log, str(trader.owner.user))
        client = cls(trader, kept, preflight=preflight)
        try:
            yield client
        finally:
            await client.close()

    async def close(self) -> None:
        """Stop following what was sent (it may still land) and close the log."""
        for task in self._following:
            task.cancel()
        await asyncio.gather(*self._following, return_exceptions=True)
        self._log.close()

    @property
    def name(self) -> str:
        """The protocol's name."""
        return self._trader.program.name

    async def markets(self) -> tuple[Market, ...]:
        """Return every market as it is mirrored."""
        return self._listed.markets(self._now())

    async def place(self, approved: ApprovedPlan, now_ns: int) -> None:
        """Sign a plan, keep its signature, hand it over. What cannot be signed is closed as ``rejected``.

        Raises ``ValueError`` for a plan that was placed or closed before.
        """
        plan = approved.plan
        if self._log.knows(plan.plan_id):
            raise ValueError(f"plan {plan.plan_id} was placed before")
        try:
            sent = self._signed(plan, now_ns)
        except (VenueError, InvalidRequestError) as refusal:
            self._close(plan.plan_id, "rejected", now_ns, str(refusal))
            return
        self._log.keep(plan, sent)
        await self._hand_over(plan, sent, now_ns)

    async def cancel_all(self, now_ns: int) -> None:
        """Cancel every open order. Raises ``VenueUnavailableError`` where it is not known that they are gone."""
        del now_ns
        try:
            user = await self._trader.found(anew=True)  # the mirror hears of an order only after it is there
            outcome = await self._trader.cancel_all() if user is not None and user.orders() else None
        except (VenueError, InvalidRequestError) as refusal:
            raise VenueUnavailableError(f"the orders are not cancelled: {refusal}") from None
        if outcome is not None and not isinstance(outcome, Landed):
            raise VenueUnavailableError(f"the orders are not cancelled: {_said(outcome)}")

    async def settle_pnl(self, market: str, now_ns: int) -> str | None:
        """Settle a position's PnL; return the refusal, ``None`` when it was done.

        Raises ``VenueUnavailableError`` where nobody knows.
        """
        del now_ns
        try:
            outcome = await self._trader.settle_pnl(market)
        except (VenueError, InvalidRequestError) as refusal:
            return str(refusal)
        if isinstance(outcome, Landed):
            return None
        if isinstance(outcome, Failed):
            return outcome.name
        raise VenueUnavailableError(f"settling {market}: {_said(outcome)}")

    async def observe(self, now_ns: int) -> AccountObserved:
        """Return the account as the chain has it, and the number of its last event by then.

        Raises ``VenueUnavailableError`` where the two cannot be had of one moment.
        """
        for _ in range(_OBSERVATIONS):
            before = await self._account()
            complete = await self.history.read(now_ns, before.slot)
            newest, info = self._log.newest, await self._account()
            if complete and info.same(before) and (newest is None or newest[1] <= info.slot):
                user = decode_as(User, info.owner, info.data)
                account = self._listed.translator.account(user, self._listed.names)
                return AccountObserved(now_ns, self._log.cursor, account)
            await asyncio.sleep(_OBSERVE_AGAIN_S)
        raise VenueUnavailableError("the account changes faster than it can be read, or the node does not tell it all")

    async def _account(self) -> AccountInfo:
        user = self._trader.owner.user
        try:
            info = await self._connection.rpc.get_account(user)
        except RpcError as error:
            raise VenueUnavailableError(str(error)) from None
        if info is None:
            raise VenueUnavailableError(f"{self.name} has no account {user}")
        return info

    async def events_since(self, cursor: int, now_ns: int) -> tuple[AccountEvent, ...]:
        """Read what is new on the chain, and return the events after ``cursor``. Raises ``UnknownEventError``."""
        await self.history.read(now_ns)
        if cursor > (newest := self._log.cursor):
            raise UnknownEventError(f"event {cursor} was never told: the last is {newest}")
        return self._log.after(cursor)

    async def resolve(self, plan_id: str, now_ns: int) -> PlanClosed | None:
        """Return a plan's proven outcome, ``None`` while it may still land, or rests on the book.

        A plan that was never signed here is closed, and can be placed no more.
        """
        await self.history.read(now_ns)
        if (closed := self._log.closed(plan_id)) is not None:
            return closed
        sent = self._log.sent(plan_id)
        if sent is None:
            return self._close(plan_id, "never_landed", now_ns, "it was never signed")
        outcome = await self._trader.sender.outcome(sent)
        if isinstance(outcome, Expired):
            return self._close(plan_id, "never_landed", now_ns, "its blockhash has expired, and it is in no block")
        await self.history.read(now_ns)
        return self._log.closed(plan_id)

    # ------------------------------------------------------------------- a plan as a transaction

    def _signed(self, plan: TradePlan, now_ns: int) -> Sent:
        if now_ns >= plan.expires_ns:
            raise InvalidRequestError(f"plan {plan.plan_id} expired before it was sent")
        while True:
            sent = self._trader.sender.sign(
                self._instructions(plan),
                compute_units=min(MAX_COMPUTE_UNITS, _UNITS_A_LEG * len(plan.legs)),
                price_micro_lamports=self._trader.price_micro_lamports,
                tables=self._trader.tables,
            )
            if self._log.plan_of(str(sent.signature)) is None:
                return sent

    def _instructions(self, plan: TradePlan) -> list[Instruction]:
        program, directory, owner = self._trader.program, self._trader.directory, self._trader.owner
        user, legs = self._user(), [plan.legs[leg] for leg in leg_order(plan)]
        wanted = [self._params(leg, plan.expires_ns) for leg in legs]
        resting = [params for params in wanted if params.post_only]
        built = self._trader.fresh(QUOTE_INDEX) if len(resting) < len(wanted) else []
        others = [*(params.market_index for params in wanted), *self._lately]
        if resting:
            rest = needs.for_orders(program, directory, user, [OrderParams(market_index=each) for each in others])
            built.append(orders.place_orders(program, owner, resting, rest))
        condition = fills.success_condition(SuccessCondition.FULL_FILL) if plan.atomic else None
        for params in wanted[len(resting) :]:
            rest = needs.for_taking_beside(program, directory, user, params, others)
            built.append(fills.place_and_take_perp_order(program, owner, params, condition, rest))
        self._lately.extend(params.market_index for params in wanted if params.market_index not in self._lately)
        return built

    def _params(self, leg: Leg, expires_ns: int) -> OrderParams:
        if leg.kind != "perp":
            raise InvalidRequestError(f"{leg.market}: {self.name} trades spot by swaps, which plans cannot say yet")
        return order_forms.order(
            self._trader.directory.perp(leg.market),
            leg.base_e9,
            leg.limit_e6,
            reduce_only=leg.reduce_only,
            post_only=PostOnly.MUST if leg.post_only else PostOnly.NONE,
            bit_flags=0 if leg.post_only else IMMEDIATE_OR_CANCEL,
            max_ts=ceil_div(expires_ns, SECOND_NS),
        )

    def _user(self) -> User:
        info = self._connection.mirror.get(self._trader.owner.user)
        if info is None or not info.exists:
            raise InvalidRequestError(f"the sub-account {self._trader.owner.user} is not open")
        return decode_as(User, info.owner, info.data)

    async def _hand_over(self, plan: TradePlan, sent: Sent, now_ns: int) -> None:
        refused = await self._trader.sender.hand_over(sent, preflight=self._preflight)
        if isinstance(refused, Failed):
            self._close(plan.plan_id, "rejected", now_ns, refused.name)
            return
        task = asyncio.create_task(self._trader.sender.follow(sent, refused), name=f"plan {plan.plan_id}")
        self._following.add(task)
        task.add_done_callback(self._followed)

    def _followed(self, task: asyncio.Task[Outcome]) -> None:
        """What is in a block the account is read anew for, so that the next act stands on it.

        Following ends by a bug only: it is said, and ``resolve`` proves the plan's outcome all the same.
        """
        self._following.discard(task)
        if task.cancelled():
            return
        if (error := task.exception()) is not None:
            self.trouble = f"{task.get_name()} is followed no more: {error!r}"
            _logger.critical("%s is followed no more", task.get_name(), exc_info=error)
            return
        outcome = task.result()
        if isinstance(outcome, Landed | Failed) and outcome.slot is not None:
            self._connection.mirror.happened(self._trader.owner.user, outcome.slot)

    def _close(self, plan_id: str, status: PlanStatus, now_ns: int, reason: str) -> PlanClosed:
        closed = PlanClosed(now_ns, self._log.cursor + 1, plan_id, status, now_ns, reason)
        self._log.append([closed])
        return closed


def _said(outcome: Outcome) -> str:
    if isinstance(outcome, Failed):
        return outcome.name
    return "it expired" if isinstance(outcome, Expired) else getattr(outcome, "reason", "it landed")
