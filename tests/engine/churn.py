"""A strategy that trades a lot and for no reason: long, short, flat, one leg or two, until its time."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any

from drift_engine.core.parameters import Parameters, Unit
from drift_engine.core.types import MarketState, TradeSignal
from drift_engine.core.units import SECOND_NS
from drift_engine.strategies.base import DriftStrategy


class ChurnParams(Parameters, frozen=True):
    """How much, how often, in which shape, and for how long."""

    market: Annotated[str, Unit("perp market", "the perp it trades")] = "SOL-PERP"
    size: Annotated[Decimal, Unit("base", "the step between targets")] = Decimal(3)
    every_s: Annotated[int, Unit("s", "time between two wishes")] = 120
    pair: Annotated[int, Unit("0 or 1", "1 = also trade spot, both legs at once")] = 0
    until_s: Annotated[int, Unit("s", "seconds since the epoch after which it wants nothing; 0 = never")] = 0


class Churn(DriftStrategy):
    """Wants something else every few ticks; what, only the time decides."""

    Params = ChurnParams
    params: ChurnParams

    def __init__(self, config: ChurnParams | Mapping[str, Any] | None = None) -> None:
        super().__init__(config)
        self._unit_e9 = int(self.params.size * 10**9)

    @property
    def name(self) -> str:
        """``churn``."""
        return "churn"

    @property
    def subscriptions(self) -> tuple[str, ...]:
        """The perp, and the spot market where it trades pairs."""
        return (self.params.market, "SOL") if self.params.pair else (self.params.market,)

    async def on_tick(self, state: MarketState) -> TradeSignal | None:
        """Draw a target from the time."""
        now_s = state.now_ns // SECOND_NS
        over = self.params.until_s and now_s >= self.params.until_s
        if over or now_s % self.params.every_s or state.in_flight:
            return None
        drawn = (now_s * 2_654_435_761 >> 9) % 7 - 3
        targets = {self.params.market: drawn * self._unit_e9}
        if self.params.pair:
            targets = {self.params.market: -abs(drawn) * self._unit_e9, "SOL": abs(drawn) * self._unit_e9}
        return TradeSignal(targets, "churn")

    def get_status(self) -> dict[str, Any]:
        """Return nothing of interest."""
        return {}
