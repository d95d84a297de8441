"""The port of ``core.client`` over a self-hosted gateway: it sends, and says how far a send can be proven.

A gateway (Drift v2 only) signs and broadcasts by itself, so a plan's signature is known when it answers, not before:
a send whose answer is lost stays unknown for good. It cannot make a taking order cancel what does not fill, nor hold
legs together; it shows no scaled balances, no weights and no settlements, and repeats no events. What would have to be
guessed from it is refused with ``GatewayCannotError``; a node's client (``chain_client``) can tell it.
"""

from typing import NoReturn

from drift_engine.core.client import VenueUnavailableError
from drift_engine.core.types import (
    AccountEvent,
    AccountObserved,
    ApprovedPlan,
    Leg,
    Market,
    PlanClosed,
    TradePlan,
)
from drift_engine.core.units import SECOND_NS, ceil_div
from drift_engine.venues.chain_client.log import ClientLog
from drift_engine.venues.errors import VenueError
from drift_engine.venues.gateway.gateway import Gateway
from drift_engine.venues.gateway.messages import CancelAll, PlaceOrder, SendOptions
from drift_engine.venues.http import InvalidRequestError, RefusedError, UnreachableError
from drift_engine.venues.market_id import MarketId
from drift_engine.venues.transactions.sending import Sent

_NAME = "drift_v2"


class GatewayCannotError(VenueError):
    """What is asked for cannot be known or done through a gateway."""


class GatewayClient:
    """A ``DriftClient`` over a gateway, as far as it goes. ``log`` keeps which plan is which transaction."""

    def __init__(self, gateway: Gateway, log: ClientLog, *, sub_account: int = 0) -> None:
        self._gateway, self._log = gateway, log
        self._options = SendOptions(sub_account=sub_account)
        self._indexes: dict[str, MarketId] = {}
        self._sending: set[str] = set()

    @property
    def name(self) -> str:
        """The protocol's name."""
        return _NAME

    async def markets(self) -> tuple[Market, ...]:
        """Refuse: a gateway shows no oracle price, weights or interest."""
        _cannot("tell a market's prices and weights")

    async def place(self, approved: ApprovedPlan, now_ns: int) -> None:
        """Hand a plan's resting orders to the gateway; what it cannot carry is closed as ``rejected``.

        Raises ``VenueUnavailableError`` where nobody knows whether it was sent, and ``ValueError`` for a plan that was
        placed before.
        """
        plan = approved.plan
        if plan.plan_id in self._sending or self._log.knows(plan.plan_id):
            raise ValueError(f"plan {plan.plan_id} was placed before")
        self._sending.add(plan.plan_id)
        try:
            orders = await self._orders(plan)
            signature = await self._gateway.place(orders, self._options)
        except (GatewayCannotError, InvalidRequestError, RefusedError, UnreachableError) as refusal:
            self._rejected(plan.plan_id, now_ns, str(refusal))
            return
        self._log.keep(plan, Sent(signature, 0))

    async def cancel_all(self, now_ns: int) -> None:
        """Send a cancel of every order. Raises ``VenueUnavailableError`` where it is not known to be sent."""
        del now_ns
        try:
            await self._gateway.cancel(CancelAll(), self._options)
        except (RefusedError, InvalidRequestError) as refusal:
            raise VenueUnavailableError(f"the orders are not cancelled: {refusal}") from None

    async def settle_pnl(self, market: str, now_ns: int) -> str | None:
        """Refuse: a gateway has no settling."""
        _cannot("settle PnL")

    async def observe(self, now_ns: int) -> AccountObserved:
        """Refuse: a gateway rounds entry prices and shows token amounts without their scaled balances."""
        _cannot("tell the account's books to the unit")

    async def events_since(self, cursor: int, now_ns: int) -> tuple[AccountEvent, ...]:
        """Refuse: a gateway repeats nothing, and tells of no deposits and settlements."""
        _cannot("tell what was missed")

    async def resolve(self, plan_id: str, now_ns: int) -> PlanClosed | None:
        """Return a plan's outcome where it is proven that it did nothing; ``None`` for all else.

        A plan that landed may rest on the book, and one whose answer was lost may have landed.
        """
        if (closed := self._log.closed(plan_id)) is not None:
            return closed
        sent = self._log.sent(plan_id)
        if sent is None:
            return None
        try:
            found = await self._gateway.transaction(sent.signature, sub_account=self._options.sub_account)
        except RefusedError as refusal:
            raise VenueUnavailableError(str(refusal)) from None
        if found is None or found.success:
            return None
        return self._rejected(plan_id, now_ns, found.error or "the transaction failed")

    async def _orders(self, plan: TradePlan) -> list[PlaceOrder]:
        if plan.atomic and len(plan.legs) > 1:
            _cannot("hold the legs of a plan together")
        if not self._indexes:
            self._indexes = {info.symbol.strip(): info.market for info in await self._gateway.markets()}
        return [self._order(leg, plan.expires_ns) for leg in plan.legs]

    def _order(self, leg: Leg, expires_ns: int) -> PlaceOrder:
        market = self._indexes.get(leg.market)
        if market is None or leg.kind != "perp":
            raise InvalidRequestError(
                f"{leg.market} is no perp market of the gateway: it has {', '.join(self._indexes)}"
            )
        if not leg.post_only:
            _cannot("cancel what a taking order leaves")
        return PlaceOrder(
            market=market,
            amount=leg.base_e9,
            price_e6=leg.limit_e6,
            post_only=True,
            reduce_only=leg.reduce_only,
            max_ts=ceil_div(expires_ns, SECOND_NS),
        )

    def _rejected(self, plan_id: str, now_ns: int, reason: str) -> PlanClosed:
        closed = PlanClosed(now_ns, self._log.cursor + 1, plan_id, "rejected", now_ns, reason)
        self._log.append([closed])
        return closed


def _cannot(what: str) -> NoReturn:
    raise GatewayCannotError(f"a gateway cannot {what}: use a node (chain_client) for it")
