"""How neutral a hedge is, and the one trade that mends it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategy_bench import SOL, SOL_PERP, Bench

from drift_engine.core.types import MarketState
from drift_engine.core.units import E9
from drift_engine.strategies.delta_neutral.neutrality_monitor import Bounds, completion, read
from drift_engine.strategies.hold import HoldStrategy

BOUNDS = Bounds("SOL-PERP", "SOL", tolerance_e4=100, min_hedge_e9=5 * 10**6, cooldown_ns=1800 * E9).at(SOL_PERP, SOL)
STEP = 10**7


def state(spot_e9: int, perp_e9: int, *, since_fill_s: int = 10**6) -> MarketState:
    bench = Bench(HoldStrategy())
    bench.hold({"SOL": spot_e9, "SOL-PERP": perp_e9})
    bench.last_fill_ns = bench.now_ns - since_fill_s * E9
    return bench.state


def test_equal_legs_of_opposite_signs_are_neutral_and_of_one_sign_are_not() -> None:
    neutral = read(state(10 * E9, -10 * E9), BOUNDS)
    assert (neutral.net_delta_e9, neutral.hedge_e9, neutral.tolerance_e9) == (0, 10 * E9, E9 // 10)
    assert (neutral.breach, neutral.side) == (False, 1)
    both_long = read(state(10 * E9, 10 * E9), BOUNDS)
    assert (both_long.net_delta_e9, both_long.hedge_e9, both_long.beyond_3x) == (20 * E9, 0, True)
    assert (both_long.market, both_long.trade_e9) == ("SOL-PERP", -10 * E9)


def test_a_borrow_counts_as_negative_spot() -> None:
    reading = read(state(-10 * E9, 10 * E9), BOUNDS)
    assert reading.side == -1
    assert not reading.breach
    # a borrow rounds up by one token unit in the program's books
    assert reading.net_delta_e9 in {0, -1}


@pytest.mark.parametrize(
    ("spot", "perp", "market", "trade"),
    [
        (10_200, -10_000, "SOL", -200),
        (10_000, -10_200, "SOL-PERP", 200),
        (-10_000, 10_200, "SOL-PERP", -200),
        (5_000, 0, "SOL", -5_000),
        (0, -5_000, "SOL-PERP", 5_000),
    ],
)
def test_the_larger_leg_is_reduced_by_the_imbalance(spot: int, perp: int, market: str, trade: int) -> None:
    reading = read(state(spot * 10**6, perp * 10**6), BOUNDS)
    assert reading.breach
    # a borrow is one token unit larger than what was borrowed, and the trade is on the step below
    assert reading.market == market
    assert 0 <= abs(trade * 10**6) - abs(reading.trade_e9) <= (STEP if spot < 0 else 0)
    assert reading.trade_e9 * trade > 0


def test_tolerance_is_one_percent_but_no_less_than_one_order() -> None:
    assert not read(state(10_100 * 10**6, -10_000 * 10**6), BOUNDS).breach
    assert read(state(10_110 * 10**6, -10_000 * 10**6), BOUNDS).breach
    small = read(state(110 * 10**6, -100 * 10**6), BOUNDS)
    assert (small.tolerance_e9, small.breach) == (STEP, False)
    assert read(state(120 * 10**6, -100 * 10**6), BOUNDS).breach


@pytest.mark.parametrize(("since_s", "extra", "pending"), [(1799, 200, True), (1800, 200, False), (10, 310, False)])
def test_the_cool_down_holds_back_a_breach_but_not_beyond_three_times(since_s: int, extra: int, pending: bool) -> None:
    reading = read(state((10_000 + extra) * 10**6, -10_000 * 10**6, since_fill_s=since_s), BOUNDS)
    assert reading.breach
    assert reading.pending == pending
    assert reading.phase == ("pending rebalance" if pending else "long spot, short perp")


def test_the_smallest_hedge_trade_waits_only_within_three_times_the_tolerance() -> None:
    coarse = Bounds("SOL-PERP", "SOL", 100, min_hedge_e9=10 * E9, cooldown_ns=0).at(SOL_PERP, SOL)
    near, far = (read(state((10_000 + extra) * 10**6, -10_000 * 10**6), coarse) for extra in (200, 400))
    assert (near.pending, near.market) == (True, "")
    assert (far.pending, far.market, far.trade_e9) == (False, "SOL", -400 * 10**6)


def test_completion_grows_the_lagging_leg_up_to_the_target_only() -> None:
    lone = read(state(10 * E9, 0), BOUNDS)
    assert completion(lone, BOUNDS, 10 * E9) == ("SOL-PERP", -10 * E9)
    assert completion(lone, BOUNDS, 4 * E9) == ("SOL-PERP", -4 * E9)
    assert completion(lone, BOUNDS, 0) == ("", 0)
    assert completion(read(state(0, -10 * E9), BOUNDS), BOUNDS, 20 * E9) == ("SOL", 10 * E9)
    assert completion(read(state(-10 * E9, 3 * E9), BOUNDS), BOUNDS, 20 * E9)[1] >= 7 * E9 - STEP
    assert completion(read(state(10 * E9, 5 * E9), BOUNDS), BOUNDS, 20 * E9) == ("", 0)


amounts = st.integers(-2_000, 2_000).map(lambda steps: steps * STEP)


@settings(max_examples=300, deadline=None)
@given(amounts, amounts, st.integers(0, 20 * E9))
def test_no_trade_ever_flips_the_sign_of_net_delta_or_of_its_leg(spot_e9: int, perp_e9: int, target_e9: int) -> None:
    reading = read(state(spot_e9, perp_e9), BOUNDS)
    held = {"SOL": reading.spot_e9, "SOL-PERP": reading.perp_e9}
    assert reading.breach == (abs(reading.net_delta_e9) > reading.tolerance_e9)
    assert bool(reading.market) == reading.breach
    if not reading.breach:
        return
    after = reading.net_delta_e9 + reading.trade_e9
    assert abs(after) < abs(reading.net_delta_e9)
    assert after * reading.net_delta_e9 >= 0
    assert abs(held[reading.market] + reading.trade_e9) < abs(held[reading.market])
    market, trade_e9 = completion(reading, BOUNDS, target_e9)
    if market:
        assert (reading.net_delta_e9 + trade_e9) * reading.net_delta_e9 >= 0
        assert abs(held[market] + trade_e9) <= max(target_e9, abs(held[market]))
