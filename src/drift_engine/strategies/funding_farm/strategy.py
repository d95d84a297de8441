"""Funding farm: hold the side of a perp that funding pays, unhedged, with a stop.

It looks at the 8-hour average of the hourly rate, a year, as a fraction of the price. Beyond ``enter`` it takes the
paid side, below ``leave`` it lets go: between the two it keeps what it has. A loss against the entry price beyond
``stop`` closes the position and starts a cool-off, whatever funding says. The price risk is the holder's.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any

from drift_engine.core.parameters import ParameterError, Parameters, Unit
from drift_engine.core.types import Market, MarketState, PerpPosition, TradeSignal, Trading
from drift_engine.core.units import E4, E6, E9, SECOND_NS, floor_to_step, notional_e6, tdiv
from drift_engine.core.valuation import oracle_price_e6
from drift_engine.strategies.base import Desk, DriftStrategy
from drift_engine.strategies.figures import human, scaled
from drift_engine.strategies.funding_average import FundingAverage
from drift_engine.strategies.pairing import perp_spec
from drift_engine.strategies.rates import cost_e6, expected_e6, funding_yearly_e6, outlasts


class FundingFarmParams(Parameters, frozen=True):
    """Where, how large, from which rate on, and when to stop."""

    market: Annotated[str, Unit("perp market", "the market to hold a position in")] = "SOL-PERP"
    size: Annotated[Decimal, Unit("of equity", "value of the position")] = Decimal("0.5")
    enter: Annotated[Decimal, Unit("a year", "funding average beyond which the paid side is taken")] = Decimal("0.3")
    leave: Annotated[Decimal, Unit("a year", "funding average below which it is let go")] = Decimal("0.1")
    average_h: Annotated[int, Unit("h", "hours in the funding average")] = 8
    stop: Annotated[Decimal, Unit("of the entry value", "loss at which the position is closed")] = Decimal("0.03")
    cool_off_s: Annotated[int, Unit("s", "no new position after a stop for this long")] = 86_400
    horizon_h: Annotated[int, Unit("h", "how long the funding is expected to last")] = 168
    counted: Annotated[Decimal, Unit("of funding income", "part of it that is counted on")] = Decimal("0.5")
    retry_s: Annotated[int, Unit("s", "no new entry sooner than this after one was asked for")] = 10


class FundingFarmStrategy(DriftStrategy):
    """Takes the side that is paid by the 8-hour funding average."""

    Params = FundingFarmParams
    params: FundingFarmParams

    def __init__(self, config: FundingFarmParams | Mapping[str, Any] | None = None) -> None:
        super().__init__(config)
        self._market, self._size_e6 = self.params.market, scaled(self.params, "size", 6, high="4")
        self._enter_e6, self._leave_e6 = scaled(self.params, "enter", 6), scaled(self.params, "leave", 6)
        if self._leave_e6 >= self._enter_e6:
            raise ParameterError("parameter 'leave' must be below 'enter': between the two a position is kept")
        self._average = FundingAverage(scaled(self.params, "average_h", 0, low="1"))
        self._stop_e4, self._counted_e4 = scaled(self.params, "stop", 4), scaled(self.params, "counted", 4, high="1")
        self._horizon_h = scaled(self.params, "horizon_h", 0, low="1")
        self._cool_off_ns = scaled(self.params, "cool_off_s", 0) * SECOND_NS
        self._yearly_e6: int | None = None
        self._held_e9, self._not_before_ns, self._stopped = 0, 0, False

    @property
    def name(self) -> str:
        """``funding_farm``."""
        return "funding_farm"

    def bind(self, desk: Desk, markets: Mapping[str, Market]) -> None:
        """Take the desk. Raises ``ParameterError`` where the market is none, or no perp."""
        super().bind(desk, markets)
        perp_spec(markets, self._market)

    async def on_tick(self, state: MarketState) -> TradeSignal | None:
        """Stop, let go, or take the paid side."""
        market = state.markets[self._market]
        if self._average.due(state.now_ns, market.funding_e9):
            self._average.observe(state.now_ns, market.funding_e9)
            if (rate_e9 := self._average.rate_e9) is not None:
                self._yearly_e6 = funding_yearly_e6(rate_e9, oracle_price_e6(market))
        self._held_e9 = (position := state.account.perp(self._market)).base_e9
        if state.trading is Trading.HALTED or self._market in state.in_flight:
            return None
        return self._keep_or_leave(state, position, market) if position.base_e9 else self._take(state, market)

    def get_status(self) -> dict[str, Any]:
        """Return the funding average and what is held."""
        return {
            "phase": "stopped" if self._stopped else "holding" if self._held_e9 else "flat",
            "held_e9": self._held_e9,
            "funding_yearly_e6": self._yearly_e6,
            "funding_samples": self._average.samples,
        }

    def _keep_or_leave(self, state: MarketState, position: PerpPosition, market: Market) -> TradeSignal | None:
        gain_e6 = notional_e6(position.base_e9, oracle_price_e6(market)) + position.quote_entry_e6
        if gain_e6 * E4 < -self._stop_e4 * abs(position.quote_entry_e6):
            self._stopped, self._not_before_ns = True, state.now_ns + self._cool_off_ns
        if self._stopped:
            return TradeSignal({self._market: 0}, f"stop: {human(gain_e6, 6)} against the entry", urgency="high")
        paid_e6 = None if self._yearly_e6 is None else -self._yearly_e6 if position.base_e9 > 0 else self._yearly_e6
        if paid_e6 is None or paid_e6 >= self._leave_e6:
            return None
        return TradeSignal({self._market: 0}, f"let go: it is paid {human(paid_e6, 4)} % a year")

    def _take(self, state: MarketState, market: Market) -> TradeSignal | None:
        self._stopped = self._stopped and state.now_ns < self._not_before_ns
        yearly_e6, margin = self._yearly_e6, state.margin
        if yearly_e6 is None or abs(yearly_e6) <= self._enter_e6 or state.now_ns < self._not_before_ns:
            return None
        if state.trading is not Trading.ACTIVE or margin.status != "known" or market.status != "active":
            return None
        value_e6 = tdiv(max(margin.equity_e6, 0) * self._size_e6, E6)
        base_e9 = floor_to_step(value_e6 * E9 // oracle_price_e6(market), market.step_e9)
        counted_e6 = abs(yearly_e6) * self._counted_e4 // E4
        if base_e9 < market.min_order_e9 or not outlasts(counted_e6, self._horizon_h, cost_e6((market,), 0)):
            return None
        self._not_before_ns = state.now_ns + self.params.retry_s * SECOND_NS
        reason = f"take the paid side: funding {human(yearly_e6, 4)} % a year"
        edge_e6 = expected_e6(notional_e6(base_e9, oracle_price_e6(market)), counted_e6, self._horizon_h)
        return TradeSignal({self._market: -base_e9 if yearly_e6 > 0 else base_e9}, reason, edge_e6)
