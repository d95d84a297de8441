"""What a human asks of a running engine. Taken between ticks, written down, then done.

The word itself is an event (``Commanded``, with who and when), and what the engine does is a reaction to that event.
So a replay that meets the word in the journal does the same again, and a crash right after it loses nothing. A word
that cannot be followed is answered with the reason and leaves no trace here.
"""

from collections.abc import Callable
from typing import cast, get_args

from msgspec import Struct

from drift_engine.core.spot_balance import base_e9
from drift_engine.core.types import (
    Command,
    Commanded,
    EngineState,
    Event,
    Margin,
    StateChanged,
    TradePlan,
    TradeSignal,
    Trading,
    Withdrawn,
)
from drift_engine.core.units import SECOND_NS, floor_to_step, show_scaled
from drift_engine.desk import ReviewDesk
from drift_engine.emergency import closing_legs
from drift_engine.execution.limits import Limits
from drift_engine.execution.ports import Executor
from drift_engine.execution.withdrawals import withdrawal_refusal

RESUMED = "resumed by a human"
_PLAN_LIFE_S = 30
_DISTANCE_E4 = 100
_MOST_E6 = 10**15


class Reply(Struct, frozen=True):
    """What became of a command: ``code`` is a word for programs, ``message`` a line for people."""

    ok: bool
    code: str
    message: str


def _yes(code: str, message: str) -> Reply:
    return Reply(ok=True, code=code, message=message)


def _no(code: str, message: str) -> Reply:
    return Reply(ok=False, code=code, message=message)


