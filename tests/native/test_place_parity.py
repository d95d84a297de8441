"""Placing an order, against the program's own ``place_perp_order``: the same consent, or the same error by its name.

The program asks strict initial margin of what adds risk. Where it starts to consent is found to the unit of the quote
deposit, so that strict collateral and requirement are equal to the unit as well.
"""

import ctypes as c
from collections import Counter
from collections.abc import Callable
from random import Random

import pytest
from library import NativeError, account, tiny_result
from msgspec import structs
from order_worlds import asked, dress, packed
from worlds import SLOT, World, size, user, world

from drift_engine.core.orders.auction_params import DRIFT_V2 as DRIFT_RULES
from drift_engine.core.orders.auction_params import Placing
from drift_engine.core.orders.place import Answer, Exchange, place
from drift_engine.core.orders.terms import MAX_LEVERAGE, OrderParams
from drift_engine.core.types import PerpSpec
from drift_engine.venues.drift_v2.program import DRIFT_V2
from drift_engine.venues.translate import orders as translate_orders
from drift_engine.venues.wire.accounts import blank, decode_as
from drift_engine.venues.wire.state import State
from drift_engine.venues.wire.user import SpotPosition, User

pytestmark = pytest.mark.no_cover  # tens of thousands of cases, and coverage comes from the unit tests

EXCHANGE = Exchange(min_auction_duration=10, per_scope=False)
ERRORS = {
    6003: "InsufficientCollateral", 6019: "MathError", 6041: "CastingFailure", 6042: "InvalidOrder",
    6047: "InvalidOrderSizeTooSmall", 6050: "InvalidOrderIOC", 6051: "InvalidOrderPostOnly",
    6053: "InvalidOrderTrigger", 6054: "InvalidOrderAuction", 6055: "InvalidOrderOracleOffset",
    6056: "InvalidOrderMinOrderSize", 6057: "PlacePostOnlyLimitFailure", 6059: "OrderAmountTooSmall",
    6147: "MarketPlaceOrderPaused", 6151: "IsolatedAssetTierViolation", 6191: "InvalidOrderLimitPrice",
    6215: "InvalidTriggerOrderCondition", 6284: "InvalidPredictionMarketOrder",
}  # fmt: skip


def state_memory() -> "c.Array[c.c_uint64]":
    view = blank(DRIFT_V2, State)
    view.liquidation_margin_buffer_ratio, view.min_perp_auction_duration = 200, 10
    return account(view.data)


def natively(data: bytearray, params: OrderParams, market: int, exchange: World, state: "c.Array[c.c_uint64]") -> int:
    """Return the program's error, 0 for consent."""
    escrow = c.c_uint64(0)
    try:
        tiny_result(
            "orders_place_perp_order", account(data), state, c.byref(packed(params, market)),
            c.byref(exchange.accounts.struct), c.c_void_p(None), c.byref(escrow),
        )  # fmt: skip
    except NativeError as refusal:
        return refusal.code
    return 0


def ours(data: bytearray, params: OrderParams, market: int, exchange: World) -> Answer:
    view = exchange.perps[market]
    name = view.name
    held = exchange.translated(data)
    oracle = exchange.markets[name].oracle_e6
    spec = exchange.markets[name].spec
    assert oracle is not None
    assert isinstance(spec, PerpSpec)
    at = Placing(spec, translate_orders.stats(view), translate_orders.maker(view), oracle, DRIFT_RULES)
    return place(params, held, (), exchange.markets, at, EXCHANGE, 1_800_000_000, SLOT)


def richer(data: bytearray, scaled: int) -> bytearray:
    """The account with another quote deposit."""
    view = decode_as(User, DRIFT_V2.program_id, bytearray(data))
    view.put_spot(0, SpotPosition(scaled))
    assert isinstance(view.data, bytearray)
    return view.data


def order_for(random: Random, exchange: World, market: int) -> OrderParams:
    view = exchange.perps[market]
    params = asked(random, exchange.readings[view.name].price_e6, view.order_step_size)
    return structs.replace(params, base_e9=MAX_LEVERAGE) if random.random() < 0.1 else params


@pytest.mark.parametrize("part", range(2))
def test_the_same_answer(part: int, counted: Callable[[int], None]) -> None:
    random, state = Random(part), state_memory()
    answers: Counter[str | None] = Counter()
    for _ in range(40):
        exchange = world(random, dress)
        for _ in range(50):
            data = richer(user(random), 10**6 + size(random, 10**18))
            market = random.randrange(6)
            params = order_for(random, exchange, market)
            native = natively(data, params, market, exchange, state)
            answer = ours(data, params, market, exchange)
            assert answer.refusal == (ERRORS[native] if native else None)
            answers[answer.refusal] += 1
    counted(sum(answers.values()))
    assert answers[None] > 50
    assert len(answers) > 12


def test_strict_margin_begins_to_suffice_at_the_same_unit(counted: Callable[[int], None]) -> None:
    random, state = Random(77), state_memory()
    found = 0
    while found < 150:
        exchange = world(random, dress)
        for _ in range(10):
            data, market = user(random), random.randrange(6)
            params = order_for(random, exchange, market)
            params = structs.replace(params, base_e9=exchange.perps[market].order_step_size * 10)

            def code(scaled: int) -> int:
                return natively(richer(data, scaled), params, market, exchange, state)  # noqa: B023

            poor, rich = 10**6, 10**18
            if (code(poor), code(rich)) != (6003, 0):
                continue
            while rich - poor > 1:
                middle = (rich + poor) // 2
                poor, rich = (poor, middle) if code(middle) == 0 else (middle, rich)
            assert ours(richer(data, poor), params, market, exchange).refusal == "InsufficientCollateral"
            assert ours(richer(data, rich), params, market, exchange).refusal is None
            found += 1
    counted(found * 2)
