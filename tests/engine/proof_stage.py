"""A run of the real engine against the real simulated venue, with witnesses at the journal, the executor and the venue.

Nothing is replaced: the witnesses hand everything on and check, at the moment it happens, what must be true then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from drift_engine import backtest, wiring
from drift_engine.config import RunConfig
from drift_engine.core import reconcile
from drift_engine.core.driving import drive
from drift_engine.core.position_manager import apply
from drift_engine.core.types import (
    ApprovedPlan,
    Decided,
    EngineState,
    Event,
    InFlight,
    Margin,
    StateChanged,
    Submitted,
    Ticked,
    Trading,
)
from drift_engine.core.units import SECOND_NS
from drift_engine.engine import DriftEngine
from drift_engine.execution.limits import Limits, with_limits
from drift_engine.execution.ports import Executor
from drift_engine.journal import Journal
from drift_engine.simulation.faults import Faults
from drift_engine.simulation.models import Models, VenueConfig
from drift_engine.simulation.timeline import RowKind, Timeline
from drift_engine.simulation.venue import SimVenue
from drift_engine.strategies.base import DriftStrategy

CHURN = str(Path(__file__).with_name("churn.py"))
BREAKERS_OFF = with_limits(
    Limits(), {"daily_drawdown": "off", "strategy_drawdown": "off", "account_drawdown": "off", "max_leverage": "off"}
)
E6, S = 10**6, SECOND_NS


class Witness(Journal):
    """A journal that keeps, beside what it writes, every event in order."""

    def __init__(self, path: Path | None = None, **how: bool) -> None:
        self.seen: list[Event] = []
        super().__init__(path, **how)

    def append(self, event: Event) -> None:
        super().append(event)
        self.seen.append(event)


@dataclass
class SeenExecutor:
    """Hands everything on; what is sent must have been approved and written down right before."""

    inner: Executor
    journal: Witness
    sent: list[str] = field(default_factory=list)
    cancelled: int = 0
    on_submit: Callable[[ApprovedPlan], None] | None = None

    @property
    def trouble(self) -> str | None:
        return self.inner.trouble

    def submit(self, approved: ApprovedPlan, now_ns: int) -> None:
        assert type(approved) is ApprovedPlan
        assert not [check for check in approved.checks if check.verdict == "refuse"]
        decided, submitted = self.journal.seen[-2:]
        assert isinstance(decided, Decided)
        assert isinstance(submitted, Submitted)
        assert decided.approved
        assert decided.plan == submitted.plan == approved.plan
        assert decided.checks == approved.checks
        assert approved.plan.plan_id not in self.sent, "sent twice"
        self.sent.append(approved.plan.plan_id)
        if self.on_submit is not None:
            self.on_submit(approved)
        self.inner.submit(approved, now_ns)

    def cancel_all(self, now_ns: int) -> None:
        self.cancelled += 1
        self.inner.cancel_all(now_ns)

    def follow_up(self, in_flight: Mapping[str, InFlight], cursor: int, now_ns: int) -> None:
        self.inner.follow_up(in_flight, cursor, now_ns)

    def observe(self, now_ns: int) -> None:
        self.inner.observe(now_ns)

    def transfer(self, amount_e6: int, now_ns: int) -> str | None:
        return self.inner.transfer(amount_e6, now_ns)

    def settle_pnl(self, market: str, now_ns: int) -> None:
        self.inner.settle_pnl(market, now_ns)


@dataclass
class Proof:
    """One wired run."""

    engine: DriftEngine
    ports: wiring.SimPorts
    journal: Witness
    executor: SeenExecutor

    @property
    def state(self) -> EngineState:
        return self.engine.state

    @property
    def venue(self) -> SimVenue:
        return self.ports.world.venue

    def run(self, after: Callable[[Proof], None] | None = None) -> Proof:
        """Live through all rows; ``after`` is called after each tick."""
        self.engine.open()
        if after is None:
            backtest.feed(self.engine, self.ports)
        else:
            for now_ns, _ in self.ports.world.run(self.ports.inbox.put):
                self.step(now_ns)
                after(self)
        self.engine.finish()
        return self

    def step(self, now_ns: int) -> None:
        self.ports.clock.set(now_ns)
        self.engine.tick()

    def settle(self, steps: int = 60, pace_s: int = 30) -> Proof:
        """Let time pass without prices, until every report had its chance."""
        for _ in range(steps):
            now_ns = self.state.now_ns + pace_s * S
            for event in self.venue.advance(now_ns):
                self.ports.inbox.put(event)
            self.step(now_ns)
            self.executor.observe(now_ns)
        self.engine.finish()
        return self

    def of(self, *kinds: type) -> list[Any]:
        return [event for event in self.journal.seen if isinstance(event, kinds)]

    def changes(self) -> list[tuple[Trading, str, bool, int]]:
        return [(e.trading, e.cause, e.latched, e.closing) for e in self.of(StateChanged)]

    def differences(self) -> tuple[str, ...]:
        now_ns = self.state.now_ns
        while self.venue.quotes.away(now_ns)[0]:
            now_ns += S
        observed = drive(self.venue.observe(now_ns))
        cursors = (self.state.venue_cursor, observed.cursor)
        behind = () if cursors[0] == cursors[1] else (f"cursor {cursors}",)
        return (*behind, *reconcile.differences(self.state.account, observed.account))

    def assert_sound(self) -> Proof:
        """Books equal to the venue's, PnL that sums, and nothing in flight."""
        assert self.differences() == ()
        assert self.state.equity_e6 - self.state.net_deposits_e6 == self.state.pnl.total_e6()
        assert not self.state.in_flight
        return self


