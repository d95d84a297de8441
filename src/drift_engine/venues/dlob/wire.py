"""The order book server's JSON as it comes, and how it becomes the values of ``messages``.

The server writes integers as text, except where it has grouped levels or falls back, where they are numbers
(``l2WithBNToStrings`` and ``aggregatePrices`` in ``src/utils/utils.ts``, ``/l2`` in ``src/index.ts``): both are read.
Trades are binary floating point (``convertToNumber`` in ``src/publishers/tradesPublisher.ts``).
"""

from decimal import Decimal
from typing import Any

from msgspec import Struct
from solders.pubkey import Pubkey

from drift_engine.venues.dlob.messages import (
    Book,
    DeepBook,
    Direction,
    Level,
    MakerAccount,
    OracleSeen,
    PriorityFees,
    RestingOrder,
    Trade,
)
from drift_engine.venues.figures import FigureError, at_least, exact, nearest
from drift_engine.venues.market_id import MarketId, MarketKind

Figure = str | int | float
_MAX_DIGITS = 40


def whole(figure: Figure) -> int:
    """Return an integer that came as text or as a number. Raises ``FigureError`` where it is none."""
    if isinstance(figure, int):
        return figure
    text = figure if isinstance(figure, str) else repr(figure)
    if len(text) <= _MAX_DIGITS and text.isascii() and text.removeprefix("-").isdigit():
        return int(text)
    try:
        return exact(Decimal(text if text.isascii() else "NaN"), 0)
    except ArithmeticError:
        raise FigureError(f"{text[:_MAX_DIGITS]!r} is no number") from None


def amount(figure: Figure) -> int:
    """Return a price or a size. Raises ``FigureError`` where it is negative."""
    units = whole(figure)
    if units < 0:
        raise FigureError(f"{units} is negative")
    return units


class _Level(Struct):
    price: Figure
    size: Figure
    sources: dict[str, Figure] = {}

    def value(self) -> Level:
        sources = {name: amount(size) for name, size in self.sources.items()}
        return Level(amount(self.price), amount(self.size), sources)


class _Oracle(Struct, rename="camel"):
    price: Figure | None = None
    slot: Figure | None = None
    confidence: Figure | None = None
    twap: Figure | None = None
    has_sufficient_number_of_data_points: bool | None = None

    def value(self) -> OracleSeen | None:
        if self.price is None:
            return None
        return OracleSeen(
            price_e6=whole(self.price),
            slot=maybe(self.slot),
            confidence_e6=maybe(self.confidence),
            twap_e6=maybe(self.twap),
            enough_data=self.has_sufficient_number_of_data_points,
        )


class WireBook(Struct, rename="camel"):
    """An L2 book (``getL2AndSendMsg`` in ``src/dlob-subscriber/DLOBSubscriberIO.ts``)."""

    bids: list[_Level]
    asks: list[_Level]
    market_index: int
    ts: int
    market_type: Any = None  # "perp", or {"perp": {}} where the server had nothing cached
    market_name: str | None = None
    slot: int | None = None
    market_slot: int | None = None
    mark_price: Figure | None = None
    oracle_data: _Oracle | None = None

    def value(self) -> Book:
        """Return it in integers, each side sorted from its best price."""
        if self.market_type not in (None, "perp", {"perp": {}}):
            raise FigureError(f"a book of market type {self.market_type!r}")
        return Book(
            market=self.market_index,
            name=self.market_name,
            bids=tuple(sorted((level.value() for level in self.bids), key=lambda level: -level.price_e6)),
            asks=tuple(sorted((level.value() for level in self.asks), key=lambda level: level.price_e6)),
            slot=self.slot,
            market_slot=self.market_slot,
            ts_ms=self.ts,
            mark_e6=maybe(self.mark_price),
            oracle=self.oracle_data.value() if self.oracle_data else None,
        )


class WireBooks(Struct):
    """``/batchL2``."""

    l2s: list[WireBook]


class _Resting(Struct, rename="camel"):
    price: Figure
    size: Figure
    maker: str
    order_id: Figure

    def value(self) -> RestingOrder:
        return RestingOrder(
            amount(self.price), amount(self.size), Pubkey.from_string(self.maker), amount(self.order_id)
        )


