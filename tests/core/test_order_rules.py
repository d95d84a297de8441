"""Which orders are refused by which name, which add risk, and how large they may be."""

from typing import Any

import pytest
from core_books import account, markets, perp, spot
from msgspec import structs
from order_books import MAKER, SPEC, placing

from drift_engine.core.orders.auction_params import VELOCITY
from drift_engine.core.orders.largest import largest_order_e9, whole_margin_e9
from drift_engine.core.orders.place import Answer, Exchange, place
from drift_engine.core.orders.rules import (
    maker_fill_e9,
    only_reduces,
    risk_increasing,
    unfilled_e9,
    validate_order,
)
from drift_engine.core.orders.terms import MAX_LEVERAGE, Order, OrderParams
from drift_engine.core.types import Account, Market, PerpPosition, PerpTotals, SpotBalance
from drift_engine.core.units import E6, E9

AUCTION = {"auction_start_e6": 99 * E6, "auction_end_e6": 100 * E6, "auction_duration": 10}
GOOD: dict[str, dict[str, Any]] = {
    "market": {"base_e9": E9, **AUCTION},
    "oracle": {"kind": "oracle", "base_e9": E9, "auction_start_e6": -5, "auction_end_e6": 5},
    "limit": {"kind": "limit", "base_e9": E9, "price_e6": 99 * E6},
    "trigger_market": {"kind": "trigger_market", "base_e9": E9, "trigger_e6": 5},
    "trigger_limit": {"kind": "trigger_limit", "base_e9": E9, "trigger_e6": 5, "price_e6": 7},
}


def judged(kind: str, **change: Any) -> str | None:
    return validate_order(Order(**{**GOOD[kind], **change}), SPEC, MAKER, 100 * E6)


@pytest.mark.parametrize("kind", list(GOOD))
def test_a_good_order_is_taken(kind: str) -> None:
    assert judged(kind) is None
    assert judged(kind, base_e9=0) == "InvalidOrderSizeTooSmall"
    assert judged(kind, base_e9=E9 + 1) == "InvalidOrderNotStepSizeMultiple"
    assert judged(kind, base_e9=10**7) == "InvalidOrderMinOrderSize"
    assert judged(kind, base_e9=10**7, reduce_only=True) is None


@pytest.mark.parametrize(
    ("kind", "change", "error"),
    [
        ("market", {"auction_start_e6": 0}, "InvalidOrderAuction"),
        ("market", {"auction_start_e6": -1}, "InvalidOrderAuction"),
        ("market", {"auction_start_e6": 101 * E6}, "InvalidOrderAuction"),
        ("market", {"price_e6": 99 * E6}, "InvalidOrderAuction"),
        ("market", {"price_e6": 100 * E6}, None),
        ("market", {"long": False}, "InvalidOrderAuction"),
        ("market", {"trigger_e6": 1}, "InvalidOrderTrigger"),
        ("market", {"post_only": True}, "InvalidOrderPostOnly"),
        ("market", {"offset_e6": 1}, "InvalidOrderOracleOffset"),
        ("market", {"immediate": True}, "InvalidOrderIOC"),
        ("oracle", {"auction_end_e6": -6}, "InvalidOrderAuction"),
        ("oracle", {"offset_e6": 4}, "InvalidOrderAuction"),
        ("oracle", {"offset_e6": 5}, None),
        ("oracle", {"price_e6": 1}, "InvalidOrderLimitPrice"),
        ("limit", {"price_e6": 0}, "InvalidOrderLimitPrice"),
        ("limit", {"offset_e6": 1}, "InvalidOrderLimitPrice"),
        ("limit", {"trigger_e6": 1}, "InvalidOrderTrigger"),
        ("limit", {"auction_end_e6": 1}, "InvalidOrder"),
        ("limit", {"auction_duration": 1, "auction_start_e6": -7, "auction_end_e6": -6}, "CastingFailure"),
        ("limit", {"auction_duration": 1, "auction_start_e6": 1, "auction_end_e6": 2}, None),
        ("limit", {"price_e6": 0, "offset_e6": -2, "auction_duration": 1, "auction_end_e6": -2, "auction_start_e6": -9},
         None),
        ("limit", {"post_only": True}, None),
        ("limit", {"post_only": True, "auction_duration": 1}, "InvalidOrder"),
        ("limit", {"post_only": True, "price_e6": 101 * E6}, "PlacePostOnlyLimitFailure"),
        ("limit", {"post_only": True, "price_e6": 99 * E6, "long": False}, "PlacePostOnlyLimitFailure"),
        ("limit", {"post_only": True, "price_e6": 101 * E6, "immediate": True, "base_e9": 10**7}, None),
        ("limit", {"post_only": True, "price_e6": 100}, "InvalidOrderLimitPrice"),
        ("trigger_market", {"trigger": "triggered_above"}, "InvalidTriggerOrderCondition"),
        ("trigger_market", {"price_e6": 1}, "InvalidOrderLimitPrice"),
        ("trigger_limit", {"price_e6": 0}, "InvalidOrderLimitPrice"),
        ("trigger_limit", {"trigger_e6": 0}, "InvalidOrderTrigger"),
        ("trigger_limit", {"post_only": True}, "InvalidOrderPostOnly"),
        ("trigger_limit", {"offset_e6": 1}, "InvalidOrderOracleOffset"),
    ],
)  # fmt: skip
def test_a_bad_order_is_refused_by_name(kind: str, change: dict[str, Any], error: str | None) -> None:
    assert judged(kind, **change) == error