class Commands:
    """Judges a command against the state, journals it, and does it. ``margin`` returns that of the last tick."""

    def __init__(
        self,
        state: EngineState,
        process: Callable[[Event], None],
        desk: ReviewDesk,
        executor: Executor,
        limits: Limits,
        margin: Callable[[], Margin | None],
    ) -> None:
        self._state, self._process = state, process
        self._desk, self._executor, self._margin = desk, executor, margin
        self._distance_e4 = limits.limit_distance_reduce_e4 or _DISTANCE_E4
        self._outcome = _yes("done", "done")
        self._leaving = False

    def ask(self, command: str, who: str, market: str = "", amount_e6: int = 0) -> Reply:
        """Do what a human asks, or say why not. ``who`` is kept in the journal with it.

        ``amount_e6`` is what to deposit or withdraw of the quote asset.
        """
        if command not in get_args(Command):
            return _no("unknown_command", f"no command {command!r}; known are {', '.join(get_args(Command))}")
        refusal = self._refusal(command, market, amount_e6)
        if refusal is not None:
            return refusal
        self._process(Commanded(self._state.now_ns, cast("Command", command), who, market, amount_e6))
        return self._outcome

    def take(self, event: Commanded | Withdrawn) -> None:
        """React to a command that was written down, and to the report of a withdrawal."""
        if isinstance(event, Withdrawn):
            self._leaving = False
            return
        match event.command:
            case "kill":
                self._outcome = self._kill(event)
            case "close":
                self._outcome = self._close(event)
            case "settle":
                self._outcome = self._settle(event)
            case "resume":
                self._outcome = self._resume(event)
            case "deposit" | "withdraw":
                self._outcome = self._transfer(event)

    # ------------------------------------------------------------------ what cannot be followed

    def _refusal(self, command: str, market: str, amount_e6: int) -> Reply | None:
        match command:
            case "kill":
                return self._no_kill()
            case "close":
                return self._no_close(market)
            case "settle":
                return self._no_settle(market)
            case "deposit" | "withdraw":
                return self._no_transfer(command, amount_e6)
        return self._no_resume()

    def _no_kill(self) -> Reply | None:
        if self._state.disputed:
            return _no("disputed", "the books are in dispute: nothing is sent until a human has resumed")
        if self._state.closing:
            return _yes("closing", f"already closing, attempt {self._state.closing}")
        return None

    def _no_close(self, market: str) -> Reply | None:
        state = self._state
        if state.closing:
            return _no("closing", "an emergency close is under way; it closes everything")
        if market not in state.markets:
            return _no("unknown_market", f"no market {market!r}; known are {', '.join(state.markets)}")
        if not self._held_e9(market):
            return _no("nothing_held", f"nothing to close in {market}")
        if state.markets[market].oracle_e6 is None or self._margin() is None:
            return _no("no_price", f"{market} has no price yet; nothing can be closed without one")
        return None

    def _no_settle(self, market: str) -> Reply | None:
        if market and market not in self._state.markets:
            return _no("unknown_market", f"no market {market!r}")
        if not self._to_settle(market):
            return _no("nothing_unsettled", "no position has unsettled profit or loss")
        return None

    def _no_resume(self) -> Reply | None:
        state = self._state
        if state.closing:
            return _no("closing", f"an emergency close is under way, attempt {state.closing}; let it end first")
        if not (state.latched or state.trading is not Trading.ACTIVE or state.strategy_disabled):
            return _no("nothing_to_resume", f"nothing to resume; trading is {state.trading}")
        return None

    def _no_transfer(self, command: str, amount_e6: int) -> Reply | None:
        state = self._state
        if not 0 < amount_e6 <= _MOST_E6:
            return _no("bad_amount", f"an amount is more than 0 and at most {_MOST_E6 // 10**6:,}")
        if state.disputed:
            return _no("disputed", "the books are in dispute: nothing is moved until a human has resumed")
        if command == "deposit":
            return None
        if state.closing:
            return _no("closing", "an emergency close is under way; nothing is paid out before it has ended")
        if self._leaving:
            return _no("under_way", "a withdrawal is under way; what is left is known when the venue has told of it")
        refusal = withdrawal_refusal(state, self._margin(), amount_e6)
        return None if refusal is None else _no("refused", refusal)

    # ------------------------------------------------------------------ doing it

    def _kill(self, event: Commanded) -> Reply:
        state = self._state
        reason = f"killed by {event.who}"
        disabled = state.strategy_disabled
        self._process(
            StateChanged(
                event.ts_ns, Trading.REDUCING, reason, "kill", latched=True, closing=1, strategy_disabled=disabled
            )
        )
        return _yes("closing", "REDUCING: cancelling orders and closing everything, step by step")

    def _close(self, event: Commanded) -> Reply:
        """Ask to hold nothing in a market; a reduction, which the gates review like any other."""
        state, margin, market = self._state, self._margin(), event.market
        if margin is None:
            return _no("no_price", "no tick was made yet")
        legs = closing_legs(state, {market: self._held_e9(market)}, self._distance_e4)
        reason = f"closed by {event.who}"
        plan = TradePlan(
            plan_id=self._desk.next_plan_id(),
            legs=legs,
            atomic=False,
            reason=reason,
            edge_e6=None,
            expires_ns=state.now_ns + _PLAN_LIFE_S * SECOND_NS,
        )
        result = self._desk.submit_by_hand(plan, TradeSignal({market: 0}, reason), margin)
        if result.status == "refused":
            return _no("refused", f"{market} stays open: {'; '.join(result.reasons)}")
        return _yes("submitted", f"{plan.plan_id} closes {market}; the strategy may open it again while it runs")

    def _settle(self, event: Commanded) -> Reply:
        markets = self._to_settle(event.market)
        for market in markets:
            self._executor.settle_pnl(market, event.ts_ns)
        return _yes("asked", f"asked the venue to settle {', '.join(markets)}")

    def _transfer(self, event: Commanded) -> Reply:
        pays_in = event.command == "deposit"
        refusal = self._executor.transfer(event.amount_e6 if pays_in else -event.amount_e6, event.ts_ns)
        if refusal is not None:
            return _no("refused", refusal)
        self._leaving = self._leaving or not pays_in
        what = f"{show_scaled(event.amount_e6, 6)} {self._state.account.quote}"
        return _yes("done", f"{what} {'paid in' if pays_in else 'paid out'}")

    def _resume(self, event: Commanded) -> Reply:
        state = self._state
        was = f"{state.trading} ({state.reason})"
        disputed = state.disputed
        self._process(StateChanged(event.ts_ns, Trading.ACTIVE, RESUMED, "resume"))
        if disputed:
            self._executor.observe(event.ts_ns)
        return _yes("resumed", f"ACTIVE; was {was}")

    # ------------------------------------------------------------------ what is held

    def _held_e9(self, market: str) -> int:
        """Return the signed base a market could be closed by, whole steps, 0 for none and for the quote."""
        state = self._state
        known = state.markets[market]
        if market == state.account.quote:
            return 0
        held = (
            state.account.perp(market).base_e9 if known.kind == "perp" else base_e9(state.account.spot(market), known)
        )
        return floor_to_step(held, known.step_e9)

    def _to_settle(self, market: str) -> tuple[str, ...]:
        held = self._state.held
        names = (position.market for position in self._state.account.perps if market in ("", position.market))
        return tuple(name for name in names if name in held and held[name].worth_e6 + held[name].rest_e6)
