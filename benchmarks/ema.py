"""The strategy every engine of a comparison runs: an EMA cross, 20 over 60, on closes.

The first 60 closes warm both averages up. From then on one of them is on top; each time that changes, the target turns
to plus or minus one base unit at the close, and is filled at the next open, without fee. So the first cross opens one
unit, every later one trades two, and the run is in the market from the first cross to its end.
"""

from typing import NamedTuple

from benchmarks.candles import Rows

FAST, SLOW = 20, 60


class Trade(NamedTuple):
    """One fill: the candle whose open it got, the signed base in whole units, and the price."""

    candle: int
    base: int
    price_e6: int


class Cross:
    """The two averages, fed one close at a time: ``alpha * close + (1 - alpha) * average``, begun at the first."""

    def __init__(self) -> None:
        self.count = 0
        self.side = 0
        self._fast = self._slow = 0.0

    def update(self, close: float) -> int:
        """Take a close; return 1 or -1 where the averages crossed at it, else 0."""
        if self.count == 0:
            self._fast = self._slow = close
        self._fast = _FAST_ALPHA * close + (1 - _FAST_ALPHA) * self._fast
        self._slow = _SLOW_ALPHA * close + (1 - _SLOW_ALPHA) * self._slow
        self.count += 1
        if self.count < SLOW:
            return 0
        return self.judge(self._fast, self._slow)

    def judge(self, fast: float, slow: float) -> int:
        """Take the averages of one close after the warm-up, as an engine's own indicators give them."""
        side = (fast > slow) - (fast < slow)
        crossed = side if self.side and side not in (0, self.side) else 0
        self.side = side or self.side
        return crossed


def trades(rows: Rows) -> list[Trade]:
    """Return the list of trades every engine has to come to, computed plainly."""
    cross = Cross()
    found: list[Trade] = []
    opens, closes = rows[:, 1].tolist(), rows[:, 4].tolist()
    for i, close_e6 in enumerate(closes[:-1]):
        side = cross.update(close_e6 / 1_000_000)
        if side:
            found.append(Trade(i + 1, side * (2 if found else 1), opens[i + 1]))
    return found


def from_fills(fills: list[tuple[int, float, float]], first_s: int, length_s: int) -> list[Trade]:
    """Return trades from an engine's fills: unix seconds of the fill, signed base, price in quote."""
    return [
        Trade((seconds - first_s) // length_s, round(base), round(price * 1_000_000)) for seconds, base, price in fills
    ]


_FAST_ALPHA = 2 / (FAST + 1)
_SLOW_ALPHA = 2 / (SLOW + 1)
