"""Events both ways, against the programs' own tables, and one that the chain logged."""

import json
import random
import re
from base64 import b64decode
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
from event_values import ABSENT, random_event
from msgspec import Struct
from msgspec.structs import replace
from solders.pubkey import Pubkey

from drift_engine.venues.errors import EncodeError
from drift_engine.venues.program import Program
from drift_engine.venues.programs import DRIFT_V2, VELOCITY
from drift_engine.venues.wire.events.decoding import UnknownEvent
from drift_engine.venues.wire.events.liquidation import LiquidationRecord
from drift_engine.venues.wire.events.markets import AmmCurveChanged, CurveRecord
from drift_engine.venues.wire.events.trading import FundingPaymentRecord, OrderActionRecord
from drift_engine.venues.wire.layout import discriminator

BOTH = pytest.mark.parametrize("program", [VELOCITY, DRIFT_V2], ids=lambda program: program.name)
NAMES = {"sqrt_kBefore": "sqrt_k_before", "sqrt_kAfter": "sqrt_k_after"}
FILL = (  # as logged by 3gvGQufckXGHrFDv4dNWEXuXKRMy3NZkKHMyFrAhLoYScaXXTGCp9vq58kWkfyJ8oDYZrz4bTyGayjUy9PKigeLS
    "4DRDR8LtbQGWwHZkAAAAAAIIAQABAVAItYsox9wC2v+AAz8WXQRRjyHZ0aSDao8VZMh+F12zAd0EAAAAAAAAAYLxCAAAAAAAAWDjFgAAAAAAAbKk"
    "eQIAAAAAAaowAAAAAAAAAY/f////////AAAAAe3FfpKhZkk9E4ZlwFSFEmXchAsvmwHVTjGQOBC+69TDAQ8hIQABAAGAhB4AAAAAAAGAhB4AAAAA"
    "AAGq2EwDAAAAAAE10NxKUa97dfc1auP2TjQAqOAgggM7dWBcCJ9gI3Fn5AGbdFQAAQEBoNcmAgAAAAABYOMWAAAAAAABsqR5AgAAAABAiupxBgAA"
    "AA=="
)


@BOTH
def test_an_event_reads_as_it_was_written(program: Program) -> None:
    random_ = random.Random(3)
    for kind in program.events.kinds.values():
        for _ in range(20):
            event = random_event(random_, program, kind)
            assert program.events.decode(program.events.encode(event)) == event


@BOTH
def test_an_event_longer_than_we_know_reads_as_far_as_we_know_it(program: Program) -> None:
    random_ = random.Random(4)
    for kind in program.events.kinds.values():
        event = random_event(random_, program, kind)
        assert program.events.decode(program.events.encode(event) + b"\0\1\2") == event


def test_a_fill_of_2023_lacks_the_last_fields_and_reads_with_their_defaults() -> None:
    fill = DRIFT_V2.events.decode(b64decode(FILL))
    assert isinstance(fill, OrderActionRecord)
    assert (fill.ts, fill.action, fill.action_explanation, fill.market_index) == (1685504150, 2, 8, 1)
    assert (fill.base_asset_amount_filled, fill.quote_asset_amount_filled) == (1_500_000, 41_526_450)
    assert (fill.taker_fee, fill.maker_fee, fill.filler_reward, fill.fill_record_id) == (12458, -8305, 1245, 586114)
    assert (fill.taker_order_id, fill.maker_order_id, fill.oracle_price) == (2171151, 5534875, 27_681_000_000)
    assert str(fill.taker) == "H1AHngDKHCSZe4Xsw7Yk4SV5RP9agaaDhQmwTjRzhXFG"
    assert (fill.bit_flags, fill.builder_idx, fill.trigger_price) == (0, None, None)


def test_a_liquidation_of_a_build_without_protocol_fees_reads_too() -> None:
    event = random_event(random.Random(5), VELOCITY, LiquidationRecord)
    assert isinstance(event, LiquidationRecord)
    older = replace(
        event,
        liquidate_perp=replace(event.liquidate_perp, protocol_fee=0),
        liquidate_spot=replace(event.liquidate_spot, protocol_fee=0),
    )
    raw = VELOCITY.events.encode(older)
    perp, spot = _fee_places(raw, older)
    assert VELOCITY.events.decode(raw[:perp] + raw[perp + 8 : spot] + raw[spot + 8 :]) == older


