"""The files a market-data directory may hold, and what their columns mean.

One record a kind of file: where it lies, how far apart its rows are, and which columns become which scaled integers.
The loader and the audit both read these declarations, so they cannot disagree about a file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

HOUR_S = 3_600
_LENGTHS = {"1m": 60, "5m": 300, "1h": HOUR_S}
_PRICE = 1


@dataclass(frozen=True, slots=True)
class Field:
    """A column of decimal strings and the scaled integer it becomes, as ``close`` and ``close_e6``.

    ``truncate`` lets decimals beyond the scale go; less than ``least`` is refused, a scaled integer too.
    """

    column: str
    name: str
    decimals: int
    truncate: bool = False
    least: int | None = None


@dataclass(frozen=True, slots=True)
class Layout:
    """One kind of file. ``path`` holds ``{}`` for the market or asset; ``step_s`` is how far apart rows should be.

    ``on_grid``: a row's time is a multiple of the step; otherwise it lies within the step it belongs to.
    ``per_second`` is 1000 where times are in milliseconds.
    """

    path: str
    step_s: int
    fields: tuple[Field, ...]
    time: str = "ts"
    per_second: int = 1
    on_grid: bool = True

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns the file must have."""
        return (self.time, *(field.column for field in self.fields))

    def file(self, market: str) -> str:
        """Return the file's path below the directory for one market or asset."""
        return self.path.format(market)

    def market(self, file: str) -> str | None:
        """Return the market or asset a path is for, ``None`` where the path is of another kind."""
        before, after = (re.escape(part) for part in self.path.split("{}"))
        match = re.fullmatch(f"{before}([^/_]+){after}", file)
        return match[1] if match else None


DRIFT_FUNDING = Layout(
    "drift/{}_funding_1h.csv.gz",
    HOUR_S,
    (
        Field("fundingRate", "rate_e9", 9),
        Field("fundingRateLong", "rate_long_e9", 9),
        Field("fundingRateShort", "rate_short_e9", 9),
        Field("oraclePriceTwap", "oracle_twap_e6", 6, least=_PRICE),
        Field("markPriceTwap", "mark_twap_e6", 6, least=_PRICE),
    ),
    on_grid=False,
)
# Percent a year, so that four decimals of it are six decimals of a fraction.
LENDING = Layout(
    "drift/spot_rates_{}_1h.csv.gz",
    HOUR_S,
    (
        Field("avgLendingRate", "deposit_rate_e6", 4, truncate=True, least=0),
        Field("avgBorrowingRate", "borrow_rate_e6", 4, truncate=True, least=0),
    ),
)
DRIFT_DAILY = Layout(
    "drift/{}_funding_daily_independent.csv.gz", 24 * HOUR_S, (Field("rate", "rate_e18", 18, truncate=True),)
)
BINANCE_FUNDING = Layout("binance/{}_funding_8h.csv.gz", 8 * HOUR_S, (Field("fundingRate", "rate_e12", 12),))
HYPERLIQUID_FUNDING = Layout(
    "hyperliquid/{}_funding_1h.csv.gz",
    HOUR_S,
    (Field("fundingRate", "rate_e12", 12), Field("premium", "premium_e12", 12, truncate=True)),
    time="ts_ms",
    per_second=1_000,
    on_grid=False,
)


def candles(venue: str, series: str, length: str) -> Layout:
    """Return the layout of candles: ``venue`` binance or hyperliquid, ``series`` spot, perp or mark, ``length`` 5m."""
    truncate = series == "mark"
    fields = tuple(
        Field(column, f"{column}_e6", 6, truncate, least=_PRICE) for column in ("open", "high", "low", "close")
    )
    return Layout(f"{venue}/{{}}_{series}_{length}.csv.gz", _LENGTHS[length], fields)


ALL = (
    DRIFT_FUNDING,
    LENDING,
    DRIFT_DAILY,
    BINANCE_FUNDING,
    HYPERLIQUID_FUNDING,
    *(
        candles(venue, series, length)
        for venue in ("binance", "hyperliquid")
        for series in ("spot", "perp", "mark")
        for length in _LENGTHS
    ),
)


def layout_of(file: str) -> Layout | None:
    """Return the layout of a path below the directory, ``None`` where it is no known kind of file."""
    return next((layout for layout in ALL if layout.market(file) is not None), None)
