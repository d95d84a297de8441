"""A timeline: the market rows of a run, in order of event time, read in chunks of 4,096.

The world reads a timeline and knows nothing of files; a timeline knows nothing of accounts. Rows come from history
(``load_timeline``), from a scenario, or from arrays (``Timeline.from_columns``). What stands in for something else is
listed in ``assumptions``, what is missing in ``gaps``: no row is ever made up to fill a hole.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
from numpy.typing import ArrayLike

from drift_engine.simulation import joins
from drift_engine.simulation.csv_files import DataError
from drift_engine.simulation.joins import QUOTE, Join
from drift_engine.simulation.market_data import MarketData, asset_of
from drift_engine.simulation.rows import CHUNK_ROWS, Columns, Ints, Row, RowKind, in_order, merged

__all__ = ["Chunk", "DataError", "RowKind", "Timeline", "load_timeline"]

_MOST_MARKETS = 256


class Chunk:
    """Rows ``[first, last)`` of a timeline."""

    __slots__ = ("columns", "first", "last")

    def __init__(self, first: int, last: int, columns: Columns) -> None:
        self.first = first
        self.last = last
        self.columns = columns

    @property
    def digest(self) -> str:
        """A hash of the chunk's rows, the same on every machine."""
        return self.columns.digest()

    def rows(self) -> Iterator[Row]:
        """Iterate over ``(ts_ns, kind, market_index, a, b, c, tick)``; see ``simulation.rows`` for a, b, c."""
        return self.columns.rows()


class RowSource(Protocol):
    """Where a timeline's rows come from."""

    def cut(self, first: int, last: int) -> Columns:
        """Return rows ``[first, last)``."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Timeline:
    """The rows of a run and where they come from. ``sources`` maps a file to its sha256, or names the scenario."""

    markets: tuple[str, ...]
    length: int
    first_ns: int
    last_ns: int
    source: RowSource = field(repr=False)
    sources: Mapping[str, str]
    assumptions: tuple[str, ...] = ()
    gaps: tuple[str, ...] = ()
    simulated: bool = False

    def chunks(self, first_row: int = 0) -> Iterator[Chunk]:
        """Iterate over the rows from ``first_row`` on; chunks end at multiples of 4,096 wherever reading begins."""
        first = first_row
        while first < self.length:
            last = min((first // CHUNK_ROWS + 1) * CHUNK_ROWS, self.length)
            yield Chunk(first, last, self.source.cut(first, last))
            first = last

    @classmethod
    def from_columns(
        cls,
        markets: Sequence[str],
        ts: ArrayLike,
        kind: ArrayLike,
        market: ArrayLike,
        a: ArrayLike,
        b: ArrayLike,
        c: ArrayLike,
        *,
        sources: Mapping[str, str] | None = None,
        assumptions: Sequence[str] = (),
        gaps: Sequence[str] = (),
        simulated: bool = False,
    ) -> Timeline:
        """Return a timeline of these rows, in any order. Raises ``ValueError`` where they cannot be rows."""
        named = {"ts": ts, "kind": kind, "market": market, "a": a, "b": b, "c": c}
        given = {name: _integers(name, values) for name, values in named.items()}
        _check(len(markets), given)
        kinds, indices = given["kind"].astype(np.uint8), given["market"].astype(np.uint8)
        values = (given["a"], given["b"], given["c"])
        ordered = in_order(Columns(given["ts"], kinds, indices, *values, np.zeros_like(kinds)))
        _check_once(ordered)
        return cls(
            tuple(markets),
            len(ordered.ts),
            int(ordered.ts[0]),
            int(ordered.ts[-1]),
            ordered,
            dict(sources or {}),
            tuple(assumptions),
            tuple(gaps),
            simulated,
        )


def load_timeline(
    directory: str | Path,
    perp: str,
    from_ns: int | None = None,
    to_ns: int | None = None,
    *,
    spots: Sequence[str] = (),
    mark: Literal["drift", "binance"] = "drift",
) -> Timeline:
    """Join a directory's files over ``[from_ns, to_ns)``; without bounds, over all that has prices and funding.

    Raises ``DataError`` where a file is missing or broken, the market is unknown, or the window holds no data.
    """
    if mark not in joins.MARKS:
        raise DataError(f"no mark {mark!r}; known are {', '.join(joins.MARKS)}")
    data = MarketData(directory)
    funding = data.funding(perp)
    oracle = data.candles(asset_of(perp), "spot")
    join = Join(joins.window_of(funding, oracle, from_ns, to_ns))
    perp_candles = data.candles(asset_of(perp), "perp") if mark == "binance" else None
    parts = [joins.funding_rows(funding, join), joins.perp_rows(perp, funding, oracle, perp_candles, join)]
    markets = (perp, QUOTE, *(spot for spot in dict.fromkeys(spots) if spot != QUOTE))
    for index, name in enumerate(markets[1:], start=1):
        if name != QUOTE:
            candles = oracle if asset_of(name) == asset_of(perp) else data.candles(asset_of(name), "spot")
            parts.append(joins.spot_rows(name, candles, index, join))
        parts.append(joins.interest_rows(name, data.lending(asset_of(name)), index, join))
    rows = in_order(merged(parts))
    return Timeline(
        markets,
        len(rows.ts),
        int(rows.ts[0]),
        int(rows.ts[-1]),
        rows,
        join.sources,
        tuple(join.assumptions),
        tuple(join.gaps),
    )


def _integers(name: str, values: ArrayLike) -> Ints:
    column = np.asarray(values)
    if column.ndim != 1 or not np.issubdtype(column.dtype, np.integer):
        raise ValueError(f"column {name} is {column.dtype} of {column.ndim} dimensions; it must be one of integers")
    return column.astype(np.int64)


def _check(markets: int, given: Mapping[str, Ints]) -> None:
    lengths = {len(column) for column in given.values()}
    if len(lengths) > 1 or lengths == {0}:
        raise ValueError("a timeline needs columns of one length and at least one row")
    kind, market = given["kind"], given["market"]
    if kind.min() < RowKind.FUNDING or kind.max() > RowKind.PRICE:
        raise ValueError("a row's kind is 0 (funding), 1 (interest) or 2 (price)")
    if market.min() < 0 or market.max() >= min(markets, _MOST_MARKETS):
        raise ValueError(f"a row's market is an index below {min(markets, _MOST_MARKETS)}")
    bad = (given["a"] <= 0) | (given["b"] <= 0) | (given["c"] < 0)
    if bool(np.any((kind == RowKind.PRICE) & bad)):
        raise ValueError("a price row needs a positive oracle and mark, and an open of zero or more")


def _check_once(rows: Columns) -> None:
    """A settlement that stands twice would be paid twice."""
    same = [column[1:] == column[:-1] for column in (rows.ts, rows.kind, rows.market)]
    twice = np.flatnonzero(same[0] & same[1] & same[2] & (rows.kind[1:] != RowKind.PRICE))
    if len(twice):
        raise ValueError(f"a settlement stands twice at {int(rows.ts[twice[0]])} ns")
