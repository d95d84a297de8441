"""Each builder against an encoder driven by the program's own IDL: bytes, accounts, order and flags."""

from functools import cache
from pathlib import Path
from typing import Any

import pytest
from builder_cases import CASES, Stage
from hypothesis import given, settings
from hypothesis import strategies as st
from idl_encoder import Idl
from solders.pubkey import Pubkey

from drift_engine.venues.drift_v2.program import DRIFT_V2
from drift_engine.venues.errors import EncodeError
from drift_engine.venues.instructions import accounts, fills, funds, liquidation, orders, settling, signed_messages
from drift_engine.venues.instructions.call import Call
from drift_engine.venues.program import Program
from drift_engine.venues.velocity.program import VELOCITY
from drift_engine.venues.wire.order_params import ModifyOrderParams, OrderParams, ScaleOrderParams

MODULES = (accounts, fills, funds, liquidation, orders, settling, signed_messages)
STAGES = {"drift_v2": Stage(DRIFT_V2, "drift"), "velocity": Stage(VELOCITY, "velocity")}
FILES = {"drift_v2": "drift_v2_idl.json", "velocity": "velocity_idl.json"}
ABSENT = {("velocity", "place_spot_order")}
NEWER = {"TRIGGER_ORDER_WITH_STATS"}
STRUCTS = {"params": OrderParams, "modify_order_params": ModifyOrderParams}
BOTH = pytest.mark.parametrize("protocol", list(STAGES))


@cache
def idl(folder: Path, protocol: str) -> Idl:
    return Idl(folder / "reference" / FILES[protocol])


