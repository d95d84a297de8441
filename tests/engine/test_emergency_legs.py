"""What an emergency close has to close: nothing is forgotten because its price is not known."""

from __future__ import annotations

import pytest
from msgspec import structs

from drift_engine.core.margin_monitor import margin_of
from drift_engine.core.types import (
    Account,
    Decided,
    EngineState,
    Event,
    Hedge,
    InFlight,
    Leg,
    Market,
    PerpPosition,
    SpotBalance,
    StateChanged,
    TradePlan,
    Trading,
)
from drift_engine.core.units import E6, E9, SECOND_NS
from drift_engine.desk import ReviewDesk
from drift_engine.emergency import EmergencyClose, closing_legs, to_close
from drift_engine.execution.latency_monitor import LatencyMonitor
from drift_engine.execution.limits import Limits
from drift_engine.execution.mock_executor import MockExecutor
from drift_engine.simulation.facts import venue_facts
from drift_engine.simulation.venue import SimVenue

MARKETS = {name: Market(spec, oracle_e6=100 * E6) for name, spec in venue_facts().items()}


class Counting(MockExecutor):
    cancelled = 0

    def cancel_all(self, now_ns: int) -> None:
        self.cancelled += 1
        super().cancel_all(now_ns)


def held(*, spots: tuple[SpotBalance, ...] = (), perps: tuple[PerpPosition, ...] = ()) -> EngineState:
    return EngineState(account=Account("USDC", spots, perps), markets=dict(MARKETS))


def test_perps_borrows_and_the_hedges_spot_are_closed_and_other_deposits_stay() -> None:
    spots = (SpotBalance("USDC", E9), SpotBalance("SOL", 3 * E9), SpotBalance("wETH", -E9), SpotBalance("wBTC", E9))
    state = held(spots=spots, perps=(PerpPosition("SOL-PERP", -3 * E9), PerpPosition("BTC-PERP", 0, 5)))
    assert to_close(state, Hedge("SOL-PERP", "SOL", 100, 1)) == {"SOL-PERP": -3 * E9, "SOL": 3 * E9, "wETH": -E9}
    assert to_close(state, None) == {"SOL-PERP": -3 * E9, "wETH": -E9}


def test_what_has_no_price_gets_no_order_and_is_still_to_be_closed() -> None:
    state = held(perps=(PerpPosition("SOL-PERP", 2 * E9), PerpPosition("ETH-PERP", -E9)))
    state.markets["ETH-PERP"] = structs.replace(MARKETS["ETH-PERP"], oracle_e6=None)
    still_open = to_close(state, None)
    assert [leg.market for leg in closing_legs(state, still_open, 500)] == ["SOL-PERP"]
    assert still_open["ETH-PERP"] == -E9


def test_less_than_a_step_cannot_be_closed() -> None:
    assert to_close(held(perps=(PerpPosition("SOL-PERP", 9_999_999),)), None) == {}


def test_a_leg_takes_the_whole_position_away_at_the_distance_allowed() -> None:
    state = held(perps=(PerpPosition("SOL-PERP", 2 * E9),))
    (leg,) = closing_legs(state, to_close(state, None), 500)
    assert (leg.base_e9, leg.limit_e6, leg.reduce_only) == (-2 * E9, 95 * E6, True)


def test_nothing_is_called_flat_while_something_held_has_no_price() -> None:
    state = held(perps=(PerpPosition("ETH-PERP", -E9),))
    state.closing = 1
    told: list[Event] = []
    executor = MockExecutor(SimVenue(), told.append)
    desk = ReviewDesk(state, told.append, executor, Limits(), LatencyMonitor())
    close = EmergencyClose(state, told.append, desk, executor, Limits())
    priced = state.markets["ETH-PERP"]
    state.markets["ETH-PERP"] = structs.replace(priced, oracle_e6=None)
    close.step(margin_of(state.account, state.markets, 0), verified=True)
    assert told == []
    state.account = Account("USDC")
    close.step(margin_of(state.account, state.markets, 0), verified=True)
    (halted,) = told
    assert isinstance(halted, StateChanged)
    assert (halted.trading, halted.latched, halted.closing) == (Trading.HALTED, True, 0)


def test_nothing_is_called_flat_before_the_venue_says_so_and_what_stays_is_named() -> None:
    class Asked(MockExecutor):
        asked = 0

        def observe(self, now_ns: int) -> None:
            self.asked += 1
            super().observe(now_ns)

    state, told = held(spots=(SpotBalance("USDC", -E9), SpotBalance("wBTC", E9))), list[Event]()
    state.closing = 1
    executor = Asked(SimVenue(), told.append)
    desk = ReviewDesk(state, told.append, executor, Limits(), LatencyMonitor())
    close = EmergencyClose(state, told.append, desk, executor, Limits())
    margin = margin_of(state.account, state.markets, 0)
    close.step(margin, verified=False)
    assert ([event for event in told if isinstance(event, StateChanged)], executor.asked) == ([], 1)
    close.step(margin, verified=True)
    (halted,) = [event for event in told if isinstance(event, StateChanged)]
    assert (halted.trading, halted.reason.split(";")[0]) == (Trading.HALTED, "flat: left are 1 wBTC")
    assert executor.asked == 1


