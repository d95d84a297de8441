"""What a journal says of its run, in the shape of an engine's status.

A paper run's journal holds every price: folding it gives the books, the margin and the profit back. A backtest's holds
its market rows by reference: without the data prices are not known, so neither are health, equity and profit, and they
are given as ``None``. What its records alone prove (fills, payments, refusals, the trading state) is given for both.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from drift_engine import status
from drift_engine.config import ConfigError, from_identity
from drift_engine.core.margin_monitor import MarginMonitor
from drift_engine.core.position_manager import apply
from drift_engine.core.types import (
    Decided,
    EngineState,
    Filled,
    FundingPaid,
    Liquidated,
    Margin,
    RunStarted,
    StateChanged,
    Ticked,
)
from drift_engine.execution.limits import Limits
from drift_engine.journal import Record, reader
from drift_engine.tally import Tally


def read(path: Path) -> dict[str, Any]:
    """Return the state a journal's run was left in."""
    started = reader.run_started(path)
    if started is None:
        raise ConfigError(f"{path} holds no run; take a journal that paper or backtest wrote")
    records = reader.records(path)
    found = _by_reference(records) if started.mode == "backtest" else _folded(records, limits_of(started))
    return {"journal": str(path), **_run(started), **found}


def limits_of(started: RunStarted) -> Limits:
    """Return the limits a run traded under."""
    return from_identity(started.config).limits


def _run(started: RunStarted) -> dict[str, Any]:
    return {
        "name": f"drift-{started.strategy}",
        "mode": started.mode,
        "strategy": started.strategy,
        "params": started.params,
        "venue": started.venue,
        "market": next((spec.name for spec in started.specs if spec.kind == "perp"), None),
        "scenario": started.config.get("scenario") or None,
        "simulated": started.simulated,
        "sources": started.sources,
        "started_ns": started.ts_ns,
    }


def _folded(records: Iterator[Record], limits: Limits) -> dict[str, Any]:
    state, tally, margin = EngineState(), Tally(), None
    monitor = MarginMonitor(limits.max_oracle_age_slots, limits.max_feed_age_ns)
    seq, lowest_e4 = 0, None
    for record in records:
        seq = record.seq
        apply(state, record.event)
        tally.count(record.event)
        if isinstance(record.event, Ticked):
            margin = monitor.check(state)
            lowest_e4 = _lower(lowest_e4, margin.health_e4)
    counts = tally.to_status(state.ticks, lowest_e4)
    return _known(state, margin, tally.last_decision, counts) | {"records": seq}


def _lower(lowest_e4: int | None, health_e4: int | None) -> int | None:
    known = [figure for figure in (lowest_e4, health_e4) if figure is not None]
    return min(known, default=None)


def _known(
    state: EngineState, margin: Margin | None, decided: Decided | None, counts: dict[str, Any]
) -> dict[str, Any]:
    return {
        **status.books_status(state, margin, tuple(state.markets)),
        "last_decision": status.decision_status(decided),
        "tally": counts,
    }


class _Proven:
    """What records prove without prices."""

    def __init__(self) -> None:
        self.fees_e6 = self.funding_e6 = self.now_ns = self.seq = self.rows = 0
        self.base_e9: dict[str, int] = {}
        self.change: StateChanged | None = None

    def take(self, record: Record) -> None:
        """Count one record."""
        event = record.event
        self.now_ns, self.seq, self.rows = max(self.now_ns, record.ts_ns), record.seq, record.row
        if isinstance(event, StateChanged):
            self.change = event
        elif isinstance(event, FundingPaid):
            self.funding_e6 += event.payment_e6
        elif isinstance(event, Filled):
            self.fees_e6 += event.fee_e6
        if isinstance(event, Filled | Liquidated) and event.base_e9:
            self.base_e9[event.market] = self.base_e9.get(event.market, 0) + event.base_e9


def _by_reference(records: Iterator[Record]) -> dict[str, Any]:
    proven, tally = _Proven(), Tally()
    for record in records:
        proven.take(record)
        tally.count(record.event)
    change = proven.change
    return {
        "records": proven.seq,
        "rows": proven.rows,
        "now_ns": proven.now_ns,
        "trading": "ACTIVE" if change is None else str(change.trading),
        "reason": "" if change is None else change.reason,
        "latched": change is not None and change.latched,
        "disputed": change is not None and change.disputed,
        "closing": 0 if change is None else change.closing,
        "traded_base_e9": proven.base_e9,
        "fees_paid_e6": proven.fees_e6,
        "funding_received_e6": proven.funding_e6,
        "equity_e6": None,
        "margin": None,
        "positions": None,
        "net_delta_e9": None,
        "markets": None,
        "pnl": None,
        "last_decision": status.decision_status(tally.last_decision),
        "tally": tally.to_status(None, None),
    }
