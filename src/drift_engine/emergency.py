"""The emergency close: cancel everything, close everything, verify with the venue, and stay halted.

It is a procedure over the engine's state, one step a tick, so that it survives a crash: ``state.closing`` is the number
of the attempt under way and ``state.retry_ns`` when the next may start; both are journaled. Until then the orders of an
attempt are left to fill; what is still in flight is cancelled before the next, which accepts a wider price. It ends
HALTED and latched when our books are flat and the venue's say the same; what cannot be closed is named, never hidden.
It closes perps, what was borrowed, and the spot leg of a hedge; other deposits stay.
"""

from collections.abc import Callable

from drift_engine.core.spot_balance import base_e9
from drift_engine.core.types import EngineState, Event, Hedge, Leg, Margin, StateChanged, TradePlan, Trading
from drift_engine.core.units import SECOND_NS, floor_to_step, show_base
from drift_engine.desk import ReviewDesk
from drift_engine.execution.limits import Limits
from drift_engine.execution.ports import Executor
from drift_engine.strategies.base import limit_price_e6

_FIRST_DISTANCE_E4 = 500
_WIDEST_DISTANCE_E4 = 2_500
_BACKOFF_S = 5
_LONGEST_BACKOFF_S = 300
_PLAN_LIFE_S = 20


class EmergencyClose:
    """Takes one step of the close at each tick while ``state.closing`` is not 0."""

    def __init__(
        self,
        state: EngineState,
        process: Callable[[Event], None],
        desk: ReviewDesk,
        executor: Executor,
        limits: Limits,
    ) -> None:
        self._state = state
        self._process = process
        self._desk = desk
        self._executor = executor
        self._first_e4 = limits.limit_distance_emergency_e4 or _FIRST_DISTANCE_E4
        self._cancel_ns = 0

    def step(self, margin: Margin, verified: bool) -> None:
        """Do the next thing: wait for what is in flight, try again, or end. ``verified``: the venue's books agree.

        What has no price cannot be closed, and nothing is called flat while there is any of it.
        """
        state = self._state
        if state.now_ns < state.retry_ns:
            return
        if state.in_flight:
            self._cancel()
            return
        distance_e4 = min(self._first_e4 * state.closing, max(self._first_e4, _WIDEST_DISTANCE_E4))
        open_e9 = to_close(state, self._desk.hedge)
        legs = closing_legs(state, open_e9, distance_e4)
        if legs:
            self._attempt(legs, margin, distance_e4)
        elif open_e9:
            return
        elif verified:
            self._cancel_ns = 0
            self._process(self._changed(Trading.HALTED, f"flat: {left_behind(state)}; {state.reason}", closing=0))
        else:
            self._executor.observe(state.now_ns)

    def _cancel(self) -> None:
        """Ask that all is cancelled, and ask again while anything stays in flight: a word to the venue may be lost."""
        now_ns = self._state.now_ns
        if now_ns >= self._cancel_ns:
            self._cancel_ns = now_ns + _BACKOFF_S * SECOND_NS
            self._executor.cancel_all(now_ns)

    def _attempt(self, legs: tuple[Leg, ...], margin: Margin, distance_e4: int) -> None:
        state = self._state
        pause_s = min(_BACKOFF_S * 2 ** (state.closing - 1), _LONGEST_BACKOFF_S)
        for leg in legs:
            plan = TradePlan(
                plan_id=self._desk.next_plan_id(),
                legs=(leg,),
                atomic=False,
                reason=f"emergency close, attempt {state.closing}: {state.reason}",
                edge_e6=None,
                expires_ns=state.now_ns + _PLAN_LIFE_S * SECOND_NS,
            )
            self._desk.submit_emergency(plan, margin, distance_e4)
        retry_ns = state.now_ns + pause_s * SECOND_NS
        self._process(self._changed(Trading.REDUCING, state.reason, closing=state.closing + 1, retry_ns=retry_ns))

    def _changed(self, trading: Trading, reason: str, *, closing: int, retry_ns: int = 0) -> StateChanged:
        state = self._state
        return StateChanged(
            ts_ns=state.now_ns,
            trading=trading,
            reason=reason,
            cause="close",
            latched=True,
            disputed=state.disputed,
            closing=closing,
            retry_ns=retry_ns,
            strategy_disabled=state.strategy_disabled,
        )


def to_close(state: EngineState, hedge: Hedge | None) -> dict[str, int]:
    """Return the signed base to be closed in each market, in 1e9; what is under a step cannot be and is left out."""
    held = {position.market: position.base_e9 for position in state.account.perps}
    for balance in state.account.spots:
        amount_e9 = base_e9(balance, state.markets[balance.market])
        hedged = hedge is not None and balance.market == hedge.spot
        if balance.market != state.account.quote and (amount_e9 < 0 or hedged):
            held[balance.market] = amount_e9
    whole = {name: floor_to_step(amount_e9, state.markets[name].step_e9) for name, amount_e9 in held.items()}
    return {name: amount_e9 for name, amount_e9 in whole.items() if amount_e9}


def closing_legs(state: EngineState, open_e9: dict[str, int], distance_e4: int) -> tuple[Leg, ...]:
    """Return the legs that close what has a price."""
    markets = ((state.markets[name], -held_e9) for name, held_e9 in open_e9.items())
    return tuple(
        Leg(market.name, base, limit_price_e6(market, base, distance_e4), market.kind, reduce_only=True)
        for market, base in markets
        if market.oracle_e6 is not None
    )


def left_behind(state: EngineState) -> str:
    """Say in words what the account still holds besides its quote."""
    left = [f"{show_base(position.base_e9)} {position.market}" for position in state.account.perps if position.base_e9]
    left += [
        f"{show_base(base_e9(balance, state.markets[balance.market]))} {balance.market}"
        for balance in state.account.spots
        if balance.market != state.account.quote
    ]
    return "nothing left" if not left else "left are " + ", ".join(left)
