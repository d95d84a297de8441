"""backtesting.py: its market orders fill at the next open by themselves."""

import warnings

import pandas as pd
from backtesting import Backtest, Strategy

from benchmarks.candles import FIRST_S, LENGTH_S, Rows
from benchmarks.ema import FAST, SLOW, Cross, Trade, from_fills
from benchmarks.peers.report import Outcome, report


def average(closes, span):
    """The first value shown is that of the last close of the warm-up: ``next`` begins one after the last gap."""
    values = pd.Series(closes).ewm(span=span, adjust=False).mean()
    values[: SLOW - 2] = float("nan")
    return values


class EmaCross(Strategy):
    """Trades one unit at the first cross and two at each later one."""

    def init(self):
        self.fast = self.I(average, self.data.Close, FAST)
        self.slow = self.I(average, self.data.Close, SLOW)
        self.cross = Cross()
        self.size = 1

    def next(self):
        side = self.cross.judge(float(self.fast[-1]), float(self.slow[-1]))
        if side > 0:
            self.buy(size=self.size)
        elif side < 0:
            self.sell(size=self.size)
        if side:
            self.size = 2


def prepare(rows: Rows) -> Outcome:
    index = pd.to_datetime(rows[:, 0], unit="s")
    frame = pd.DataFrame(rows[:, 1:] / 1e6, columns=["Open", "High", "Low", "Close", "Volume"], index=index)
    backtest = Backtest(frame, EmaCross, cash=1_000_000, margin=1.0)
    held = {}

    def run():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            held["stats"] = backtest.run()

    def trades() -> list[Trade]:
        closed = held["stats"]["_trades"]
        legs = [(t.EntryTime, t.Size, t.EntryPrice) for t in closed.itertuples()]
        opened = held["stats"]["_strategy"].trades
        legs += [(t.entry_time, t.size, t.entry_price) for t in opened]
        legs += [(t.ExitTime, -t.Size, t.ExitPrice) for t in closed.itertuples()]
        netted: dict[int, tuple[int, float, float]] = {}
        for when, size, price in sorted(legs, key=lambda leg: leg[0]):
            seconds = int(when.timestamp())
            netted[seconds] = (seconds, netted.get(seconds, (0, 0, 0))[1] + size, price)
        return from_fills(list(netted.values()), FIRST_S, LENGTH_S)

    return run, trades


if __name__ == "__main__":
    report(prepare)
