"""Hold keeps its target, and never fights a breaker."""

from itertools import pairwise

import pytest
from strategy_bench import Bench, venue

from drift_engine.core.parameters import ParameterError
from drift_engine.core.types import Trading
from drift_engine.core.units import E9
from drift_engine.strategies.hold import HoldStrategy


def test_reaches_its_target_once_and_then_rests() -> None:
    bench = Bench(HoldStrategy({"target": -1}))
    signal = bench.tick()
    assert signal is not None
    assert signal.targets == {"SOL-PERP": -E9}
    assert signal.edge_e6 is None
    assert bench.base_e9("SOL-PERP") == -E9
    assert [bench.tick(300) for _ in range(5)] == [None] * 5
    assert bench.strategy.get_status()["phase"] == "holding"


def test_follows_up_a_partial_fill_and_a_flip() -> None:
    bench = Bench(HoldStrategy({"target": "2"}), fraction=lambda _leg: 0.5)
    bench.hold({"SOL-PERP": -2 * E9})
    held = [bench.base_e9("SOL-PERP") for _ in range(12) if bench.tick(300) or True]
    assert held[:3] == [0, E9, 15 * E9 // 10]
    assert all(before <= after <= 2 * E9 for before, after in pairwise(held))


@pytest.mark.parametrize("trading", [Trading.REDUCING, Trading.HALTED])
def test_does_not_fight_a_breaker(trading: Trading) -> None:
    bench = Bench(HoldStrategy(), trading=trading)
    assert bench.tick() is None
    bench.trading = Trading.ACTIVE
    assert bench.tick(1) is not None


def test_trades_again_after_its_position_was_taken_over() -> None:
    bench = Bench(HoldStrategy())
    bench.run(1)
    bench.hold({"SOL-PERP": -E9 // 2})
    bench.trading = Trading.HALTED
    assert bench.tick(1) is None
    assert bench.strategy.get_status()["phase"] == "moving"
    bench.trading = Trading.ACTIVE
    assert bench.tick(1) is not None
    assert bench.base_e9("SOL-PERP") == E9


def test_waits_for_what_is_in_flight() -> None:
    bench = Bench(HoldStrategy(), in_flight=("SOL-PERP",))
    assert bench.tick() is None
    bench.in_flight = ("BTC-PERP",)
    assert bench.tick() is not None


def test_a_difference_under_one_step_is_none() -> None:
    bench = Bench(HoldStrategy({"target": "1.005"}))
    assert bench.tick() is not None
    assert bench.base_e9("SOL-PERP") == E9
    assert bench.tick(1) is None


@pytest.mark.parametrize("market", ["SOL", "DOGE-PERP"])
def test_refuses_a_market_that_is_no_perp(market: str) -> None:
    with pytest.raises(ParameterError, match=market):
        HoldStrategy({"market": market}).bind(Bench(HoldStrategy()), venue())


def test_refuses_what_is_no_target() -> None:
    with pytest.raises(ParameterError, match=r"did you mean 'target'"):
        HoldStrategy({"tarket": 1})
    for bad in ("NaN", "1.0000000001", "x"):
        with pytest.raises(ParameterError, match=r"target|[Dd]ecimal"):
            HoldStrategy({"target": bad})
