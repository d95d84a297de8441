"""Delta neutral: enters when it pays, stays neutral with one leg at a time, leaves when it does not pay."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategy_bench import START_NS, Bench, venue

from drift_engine.core.parameters import ParameterError
from drift_engine.core.types import Leg, Trading
from drift_engine.core.units import E6, E9
from drift_engine.strategies.delta_neutral import DeltaNeutralStrategy
from drift_engine.strategies.delta_neutral.parameters import DeltaNeutralParams

STEP = 10**7
BORROW_ROUNDING_E9 = 2
"""A borrow is rounded up by one token unit, each time it changes."""


def bench(config: dict[str, Any] | None = None, *, funding: float | None = 0.30, **kwargs: Any) -> Bench:
    made = Bench(DeltaNeutralStrategy(config), **kwargs)
    if funding is not None:
        made.funding(funding)
    return made


def hedged(size_e9: int = 33 * E9, **kwargs: Any) -> Bench:
    made = bench(**kwargs)
    made.hold({"SOL": size_e9, "SOL-PERP": -size_e9})
    return made


def status(made: Bench) -> dict[str, Any]:
    return made.strategy.get_status()


# --------------------------------------------------------------------------- entry


def test_enters_both_legs_at_once_as_soon_as_funding_is_known() -> None:
    made = bench(funding=None)
    assert made.tick(1) is None
    made.funding(0.25)
    signal = made.tick(1)
    assert signal is not None
    assert signal.targets == {"SOL": 33_330_000_000, "SOL-PERP": -33_330_000_000}
    plan = made.plans[0]
    assert plan.atomic
    assert [(leg.market, leg.base_e9 > 0, leg.reduce_only) for leg in plan.legs] == [
        ("SOL", True, False),
        ("SOL-PERP", False, False),
    ]
    assert [leg.limit_e6 for leg in plan.legs] == [150_750_000, 149_250_000]
    assert made.net_e9 == 0
    assert made.run(24) == []
    assert status(made)["phase"] == "long spot, short perp"


def test_claims_the_carry_counted_at_half_and_at_least_twice_the_cost() -> None:
    made = bench(funding=0.25)
    signal = made.tick()
    assert signal is not None
    assert signal.edge_e6 is not None
    value = 33.33 * 150
    expected = value * (0.125 + 0.045 - 0.036) * 504 / 8_760
    assert signal.edge_e6 == pytest.approx(expected * E6, rel=1e-4)
    assert signal.edge_e6 >= 2 * 2 * 0.001 * value * E6


@pytest.mark.parametrize("funding", [0.12, 0.0, -0.05, -0.20])
def test_does_not_enter_for_less_than_it_costs(funding: float) -> None:
    made = bench(funding=funding)
    assert made.run(3) == []


def test_takes_the_reverse_when_shorts_pay_and_borrowing_costs_less() -> None:
    made = bench(funding=-0.50)
    signal = made.tick()
    assert signal is not None
    assert signal.targets == {"SOL": -26_660_000_000, "SOL-PERP": 26_660_000_000}
    assert abs(made.net_e9) <= 1
    assert status(made)["neutrality"]["perp_e9"] == 0  # as it was seen when it decided
    made.tick(1)
    assert status(made)["phase"] == "short spot, long perp"
    dear = bench(funding=-0.50)
    dear.set("SOL", borrow_rate_e6=400_000)
    assert dear.run(3) == []
    unknown = bench(funding=-0.50)
    unknown.set("SOL", borrow_rate_e6=None)
    assert unknown.run(3) == []
    assert bench({"reverse_size": 0}, funding=-0.50).run(3) == []


@pytest.mark.parametrize("change", ["reducing", "halted", "in_flight", "stale", "paused"])
def test_does_not_ask_for_what_would_be_refused(change: str) -> None:
    made = bench()
    if change == "reducing":
        made.trading = Trading.REDUCING
    elif change == "halted":
        made.trading = Trading.HALTED
    elif change == "in_flight":
        made.in_flight = ("SOL",)
    elif change == "stale":
        made.margin_status = "stale"
    else:
        made.set("SOL", status="paused")
    assert made.run(1) == []
    made.trading, made.in_flight, made.margin_status = Trading.ACTIVE, (), "known"
    made.set("SOL", status="active")
    assert made.tick(1) is not None


def test_a_refused_entry_is_asked_for_again_but_not_at_once() -> None:
    made = bench()
    asked = [made.decide(1) is not None for _ in range(25)]
    assert [index for index, said in enumerate(asked) if said] == [0, 10, 20]


def test_tops_up_an_entry_that_filled_by_less_than_half() -> None:
    made = bench(fraction=lambda _leg: 0.3)
    made.tick()
    assert 0 < made.base_e9("SOL") < 10 * E9
    made.fraction = lambda _leg: 1.0
    held_e9 = made.base_e9("SOL")
    made.run(1)
    first, second = (signal for _, signal in made.signals)
    assert first.edge_e6 is not None
    assert second.edge_e6 == pytest.approx(first.edge_e6 * (1 - held_e9 / 33_330_000_000), rel=1e-2)
    assert made.base_e9("SOL") > 33 * E9
    assert made.net_e9 == 0


# --------------------------------------------------------------------------- neutrality


def test_a_breach_waits_for_the_cool_down_is_shown_and_traded_back_on_one_leg() -> None:
    made = hedged()
    made.hold({"SOL": E9 // 2})
    made.last_fill_ns = START_NS
    made.now_ns = START_NS
    assert made.run(29 / 60, every_s=60) == []
    assert status(made)["phase"] == "pending rebalance"
    assert status(made)["neutrality"]["pending"] is True
    assert status(made)["neutrality"]["trade_in"] in ("SOL-PERP", "SOL")
    assert status(made)["neutrality"]["trade_e9"] != 0
    assert "market" not in status(made)["neutrality"], "whose market is meant is said"
    signal = made.tick(60)
    assert signal is not None
    assert list(signal.targets) == ["SOL"]
    assert signal.edge_e6 is None
    assert len(made.plans[0].legs) == 1
    assert made.plans[0].legs[0].reduce_only
    assert made.net_e9 == 0
    assert made.tick(1) is None
    assert status(made)["phase"] == "long spot, short perp"


def test_a_failed_rebalance_does_not_start_the_cool_down() -> None:
    made = hedged(fraction=lambda _leg: 0.0)
    made.hold({"SOL": E9 // 2})
    assert made.tick(10_000) is not None
    assert made.tick(1) is not None
    made.fraction = lambda _leg: 0.5
    assert made.tick(1) is not None
    made.hold({"SOL": E9 // 4})
    assert made.tick(1) is None
    assert status(made)["phase"] == "pending rebalance"


def test_beyond_three_times_the_tolerance_the_cool_down_is_ignored() -> None:
    made = hedged(funding=0.05)
    made.hold({"SOL": 12 * E9 // 10})
    made.last_fill_ns = made.now_ns
    signal = made.tick(1)
    assert signal is not None
    assert signal.targets == {"SOL": 33 * E9}
    assert signal.urgency == "high"


def test_a_change_of_the_books_or_of_interest_is_noticed_on_the_next_tick() -> None:
    made = hedged()
    assert [made.tick(1), made.tick(1)] == [None, None]
    made.hold({"SOL-PERP": 20 * E9})
    assert made.tick(1) is not None
    grown = hedged()
    assert [grown.tick(1), grown.tick(1)] == [None, None]
    grown.set("SOL", interest_deposit_e10=10**10 * 102 // 100)
    signal = grown.tick(1)
    assert signal is not None
    assert signal.targets == {"SOL": pytest.approx(33 * E9, abs=STEP)}


def test_a_lone_leg_is_completed_where_the_hedge_pays() -> None:
    made = bench(fraction=lambda leg: 1.0 if leg.kind == "spot" else 0.0)
    made.tick()
    assert (made.base_e9("SOL"), made.base_e9("SOL-PERP")) == (33_330_000_000, 0)
    made.fraction = lambda _leg: 1.0
    signal = made.tick(1)
    assert signal is not None
    assert list(signal.targets) == ["SOL-PERP"]
    assert signal.edge_e6 is not None
    assert abs(made.net_e9) <= 33_330_000_000 // 100


def test_a_lone_leg_is_reduced_where_it_does_not_pay_or_may_not_grow() -> None:
    for funding, trading in ((-0.05, Trading.ACTIVE), (0.30, Trading.REDUCING)):
        made = bench(funding=funding, trading=trading)
        made.hold({"SOL": 10 * E9})
        signal = made.tick()
        assert signal is not None
        assert signal.targets == {"SOL": 0}
        assert signal.edge_e6 is None


def test_a_completion_that_changed_nothing_is_not_tried_twice() -> None:
    made = bench(fraction=lambda leg: 1.0 if leg.kind == "spot" else 0.0)
    made.tick()
    first, second = made.tick(1), made.tick(1)
    assert first is not None
    assert second is not None
    assert (list(first.targets), list(second.targets)) == (["SOL-PERP"], ["SOL"])
    assert made.base_e9("SOL") == 0


def test_a_long_perp_beside_long_spot_is_closed_not_counted_as_a_hedge() -> None:
    made = bench(funding=0.30)
    made.hold({"SOL": 10 * E9, "SOL-PERP": 10 * E9})
    signal = made.tick()
    assert signal is not None
    assert signal.targets == {"SOL-PERP": 0}


def test_halted_asks_for_nothing() -> None:
    made = hedged(trading=Trading.HALTED)
    made.hold({"SOL": 20 * E9})
    assert made.run(1) == []


def test_deposit_interest_is_traded_away_only_when_it_breaches() -> None:
    made = hedged()
    for _ in range(24 * 120):
        made.settle("SOL-PERP", 5_136_986)
        made.tick(3_600)
    assert [list(signal.targets) for _, signal in made.signals] == [["SOL"]]
    assert abs(made.net_e9) <= 33 * E9 // 100


fractions = st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=3, max_size=25)


@settings(max_examples=60, deadline=None)
@given(
    st.integers(-3_000, 3_000),
    st.integers(-3_000, 3_000),
    fractions,
    st.sampled_from([0.30, 0.0, -0.20, -0.60]),
    st.sampled_from([Trading.ACTIVE, Trading.REDUCING]),
)
def test_random_partial_fills_converge_without_a_flip(
    spot: int, perp: int, parts: list[tuple[float, float]], funding: float, trading: Trading
) -> None:
    made = bench(funding=funding, trading=trading)
    made.hold({"SOL": spot * STEP, "SOL-PERP": perp * STEP})
    for part in [*parts, *[(1.0, 1.0)] * 12]:
        made.fraction = lambda leg, part=part: part[leg.kind == "spot"]  # type: ignore[misc]
        before, plans = made.net_e9, len(made.plans)
        signal = made.tick(2_000)
        if signal is not None and signal.reason.startswith("rebalance"):
            assert len(signal.targets) == 1
            assert len(made.plans[plans].legs) == 1
            assert abs(made.net_e9) <= abs(before)
            assert made.net_e9 * before >= 0 or abs(made.net_e9) <= BORROW_ROUNDING_E9
        if trading is Trading.REDUCING and signal is not None:
            assert all(leg.reduce_only for leg in made.plans[plans].legs)
    made.tick(2_000)
    assert not status(made)["neutrality"]["breach"]


@settings(max_examples=40, deadline=None)
@given(fractions, st.sampled_from([0.30, -0.60]))
def test_an_entry_never_flips_a_leg_nor_exceeds_its_target(parts: list[tuple[float, float]], funding: float) -> None:
    made = bench(funding=funding)
    side = 1 if funding > 0 else -1
    for part in parts:
        made.fraction = lambda leg, part=part: part[leg.kind == "spot"]  # type: ignore[misc]
        made.tick(2_000)
        assert 0 <= side * made.base_e9("SOL") <= 33_400 * 10**6
        assert 0 <= -side * made.base_e9("SOL-PERP") <= 33_400 * 10**6


# --------------------------------------------------------------------------- the watchdog


def test_four_bad_checks_a_quarter_of_an_hour_apart_unwind_both_legs() -> None:
    made = hedged(config={"average_h": 1}, funding=0.30)
    made.run(1)
    made.now_ns += 1
    made.funding(-0.10)
    asked_after = 0
    while made.tick(60) is None:
        asked_after += 60
        assert asked_after < 7_200
    assert 3 * 900 <= asked_after <= 4 * 900
    plan = made.plans[-1]
    assert plan.atomic
    assert all(leg.reduce_only for leg in plan.legs)
    assert [leg.limit_e6 for leg in plan.legs] == [151_500_000, 148_500_000]
    assert (made.base_e9("SOL"), made.base_e9("SOL-PERP")) == (0, 0)
    assert status(made)["watchdog"]["blocked"] is True


def test_a_good_check_in_between_starts_the_count_anew() -> None:
    made = hedged(config={"average_h": 1})
    made.tick()
    for yearly in (-0.1, -0.1, -0.1, 0.3, -0.1, -0.1, -0.1, 0.3):
        made.funding(yearly)
        assert made.tick(900) is None


def test_two_good_checks_allow_it_back() -> None:
    made = hedged(config={"average_h": 1})
    made.tick()
    made.funding(-0.04)
    made.run(1.1)
    assert made.base_e9("SOL") == 0
    entered = len(made.plans)
    made.funding(0.30)
    assert [made.tick(900) is not None for _ in range(2)] == [False, True]
    assert len(made.plans) == entered + 1


def test_funding_above_zero_that_lending_eats_up_is_against_us() -> None:
    made = hedged(config={"average_h": 1}, funding=0.03)
    made.set("USDC", deposit_rate_e6=100_000)
    signals = made.run(1.1)
    assert len(signals) == 1
    assert signals[0].targets == {"SOL-PERP": 0, "SOL": 0}


def test_unwinding_goes_on_while_reducing_and_through_partial_fills() -> None:
    made = hedged(config={"average_h": 1}, funding=-0.10, trading=Trading.REDUCING)
    made.fraction = lambda leg: 0.6 if leg.kind == "spot" else 0.3
    made.run(8)
    assert abs(made.base_e9("SOL")) <= 4 * STEP
    assert abs(made.base_e9("SOL-PERP")) <= 4 * STEP
    assert all(leg.reduce_only for plan in made.plans for leg in plan.legs)


def test_unwinding_first_trades_back_what_is_far_out_of_balance() -> None:
    made = hedged(config={"average_h": 1}, funding=-0.10)
    made.fraction = lambda leg: 1.0 if leg.kind == "perp" else 0.0
    while not made.signals:
        made.tick(300)
    made.fraction = lambda _leg: 1.0
    signal = made.tick(1)
    assert signal is not None
    assert signal.targets == {"SOL": 0}
    lopsided = hedged(config={"average_h": 1}, funding=-0.10)
    lopsided.fraction = lambda leg: 0.5 if leg.kind == "perp" else 0.0
    while not lopsided.signals:
        lopsided.tick(300)
    lopsided.fraction = lambda _leg: 1.0
    both = [lopsided.tick(1), lopsided.tick(1)]
    assert [len(step.targets) for step in both if step is not None] == [1, 2]
    assert (lopsided.base_e9("SOL"), lopsided.base_e9("SOL-PERP")) == (0, 0)


def test_funding_that_is_not_known_counts_neither_way() -> None:
    made = hedged(funding=None)
    assert made.run(3) == []
    assert status(made)["watchdog"] == {"bad": 0, "good": 0, "blocked": False}


# --------------------------------------------------------------------------- start


def test_works_from_nothing_a_mapping_or_its_record() -> None:
    assert DeltaNeutralStrategy().subscriptions == ("SOL-PERP", "SOL")
    assert DeltaNeutralStrategy({"market": "BTC-PERP"}).subscriptions == ("BTC-PERP", "BTC")
    assert DeltaNeutralStrategy(DeltaNeutralParams(cooldown_s=1)).params.cooldown_s == 1
    assert json.loads(json.dumps(DeltaNeutralStrategy().get_status()))["phase"] == "flat"


def test_finds_the_spot_market_of_the_asset() -> None:
    made = bench({"market": "BTC-PERP"})
    assert made.strategy.subscriptions == ("BTC-PERP", "wBTC")
    hedge = made.strategy.hedge
    assert hedge is not None
    assert (hedge.perp, hedge.spot, hedge.tolerance_e4, hedge.floor_e9) == ("BTC-PERP", "wBTC", 100, 10**5)
    assert bench({"market": "BTC-PERP", "spot": "BTC"}).strategy.subscriptions == ("BTC-PERP", "wBTC")


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"spot": "USDC"}, "no exposure to SOL"),
        ({"spot": "wBTC"}, "no exposure to SOL"),
        ({"spot": "JUP"}, "no spot market 'JUP'"),
        ({"spot": "SOL-PERP"}, "no spot market 'SOL-PERP'"),
        ({"market": "SOL"}, "'SOL' is no perp market"),
    ],
)
def test_refuses_a_hedge_without_exposure(config: dict[str, str], said: str) -> None:
    with pytest.raises(ParameterError, match=said) as caught:
        DeltaNeutralStrategy(config).bind(bench(), venue())
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("bad", [{"size": "1.5"}, {"tolerance": 0}, {"bad_checks": 0}, {"size": "-1"}, {"slippage": 1}])
def test_refuses_parameters_out_of_bounds(bad: dict[str, Any]) -> None:
    with pytest.raises(ParameterError, match=next(iter(bad))):
        DeltaNeutralStrategy(bad)


def test_the_same_states_give_the_same_signals() -> None:
    def run() -> list[str]:
        made = bench(config={"average_h": 2})
        for hour in range(60):
            made.funding(0.4 if hour % 20 < 10 else -0.5)
            made.run(1, every_s=600)
        return [f"{now}{signal}" for now, signal in made.signals]

    first = run()
    assert first == run()
    assert len(first) > 3


def test_legs_are_kinds_of_their_markets() -> None:
    made = bench()
    made.tick()
    legs: tuple[Leg, ...] = made.plans[0].legs
    assert {leg.market: leg.kind for leg in legs} == {"SOL": "spot", "SOL-PERP": "perp"}
