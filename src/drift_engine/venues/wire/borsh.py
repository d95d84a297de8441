"""Borsh, both ways: a shape is declared once, as ``name kind`` lines, and packs values to bytes and back.

Kinds are ``u8`` to ``u128``, ``i8`` to ``i128``, ``bool``, ``pubkey``, ``bytes`` (a vector of bytes), ``u8*32`` (a
fixed array of bytes), ``option<kind>``, ``vec<kind>``, and the names of other shapes. Numbers that stand side by side
are packed by one precompiled ``struct``. A number that does not fit is refused with its field's name: the chain would
wrap nothing, but a truncated amount is still a wrong amount.

Source: the borsh specification (little-endian, ``u32`` lengths, one byte before an option), and the program's IDL.
"""

import re
from collections.abc import Mapping, Sequence
from struct import Struct
from struct import error as StructError  # noqa: N812 — struct's own exception
from typing import Any, Protocol

from solders.pubkey import Pubkey

from drift_engine.venues.errors import DecodeError, EncodeError

CODES = {"u8": "B", "i8": "b", "u16": "H", "i16": "h", "u32": "I", "i32": "i", "u64": "Q", "i64": "q", "bool": "?"}
_GENERIC = re.compile(r"(option|vec)<(.+)>")
_LENGTH = Struct("<I")


class Kind(Protocol):
    """How one value is written and read. ``where`` names the field in errors."""

    def write(self, value: Any, where: str) -> bytes:
        """Return the value's bytes. Raises ``EncodeError``."""
        ...

    def read(self, data: bytes, at: int) -> tuple[Any, int]:
        """Return the value at an offset, and the offset behind it. Raises ``DecodeError``."""
        ...


class Number:
    """An integer of up to 64 bits, or a boolean, by its ``struct`` code."""

    def __init__(self, kind: str) -> None:
        self.kind, self.code = kind, CODES[kind]
        self._struct = Struct("<" + self.code)

    def write(self, value: Any, where: str) -> bytes:
        """Return the number's bytes."""
        try:
            return self._struct.pack(value)
        except (StructError, OverflowError):
            raise misfit(value, self.kind, where) from None

    def read(self, data: bytes, at: int) -> tuple[Any, int]:
        """Return the number at an offset."""
        end = at + self._struct.size
        return self._struct.unpack(cut(data, at, end))[0], end


class Wide:
    """An integer of 128 bits."""

    def __init__(self, kind: str) -> None:
        self.kind, self._signed = kind, kind == "i128"

    def write(self, value: Any, where: str) -> bytes:
        """Return the number's 16 bytes."""
        try:
            return int.to_bytes(value, 16, "little", signed=self._signed)
        except (OverflowError, TypeError):
            raise misfit(value, self.kind, where) from None

    def read(self, data: bytes, at: int) -> tuple[int, int]:
        """Return the number at an offset."""
        return int.from_bytes(cut(data, at, at + 16), "little", signed=self._signed), at + 16


class Key:
    """An address."""

    def write(self, value: Any, where: str) -> bytes:
        """Return the address's 32 bytes."""
        if not isinstance(value, Pubkey):
            raise EncodeError(f"{where} = {value!r} is no address")
        return bytes(value)

    def read(self, data: bytes, at: int) -> tuple[Pubkey, int]:
        """Return the address at an offset."""
        return Pubkey(cut(data, at, at + 32)), at + 32


class Blob:
    """Bytes: a fixed number of them, or a vector with its length before it where ``size`` is ``None``."""

    def __init__(self, size: int | None) -> None:
        self._size = size

    def write(self, value: Any, where: str) -> bytes:
        """Return the bytes, with their length before them in a vector."""
        if not isinstance(value, bytes | bytearray):
            raise EncodeError(f"{where} = {value!r} is not bytes")
        if self._size is None:
            return _LENGTH.pack(len(value)) + value
        if len(value) != self._size:
            raise EncodeError(f"{where} has {len(value)} bytes; it takes exactly {self._size}")
        return bytes(value)

    def read(self, data: bytes, at: int) -> tuple[bytes, int]:
        """Return the bytes at an offset."""
        size, at = read_length(data, at) if self._size is None else (self._size, at)
        return cut(data, at, at + size), at + size


class Option:
    """A value or ``None``."""

    def __init__(self, inner: Kind) -> None:
        self._write, self._read = inner.write, inner.read

    def write(self, value: Any, where: str) -> bytes:
        """Return a zero byte for ``None``, else a one and the value."""
        return b"\0" if value is None else b"\1" + self._write(value, where)

    def read(self, data: bytes, at: int) -> tuple[Any, int]:
        """Return the value or ``None``."""
        given = cut(data, at, at + 1)[0]
        if given > 1:
            raise DecodeError(f"byte {at} is {given}, where an option starts with 0 or 1")
        return self._read(data, at + 1) if given else (None, at + 1)


