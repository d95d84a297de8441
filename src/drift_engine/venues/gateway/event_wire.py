"""Events of the gateway out of its JSON: ``{kind: fields}`` becomes a value of ``events``.

Field names are those of ``src/websocket.rs`` at commit 1008ca0.
"""

from collections.abc import Mapping
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from typing import Literal

import msgspec
from msgspec import Raw, Struct

from drift_engine.venues.figures import FigureError, exact
from drift_engine.venues.gateway.events import (
    AccountEvent,
    Fill,
    FundingSettled,
    OrderCanceled,
    OrderCancelMissing,
    OrderCreated,
    OrderExpired,
    OrderTriggered,
    Swapped,
    Unknown,
)
from drift_engine.venues.gateway.messages import OrderKind, Scales
from drift_engine.venues.http import InvalidRequestError
from drift_engine.venues.market_id import MarketId, MarketKind

_QUOTE_NOISE = Decimal("0.001")
_KINDS: Mapping[str, OrderKind] = {
    "limit": "limit",
    "market": "market",
    "oracle": "oracle",
    "triggerLimit": "trigger_limit",
    "triggerMarket": "trigger_market",
}


class _Order(Struct, rename="camel"):
    slot: int
    price: Decimal
    amount: Decimal
    filled: Decimal
    trigger_price: Decimal
    auction_start_price: Decimal
    auction_end_price: Decimal
    max_ts: int
    oracle_price_offset: Decimal
    order_id: int
    market_index: int
    order_type: str
    market_type: MarketKind
    user_order_id: int
    direction: Literal["buy", "sell"]
    reduce_only: bool
    post_only: bool
    auction_duration: int
    immediate_or_cancel: bool | None = None


class _OrderCreate(Struct, rename="camel"):
    order: _Order
    ts: int
    signature: str
    tx_idx: int

    def value(self, scales: Scales) -> OrderCreated:
        order, market = self.order, MarketId(self.order.market_type, self.order.market_index)
        decimals = scales.decimals(market)
        amount = exact(order.amount, decimals)
        return OrderCreated(
            order_id=order.order_id,
            user_order_id=order.user_order_id,
            market=market,
            decimals=decimals,
            kind=_order_kind(order.order_type),
            amount=amount if order.direction == "buy" else -amount,
            filled=exact(order.filled, decimals),
            price_e6=exact(order.price, 6),
            trigger_e6=exact(order.trigger_price, 6),
            auction_start_e6=exact(order.auction_start_price, 6),
            auction_end_e6=exact(order.auction_end_price, 6),
            auction_duration=order.auction_duration,
            oracle_offset_e6=exact(order.oracle_price_offset, 6),
            max_ts=order.max_ts,
            reduce_only=order.reduce_only,
            post_only=order.post_only,
            immediate_or_cancel=order.immediate_or_cancel,
            slot=order.slot,
            ts=self.ts,
            signature=self.signature,
            tx_idx=self.tx_idx,
        )


class _OrderCancel(Struct, rename="camel"):
    order_id: int
    ts: int
    signature: str
    tx_idx: int

    def value(self, _: Scales) -> OrderCanceled:
        return OrderCanceled(self.order_id, self.ts, self.signature, self.tx_idx)


class _OrderCancelMissing(Struct, rename="camel"):
    user_order_id: int
    order_id: int
    signature: str

    def value(self, _: Scales) -> OrderCancelMissing:
        return OrderCancelMissing(self.order_id, self.user_order_id, self.signature)


class _OrderExpire(Struct, rename="camel"):
    order_id: int
    fee: Decimal
    ts: int
    signature: str

    def value(self, _: Scales) -> OrderExpired:
        return OrderExpired(self.order_id, -exact(self.fee, 6), self.ts, self.signature)


class _Trigger(Struct, rename="camel"):
    order_id: int
    oracle_price: int

    def value(self, _: Scales) -> OrderTriggered:
        return OrderTriggered(self.order_id, self.oracle_price)


