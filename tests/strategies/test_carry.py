"""What a hedge is expected to earn: signs, halves, and what is not known."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategy_bench import PRICE_E6, Bench, rate_e9

from drift_engine.core.types import SpotBalance
from drift_engine.core.units import E4, HOUR_NS
from drift_engine.strategies.delta_neutral.carry import Terms, outlook, yearly_e6
from drift_engine.strategies.funding_average import FundingAverage
from drift_engine.strategies.hold import HoldStrategy
from drift_engine.strategies.rates import cost_e6, expected_e6, funding_yearly_e6, outlasts

TERMS = Terms(horizon_h=504, counted_e4=5_000, impact_e6=100)


def carry(bench: Bench, rate: int | None, side: int, counted_e4: int = E4) -> int | None:
    return yearly_e6(bench.state, (bench.markets["SOL-PERP"], bench.markets["SOL"]), rate, side, counted_e4)


@pytest.fixture
def bench() -> Bench:
    return Bench(HoldStrategy())


def test_a_real_rate_a_year() -> None:
    # SOL-PERP at 2025-04-14 01:00: 0.000278541 USDC an hour at an oracle TWAP of 129.353687
    assert funding_yearly_e6(278_541, 129_353_687) == 18_863


def test_forward_earns_funding_and_the_difference_in_lending(bench: Bench) -> None:
    assert carry(bench, rate_e9(0.30), 1) == pytest.approx(300_000 + 45_000 - 36_000, abs=2)
    assert carry(bench, rate_e9(0.30), 1, 5_000) == pytest.approx(150_000 + 45_000 - 36_000, abs=2)


def test_reverse_pays_for_the_borrow(bench: Bench) -> None:
    assert carry(bench, rate_e9(-0.30), -1) == pytest.approx(300_000 + 36_000 - 98_000, abs=2)


@given(st.integers(1, 10**8))
def test_negative_funding_is_never_income_for_a_short(size: int) -> None:
    bench = Bench(HoldStrategy())
    idle = carry(bench, 0, 1)
    paying, counted = carry(bench, -size, 1), carry(bench, -size, 1, 5_000)
    assert idle is not None
    assert paying is not None
    assert paying <= idle
    assert counted == paying
    receiving = carry(bench, size, 1)
    assert receiving is not None
    assert receiving >= idle


def test_what_is_not_known_is_no_carry(bench: Bench) -> None:
    assert carry(bench, None, 1) is None
    bench.set("SOL", borrow_rate_e6=None, deposit_rate_e6=None)
    assert carry(bench, rate_e9(-0.9), -1) is None
    assert carry(bench, rate_e9(0.30), 1) == pytest.approx(300_000 - 36_000, abs=2)
    legs = (bench.markets["SOL-PERP"], bench.markets["SOL"])
    assert outlook(bench.state, legs, None, (1, -1), TERMS).side == 0
    assert outlook(bench.state, legs, rate_e9(-0.9), (1, -1), TERMS).pays is False


def test_quote_that_is_borrowed_costs_its_borrow_rate(bench: Bench) -> None:
    bench.account = type(bench.account)("USDC", (SpotBalance("USDC", -(10**9)),))
    assert carry(bench, 0, 1) == 45_000 - 88_000


def test_the_better_side_is_looked_at(bench: Bench) -> None:
    legs = (bench.markets["SOL-PERP"], bench.markets["SOL"])
    assert outlook(bench.state, legs, rate_e9(0.3), (1, -1), TERMS).side == 1
    assert outlook(bench.state, legs, rate_e9(-0.6), (1, -1), TERMS).side == -1
    assert outlook(bench.state, legs, rate_e9(-0.6), (1,), TERMS).side == 1


def test_costs_count_fees_spread_and_impact_of_both_legs(bench: Bench) -> None:
    legs = (bench.markets["SOL-PERP"], bench.markets["SOL"])
    assert cost_e6(legs, 100) == 2 * (1_000 + 100)
    bench.set("SOL-PERP", bid_e6=PRICE_E6 - 30_000, ask_e6=PRICE_E6 + 30_000)
    assert cost_e6((bench.markets["SOL-PERP"],), 0) == 1_000 + 200
    # 2 x 0.22 % over 21 days is 7.65 % a year
    assert outlasts(76_480, 504, 2_200)
    assert not outlasts(76_470, 504, 2_200)
    assert expected_e6(5_000 * 10**6, 76_480, 504) == pytest.approx(2 * 11 * 10**6, rel=1e-3)


def test_average_takes_one_sample_an_hour_whatever_the_ticks() -> None:
    average = FundingAverage(3)
    for second in range(0, 3_600, 60):
        average.observe(second * 10**9, 900)
    average.observe(HOUR_NS, 900)  # the first tick of the hour still shows the old rate
    assert average.due(HOUR_NS + 8, 300)
    average.observe(HOUR_NS + 8, 300)
    assert (average.samples, average.rate_e9) == (2, 600)
    assert not average.due(2 * HOUR_NS - 1, 300)
    assert average.due(2 * HOUR_NS, 300)


def test_average_forgets_what_is_older_and_fills_no_holes() -> None:
    average = FundingAverage(3)
    assert FundingAverage(1).rate_e9 is None
    average.observe(0, None)
    assert average.samples == 0
    for hour, rate in ((0, 100), (1, -201), (2, 0)):
        average.observe(hour * HOUR_NS, rate)
    assert average.rate_e9 == -33
    average.observe(4 * HOUR_NS, 50)
    assert (average.samples, average.rate_e9) == (2, 25)
