"""NautilusTrader: bars decide, and a quote at each candle's open fills.

Its simulated exchange moves to a bar's close before a strategy sees the bar, so a bar alone can only fill at the close.
"""

from decimal import Decimal

import numpy as np
from nautilus_trader.backtest.config import BacktestEngineConfig
from nautilus_trader.backtest.engine import BacktestEngine
from nautilus_trader.config import LoggingConfig, RiskEngineConfig
from nautilus_trader.indicators import ExponentialMovingAverage
from nautilus_trader.model.currencies import SOL, USDT
from nautilus_trader.model.data import Bar, BarType, QuoteTick
from nautilus_trader.model.enums import AccountType, OmsType, OrderSide
from nautilus_trader.model.identifiers import InstrumentId, Symbol, TraderId, Venue
from nautilus_trader.model.instruments import CryptoPerpetual
from nautilus_trader.model.objects import Money, Price, Quantity
from nautilus_trader.trading.strategy import Strategy

from benchmarks.candles import FIRST_S, LENGTH_S, Rows
from benchmarks.ema import FAST, SLOW, Cross, Trade, from_fills
from benchmarks.peers.report import Outcome, report

VENUE = Venue("SIM")
INSTRUMENT = InstrumentId(Symbol("SOL-PERP"), VENUE)
BARS = BarType.from_str(f"{INSTRUMENT}-5-MINUTE-LAST-EXTERNAL")
SECOND_NS = 10**9
LEAST_TICK = "0.01"


class EmaCross(Strategy):
    """Its own indicators, one market order a cross."""

    def on_start(self):
        self.instrument = self.cache.instrument(INSTRUMENT)
        self.fast, self.slow = ExponentialMovingAverage(FAST), ExponentialMovingAverage(SLOW)
        self.register_indicator_for_bars(BARS, self.fast)
        self.register_indicator_for_bars(BARS, self.slow)
        self.cross = Cross()
        self.wanted = 0
        self.size = 1
        self.filled = []
        self.subscribe_bars(BARS)
        self.subscribe_quote_ticks(INSTRUMENT)

    def on_bar(self, bar):
        if self.slow.initialized:
            self.wanted = self.cross.judge(self.fast.value, self.slow.value)

    def on_quote_tick(self, tick):
        if self.wanted:
            side = OrderSide.BUY if self.wanted > 0 else OrderSide.SELL
            self.wanted = 0
            self.submit_order(self.order_factory.market(INSTRUMENT, side, self.instrument.make_qty(self.size)))
            self.size = 2

    def on_order_filled(self, event):
        base = float(event.last_qty) if event.order_side == OrderSide.BUY else -float(event.last_qty)
        self.filled.append((event.ts_event // SECOND_NS, base, float(event.last_px)))


def prepare(rows: Rows) -> Outcome:
    engine = BacktestEngine(
        BacktestEngineConfig(
            trader_id=TraderId("BENCH-001"),
            logging=LoggingConfig(bypass_logging=True),
            risk_engine=RiskEngineConfig(bypass=True),
            run_analysis=False,
        )
    )
    engine.add_venue(
        venue=VENUE,
        oms_type=OmsType.NETTING,
        account_type=AccountType.MARGIN,
        starting_balances=[Money(1_000_000, USDT)],
        base_currency=USDT,
        default_leverage=Decimal(1),
        bar_execution=False,
    )
    engine.add_instrument(_instrument())
    quotes, bars = _data(rows)
    engine.add_data(quotes, sort=False)
    engine.add_data(bars)
    strategy = EmaCross()
    engine.add_strategy(strategy)

    def trades() -> list[Trade]:
        found = from_fills(strategy.filled, FIRST_S, LENGTH_S)
        engine.dispose()
        return found

    return engine.run, trades


def _data(rows: Rows):
    """Quotes at the opens, a nanosecond after the bar that closed then."""
    prices = {cents: Price(cents / 100, 2) for cents in np.unique(rows[:, 1:5] // 10_000).tolist()}
    one = Quantity(1_000_000, 2)
    quotes, bars = [], []
    for ts, *cents, volume in (rows // [1, *[10_000] * 4, 1]).tolist():
        open_, high, low, close = (prices[each] for each in cents)
        opened_ns, closed_ns = ts * SECOND_NS + 1, (ts + LENGTH_S) * SECOND_NS
        quotes.append(QuoteTick(INSTRUMENT, open_, open_, one, one, opened_ns, opened_ns))
        bars.append(Bar(BARS, open_, high, low, close, Quantity(volume / 1e6, 2), closed_ns, closed_ns))
    return quotes, bars


def _instrument():
    return CryptoPerpetual(
        instrument_id=INSTRUMENT,
        raw_symbol=Symbol("SOL-PERP"),
        base_currency=SOL,
        quote_currency=USDT,
        settlement_currency=USDT,
        is_inverse=False,
        price_precision=2,
        size_precision=2,
        price_increment=Price.from_str(LEAST_TICK),
        size_increment=Quantity.from_str(LEAST_TICK),
        margin_init=Decimal("0.05"),
        margin_maint=Decimal("0.03"),
        maker_fee=Decimal(0),
        taker_fee=Decimal(0),
        ts_event=0,
        ts_init=0,
    )


if __name__ == "__main__":
    report(prepare)
