"""Gzip CSV files of market data, read exactly: decimal strings become scaled integers, never by way of a float.

A file is unpacked once, its separators are found with numpy, and a column is turned into integers only when somebody
asks for it: digit by digit over all rows at once, with ``Decimal`` for the few figures in another notation
(``1.25e-05``). Nothing is written anywhere. Whatever cannot be read is named by file, line and field: strictly
(``read_table``, the first one raises) or leniently (``read_leniently``, all are listed and left out).
"""

from __future__ import annotations

import gzip
import hashlib
import re
import zlib
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]

_COMMA, _NEWLINE, _MINUS, _POINT, _ZERO = b",\n-.0"
_PLAIN_WIDTH = 18
_MAX = 2**63 - 1
_NUMBER = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d{1,2})?")
_MEND = "mend or remove the line, or fetch the file again"


class DataError(Exception):
    """Market data cannot be read or does not hold what was asked of it. One line: file, line, what, how to mend."""


@dataclass(frozen=True, slots=True)
class Flaw:
    """A row that cannot be read: its line in the file (the header is line 1) and what is wrong with it."""

    line: int
    what: str


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """The unpacked rows of one file: where each field starts and ends in ``text``, and each row's line number."""

    name: str
    sha256: str
    columns: tuple[str, ...]
    text: NDArray[np.uint8]
    starts: Ints
    ends: Ints
    lines: Ints
    flaws: tuple[Flaw, ...]

    def __len__(self) -> int:
        return len(self.lines)

    def field(self, row: int, column: str) -> str:
        """Return one field as it stands in the file."""
        at = self.columns.index(column)
        return self.text[self.starts[row, at] : self.ends[row, at]].tobytes().decode("utf-8", "replace")

    def scaled(self, column: str, decimals: int, *, truncate: bool = False) -> Ints:
        """Return a column as integers of ``decimals`` decimals.

        Raises ``DataError`` at the first field that is no number or has more decimals, unless they may be truncated.
        """
        values, bad = self.scaled_leniently(column, decimals, truncate=truncate)
        if bad:
            raise self.error(bad[0])
        return values

    def scaled_leniently(self, column: str, decimals: int, *, truncate: bool = False) -> tuple[Ints, list[Flaw]]:
        """Return a column as integers, 0 where a field cannot be read, and those fields."""
        at = self.columns.index(column)
        values, odd = _plain(self.text, self.starts[:, at], self.ends[:, at], decimals, truncate=truncate)
        bad = []
        for row in np.flatnonzero(odd).tolist():
            try:
                values[row] = _exact(self.field(row, column), decimals, truncate=truncate)
            except ValueError as error:
                bad.append(Flaw(int(self.lines[row]), f"{column} {error}"))
        return values, bad

    def error(self, flaw: Flaw) -> DataError:
        """Return the error that names a flaw of this file."""
        return DataError(f"{self.name}, line {flaw.line}: {flaw.what}; {_MEND}")


def read_table(path: Path, name: str, columns: tuple[str, ...]) -> Table:
    """Read a file that must have these columns. Raises ``DataError`` where it cannot be read or a row is broken."""
    table = read_leniently(path, name, columns)
    if table.flaws:
        raise table.error(table.flaws[0])
    return table


def read_leniently(path: Path, name: str, columns: tuple[str, ...]) -> Table:
    """Read a file and list its broken rows. Raises ``DataError`` where it is missing, damaged or has other columns."""
    packed = packed_bytes(path, name)
    data = unpack(packed, name)
    header, _, body = data.partition(b"\n")
    found = tuple(header.decode("utf-8", "replace").split(","))
    missing = [column for column in columns if column not in found]
    if missing:
        raise DataError(
            f"{name}, line 1: no column {', '.join(missing)} in the header {','.join(found)!r}; "
            f"the first line must name {','.join(columns)}"
        )
    body, lines, flaws = _whole_rows(body, len(found))
    text = np.frombuffer(body, np.uint8)
    separators = np.flatnonzero((text == _COMMA) | (text == _NEWLINE)).reshape(-1, len(found))
    starts = np.empty_like(separators)
    starts.reshape(-1)[:1] = 0
    starts.reshape(-1)[1:] = separators.reshape(-1)[:-1] + 1
    return Table(name, hashlib.sha256(packed).hexdigest(), found, text, starts, separators, lines, flaws)


