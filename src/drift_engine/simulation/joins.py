"""How history becomes rows: each series at the moment its figures were known, over one window ``[from, to)``.

- A candle's close is known at its open time plus its length; it is the oracle (USDT taken at par with USDC).
- The perp's mark is that oracle times mark TWAP over oracle TWAP of the last settled Drift row, or Binance's perp.
- A Drift funding row is known and settled at its own time.
- A lending row covers the hour from its time and is known when that hour is over. A missing hour carries the last
  rate, at most 12 hours; beyond that deposits earn 0 and the borrow rate is not known.

Every proxy leaves a line in the report, and so does every hole.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from drift_engine.core.units import HOUR_NS, SECOND_NS, ceil_div
from drift_engine.simulation.csv_files import DataError
from drift_engine.simulation.gaps import missing_steps, places, show_places, show_time
from drift_engine.simulation.market_data import Series, asset_of
from drift_engine.simulation.rows import Columns, RowKind, part

Ints = NDArray[np.int64]

QUOTE = "USDC"
MARKS = ("drift", "binance")
CANDLE_S = 300
CANDLE_NS = CANDLE_S * SECOND_NS
HOUR_S = 3_600
CARRY_HOURS = 12
UNKNOWN = -1
PERP_INDEX = 0


class Window(NamedTuple):
    """The half-open span of a run."""

    from_ns: int
    to_ns: int

    def holds(self, ts_ns: Ints) -> NDArray[np.bool_]:
        """Return which times lie inside."""
        inside: NDArray[np.bool_] = (ts_ns >= self.from_ns) & (ts_ns < self.to_ns)
        return inside

    def __str__(self) -> str:
        return f"[{_show(self.from_ns)}, {_show(self.to_ns)})"


class Absent(NamedTuple):
    """The rows a file should have and has not: the starts of their steps, of how many expected."""

    name: str
    starts_s: Ints
    step_s: int
    expected: int
    unit: str


@dataclass(slots=True)
class Join:
    """A window, and what the timeline over it stands on, gathered while it is joined."""

    window: Window
    sources: dict[str, str] = field(default_factory=dict)
    assumptions: list[str] = field(default_factory=list)
    gaps: list[str] = field(default_factory=list)

    def took(self, series: Series) -> bool:
        """Note a file that was read; returns whether it is a new one."""
        if series.name in self.sources:
            return False
        self.sources[series.name] = series.sha256
        self.gaps.extend(series.notes)
        return True

    def missing(self, absent: Absent, remark: str = "") -> None:
        """Note rows that are missing, if there are any."""
        if len(absent.starts_s):
            where = show_places(places(absent.starts_s, absent.step_s))
            count = f"{len(absent.starts_s)} of {absent.expected} {absent.unit}"
            self.gaps.append(f"{absent.name}: {count} missing {where}{remark}")


def window_of(funding: Series, oracle: Series, from_ns: int | None, to_ns: int | None) -> Window:
    """Return the window asked for, by default all of it. Raises ``DataError`` where it holds no price or no funding."""
    for series in (funding, oracle):
        if not len(series.ts_ns):
            raise DataError(f"{series.name}: no rows; fetch the file again")
    known = oracle.ts_ns + CANDLE_NS
    first = max(int(known[0]), int(funding.ts_ns[0]) // HOUR_NS * HOUR_NS)
    last = min(int(known[-1]), (int(funding.ts_ns[-1]) // HOUR_NS + 1) * HOUR_NS)
    window = Window(first if from_ns is None else from_ns, last if to_ns is None else to_ns)
    if window.from_ns >= window.to_ns:
        both = f"{_show(first)} to {_show(last)}" if first < last else "no time in common"
        raise DataError(f"the window {window} is empty; {oracle.name} and {funding.name} have {both}")
    for series, ts_ns, what in ((oracle, known, "prices"), (funding, funding.ts_ns, "funding")):
        if not window.holds(ts_ns).any():
            have = f"{_show(int(ts_ns[0]))} to {_show(int(ts_ns[-1]))}"
            raise DataError(f"no {what} in the window {window}: {series.name} has {have}; choose a window inside it")
    return window


def funding_rows(funding: Series, join: Join) -> Columns:
    """Return the settlements inside the window, each at its own time."""
    window = join.window
    join.took(funding)
    first_s, last_s = ceil_div(window.from_ns, SECOND_NS), (ceil_div(window.to_ns, HOUR_NS) - 1) * HOUR_S
    absent = missing_steps(funding.ts_s, first_s, last_s, HOUR_S)
    expected = last_s // HOUR_S - ceil_div(first_s, HOUR_S) + 1
    join.missing(Absent(funding.name, absent, HOUR_S, expected, "hours"), "; nothing is settled in them")
    inside = window.holds(funding.ts_ns)
    rate = funding["rate_e9"]
    odd = int((inside & ((funding["rate_long_e9"] != rate) | (funding["rate_short_e9"] != rate))).sum())
    if odd:
        join.assumptions.append(
            f"{funding.name}: {odd} rows have another rate for longs or shorts; fundingRate is used"
        )
    values = (rate[inside], funding["mark_twap_e6"][inside], funding["oracle_twap_e6"][inside])
    return part(RowKind.FUNDING, PERP_INDEX, funding.ts_ns[inside], values)


def perp_rows(perp: str, funding: Series, oracle: Series, candles: Series | None, join: Join) -> Columns:
    """Return the perp's price rows: the oracle, and the mark from ``candles`` or, without them, by Drift's premium."""
    spot = _candles(oracle, join)
    join.assumptions.append(_oracle_line(asset_of(perp)))
    if candles is None:
        return part(
            RowKind.PRICE, PERP_INDEX, spot.ts, (spot.close, _drift_marks(perp, funding, spot, join), spot.open)
        )
    join.assumptions.append(f"mark of {perp}: close of Binance's {asset_of(perp)} perp 5-minute candle")
    other = _candles(candles, join)
    ts, at, other_at = np.intersect1d(spot.ts, other.ts, assume_unique=True, return_indices=True)
    if not len(ts):
        raise DataError(f"{candles.name}: no prices in the window {join.window}; use the Drift mark")
    return part(RowKind.PRICE, PERP_INDEX, ts, (spot.close[at], other.close[other_at], other.open[other_at]))


def spot_rows(name: str, oracle: Series, index: int, join: Join) -> Columns:
    """Return a spot market's price rows: mark and oracle are one."""
    spot = _candles(oracle, join)
    if not len(spot.ts):
        raise DataError(f"{oracle.name}: no prices in the window {join.window}; choose a window inside its data")
    join.assumptions.append(f"price of {name}: the oracle of {asset_of(name)}")
    if (line := _oracle_line(asset_of(name))) not in join.assumptions:
        join.assumptions.append(line)
    return part(RowKind.PRICE, index, spot.ts, (spot.close, spot.close, spot.open))


