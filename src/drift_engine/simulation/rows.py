"""Rows of a timeline as columns, and how they are put in order.

A row is ``(ts_ns, kind, market, a, b, c, tick)``. ``market`` is the index into the timeline's names.

===========  =============================  ==============================================  =====================
kind         a                              b                                               c
===========  =============================  ==============================================  =====================
FUNDING      rate, 1e9 an hour              mark TWAP, 1e6                                  oracle TWAP, 1e6
INTEREST     deposit rate a year, 1e6       borrow rate a year, 1e6 (-1 = not known)        seconds it covers
PRICE        oracle, 1e6                    mark, 1e6                                       open, 1e6 (0 = none)
===========  =============================  ==============================================  =====================

Rows go by time, then kind, then market. ``tick`` is 1 on the last PRICE row of its time: the engine then decides.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import blake2b
from itertools import chain
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Bytes = NDArray[np.uint8]
Row = tuple[int, ...]

CHUNK_ROWS: Final = 4_096
_BLOCK_ROWS = 256


class RowKind:
    """What a row tells; plain integers, as they are compared once a row."""

    FUNDING: Final = 0
    INTEREST: Final = 1
    PRICE: Final = 2


class Columns(NamedTuple):
    """Rows by column."""

    ts: Ints
    kind: Bytes
    market: Bytes
    a: Ints
    b: Ints
    c: Ints
    tick: Bytes

    def cut(self, first: int, last: int) -> Columns:
        """Return rows ``[first, last)``."""
        return Columns._make(column[first:last] for column in self)

    def rows(self, *more: Ints) -> Iterator[Row]:
        """Iterate over the rows, and over more columns behind them, as tuples of Python integers."""
        columns: tuple[Ints | Bytes, ...] = (*self, *more)
        starts = range(0, len(self.ts), _BLOCK_ROWS)
        blocks = ([column[first : first + _BLOCK_ROWS] for column in columns] for first in starts)
        return chain.from_iterable(map(_tuples, blocks))

    def digest(self) -> str:
        """Return a hash of the columns' bytes, the same on every machine."""
        digest = blake2b(digest_size=16)
        for column in self:
            digest.update(np.ascontiguousarray(column, column.dtype.newbyteorder("<")).data)
        return digest.hexdigest()


def _tuples(block: Sequence[Ints | Bytes]) -> Iterator[Row]:
    """Iterate over a few rows; a block's integers stay in the processor's cache until they are used."""
    wide = [column.tolist() if column.itemsize > 1 else column.tobytes() for column in block]  # bytes iterate faster
    return zip(*wide, strict=True)


def part(kind: int, market: int, ts: Ints, values: tuple[Ints, Ints, Ints]) -> Columns:
    """Return the rows of one kind and market; ``values`` are a, b and c. Ticks are set by ``in_order``."""
    kinds, markets, ticks = (np.full(len(ts), value, np.uint8) for value in (kind, market, 0))
    return Columns(ts, kinds, markets, *values, ticks)


def merged(parts: Sequence[Columns]) -> Columns:
    """Return the rows of several parts as one."""
    return Columns._make(np.concatenate(columns) for columns in zip(*parts, strict=True))


def in_order(columns: Columns) -> Columns:
    """Return rows by time, kind and market, with their ticks set. Rows equal in all three keep their order."""
    ts, kind, market = columns.ts, columns.kind, columns.market
    order = np.lexsort((market, kind, ts))
    ordered = columns if bool(np.all(order[1:] > order[:-1])) else Columns._make(column[order] for column in columns)
    last_of_ts = np.append(ordered.ts[1:] != ordered.ts[:-1], np.True_)[: len(ordered.ts)]
    return ordered._replace(tick=((ordered.kind == RowKind.PRICE) & last_of_ts).astype(np.uint8))