def test_the_next_attempt_waits_for_its_time_and_for_what_is_in_flight() -> None:
    state, told = held(perps=(PerpPosition("SOL-PERP", 2 * E9),)), list[Event]()
    executor = MockExecutor(SimVenue(), told.append)
    desk = ReviewDesk(state, told.append, executor, Limits(), LatencyMonitor())
    close = EmergencyClose(state, told.append, desk, executor, Limits())
    state.closing, state.now_ns, state.retry_ns = 2, 9, 10
    margin = margin_of(state.account, state.markets, 0)
    close.step(margin, verified=True)
    assert told == []
    plan = TradePlan("p1", (Leg("SOL-PERP", E9, 100 * E6, "perp"),), False, "", None, 1)
    state.now_ns, state.in_flight = 10, {"p1": InFlight(plan, 0, (0,))}
    close.step(margin, verified=True)
    assert [event for event in told if isinstance(event, Decided)] == []
    state.in_flight = {}
    close.step(margin, verified=True)
    assert [event.emergency for event in told if isinstance(event, Decided)] == [True]


def test_a_second_close_cancels_what_is_in_flight_as_the_first_did() -> None:
    """The first one ended at its first attempt, with nothing to close; the second begins at attempt one too."""

    state, told = held(), list[Event]()
    executor = Counting(SimVenue(), told.append)
    desk = ReviewDesk(state, told.append, executor, Limits(), LatencyMonitor())
    close = EmergencyClose(state, told.append, desk, executor, Limits())
    state.closing = 1
    close.step(margin_of(state.account, state.markets, 0), verified=True)
    assert [event.trading for event in told if isinstance(event, StateChanged)] == [Trading.HALTED]
    plan = TradePlan("p1", (Leg("SOL-PERP", E9, 100 * E6, "perp"),), False, "", None, 1)
    state.in_flight, state.closing = {"p1": InFlight(plan, 0, (0,))}, 1
    for _ in range(2):
        close.step(margin_of(state.account, state.markets, 0), verified=True)
    assert executor.cancelled == 1


def test_an_attempts_orders_may_fill_until_the_next_is_due_and_what_is_left_is_cancelled_until_it_is_gone() -> None:
    """A cancel may be lost, and a process that died may not have sent it: it is asked for again."""
    state, told = held(perps=(PerpPosition("SOL-PERP", 2 * E9),)), list[Event]()
    executor = Counting(SimVenue(), told.append)
    desk = ReviewDesk(state, told.append, executor, Limits(), LatencyMonitor())
    close = EmergencyClose(state, told.append, desk, executor, Limits())
    margin = margin_of(state.account, state.markets, 0)
    plan = TradePlan("p1", (Leg("SOL-PERP", -E9, 95 * E6, "perp", True),), False, "", None, 20 * SECOND_NS)
    state.in_flight, state.closing, state.retry_ns = {"p1": InFlight(plan, 0, (0,))}, 2, 5 * SECOND_NS
    asked = []
    for state.now_ns in range(SECOND_NS, 16 * SECOND_NS, SECOND_NS):
        close.step(margin, verified=True)
        asked.append(executor.cancelled)
    assert asked == [0] * 4 + [1] * 5 + [2] * 5 + [3]


@pytest.mark.parametrize(
    ("attempt", "given_e4", "distance_e4", "pause_s"),
    [
        (1, None, 500, 5),
        (4, None, 2_000, 40),
        (5, None, 2_500, 80),
        (6, None, 2_500, 160),
        (7, None, 2_500, 300),
        (40, None, 2_500, 300),
        (1, 200, 200, 5),
        (3, 200, 600, 20),
        (20, 200, 2_500, 300),
        (2, 3_000, 3_000, 10),
    ],
)
def test_how_wide_an_attempt_goes_how_long_its_order_lives_and_when_the_next_may_follow(
    attempt: int, given_e4: int | None, distance_e4: int, pause_s: int
) -> None:
    """The first distance times the attempt, to 25 % or what the user allows at once; 5 s, doubled, to 5 minutes."""
    state = held(spots=(SpotBalance("USDC", 1_000 * E9),), perps=(PerpPosition("SOL-PERP", 2 * E9),))
    state.closing, state.now_ns = attempt, 1_000 * SECOND_NS
    told: list[Event] = []
    limits = Limits(limit_distance_emergency_e4=given_e4)
    executor = MockExecutor(SimVenue(), told.append)
    desk = ReviewDesk(state, told.append, executor, limits, LatencyMonitor())
    EmergencyClose(state, told.append, desk, executor, limits).step(margin_of(state.account, state.markets, 0), True)
    (decided,) = [event for event in told if isinstance(event, Decided)]
    assert (decided.emergency, decided.plan.expires_ns - state.now_ns) == (True, 20 * SECOND_NS)
    assert decided.plan.legs == (Leg("SOL-PERP", -2 * E9, (10_000 - distance_e4) * E6 // 100, "perp", True),)
    (changed,) = [event for event in told if isinstance(event, StateChanged)]
    assert (changed.trading, changed.closing) == (Trading.REDUCING, attempt + 1)
    assert changed.retry_ns - state.now_ns == pause_s * SECOND_NS
