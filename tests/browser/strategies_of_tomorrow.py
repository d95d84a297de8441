"""A strategy that was written after the page: nothing of it is known there."""

from decimal import Decimal
from typing import Annotated, Any

from drift_engine.core.parameters import Parameters, Unit
from drift_engine.core.types import MarketState, TradeSignal
from drift_engine.strategies.base import DriftStrategy


class WatcherParams(Parameters, frozen=True):
    """What to watch for."""

    patience: Annotated[Decimal, Unit("hours", "how long it waits before it would act")] = Decimal(7)


class Watcher(DriftStrategy):
    """Watches and says so; its status carries a script, which must be shown and never run."""

    Params = WatcherParams
    params: WatcherParams
    seen = 0

    @property
    def name(self) -> str:
        return "watcher"

    async def on_tick(self, state: MarketState) -> TradeSignal | None:
        self.seen += 1
        return None

    def get_status(self) -> dict[str, Any]:
        return {
            "mood": "<img src=x onerror=window.hurt=1>",
            "moons_seen_count": self.seen,
            "depth": {"reach_e6": 1_500_000},
        }
