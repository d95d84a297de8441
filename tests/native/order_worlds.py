"""Random markets, orders and order parameters for the order rules, as bytes and as core sees them."""

from random import Random

from library import Maybe, Params
from worlds import TRANSLATOR, signed, size

from drift_engine.core.orders.maker import Maker
from drift_engine.core.orders.stats import MarketStats
from drift_engine.core.orders.terms import OrderKind, OrderParams, PostOnly, Trigger
from drift_engine.core.types import PerpSpec
from drift_engine.venues.drift_v2.program import DRIFT_V2
from drift_engine.venues.translate import orders as translate_orders
from drift_engine.venues.wire.accounts import blank
from drift_engine.venues.wire.perp_market import PerpMarket
from drift_engine.venues.wire.records import HistoricalOracleData
from drift_engine.venues.wire.user import Order, User

KINDS: tuple[OrderKind, ...] = translate_orders.KINDS
TRIGGERS: tuple[Trigger, ...] = translate_orders.TRIGGERS
POST_ONLY: tuple[PostOnly, ...] = ("no", "must", "try", "slide")
ORDER_BYTES = 96


def near(random: Random, price: int, per_mille: int = 30) -> int:
    """Return a price near another."""
    return max(1, price * random.randrange(1_000 - per_mille, 1_001 + per_mille) // 1_000 + random.randrange(-9, 10))


def maker_market(random: Random) -> tuple[PerpMarket, int]:
    """Return a market with a vAMM, and its oracle's price."""
    view = blank(DRIFT_V2, PerpMarket)
    price = random.choice((10_000, 10**6, 150 * 10**6, 100_000 * 10**6)) * random.randrange(100, 200) // 100
    view.market_index, view.name, view.status = 0, "P0-PERP", 1
    view.contract_tier = random.randrange(6)
    view.contract_type = 2 if random.random() < 0.05 else 0
    view.oracle_source = random.choice((12, 12, 12, 6))
    dress(random, view, price)
    return view, near(random, price, 10)


def dress(random: Random, view: PerpMarket, price: int) -> None:
    """Give a market a vAMM, steps and ticks, and a memory of prices near one."""
    view.order_step_size = random.choice((1, 10**5, 10**7))
    view.order_tick_size = random.choice((1, 100, max(1, price // 10_000)))
    view.min_order_size = view.order_step_size * random.randrange(1, 5)
    view.sqrt_k = 10**9 * (1 + size(random, 10**6))
    view.base_asset_reserve = view.sqrt_k * random.randrange(900, 1_100) // 1_000
    view.quote_asset_reserve = view.sqrt_k * view.sqrt_k // view.base_asset_reserve
    view.peg_multiplier = near(random, price)
    view.min_base_asset_reserve = view.base_asset_reserve * random.randrange(500, 1_001) // 1_000
    view.max_base_asset_reserve = view.base_asset_reserve * random.randrange(1_000, 1_500) // 1_000
    view.ask_base_asset_reserve = view.base_asset_reserve * random.randrange(990, 1_000) // 1_000
    view.bid_base_asset_reserve = view.base_asset_reserve * random.randrange(1_000, 1_010) // 1_000
    view.base_spread = random.choice((0, 100, 1_000))
    view.long_spread, view.short_spread = size(random, 30_000), size(random, 30_000)
    view.reference_price_offset = signed(random, 5_000, zero=0.5)
    view.max_fill_reserve_fraction = random.choice((1, 10, 100))
    _remember(random, view, price)


def _remember(random: Random, view: PerpMarket, price: int) -> None:
    view.last_bid_price_twap, view.last_ask_price_twap = near(random, price, 5), near(random, price, 5)
    view.last_mark_price_twap_5min = near(random, price, 5)
    view.last_mark_price_twap_ts = 1_700_000_000
    view.historical_oracle_data = HistoricalOracleData(
        near(random, price, 5), 0, 0, near(random, price, 5), near(random, price, 5),
        1_700_000_000 + random.choice((0, 59, 60, -61)),
    )  # fmt: skip
    view.volume_24h = random.choice((0, 10**11, 10**11 + 1, 10**13))
    view.mark_std, view.oracle_std = size(random, price), size(random, price)
    view.last_fill_price = random.choice((0, near(random, price)))
    view.last_funding_oracle_twap = random.choice((0, near(random, price)))
    view.last_funding_rate = signed(random, 1 + price)
    view.last_funding_rate_ts, view.funding_period = 1_700_000_000, random.choice((3_600, 1, 86_400))
    view.fee_adjustment = random.randrange(-100, 101)


def seen(view: PerpMarket) -> tuple[PerpSpec, MarketStats, Maker]:
    """Return core's view of a market."""
    return TRANSLATOR.perp_spec(view), translate_orders.stats(view), translate_orders.maker(view)


def booked(random: Random, price: int) -> Order:
    """Return an order as it lies in an account."""
    by_oracle = random.random() < 0.5
    middle = 0 if by_oracle else price
    prices = sorted(middle + signed(random, 1 + price // 20) for _ in range(2))
    direction = random.randrange(2)
    start, end = prices if direction == 0 else prices[::-1]
    if random.random() < 0.2:
        start = end = 0
    return Order(
        slot=1_000,
        price=random.choice((0, near(random, price))),
        base_asset_amount=size(random, 10**12),
        trigger_price=random.choice((0, near(random, price))),
        auction_start_price=start,
        auction_end_price=end,
        oracle_price_offset=random.choice((0, signed(random, min(2**31 - 1, 1 + price // 10)))),
        status=1,
        order_type=random.randrange(5),
        market_type=1,
        direction=direction,
        reduce_only=bool(random.randrange(2)),
        post_only=bool(random.randrange(2)),
        immediate_or_cancel=bool(random.randrange(2)),
        trigger_condition=random.randrange(4),
        auction_duration=random.choice((0, 1, 10, 180, random.randrange(256))),
        bit_flags=random.choice((0, 2)),
    )


def order_bytes(order: Order) -> bytes:
    """Return an order as the program lays it out."""
    view = blank(DRIFT_V2, User)
    view.put_order(0, order)
    start = view.layout.offsets["orders"]
    return bytes(view.data[start : start + ORDER_BYTES])


def asked(random: Random, price: int, step: int) -> OrderParams:
    """Return order parameters, most of them near the market, some of them odd."""
    kind = random.choice(KINDS)
    long = random.random() < 0.5
    by_oracle = kind == "oracle" or random.random() < 0.2
    middle = 0 if by_oracle else price
    prices = [middle + signed(random, 1 + price // 30) for _ in range(2)]
    if random.random() < 0.9:
        prices.sort(reverse=not long)
    given = [value if random.random() < 0.8 else None for value in prices]
    if random.random() < 0.3:
        given = [None, None]
    limit = random.random() < 0.5 or kind in {"limit", "trigger_limit"}
    return OrderParams(
        kind=kind,
        long=long,
        base_e9=random.choice((step * random.randrange(1, 1_000), size(random, 10**11), 0, step)),
        price_e6=near(random, price) if limit and random.random() < 0.9 else 0,
        reduce_only=random.random() < 0.2,
        post_only=random.choice(POST_ONLY) if random.random() < 0.4 else "no",
        immediate=random.random() < 0.1,
        max_ts_s=None,
        trigger_e6=near(random, price) if "trigger" in kind or random.random() < 0.05 else None,
        trigger=random.choice(TRIGGERS[:2]) if random.random() < 0.95 else random.choice(TRIGGERS),
        offset_e6=signed(random, min(2**31 - 1, 1 + price // 20)) if random.random() < 0.2 else None,
        auction_duration=random.choice((0, 1, 20, 180)) if random.random() < 0.6 else None,
        auction_start_e6=given[0],
        auction_end_e6=given[1],
        user_order_id=0,
    )


def packed(params: OrderParams, market_index: int = 0) -> Params:
    """Return order parameters in the native form."""
    return Params(
        KINDS.index(params.kind), 1, 0 if params.long else 1, params.user_order_id, params.base_e9, params.price_e6,
        market_index, params.reduce_only, POST_ONLY.index(params.post_only), int(params.immediate),
        Maybe.of(params.max_ts_s), Maybe.of(params.trigger_e6), TRIGGERS.index(params.trigger),
        params.offset_e6 is not None, params.offset_e6 or 0, params.auction_duration is not None,
        params.auction_duration or 0, Maybe.of(params.auction_start_e6), Maybe.of(params.auction_end_e6),
    )  # fmt: skip