class _Fill(Struct, rename="camel"):
    side: Literal["buy", "sell"]
    fee: Decimal
    amount: Decimal
    price: Decimal
    oracle_price: Decimal
    order_id: int
    market_index: int
    market_type: MarketKind
    ts: int
    signature: str
    tx_idx: int | None = None
    maker: str | None = None
    maker_order_id: int | None = None
    maker_fee: Decimal | None = None
    taker: str | None = None
    taker_order_id: int | None = None
    taker_fee: Decimal | None = None

    def value(self, scales: Scales) -> Fill:
        market = MarketId(self.market_type, self.market_index)
        decimals = scales.decimals(market)
        amount = exact(self.amount, decimals)
        return Fill(
            order_id=self.order_id,
            market=market,
            decimals=decimals,
            amount=amount if self.side == "buy" else -amount,
            quote_e6=_quote_e6(self.price, self.amount),
            price=self.price,
            oracle_e6=exact(self.oracle_price, 6),
            fee_e6=exact(self.fee, 6),
            ts=self.ts,
            signature=self.signature,
            tx_idx=self.tx_idx,
            maker=self.maker,
            maker_order_id=self.maker_order_id,
            maker_fee_e6=_optional_e6(self.maker_fee),
            taker=self.taker,
            taker_order_id=self.taker_order_id,
            taker_fee_e6=_optional_e6(self.taker_fee),
        )


class _FundingPayment(Struct, rename="camel"):
    amount: Decimal
    market_index: int
    ts: int
    signature: str
    tx_idx: int

    def value(self, _: Scales) -> FundingSettled:
        return FundingSettled(self.market_index, exact(self.amount, 6), self.ts, self.signature, self.tx_idx)


class _Swap(Struct, rename="camel"):
    amount_in: Decimal
    amount_out: Decimal
    market_in: int
    market_out: int
    ts: int
    tx_idx: int
    signature: str

    def value(self, scales: Scales) -> Swapped:
        return Swapped(
            sold_market=self.market_in,
            sold=exact(self.amount_in, scales.decimals(MarketId("spot", self.market_in))),
            bought_market=self.market_out,
            bought=exact(self.amount_out, scales.decimals(MarketId("spot", self.market_out))),
            ts=self.ts,
            signature=self.signature,
            tx_idx=self.tx_idx,
        )


_Wire = _OrderCreate | _OrderCancel | _OrderCancelMissing | _OrderExpire | _Trigger | _Fill | _FundingPayment | _Swap
_WIRE: Mapping[str, type[_Wire]] = {
    "orderCreate": _OrderCreate,
    "orderCancel": _OrderCancel,
    "orderCancelMissing": _OrderCancelMissing,
    "orderExpire": _OrderExpire,
    "trigger": _Trigger,
    "fill": _Fill,
    "fundingPayment": _FundingPayment,
    "swap": _Swap,
}


def read_event(raw: bytes | Raw, scales: Scales) -> AccountEvent:
    """Return the event of one ``{kind: fields}``; what cannot be read comes back as ``Unknown``, with the reason."""
    try:
        fields = msgspec.json.decode(raw, type=dict[str, Raw])
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        return Unknown("", str(error), bytes(raw))
    if len(fields) != 1:
        return Unknown("", f"{len(fields)} kinds in one event", bytes(raw))
    ((kind, body),) = fields.items()
    shape = _WIRE.get(kind)
    if shape is None:
        return Unknown(kind, "no such kind is known here", bytes(raw))
    try:
        return msgspec.json.decode(body, type=shape).value(scales)
    except (msgspec.MsgspecError, FigureError, InvalidRequestError, ValueError, RecursionError) as error:
        return Unknown(kind, str(error), bytes(raw))


def _order_kind(text: str) -> OrderKind:
    kind = _KINDS.get(text)
    if kind is None:
        raise FigureError(f"{text[:40]!r} is no order type")
    return kind


def _quote_e6(price: Decimal, amount: Decimal) -> int | None:
    """Return the quote amount that ``AccountEvent::fill`` divided by the base amount to print a price."""
    with localcontext(prec=100):
        quote = price * amount * 10**6
        whole = quote.to_integral_value(ROUND_HALF_EVEN)
        return int(whole) if abs(quote - whole) < _QUOTE_NOISE else None


def _optional_e6(figure: Decimal | None) -> int | None:
    return None if figure is None else exact(figure, 6)
