"""What an emergency close has to close: nothing is forgotten because its price is not known."""

from __future__ import annotations

from msgspec import structs

from drift_engine.core.margin_monitor import margin_of
from drift_engine.core.types import (
    Account,
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
from drift_engine.core.units import E6, E9
from drift_engine.desk import ReviewDesk
from drift_engine.emergency import EmergencyClose, closing_legs, to_close
from drift_engine.execution.latency_monitor import LatencyMonitor
from drift_engine.execution.limits import Limits
from drift_engine.execution.mock_executor import MockExecutor
from drift_engine.simulation.facts import venue_facts
from drift_engine.simulation.venue import SimVenue

MARKETS = {name: Market(spec, oracle_e6=100 * E6) for name, spec in venue_facts().items()}


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


def test_a_second_close_cancels_what_is_in_flight_as_the_first_did() -> None:
    """The first one ended at its first attempt, with nothing to close; the second begins at attempt one too."""

    class Counting(MockExecutor):
        cancelled = 0

        def cancel_all(self, now_ns: int) -> None:
            self.cancelled += 1
            super().cancel_all(now_ns)

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