def drawn(data: st.DataObject, source: Idl, name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Random arguments, in the encoder's form and in the package's."""
    values = data.draw(source.arguments(name))
    if name == "fill_perp_order":
        values["maker_order_id"] = None
    kinds = dict(source.instructions[name].args)
    ours = {arg: source.number(kinds[arg], value) for arg, value in values.items()}
    return values, ours


@BOTH
@pytest.mark.parametrize("name", list(CASES))
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_bytes_and_accounts_are_the_idls(shared: Path, protocol: str, name: str, data: st.DataObject) -> None:
    source, stage, case = idl(shared, protocol), STAGES[protocol], CASES[name]
    if (protocol, name) in ABSENT:
        assert name not in source.instructions
        with pytest.raises(EncodeError, match=f"{protocol} has no {name}"):
            case.build(stage, {"params": {}})
        return
    values, ours = drawn(data, source, name)
    built = case.build(stage, ours)
    expected_keys = stage.keys(ours) | {account: whose(stage) for account, whose in case.whose.items()}
    expected = [(expected_keys[a], signer, writable) for a, signer, writable in source.instructions[name].accounts]
    assert built.data == source.data(name, values)
    assert [(m.pubkey, m.is_signer, m.is_writable) for m in built.accounts][: len(expected)] == expected
    assert built.program_id == stage.program.program_id
    assert name == "update_amms" or len(built.accounts) == len(expected)


def calls() -> list[tuple[str, Call]]:
    return [(name, call) for module in MODULES for name, call in vars(module).items() if isinstance(call, Call)]


def test_every_declared_instruction_has_a_case() -> None:
    by_hand = {"place_signed_msg_taker_order", "post_pyth_lazer_oracle_update"}
    assert {call.name for _, call in calls()} == set(CASES) | by_hand


@BOTH
def test_declarations_read_as_the_idl_does(shared: Path, protocol: str) -> None:
    source = idl(shared, protocol)
    for constant, call in calls():
        if (protocol, call.name) in ABSENT or constant in NEWER or _other_build(constant, protocol):
            continue
        ix = source.instructions[call.name]
        assert call.head == ix.head
        assert [flags for _, *flags in call.accounts] == [flags for _, *flags in ix.accounts], constant


def _other_build(constant: str, protocol: str) -> bool:
    return constant == ("LIQUIDATE_SPOT" if protocol == "velocity" else "LIQUIDATE_SPOT_WITHOUT_STATS")


@BOTH
@settings(max_examples=50, deadline=None)
@given(data=st.data())
def test_arguments_read_back(protocol: str, data: st.DataObject) -> None:
    program = STAGES[protocol].program
    params = OrderParams(
        base_asset_amount=data.draw(st.integers(0, 2**64 - 1)),
        market_index=data.draw(st.integers(0, 2**16 - 1)),
        max_ts=data.draw(st.none() | st.integers(-(2**63), 2**63 - 1)),
        oracle_price_offset=data.draw(st.none() | st.integers(-(2**31), 2**31 - 1)),
    )
    scale = ScaleOrderParams(order_count=data.draw(st.integers(0, 255)))
    said = orders.PLACE_ORDERS.data(program, ([params, params],))
    assert orders.PLACE_ORDERS.arguments(program, said) == {"params": (params, params)}
    said = orders.PLACE_SCALE_ORDERS.data(program, (scale,))
    assert orders.PLACE_SCALE_ORDERS.arguments(program, said) == {"params": scale}


@BOTH
def test_carried_signatures_are_the_idls(shared: Path, protocol: str) -> None:
    source, program = idl(shared, protocol), STAGES[protocol].program
    for call, values in (
        (signed_messages.PLACE_SIGNED_MSG_TAKER_ORDER, (b"abc", True)),
        (signed_messages.POST_PYTH_LAZER_ORACLE_UPDATE, (b"price",)),
    ):
        names = [name for name, _ in source.instructions[call.name].args]
        assert call.data(program, values) == source.data(call.name, dict(zip(names, values, strict=True)))


def test_a_drift_order_is_another_order_on_velocity() -> None:
    params = OrderParams(base_asset_amount=10**9, price=150 * 10**6, oracle_price_offset=-5)
    said = [orders.PLACE_PERP_ORDER.data(program, (params,)) for program in (DRIFT_V2, VELOCITY)]
    assert said[0][:8] == said[1][:8]
    assert said[0] != said[1]
    assert len(said[1]) == len(said[0]) + 4 + 2


@pytest.mark.parametrize(
    ("program", "params", "message"),
    [
        (DRIFT_V2, OrderParams(builder_idx=1), "no builder_idx and no builder_fee_tenth_bps"),
        (DRIFT_V2, OrderParams(oracle_price_offset=2**31), "oracle_price_offset = 2147483648 does not fit i32"),
        (VELOCITY, OrderParams(base_asset_amount=2**64), "base_asset_amount = 18446744073709551616 does not fit u64"),
        (VELOCITY, OrderParams(price=-1), "price = -1 does not fit u64, which holds 0 to 18446744073709551615"),
        (VELOCITY, OrderParams(user_order_id=256), "user_order_id = 256 does not fit u8"),
        (VELOCITY, OrderParams(price=1.5), "price = 1.5 is not a whole number"),  # type: ignore[arg-type]
    ],
)
def test_what_cannot_be_said_is_refused_by_name(program: Program, params: OrderParams, message: str) -> None:
    with pytest.raises(EncodeError, match=message):
        orders.place_perp_order(program, STAGES[program.name].us, params)


def test_delegate_and_funds() -> None:
    stage = STAGES["velocity"]
    cleared = accounts.update_user_delegate(stage.program, stage.us, None)
    assert cleared.data[-32:] == bytes(Pubkey.default())
    with pytest.raises(EncodeError, match="amount = 18446744073709551616 does not fit u64"):
        funds.deposit(stage.program, stage.us, 0, 2**64, Pubkey.default())
    with pytest.raises(EncodeError, match="33 bytes; the program keeps 32"):
        accounts.initialize_user(stage.program, stage.us, "x" * 33)
    with pytest.raises(EncodeError, match="33 orders at once"):
        orders.place_orders(stage.program, stage.us, [OrderParams()] * 33)
