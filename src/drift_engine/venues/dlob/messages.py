"""What the order book server knows, in integers: books, trades, makers, priority fees.

Perp markets only: Velocity has no spot order book (its program answers 6350), and a spot size would need its token's
decimals. Prices are 1e6, sizes base 1e9; ``slot`` is the chain's, ``ts_ms`` the server's clock.

Source: ``src/`` of the dlob-server at commit ed8eba2, of which file and function are named with each reader.
"""

from typing import Literal

from msgspec import Struct
from solders.pubkey import Pubkey

from drift_engine.venues.market_id import MarketId

Direction = Literal["long", "short"]
Side = Literal["bid", "ask"]
MAX_BOOK_AGE_MS = 3_000
MAX_BOOK_SLOTS = 20


class Level(Struct, frozen=True):
    """All that rests at one price; ``sources`` says who brings how much (``dlob``, ``vamm``, ``indicative`` …)."""

    price_e6: int
    size_e9: int
    sources: dict[str, int]


class OracleSeen(Struct, frozen=True, kw_only=True):
    """The oracle as the server saw it with a book."""

    price_e6: int
    slot: int | None
    confidence_e6: int | None
    twap_e6: int | None
    enough_data: bool | None


class Book(Struct, frozen=True, kw_only=True):
    """An aggregated book: bids from the highest, asks from the lowest. It may be crossed, and either side empty."""

    market: int
    name: str | None
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]
    slot: int | None
    market_slot: int | None
    ts_ms: int
    mark_e6: int | None
    oracle: OracleSeen | None

    def stale(
        self,
        now_ms: int,
        slot: int | None = None,
        *,
        max_age_ms: int = MAX_BOOK_AGE_MS,
        max_slots: int = MAX_BOOK_SLOTS,
    ) -> str | None:
        """Return why the book is too old to be acted on, ``None`` where it is not.

        ``slot`` is the chain's now, where it is known; a book without slot is too old wherever it is.
        """
        age_ms = now_ms - self.ts_ms
        if age_ms > max_age_ms:
            return f"the book of perp {self.market} is {age_ms} ms old (limit {max_age_ms})"
        if slot is None:
            return None
        if self.slot is None:
            return f"the book of perp {self.market} has no slot"
        behind = slot - self.slot
        if behind > max_slots:
            return f"the book of perp {self.market} is {behind} slots behind (limit {max_slots})"
        return None


class RestingOrder(Struct, frozen=True):
    """One order in the deep book; ``maker`` is the user account."""

    price_e6: int
    size_e9: int
    maker: Pubkey
    order_id: int


class DeepBook(Struct, frozen=True, kw_only=True):
    """A book order by order."""

    market: int
    bids: tuple[RestingOrder, ...]
    asks: tuple[RestingOrder, ...]
    slot: int | None
    ts_ms: int


class MakerAccount(Struct, frozen=True):
    """A maker's user account with its bytes, ``None`` where the server has none."""

    user: Pubkey
    data: bytes | None


class PriorityFees(Struct, frozen=True, kw_only=True):
    """What others pay for priority around a market, micro-lamports a compute unit, rounded up."""

    market: MarketId
    minimum: int
    low: int
    medium: int
    high: int
    very_high: int
    unsafe_max: int


class Trade(Struct, frozen=True, kw_only=True):
    """A fill between others or us, found back from the floats the server prints. ``ts`` is in seconds."""

    market: int
    base_e9: int
    quote_e6: int
    oracle_e6: int | None
    taker: str | None
    taker_order_id: int | None
    taker_direction: Direction | None
    taker_fee_e6: int | None
    maker: str | None
    maker_order_id: int | None
    maker_direction: Direction | None
    maker_fee_e6: int | None
    explanation: str | None
    fill_id: int | None
    signature: str
    slot: int
    ts: int
