"""What the gateway tells of a sub-account, on its socket and in ``GET /transactionEvent``.

Shapes are those of ``src/websocket.rs`` at commit 1008ca0; where the README differs the source holds. Signs are made
one: a fee is positive where we pay it and negative where it is a rebate (the gateway turns the sign of an expiry's
fee round, and its README has the fill's the wrong way), funding is positive where we receive it, an amount negative
where it sells. A kind nobody knows, or one that cannot be read, becomes ``Unknown``: it is surfaced, never dropped.
"""

from decimal import Decimal

from msgspec import Struct

from drift_engine.venues.gateway.messages import OrderKind
from drift_engine.venues.market_id import MarketId


class OrderCreated(Struct, frozen=True, kw_only=True):
    """An order came into the account. ``amount`` is signed; it and ``filled`` have ``decimals`` decimals."""

    order_id: int
    user_order_id: int
    market: MarketId
    decimals: int
    kind: OrderKind
    amount: int
    filled: int
    price_e6: int
    trigger_e6: int
    auction_start_e6: int
    auction_end_e6: int
    auction_duration: int
    oracle_offset_e6: int
    max_ts: int
    reduce_only: bool
    post_only: bool
    immediate_or_cancel: bool | None
    slot: int
    ts: int
    signature: str
    tx_idx: int


class OrderCanceled(Struct, frozen=True):
    """An order left the account. ``ts`` is in seconds."""

    order_id: int
    ts: int
    signature: str
    tx_idx: int


class OrderCancelMissing(Struct, frozen=True):
    """A cancel named an order that is not there: by ``order_id`` or ``user_order_id``, the other is 0."""

    order_id: int
    user_order_id: int
    signature: str


class OrderExpired(Struct, frozen=True):
    """An order passed its ``max_ts`` and was taken out, for a fee."""

    order_id: int
    fee_e6: int
    ts: int
    signature: str


class OrderTriggered(Struct, frozen=True):
    """A trigger order became active at this oracle price. The gateway does not say whose."""

    order_id: int
    oracle_e6: int


class Fill(Struct, frozen=True, kw_only=True):
    """An order of ours was filled. ``amount`` is signed, with ``decimals`` decimals; ``ts`` is in seconds.

    ``price`` is the gateway's quotient as printed, often with more digits than any scale; ``quote_e6`` is the program's
    own quote amount, found back from it, ``None`` where the print is too short for that.
    """

    order_id: int
    market: MarketId
    decimals: int
    amount: int
    quote_e6: int | None
    price: Decimal
    oracle_e6: int
    fee_e6: int
    ts: int
    signature: str
    tx_idx: int | None
    maker: str | None
    maker_order_id: int | None
    maker_fee_e6: int | None
    taker: str | None
    taker_order_id: int | None
    taker_fee_e6: int | None


class FundingSettled(Struct, frozen=True):
    """Funding was settled on a perp position; positive was received."""

    market: int
    amount_e6: int
    ts: int
    signature: str
    tx_idx: int


class Swapped(Struct, frozen=True, kw_only=True):
    """Tokens were swapped; each amount is in its own token's decimals."""

    sold_market: int
    sold: int
    bought_market: int
    bought: int
    ts: int
    signature: str
    tx_idx: int


class Unknown(Struct, frozen=True):
    """Something the gateway told that nobody here can read: its kind (``""`` where that is unreadable too) and why."""

    kind: str
    why: str
    raw: bytes


AccountEvent = (
    OrderCreated
    | OrderCanceled
    | OrderCancelMissing
    | OrderExpired
    | OrderTriggered
    | Fill
    | FundingSettled
    | Swapped
    | Unknown
)
