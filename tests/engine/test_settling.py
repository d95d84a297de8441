"""Profits do not lie in positions: the engine has them settled, and the books stay equal."""

from __future__ import annotations

from typing import Any

from drift_engine import backtest, wiring
from drift_engine.config import RunConfig
from drift_engine.core.types import MarketState, PnlSettled, TradeSignal
from drift_engine.core.units import E9
from drift_engine.execution.limits import Limits, with_limits
from drift_engine.journal import Journal
from drift_engine.strategies.base import DriftStrategy


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


class Alternate(DriftStrategy):
    """Buys and sells in turn, so that positions are settled while the next order is on its way."""

    @property
    def name(self) -> str:
        return "alternate"

    async def on_tick(self, state: MarketState) -> TradeSignal | None:
        held = state.account.perp("SOL-PERP").base_e9
        close = state.now_ns // (60 * E9) % 20 == 0
        return TradeSignal({"SOL-PERP": 0 if held else 50 * E9}, "alternate") if close or not held else None

    def get_status(self) -> dict[str, Any]:
        return {}


def test_a_position_settled_to_nothing_under_an_open_order_leaves_no_history() -> None:
    limits = with_limits(Limits(), {"max_plans_per_minute": "off", "account_drawdown": "off", "daily_drawdown": "off"})
    config = RunConfig(mode="backtest", days=3, limits=limits, capital_e6=10**11, scenario="slow_bleed")
    strategy = Alternate()
    journal = Journal.open(None, reference=True, keep=True)
    result = backtest.run(config, strategy, ports=wiring.build(config, strategy, journal))
    assert any(isinstance(record.event, PnlSettled) for record in journal.records())
    assert result.trades > 300
    assert not result.disputed, result.reason


def test_the_limit_can_be_switched_off() -> None:
    assert settled("off")[0] == []
