"""The gateway's JSON as it comes, and how it becomes the values of ``messages``.

Field names are those of ``src/types.rs`` at commit 1008ca0. A figure that is no exact number of its units raises
``FigureError``; ``Gateway`` tells it as a malformed answer.
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Literal

from msgspec import Raw, Struct, field
from solders.pubkey import Pubkey
from solders.signature import Signature

from drift_engine.venues.figures import exact
from drift_engine.venues.gateway.messages import (
    Collateral,
    Holdings,
    MarginInfo,
    MarketInfo,
    OpenOrder,
    OrderKind,
    PerpHolding,
    PositionInfo,
    Scales,
    SolBalance,
    SpotHolding,
    SwiftOutcome,
    SwiftResult,
)
from drift_engine.venues.market_id import MarketId, MarketKind

_OUTCOMES: Mapping[str, SwiftOutcome] = {"2": "accepted", "4": "refused"}
_PROGRAM_ERROR = re.compile(r"program error: *([0-9]{1,10})\b")


class WireError(Struct):
    """``{code, reason}``; ``code`` is HTTP's status or the program's error."""

    code: int
    reason: str


class WireMarket(Struct, rename="camel"):
    """A row of ``GET /markets``; the ratios are absent for spot."""

    market_index: int
    symbol: str
    price_step: Decimal
    amount_step: Decimal
    min_order_size: Decimal
    initial_margin_ratio: Decimal | None = None
    maintenance_margin_ratio: Decimal | None = None

    def value(self, kind: MarketKind) -> MarketInfo:
        """Return it in integers where the scale is known."""
        return MarketInfo(
            market=MarketId(kind, self.market_index),
            symbol=self.symbol.rstrip(),
            tick_e6=exact(self.price_step, 6),
            step=self.amount_step,
            minimum=self.min_order_size,
            initial_e4=_optional(self.initial_margin_ratio, 4),
            maintenance_e4=_optional(self.maintenance_margin_ratio, 4),
        )


class WireMarkets(Struct):
    """``GET /markets``."""

    spot: list[WireMarket]
    perp: list[WireMarket]

    def value(self) -> tuple[MarketInfo, ...]:
        """Return all markets, perps first."""
        return (*(row.value("perp") for row in self.perp), *(row.value("spot") for row in self.spot))


class WireOpenInterest(Struct, rename="camel"):
    """``GET /marketInfo/{index}``: whole base units."""

    open_interest: int
    max_open_interest: int


class WireOrder(Struct, rename="camel"):
    """An order of ``GET /orders``: the amount is signed."""

    order_type: OrderKind
    market_index: int
    market_type: MarketKind
    amount: Decimal
    filled: Decimal
    price: Decimal
    post_only: bool
    reduce_only: bool
    user_order_id: int
    order_id: int
    immediate_or_cancel: bool | None = None
    oracle_price_offset: Decimal = Decimal(0)

    def value(self, scales: Scales) -> OpenOrder:
        """Return it in integers."""
        market = MarketId(self.market_type, self.market_index)
        decimals = scales.decimals(market)
        return OpenOrder(
            market=market,
            decimals=decimals,
            order_id=self.order_id,
            user_order_id=self.user_order_id,
            kind=self.order_type,
            amount=exact(self.amount, decimals),
            filled=exact(self.filled, decimals),
            price_e6=exact(self.price, 6),
            post_only=self.post_only,
            reduce_only=self.reduce_only,
            immediate_or_cancel=self.immediate_or_cancel,
            oracle_offset_e6=exact(self.oracle_price_offset, 6),
        )


class WireOrders(Struct):
    """``GET /orders``."""

    orders: list[WireOrder]


class WireSpot(Struct, rename="camel"):
    """A spot position: the amount has no sign, ``type`` says which way."""

    amount: Decimal
    market_index: int
    kind: Literal["deposit", "borrow"] = field(name="type")

    def value(self, scales: Scales) -> SpotHolding:
        """Return it in the token's units, negative where borrowed."""
        decimals = scales.decimals(MarketId("spot", self.market_index))
        tokens = exact(self.amount, decimals)
        return SpotHolding(self.market_index, tokens if self.kind == "deposit" else -tokens, decimals)


