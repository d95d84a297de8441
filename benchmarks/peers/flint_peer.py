"""flint-trading: signal on close, order on the next candle, filled at that candle's open."""

from flint.backtest.engine import BacktestEngine
from flint.execution.fee_models import ZeroFeeModel
from flint.execution.fill_models import NextBarOpenFill
from flint.models import Candle, Side, Signal
from flint.strategy.base import Strategy

from benchmarks.candles import FIRST_S, LENGTH_S, Rows
from benchmarks.ema import Cross, Trade, from_fills
from benchmarks.peers.report import Outcome, report

MARKET = "SOL-PERP"


class EmaCross(Strategy):
    """Places an order one candle late, as the engine fills it at the open of the candle it was placed on."""

    @property
    def name(self):
        return "ema cross"

    def reset(self):
        self.cross = Cross()
        self.wanted = 0
        self.size = 1.0

    def on_candle(self, candle, history, ctx=None):
        if self.wanted:
            ctx.market_order(MARKET, Side.LONG if self.wanted > 0 else Side.SHORT, self.size)
            self.size = 2.0
        self.wanted = self.cross.update(candle.close)
        return Signal.HOLD


def prepare(rows: Rows) -> Outcome:
    candles = [
        Candle(ts, open_ / 1e6, high / 1e6, low / 1e6, close / 1e6, volume / 1e6, MARKET, LENGTH_S)
        for ts, open_, high, low, close, volume in rows.tolist()
    ]
    engine = BacktestEngine(
        EmaCross(),
        initial_capital=1_000_000.0,
        fill_model=NextBarOpenFill(),
        fee_model=ZeroFeeModel(),
        max_runtime_s=0,
    )
    held = {}

    def run():
        held["result"] = engine.run(candles)

    def trades() -> list[Trade]:
        fills = held["result"].fills[:-1]  # the last one is the engine closing what is open when the data ends
        return from_fills(
            [(f.ts, f.size if f.side == Side.LONG else -f.size, f.price) for f in fills], FIRST_S, LENGTH_S
        )

    return run, trades


if __name__ == "__main__":
    report(prepare)
