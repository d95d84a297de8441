"""Prices of orders, and what the program makes of their auctions, against Drift's own native code."""

import ctypes as c
from collections.abc import Callable
from random import Random

import pytest
from library import (
    Maybe,
    MaybeNumber,
    NativeError,
    Protected,
    account,
    library,
    optional,
    optional_result,
    quick_result,
    raw,
    tiny_result,
)
from order_worlds import asked, booked, maker_market, near, order_bytes, packed, seen

from drift_engine.core.orders.auction import auction_price_e6, elapsed_ms, limit_price_e6, resting
from drift_engine.core.orders.auction_params import DRIFT_V2, Placing, with_auction
from drift_engine.core.orders.maker import fallback_price_e6
from drift_engine.core.orders.stats import trigger_price_e6
from drift_engine.venues.translate import orders as translate_orders

pytestmark = pytest.mark.no_cover  # tens of thousands of cases, and coverage comes from the unit tests


@pytest.mark.parametrize("part", range(2))
def test_prices_of_orders(part: int, counted: Callable[[int], None]) -> None:
    random = Random(part)
    refused = 0
    for _ in range(3_000):
        price = random.choice((10_000, 10**6, 150 * 10**6, 100_000 * 10**6))
        held = booked(random, price)
        order, memory = translate_orders.order(held), raw(order_bytes(held))
        slot, tick = 1_000 + random.randrange(300), random.choice((1, 100, max(1, price // 1_000)))
        oracle, fallback = near(random, price), random.choice((None, near(random, price)))
        prediction = random.random() < 0.1
        elapsed = elapsed_ms(order, slot)
        assert library().order_triggered(memory) & 1 == order.triggered
        assert tiny_result("order_is_resting_limit_order", memory, c.c_uint64(slot)) == resting(order, elapsed)
        arguments = c.c_uint64(slot), c.c_uint64(tick)
        try:
            native = quick_result(
                "math_calculate_auction_price", memory, *arguments, MaybeNumber.of(oracle), prediction
            )
        except NativeError:
            refused += 1
        else:
            assert auction_price_e6(order, elapsed, tick, oracle, prediction=prediction) == native
        try:
            limit = optional_result(
                "order_get_limit_price",
                memory,
                Maybe.of(oracle),
                Maybe.of(fallback),
                *arguments,
                prediction,
                Protected(),
            )
        except NativeError:
            refused += 1
        else:
            assert limit_price_e6(order, elapsed, tick, oracle, fallback, prediction=prediction) == limit
    counted(6_000 - refused)
    assert refused < 1_500


@pytest.mark.parametrize("part", range(2))
def test_auctions_as_the_program_changes_them(part: int, counted: Callable[[int], None]) -> None:
    random = Random(100 + part)
    for _ in range(2_500):
        market, oracle = maker_market(random)
        spec, stats, maker = seen(market)
        memory = account(market.data)
        for _ in range(2):
            params, signed = asked(random, oracle, market.order_step_size), random.random() < 0.5
            native = packed(params)
            library().order_params_update_perp_auction_params(c.byref(native), memory, c.c_int64(oracle), signed)
            ours = with_auction(params, Placing(spec, stats, maker, oracle, DRIFT_V2, signed))
            found = native.duration if native.has_duration else None, optional(native.start), optional(native.end)
            assert (ours.auction_duration, ours.auction_start_e6, ours.auction_end_e6) == found
    counted(5_000)


def test_fallback_and_trigger_prices(counted: Callable[[int], None]) -> None:
    random = Random(7)
    for _ in range(3_000):
        market, oracle = maker_market(random)
        spec, stats, maker = seen(market)
        memory, long, left = account(market.data), random.random() < 0.5, random.randrange(0, 40)
        native = quick_result(
            "perp_market_get_fallback_price", memory, c.c_uint8(0 if long else 1), c.c_int64(oracle), c.c_int64(left)
        )
        ours = fallback_price_e6(maker, stats, oracle, left, spec.step_e9, spec.min_order_e9, long=long)
        assert ours == native
        now, median = 1_700_000_000 + random.randrange(-100, 8_000), random.random() < 0.9
        trigger = quick_result("perp_market_get_trigger_price", memory, c.c_int64(oracle), c.c_int64(now), median)
        assert trigger_price_e6(stats, spec.tier, oracle, now, median=median) == trigger
    counted(6_000)
