"""A strategy that has only what the seed's interface asks for runs."""

from __future__ import annotations

from typing import Any

from drift_engine import backtest, wiring
from drift_engine.config import RunConfig
from drift_engine.core.types import Decided, MarketState, TradeSignal
from drift_engine.journal import Journal
from drift_engine.strategies.base import DriftStrategy


class Seed(DriftStrategy):
    def __init__(self) -> None:
        self.asked = 0

    @property
    def name(self) -> str:
        return "seed"

    async def on_tick(self, state: MarketState) -> TradeSignal | None:
        self.asked += 1
        return None if state.account.perps or state.in_flight else TradeSignal({"SOL-PERP": 10**9}, "one")

    def get_status(self) -> dict[str, Any]:
        return {"asked": self.asked}


def test_name_on_tick_and_status_are_enough() -> None:
    result = backtest.run(RunConfig(mode="backtest", days=1), Seed())
    assert result.trades == 1
    assert result.strategy_status["asked"] > 1_000


class Elsewhere(Seed):
    async def on_tick(self, state: MarketState) -> TradeSignal | None:
        return TradeSignal({"DOGE-PERP": 10**9}, "a market the run does not have") if self.asked == 0 else None


def test_a_market_the_run_does_not_have_is_refused_by_name_and_the_run_goes_on() -> None:
    config, strategy = RunConfig(mode="backtest", days=1), Elsewhere()
    journal = Journal.open(None, reference=True, keep=True)
    result = backtest.run(config, strategy, ports=wiring.build(config, strategy, journal))
    assert result.trades == 0
    assert result.ticks == 1_440
    decided = next(record.event for record in journal.records() if isinstance(record.event, Decided))
    assert any("DOGE-PERP" in check.reason for check in decided.checks if check.verdict == "refuse")
