"""The self-hosted Drift gateway over HTTP: a second way to the venue, for those who run one.

A request is checked before it leaves (``requests``), sent once, and answered by integers or by one error; who
handles ``VenueUnavailableError`` as *unknown* is right (see ``http``). What sends a transaction returns its signature:
sent is not landed, ``transaction`` or the event stream tells that. The gateway itself goes on broadcasting a
transaction until its time to live ends.

The gateway serves Drift v2 alone; none exists for Velocity. Source: ``src/main.rs`` and ``src/controller.rs`` of the
gateway at commit 1008ca0.
"""

from collections.abc import Sequence
from typing import TypeVar

from solders.signature import Signature

from drift_engine.venues.gateway.messages import (
    Cancel,
    CancelMarket,
    ModifyOrder,
    PlaceOrder,
    SendOptions,
    SwapOrder,
    SwiftResult,
)
from drift_engine.venues.gateway.reads import GatewayReader
from drift_engine.venues.gateway.requests import (
    Json,
    cancel_json,
    leverage_json,
    modifies_json,
    places_json,
    query,
    swap_json,
)
from drift_engine.venues.gateway.wire import WireSwiftResults, WireTransaction
from drift_engine.venues.http import InvalidRequestError, MalformedAnswerError
from drift_engine.venues.market_id import MarketId

S = TypeVar("S")
_BY_GATEWAY = SendOptions()


class Gateway(GatewayReader):
    """One gateway: what ``GatewayReader`` reads, and what moves orders, leverage and tokens."""

    async def place(self, orders: Sequence[PlaceOrder], options: SendOptions = _BY_GATEWAY) -> Signature:
        """Send orders in one transaction and return its signature."""
        body = places_json(_some(orders, "orders"), self.scales)
        await self._check_markets([order.market for order in orders])
        return await self._send("POST", "/orders", body, options)

    async def place_swift(
        self, orders: Sequence[PlaceOrder], options: SendOptions = _BY_GATEWAY
    ) -> tuple[SwiftResult, ...]:
        """Hand orders to the swift server as signed messages, each on its own; return what became of each."""
        body = places_json(_some(orders, "orders"), self.scales, "swift")
        await self._check_markets([order.market for order in orders])
        wire = self.read_as(await self.call("POST", "/orders", body, query(options)), WireSwiftResults)
        if len(wire.results) != len(orders):
            raise MalformedAnswerError(f"gateway: {len(wire.results)} results for {len(orders)} orders")
        return tuple(result.value() for result in wire.results)

    async def modify(self, changes: Sequence[ModifyOrder], options: SendOptions = _BY_GATEWAY) -> Signature:
        """Change orders in one transaction and return its signature."""
        body = modifies_json(_some(changes, "changes"), self.scales)
        await self._check_markets([change.market for change in changes])
        return await self._send("PATCH", "/orders", body, options)

    async def cancel(self, cancel: Cancel, options: SendOptions = _BY_GATEWAY) -> Signature:
        """Cancel orders in one transaction and return its signature."""
        body = cancel_json(cancel)
        await self._check_markets(_named(cancel))
        return await self._send("DELETE", "/orders", body or None, options)

    async def cancel_and_place(
        self,
        cancel: Cancel,
        place: Sequence[PlaceOrder],
        modify: Sequence[ModifyOrder] = (),
        options: SendOptions = _BY_GATEWAY,
    ) -> Signature:
        """Cancel, change and place in one transaction: all of it happens or nothing. There is always a cancel."""
        body: Json = {
            "cancel": cancel_json(cancel),
            "modify": modifies_json(modify, self.scales),
            "place": places_json(_some(place, "orders"), self.scales),
        }
        await self._check_markets(
            [*_named(cancel), *(order.market for order in place), *(change.market for change in modify)]
        )
        return await self._send("POST", "/orders/cancelAndPlace", body, options)

    async def set_leverage(self, leverage: str, options: SendOptions = _BY_GATEWAY) -> Signature:
        """Set the sub-account's highest leverage (``"2"``), and return the transaction's signature."""
        return await self._send("POST", "/leverage", leverage_json(leverage), options)

    async def swap(self, swap: SwapOrder, options: SendOptions = _BY_GATEWAY) -> Signature:
        """Swap tokens over Jupiter's routes; the gateway needs a key of Jupiter's for it."""
        return await self._swap("/swap", swap, options)

    async def titan_swap(self, swap: SwapOrder, options: SendOptions = _BY_GATEWAY) -> Signature:
        """Swap tokens over Titan's routes; the gateway needs a token of Titan's for it."""
        return await self._swap("/titan-swap", swap, options)

    async def _swap(self, path: str, swap: SwapOrder, options: SendOptions) -> Signature:
        body = swap_json(swap, self.scales)
        await self._check_markets([MarketId("spot", swap.sell_market), MarketId("spot", swap.buy_market)])
        return await self._send("POST", path, body, options)

    async def _check_markets(self, markets: Sequence[MarketId]) -> None:
        """Refuse a market the gateway does not list, before anything is sent."""
        if markets and self.known_markets is None:
            await self.markets()
        for market in markets:
            if market not in (self.known_markets or ()):
                raise InvalidRequestError(f"{market} is not among the gateway's markets: markets() lists them")

    async def _send(self, method: str, path: str, body: Json | None, options: SendOptions) -> Signature:
        wire = self.read_as(await self.call(method, path, body, query(options)), WireTransaction)
        return self.convert(wire, WireTransaction.value)


def _some(items: Sequence[S], what: str) -> Sequence[S]:
    if not items:
        raise InvalidRequestError(f"no {what} given: nothing to send")
    return items


def _named(cancel: Cancel) -> list[MarketId]:
    return [cancel.market] if isinstance(cancel, CancelMarket) else []
