"""Layer 4: the engine. Health first, then the market, then the strategy, then the gates, then the order.

``DriftEngine.tick`` is the seed's five steps, top to bottom; nothing in it waits for the network. News comes in through
the inbox, orders go out through the desk, and every event goes journal → ledger → bus in ``process``: that is the only
way the state changes. ``BaseEngine``, the lifecycle, is in ``lifecycle``.
"""

from collections.abc import AsyncIterator, Callable
from typing import Any

from msgspec import to_builtins

from drift_engine import status, wiring
from drift_engine.books import Books
from drift_engine.commands import Commands
from drift_engine.config import ConfigError, RunConfig
from drift_engine.core.driving import DONE, Asker, Done, drive, where
from drift_engine.core.margin_bands import health_bands
from drift_engine.core.margin_monitor import MarginMonitor
from drift_engine.core.market_moves import apply_tick
from drift_engine.core.parameters import shown
from drift_engine.core.position_manager import apply
from drift_engine.core.types import (
    AccountObserved,
    Cause,
    Commanded,
    Decided,
    EngineState,
    Event,
    Filled,
    FundingPaid,
    Liquidated,
    Margin,
    PlanClosed,
    StateChanged,
    Ticked,
    Trading,
    Withdrawn,
)
from drift_engine.core.units import DAY_NS
from drift_engine.core.views import view_of
from drift_engine.desk import ReviewDesk
from drift_engine.emergency import EmergencyClose
from drift_engine.execution import breakers
from drift_engine.execution.watch import Watch
from drift_engine.journal import JournalError
from drift_engine.lifecycle import BaseEngine
from drift_engine.recovery import QuietExecutor, replay, take_outside_news, was_sent
from drift_engine.strategies.base import DriftStrategy
from drift_engine.tally import Tally

__all__ = ["BaseEngine", "DriftEngine"]


