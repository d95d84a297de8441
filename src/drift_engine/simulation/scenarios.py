"""Seeded markets for those without data: declared, simulated, and labelled as such wherever they are shown.

A scenario is a frozen declaration: how volatile the price is, which prices it must pass (pins), how the perp's premium
runs, and what lending pays. ``scenario_timeline`` makes rows of it, a day at a time and only when they are read, so
that a year of seconds starts at once and reading may begin anywhere. Funding follows from the path: each hour's rate
is the program's own rule over that hour's TWAPs of mark and oracle. ``paths`` draws the path.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from drift_engine.core.funding import rate_drift_e9
from drift_engine.core.units import DAY_NS, HOUR_NS, SECOND_NS
from drift_engine.simulation.csv_files import DataError
from drift_engine.simulation.joins import QUOTE
from drift_engine.simulation.market_data import asset_of
from drift_engine.simulation.paths import DAY_S, DayPath, PathSpec, Walk, words
from drift_engine.simulation.rows import Columns, RowKind, in_order, merged, part
from drift_engine.simulation.timeline import Timeline

Ints = NDArray[np.int64]

START_NS = 1_767_225_600 * SECOND_NS  # 2026-01-01
MAX_DAYS = 36_500
HOUR_S = 3_600
_HOURS_A_DAY = 24
_TIER = "B"
_SPOTS = {"SOL": "SOL", "BTC": "wBTC", "ETH": "wETH"}
_SCALE = {"SOL": (1, 1), "BTC": (600, 1), "ETH": (20, 1)}


class Scenario(Struct, frozen=True):
    """One market, declared for SOL; other assets run the same path at their own level of price.

    Rates are fractions a year in 1e6.
    """

    name: str
    text: str
    path: PathSpec
    quote_rates_e6: tuple[int, int] = (50_000, 80_000)
    asset_rates_e6: tuple[int, int] = (30_000, 60_000)


_CRASH_S = 2 * HOUR_S

SCENARIOS = {
    scenario.name: scenario
    for scenario in (
        Scenario(
            "calm_carry",
            "mild moves; longs pay about 30 % a year from the first minute",
            PathSpec(
                150_000_000, volatility_e6=20_000, pull_e6=50_000, premiums=((0, 62_000),), premium_noise_e8=6_000
            ),
        ),
        Scenario(
            "funding_flip",
            "the paid side changes every day or so, so that a carry must be given up and found again",
            PathSpec(
                150_000_000,
                volatility_e6=25_000,
                pull_e6=50_000,
                premiums=tuple(
                    (hour * HOUR_S, premium)
                    for hour, premium in ((0, 70_000), (24, 70_000), (30, -130_000), (54, -130_000), (60, 70_000))
                ),
                premium_period_s=60 * HOUR_S,
                premium_noise_e8=8_000,
            ),
        ),
        Scenario(
            "slow_bleed",
            "the price loses about 1.5 % a day, and shorts pay a little",
            PathSpec(
                200_000_000, volatility_e6=25_000, drift_e6=-15_000, premiums=((0, -35_000),), premium_noise_e8=5_000
            ),
        ),
        Scenario(
            "flash_crash",
            "after two hours the perp falls to 148.52 against a spot of 180.05 in one 5-minute bar, as on 2025-10-10",
            # Binance 5-minute closes of that evening, spot; the premium in the bar is 148.52 / 180.05 - 1. The premiums
            # of the day after are those of Drift's own hourly TWAPs, which fell to about -1.2 %.
            PathSpec(
                207_500_000,
                volatility_e6=30_000,
                pins=(
                    (_CRASH_S - 1_500, 203_900_000),
                    (_CRASH_S - 1_200, 196_840_000),
                    (_CRASH_S - 600, 197_230_000),
                    (_CRASH_S - 300, 187_390_000),
                    (_CRASH_S, 180_050_000),
                    (_CRASH_S + 300, 174_670_000),
                    (_CRASH_S + 900, 183_190_000),
                    (_CRASH_S + 1_500, 196_820_000),
                    (_CRASH_S + 3_300, 185_120_000),
                    (_CRASH_S + 4_800, 189_930_000),
                ),
                premiums=(
                    (0, 20_000),
                    (_CRASH_S - 600, 0),
                    (_CRASH_S - 300, -1_190_000),
                    (_CRASH_S, -17_511_802),
                    (_CRASH_S + 300, 515_257),
                    (_CRASH_S + 600, -390_000),
                    (_CRASH_S + 1_500, -900_000),
                    (_CRASH_S + 10 * HOUR_S, -1_200_000),
                    (_CRASH_S + 18 * HOUR_S, -400_000),
                    (_CRASH_S + 72 * HOUR_S, 0),
                ),
            ),
            quote_rates_e6=(90_000, 140_000),
            asset_rates_e6=(40_000, 80_000),
        ),
    )
}


def scenario_timeline(
    name: str,
    *,
    seed: int = 0,
    interval_s: int = 60,
    days: int = 30,
    start_ns: int = START_NS,
    perp: str = "SOL-PERP",
    with_spot: bool = True,
) -> Timeline:
    """Return a scenario's timeline: a price each ``interval_s`` for ``days`` days, funding and interest each hour.

    The same arguments give the same rows, on every machine and wherever reading begins. Raises ``DataError`` for a
    scenario that is not known or an argument out of range.
    """
    scenario = _known(name)
    asset = asset_of(perp)
    if asset not in _SPOTS or not perp.endswith("-PERP"):
        known = ", ".join(f"{known}-PERP" for known in _SPOTS)
        raise DataError(f"no scenario for market {perp!r}; there are {known}")
    _check(seed, interval_s, days, start_ns)
    markets = (perp, QUOTE, _SPOTS[asset]) if with_spot else (perp, QUOTE)
    source = _Days(scenario, Walk(scenario.path, seed, interval_s, days, _SCALE[asset]), start_ns, len(markets))
    label = f"{name} seed={seed} interval_s={interval_s} days={days} perp={perp} start_ns={start_ns} spot={with_spot}"
    return Timeline(
        markets,
        days * source.rows_a_day,
        start_ns,
        start_ns + days * DAY_NS - interval_s * SECOND_NS,
        source,
        {"scenario": label},
        (
            f"simulated market {name}: {scenario.text}",
            "nothing here happened; funding follows Drift's rule on the path",
        ),
        (),
        simulated=True,
    )


class _Days:
    """The rows of a scenario, made a day at a time; every day has the same number of them."""

    def __init__(self, scenario: Scenario, walk: Walk, start_ns: int, markets: int) -> None:
        self._scenario = scenario
        self._walk = walk
        self._start_ns = start_ns
        self._markets = markets
        self._path = lru_cache(maxsize=2)(walk.day)
        self._day = lru_cache(maxsize=2)(self._rows)
        self.rows_a_day = walk.steps * (markets - 1) + _HOURS_A_DAY * markets

    def cut(self, first: int, last: int) -> Columns:
        """Return rows ``[first, last)``."""
        size = self.rows_a_day
        days = range(first // size, (last - 1) // size + 1)
        return merged([self._day(day).cut(max(first - day * size, 0), last - day * size) for day in days])

    def _rows(self, day: int) -> Columns:
        return in_order(merged([self._funding(day), *self._interest(day), *self._prices(day)]))

    def _prices(self, day: int) -> list[Columns]:
        path = self._path(day)
        step_ns = self._walk.interval_s * SECOND_NS
        ts = self._start_ns + day * DAY_NS + np.arange(self._walk.steps) * step_ns
        before = self._path(day - 1).oracle_e6[-1] if day else 0
        opens = np.concatenate(([before], path.oracle_e6[:-1]))
        rows = [part(RowKind.PRICE, 0, ts, (path.oracle_e6, path.mark_e6, opens))]
        if self._markets > 2:
            rows.append(part(RowKind.PRICE, 2, ts, (path.oracle_e6, path.oracle_e6, opens)))
        return rows

    def _interest(self, day: int) -> list[Columns]:
        hours = self._start_ns + day * DAY_NS + np.arange(_HOURS_A_DAY) * HOUR_NS
        seconds = np.full(_HOURS_A_DAY, HOUR_S)
        if day == 0:
            seconds[0] = 0
        pairs = (self._scenario.quote_rates_e6, self._scenario.asset_rates_e6)[: self._markets - 1]
        return [
            part(RowKind.INTEREST, index, hours, (np.full_like(hours, deposit), np.full_like(hours, borrow), seconds))
            for index, (deposit, borrow) in enumerate(pairs, start=1)
        ]

    def _funding(self, day: int) -> Columns:
        """Return the day's settlements, a few seconds past each hour, the very first at the start itself."""
        late_s = (words(self._walk.seed, "funding", day, _HOURS_A_DAY) % 15 + 2).astype(np.int64)
        if day == 0:
            late_s[0] = 0
        ts = self._start_ns + day * DAY_NS + np.arange(_HOURS_A_DAY) * HOUR_NS + late_s * SECOND_NS
        mark, oracle = (self._twaps(day, name) for name in ("mark_e6", "oracle_e6"))
        rates = [rate_drift_e9(m, o, _TIER) for m, o in zip(mark.tolist(), oracle.tolist(), strict=True)]
        return part(RowKind.FUNDING, 0, ts, (np.array(rates, np.int64), mark, oracle))

    def _twaps(self, day: int, name: str) -> Ints:
        """Return the mean of each hour before a settlement; before the first hour, the first price stands for it."""
        today: Ints = getattr(self._path(day), name)
        hours = today.reshape(_HOURS_A_DAY, -1)
        sums = hours.sum(axis=1) // hours.shape[1]
        yesterday: DayPath | None = self._path(day - 1) if day else None
        first = today[0] if yesterday is None else getattr(yesterday, name)[-hours.shape[1] :].sum() // hours.shape[1]
        return np.concatenate(([first], sums[:-1]))


def _known(name: str) -> Scenario:
    if name not in SCENARIOS:
        raise DataError(f"no scenario {name!r}; there are {', '.join(SCENARIOS)}")
    return SCENARIOS[name]


def _check(seed: int, interval_s: int, days: int, start_ns: int) -> None:
    if seed < 0:
        raise DataError(f"seed is {seed}; it must not be negative")
    if not 1 <= interval_s <= HOUR_S // 2 or HOUR_S % interval_s:
        raise DataError(f"interval is {interval_s} s; it must divide an hour, into two parts at least")
    if not 1 <= days <= MAX_DAYS:
        raise DataError(f"days is {days}; it must be 1 to {MAX_DAYS}")
    if start_ns < 0 or start_ns % (DAY_S * SECOND_NS):
        raise DataError(f"start is {start_ns} ns; it must be a midnight, UTC")
