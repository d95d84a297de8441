"""Hold: keep a constant perp position. The yardstick that every other strategy is compared with.

It claims no edge. It trades only while trading is ACTIVE, so it never fights a breaker, a latch or an emergency close;
what it does after one is up to whoever resumes. An account it has seen at its target is recognised by identity, as
views are frozen: that is all a tick costs.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any

from drift_engine.core.parameters import Parameters, Unit
from drift_engine.core.types import Account, Market, MarketState, TradeSignal, Trading
from drift_engine.strategies.base import Desk, DriftStrategy
from drift_engine.strategies.figures import human, scaled
from drift_engine.strategies.pairing import perp_spec


class HoldParams(Parameters, frozen=True):
    """What to hold, and where."""

    market: Annotated[str, Unit("perp market", "the market to hold a position in")] = "SOL-PERP"
    target: Annotated[Decimal, Unit("base", "the signed amount to hold: -1 is short one")] = Decimal(1)


class HoldStrategy(DriftStrategy):
    """Keeps ``target`` of ``market``."""

    Params = HoldParams
    params: HoldParams

    def __init__(self, config: HoldParams | Mapping[str, Any] | None = None) -> None:
        super().__init__(config)
        self._market = self.params.market
        self._target_e9 = scaled(self.params, "target", 9, low="-1e9", high="1e9")
        self._held_e9 = 0
        self._settled: Account | None = None

    @property
    def name(self) -> str:
        """``hold``."""
        return "hold"

    def bind(self, desk: Desk, markets: Mapping[str, Market]) -> None:
        """Take the desk. Raises ``ParameterError`` where the market is none, or no perp."""
        super().bind(desk, markets)
        perp_spec(markets, self._market)

    async def on_tick(self, state: MarketState) -> TradeSignal | None:
        """Ask for the target where it is missed by a step or more."""
        if state.account is self._settled:
            return None
        self._held_e9 = state.account.perp(self._market).base_e9
        if abs(self._target_e9 - self._held_e9) < state.markets[self._market].step_e9:
            self._settled = state.account
            return None
        self._settled = None
        if state.trading is not Trading.ACTIVE or self._market in state.in_flight:
            return None
        return TradeSignal({self._market: self._target_e9}, f"hold {human(self._target_e9, 9)} {self._market}")

    def get_status(self) -> dict[str, Any]:
        """Return the target and what is held, in base units."""
        return {
            "phase": "holding" if self._settled is not None else "moving",
            "market": self._market,
            "target_e9": self._target_e9,
            "held_e9": self._held_e9,
        }