def interest_rows(name: str, lending: Series | None, index: int, join: Join) -> Columns:
    """Return a row for each hour's end inside the window: that hour's rates, and how much of it the window covers."""
    window = join.window
    ends = np.arange(ceil_div(window.from_ns, HOUR_NS), ceil_div(window.to_ns, HOUR_NS)) * HOUR_NS
    if lending is None or not len(lending.ts_ns):
        join.assumptions.append(f"{name}: no lending rates; deposits earn 0 and borrowing it is refused")
        none = ends[:0]
        return part(RowKind.INTEREST, index, none, (none, none, none))
    join.took(lending)
    join.assumptions.append(
        f"{name}: Drift's lending rates as percent a year; each holds for its hour, known at its end"
    )
    hours = ends - HOUR_NS
    last = np.searchsorted(lending.ts_ns, hours, "right") - 1
    age_h = (hours - lending.ts_ns[np.maximum(last, 0)]) // HOUR_NS
    known = (last >= 0) & (age_h <= CARRY_HOURS)
    seconds = np.minimum(HOUR_S, (ends - window.from_ns) // SECOND_NS)
    own = (seconds == 0) | (known & (age_h == 0))
    carried, unknown = int((known & ~own).sum()), int((~known & ~own).sum())
    absent = Absent(lending.name, hours[~own] // SECOND_NS, HOUR_S, int((seconds > 0).sum()), "hours")
    join.missing(absent, f"; {carried} carry the last rate, {unknown} are unknown (deposits earn 0, no borrowing)")
    deposit = np.where(known, lending["deposit_rate_e6"][last], 0)
    borrow = np.where(known, lending["borrow_rate_e6"][last], UNKNOWN)
    return part(RowKind.INTEREST, index, ends, (deposit, borrow, seconds))


class _Candles(NamedTuple):
    ts: Ints
    open: Ints
    close: Ints


def _candles(series: Series, join: Join) -> _Candles:
    """Return the candles whose close becomes known inside the window, at that time."""
    window = join.window
    if join.took(series):
        first = ceil_div(window.from_ns, CANDLE_NS) - 1
        last = ceil_div(window.to_ns, CANDLE_NS) - 2
        absent = missing_steps(series.ts_s, first * CANDLE_S, last * CANDLE_S, CANDLE_S)
        join.missing(Absent(series.name, absent, CANDLE_S, last - first + 1, "5-minute candles"))
    known = series.ts_ns + CANDLE_NS
    inside = window.holds(known)
    return _Candles(known[inside], series["open_e6"][inside], series["close_e6"][inside])


def _drift_marks(perp: str, funding: Series, spot: _Candles, join: Join) -> Ints:
    last = np.searchsorted(funding.ts_ns, spot.ts, "right") - 1
    join.assumptions.append(
        f"mark of {perp}: oracle x mark TWAP / oracle TWAP of the last settled Drift row, truncated"
    )
    if before := int((last < 0).sum()):
        join.assumptions.append(f"mark of {perp}: the oracle for {before} prices before the first Drift row")
    twaps = zip(funding["mark_twap_e6"].tolist(), funding["oracle_twap_e6"].tolist(), strict=True)
    premiums = [*twaps, (1, 1)]  # the last one, index -1, stands before the first row
    pairs = zip(spot.close.tolist(), last.tolist(), strict=True)
    return np.array([oracle * premiums[row][0] // premiums[row][1] for oracle, row in pairs], np.int64)


def _oracle_line(asset: str) -> str:
    return f"oracle of {asset}: close of Binance's {asset}/USDT spot 5-minute candle, USDT taken at par with {QUOTE}"


def _show(ts_ns: int) -> str:
    return show_time(ts_ns // SECOND_NS)
