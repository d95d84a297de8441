"""What the gateway knows of the account and the markets: its HTTP requests that change nothing.

Source: ``src/main.rs`` and ``src/controller.rs`` of the gateway at commit 1008ca0.
"""

from collections.abc import Mapping
from typing import TypeVar

import aiohttp
from msgspec import Struct
from solders.pubkey import Pubkey
from solders.signature import Signature

from drift_engine.venues.figures import U16, exact, within
from drift_engine.venues.gateway.event_wire import read_event
from drift_engine.venues.gateway.events import AccountEvent
from drift_engine.venues.gateway.messages import (
    Collateral,
    GatewayRefusedError,
    Holdings,
    MarginInfo,
    MarketInfo,
    OpenInterest,
    OpenOrder,
    PositionInfo,
    ProgramRefusedError,
    Scales,
    SendOptions,
    SolBalance,
)
from drift_engine.venues.gateway.requests import Json, market_json, query
from drift_engine.venues.gateway.wire import (
    WireAuthority,
    WireBalance,
    WireCollateral,
    WireError,
    WireLeverage,
    WireMargin,
    WireMarkets,
    WireOpenInterest,
    WireOrders,
    WirePositionInfo,
    WirePositions,
    WireTransactionEvents,
    program_error,
)
from drift_engine.venues.http import DEFAULT_TIMEOUT_S, Answer, HttpService, MalformedAnswerError, NotFoundError
from drift_engine.venues.market_id import MarketId

W = TypeVar("W")
DEFAULT_URL = "http://127.0.0.1:8080"
_PREFIX = "/v2"


class TransactionEvents(Struct, frozen=True, kw_only=True):
    """A confirmed transaction: whether it went well, what it did to the sub-account, and the program's error if not."""

    success: bool
    events: tuple[AccountEvent, ...]
    error: str | None
    program_code: int | None


class GatewayReader(HttpService):
    """What a gateway knows. ``spot_decimals`` are the decimals of the tokens traded, by spot market index."""

    def __init__(
        self,
        base_url: str = DEFAULT_URL,
        *,
        spot_decimals: Mapping[int, int] | None = None,
        timeout_s: float = DEFAULT_TIMEOUT_S,
        session: aiohttp.ClientSession | None = None,
    ) -> None:
        super().__init__(base_url, name="gateway", timeout_s=timeout_s, session=session)
        self.scales = Scales(spot_decimals or {})
        self.known_markets: frozenset[MarketId] | None = None

    async def markets(self) -> tuple[MarketInfo, ...]:
        """Return every market the gateway knows; from now on these are the markets that orders may name."""
        found = self.convert(await self._get("/markets", WireMarkets), WireMarkets.value)
        self.known_markets = frozenset(each.market for each in found)
        return found

    async def open_interest(self, perp_market: int) -> OpenInterest:
        """Return a perp market's open interest and its limit."""
        wire = await self._get(f"/marketInfo/{within(perp_market, 0, U16, 'market index')}", WireOpenInterest)
        return OpenInterest(wire.open_interest, wire.max_open_interest)

    async def orders(self, market: MarketId | None = None, *, sub_account: int | None = None) -> tuple[OpenOrder, ...]:
        """Return the open orders of a sub-account, of one market if given."""
        wire = await self._get("/orders", WireOrders, sub_account, market)
        return self.convert(wire, lambda found: tuple(order.value(self.scales) for order in found.orders))

    async def positions(self, market: MarketId | None = None, *, sub_account: int | None = None) -> Holdings:
        """Return the positions of a sub-account, of one market if given."""
        wire = await self._get("/positions", WirePositions, sub_account, market)
        return self.convert(wire, lambda found: found.value(self.scales))

    async def position_info(self, perp_market: int, *, sub_account: int | None = None) -> PositionInfo | None:
        """Return one perp position with its liquidation price and PnL, ``None`` where there is none."""
        path = f"/positionInfo/{within(perp_market, 0, U16, 'market index')}"
        try:
            wire = await self._get(path, WirePositionInfo, sub_account)
        except GatewayRefusedError as refusal:
            if refusal.reason == "no position":
                return None
            raise
        return self.convert(wire, WirePositionInfo.info)

    async def margin_info(self, *, sub_account: int | None = None) -> MarginInfo:
        """Return the margin requirements of a sub-account."""
        return self.convert(await self._get("/user/marginInfo", WireMargin, sub_account), WireMargin.value)

    async def collateral(self, *, sub_account: int | None = None) -> Collateral:
        """Return the maintenance collateral of a sub-account."""
        return self.convert(await self._get("/collateral", WireCollateral, sub_account), WireCollateral.value)

    async def leverage_e6(self, *, sub_account: int | None = None) -> int:
        """Return the leverage of a sub-account, 1e6."""
        wire = await self._get("/leverage", WireLeverage, sub_account)
        return self.convert(wire, lambda found: exact(found.leverage, 6))

    async def balance(self) -> SolBalance:
        """Return the lamports of the gateway's authority."""
        return self.convert(await self._get("/balance", WireBalance), WireBalance.value)

    async def authority(self) -> Pubkey:
        """Return the authority the gateway acts for."""
        wire = await self._get("/authority", WireAuthority)
        return self.convert(wire, lambda found: Pubkey.from_string(found.pubkey))

    async def transaction(self, signature: Signature, *, sub_account: int | None = None) -> TransactionEvents | None:
        """Return what a transaction did to a sub-account, ``None`` while it is not confirmed (which proves nothing)."""
        try:
            wire = await self._get(f"/transactionEvent/{signature}", WireTransactionEvents, sub_account)
        except NotFoundError as refusal:
            if refusal.reason.startswith("tx not found"):
                return None
            raise
        return TransactionEvents(
            success=wire.success,
            events=tuple(read_event(event, self.scales) for event in wire.events),
            error=wire.error,
            program_code=program_error(wire.error or ""),
        )

    async def _get(self, path: str, kind: type[W], sub_account: int | None = None, market: MarketId | None = None) -> W:
        body = None if market is None else market_json(market)
        return self.read_as(await self.call("GET", path, body, query(SendOptions(sub_account=sub_account))), kind)

    async def call(self, method: str, path: str, body: Json | None, asked: Mapping[str, int]) -> Answer:
        """Ask the gateway once."""
        return await self.request(method, _PREFIX + path, query=asked, body=body)

    def read_as(self, answer: Answer, kind: type[W]) -> W:
        """Return a good answer as a value of ``kind``; raise the error of any other."""
        if answer.status == 200:
            return self.decode(answer.body, kind)
        raise self._gateway_refusal(answer)

    def _gateway_refusal(self, answer: Answer) -> Exception:
        try:
            told = self.decode(answer.body, WireError)
        except MalformedAnswerError:
            return self.refusal(answer)
        if answer.status != 400:
            return self.refusal(answer, told.reason)
        kind = GatewayRefusedError if told.code == 400 else ProgramRefusedError
        return kind(answer.status, told.code, self.clean(told.reason))
