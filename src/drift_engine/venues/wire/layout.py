"""Accounts as they lie in memory: fields at fixed offsets, read when asked for.

A ``Layout`` is one account of one protocol: its discriminator, and the name, type and place of each field, written as
the program declares them, in order. A view (``User``, ``PerpMarket``, …) is a class of typed fields over a buffer and
its layout: the same class reads both protocols, and reading a field unpacks that field and nothing else. Over a
``bytearray`` a view also writes, in place and in the program's own form.

An account may be longer than its layout says (programs grow their accounts at the end), never shorter. Fields lie
packed: the accounts are zero-copy structs with explicit padding (``#[repr(C)]``, no hidden holes) or plain borsh.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from struct import Struct
from typing import Generic, Self, TypeVar, overload

from solders.pubkey import Pubkey

from drift_engine.venues.errors import DecodeError

Buffer = bytes | bytearray
T = TypeVar("T")

_SIZES = {
    "bool": 1, "u8": 1, "i8": 1, "u16": 2, "i16": 2, "u32": 4, "i32": 4, "u64": 8, "i64": 8, "u128": 16, "i128": 16,
    "pubkey": 32,
}  # fmt: skip


def discriminator(name: str, space: str = "account") -> bytes:
    """Return Anchor's eight bytes for ``name``: the head of sha256 of ``space:name``."""
    return sha256(f"{space}:{name}".encode()).digest()[:8]


@dataclass(frozen=True, slots=True)
class Layout:
    """Where each field of one account of one protocol lies. ``offsets`` count from the account's first byte."""

    name: str
    size: int
    head: bytes
    offsets: Mapping[str, int]
    types: Mapping[str, str]

    def __contains__(self, field: str) -> bool:
        return field in self.offsets

    def blank(self) -> bytearray:
        """Return an account with its discriminator and nothing else."""
        return bytearray(self.head.ljust(self.size, b"\0"))


def size_of(kind: str, structs: Mapping[str, int]) -> int:
    """Return the bytes that a type takes: a number, ``pubkey``, a named struct, or any of them times a count."""
    kind, _, count = kind.partition("*")
    return (_SIZES.get(kind) or structs[kind]) * int(count or 1)


def packed(declared: str, structs: Mapping[str, int], start: int = 0) -> tuple[dict[str, int], dict[str, str], int]:
    """Return offsets, types and the end of fields declared as ``name type`` lines; ``_`` is padding."""
    offsets: dict[str, int] = {}
    types: dict[str, str] = {}
    at = start
    for line in declared.strip().splitlines():
        name, kind = line.split("#")[0].split()
        if name != "_":
            offsets[name], types[name] = at, kind
        at += size_of(kind, structs)
    return offsets, types, at


def account_layout(name: str, declared: str, structs: Mapping[str, int] | None = None) -> Layout:
    """Return an account's layout from its declaration; the first eight bytes are the discriminator."""
    offsets, types, end = packed(declared, structs or {}, start=8)
    return Layout(name, end, discriminator(name), offsets, types)


class View:
    """One account's bytes. Made by ``decode``, which has checked owner, discriminator and length."""

    __slots__ = ("data", "layout")

    def __init__(self, data: Buffer, layout: Layout) -> None:
        self.data, self.layout = data, layout

    @classmethod
    def over(cls, data: Buffer, layout: Layout) -> Self:
        """Return a view after checking that the bytes are of this kind of account and long enough."""
        if len(data) < layout.size:
            raise DecodeError(f"{layout.name} has {len(data)} bytes; this build knows no less than {layout.size}")
        if data[:8] != layout.head:
            raise DecodeError(f"not a {layout.name}: it starts with {bytes(data[:8]).hex()}, not {layout.head.hex()}")
        return cls(data, layout)

    def place(self, field: str) -> int:
        """Return a field's offset."""
        try:
            return self.layout.offsets[field]
        except KeyError:
            raise AttributeError(f"this protocol's {self.layout.name} has no {field}") from None

    def writable(self) -> bytearray:
        """Return the bytes for writing."""
        if isinstance(self.data, bytearray):
            return self.data
        raise TypeError(f"this {self.layout.name} is read-only: its bytes are not a bytearray")