class WirePerp(Struct, rename="camel"):
    """A perp position."""

    amount: Decimal
    average_entry: Decimal
    market_index: int

    def value(self) -> PerpHolding:
        """Return it in integers."""
        return PerpHolding(self.market_index, exact(self.amount, 9), exact(self.average_entry, 6))


class WirePositions(Struct):
    """``GET /positions``."""

    spot: list[WireSpot]
    perp: list[WirePerp]

    def value(self, scales: Scales) -> Holdings:
        """Return it in integers."""
        return Holdings(tuple(row.value(scales) for row in self.spot), tuple(row.value() for row in self.perp))


class WirePositionInfo(WirePerp, rename="camel"):
    """``GET /positionInfo/{index}``."""

    liquidation_price: Decimal
    unrealized_pnl: Decimal
    unsettled_pnl: Decimal
    oracle_price: Decimal

    def info(self) -> PositionInfo:
        """Return it in integers."""
        return PositionInfo(
            market=self.market_index,
            base_e9=exact(self.amount, 9),
            entry_e6=exact(self.average_entry, 6),
            liquidation_e6=exact(self.liquidation_price, 6),
            unrealized_e6=exact(self.unrealized_pnl, 6),
            unsettled_e6=exact(self.unsettled_pnl, 6),
            oracle_e6=exact(self.oracle_price, 6),
        )


class WireMargin(Struct):
    """``GET /user/marginInfo``."""

    initial: Decimal
    maintenance: Decimal

    def value(self) -> MarginInfo:
        """Return it in integers."""
        return MarginInfo(exact(self.initial, 6), exact(self.maintenance, 6))


class WireCollateral(Struct):
    """``GET /collateral``."""

    total: Decimal
    free: Decimal

    def value(self) -> Collateral:
        """Return it in integers."""
        return Collateral(exact(self.total, 6), exact(self.free, 6))


class WireLeverage(Struct):
    """``GET /leverage``."""

    leverage: Decimal


class WireBalance(Struct):
    """``GET /balance``, in SOL."""

    balance: Decimal
    pubkey: str

    def value(self) -> SolBalance:
        """Return it in lamports."""
        return SolBalance(Pubkey.from_string(self.pubkey), exact(self.balance, 9))


class WireAuthority(Struct):
    """``GET /authority``."""

    pubkey: str


class WireTransaction(Struct):
    """A transaction that was sent. The swaps are documented with ``signature``, and answer ``tx``."""

    tx: str | None = None
    signature: str | None = None

    def value(self) -> Signature:
        """Return the signature. Raises ``ValueError`` where there is none."""
        return Signature.from_string(self.tx or self.signature or "")


class WireSwiftResult(Struct):
    """One order handed on to the swift server; ``error`` holds the answer's body also where it went well."""

    hash: str
    status: str
    error: str | None = None

    def value(self) -> SwiftResult:
        """Return it classified by its status: ``200 OK``, ``400 Bad Request``, or 500 where nobody knows."""
        outcome = _OUTCOMES.get(self.status[:1], "unknown")
        return SwiftResult(self.hash, outcome, self.status, self.error or "")


class WireSwiftResults(Struct):
    """``POST /orders`` with ``placeOrderType: swift``."""

    results: list[WireSwiftResult]


class WireTransactionEvents(Struct):
    """``GET /transactionEvent/{signature}``; ``error`` is there where the transaction failed."""

    events: list[Raw]
    success: bool
    error: str | None = None


def program_error(text: str) -> int | None:
    """Return the program's code in the gateway's words (``program error: 6015``), ``None`` where there is none."""
    found = _PROGRAM_ERROR.search(text)
    return int(found[1]) if found else None


def _optional(figure: Decimal | None, decimals: int) -> int | None:
    return None if figure is None else exact(figure, decimals)
