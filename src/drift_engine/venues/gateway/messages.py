"""What the gateway is asked and what it answers, in integers.

Amounts are signed (negative sells) and counted in the market's own decimals: nine for a perp, the token's for spot,
which the gateway does not tell: ``Scales`` holds them. Prices, quote amounts, fees and ratios are 1e6 unless the name
says otherwise. Shapes: ``src/types.rs`` of the gateway at commit 1008ca0.

Nothing here talks to anybody.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Literal

from msgspec import Struct
from solders.pubkey import Pubkey

from drift_engine.venues.figures import parse
from drift_engine.venues.http import InvalidRequestError, RefusedError
from drift_engine.venues.market_id import MarketId

OrderKind = Literal["limit", "market", "oracle", "trigger_limit", "trigger_market"]
TriggerCondition = Literal["Above", "Below", "TriggeredAbove", "TriggeredBelow"]
SwiftOutcome = Literal["accepted", "refused", "unknown"]
PERP_DECIMALS = 9


class GatewayRefusedError(RefusedError):
    """The gateway refused a request: ``code`` and ``reason`` are its own, ``status`` is HTTP's."""

    def __init__(self, status: int, code: int, reason: str) -> None:
        super().__init__("gateway", status, reason)
        self.code = code


class ProgramRefusedError(GatewayRefusedError):
    """A transaction failed in its preflight: ``code`` is the program's error, ``reason`` its name. Nothing landed."""


class Scales(Struct, frozen=True):
    """How many decimals a market's amounts have. ``spot_decimals`` are the tokens', by spot market index."""

    spot_decimals: Mapping[int, int] = {}

    def decimals(self, market: MarketId) -> int:
        """Return a market's decimals. Raises ``InvalidRequestError`` for a spot market nobody told of."""
        if market.kind == "perp":
            return PERP_DECIMALS
        known = self.spot_decimals.get(market.index)
        if known is None:
            raise InvalidRequestError(
                f"the decimals of {market} are not known: give spot_decimals={{{market.index}: …}}"
            )
        return known

    def amount(self, market: MarketId, text: str) -> int:
        """Return a person's amount (``"-1.5"``) in the market's units. Raises ``InvalidRequestError``."""
        return parse(text, self.decimals(market), f"amount in {market}")


def price_e6(text: str) -> int:
    """Return a person's price (``"80.25"``) in 1e6. Raises ``InvalidRequestError`` where digits would be lost."""
    return parse(text, 6, "price")


class PlaceOrder(Struct, frozen=True, kw_only=True):
    """One order. ``amount`` is signed and in the market's decimals; prices are 1e6.

    ``oracle_offset_e6`` makes a price that floats with the oracle: the gateway ignores ``price_e6`` then, so giving
    both is refused, and it cuts the offset to 32 bits. ``auction_duration`` ``None`` lets the gateway choose 20.
    ``user_order_id`` 0 is none. ``max_ts`` is in seconds since 1970.
    """

    market: MarketId
    amount: int
    kind: OrderKind = "limit"
    price_e6: int = 0
    post_only: bool = False
    reduce_only: bool = False
    user_order_id: int = 0
    oracle_offset_e6: int | None = None
    max_ts: int | None = None
    trigger_price_e6: int | None = None
    trigger_condition: TriggerCondition | None = None
    auction_duration: int | None = None
    auction_start_e6: int | None = None
    auction_end_e6: int | None = None


class ModifyOrder(Struct, frozen=True, kw_only=True):
    """A change of one order, named by ``order_id`` or by ``user_order_id``; ``None`` leaves a field as it is.

    On chain it is a cancel and a new order with a new id.
    """

    market: MarketId
    order_id: int | None = None
    user_order_id: int | None = None
    amount: int | None = None
    price_e6: int | None = None
    reduce_only: bool | None = None
    oracle_offset_e6: int | None = None
    max_ts: int | None = None


