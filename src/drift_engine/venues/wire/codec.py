"""One value in memory: how many bytes it takes, and the value they stand for.

A ``Codec`` is one item of a ``struct`` format and, where the item is not the value yet (addresses, names, 128-bit
integers, structs inside accounts), how to get from one to the other. Structs are declared as text, as the program
declares them: ``name type`` a line, several names of one type with commas, ``_`` for padding, ``Type*n`` for arrays.
Everything lies packed and little-endian.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import starmap
from operator import add, attrgetter, itemgetter
from struct import Struct
from typing import Any, Generic, TypeVar

import msgspec
from solders.pubkey import Pubkey

from drift_engine.venues.errors import EncodeError

T = TypeVar("T")
S = TypeVar("S", bound=msgspec.Struct)


@dataclass(frozen=True, slots=True)
class Codec(Generic[T]):
    """A type on the wire. ``code`` is its one ``struct`` item; ``value`` and ``item`` are ``None`` where both agree."""

    code: str
    value: Callable[[Any], T] | None
    item: Callable[[T], Any] | None

    @property
    def size(self) -> int:
        """Bytes that the value takes."""
        return Struct("<" + self.code).size


@dataclass(frozen=True, slots=True)
class Record(Codec[S]):
    """A struct inside an account. ``format`` packs its fields, whose places are in ``offsets``.

    ``arguments`` turns the format's items into ``make``'s arguments, and is ``None`` where they already are; ``rows``
    unpacks the arguments of every struct in some bytes.
    """

    make: type[S]
    format: Struct
    offsets: Mapping[str, int]
    arguments: Callable[[Any], Iterable[Any]] | None
    rows: Callable[[bytes], Iterable[Any]]
    packed: Callable[[S], bytes]

    def unpacked(self, raw: bytes) -> S:
        """Return the struct that lies in ``raw``."""
        items = self.format.unpack(raw)
        return self.make(*(self.arguments(items) if self.arguments else items))

    def all(self, data: bytes) -> Iterable[S]:
        """Return the structs that fill ``data``, one after the other."""
        return starmap(self.make, self.rows(data))


Codecs = Mapping[str, Codec[Any]]


def text(raw: bytes) -> str:
    """Return a name without its padding; bytes that are no UTF-8 are shown as the replacement sign."""
    return raw.strip(b" \0").decode("utf-8", "replace")


def padded(name: str) -> bytes:
    """Return a name in 32 bytes, padded with spaces as the program's clients pad it."""
    raw = name.encode()
    if len(raw) > 32:
        raise EncodeError(f"name {name!r} has {len(raw)} bytes; the program keeps 32")
    return raw.ljust(32)


def _wide(*, signed: bool) -> Codec[int]:
    value = partial(int.from_bytes, byteorder="little", signed=signed)
    return Codec("16s", value, lambda number: number.to_bytes(16, "little", signed=signed))


_NUMBERS = {"u8": "B", "i8": "b", "u16": "H", "i16": "h", "u32": "I", "i32": "i", "u64": "Q", "i64": "q"}
BASIC: Codecs = {
    **{name: Codec(code, None, None) for name, code in _NUMBERS.items()},
    "u128": _wide(signed=False),
    "i128": _wide(signed=True),
    "bool": Codec("?", None, None),
    "pubkey": Codec("32s", Pubkey, bytes),
    "text": Codec("32s", text, padded),
}


@dataclass(frozen=True, slots=True)
class Declared:
    """A declaration, read: each field's type and place, the whole ``struct`` format, and where it ends."""

    types: Mapping[str, str]
    codecs: Codecs
    offsets: Mapping[str, int]
    code: str
    end: int


def declared(lines: str, known: Codecs, start: int = 0) -> Declared:
    """Return what a declaration says, with offsets counted from ``start``."""
    types: dict[str, str] = {}
    codecs: dict[str, Codec[Any]] = {}
    offsets: dict[str, int] = {}
    code, at = "", start
    for line in lines.strip().splitlines():
        names, kind = line.split("#")[0].rsplit(maxsplit=1)
        for name in map(str.strip, names.split(",")):
            codec = of_type(kind, known)
            if name == "_":
                code += f"{codec.size}x"
            else:
                types[name], codecs[name], offsets[name] = kind, codec, at
                code += codec.code
            at += codec.size
    return Declared(types, codecs, offsets, _counted(code), at)


def _counted(code: str) -> str:
    """Return a format with a count before items of one type, ``3Q`` for ``QQQ``: ``struct`` unpacks them faster."""
    return re.sub(r"([A-Za-z?])\1+", lambda run: f"{len(run[0])}{run[1]}", code)


