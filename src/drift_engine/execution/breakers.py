"""The breakers: when the engine must stop taking risk, or get out, by what the state shows.

In order of severity, the first that trips is the one told:

* ``health``: health under the emergency limit, in every trading state;
* ``account``: equity a tenth under its high-water mark;
* ``strategy``: the strategy's own PnL under its share of the capital allotted to it;
* ``daily``: equity a twentieth under its value at 00:00 UTC: reduce only until the next 00:00 UTC.

The first three start an emergency close (``closing=1``, latched); the steps that follow are the engine's. Nothing is
told twice: while a close is under way or a latch holds there is nothing to add, except that failing health is told
again as long as there is something left to close. The latch of a strategy that failed closes nothing: all but the last
go on for what it left open. Where the books are in dispute a human decides. Pure.
"""

from drift_engine.core.spot_balance import base_e9
from drift_engine.core.types import Cause, EngineState, Margin, StateChanged, Trading
from drift_engine.core.units import DAY_NS, E4, show_scaled, tdiv
from drift_engine.execution.limits import Limits


def breach(state: EngineState, margin: Margin, limits: Limits, capital_e6: int) -> StateChanged | None:
    """Return the change of state that the worst tripped breaker asks for, ``None`` where none trips.

    ``capital_e6`` is the capital allotted to the strategy, in quote.
    """
    if state.closing or state.disputed:
        return None
    if _unhealthy(margin, limits) and (not state.latched or has_exposure(state)):
        reason = f"health {_shown(margin.health_e4, 2)} % is under {_shown(limits.emergency_health_e4, 2)} %"
        return _close(state, "health", reason)
    if state.latched and (state.trading is Trading.HALTED or not has_exposure(state)):
        return None
    if _fell(state.equity_e6, state.high_water_e6, limits.account_drawdown_e4):
        reason = f"{_fallen(state.equity_e6, limits.account_drawdown_e4)} its high of {_shown(state.high_water_e6, 6)}"
        return _close(state, "account", reason)
    if (state.latched or not state.strategy_disabled) and _lost(state, capital_e6, limits.strategy_drawdown_e4):
        lost = _shown(limits.strategy_drawdown_e4, 2)
        reason = f"the strategy lost {lost} % or more of its capital of {_shown(capital_e6, 6)}"
        return _close(state, "strategy", reason)
    if state.trading is Trading.ACTIVE and _fell(state.equity_e6, state.day_equity_e6, limits.daily_drawdown_e4):
        return _reduce_for_the_day(state, limits.daily_drawdown_e4)
    return None


def recovery(state: EngineState) -> StateChanged | None:
    """Return the end of a daily breaker once its day is over, ``None`` while there is none to end."""
    if not state.until_ns or state.now_ns < state.until_ns or state.trading is not Trading.REDUCING:
        return None
    if state.latched or state.disputed or state.closing:
        return None
    return StateChanged(
        state.now_ns,
        Trading.ACTIVE,
        "the day of the daily breaker is over",
        "day",
        strategy_disabled=state.strategy_disabled,
    )


def failure(state: EngineState, what: str) -> StateChanged | None:
    """Return the end of a strategy that failed; ``None`` where nothing is at risk that had to be watched without it."""
    if not (state.in_flight or has_exposure(state)):
        return None
    reason = f"the strategy failed: {what}"
    return StateChanged(state.now_ns, Trading.REDUCING, reason, "strategy", latched=True, strategy_disabled=True)


def has_exposure(state: EngineState) -> bool:
    """Return whether there is anything an emergency close could still close.

    That is a perp position, or a borrow of another asset than the quote that is not under the venue's minimum. Plain
    deposits are no risk by themselves and may stay.
    """
    account = state.account
    if any(position.base_e9 for position in account.perps):
        return True
    for balance in account.spots:
        if balance.market != account.quote and balance.scaled_e9 < 0:
            market = state.markets[balance.market]
            if -base_e9(balance, market) >= max(market.min_order_e9, market.step_e9):
                return True
    return False


def _unhealthy(margin: Margin, limits: Limits) -> bool:
    """Unknown health trips nothing: it is no zero. The gates block what increases while it lasts."""
    health_e4, least_e4 = margin.health_e4, limits.emergency_health_e4
    return health_e4 is not None and least_e4 is not None and health_e4 < least_e4


def _fell(equity_e6: int, from_e6: int, drawdown_e4: int | None) -> bool:
    return drawdown_e4 is not None and from_e6 > 0 and equity_e6 * E4 <= from_e6 * (E4 - drawdown_e4)


def _lost(state: EngineState, capital_e6: int, drawdown_e4: int | None) -> bool:
    """PnL is equity less net deposits, as the books keep it; what was lost before a human resumed does not count."""
    if drawdown_e4 is None or capital_e6 <= 0:
        return False
    own_e6 = state.equity_e6 - state.net_deposits_e6 - state.pnl_at_reset_e6
    return own_e6 * E4 <= -capital_e6 * drawdown_e4


def _close(state: EngineState, cause: Cause, reason: str) -> StateChanged:
    return StateChanged(
        state.now_ns,
        Trading.REDUCING,
        reason,
        cause,
        latched=True,
        closing=1,
        strategy_disabled=state.strategy_disabled or cause == "strategy",
    )


def _reduce_for_the_day(state: EngineState, drawdown_e4: int | None) -> StateChanged:
    return StateChanged(
        state.now_ns,
        Trading.REDUCING,
        f"{_fallen(state.equity_e6, drawdown_e4)} the day's start of {_shown(state.day_equity_e6, 6)}",
        "daily",
        until_ns=(state.now_ns // DAY_NS + 1) * DAY_NS,
        strategy_disabled=state.strategy_disabled,
    )


def _fallen(equity_e6: int, drawdown_e4: int | None) -> str:
    return f"equity {_shown(equity_e6, 6)} is {_shown(drawdown_e4, 2)} % or more under"


def _shown(figure: int | None, decimals: int) -> str:
    """Return a figure with two decimals at most, cut off: it is for reading, the exact one is in the state."""
    return "unknown" if figure is None else show_scaled(tdiv(figure, 10 ** max(decimals - 2, 0)), min(decimals, 2))
