"""One protocol's events: bytes to structs and back, by the kinds that the structs' fields declare."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Struct

from drift_engine.venues.errors import DecodeError
from drift_engine.venues.wire.borsh import Kind, Shape, cut, read_length
from drift_engine.venues.wire.codec import Record, padded, text
from drift_engine.venues.wire.events.kinds import Event
from drift_engine.venues.wire.events.liquidation import PARTS
from drift_engine.venues.wire.layout import discriminator

Absent = Mapping[type[Struct], frozenset[str]]
"""By struct, the fields that a build of a program does not write."""


class UnknownEvent(Struct, frozen=True):
    """Bytes that a program logged as an event and that this build cannot read, with the reason."""

    discriminator: bytes
    data: bytes
    reason: str


class Events:
    """One protocol's events.

    ``order`` and ``params`` are how it writes an order and an order's parameters; ``builds`` are what its builds leave
    out, the newest first.
    """

    def __init__(
        self, kinds: Sequence[type[Event]], order: Record[Any], params: Kind, builds: Sequence[Absent]
    ) -> None:
        own: dict[str, Kind] = {"text": Text(), "string": String(), "Order": Packed(order), "OrderParams": params}
        self.kinds = {discriminator(kind.__name__, "event"): kind for kind in kinds}
        self._revisions = {
            kind: [Fields(kind, {**own, **_parts(absent)}, absent.get(kind, frozenset())) for absent in builds]
            for kind in kinds
        }

    def decode(self, data: bytes) -> Event | UnknownEvent:
        """Return what the bytes say, or what keeps them from being read."""
        kind = self.kinds.get(data[:8])
        if kind is None:
            return UnknownEvent(data[:8], data, "no event of that discriminator is known")
        try:
            return self._read(kind, data)
        except DecodeError as reason:
            return UnknownEvent(data[:8], data, f"{kind.__name__}: {reason}")

    def encode(self, event: Event) -> bytes:
        """Return an event as the newest build logs it. Raises ``EncodeError``; ``KeyError`` for a foreign kind."""
        kind = type(event)
        return discriminator(kind.__name__, "event") + self._revisions[kind][0].write(event, kind.__name__)

    def _read(self, kind: type[Event], data: bytes) -> Event:
        """Return the event by the first build whose record is as long; else by the newest that it begins with."""
        longer: Event | None = None
        reason: DecodeError | None = None
        for fields in self._revisions[kind]:
            try:
                event, end = fields.read(data, 8)
            except DecodeError as found:
                reason = reason or found
                continue
            if end == len(data):
                return event  # type: ignore[no-any-return]
            longer = longer or event
        found_older = self._revisions[kind][0].read_older(data, 8)
        if longer or found_older:
            return longer or found_older  # type: ignore[return-value]
        assert reason is not None  # noqa: S101 — no build read it, so each said why
        raise reason


class Fields:
    """A struct as a borsh kind, by its annotations."""

    def __init__(self, make: type[Struct], shapes: Mapping[str, Kind], absent: frozenset[str]) -> None:
        hints = get_type_hints(make, include_extras=True)
        self._make = make
        self._lines = [f"{name} {_kind(hints[name])}" for name in make.__struct_fields__ if name not in absent]
        self._names = [line.split()[0] for line in self._lines]
        self._shapes = shapes
        self._shape = Shape(make.__name__, "\n".join(self._lines), shapes)

    def read(self, data: bytes, at: int) -> tuple[Any, int]:
        """Return the struct at an offset, and the offset behind it. Raises ``DecodeError``."""
        values, end = self._shape.unpack(data, at)
        return self._make(**dict(zip(self._names, values, strict=True))), end

    def read_older(self, data: bytes, at: int) -> Any | None:
        """Return the struct of a record that lacks some of the last fields; what is missing keeps its default."""
        for shape in self._older():
            try:
                values, end = shape.unpack(data, at)
            except DecodeError:
                continue
            if end == len(data):
                return self._make(**dict(zip(self._names, values, strict=False)))
        return None

    def write(self, value: Any, where: str) -> bytes:
        """Return the struct's bytes. Raises ``EncodeError``."""
        return self._shape.pack([getattr(value, name) for name in self._names])

    def _older(self) -> Iterator[Shape]:
        optional = {field.name for field in msgspec.structs.fields(self._make) if not field.required}
        for count in range(len(self._names) - 1, 0, -1):
            if self._names[count] not in optional:
                return
            yield Shape(self._make.__name__, "\n".join(self._lines[:count]), self._shapes)


class Text:
    """A name of 32 bytes."""

    def write(self, value: Any, where: str) -> bytes:
        """Return the name's bytes."""
        return padded(value)

    def read(self, data: bytes, at: int) -> tuple[str, int]:
        """Return the name at an offset."""
        return text(cut(data, at, at + 32)), at + 32


class String:
    """A text of any length."""

    def write(self, value: Any, where: str) -> bytes:
        """Return the text's bytes, their number before them."""
        raw: bytes = value.encode()
        return len(raw).to_bytes(4, "little") + raw

    def read(self, data: bytes, at: int) -> tuple[str, int]:
        """Return the text at an offset; bytes that are no UTF-8 are shown as the replacement sign."""
        size, start = read_length(data, at)
        return cut(data, start, start + size).decode("utf-8", "replace"), start + size


class Packed:
    """A struct that lies in an event as it lies in an account."""

    def __init__(self, record: Record[Any]) -> None:
        self._record = record

    def write(self, value: Any, where: str) -> bytes:
        """Return the struct's bytes."""
        return self._record.packed(value)

    def read(self, data: bytes, at: int) -> tuple[Any, int]:
        """Return the struct at an offset."""
        end = at + self._record.format.size
        return self._record.unpacked(cut(data, at, end)), end


def _parts(absent: Absent) -> dict[str, Kind]:
    return {part.__name__: Fields(part, {}, absent.get(part, frozenset())) for part in PARTS}


def _kind(hint: Any) -> str:
    """Return the borsh kind that a field's type declares."""
    if metadata := getattr(hint, "__metadata__", None):
        kind: str = metadata[0]
        return kind
    inner = [each for each in get_args(hint) if each is not type(None)]
    if get_origin(hint) is None or len(inner) != 1:
        raise TypeError(f"{hint} does not say how it is written")
    return f"option<{_kind(inner[0])}>"