def test_a_post_only_order_better_than_the_oracle_may_cross() -> None:
    order = Order(kind="limit", base_e9=E9, price_e6=101 * E6, post_only=True)
    assert validate_order(order, SPEC, MAKER, 102 * E6) is None
    assert validate_order(order, SPEC, None, 100 * E6) is None
    assert validate_order(structs.replace(order, base_e9=10**7, filled_e9=10**7), SPEC, MAKER, 1) == (
        "InvalidOrderMinOrderSize"
    )


def test_what_differs_by_market_and_program() -> None:
    dear = Order(kind="limit", base_e9=E9, price_e6=2 * E6)
    prediction = structs.replace(SPEC, contract="prediction")
    assert validate_order(dear, prediction, None, E6) == "InvalidPredictionMarketOrder"
    offset = Order(kind="limit", base_e9=E9, offset_e6=5)
    assert validate_order(offset, SPEC, None, E6, no_offset_limits=True) == "InvalidOrderOracleOffset"


@pytest.mark.parametrize(
    ("long", "size", "held", "bids", "asks", "adds"),
    [(True, 1, 0, 0, 0, True), (True, 5, -5, 0, 0, False), (True, 6, -5, 0, 0, True), (True, 5, -5, 1, 0, True),
     (False, 1, 0, 0, 0, True), (False, 5, 5, 0, 0, False), (False, 5, 5, 0, -1, True), (False, 1, -5, 0, 0, True)],
)  # fmt: skip
def test_what_adds_risk(long: bool, size: int, held: int, bids: int, asks: int, adds: bool) -> None:
    position = PerpPosition("SOL-PERP", held, open_bids_e9=bids, open_asks_e9=asks)
    order = Order(long=long, base_e9=size)
    assert risk_increasing(order, position) == adds
    assert not risk_increasing(structs.replace(order, reduce_only=True), position)


def test_what_reduces_and_what_is_left() -> None:
    order = Order(long=False, base_e9=10, filled_e9=4, reduce_only=True)
    assert only_reduces(order, 5) is None
    for refused, held in ((order, 0), (order, -5), (structs.replace(order, reduce_only=False), 5)):
        assert only_reduces(refused, held) == "InvalidOrderNotRiskReducing"
    assert [unfilled_e9(order, held) for held in (None, 5, 9, 0, -5)] == [6, 5, 6, 0, 0]
    assert unfilled_e9(structs.replace(order, reduce_only=False), 1) == 6


def test_what_the_maker_fills() -> None:
    order = Order(base_e9=100 * E9)
    assert maker_fill_e9(order, SPEC, MAKER, None, 0) == 50 * E9
    assert maker_fill_e9(order, SPEC, MAKER, 101 * E6, 0) == 390_000_000
    assert maker_fill_e9(order, SPEC, MAKER, 100, 0) == 0
    resting = structs.replace(order, kind="limit", post_only=True)
    assert maker_fill_e9(resting, SPEC, MAKER, 101 * E6, 0, (2, 1_000)) == 290_000_000
    waiting = Order(kind="trigger_market", base_e9=E9)
    assert maker_fill_e9(waiting, SPEC, MAKER, None, 0) == 0
    assert maker_fill_e9(structs.replace(waiting, trigger="triggered_above"), SPEC, MAKER, None, 0) == E9


def sized(held: Account, long: bool = True, price: int = 100 * E6, **spec: Any) -> int:
    facts = {"step_e9": 1_000, "margin_initial_e4": 2_000, "margin_maintenance_e4": 1_000, "imf_e6": 0, **spec}
    return largest_order_e9(held, markets(perp(price, **facts)), "SOL-PERP", long=long)