class Field(Generic[T]):
    """One field of a view: read on access, written where the buffer can be."""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, view: None, owner: type) -> Self: ...
    @overload
    def __get__(self, view: View, owner: type) -> T: ...
    def __get__(self, view: View | None, owner: type) -> Self | T:
        if view is None:
            return self
        return self._read(view.data, view.place(self.name))

    def __set__(self, view: View, value: T) -> None:
        self._write(view.writable(), view.place(self.name), value)

    def _read(self, data: Buffer, at: int) -> T:
        """Return the value at an offset."""
        raise NotImplementedError

    def _write(self, data: bytearray, at: int, value: T) -> None:
        """Put a value at an offset."""
        raise NotImplementedError


class Number(Field[int]):
    """An integer of up to 64 bits, by its ``struct`` code."""

    def __init__(self, code: str) -> None:
        self._struct = Struct("<" + code)
        self._unpack = self._struct.unpack_from

    def _read(self, data: Buffer, at: int) -> int:
        value: int = self._unpack(data, at)[0]
        return value

    def _write(self, data: bytearray, at: int, value: int) -> None:
        self._struct.pack_into(data, at, value)


class Wide(Field[int]):
    """An integer of 128 bits."""

    def __init__(self, *, signed: bool) -> None:
        self._signed = signed

    def _read(self, data: Buffer, at: int) -> int:
        return int.from_bytes(data[at : at + 16], "little", signed=self._signed)

    def _write(self, data: bytearray, at: int, value: int) -> None:
        data[at : at + 16] = value.to_bytes(16, "little", signed=self._signed)


class Key(Field[Pubkey]):
    """An address."""

    def _read(self, data: Buffer, at: int) -> Pubkey:
        return Pubkey(bytes(data[at : at + 32]))

    def _write(self, data: bytearray, at: int, value: Pubkey) -> None:
        data[at : at + 32] = bytes(value)


class Text(Field[str]):
    """A name of 32 bytes, padded with spaces or zeros; bytes that are no UTF-8 are shown as the replacement sign."""

    def _read(self, data: Buffer, at: int) -> str:
        return bytes(data[at : at + 32]).decode("utf-8", "replace").strip(" \0")

    def _write(self, data: bytearray, at: int, value: str) -> None:
        raw = value.encode()
        if len(raw) > 32:
            raise ValueError(f"name {value!r} has {len(raw)} bytes; the program keeps 32")
        data[at : at + 32] = raw.ljust(32)


class Record(Field[T]):
    """A struct inside an account, as one value. ``make`` takes the struct's numbers in order and nothing else."""

    def __init__(self, fmt: str, make: type[T]) -> None:
        self._struct, self._make = Struct("<" + fmt), make

    def _read(self, data: Buffer, at: int) -> T:
        return self._make(*self._struct.unpack_from(data, at))

    def _write(self, data: bytearray, at: int, value: T) -> None:
        fields: tuple[str, ...] = getattr(value, "__struct_fields__")  # noqa: B009 — T is a msgspec struct
        self._struct.pack_into(data, at, *(getattr(value, name) for name in fields))


class Flag(Field[bool]):
    """A boolean in one byte."""

    def _read(self, data: Buffer, at: int) -> bool:
        return data[at] != 0

    def _write(self, data: bytearray, at: int, value: bool) -> None:
        data[at] = value


def u8() -> Number:
    """Return a field of one unsigned byte."""
    return Number("B")


def i8() -> Number:
    """Return a field of one signed byte."""
    return Number("b")


def u16() -> Number:
    """Return a field of two unsigned bytes."""
    return Number("H")


def i16() -> Number:
    """Return a field of two signed bytes."""
    return Number("h")


def u32() -> Number:
    """Return a field of four unsigned bytes."""
    return Number("I")


def i32() -> Number:
    """Return a field of four signed bytes."""
    return Number("i")


def u64() -> Number:
    """Return a field of eight unsigned bytes."""
    return Number("Q")


def i64() -> Number:
    """Return a field of eight signed bytes."""
    return Number("q")


def u128() -> Wide:
    """Return a field of sixteen unsigned bytes."""
    return Wide(signed=False)


def i128() -> Wide:
    """Return a field of sixteen signed bytes."""
    return Wide(signed=True)