def wired(
    strategy: DriftStrategy,
    config: RunConfig | None = None,
    *,
    timeline: Timeline | None = None,
    path: Path | None = None,
    venue: Models | Faults | None = None,
    **changes: Any,
) -> Proof:
    """Wire a run. ``changes`` are fields of its config; ``venue`` replaces the venue's models or its faults."""
    config = config or RunConfig(strategy=strategy.name, mode="backtest", scenario="calm_carry", days=1)
    config = RunConfig(**{**{name: getattr(config, name) for name in config.__struct_fields__}, **changes})
    journal = Witness(path, reference=config.mode == "backtest", resume=path is not None)
    ports = wiring.build(config, strategy, journal=journal, timeline=timeline)
    if venue is not None:
        ports = with_venue(ports, config, venue)
    executor = SeenExecutor(ports.executor, journal)
    ports = replace(ports, executor=executor)
    return Proof(DriftEngine(strategy, config=config, ports=ports), ports, journal, executor)


def with_venue(ports: wiring.SimPorts, config: RunConfig, what: Models | Faults) -> wiring.SimPorts:
    from drift_engine.execution.mock_executor import MockExecutor
    from drift_engine.simulation.world import World

    old = ports.world.venue.config
    models = what if isinstance(what, Models) else old.models
    faults = what if isinstance(what, Faults) else old.faults
    specs = {spec.name: spec for spec in ports.started.specs}
    venue = SimVenue(VenueConfig(config.seed, config.capital_e6, models, faults), specs)
    return replace(ports, world=World(ports.timeline, venue), executor=MockExecutor(venue, ports.inbox.put))


def folded(events: Iterable[Event]) -> EngineState:
    """Return what the ledger alone makes of events."""
    state = EngineState()
    for event in events:
        apply(state, event)
    return state


T0 = 1_767_225_600 * S


def price_path(prices: Iterable[float], *, step_s: int = 60, marks: Iterable[float] | None = None) -> Timeline:
    """Return a timeline of SOL-PERP at these prices (USD) every ``step_s``, without funding or interest."""
    oracle = [round(price * E6) for price in prices]
    mark = oracle if marks is None else [round(price * E6) for price in marks]
    rows = [(T0, RowKind.FUNDING, 0, 0, oracle[0], oracle[0]), (T0, RowKind.INTEREST, 1, 0, 0, 0)]
    rows += [
        (T0 + n * step_s * S, RowKind.PRICE, 0, o, m, o) for n, (o, m) in enumerate(zip(oracle, mark, strict=True))
    ]
    columns = [list(column) for column in zip(*rows, strict=True)]
    return Timeline.from_columns(("SOL-PERP", "USDC"), *columns, simulated=True)


class Spy(DriftStrategy):
    """Does what it is told, and keeps every view it was shown."""

    def __init__(self, on_tick: Callable[[Any], Any] | None = None, markets: tuple[str, ...] = ("SOL-PERP",)) -> None:
        super().__init__()
        self.views: list[Any] = []
        self._on_tick, self._markets = on_tick, markets

    @property
    def name(self) -> str:
        return "spy"

    @property
    def subscriptions(self) -> tuple[str, ...]:
        return self._markets

    async def on_tick(self, state: Any) -> Any:
        self.views.append(state)
        return self._on_tick(state) if self._on_tick else None

    def get_status(self) -> dict[str, Any]:
        return {"views": len(self.views)}


def ticks(proof: Proof) -> list[int]:
    return [event.ts_ns for event in proof.of(Ticked)]


def healths(margins: Iterable[Margin]) -> list[int | None]:
    return [margin.health_e4 for margin in margins]