class WireDeepBook(Struct, rename="camel"):
    """An L3 book (``getL3AndSendMsg``)."""

    bids: list[_Resting]
    asks: list[_Resting]
    market_index: int
    ts: int
    slot: int | None = None

    def value(self) -> DeepBook:
        """Return it in integers."""
        return DeepBook(
            market=self.market_index,
            bids=tuple(order.value() for order in self.bids),
            asks=tuple(order.value() for order in self.asks),
            slot=self.slot,
            ts_ms=self.ts,
        )


class WireMaker(Struct, rename="camel"):
    """A maker with its account (``getRawAccountFromId``)."""

    user_account_pub_key: str
    account_base64: bytes | None = None

    def value(self) -> MakerAccount:
        """Return it with its key."""
        return MakerAccount(Pubkey.from_string(self.user_account_pub_key), self.account_base64)


class WireFees(Struct, rename="camel"):
    """``/priorityFees``: Helius' levels; the index is text in a single answer and a number in a batch."""

    min: Decimal | None = None
    low: Decimal | None = None
    medium: Decimal | None = None
    high: Decimal | None = None
    very_high: Decimal | None = None
    unsafe_max: Decimal | None = None

    def value(self, market: MarketId) -> PriorityFees | None:
        """Return the levels, ``None`` where the server has none for the market."""
        levels = [self.min, self.low, self.medium, self.high, self.very_high, self.unsafe_max]
        known = [at_least(level, 0) for level in levels if level is not None]
        if not known:
            return None
        if len(known) < len(levels) or min(known) < 0:
            raise FigureError("priority fees with a level missing or negative")
        minimum, low, medium, high, very_high, unsafe = known
        return PriorityFees(
            market=market, minimum=minimum, low=low, medium=medium, high=high, very_high=very_high, unsafe_max=unsafe
        )


class WireMarketFees(WireFees, rename="camel"):
    """Fees that say which market they are of."""

    market_type: MarketKind = "perp"
    market_index: Figure = 0

    def of(self) -> MarketId:
        """Return the market."""
        return MarketId(self.market_type, amount(self.market_index))


class WireTrade(Struct, rename="camel"):
    """A fill (``FillEvent`` in ``src/publishers/tradesPublisher.ts``)."""

    ts: int
    market_index: int
    market_type: MarketKind
    base_asset_amount_filled: Decimal
    quote_asset_amount_filled: Decimal
    tx_sig: str
    slot: int
    oracle_price: Decimal | None = None
    taker: str | None = None
    taker_order_id: int | None = None
    taker_order_direction: Direction | None = None
    taker_fee: Decimal | None = None
    maker: str | None = None
    maker_order_id: int | None = None
    maker_order_direction: Direction | None = None
    maker_fee: Decimal | None = None
    action_explanation: str | None = None
    fill_record_id: int | None = None

    def value(self) -> Trade:
        """Return it in integers."""
        if self.market_type != "perp":
            raise FigureError("a spot trade, whose size has decimals not known here")
        return Trade(
            market=self.market_index,
            base_e9=nearest(self.base_asset_amount_filled, 9),
            quote_e6=nearest(self.quote_asset_amount_filled, 6),
            oracle_e6=_near_e6(self.oracle_price),
            taker=self.taker,
            taker_order_id=self.taker_order_id,
            taker_direction=self.taker_order_direction,
            taker_fee_e6=_near_e6(self.taker_fee),
            maker=self.maker,
            maker_order_id=self.maker_order_id,
            maker_direction=self.maker_order_direction,
            maker_fee_e6=_near_e6(self.maker_fee),
            explanation=self.action_explanation,
            fill_id=self.fill_record_id,
            signature=self.tx_sig,
            slot=self.slot,
            ts=self.ts,
        )


def maybe(figure: Figure | None) -> int | None:
    """Return an integer that may be absent."""
    return None if figure is None else whole(figure)


def _near_e6(figure: Decimal | None) -> int | None:
    return None if figure is None else nearest(figure, 6)
