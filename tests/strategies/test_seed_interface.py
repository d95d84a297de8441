"""A strategy that has only what the seed's interface asks for runs."""

from __future__ import annotations

from typing import Any

from drift_engine import backtest
from drift_engine.config import RunConfig
from drift_engine.core.types import MarketState, TradeSignal
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