class DriftEngine(BaseEngine):
    """Runs one strategy on one sub-account, health first."""

    def __init__(
        self,
        strategy: DriftStrategy,
        live_mode: bool = False,
        config: RunConfig | None = None,
        ports: wiring.Ports | None = None,
    ) -> None:
        super().__init__(f"drift-{strategy.name}")
        self.config = config or RunConfig(strategy=strategy.name, params=shown(strategy.params))
        if live_mode or self.config.mode == "live":
            raise ConfigError(wiring.NOT_LIVE_YET)
        self.strategy = strategy
        self.state, self.tally = EngineState(), Tally()
        self._margin: Margin | None = None
        self._ports = ports
        self._opened, self._warm, self._books_due_ns = False, False, 0
        self._lack("_inbox", "_watch", "_desk", "_journal", "_taken", "bus", "commands")

    @property
    def margin(self) -> Margin | None:
        """The margin of the last tick, ``None`` before the first."""
        view = self._desk.view if self._margin else None
        return view.margin if view is not None and view.now_ns == self.state.now_ns else self._margin

    # ----------------------------------------------------------------- the tick

    def tick(self) -> Done:
        """Health first, then the market, then the strategy, then the gates, then the order. It never suspends."""
        self._take_news()
        state = self.state
        margins = self._assess if self._watch.holds(state) and not self._inbox.missing else self._healthy()  # 1
        if margins is None:
            return DONE
        view = self._desk.view = view_of(state, margins)  # 2
        try:
            signal = self._asker.ask(view)  # 3
            if signal is not None and self._desk.is_free_for(signal):
                drive(self.strategy.on_execute(signal))  # 4
        except JournalError:
            raise
        except Exception as error:  # noqa: BLE001
            self._go_on_without(error)
        return DONE

    def process(self, event: Event) -> None:
        """Take one event: write it down, apply it, tell those who watch, and react to what needs it."""
        equity_e6 = self.state.equity_e6
        self._enter(event)
        self._watch.take(event, equity_e6 - self.state.equity_e6)
        react = self._reactions.get(type(event))
        if react is not None:
            react(event)

    def _enter(self, event: Event) -> None:
        """Enter an event into the books: journal, ledger, bus."""
        self._journal.append(event)
        apply(self.state, event)
        if self.bus.subscriptions:
            self.bus.publish(self.state.seq, event)

    def _take_news(self) -> None:
        """Process what came, then the prices and the tick; journaled by reference, those concern the ledger alone."""
        others, prices = self._inbox.drain()
        for event in others:
            self.process(event)
        if self._journal.reference and not self.bus.subscriptions:
            self._journal.row += len(prices)
            apply_tick(self.state, prices, self._clock.now)
            return
        for event in prices:
            self._enter(event)
        self._enter(Ticked(*self._clock.now))

    def _healthy(self) -> Margin | None:
        """Step 1 in full: the margin when the strategy may be asked, else nothing. What is calm, the watch may hold."""
        state, watch = self.state, self._watch
        margin = self._margin = self._assess(state)
        if not watch.is_calm(state, margin) or self._inbox.missing:
            return margin if self._is_safe(margin) else None
        reserve_e6 = watch.reserve_e6(margin)
        watch.hold(health_bands(margin, state.account, state.markets, watch.bound_e4, reserve_e6), reserve_e6)
        return margin

    def _is_safe(self, margin: Margin) -> bool:
        """Ask the breakers, see to what is overdue, go on with an emergency close. True when all is in order."""
        state = self.state
        change = breakers.breach(state, margin, self._limits, self._capital_e6) or breakers.recovery(state)
        if change is not None:
            self.process(change)
        if state.in_flight or self._inbox.missing:
            self._executor.follow_up(state.in_flight, state.venue_cursor, state.now_ns)
        unsure = self._books.in_doubt and not state.disputed
        if state.now_ns >= self._books_due_ns or unsure:
            self._books_due_ns = (state.now_ns // DAY_NS + 1) * DAY_NS
            self._settle_profits()
            self._executor.observe(state.now_ns)
        self._watch.stay_calm_until(self._books_due_ns if self._is_warm() and not unsure else 0)
        if state.closing:
            self._emergency.step(margin, verified=self._books.agreed_cursor == state.venue_cursor)
            return False
        return state.trading is not Trading.HALTED and self._warm and not (state.strategy_disabled or unsure)

    def _is_warm(self) -> bool:
        """Whether every market the strategy needs has a price."""
        markets, names = self.state.markets, self.strategy.subscriptions
        self._warm = self._warm or all(markets[name].oracle_e6 is not None for name in names)
        return self._warm

    # ----------------------------------------------------------------- reactions

    def _on_filled(self, event: Filled) -> None:
        self.tally.count(event)
        self._latency.observe(event)

    def _on_plan_closed(self, event: PlanClosed) -> None:
        self._latency.observe(event)
        if not self.state.in_flight:
            self._settle_profits()
            self._executor.observe(self.state.now_ns)

    def _settle_profits(self) -> None:
        """Have profits that lie in positions moved to the quote balance, where they count in full and earn interest."""
        state, above_e6 = self.state, self._limits.settle_pnl_above_e6
        if above_e6 is None or state.trading is Trading.HALTED:
            return
        for position in state.account.perps:
            held = state.held.get(position.market)
            if held is not None and held.worth_e6 + held.rest_e6 > above_e6:
                self._executor.settle_pnl(position.market, state.now_ns)

    def _on_observed(self, event: AccountObserved) -> None:
        """Compare the books; a difference is read once more before the engine halts on it, and the strategy waits."""
        found = self._books.compare(self.state, event)
        if not found or self.state.disputed:
            return
        if self._books.doubt():
            self._halt(event.ts_ns, "dispute", "our books differ from the venue's: " + "; ".join(found), disputed=True)
        else:
            self._watch.stay_calm_until(0)

    def _on_liquidated(self, event: Liquidated) -> None:
        self.tally.count(event)
        if not self.state.latched:
            self._halt(event.ts_ns, "liquidation", f"the venue liquidated {event.market or event.asset}", closing=1)

    def _go_on_without(self, error: Exception) -> None:
        """Watch what is at risk without a strategy that failed. Where nothing is, the run ends with its error."""
        change = None if self.config.mode == "backtest" else breakers.failure(self.state, where(error))
        if change is None:
            raise error
        self.process(change)

    def _halt(self, ts_ns: int, cause: Cause, reason: str, *, closing: int = 0, disputed: bool = False) -> None:
        trading = Trading.REDUCING if closing else Trading.HALTED
        self.process(StateChanged(ts_ns, trading, reason, cause, latched=True, disputed=disputed, closing=closing))

    # ----------------------------------------------------------------- lifecycle

    def open(self) -> None:
        """Wire the ports, bind the strategy, and take up what the journal holds."""
        if self._opened:
            return
        ports, self._ports = self._ports or wiring.build(self.config, self.strategy), None
        self._take(ports)
        self._opened = True
        self.process(ports.started)
        self.strategy.bind(self._desk, self.state.markets)
        self._asker = Asker(self.strategy.on_tick)
        self._desk.hedge = self.strategy.hedge
        self._desk.specs = {name: market.spec for name, market in self.state.markets.items()}
        if ports.journal.verifying and not ports.journal.reference:
            self._executor.quiet = True
            replay(self, ports.journal, ports.clock)
            self._executor.quiet = ports.journal.replay
            self._inbox.start_after(self.state.venue_cursor)
            self._executor.catch_up(self.state)

    def _take(self, ports: wiring.Ports) -> None:
        """Take the ports and begin with empty books; what is known comes from the journal.

        CPython lays out up to thirty attributes for quick use, and a tick uses many: keep to them.
        """
        self._clock, self._inbox, self._executor = ports.clock, ports.inbox, QuietExecutor(ports.executor)
        self._journal, self._latency, self._taken = ports.journal, ports.latency, ports
        self._limits, self._capital_e6, self.bus = ports.limits, ports.capital_e6, ports.bus
        self.state, self.tally, self._books, self._warm, self._books_due_ns = EngineState(), Tally(), Books(), False, 0
        self._assess = MarginMonitor(ports.limits.max_oracle_age_slots, ports.limits.max_feed_age_ns).check
        self._desk = ReviewDesk(self.state, self.process, self._executor, self._limits, self._latency)
        self._desk.abandoned = lambda: self._executor.quiet and not was_sent(self._journal)
        self._emergency = EmergencyClose(self.state, self.process, self._desk, self._executor, self._limits)
        self._watch = Watch(ports.limits, ports.capital_e6)
        self.commands = Commands(
            self.state, self.process, self._desk, self._executor, ports.limits, lambda: self.margin
        )
        self._reactions: dict[type, Callable[[Any], None]] = {
            Filled: self._on_filled,
            PlanClosed: self._on_plan_closed,
            AccountObserved: self._on_observed,
            Liquidated: self._on_liquidated,
            StateChanged: self._books.take,
            **dict.fromkeys((Commanded, Withdrawn), self.commands.take),
            **dict.fromkeys((Decided, FundingPaid), self.tally.count),
        }

    def close(self) -> None:
        """Write what is buffered and let go of files. An engine without files keeps its books for the next start."""
        if self._opened and self._journal.path is not None:
            self._opened = False
            self._taken.close()

    def finish(self) -> None:
        """Take what came after the last tick, and compare the books once more: the end of a finite run."""
        self._executor.observe(self.state.now_ns)
        for events in self._inbox.drain():
            for event in events:
                self.process(event)
        take_outside_news(self, self._journal)

    def beats(self) -> AsyncIterator[int]:
        """Return the feed's beats."""
        return self._taken.feed.beats(self._inbox.put)

    # ----------------------------------------------------------------- what leaves the engine, frozen

    def get_status(self) -> dict[str, Any]:
        """Return mode, margin, positions, PnL, the strategy's own status and the rest, as plain values."""
        return {
            "name": self.name,
            "mode": self.config.mode,
            "strategy": self.strategy.name,
            "scenario": self.config.scenario,
            **status.run_status(self._taken.started, self._taken.feed.trouble),
            **status.books_status(self.state, self.margin, self.strategy.subscriptions, self._taken.open_interest_e9),
            **status.strategy_status(self.strategy),
            "venue_trouble": self._executor.trouble,
            "last_decision": status.decision_status(self.tally.last_decision),
            "tally": self.tally.to_status(self.state.ticks, self._watch.lowest_e4),
        }

    def export_state(self) -> dict[str, Any]:
        """Return the whole state as plain values: a copy."""
        return to_builtins(self.state)  # type: ignore[no-any-return]
