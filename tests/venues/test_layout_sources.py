"""Every field of every layout against the programs' own tables (``reference`` of the shared folder)."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from drift_engine.venues.programs import DRIFT_V2, VELOCITY
from drift_engine.venues.wire.accounts import KINDS, layout_of
from drift_engine.venues.wire.codec import BASIC, of_type
from drift_engine.venues.wire.layout import Layout

FLAT = {"AMM", "FeeLedger", "MarketStats", "HedgeConfig", "PriceDivergenceGuardRails", "ValidityGuardRails"}
RENAMED = {
    "HedgeConfig": {
        "pool_id": "lp_pool_id",
        "status": "lp_status",
        "paused_operations": "lp_paused_operations",
        "exchange_fee_exclusion_scalar": "lp_exchange_fee_exclusion_scalar",
        "fee_transfer_scalar": "lp_fee_transfer_scalar",
    },
    "PerpMarket": {"lp_exchange_fee_excluscion_scalar": "lp_exchange_fee_exclusion_scalar"},
}
NEWER = {
    ("PerpMarket", "taker_fee_addon_or_padding"): ("taker_fee_addon_tenth_bps", "u16", 1),
    ("State", "padding"): ("slot_duration_transition_slots", "u64", 4),
}
ALIASES = {"OrderFillerRewardStructure": "FillerReward", "publicKey": "pubkey"}
THEIRS = {"FillerReward": "OrderFillerRewardStructure"}
VELOCITY_SHARED = {"PythLazerOracle", "PrelaunchOracle", "InsuranceFundStake"}


class Source:
    """One protocol's structs as its table has them: name, then (field, type name, count) in order."""

    def __init__(self, structs: dict[str, list[tuple[str, str, int]]], enums: set[str]) -> None:
        self.structs, self.enums = structs, enums

    def size(self, kind: str) -> int:
        kind = THEIRS.get(kind, kind)
        if kind in self.enums:
            return 1
        if kind in self.structs:
            return sum(self.size(of) * count for _, of, count in self.structs[kind])
        return BASIC[kind].size

    def fields(self, name: str, start: int) -> list[tuple[str, str, int, int]]:
        """Return (field, type, count, offset) with nested parts that we declare flat laid out in place."""
        found, at = [], start
        for field, kind, count in self.structs[name]:
            if kind in FLAT:
                found += self.fields(kind, at)
            elif (name, field) in NEWER and "cold_admin" in {
                each for each, _, _ in self.structs["State"]
            }:  # declared as padding by the build that the table is of
                found.append((*NEWER[name, field], at))
            elif not re.search("padding|_pad$", field):
                found.append((RENAMED.get(name, {}).get(field, field), ALIASES.get(kind, kind), count, at))
            at += self.size(kind) * count
        return found


@pytest.fixture(scope="module")
def velocity(shared: Path) -> Source:
    held = json.loads((shared / "reference" / "velocity_layouts.json").read_text())
    idl = json.loads((shared / "reference" / "velocity_idl.json").read_text())
    named = {**held["structs"], **held["accounts"]}
    structs = {name: [(f["name"], *_type(f["type"])) for f in struct["fields"]] for name, struct in named.items()}
    for struct in idl["types"]:
        if struct["name"] in VELOCITY_SHARED:
            structs[struct["name"]] = [(f["name"], *_type(f["type"])) for f in struct["type"]["fields"]]
    return Source(structs, set(held["enums"]))


@pytest.fixture(scope="module")
def drift(shared: Path) -> Source:
    idl = json.loads((shared / "reference" / "drift_v2_idl.json").read_text())
    named = {item["name"]: item["type"] for item in idl["types"] + idl["accounts"]}
    structs = {
        name: [(_snake(f["name"]), *_type(f["type"])) for f in struct["fields"]]
        for name, struct in named.items()
        if struct["kind"] == "struct"
    }
    return Source(structs, {name for name, struct in named.items() if struct["kind"] == "enum"})


def test_every_field_of_velocity_lies_where_its_program_puts_it(velocity: Source) -> None:
    assert sum(_compare(velocity, layout_of(VELOCITY, kind)) for kind in KINDS) > 300


def test_every_field_of_drift_v2_lies_where_its_program_puts_it(drift: Source) -> None:
    assert sum(_compare(drift, layout_of(DRIFT_V2, kind)) for kind in KINDS) > 300


def _compare(source: Source, layout: Layout) -> int:
    """Compare one account, then the structs it names; return how many fields were compared."""
    fields = source.fields(layout.name, 8)
    assert {name: at for name, _, _, at in fields} == dict(layout.offsets)
    assert layout.size == 8 + source.size(layout.name)
    for name, kind, count, _ in fields:
        assert _same(source, kind, count, layout.types[name]), f"{layout.name}.{name}"
    return len(fields) + sum(_compare_struct(source, layout, name) for name in layout.records)


def _compare_struct(source: Source, layout: Layout, name: str) -> int:
    codec = of_type(name, layout.records)
    fields = source.fields(THEIRS.get(name, name), 0)
    assert {field: at for field, _, _, at in fields} == layout.records[name].offsets, name
    assert codec.size == source.size(name)
    return len(fields)


def _same(source: Source, kind: str, count: int, declared: str) -> bool:
    ours, _, times = declared.partition("*")
    if ours == "text":
        return (kind, count) == ("u8", 32)
    return (ours, int(times or 1)) == ("u8" if kind in source.enums else kind, count)


def _type(kind: Any) -> tuple[str, int]:
    if isinstance(kind, str):
        return ALIASES.get(kind, kind), 1
    if isinstance(kind, list):
        return kind[0], kind[1]
    if "array" in kind:
        return _type(kind["array"][0])[0], kind["array"][1]
    if "vec" in kind or "option" in kind:
        return "variable", 1
    return kind["defined"], 1


def _snake(name: str) -> str:
    return re.sub("(?<=[a-z0-9])([A-Z])|(?<=[a-z])([0-9])", lambda match: f"_{match[0].lower()}", name)
