"""Auction parameters from the order book server: what is asked, and what comes back.

The server works out where an order's auction should begin and end from its view of book and oracle. It is advice: what
is signed is up to whoever asked. Source: ``/auctionParams`` in ``src/index.ts`` and ``mapToMarketOrderParams`` in
``src/utils/utils.ts`` of the dlob-server at commit ed8eba2.
"""

from typing import Literal

from msgspec import Struct

from drift_engine.venues.dlob.messages import Direction
from drift_engine.venues.dlob.wire import Figure, amount, maybe, whole
from drift_engine.venues.figures import U8, U16, U64, within


class AuctionQuery(Struct, frozen=True, kw_only=True):
    """What to ask auction parameters for. ``amount`` is base 1e9 or quote 1e6; ``None`` is the server's default.

    ``slippage`` is ``"dynamic"`` or percent; offsets are percent; ``start_from`` and ``end_from`` are ``mark``,
    ``oracle``, ``best``, ``bestOffer``, ``entry``, ``worst`` or, for the start, ``marketBased``.
    """

    market: int
    direction: Direction
    amount: int
    asset: Literal["base", "quote"] = "base"
    reduce_only: bool | None = None
    any_slippage: bool | None = None
    slippage: str | None = None
    oracle_order: bool | None = None
    duration: int | None = None
    start_offset: str | None = None
    end_offset: str | None = None
    start_from: str | None = None
    end_from: str | None = None
    end_buffer: str | None = None
    user_order_id: int | None = None
    force_up_to_slippage: bool | None = None
    version: int | None = None


class AuctionParams(Struct, frozen=True, kw_only=True):
    """An order with its auction, as the server would place it; ``None`` is not given."""

    market: int
    kind: str
    direction: Direction
    base_e9: int
    price_e6: int | None
    reduce_only: bool
    duration: int | None
    start_e6: int | None
    end_e6: int | None
    oracle_offset_e6: int | None
    user_order_id: int | None


class AuctionAnswer(Struct, frozen=True, kw_only=True):
    """Auction parameters and the prices behind them. ``impact`` and ``slippage`` are the server's text."""

    params: AuctionParams
    entry_e6: int
    best_e6: int
    worst_e6: int
    oracle_e6: int
    mark_e6: int
    impact: str
    slippage: str
    generated_at: str | None


class _AuctionParams(Struct, rename="camel"):
    order_type: str
    market_index: int
    direction: Direction
    base_asset_amount: Figure
    price: Figure | None = None
    reduce_only: bool = False
    auction_duration: int | None = None
    auction_start_price: Figure | None = None
    auction_end_price: Figure | None = None
    oracle_price_offset: Figure | None = None
    user_order_id: int | None = None

    def value(self) -> AuctionParams:
        return AuctionParams(
            market=self.market_index,
            kind=self.order_type,
            direction=self.direction,
            base_e9=amount(self.base_asset_amount),
            price_e6=maybe(self.price),
            reduce_only=self.reduce_only,
            duration=self.auction_duration,
            start_e6=maybe(self.auction_start_price),
            end_e6=maybe(self.auction_end_price),
            oracle_offset_e6=maybe(self.oracle_price_offset),
            user_order_id=self.user_order_id,
        )


class _Auction(Struct, rename="camel"):
    params: _AuctionParams
    entry_price: Figure
    best_price: Figure
    worst_price: Figure
    oracle_price: Figure
    mark_price: Figure
    price_impact: Figure
    slippage_tolerance: Figure
    generated_at: Figure | None = None


class WireAuction(Struct):
    """``/auctionParams`` in ``src/index.ts``."""

    data: _Auction

    def value(self) -> AuctionAnswer:
        """Return it in integers; percentages stay text."""
        data = self.data
        return AuctionAnswer(
            params=data.params.value(),
            entry_e6=whole(data.entry_price),
            best_e6=whole(data.best_price),
            worst_e6=whole(data.worst_price),
            oracle_e6=whole(data.oracle_price),
            mark_e6=whole(data.mark_price),
            impact=str(data.price_impact),
            slippage=str(data.slippage_tolerance),
            generated_at=None if data.generated_at is None else str(data.generated_at),
        )


def auction_query(asked: AuctionQuery) -> dict[str, str | int]:
    """Return the query of ``/auctionParams``. Raises ``InvalidRequestError``."""
    if asked.duration is not None:
        within(asked.duration, 0, U8, "auction duration")
    if asked.user_order_id is not None:
        within(asked.user_order_id, 0, U8, "user order id")
    fields: dict[str, object] = {
        "marketIndex": within(asked.market, 0, U16, "market index"),
        "marketType": "perp",
        "direction": asked.direction,
        "amount": within(asked.amount, 1, U64, "amount"),
        "assetType": asked.asset,
        "reduceOnly": asked.reduce_only,
        "allowInfSlippage": asked.any_slippage,
        "slippageTolerance": asked.slippage,
        "isOracleOrder": asked.oracle_order,
        "auctionDuration": asked.duration,
        "auctionStartPriceOffset": asked.start_offset,
        "auctionEndPriceOffset": asked.end_offset,
        "auctionStartPriceOffsetFrom": asked.start_from,
        "auctionEndPriceOffsetFrom": asked.end_from,
        "additionalEndPriceBuffer": asked.end_buffer,
        "userOrderId": asked.user_order_id,
        "forceUpToSlippage": asked.force_up_to_slippage,
        "version": asked.version,
    }
    return {name: query_text(value) for name, value in fields.items() if value is not None}


def query_text(value: object) -> str:
    """Return a value as a query has it: ``true``, ``12``."""
    return str(value).lower() if isinstance(value, bool) else str(value)
