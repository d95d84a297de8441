"""Tells in a few comparisons that nothing but the strategy is to be asked: what nearly every tick needs to know.

Two questions, the cheaper first. ``holds``: since the last tick that was looked at in full nothing happened but prices,
each is inside the band in which health cannot be under what it was at its lowest, nor under the emergency limit
(``core.margin_bands``), and no mark moved since equity's lowest was above every alarm. A sixteenth of the slack is kept
in reserve: what funding takes comes out of it, and the bands hold until it is gone. ``is_calm``: by margin worked out
afresh, no breaker can trip and nothing else is to be seen to. Where both say no, the engine asks the breakers and the
rest. Pure.
"""

from drift_engine.core.margin_bands import Band, slack_e6
from drift_engine.core.types import AccountObserved, EngineState, Event, FundingPaid, Margin, RowsRead, Trading
from drift_engine.core.units import E4
from drift_engine.execution.limits import Limits

_NO_HEALTH = E4 + 1
_STEADY = frozenset((FundingPaid, AccountObserved, RowsRead))
_RESERVE = 16
_ROUNDING_E6 = 2


class Watch:
    """Keeps what the comparisons need.

    That is the highest equity at which an equity breaker could trip, worked out again when a mark moved, and the bands.
    Any event but a price ends them, save one that leaves positions as they are and costs no more than the reserve. The
    engine says until when there is nothing else to see to (``stay_calm_until``); a plan in flight is always seen to.
    """

    __slots__ = (
        "_alarm_e6",
        "_bands",
        "_calm_until_ns",
        "_capital_e6",
        "_clear_at",
        "_health_e4",
        "_limits",
        "_lowest_e4",
        "_marks",
        "_reserve_e6",
    )

    def __init__(self, limits: Limits, capital_e6: int) -> None:
        self._limits = limits
        self._capital_e6 = capital_e6
        self._health_e4 = limits.emergency_health_e4 or 0
        self._marks, self._alarm_e6 = -1, 0
        self._calm_until_ns, self._clear_at = 0, -1
        self._lowest_e4 = _NO_HEALTH
        self._bands: tuple[Band, ...] | None = None
        self._reserve_e6 = 0

    @property
    def lowest_e4(self) -> int | None:
        """The lowest health that was known at any tick, ``None`` where none was."""
        return None if self._lowest_e4 == _NO_HEALTH else self._lowest_e4

    @property
    def bound_e4(self) -> int:
        """The health that bands are to be made for: at or above it there is nothing to see to."""
        return self._lowest_e4 if self._lowest_e4 > self._health_e4 else self._health_e4

    def reserve_e6(self, margin: Margin) -> int:
        """Return what bands for ``bound_e4`` are to leave for other losses than those by prices."""
        return max(slack_e6(margin, self.bound_e4), 0) // _RESERVE

    def hold(self, bands: tuple[Band, ...] | None, reserve_e6: int = 0) -> None:
        """Take the bands made at a calm tick, for ``bound_e4``, and what they leave; ``None`` where there are none."""
        self._bands, self._reserve_e6 = bands, reserve_e6

    def stay_calm_until(self, due_ns: int) -> None:
        """Take the time at which the engine has something to see to, whatever prices do."""
        self._calm_until_ns, self._clear_at = due_ns, -1

    def take(self, event: Event, cost_e6: int) -> None:
        """Take an event that is no price, and what it cost the account; a gain adds nothing to the reserve."""
        if type(event) not in _STEADY:
            self._bands = None
            return
        self._reserve_e6 -= (cost_e6 if cost_e6 > 0 else 0) + _ROUNDING_E6
        if self._reserve_e6 < 0:
            self._bands = None

    def holds(self, state: EngineState) -> bool:
        """Return whether prices are all that moved, and health and equity are still clear of everything."""
        bands = self._bands
        if bands is None or (state.marks != self._clear_at and not self._is_clear(state)):
            return False
        markets = state.markets
        for name, low_e6, high_e6 in bands:
            market = markets[name]
            if not low_e6 <= (market.oracle_e6 or 0) <= high_e6 or market.status == "settlement":
                return False
        return True

    def _is_clear(self, state: EngineState) -> bool:
        """Whether nothing is due or trips until a mark moves: a new day moves one, and so does a new low of equity."""
        clear = (
            state.next_day_ns <= self._calm_until_ns
            and state.high_water_e6 > 0
            and state.trough_e6 > self._highest_alarm_e6(state)
        )
        self._clear_at = state.marks if clear else -1
        return clear

    def is_calm(self, state: EngineState, margin: Margin) -> bool:
        """Return whether there is nothing to see to but the strategy; False where breakers and the rest must be asked.

        It also keeps the lowest health it was shown.
        """
        health_e4 = margin.health_e4
        if health_e4 is None:
            return False
        self._lowest_e4 = min(self._lowest_e4, health_e4)
        return (
            state.equity_e6 > self._highest_alarm_e6(state)
            and health_e4 >= self._health_e4
            and state.now_ns < self._calm_until_ns
            and state.trading is Trading.ACTIVE
            and not state.in_flight
            and not state.latched
        )

    def _highest_alarm_e6(self, state: EngineState) -> int:
        if state.marks != self._marks:
            self._marks, self._alarm_e6 = state.marks, self._alarm_now_e6(state)
        return self._alarm_e6

    def _alarm_now_e6(self, state: EngineState) -> int:
        limits, start_e6 = self._limits, state.net_deposits_e6 + state.pnl_at_reset_e6
        alarms = [
            from_e6 * (E4 - drawdown_e4) // E4
            for from_e6, drawdown_e4 in (
                (state.high_water_e6, limits.account_drawdown_e4),
                (state.day_equity_e6, limits.daily_drawdown_e4),
            )
            if drawdown_e4 is not None
        ]
        if limits.strategy_drawdown_e4 is not None:
            alarms.append(start_e6 - self._capital_e6 * limits.strategy_drawdown_e4 // E4)
        return max(alarms, default=-(1 << 63))
