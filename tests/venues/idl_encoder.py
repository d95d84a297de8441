"""An encoder driven by nothing but a program's IDL: discriminators, borsh of arguments, accounts and their flags.

It shares no code with the package. It reads both IDL formats: Anchor's old one (camel case, ``isMut``, ``isSigner``)
and spec 0.1.0 (snake case, ``writable``, ``signer``, discriminators written out).
"""

import hashlib
import json
import re
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

SCALARS = {"u8": "B", "i8": "b", "u16": "H", "i16": "h", "u32": "I", "i32": "i", "u64": "Q", "i64": "q", "bool": "?"}

_NAMES = st.text(st.characters(codec="ascii"), max_size=32).map(lambda name: list(name.encode().ljust(32)))


@dataclass(frozen=True)
class Instruction:
    name: str
    head: bytes
    accounts: list[tuple[str, bool, bool]]
    args: list[tuple[str, Any]]


class Idl:
    def __init__(self, path: Path) -> None:
        raw = json.loads(path.read_text())
        self.types = {each["name"]: each["type"] for each in raw["types"]}
        self.instructions = {ix.name: ix for ix in map(_instruction, raw["instructions"])}

    def encode(self, kind: Any, value: Any) -> bytes:
        if isinstance(kind, str):
            return _scalar(kind, value)
        (form, inner), *_ = kind.items()
        if form == "option":
            return b"\0" if value is None else b"\1" + self.encode(inner, value)
        if form == "vec":
            return struct.pack("<I", len(value)) + b"".join(self.encode(inner, each) for each in value)
        if form == "array":
            assert len(value) == inner[1]
            return b"".join(self.encode(inner[0], each) for each in value)
        defined = self.types[_name(inner)]
        if defined["kind"] == "enum":
            return bytes([[each["name"] for each in defined["variants"]].index(value)])
        return b"".join(self.encode(each["type"], value[each["name"]]) for each in defined["fields"])

    def data(self, name: str, values: dict[str, Any]) -> bytes:
        ix = self.instructions[name]
        return ix.head + b"".join(self.encode(kind, values[arg]) for arg, kind in ix.args)

    def values(self, kind: Any) -> st.SearchStrategy[Any]:
        """Random values of a type, in the encoder's own form: enums by name, structs as dictionaries."""
        if isinstance(kind, str):
            return _scalars(kind)
        (form, inner), *_ = kind.items()
        if form == "option":
            return st.none() | self.values(inner)
        if form == "vec":
            return st.lists(self.values(inner), max_size=4)
        if form == "array":
            return st.lists(self.values(inner[0]), min_size=inner[1], max_size=inner[1])
        defined = self.types[_name(inner)]
        if defined["kind"] == "enum":
            return st.sampled_from([each["name"] for each in defined["variants"]])
        return st.fixed_dictionaries({each["name"]: self.values(each["type"]) for each in defined["fields"]})

    def arguments(self, name: str) -> st.SearchStrategy[dict[str, Any]]:
        args = self.instructions[name].args
        each = [_NAMES if arg == "name" else self.values(kind) for arg, kind in args]
        return st.tuples(*each).map(lambda values: {arg: value for (arg, _), value in zip(args, values, strict=True)})

    def number(self, kind: Any, value: Any) -> Any:
        """A value as the package takes it: enums by number, byte arrays as bytes, structs with snake-case names."""
        if isinstance(kind, str) or value is None:
            return value
        (form, inner), *_ = kind.items()
        if form == "array":
            return bytes(value)
        if form in {"option", "vec"}:
            return self.number(inner, value) if form == "option" else [self.number(inner, each) for each in value]
        defined = self.types[_name(inner)]
        if defined["kind"] == "enum":
            return [each["name"] for each in defined["variants"]].index(value)
        return {snake(each["name"]): self.number(each["type"], value[each["name"]]) for each in defined["fields"]}


def snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower().lstrip("_")


def _instruction(raw: dict[str, Any]) -> Instruction:
    name = snake(raw["name"])
    head = bytes(raw.get("discriminator") or hashlib.sha256(f"global:{name}".encode()).digest()[:8])
    accounts = [
        (snake(a["name"]), a.get("signer", a.get("isSigner", False)), a.get("writable", a.get("isMut", False)))
        for a in raw["accounts"]
    ]
    return Instruction(name, head, accounts, [(snake(arg["name"]), arg["type"]) for arg in raw["args"]])


def _name(inner: Any) -> str:
    return str(inner if isinstance(inner, str) else inner["name"])


def _scalar(kind: str, value: Any) -> bytes:
    if kind in SCALARS:
        return struct.pack("<" + SCALARS[kind], value)
    if kind in {"u128", "i128"}:
        return struct.pack("<QQ", value & (2**64 - 1), (value >> 64) & (2**64 - 1))
    if kind in {"publicKey", "pubkey"}:
        return bytes(value)
    assert kind == "bytes", kind
    return struct.pack("<I", len(value)) + bytes(value)


def _scalars(kind: str) -> st.SearchStrategy[Any]:
    if kind == "bool":
        return st.booleans()
    if kind in {"publicKey", "pubkey"}:
        return st.binary(min_size=32, max_size=32)
    if kind == "bytes":
        return st.binary(max_size=40)
    bits = int(kind[1:])
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if kind[0] == "i" else (0, 2**bits - 1)
    return st.integers(low, high)
