"""The view of one tick: all that a strategy sees, frozen, taken from the state of that moment.

The account and every market are frozen already, so the view copies one dictionary and counts nothing; its margin is
worked out from the view itself when it is read.
"""

from collections.abc import Callable

from drift_engine.core.types import EngineState, Margin, MarketState

Margins = Margin | Callable[[MarketState], Margin]
"""A view's margin where that is known, or what works it out."""

_NONE: frozenset[str] = frozenset()


def view_of(state: EngineState, margins: Margins) -> MarketState:
    """Return the view of this moment."""
    in_flight = _NONE
    if state.in_flight:
        in_flight = frozenset(leg.market for flight in state.in_flight.values() for leg in flight.plan.legs)
    return MarketState(
        state.now_ns,
        state.slot,
        state.markets.copy(),
        state.account,
        margins,
        state.trading,
        in_flight,
        state.last_fill_ns,
        state.equity_e6 - state.net_deposits_e6,
    )
