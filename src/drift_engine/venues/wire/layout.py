"""Accounts as they lie in memory: fields at fixed offsets, read when asked for.

A ``Layout`` is one account of one protocol: its discriminator, and the name, type and place of each field, written as
the program declares them, in order. A view (``User``, ``PerpMarket``, …) is a class of typed fields over a buffer and
its layout: the same class reads both protocols, and reading a field unpacks that field and nothing else. Over a
``bytearray`` a view also writes, in place and in the program's own form.

An account may be longer than its layout says (programs grow their accounts at the end), never shorter. Fields lie
packed: the accounts are zero-copy structs with explicit padding (``#[repr(C)]``, no hidden holes) or plain borsh.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import count as count_from
from itertools import takewhile
from operator import itemgetter
from struct import Struct, error
from typing import Any, Generic, Self, TypeVar, overload

import msgspec
from solders.pubkey import Pubkey

from drift_engine.venues.errors import EncodeError
from drift_engine.venues.wire.codec import Codec, Codecs, Declared, Record, declared, format_of

Buffer = bytes | bytearray
Place = tuple[int, Callable[[Buffer, int], tuple[Any, ...]], Callable[[Any], Any] | None]
Plan = tuple[Callable[[Buffer], tuple[Any, ...]], Callable[[Any], Any], list[tuple[int, Callable[[Any], Any]]]]
T = TypeVar("T")


def discriminator(name: str, space: str = "account") -> bytes:
    """Return Anchor's eight bytes for ``name``: the head of sha256 of ``space:name``."""
    return sha256(f"{space}:{name}".encode()).digest()[:8]


@dataclass(frozen=True, slots=True)
class Slots:
    """Structs side by side in an account: from which byte to which, and how one is made.

    ``tails`` are zeros as long as half of them, a quarter, and so on to one.
    """

    start: int
    stop: int
    record: Record[Any]
    tails: tuple[bytes, ...]

    def raw(self, data: Buffer) -> bytes:
        """Return their bytes out of an account's."""
        return bytes(data[self.start : self.stop])

    def used(self, raw: bytes) -> Iterable[Any]:
        """Return the structs in their bytes without most of the zeros at the end, which hold nothing."""
        if raw.endswith(self.tails[-1]):
            for tail in self.tails:
                if raw.endswith(tail):
                    raw = raw[: -len(tail)]
        return self.record.all(raw)


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """Where each field of one account of one protocol lies.

    ``offsets`` count from the account's first byte; ``places`` are what reading one field needs; ``whole`` unpacks
    every field at once, ``converted`` says which of them are not yet values, ``whole_slots`` which are the bytes of
    slots, and ``snapshot`` is the struct of all of them; ``records`` are the structs that its types name, ``slots`` the
    arrays of them.
    """

    name: str
    size: int
    head: bytes
    offsets: Mapping[str, int]
    types: Mapping[str, str]
    codecs: Codecs
    places: Mapping[str, Place]
    whole: Struct
    converted: tuple[tuple[int, Callable[[Any], Any]], ...]
    whole_slots: tuple[tuple[int, str, Slots], ...]
    snapshot: Callable[..., Any]
    records: Mapping[str, Record[Any]]
    slots: Mapping[str, Slots]

    def __contains__(self, field: str) -> bool:
        return field in self.offsets

    def blank(self) -> bytearray:
        """Return an account with its discriminator and nothing else."""
        return bytearray(self.head.ljust(self.size, b"\0"))


@dataclass(frozen=True, slots=True)
class Layouts:
    """One protocol's accounts that the codec reads, by kind."""

    user: Layout
    user_stats: Layout
    perp_market: Layout
    spot_market: Layout
    state: Layout
    pyth_lazer_oracle: Layout
    prelaunch_oracle: Layout
    insurance_fund_stake: Layout


def account_layout(name: str, lines: str, records: Mapping[str, Record[Any]] | None = None) -> Layout:
    """Return an account's layout from its declaration; the first eight bytes are the discriminator."""
    known = records or {}
    read = declared(lines, known, start=8)
    places = {field: _place(read.offsets[field], codec) for field, codec in read.codecs.items()}
    slots = {name: found for name in read.types if (found := _slots(name, read, known))}
    numbered = [(at, field, codec.value) for at, (field, codec) in enumerate(read.codecs.items())]
    return Layout(
        name=name,
        size=read.end,
        head=discriminator(name),
        offsets=read.offsets,
        types=read.types,
        codecs=read.codecs,
        places=places,
        whole=Struct("<8x" + read.code),
        converted=tuple((at, value) for at, field, value in numbered if value and field not in slots),
        whole_slots=tuple((at, field, slots[field]) for at, field, _ in numbered if field in slots),
        snapshot=msgspec.defstruct(name, read.types, frozen=True, gc=False),
        records=known,
        slots=slots,
    )


