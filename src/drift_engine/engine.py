"""Layer 4: the engine. One loop, health first.

``BaseEngine`` is the lifecycle: start is recovery, one loop task only, stop leaves nothing running. ``DriftEngine.tick``
is the seed's five steps, top to bottom; nothing in it waits for the network. News comes in through the inbox, orders go
out through the desk, every event goes journal → ledger → bus in ``process``, and that is the only way the state changes.
"""

import asyncio
from abc import ABC, abstractmethod
from typing import Any

from msgspec import json, structs, to_builtins

from drift_engine import status, wiring
from drift_engine.config import RunConfig
from drift_engine.core.margin_monitor import MarginMonitor
from drift_engine.core.position_manager import apply
from drift_engine.core.reconcile import differences
from drift_engine.core.types import (
    AccountObserved,
    Decided,
    EngineState,
    Event,
    Filled,
    Liquidated,
    Margin,
    MarketState,
    PlanClosed,
    StateChanged,
    Ticked,
    Trading,
)
from drift_engine.core.units import DAY_NS
from drift_engine.desk import ReviewDesk
from drift_engine.emergency import EmergencyClose
from drift_engine.execution import breakers
from drift_engine.recovery import recover
from drift_engine.strategies.base import DriftStrategy, drive


class BaseEngine(ABC):
    """The lifecycle every engine shares."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._task: asyncio.Task[None] | None = None
        self._ready = asyncio.Event()

    @property
    def running(self) -> bool:
        """Whether the loop task is alive."""
        return self._task is not None and not self._task.done()

    async def start(self) -> None:
        """Recover, start the one loop, and return once its first tick is done. A second start changes nothing."""
        if self.running:
            return
        self._ready = asyncio.Event()
        self.open()
        self._task = asyncio.create_task(self._loop(), name=self.name)
        first = asyncio.create_task(self._ready.wait())
        await asyncio.wait({self._task, first}, return_when=asyncio.FIRST_COMPLETED)
        first.cancel()
        if self._task.done():
            await self.wait()

    async def wait(self) -> None:
        """Wait until the loop ends; what ended it by error is raised here."""
        if self._task is not None:
            await asyncio.shield(self._task)

    async def stop(self) -> None:
        """End the loop and close what was opened; safe to call twice."""
        task, self._task = self._task, None
        if task is not None and not task.done():
            task.cancel()
            await asyncio.wait({task})
        self.close()

    async def restart(self) -> None:
        """Stop, then start again from the journal."""
        await self.stop()
        await self.start()

    async def _loop(self) -> None:
        async for _ in self.beats():
            drive(self.tick())
            self._ready.set()

    @abstractmethod
    def open(self) -> None:
        """Make ready to tick: recover what a journal holds."""

    @abstractmethod
    def close(self) -> None:
        """Write what is buffered and let go of files."""

    @abstractmethod
    def beats(self) -> Any:
        """Return an async iterator that fills the inbox and yields each time the engine should tick."""

    @abstractmethod
    async def tick(self) -> None:
        """Do one round of the five steps."""

    @abstractmethod
    def get_status(self) -> dict[str, Any]:
        """Return what the engine would tell a person."""


class DriftEngine(BaseEngine):
    """Runs one strategy on one sub-account, health first."""

    def __init__(
        self,
        strategy: DriftStrategy,
        live_mode: bool = False,  # noqa: FBT001, FBT002 - the seed's signature
        config: RunConfig | None = None,
        ports: wiring.Ports | None = None,
    ) -> None:
        super().__init__(f"drift-{strategy.name}")
        if live_mode:
            raise wiring.NotLiveYetError(wiring.NOT_LIVE_YET)
        self.strategy = strategy
        self._config = config or wiring.default_config(strategy)
        self._ports = ports
        self._margin: Margin | None = None
        self._opened = False

    # ----------------------------------------------------------------- the tick

    async def tick(self) -> None:
        """Health first, then the market, then the strategy, then the gates, then the order."""
        for event in self._inbox.drain():
            self.process(event)
        self.process(Ticked(self._clock.now_ns(), self._clock.slot()))

        margin = self._margin = self._monitor.check(self._state)
        if not self._is_safe(margin):
            return
        view = self._market_state(margin)
        signal = drive(self.strategy.on_tick(view))
        if signal is None or any(market in view.in_flight for market in signal.targets):
            return
        await self.strategy.on_execute(signal)

    def process(self, event: Event) -> None:
        """Take one event: write it down, apply it, tell those who watch, and react to what needs it."""
        self._journal.append(event)
        apply(self._state, event)
        if self._bus.subscriptions:
            self._bus.publish(self._state.seq, event)
        react = self._reactions.get(type(event))
        if react is not None:
            react(event)

    def _is_safe(self, margin: Margin) -> bool:
        """Step 1: breakers and the emergency close. True when the strategy may be asked."""
        state = self._state
        health_e4 = margin.health_e4
        if health_e4 is not None and health_e4 < self.min_health_e4:
            self.min_health_e4 = health_e4
        change = breakers.breach(state, margin, self._limits, self._capital_e6) or breakers.recovery(state)
        if change is not None:
            self.process(change)
        if state.in_flight or self._inbox.missing:
            self._executor.follow_up(state.in_flight, state.venue_cursor, state.now_ns)
        if state.now_ns >= self._observe_ns:
            self._observe_ns = (state.now_ns // DAY_NS + 1) * DAY_NS
            self._executor.observe(state.now_ns)
        if state.closing:
            self._emergency.step(margin, verified=self._agreed_cursor == state.venue_cursor)
            return False
        return state.trading is not Trading.HALTED and self._is_warm()

    def _is_warm(self) -> bool:
        """Whether every market the strategy needs has a price."""
        if not self._warm:
            markets = self._state.markets
            self._warm = all(markets[name].oracle_e6 is not None for name in self.strategy.subscriptions)
        return self._warm

    def _market_state(self, margin: Margin) -> MarketState:
        """Step 2: the frozen view of this tick."""
        state = self._state
        in_flight: tuple[str, ...] = ()
        if state.in_flight:
            in_flight = tuple(leg.market for flight in state.in_flight.values() for leg in flight.plan.legs)
        view = MarketState(
            state.now_ns,
            state.slot,
            state.markets.copy(),
            state.account,
            margin,
            state.trading,
            in_flight,
            state.last_fill_ns,
            state.equity_e6 - state.net_deposits_e6,
        )
        self._desk.show(view)
        return view

    # ----------------------------------------------------------------- reactions

    def _on_filled(self, event: Filled) -> None:
        self.fills += 1
        self._latency.observe(event)

    def _on_plan_closed(self, event: PlanClosed) -> None:
        self._latency.observe(event)
        if not self._state.in_flight:
            self._executor.observe(self._state.now_ns)

    def _on_decided(self, event: Decided) -> None:
        self.last_decision = event
        for check in event.checks:
            if check.verdict == "refuse":
                self.refusals[check.gate] = self.refusals.get(check.gate, 0) + 1

    def _on_observed(self, event: AccountObserved) -> None:
        """Compare the books. A difference is read again once before the engine halts on it."""
        if event.cursor != self._state.venue_cursor:
            return
        found = differences(self._state.account, event.account)
        if not found:
            self._agreed_cursor, self._doubted_cursor = event.cursor, -1
        elif self._doubted_cursor < 0:
            self._doubted_cursor = event.cursor
            self._executor.observe(self._state.now_ns)
        elif not self._state.disputed:
            self._halt("dispute", "our books differ from the venue's: " + "; ".join(found), disputed=True)

    def _on_liquidated(self, event: Liquidated) -> None:
        self.liquidations += 1
        if not self._state.latched:
            self._halt("liquidation", f"the venue liquidated {event.market}", closing=1)

    def _halt(self, cause: Any, reason: str, *, closing: int = 0, disputed: bool = False) -> None:
        trading = Trading.REDUCING if closing else Trading.HALTED
        change = StateChanged(
            self._state.now_ns, trading, reason, cause, latched=True, disputed=disputed, closing=closing
        )
        self.process(change)

    # ----------------------------------------------------------------- lifecycle

    def open(self) -> None:
        """Wire the ports, bind the strategy, and take up what the journal holds."""
        if self._opened:
            return
        ports = self._ports or wiring.build(self._config, self.strategy)
        self._ports = None
        self._clock, self._inbox, self._executor = ports.clock, ports.inbox, ports.executor
        self._journal, self._bus, self._latency = ports.journal, ports.bus, ports.latency
        self._feed, self._limits, self._capital_e6 = ports.feed, ports.limits, ports.capital_e6
        self._state = EngineState()
        self._monitor = MarginMonitor(ports.limits.max_oracle_age_slots, ports.limits.max_feed_age_ms)
        self._desk = ReviewDesk(self._state, self.process, self._executor, self._limits, self._latency)
        self._emergency = EmergencyClose(self._state, self.process, self._desk, self._executor, self._limits)
        self._warm, self._observe_ns = False, 0
        self._agreed_cursor, self._doubted_cursor = -1, -1
        self.min_health_e4, self.fills, self.liquidations = 10_000, 0, 0
        self.refusals: dict[str, int] = {}
        self.last_decision: Decided | None = None
        self._reactions: dict[type, Any] = {
            Filled: self._on_filled,
            PlanClosed: self._on_plan_closed,
            Decided: self._on_decided,
            AccountObserved: self._on_observed,
            Liquidated: self._on_liquidated,
        }
        self._opened = True
        recover(self, ports)
        self._inbox.start_after(self._state.venue_cursor)

    def close(self) -> None:
        """Flush and close the journal and the venue."""
        if self._opened:
            self._opened = False
            self._journal.close()
            self._executor.close()

    def beats(self) -> Any:
        """Return the feed's beats."""
        return self._feed.beats(self._inbox.put)

    # ----------------------------------------------------------------- what leaves the engine, frozen

    def get_status(self) -> dict[str, Any]:
        """Return mode, margin, positions, PnL, the strategy's own status and the rest, as plain values."""
        return {"name": self.name}

    def export_state(self) -> dict[str, Any]:
        """Return the whole state as plain values, a copy."""
        return to_builtins(self._state)  # type: ignore[no-any-return]