class CancelMarket(Struct, frozen=True):
    """Cancel every order of one market."""

    market: MarketId


class CancelIds(Struct, frozen=True):
    """Cancel the orders with these program ids."""

    ids: tuple[int, ...]


class CancelUserIds(Struct, frozen=True):
    """Cancel the orders with these ids of our own (1..255)."""

    user_ids: tuple[int, ...]


class CancelAll(Struct, frozen=True):
    """Cancel every order of the sub-account."""


Cancel = CancelMarket | CancelIds | CancelUserIds | CancelAll


class SwapOrder(Struct, frozen=True, kw_only=True):
    """A swap of spot tokens. ``amount`` is in the decimals of the token that is exact: sold, or bought."""

    sell_market: int
    buy_market: int
    amount: int
    exact: Literal["sold", "bought"]
    slippage_bps: int
    direct_only: bool | None = None
    exclude_dexes: str | None = None
    max_accounts: int | None = None


class SendOptions(Struct, frozen=True, kw_only=True):
    """How a transaction is sent; ``None`` leaves it to the gateway (200,000 units, 90th percentile, 6 s).

    ``unit_price`` is in micro-lamports a compute unit; ``ttl_s`` is how long the gateway goes on broadcasting.
    """

    sub_account: int | None = None
    unit_limit: int | None = None
    unit_price: int | None = None
    ttl_s: int | None = None


class MarketInfo(Struct, frozen=True, kw_only=True):
    """A market's rules as the gateway shows them; ``step`` and ``minimum`` are decimals of base units or tokens."""

    market: MarketId
    symbol: str
    tick_e6: int
    step: Decimal
    minimum: Decimal
    initial_e4: int | None
    maintenance_e4: int | None


class OpenInterest(Struct, frozen=True):
    """A perp market's open interest and its limit, in whole base units: the gateway cuts the decimals off."""

    open_interest: int
    max_open_interest: int


class OpenOrder(Struct, frozen=True, kw_only=True):
    """An open order. ``amount`` is signed; ``amount`` and ``filled`` have ``decimals`` decimals."""

    market: MarketId
    decimals: int
    order_id: int
    user_order_id: int
    kind: OrderKind
    amount: int
    filled: int
    price_e6: int
    post_only: bool
    reduce_only: bool
    immediate_or_cancel: bool | None
    oracle_offset_e6: int


class SpotHolding(Struct, frozen=True):
    """Tokens of a spot market: positive deposited, negative borrowed, with ``decimals`` decimals."""

    market: int
    tokens: int
    decimals: int


class PerpHolding(Struct, frozen=True):
    """A perp position. The gateway rounds the entry price to four decimals: look at it, do not count with it."""

    market: int
    base_e9: int
    entry_e6: int


class Holdings(Struct, frozen=True):
    """All positions of a sub-account, or those of one market."""

    spot: tuple[SpotHolding, ...]
    perp: tuple[PerpHolding, ...]


class PositionInfo(Struct, frozen=True, kw_only=True):
    """One perp position with what the gateway computes for it at its oracle price."""

    market: int
    base_e9: int
    entry_e6: int
    liquidation_e6: int
    unrealized_e6: int
    unsettled_e6: int
    oracle_e6: int


class MarginInfo(Struct, frozen=True):
    """Margin requirements of a sub-account, quote 1e6."""

    initial_e6: int
    maintenance_e6: int


class Collateral(Struct, frozen=True):
    """Maintenance collateral of a sub-account, quote 1e6."""

    total_e6: int
    free_e6: int


class SolBalance(Struct, frozen=True):
    """Lamports of the account that the gateway names."""

    owner: Pubkey
    lamports: int


class SwiftResult(Struct, frozen=True):
    """What became of one order handed to the swift server: the sha256 of its signature, and the answer's ``body``.

    ``unknown``: the server failed or could not be reached by the gateway.
    """

    hash: str
    outcome: SwiftOutcome
    status: str
    body: str