def unpack(packed: bytes, name: str) -> bytes:
    """Return a gzip file's content with Unix line ends. Raises ``DataError`` where it is damaged."""
    try:
        data = gzip.decompress(packed)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{name}: no readable gzip file ({error}); fetch the file again") from None
    return data.replace(b"\r\n", b"\n") if b"\r" in data else data


def packed_bytes(path: Path, name: str) -> bytes:
    """Return a file as it lies. Raises ``DataError`` where it is missing or cannot be read."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise DataError(f"{name}: missing in {path.parent}; put the file there or choose another --data") from None
    except OSError as error:
        raise DataError(f"{name}: cannot be read ({error.strerror}); check its permissions") from None


def _whole_rows(body: bytes, width: int) -> tuple[bytes, Ints, tuple[Flaw, ...]]:
    """Return the rows that have all their fields, each row's line number, and the rows that do not."""
    if body and not body.endswith(b"\n"):
        body += b"\n"
    text = np.frombuffer(body, np.uint8)
    newlines = np.flatnonzero(text == _NEWLINE)
    before = np.searchsorted(np.flatnonzero(text == _COMMA), newlines)
    broken = np.flatnonzero(np.diff(before, prepend=0) != width - 1)
    lines = np.arange(2, len(newlines) + 2)
    if not len(broken):
        return body, lines, ()
    rows = body.split(b"\n")[:-1]
    flaws = tuple(Flaw(row + 2, _miscount(rows[row], width)) for row in broken.tolist())
    kept = np.delete(lines, broken)
    return b"".join(rows[line - 2] + b"\n" for line in kept.tolist()), kept, flaws


def _miscount(row: bytes, width: int) -> str:
    return f"{row.count(b',') + 1} fields instead of {width}" if row.strip() else "empty line"


def _plain(
    text: NDArray[np.uint8], starts: Ints, ends: Ints, decimals: int, *, truncate: bool
) -> tuple[Ints, NDArray[np.bool_]]:
    """Parse ``-123.456`` in all rows at once; the second array marks the rows that are written in another way."""
    widths = ends - starts
    odd = (widths == 0) | (widths > _PLAIN_WIDTH)
    value, digits, fraction = (np.zeros(len(starts), np.int64) for _ in range(3))
    points = np.zeros(len(starts), np.int64)
    negative = text[np.minimum(starts, len(text) - 1)] == _MINUS if len(text) else np.zeros(0, np.bool_)
    for place in range(min(int(widths.max(initial=0)), _PLAIN_WIDTH)):
        live = place < widths
        char = text[np.minimum(starts + place, len(text) - 1)]
        digit = char - np.uint8(_ZERO)
        is_digit, is_point = live & (digit < 10), live & (char == _POINT)
        value = np.where(is_digit, value * 10 + digit, value)
        digits += is_digit
        fraction += is_digit & (points > 0)
        points += is_point
        odd |= live & ~is_digit & ~is_point & ~(negative & (place == 0))
    odd |= (digits == 0) | (points > 1) | ((points == 1) & ((fraction == 0) | (fraction == digits)))
    value, unfit = _shifted(value, decimals - fraction, truncate=truncate)
    return np.where(negative, -value, value), odd | unfit


def _shifted(value: Ints, places: Ints, *, truncate: bool) -> tuple[Ints, NDArray[np.bool_]]:
    """Scale non-negative values by powers of ten; marks those that overflow or, unless truncated, lose digits."""
    up, down = 10 ** np.clip(places, 0, _PLAIN_WIDTH), 10 ** np.clip(-places, 0, _PLAIN_WIDTH)
    unfit = value > _MAX // up
    if not truncate:
        unfit |= value % down != 0
    return np.where(unfit, 0, value) * up // down, unfit


def _exact(text: str, decimals: int, *, truncate: bool) -> int:
    if not _NUMBER.fullmatch(text):
        raise ValueError(f"is {text!r}, which is no number")
    figure = Decimal(text).scaleb(decimals)
    if not truncate and figure != figure.to_integral_value():
        raise ValueError(f"is {text!r}, which has more than {decimals} decimals")
    if abs(figure) > _MAX:
        raise ValueError(f"is {text!r}, which is out of range")
    return int(figure)