def format_of(names: Sequence[str], codecs: Codecs, offsets: Mapping[str, int], size: int = 0) -> Struct:
    """Return the format of some fields where they lie, in that order, and of ``size`` bytes at least."""
    code, at = "", 0
    for name in names:
        codec, start = codecs[name], offsets[name]
        code += (f"{start - at}x" if start > at else "") + codec.code
        at = start + codec.size
    return Struct("<" + _counted(code) + f"{max(0, size - at)}x")


def of_type(kind: str, known: Codecs) -> Codec[Any]:
    """Return the codec of a type's name: a basic type, a known struct, or an array of either."""
    name, _, count = kind.partition("*")
    codec = BASIC[name] if name in BASIC else known[name]
    return _array(codec, int(count)) if count else codec


def record(make: type[S], lines: str, known: Codecs | None = None) -> Record[S]:
    """Return the codec of a struct whose fields are ``make``'s by name; fields it does not declare keep defaults."""
    read = declared(lines, known or {})
    packer = Struct("<" + read.code)
    arguments, packed = _arguments(make, read), _packing(read, packer)

    def value(raw: bytes) -> S:
        items = packer.unpack(raw)
        return make(*(arguments(items) if arguments else items))

    rows: Callable[[bytes], Iterable[Any]] = packer.iter_unpack
    if arguments:
        rows = _in_two_passes(make, read) or (lambda data: map(arguments, packer.iter_unpack(data)))
    return Record(f"{packer.size}s", value, packed, make, packer, read.offsets, arguments, rows, packed)


def _arguments(make: type[msgspec.Struct], read: Declared) -> Callable[[Any], Iterable[Any]] | None:
    """Return how a format's items become ``make``'s arguments; ``None`` where they already are."""
    ordered = _ordered(make, tuple(read.types))
    converted = [(at, codec.value) for at, codec in enumerate(read.codecs.values()) if codec.value]
    if not converted:
        return ordered

    def arguments(items: Iterable[Any]) -> Iterable[Any]:
        values = list(items)
        for at, convert in converted:
            values[at] = convert(values[at])
        return ordered(values) if ordered else values

    return arguments


def _in_two_passes(make: type[msgspec.Struct], read: Declared) -> Callable[[bytes], Iterable[Any]] | None:
    """Return how to unpack ``make``'s first fields, then its last ones, which lie between them, and join both.

    That is cheaper than to put each struct's items into another order. ``None`` where it does not do.
    """
    fields, at = make.__struct_fields__, read.offsets
    if set(fields) != set(at) or any(codec.value for codec in read.codecs.values()):
        return None
    turn = next(place for place in range(1, len(fields)) if at[fields[place]] < at[fields[place - 1]])
    if list(fields[turn:]) != sorted(fields[turn:], key=lambda name: at[name]):
        return None
    first, last = (format_of(part, read.codecs, at, read.end) for part in (fields[:turn], fields[turn:]))
    return lambda data: map(add, first.iter_unpack(data), last.iter_unpack(data))


def _ordered(make: type[msgspec.Struct], names: tuple[str, ...]) -> Callable[[Any], Iterable[Any]] | None:
    """Return how a declaration's values come into ``make``'s order; ``None`` where they are in it."""
    fields = make.__struct_fields__
    if fields[: len(names)] == names:
        return None
    defaults = dict(zip(reversed(fields), reversed(make.__struct_defaults__), strict=False))
    absent = [name for name in fields if name not in names]
    rest = tuple(defaults[name] for name in absent)
    places = itemgetter(*((*names, *absent).index(name) for name in fields))
    return (lambda items: places((*items, *rest))) if rest else places


def _packing(read: Declared, packer: Struct) -> Callable[[Any], bytes]:
    fields = attrgetter(*read.types)
    items = [codec.item for codec in read.codecs.values()]
    single = len(items) == 1

    def packed(value: Any) -> bytes:
        values = (fields(value),) if single else fields(value)
        return packer.pack(*(item(each) if item else each for item, each in zip(items, values, strict=True)))

    return packed


def _array(codec: Codec[Any], count: int) -> Codec[tuple[Any, ...]]:
    each, item = Struct("<" + codec.code), codec.item
    value = codec.value or (lambda found: found)

    def values(raw: bytes) -> tuple[Any, ...]:
        return tuple(codec.all(raw) if isinstance(codec, Record) else starmap(value, each.iter_unpack(raw)))

    def items(given: tuple[Any, ...]) -> bytes:
        if len(given) != count:
            raise EncodeError(f"{len(given)} values where the program keeps {count}")
        return b"".join(each.pack(item(one) if item else one) for one in given)

    return Codec(f"{each.size * count}s", values, items)
