"""Random accounts, and the captured ones: what the tests of the codec share."""

import base64
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from solders.pubkey import Pubkey

from drift_engine.venues.program import Program
from drift_engine.venues.wire.accounts import KINDS, blank
from drift_engine.venues.wire.codec import BASIC, Codec, Record, of_type
from drift_engine.venues.wire.layout import Field, View

SIZES = {kind: codec.size for kind, codec in BASIC.items()}


def random_value(random_: random.Random, kind: str, known: dict[str, Codec[Any]]) -> Any:
    """Return a value of a declared type: extremes as often as anything."""
    name, _, count = kind.partition("*")
    if count:
        return tuple(random_value(random_, name, known) for _ in range(int(count)))
    if name == "pubkey":
        return Pubkey(random_.randbytes(32))
    if name == "text":
        return "".join(random_.choice("SOL-PERP0123 ß") for _ in range(random_.randrange(17))).strip()
    if name == "bool":
        return random_.random() < 0.5
    if name in BASIC:
        return random_integer(random_, name)
    return random_record(random_, known[name])


def random_record(random_: random.Random, codec: Codec[Any]) -> Any:
    """Return a struct of random bytes' worth, through its own codec."""
    assert isinstance(codec, Record)
    return codec.unpacked(random_.randbytes(codec.format.size))


def random_integer(random_: random.Random, kind: str) -> int:
    """Return an integer of ``kind``, at an end of its range every second time."""
    bits = 8 * SIZES[kind]
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if kind[0] == "i" else (0, (1 << bits) - 1)
    return random_.choice((low, high, random_.randint(low, high), random_.randint(low, high)))


def random_account(random_: random.Random, program: Program, kind: type[View]) -> tuple[View, dict[str, Any]]:
    """Return an account written field by field with random values, and the values."""
    view = blank(program, kind)
    layout = view.layout
    values = {name: random_value(random_, declared, dict(layout.records)) for name, declared in layout.types.items()}
    for name, value in values.items():
        if isinstance(kind.__dict__.get(name), Field):
            setattr(view, name, value)
        else:
            of = of_type(layout.types[name], layout.records)
            assert of.item is not None
            view.writable()[layout.offsets[name] : layout.offsets[name] + of.size] = of.item(value)
    return view, values


def kinds() -> list[type[View]]:
    """Return every kind of account."""
    return list(KINDS)


def captured(shared: Path, kind: str) -> Iterator[tuple[str, bytes]]:
    """Yield address and bytes of every captured account whose file's name begins so."""
    for path in sorted((shared / "fixtures").glob(f"*/{kind}*.json")):
        held = json.loads(path.read_text())
        yield held["pubkey"], base64.b64decode(held["account"]["data"][0])


def captured_lines(shared: Path, name: str) -> list[bytes]:
    """Return the bytes of the accounts captured in one of the line files."""
    lines = (shared / "fixtures" / name).read_text().splitlines()
    return [base64.b64decode(json.loads(line)["data"]) for line in lines]
