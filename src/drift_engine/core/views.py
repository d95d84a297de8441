"""The view of one tick: all that a strategy sees, frozen, taken from the state of that moment.

The account and every market are frozen already, so the view copies one dictionary and counts nothing; its margin is
worked out from the view itself when it is read.
"""

from collections.abc import Callable

from drift_engine.core.types import EngineState, Margin, MarketState

_NONE: frozenset[str] = frozenset()


def view_of(state: EngineState, assess: Callable[[MarketState], Margin]) -> MarketState:
    """Return the view of this moment. ``assess`` gives a view's margin."""
    in_flight = _NONE
    if state.in_flight:
        in_flight = frozenset(leg.market for flight in state.in_flight.values() for leg in flight.plan.legs)
    return MarketState(
        state.now_ns,
        state.slot,
        state.markets.copy(),
        state.account,
        assess,
        state.trading,
        in_flight,
        state.last_fill_ns,
        state.equity_e6 - state.net_deposits_e6,
    )
