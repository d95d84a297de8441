"""Market data as it lies in a directory, as columns of scaled integers in order of time.

``MarketData`` knows what the directory holds and reads one series at a time. Nothing is mended silently: a row that
cannot be read, or two rows that tell different things of one moment, is a ``DataError``; rows that repeat another
word for word are left out and rows out of order are put in order, and the series says so in its ``notes``. Missing
rows stay missing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from drift_engine.core.units import SECOND_NS
from drift_engine.simulation import layouts
from drift_engine.simulation.csv_files import DataError, Flaw, Table, read_table
from drift_engine.simulation.gaps import show_lines
from drift_engine.simulation.layouts import Field, Layout

Ints = NDArray[np.int64]

__all__ = ["DataError", "MarketData", "Series", "asset_of", "times_ns", "value_flaws"]

_LATEST_S = 2**32


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """One file's rows in order of time; ``columns`` are named with their scale (``close_e6``)."""

    name: str
    sha256: str
    ts_ns: Ints
    columns: Mapping[str, Ints]
    notes: tuple[str, ...]

    def __getitem__(self, column: str) -> Ints:
        return self.columns[column]

    @property
    def ts_s(self) -> Ints:
        """The rows' times in whole seconds."""
        return self.ts_ns // SECOND_NS


class MarketData:
    """The market data in one directory. Raises ``DataError`` where there is no such directory."""

    def __init__(self, directory: str | Path) -> None:
        self.directory = Path(directory)
        if not self.directory.is_dir():
            raise DataError(f"no directory {self.directory}; give one that holds drift/ and binance/")

    def perps(self) -> tuple[str, ...]:
        """Return the perp markets that can be traded over: those with Drift funding and 5-minute spot prices."""
        spot = layouts.candles("binance", "spot", "5m")
        funded = self._markets(layouts.DRIFT_FUNDING)
        return tuple(perp for perp in funded if self._has(spot.file(asset_of(perp))))

    def funding(self, perp: str) -> Series:
        """Return Drift's hourly settlements: ``rate_e9``, ``mark_twap_e6`` and ``oracle_twap_e6``."""
        spot = layouts.candles("binance", "spot", "5m").file(asset_of(perp))
        if not self._has(layouts.DRIFT_FUNDING.file(perp)) and not (perp.endswith("-PERP") and self._has(spot)):
            known = ", ".join(self.perps()) or "none"
            raise DataError(f"no market {perp!r} in {self.directory}; it has {known}")
        return self.read(layouts.DRIFT_FUNDING, perp)

    def candles(self, asset: str, series: str, length: str = "5m", venue: str = "binance") -> Series:
        """Return candles by their open time: ``open_e6`` and ``close_e6``. ``series`` is spot, perp or mark."""
        return self.read(layouts.candles(venue, series, length), asset, ("open", "close"))

    def lending(self, asset: str) -> Series | None:
        """Return Drift's hourly ``deposit_rate_e6`` and ``borrow_rate_e6`` a year, ``None`` where there is no file."""
        return self.read(layouts.LENDING, asset) if self._has(layouts.LENDING.file(asset)) else None

    def binance_funding(self, asset: str) -> Series:
        """Return Binance's 8-hourly ``rate_e12``, a fraction of the notional."""
        return self.read(layouts.BINANCE_FUNDING, asset)

    def hyperliquid_funding(self, asset: str) -> Series:
        """Return Hyperliquid's hourly ``rate_e12`` and ``premium_e12``, fractions of the notional."""
        return self.read(layouts.HYPERLIQUID_FUNDING, asset)

    def read(self, layout: Layout, market: str, only: tuple[str, ...] = ()) -> Series:
        """Read one file, or only some of its columns. Raises ``DataError`` at whatever cannot be relied on."""
        name = layout.file(market)
        table = read_table(self.directory / name, name, layout.columns)
        times = times_ns(table, layout)
        if times[1]:
            raise table.error(times[1][0])
        columns = {}
        for field in layout.fields:
            if not only or field.column in only:
                columns[field.name] = table.scaled(field.column, field.decimals, truncate=field.truncate)
                if flaws := value_flaws(table, field, columns[field.name]):
                    raise table.error(flaws[0])
        return _in_order(table, times[0], columns)

    def _has(self, file: str) -> bool:
        return (self.directory / file).is_file()

    def _markets(self, layout: Layout) -> list[str]:
        found = self.directory.glob(layout.path.format("*"))
        names = (layout.market(path.relative_to(self.directory).as_posix()) for path in found)
        return sorted(name for name in names if name)


def asset_of(market: str) -> str:
    """Return the asset behind a market's name: SOL-PERP and SOL are SOL, wBTC is BTC."""
    name = market.removesuffix("-PERP")
    return name[1:] if name[:1] == "w" and name[1:].isupper() else name


def times_ns(table: Table, layout: Layout) -> tuple[Ints, list[Flaw]]:
    """Return the rows' times in nanoseconds, and the rows whose time cannot be one."""
    raw, flaws = table.scaled_leniently(layout.time, 0)
    step = layout.step_s * layout.per_second
    wrong = (raw <= 0) | (raw >= _LATEST_S * layout.per_second)
    if layout.on_grid:
        wrong |= raw % step != 0
    told = {flaw.line for flaw in flaws}
    for row in np.flatnonzero(wrong).tolist():
        if (line := int(table.lines[row])) not in told:
            flaws.append(Flaw(line, f"{layout.time} is {raw[row]}, not a time on the grid of {layout.step_s} s"))
    return np.where(wrong, 0, raw) * (SECOND_NS // layout.per_second), sorted(flaws, key=lambda flaw: flaw.line)


def value_flaws(table: Table, field: Field, values: Ints) -> list[Flaw]:
    """Return the rows whose figure is less than its field allows."""
    if field.least is None:
        return []
    column, wanted = field.column, "more than 0" if field.least else "0 or more"
    rows = np.flatnonzero(values < field.least).tolist()
    return [Flaw(int(table.lines[row]), f"{column} is {table.field(row, column)!r}, not {wanted}") for row in rows]


def _in_order(table: Table, ts_ns: Ints, columns: dict[str, Ints]) -> Series:
    if bool(np.all(np.diff(ts_ns) > 0)):
        return Series(table.name, table.sha256, ts_ns, columns, ())
    notes = []
    late = np.flatnonzero(ts_ns < np.maximum.accumulate(ts_ns))
    if len(late):
        notes.append(
            f"{table.name}: {len(late)} rows out of order, put in order ({show_lines(table.lines[late].tolist())})"
        )
    order = np.argsort(ts_ns, kind="stable")
    ts_ns, columns, lines = ts_ns[order], {name: values[order] for name, values in columns.items()}, table.lines[order]
    again = np.flatnonzero(np.diff(ts_ns) == 0) + 1
    for values in columns.values():
        differs = again[values[again] != values[again - 1]]
        if len(differs):
            one, other = lines[differs[0] - 1], lines[differs[0]]
            raise table.error(Flaw(int(other), f"tells something else of the same time as line {one}"))
    if len(again):
        notes.append(f"{table.name}: {len(again)} rows repeat another, left out ({show_lines(lines[again].tolist())})")
    kept = {name: np.delete(values, again) for name, values in columns.items()}
    return Series(table.name, table.sha256, np.delete(ts_ns, again), kept, tuple(notes))
