"""Profits do not lie in positions: the engine has them settled, and the books stay equal."""

from __future__ import annotations

from drift_engine import backtest, wiring
from drift_engine.config import RunConfig
from drift_engine.core.types import PnlSettled
from drift_engine.execution.limits import Limits, with_limits
from drift_engine.journal import Journal


def settled(limit: str) -> tuple[list[PnlSettled], backtest.BacktestResult]:
    limits = with_limits(Limits(), {"settle_pnl_above": limit})
    config = RunConfig(strategy="hold", params={"target": "5"}, mode="backtest", days=5, limits=limits)
    strategy = wiring.make_strategy(config)
    journal = Journal.open(None, reference=True, keep=True)
    result = backtest.run(config, strategy, ports=wiring.build(config, strategy, journal))
    return [record.event for record in journal.records() if isinstance(record.event, PnlSettled)], result


def test_profits_above_the_limit_are_settled_and_nothing_else_changes() -> None:
    events, result = settled("1")
    assert events
    assert all(event.pnl_e6 > 1_000_000 for event in events)
    assert not result.disputed
    assert sum(result.pnl_e6.values()) == result.equity_end_e6 - result.equity_start_e6


def test_the_limit_can_be_switched_off() -> None:
    assert settled("off")[0] == []