@pytest.mark.parametrize("long", [True, False])
def test_the_largest_order(long: bool) -> None:
    """``sol_perp_5x_bid``, ``…_when_short_5x``, ``…_custom_margin_ratio``-like and ``…_with_imf`` of the program."""
    side = 1 if long else -1
    assert sized(account(10_000), long) == 499_999_500_000
    full = account(10_000, PerpPosition("SOL-PERP", -side * 500 * E9, side * 50_000 * E6))
    assert sized(full, long) == 500_000_000_000
    assert sized(account(10_000, PerpPosition("SOL-PERP", max_margin_ratio_e4=5_000)), long) == 199_999_800_000
    steep = {"margin_initial_e4": 1_000, "margin_maintenance_e4": 500, "imf_e6": 10_000}
    assert sized(account(10_000), long, **steep) == 365_897_914_000


@pytest.mark.parametrize(("usdc", "size"), [(10_000, 4_098_356_557_000), (100, 84_737_288_000), (10, 9_605_769_000)])
def test_the_largest_order_of_high_leverage(usdc: int, size: int) -> None:
    """``sol_perp_hlm_with_imf``."""
    held = structs.replace(account(usdc), leverage="high")
    facts = {"margin_initial_e4": 1_000, "margin_maintenance_e4": 500, "imf_e6": 50, "leverage_initial_e4": 100,
             "leverage_maintenance_e4": 66}  # fmt: skip
    assert sized(held, long=False, **facts) == size


def test_no_margin_leaves_what_closes() -> None:
    poor = account(0, PerpPosition("SOL-PERP", -5 * E9, 400 * E6, open_bids_e9=E9, open_orders=1))
    assert sized(poor) == 4 * E9
    assert sized(poor, long=False) == 0
    assert sized(structs.replace(account(0), spots=(SpotBalance("USDC", 2_000_000),))) == 0
    assert sized(account(10), long=False, price=2 * E6, contract="prediction") == 0
    alone = PerpPosition("SOL-PERP", isolated=True, isolated_scaled_e9=10 * E9)
    assert sized(account(10_000, alone)) == 499_500_000
    with pytest.raises(TypeError, match="not a perp"):
        whole_margin_e9(account(1), markets(spot(E6)), "SOL", long=True)


def answered(
    params: OrderParams | None = None,
    held: Account | None = None,
    market: Market | None = None,
    orders: tuple[Order, ...] = (),
    now: int = 100,
    **at: Any,
) -> Answer:
    where = placing(**at)
    book = perp(where.oracle_e6) if market is None else market
    books = markets(structs.replace(book, spec=where.spec))
    wanted = OrderParams(base_e9=E9) if params is None else params
    mine = account(1_000) if held is None else held
    return place(wanted, mine, orders, books, where, Exchange(10), now, 50)


def test_an_order_is_booked() -> None:
    answer = answered()
    assert answer.order == Order(
        base_e9=E9, auction_start_e6=99_659_900, auction_end_e6=100_200_000, auction_duration=54, slot=50,
        max_ts_s=100 + 37,
    )  # fmt: skip
    assert answer.risk_increasing
    limit = answered(OrderParams(kind="limit", base_e9=E9 + 5, price_e6=99_999_999, long=False)).order
    assert limit == Order(kind="limit", long=False, base_e9=E9, price_e6=100 * E6, slot=50)
    trigger = answered(OrderParams(kind="trigger_market", base_e9=E9, trigger_e6=99 * E6 + 1)).order
    assert trigger is not None
    assert (trigger.trigger_e6, trigger.max_ts_s, trigger.auction_duration) == (99 * E6, 0, 0)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"held": structs.replace(account(1_000), bankrupt=True)}, "UserBankrupt"),
        ({"held": structs.replace(account(1_000), reduce_only=True)}, "UserReduceOnly"),
        ({"held": structs.replace(account(1_000), pool=1)}, "InvalidPoolId"),
        ({"held": account(1_000, *(PerpPosition(str(index)) for index in range(8)))}, "MaxNumberOfPositions"),
        ({"held": account(1)}, "InsufficientCollateral"),
        ({"held": structs.replace(account(1_000), equity_floor_e6=2_000 * E6)}, "EquityBelowFloor"),
        ({"orders": (Order(),) * 32}, "MaxNumberOfOrders"),
        ({"orders": (Order(user_order_id=7),), "params": OrderParams(base_e9=E9, user_order_id=7)},
         "UserOrderIdAlreadyInUse"),
        ({"market": perp(100 * E6, status="initialized")}, "MarketBeingInitialized"),
        ({"market": perp(100 * E6, status="delisted")}, "MarketPlaceOrderPaused"),
        ({"market": structs.replace(perp(100 * E6), totals=PerpTotals(0, expiry_s=100))}, "MarketPlaceOrderPaused"),
        ({"market": perp(100 * E6, status="reduce_only")}, "InvalidOrderNotRiskReducing"),
        ({"market": structs.replace(perp(100 * E6), totals=PerpTotals(0, max_open_interest_e9=1))}, "MaxOpenInterest"),
        ({"params": OrderParams(base_e9=1)}, "OrderAmountTooSmall"),
        ({"params": OrderParams(base_e9=MAX_LEVERAGE), "held": structs.replace(account(0), spots=(
            SpotBalance("USDC", 2_000_000),))}, "CastingFailure"),
        ({"params": OrderParams(kind="limit", post_only="must", base_e9=E9, price_e6=101 * E6)},
         "PlacePostOnlyLimitFailure"),
        ({"params": OrderParams(kind="limit", offset_e6=5, base_e9=E9), "rules": VELOCITY}, "InvalidOrderOracleOffset"),
    ],
)  # fmt: skip
def test_an_order_is_refused_by_name(change: dict[str, Any], error: str) -> None:
    assert answered(**change) == Answer(refusal=error)


