"""A small stage for the venue's tests: plans, rows, and an engine's ledger that follows what is told."""

from collections.abc import Coroutine, Iterable
from typing import Any

from drift_engine.core import reconcile
from drift_engine.core.driving import drive
from drift_engine.core.position_manager import apply
from drift_engine.core.types import (
    AccountEvent,
    ApprovedPlan,
    EngineState,
    Event,
    Filled,
    Leg,
    Liquidated,
    MarketUpdated,
    PlanClosed,
    RunStarted,
    Submitted,
    TradePlan,
)
from drift_engine.core.units import E6, E9, SECOND_NS
from drift_engine.inbox import Inbox
from drift_engine.simulation.facts import venue_facts
from drift_engine.simulation.models import Impact, Latency, Models, VenueConfig
from drift_engine.simulation.timeline import Timeline
from drift_engine.simulation.venue import SimVenue
from drift_engine.simulation.world import World

T0 = 1_760_000_000 * SECOND_NS
S = SECOND_NS
PLAIN = Models(latency=Latency(0, 0, 0), impact=Impact(0, 0))
"""No latency, no spread, no impact: fills at the mark."""
KNOWN_E6 = 100_000


def plan(plan_id: str, *legs: Leg, now_ns: int = T0, life_s: int = 30, atomic: bool = False) -> ApprovedPlan:
    return ApprovedPlan(TradePlan(plan_id, legs, atomic, "test", None, now_ns + life_s * S), ())


def perp(
    base_e9: int, limit_e6: int, *, market: str = "SOL-PERP", reduce_only: bool = False, post: bool = False
) -> Leg:
    return Leg(market, base_e9, limit_e6, "perp", reduce_only, post)


def spot(base_e9: int, limit_e6: int, *, market: str = "SOL", reduce_only: bool = False) -> Leg:
    return Leg(market, base_e9, limit_e6, "spot", reduce_only)


def timeline(markets: tuple[str, ...], rows: Iterable[tuple[int, int, str, int, int, int]]) -> Timeline:
    """Return a timeline of rows (ts_ns, kind, market's name, a, b, c)."""
    columns = list(zip(*((ts, kind, markets.index(name), a, b, c) for ts, kind, name, a, b, c in rows), strict=True))
    return Timeline.from_columns(markets, *map(list, columns))


class Stage:
    """A venue, and an engine's ledger that is told what the venue tells."""

    def __init__(self, config: VenueConfig | None = None, venue: SimVenue | None = None) -> None:
        self.venue = venue or SimVenue(config or VenueConfig(deposit_e6=1_000 * E6, models=PLAIN))
        self.state = EngineState()
        self.inbox = Inbox()
        self.events: list[Event] = []
        specs = tuple(venue_facts().values())
        started = RunStarted(T0, "paper", "test", {}, {}, "USDC", specs, "sim", {}, simulated=True, version="")
        apply(self.state, started)

    def tell(self, events: Iterable[Event]) -> None:
        for event in events:
            self.events.append(event)
            self.inbox.put(event)
        others, prices = self.inbox.drain()
        for event in (*others, *prices):
            apply(self.state, event)

    def price(self, ts_ns: int, name: str, oracle_e6: int, mark_e6: int = 0, open_e6: int = 0) -> MarketUpdated | None:
        if ts_ns >= self.venue.due_ns:
            self.tell(self.venue.advance(ts_ns))
        update = self.venue.price(ts_ns, name, oracle_e6, mark_e6 or oracle_e6, open_e6)
        self.tell([update] if update else [])
        self.tell(self.venue.advance(ts_ns))
        return update

    def place(self, approved: ApprovedPlan, now_ns: int = T0) -> None:
        apply(self.state, Submitted(now_ns, approved.plan))
        drive(self.venue.place(approved, now_ns))

    def advance(self, ts_ns: int) -> None:
        self.tell(self.venue.advance(ts_ns))

    def do(self, approved: ApprovedPlan, now_ns: int = T0) -> PlanClosed | None:
        """Place a plan and let it arrive at once; return its end if it came to one."""
        self.place(approved, now_ns)
        self.advance(now_ns)
        closed = [event for event in self.closed() if event.plan_id == approved.plan.plan_id]
        return closed[0] if closed else None

    def ask(self, question: Coroutine[Any, Any, Any]) -> Any:
        return drive(question)

    def fills(self) -> list[Filled]:
        return [event for event in self.events if isinstance(event, Filled)]

    def closed(self) -> list[PlanClosed]:
        return [event for event in self.events if isinstance(event, PlanClosed)]

    def liquidated(self) -> list[Liquidated]:
        return [event for event in self.events if isinstance(event, Liquidated)]

    def account_events(self, now_ns: int = T0 * 2) -> tuple[AccountEvent, ...]:
        return drive(self.venue.events_since(0, now_ns))

    def assert_books_agree(self, now_ns: int = T0) -> None:
        observed = drive(self.venue.observe(now_ns))
        assert observed.cursor == self.state.venue_cursor
        assert reconcile.differences(self.state.account, observed.account) == ()
        pnl = self.state.pnl.total_e6()
        assert self.state.equity_e6 == self.state.net_deposits_e6 + pnl


def opened(sol_e6: int = 200 * E6, *, deposit_e6: int = 1_000 * E6, config: VenueConfig | None = None) -> Stage:
    """Return a stage where capital is in, every market has a price and every rate is known."""
    stage = Stage(config or VenueConfig(deposit_e6=deposit_e6, models=PLAIN))
    stage.advance(T0 - S)
    for name in ("USDC", "SOL"):
        stage.tell([e for e in [stage.venue.interest(T0 - S, name, 0, KNOWN_E6, 0)] if e])
    stage.advance(T0 - S)
    for name, price_e6 in (("SOL-PERP", sol_e6), ("SOL", sol_e6), ("BTC-PERP", 100_000 * E6), ("wBTC", 100_000 * E6)):
        stage.price(T0, name, price_e6)
    return stage


def world_events(world: World) -> tuple[list[Event], list[int]]:
    told: list[Event] = []
    ticks = [now_ns for now_ns, _ in world.run(told.append)]
    return told, ticks


ONE = E9
