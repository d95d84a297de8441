"""One value in memory: how many bytes it takes, and the value they stand for.

A ``Codec`` is one item of a ``struct`` format and, where the item is not the value yet (addresses, names, 128-bit
integers, structs inside accounts), how to get from one to the other. Structs are declared as text, as the program
declares them: ``name type`` a line, several names of one type with commas, ``_`` for padding, ``Type*n`` for arrays.
Everything lies packed and little-endian.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import starmap
from operator import attrgetter, itemgetter
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

    ``plain`` says that the format's items are ``make``'s arguments as they come.
    """

    make: type[S]
    format: Struct
    offsets: Mapping[str, int]
    unpacked: Callable[[bytes], S]
    packed: Callable[[S], bytes]
    plain: bool

    def all(self, data: bytes | bytearray) -> Iterable[S]:
        """Return the structs that fill ``data``, one after the other."""
        if self.plain:
            return starmap(self.make, self.format.iter_unpack(data))
        size = self.format.size
        return (self.unpacked(bytes(data[at : at + size])) for at in range(0, len(data), size))


Codecs = Mapping[str, Codec[Any]]


def text(raw: bytes) -> str:
    """Return a name without its padding; bytes that are no UTF-8 are shown as the replacement sign."""
    return raw.decode("utf-8", "replace").strip(" \0")


def padded(name: str) -> bytes:
    """Return a name in 32 bytes, padded with spaces as the program's clients pad it."""
    raw = name.encode()
    if len(raw) > 32:
        raise EncodeError(f"name {name!r} has {len(raw)} bytes; the program keeps 32")
    return raw.ljust(32)


def _wide(*, signed: bool) -> Codec[int]:
    return Codec(
        "16s",
        lambda raw: int.from_bytes(raw, "little", signed=signed),
        lambda value: value.to_bytes(16, "little", signed=signed),
    )


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
    return Declared(types, codecs, offsets, code, at)


def of_type(kind: str, known: Codecs) -> Codec[Any]:
    """Return the codec of a type's name: a basic type, a known struct, or an array of either."""
    name, _, count = kind.partition("*")
    codec = BASIC[name] if name in BASIC else known[name]
    return _array(codec, int(count)) if count else codec


def record(make: type[S], lines: str, known: Codecs | None = None) -> Record[S]:
    """Return the codec of a struct whose fields are ``make``'s by name; fields it does not declare keep defaults."""
    read = declared(lines, known or {})
    packer = Struct("<" + read.code)
    values = [codec.value for codec in read.codecs.values()]
    plain = not any(values) and make.__struct_fields__[: len(values)] == tuple(read.types)
    converted = [(at, value) for at, value in enumerate(values) if value]
    ordered = _ordered(make, tuple(read.types))

    def value(raw: bytes) -> S:
        items: Any = packer.unpack(raw)
        if converted:
            items = list(items)
            for at, convert in converted:
                items[at] = convert(items[at])
        return make(*(items if ordered is None else ordered(items)))

    packed = _packing(read, packer)
    return Record(f"{packer.size}s", value, packed, make, packer, read.offsets, value, packed, plain)


def _ordered(make: type[msgspec.Struct], names: tuple[str, ...]) -> Callable[[Any], tuple[Any, ...]] | None:
    """Return how a declaration's values become ``make``'s arguments; ``None`` where they already are."""
    fields = make.__struct_fields__
    if fields[: len(names)] == names:
        return None
    defaults = dict(zip(reversed(fields), reversed(make.__struct_defaults__), strict=False))
    absent = [name for name in fields if name not in names]
    rest = tuple(defaults[name] for name in absent)
    places = itemgetter(*((*names, *absent).index(name) for name in fields))
    return lambda items: places((*items, *rest))


def _packing(read: Declared, packer: Struct) -> Callable[[Any], bytes]:
    fields = attrgetter(*read.types)
    items = [codec.item for codec in read.codecs.values()]
    single = len(items) == 1

    def packed(value: Any) -> bytes:
        values = (fields(value),) if single else fields(value)
        return packer.pack(*(item(each) if item else each for item, each in zip(items, values, strict=True)))

    return packed


def _array(codec: Codec[Any], count: int) -> Codec[tuple[Any, ...]]:
    each = Struct("<" + codec.code)
    value, item = codec.value, codec.item

    def values(raw: bytes) -> tuple[Any, ...]:
        return tuple(value(found) if value else found for (found,) in each.iter_unpack(raw))

    def items(given: tuple[Any, ...]) -> bytes:
        if len(given) != count:
            raise EncodeError(f"{len(given)} values where the program keeps {count}")
        return b"".join(each.pack(item(one) if item else one) for one in given)

    return Codec(f"{each.size * count}s", values, items)