def _slots(field: str, read: Declared, known: Mapping[str, Record[Any]]) -> Slots | None:
    kind, times, count = read.types[field].partition("*")
    if not times or kind not in known:
        return None
    start, record, size = read.offsets[field], known[kind], known[kind].format.size
    halves = takewhile(bool, (int(count) >> power for power in count_from(1)))
    return Slots(start, start + size * int(count), record, tuple(bytes(size * half) for half in halves))


def _place(at: int, codec: Codec[Any]) -> Place:
    return at, Struct("<" + codec.code).unpack_from, codec.value


class View(msgspec.Struct, eq=False, gc=False):
    """One account's bytes. Made by ``wire.accounts.decode``, which has checked owner, discriminator and length."""

    data: Buffer
    layout: Layout

    def __repr__(self) -> str:
        return f"<{self.layout.name} of {len(self.data)} bytes>"

    @classmethod
    def blank(cls, layout: Layout) -> Self:
        """Return a writable account of zeros."""
        return cls(layout.blank(), layout)

    def snapshot(self) -> Any:
        """Return every field of this protocol, unpacked at once: a frozen struct that no longer follows the bytes."""
        layout = self.layout
        items = list(layout.whole.unpack_from(self.data))
        for at, value in layout.converted:
            items[at] = value(items[at])
        for at, _, slots in layout.whole_slots:
            items[at] = tuple(slots.record.all(items[at]))
        return layout.snapshot(*items)

    def slot_values(self, name: str) -> tuple[Any, ...]:
        """Return all the structs of an array, those that hold nothing too."""
        slots = self.layout.slots[name]
        return tuple(slots.record.all(slots.raw(self.data)))

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
        try:
            at, unpack, value = view.layout.places[self.name]
        except KeyError:
            raise self._absent(view) from None
        (found,) = unpack(view.data, at)
        return value(found) if value else found  # type: ignore[no-any-return]

    def __set__(self, view: View, value: T) -> None:
        layout = view.layout
        if self.name not in layout:
            raise self._absent(view)
        codec = layout.codecs[self.name]
        try:
            item = codec.item(value) if codec.item else value
            Struct("<" + codec.code).pack_into(view.writable(), layout.offsets[self.name], item)
        except (error, OverflowError) as reason:
            kind = layout.types[self.name]
            raise EncodeError(f"{layout.name}.{self.name} = {value} is no {kind}: {reason}") from None

    def _absent(self, view: View) -> AttributeError:
        return AttributeError(f"this protocol's {view.layout.name} has no {self.name}")


class Selection:
    """Several fields read at once, in the order asked for: one unpacking, whatever lies between them."""

    def __init__(self, *names: str) -> None:
        self.names = names
        self._plans: dict[Layout, Plan] = {}

    def __call__(self, view: View) -> Sequence[Any]:
        """Return the fields' values. A field that the view's protocol has not is an ``AttributeError``."""
        layout = view.layout
        try:
            unpack, ordered, converted = self._plans[layout]
        except KeyError:
            unpack, ordered, converted = self._plans[layout] = _plan(layout, self.names)
        values: list[Any] = list(ordered(unpack(view.data)))
        for at, value in converted:
            values[at] = value(values[at])
        return values


def _plan(layout: Layout, names: Sequence[str]) -> Plan:
    if absent := [name for name in names if name not in layout]:
        raise AttributeError(f"this protocol's {layout.name} has no {' and no '.join(absent)}")
    lying = sorted(names, key=lambda name: layout.offsets[name])
    unpack = format_of(lying, layout.codecs, layout.offsets).unpack_from
    converted = [(place, value) for place, name in enumerate(names) if (value := layout.codecs[name].value)]
    return unpack, itemgetter(*(lying.index(name) for name in names)), converted


Int = Field[int]
Key = Field[Pubkey]
Text = Field[str]
Flag = Field[bool]
