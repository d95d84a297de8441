"""An engine's books, kept a second time: the same ``apply`` over the records of its journal.

The engine knows nothing of it. What the page draws over time (equity, health, price, funding, basis, delta, fills) is
taken from here; and because it is made by the same code from the same records, its equity at a record must be the
engine's own at that record: ``differs`` says where it is not.
"""

from collections import deque
from typing import Any

from msgspec import to_builtins

from drift_engine import status
from drift_engine.config import from_identity
from drift_engine.core.margin_monitor import MarginMonitor
from drift_engine.core.position_manager import apply
from drift_engine.core.types import (
    Decided,
    EngineState,
    Event,
    Filled,
    Margin,
    Market,
    MarketUpdated,
    RunStarted,
    Ticked,
)
from drift_engine.core.units import E9, HOUR_NS, SECOND_NS
from drift_engine.dashboard.series import Series
from drift_engine.execution.limits import Limits
from drift_engine.journal import Record
from drift_engine.tally import Tally

FIGURES = ("equity", "drawdown", "health", "price", "funding", "basis", "delta")
_FILLS, _DECISIONS, _REMEMBERED, _RATE_HOURS = 2_000, 200, 4_096, 8
_E6 = 1_000_000


class Replica:
    """The state after record ``seq``, and how it came to be."""

    def __init__(self) -> None:
        self.state, self.tally = EngineState(), Tally()
        self.seq = 0
        self.margin: Margin | None = None
        self.started: RunStarted | None = None
        self.market = ""
        self.series = Series(FIGURES, SECOND_NS)
        self.fills: deque[dict[str, Any]] = deque(maxlen=_FILLS)
        self.decisions: deque[dict[str, Any]] = deque(maxlen=_DECISIONS)
        self.rates: dict[str, dict[int, float]] = {}
        self._equities: dict[int, int] = {}
        self._monitor = _monitor(Limits())

    def take(self, record: Record) -> None:
        """Apply one record."""
        event = record.event
        apply(self.state, event)
        self.tally.count(event)
        self._note(record.seq, event)
        self.seq = record.seq
        self._equities[record.seq] = self.state.equity_e6
        self._equities.pop(record.seq - _REMEMBERED, None)

    def _note(self, seq: int, event: Event) -> None:
        if isinstance(event, Ticked):
            self._sample(event.ts_ns)
        elif isinstance(event, MarketUpdated):
            self._rate(event)
        elif isinstance(event, Filled):
            self.fills.append(fill(seq, event))
        elif isinstance(event, Decided):
            self.decisions.append(decision(seq, event))
        elif isinstance(event, RunStarted):
            self._begin(event)

    def _begin(self, started: RunStarted) -> None:
        self.started = started
        self._monitor = _monitor(from_identity(started.config).limits)
        self.market = next((spec.name for spec in started.specs if spec.kind == "perp"), "")

    def _rate(self, event: MarketUpdated) -> None:
        if event.funding_e9 is None or event.oracle_e6 <= 0:
            return
        hours = self.rates.setdefault(event.market, {})
        hours[event.ts_ns // HOUR_NS] = event.funding_e9 / 1_000 / event.oracle_e6
        while len(hours) > _RATE_HOURS:
            del hours[next(iter(hours))]

    def _sample(self, ts_ns: int) -> None:
        state = self.state
        self.margin = self._monitor.check(state)
        market = state.markets.get(self.market)
        known = market is not None and market.oracle_e6 is not None
        self.series.add(
            ts_ns,
            (
                state.equity_e6 / _E6,
                _drawdown(state),
                self.margin.health_score,
                market.oracle_e6 / _E6 if market and market.oracle_e6 is not None else None,
                state.pnl.funding_e6 / _E6,
                _basis(market),
                _delta(state, market) if known else None,
            ),
        )

    def differs(self, seq: int, equity_e6: int | None) -> str | None:
        """Compare an engine's own equity at a record with ours; ``None`` where they agree or we no longer know."""
        ours = self._equities.get(seq)
        if ours is None or equity_e6 is None or ours == equity_e6:
            return None
        return f"at record {seq} the engine says its equity is {equity_e6}, its journal says {ours} (1e-6)"

    def eight_hours(self, market: str) -> float | None:
        """Return the sum of the last eight hourly funding rates, as a fraction; ``None`` where one is not known."""
        hours = self.rates.get(market, {})
        last = max(hours, default=0)
        wanted = range(last - _RATE_HOURS + 1, last + 1)
        return sum(hours[hour] for hour in wanted) if all(hour in hours for hour in wanted) else None

    def to_status(self) -> dict[str, Any]:
        """Return the figures of the state as an engine's status has them."""
        state = self.state
        return {
            **status.state_status(state),
            "margin": status.margin_status(self.margin),
            "positions": status.positions_status(state.account, state.markets),
            "net_delta_e9": status.net_delta_e9(state.account, state.markets),
            "pnl": status.pnl_status(state.pnl),
            "tally": self.tally.to_status(state.ticks, None),
        }


def fill(seq: int, event: Filled) -> dict[str, Any]:
    """Return a fill as it is marked on a chart. The price is quote over base, in 1e6."""
    price_e6 = abs(event.quote_e6) * E9 // abs(event.base_e9) if event.base_e9 else None
    return {
        "seq": seq,
        "ts_ns": event.ts_ns,
        "market": event.market,
        "kind": event.kind,
        "base_e9": event.base_e9,
        "price_e6": price_e6,
        "fee_e6": event.fee_e6,
        "plan_id": event.plan_id,
        "maker": event.maker,
    }


def decision(seq: int, event: Decided) -> dict[str, Any]:
    """Return a decision with everything each gate saw."""
    shown = to_builtins(event)
    return {
        "seq": seq,
        "ts_ns": event.ts_ns,
        "plan_id": event.plan.plan_id,
        "reason": event.plan.reason,
        "approved": event.approved,
        "emergency": event.emergency,
        "signal": shown["signal"],
        "plan": shown["plan"],
        "checks": shown["checks"],
        "refusals": [f"{check.gate}: {check.reason}" for check in event.checks if check.verdict == "refuse"],
    }


def _monitor(limits: Limits) -> MarginMonitor:
    return MarginMonitor(limits.max_oracle_age_slots, limits.max_feed_age_ns)


def _drawdown(state: EngineState) -> float | None:
    high_e6 = state.high_water_e6
    return max(0, high_e6 - state.equity_e6) / high_e6 if high_e6 > 0 else None


def _basis(market: Market | None) -> float | None:
    if market is None or market.mark_e6 is None or not market.oracle_e6:
        return None
    return market.mark_e6 / market.oracle_e6 - 1


def _delta(state: EngineState, market: Market | None) -> float | None:
    if market is None:
        return None
    return status.net_delta_e9(state.account, state.markets).get(market.spec.asset, 0) / E9
