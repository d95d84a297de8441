"""Funding farm: the paid side, let go with hysteresis, stopped by a loss."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategy_bench import PRICE_E6, Bench

from drift_engine.core.parameters import ParameterError
from drift_engine.core.types import Trading
from drift_engine.strategies.funding_farm import FundingFarmStrategy


def bench(funding: float | None = 0.5, config: dict[str, Any] | None = None, **kwargs: Any) -> Bench:
    made = Bench(FundingFarmStrategy(config), **kwargs)
    if funding is not None:
        made.funding(funding)
    return made


def held(made: Bench) -> int:
    return made.base_e9("SOL-PERP")


@pytest.mark.parametrize(("funding", "side"), [(0.5, -1), (-0.5, 1)])
def test_takes_the_paid_side(funding: float, side: int) -> None:
    made = bench(funding)
    signal = made.tick()
    assert signal is not None
    assert signal.targets == {"SOL-PERP": side * 33_330_000_000}
    cost_e6 = 33.33 * 150 * 1_000
    assert signal.edge_e6 is not None
    assert signal.edge_e6 >= 2 * cost_e6
    made.settle("SOL-PERP", made.markets["SOL-PERP"].funding_e9 or 0)
    assert made.tick(300) is None


@pytest.mark.parametrize("funding", [None, 0.0, 0.29, -0.29])
def test_stays_out_under_the_threshold(funding: float | None) -> None:
    assert bench(funding).run(2) == []


def test_keeps_what_it_has_between_the_two_thresholds() -> None:
    made = bench(0.5, {"average_h": 1})
    made.tick()
    made.funding(0.15)
    assert made.run(2) == []
    made.funding(0.05)
    signal = made.tick(3_600)
    assert signal is not None
    assert signal.reason.startswith("let go")
    assert held(made) == 0
    made.funding(0.15)
    assert made.run(2) == []


def test_the_average_is_over_eight_hours() -> None:
    made = bench(0.5)
    made.tick()
    made.funding(-0.6)
    until = 0
    while held(made):
        made.tick(3_600)
        until += 1
    # (0.5 - 0.6 n) / (n + 1) < 0.1 from the first hour on
    assert until == 1
    calm = bench(0.2)
    calm.run(7, every_s=3_600)
    calm.funding(0.5)
    assert calm.tick(3_600) is None
    assert calm.run(2, every_s=3_600)


def test_a_stop_closes_and_cools_off() -> None:
    made = bench(0.5)
    made.tick()
    made.set("SOL-PERP", oracle_e6=PRICE_E6 * 1029 // 1000)
    assert made.tick(300) is None
    made.set("SOL-PERP", oracle_e6=PRICE_E6 * 1031 // 1000)
    signal = made.tick(300)
    assert signal is not None
    assert signal.reason.startswith("stop")
    assert signal.urgency == "high"
    assert held(made) == 0
    assert made.run(23.9) == []
    assert made.strategy.get_status()["phase"] == "stopped"
    assert len(made.run(1)) == 1


def test_a_stop_is_carried_through_though_the_price_comes_back() -> None:
    made = bench(0.5)
    made.tick()
    made.fraction = lambda _leg: 0.5
    made.set("SOL-PERP", oracle_e6=PRICE_E6 * 104 // 100)
    made.tick(300)
    made.set("SOL-PERP", oracle_e6=PRICE_E6)
    made.run(2)
    assert abs(held(made)) <= 10**7


def test_reduces_only_while_reducing_and_nothing_while_halted() -> None:
    assert bench(trading=Trading.REDUCING).run(1) == []
    made = bench()
    made.tick()
    made.funding(-0.9)
    made.trading = Trading.HALTED
    assert made.tick(3_600) is None
    made.trading = Trading.REDUCING
    assert made.tick(1) is not None
    assert held(made) == 0


@settings(max_examples=50, deadline=None)
@given(st.floats(0.0, 3.0))
def test_negative_funding_never_makes_it_short_nor_positive_long(size: float) -> None:
    short, long = bench(size), bench(-size)
    short.tick()
    long.tick()
    assert held(short) <= 0 <= held(long)


def test_refuses_thresholds_without_a_gap() -> None:
    with pytest.raises(ParameterError, match="leave"):
        FundingFarmStrategy({"enter": "0.1", "leave": "0.1"})