class Vec:
    """Several values of one kind."""

    def __init__(self, inner: Kind) -> None:
        self._inner = inner

    def write(self, value: Any, where: str) -> bytes:
        """Return the number of values, then each."""
        each = [self._inner.write(item, f"{where}[{index}]") for index, item in enumerate(value)]
        return _LENGTH.pack(len(each)) + b"".join(each)

    def read(self, data: bytes, at: int) -> tuple[tuple[Any, ...], int]:
        """Return the values."""
        count, at = read_length(data, at)
        if count > len(data):
            raise DecodeError(f"a list of {count} does not fit the {len(data)} bytes it is said to be in")
        items = []
        for _ in range(count):
            item, at = self._inner.read(data, at)
            items.append(item)
        return tuple(items), at


class Run:
    """Numbers side by side, packed at once."""

    def __init__(self, names: Sequence[str], numbers: Sequence[Number]) -> None:
        self.names, self._numbers = tuple(names), tuple(numbers)
        self._struct = Struct("<" + "".join(number.code for number in numbers))
        self._pack = self._struct.pack

    def write_all(self, values: Sequence[Any], where: str) -> bytes:
        """Return the numbers' bytes; the first that does not fit is named."""
        try:
            return self._pack(*values)
        except (StructError, OverflowError):
            for name, number, value in zip(self.names, self._numbers, values, strict=True):
                number.write(value, where + name)
            raise

    def read_all(self, data: bytes, at: int) -> tuple[tuple[Any, ...], int]:
        """Return the numbers at an offset."""
        end = at + self._struct.size
        return self._struct.unpack(cut(data, at, end)), end


class One:
    """A field of any other kind, as a run of one."""

    def __init__(self, name: str, kind: Kind) -> None:
        self.names, self._name, self._kind = (name,), name, kind

    def write_all(self, values: Sequence[Any], where: str) -> bytes:
        """Return the value's bytes."""
        return self._kind.write(values[0], where + self._name)

    def read_all(self, data: bytes, at: int) -> tuple[tuple[Any, ...], int]:
        """Return the value at an offset."""
        value, at = self._kind.read(data, at)
        return (value,), at


class Shape:
    """Fields in order. ``shapes`` are the other shapes its kinds may name; ``title`` stands before fields in errors."""

    def __init__(self, title: str, declared: str, shapes: Mapping[str, Kind] | None = None) -> None:
        fields = [line.split() for line in declared.splitlines() if line.strip()]
        kinds = [kind_of(kind, shapes or {}) for _, kind in fields]
        self.title, self.names = title, tuple(name for name, _ in fields)
        self._parts = [(part, start, start + len(part.names)) for part, start in _parts(self.names, kinds)]

    def pack(self, values: Sequence[Any]) -> bytes:
        """Return the values' bytes. Raises ``EncodeError`` with the field's name where one does not fit."""
        if len(values) != len(self.names):
            raise TypeError(f"{self.title} takes {len(self.names)} values, not {len(values)}")
        where = self.title + "."
        return b"".join([part.write_all(values[start:stop], where) for part, start, stop in self._parts])

    def unpack(self, data: bytes, at: int = 0) -> tuple[tuple[Any, ...], int]:
        """Return the values at an offset, and the offset behind them. Raises ``DecodeError``."""
        values: list[Any] = []
        for part, _, _ in self._parts:
            some, at = part.read_all(data, at)
            values += some
        return tuple(values), at


def kind_of(kind: str, shapes: Mapping[str, Kind]) -> Kind:
    """Return the writer and reader of a declared kind."""
    if kind in CODES:
        return Number(kind)
    if match := _GENERIC.fullmatch(kind):
        return (Option if match[1] == "option" else Vec)(kind_of(match[2], shapes))
    if kind in {"u128", "i128"}:
        return Wide(kind)
    if kind == "pubkey":
        return Key()
    if kind == "bytes" or kind.startswith("u8*"):
        return Blob(int(kind[3:]) if kind != "bytes" else None)
    return shapes[kind]


def cut(data: bytes, at: int, end: int) -> bytes:
    """Return the bytes of a value. Raises ``DecodeError`` where they end too early."""
    if end > len(data):
        raise DecodeError(f"{len(data)} bytes end before byte {end}")
    return bytes(data[at:end])


def read_length(data: bytes, at: int) -> tuple[int, int]:
    """Return a vector's length, and the offset behind it."""
    return int(_LENGTH.unpack(cut(data, at, at + 4))[0]), at + 4


def misfit(value: object, kind: str, where: str) -> EncodeError:
    """Return what is wrong with a number that cannot be written."""
    if not isinstance(value, int):
        return EncodeError(f"{where} = {value!r} is not a whole number; {kind} takes one")
    bits = int(kind[1:])
    low, high = (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if kind[0] == "i" else (0, (1 << bits) - 1)
    return EncodeError(f"{where} = {value} does not fit {kind}, which holds {low} to {high}")


def _parts(names: Sequence[str], kinds: Sequence[Kind]) -> list[tuple[Run | One, int]]:
    parts: list[tuple[Run | One, int]] = []
    start = 0
    while start < len(kinds):
        stop = start
        while stop < len(kinds) and isinstance(kinds[stop], Number):
            stop += 1
        numbers = [kind for kind in kinds[start:stop] if isinstance(kind, Number)]
        parts.append((Run(names[start:stop], numbers) if numbers else One(names[start], kinds[start]), start))
        start = max(stop, start + 1)
    return parts