def test_an_order_that_is_neither() -> None:
    late = OrderParams(base_e9=E9, max_ts_s=99)
    assert answered(late) == Answer()
    tried = OrderParams(kind="limit", post_only="try", base_e9=E9, price_e6=101 * E6)
    assert answered(tried) == Answer(numbered=True)
    paused = structs.replace(perp(100 * E6), totals=PerpTotals(0, paused=frozenset({"amm_fill"})))
    assert answered(tried, market=paused).order is not None


@pytest.mark.parametrize(
    ("long", "price", "slid"), [(True, 101, 100_099_900), (False, 99, 99_900_100), (True, 99, 99 * E6)]
)
def test_a_sliding_order_stays_off_the_maker(long: bool, price: int, slid: int) -> None:
    params = OrderParams(kind="limit", long=long, post_only="slide", base_e9=E9, price_e6=price * E6)
    order = answered(params).order
    assert order is not None
    assert order.price_e6 == slid


def test_a_slide_below_nothing_fails() -> None:
    spec = structs.replace(SPEC, tick_e6=200 * E6)
    params = OrderParams(kind="limit", post_only="slide", base_e9=E9, price_e6=400 * E6)
    assert answered(params, spec=spec).refusal == "MathError"


def test_a_liquidation_ends_before_an_order_is_taken() -> None:
    """With a buffer of 2 % on what is owed: 100 owed at 3 % is sound with 5 of collateral, not with 4."""
    for usdc, refusal in ((5, None), (4, "UserIsBeingLiquidated")):
        position = PerpPosition("SOL-PERP", E9, -100 * E6)
        flagged = structs.replace(account(usdc, position), being_liquidated=True)
        closing = OrderParams(base_e9=E9, long=False, reduce_only=True)
        assert answered(closing, held=flagged).refusal == refusal
        alone = structs.replace(position, isolated=True, isolated_scaled_e9=usdc * E9, being_liquidated=True)
        assert answered(closing, held=account(0, alone)).refusal == refusal
    broke = PerpPosition("SOL-PERP", isolated=True, bankrupt=True)
    assert answered(held=account(10, broke)).refusal == "UserBankrupt"


def test_older_builds_ask_initial_margin_of_every_scope() -> None:
    """The isolated position covers maintenance (3 %) and not initial margin (5 %): only a new build lets it be."""
    alone = PerpPosition("ETH-PERP", E9, -100 * E6, isolated=True, isolated_scaled_e9=4 * E9)
    held, where = account(1_000, alone), placing()
    books = markets(structs.replace(perp(100 * E6), spec=SPEC), perp(100 * E6, name="ETH-PERP"))
    answers = [
        place(OrderParams(base_e9=E9), held, (), books, where, Exchange(per_scope=new), 100, 50).refusal
        for new in (True, False)
    ]
    assert answers == [None, "InsufficientCollateral"]


def test_isolated_tiers_stand_alone() -> None:
    spec = structs.replace(SPEC, tier="isolated")
    assert answered(spec=spec).refusal is None
    assert answered(spec=spec, held=structs.replace(account(1_000), margin_trading=True)).refusal == (
        "IsolatedAssetTierViolation"
    )
    borrowing = structs.replace(account(-1), perps=(PerpPosition("SOL-PERP", quote_e6=9_000 * E6),))
    assert answered(OrderParams(base_e9=E9), held=borrowing, spec=spec).refusal == "InsufficientCollateral"


def test_max_leverage_is_a_size() -> None:
    order = answered(OrderParams(base_e9=MAX_LEVERAGE)).order
    assert order is not None
    assert order.base_e9 == largest_order_e9(account(1_000), markets(structs.replace(perp(100 * E6), spec=SPEC)),
                                             "SOL-PERP", long=True)  # fmt: skip
