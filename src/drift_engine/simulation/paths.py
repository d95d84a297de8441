"""Seeded price paths in integers.

A day's path is drawn from the seed and the day's number alone, and meets the days beside it at midnight: a random walk
is bent so that it passes through knots (the day's ends and the declared pins) exactly, like a Brownian bridge. Only the
levels at midnight depend on the days before, and they are cheap; so any day can be made without making the others.

Randomness is PCG64's raw 64-bit words, which numpy promises to keep; everything after them is integer arithmetic, so a
path is the same on every machine.
"""

from __future__ import annotations

from itertools import pairwise
from math import isqrt
from typing import NamedTuple

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from drift_engine.core.units import E9, tdiv

Ints = NDArray[np.int64]

DAY_S = 86_400
_E8 = 10**8
_STREAMS = {"levels": 1, "price": 2, "premium": 3, "funding": 4}
_NOISE_MEAN = 2 * (2**16 - 1)
_NOISE_VARIANCE = (2**32 - 1) // 3
_MARK_STEP_E6 = 100
_FLOOR = 20

Knots = tuple[tuple[int, int], ...]


class PathSpec(Struct, frozen=True):
    """A path: where it starts, how it moves in a day (1e6), and how the perp's premium runs (1e8 of the oracle).

    ``pull_e6`` is the part of its distance to the start that the price makes up in a day. ``pins`` are (second, price)
    that it passes; ``premiums`` are (second, premium) joined by straight lines, repeated after ``premium_period_s``,
    and the last holds where there is no period. The price never falls under a twentieth of its start.
    """

    start_e6: int
    volatility_e6: int
    premiums: Knots
    drift_e6: int = 0
    pull_e6: int = 0
    premium_noise_e8: int = 0
    premium_period_s: int = 0
    pins: Knots = ()


class DayPath(NamedTuple):
    """One day's prices, one each interval from midnight."""

    oracle_e6: Ints
    mark_e6: Ints


def words(seed: int, stream: str, day: int, count: int) -> NDArray[np.uint64]:
    """Return raw random words that depend on nothing but the arguments."""
    return np.asarray(np.random.PCG64([seed, _STREAMS[stream], day]).random_raw(count), np.uint64)


def noise(raw: NDArray[np.uint64]) -> Ints:
    """Return nearly normal integers of mean 0: the sum of a word's four 16-bit parts. Their variance is 2^32 / 3."""
    parts = np.ascontiguousarray(raw, "<u8").view("<u2").reshape(-1, 4)
    return np.asarray(parts.sum(axis=1, dtype=np.int64) - _NOISE_MEAN)


def through(knots: Knots, at: Ints) -> Ints:
    """Return the lines through (place, value) knots at some places, flat before the first and after the last."""
    values = np.full(len(at), knots[0][1], np.int64)
    for (left, low), (right, high) in pairwise(knots):
        inside = (at >= left) & (at < right)
        values[inside] = low + (high - low) * (at[inside] - left) // (right - left)
    values[at >= knots[-1][0]] = knots[-1][1]
    return values


class Walk:
    """A path of some days at one interval, scaled to an asset's level of price by a fraction."""

    def __init__(self, spec: PathSpec, seed: int, interval_s: int, days: int, scale: tuple[int, int] = (1, 1)) -> None:
        self.spec = spec
        self.seed = seed
        self.interval_s = interval_s
        self.steps = DAY_S // interval_s
        self._scale = scale
        self._start_e6 = self._scaled(spec.start_e6)
        self._levels = self._midnights(days)

    def day(self, day: int) -> DayPath:
        """Return the prices of one day."""
        seconds = day * DAY_S + np.arange(self.steps + 1) * self.interval_s
        knots = self._knots(day)
        bent = self._bridge("price", day, seconds, knots, self.spec.volatility_e6 * 100)
        oracle = through(knots, seconds)
        oracle = oracle + self._levels[day] * bent // _E8
        premium = self._premiums(seconds)
        premium += self._bridge("premium", day, seconds, (knots[0], knots[-1]), self.spec.premium_noise_e8)
        mark = oracle + oracle * premium // _E8
        mark = (mark + _MARK_STEP_E6 // 2) // _MARK_STEP_E6 * _MARK_STEP_E6
        return DayPath(oracle[:-1], mark[:-1])

    def _bridge(self, stream: str, day: int, seconds: Ints, knots: Knots, daily_e8: int) -> Ints:
        """Return a random walk with this deviation a day, in 1e8, bent to be zero at the knots."""
        if daily_e8 == 0:
            return np.zeros(self.steps + 1, np.int64)
        steps = noise(words(self.seed, stream, day, self.steps))
        walk = np.concatenate(([0], np.cumsum(steps)))
        at = [(second - day * DAY_S) // self.interval_s for second, _ in knots]
        base = through(tuple((int(seconds[place]), int(walk[place])) for place in dict.fromkeys(at)), seconds)
        return (walk - base) * daily_e8 // isqrt(_NOISE_VARIANCE * self.steps)

    def _knots(self, day: int) -> Knots:
        first, last = day * DAY_S, (day + 1) * DAY_S
        pins = tuple((second, self._scaled(price)) for second, price in self.spec.pins if first < second < last)
        return ((first, self._levels[day]), *pins, (last, self._levels[day + 1]))

    def _premiums(self, seconds: Ints) -> Ints:
        period = self.spec.premium_period_s
        return through(self.spec.premiums, seconds % period if period else seconds)

    def _midnights(self, days: int) -> list[int]:
        """Return the price at each midnight: the last price known, moved by drift, pull and a day's noise."""
        moves = noise(words(self.seed, "levels", 0, days)).tolist()
        spec, levels = self.spec, [self._start_e6]
        for day, move in enumerate(moves):
            pins = [price for second, price in spec.pins if day * DAY_S < second < (day + 1) * DAY_S]
            level = self._scaled(pins[-1]) if pins else levels[-1]
            pull_e9 = tdiv((self._start_e6 - level) * spec.pull_e6 * 1_000, level)
            change_e9 = move * spec.volatility_e6 * 1_000 // isqrt(_NOISE_VARIANCE) + spec.drift_e6 * 1_000 + pull_e9
            levels.append(max(level * (E9 + change_e9) // E9, self._start_e6 // _FLOOR))
        return levels

    def _scaled(self, price_e6: int) -> int:
        return price_e6 * self._scale[0] // self._scale[1]
