"""The candles every engine of a comparison gets: seeded, five minutes long, in cents, with gaps between them.

One file of int64 rows, as numpy writes it: ``ts_s, open_e6, high_e6, low_e6, close_e6, volume_e6``. The gap between a
close and the next open is what tells a fill at the next open from a fill at the close.
"""

from pathlib import Path

import numpy as np
import numpy.typing as npt

COUNT = 100_000
SEED = 20_260_401
LENGTH_S = 300
FIRST_S = 1_735_689_600
COLUMNS = ("ts_s", "open_e6", "high_e6", "low_e6", "close_e6", "volume_e6")

_START_USD = 150.0
_SIGMA = 0.002
_GAP_SIGMA = 0.0002
_PULL = 0.0002
_CENT_E6 = 10_000

Rows = npt.NDArray[np.int64]


def make(count: int = COUNT, seed: int = SEED) -> Rows:
    """Return ``count`` candles around a price that wanders and is slowly pulled back to where it began."""
    random = np.random.default_rng(seed)
    moves, gaps, up, down = random.standard_normal((4, count))
    opens, closes = np.empty(count), np.empty(count)
    level = 0.0
    for i in range(count):
        opens[i] = level + gaps[i] * _GAP_SIGMA
        level = closes[i] = opens[i] * (1 - _PULL) + moves[i] * _SIGMA
    highs = np.maximum(opens, closes) + np.abs(up) * _SIGMA / 2
    lows = np.minimum(opens, closes) - np.abs(down) * _SIGMA / 2
    seconds = FIRST_S + LENGTH_S * np.arange(count)
    volumes = random.integers(10**9, 10**10, count)
    return np.column_stack([seconds, *(_cents(each) for each in (opens, highs, lows, closes)), volumes]).astype(
        np.int64
    )


def write(path: Path, rows: Rows) -> None:
    """Write candles to a file."""
    np.save(path, rows)


def read(path: Path) -> Rows:
    """Return the candles of a file."""
    rows: Rows = np.load(path)
    return rows


def _cents(log_price: npt.NDArray[np.float64]) -> Rows:
    return np.rint(np.exp(log_price) * _START_USD * 100).astype(np.int64) * _CENT_E6