def test_a_payment_lies_in_bytes_as_borsh_has_it() -> None:
    payment = FundingPaymentRecord(
        ts=1,
        user_authority=Pubkey(b"\1" * 32),
        user=Pubkey(b"\2" * 32),
        market_index=3,
        funding_payment=-4,
        base_asset_amount=5,
        user_last_cumulative_funding=-6,
        amm_cumulative_funding_long=7,
        amm_cumulative_funding_short=-8,
    )
    numbers = [(1, 8), (3, 2), (-4, 8), (5, 8), (-6, 8), (7, 16), (-8, 16)]
    ts, *rest = (number.to_bytes(size, "little", signed=True) for number, size in numbers)
    expected = discriminator("FundingPaymentRecord", "event") + ts + b"\1" * 32 + b"\2" * 32 + b"".join(rest)
    assert VELOCITY.events.encode(payment) == DRIFT_V2.events.encode(payment) == expected
    with pytest.raises(EncodeError, match=r"FundingPaymentRecord\.market_index = 65536"):
        VELOCITY.events.encode(replace(payment, market_index=65536))


def test_bytes_that_cannot_be_read_are_kept_with_the_reason() -> None:
    head = discriminator("SettlePnlRecord", "event")
    cut = VELOCITY.events.decode(head + bytes(10))
    assert isinstance(cut, UnknownEvent)
    assert (cut.discriminator, cut.data) == (head, head + bytes(10))
    assert "SettlePnlRecord: 18 bytes end before" in cut.reason
    foreign = VELOCITY.events.decode(b"\1\2\3")
    assert isinstance(foreign, UnknownEvent)
    assert "no event of that discriminator" in foreign.reason


def test_an_option_is_there_or_not_and_nothing_else() -> None:
    raw = bytearray(b64decode(FILL))
    raw[21] = 2  # the first option, the filler's
    found = DRIFT_V2.events.decode(bytes(raw))
    assert isinstance(found, UnknownEvent)
    assert "an option starts with 0 or 1" in found.reason


def test_each_protocol_has_a_curve_event_of_its_own() -> None:
    drift, velocity = (set(program.events.kinds.values()) for program in (DRIFT_V2, VELOCITY))
    assert drift - velocity == {CurveRecord}
    assert velocity - drift == {AmmCurveChanged}


@BOTH
def test_every_field_is_the_program_s(program: Program, shared: Path) -> None:
    source = json.loads((shared / "reference" / f"{program.name}_idl.json").read_text())
    structs = {
        item["name"]: item.get("fields") or item.get("type", {}).get("fields") or []
        for item in source["events"] + source["types"]
    }
    for kind in program.events.kinds.values():
        _compare(program, kind, kind.__name__, structs)


def _compare(program: Program, kind: type[Struct], name: str, structs: dict[str, Any]) -> None:
    hints = get_type_hints(kind, include_extras=True)
    newer = {"protocol_fee"} if program is VELOCITY else set()  # the table is of an older build
    absent = ABSENT[program.name].get(kind, set()) | newer
    ours = {field: _ours(hints[field]) for field in kind.__struct_fields__ if field not in absent}
    theirs = {(snake := _snake(field["name"]), NAMES.get(snake, snake))[1]: field["type"] for field in structs[name]}
    assert list(ours) == list(theirs), name
    for field, declared in ours.items():
        if declared[0].isupper() and declared not in {"Order", "OrderParams"}:
            _compare(program, hints[field].__origin__, f"{declared}Record", structs)
        else:
            assert declared in _theirs(theirs[field]), f"{name}.{field}"


def _ours(hint: Any) -> str:
    if hasattr(hint, "__metadata__"):
        return str(hint.__metadata__[0])
    return f"option<{_ours(next(each for each in get_args(hint) if each is not type(None)))}>"


def _theirs(kind: Any) -> set[str]:
    if isinstance(kind, str):
        return {{"publicKey": "pubkey"}.get(kind, kind)}
    if "option" in kind:
        return {f"option<{inner}>" for inner in _theirs(kind["option"])}
    if "vec" in kind:
        return {f"vec<{inner}>" for inner in _theirs(kind["vec"])}
    if "array" in kind:
        return {"text", f"u8*{kind['array'][1]}"}
    return {"u8", "Order", "OrderParams"}


def _snake(name: str) -> str:
    return re.sub("(?<=[a-z0-9])([A-Z])|(?<=[a-z])([0-9])", lambda match: f"_{match[0].lower()}", name)


def _fee_places(raw: bytes, event: LiquidationRecord) -> tuple[int, int]:
    """Where the two protocol fees lie: behind the fixed head, the order ids, and each part's other fields."""
    perp_size, spot_size = 2 + 8 + 8 + 8 + 8 + 4 + 4 + 8 + 8, 2 + 8 + 16 + 2 + 8 + 16 + 8
    perp = 8 + 8 + 1 + 32 + 32 + 16 + 16 + 8 + 2 + 1 + 4 + 4 * len(event.canceled_order_ids) + perp_size
    assert raw[perp : perp + 8] == bytes(8)
    return perp, perp + 8 + spot_size
