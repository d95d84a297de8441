"""Bytes written down: what builders say has to stay as it is, also where no IDL is at hand.

The signed messages are those of the program's own tests (``validation/sig_verification/tests.rs``).
"""

from typing import Any

import pytest
from builder_cases import CASES, IN_TOKENS, SYSVAR_INSTRUCTIONS, A, B, Stage, key
from hypothesis import given, settings
from hypothesis import strategies as st
from instruction_facts import Fact, facts
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.token import ID as TOKEN

from drift_engine.venues import addresses
from drift_engine.venues.drift_v2.program import DRIFT_V2
from drift_engine.venues.errors import DecodeError, EncodeError
from drift_engine.venues.instructions import (
    accounts,
    fills,
    funds,
    liquidation,
    orders,
    settling,
    signed_messages,
    tokens,
)
from drift_engine.venues.instructions.call import Call
from drift_engine.venues.instructions.trader import trader
from drift_engine.venues.program import Program
from drift_engine.venues.velocity.program import VELOCITY
from drift_engine.venues.wire.order_enums import (
    IMMEDIATE_OR_CANCEL,
    Direction,
    OrderType,
    PostOnly,
    SuccessCondition,
    TriggerCondition,
)
from drift_engine.venues.wire.order_params import (
    ModifyOrderParams,
    OrderParams,
    ScaleOrderParams,
    SignedMessage,
    SignedTrigger,
    encode_message,
    signing_bytes,
)

MODULES = (accounts, fills, funds, liquidation, orders, settling, signed_messages)
BOTH = pytest.mark.parametrize("program", [DRIFT_V2, VELOCITY], ids=lambda program: program.name)
EVERYTHING = OrderParams(
    order_type=OrderType.ORACLE,
    direction=Direction.SHORT,
    user_order_id=7,
    base_asset_amount=1_500_000_000,
    price=150_250_000,
    market_index=2,
    reduce_only=True,
    post_only=PostOnly.TRY,
    bit_flags=IMMEDIATE_OR_CANCEL,
    max_ts=1_800_000_000,
    trigger_price=149_000_000,
    trigger_condition=TriggerCondition.BELOW,
    oracle_price_offset=-12_345,
    auction_duration=20,
    auction_start_price=-5,
    auction_end_price=6,
)
HEAD = "45a15dca787e4cb904010107002f68590000000010a2f4080000000002000102010100d2496b0000000001408fe108000000000101"
TAIL = "011401fbffffffffffffff010600000000000000"


def us(program: Program) -> Stage:
    return Stage(program, "")


def test_a_whole_order() -> None:
    drift = orders.place_perp_order(DRIFT_V2, us(DRIFT_V2).us, EVERYTHING)
    velocity = orders.place_perp_order(VELOCITY, us(VELOCITY).us, EVERYTHING)
    assert drift.data.hex() == HEAD + "c7cfffff" + TAIL
    assert velocity.data.hex() == HEAD + "c7cfffffffffffff" + TAIL + "0000"
    assert [str(meta.pubkey) for meta in velocity.accounts] == [
        "2etx5NvPNxeMZ7EfHE6GjJfW2imRYEUANehNS1WB4CVW",
        "BcfA49c7JLuC5HYQvg6bDrvjNSM52vSiLE9ogaqPWdz1",
        "8qbHbw2BbbTHBW1sbeqakYXVKRQM8Ne7pLK7m6CVfeR",
    ]


def test_a_builder_code_is_said_on_velocity() -> None:
    params = OrderParams(builder_idx=3, builder_fee_tenth_bps=258)
    assert orders.place_perp_order(VELOCITY, us(VELOCITY).us, params).data.hex().endswith("0103010201")


def test_changes_and_scales() -> None:
    change = ModifyOrderParams(price=151_000_000, oracle_price_offset=-1, policy=3)
    said = [orders.modify_order(p, us(p).us, change, 9).data.hex() for p in (DRIFT_V2, VELOCITY)]
    head = "2f7c75ffc9c5825e0109000000000001c01300090000000000000000000001"
    assert said == [head + "ffffffff0000000103", head + "ffffffffffffffff0000000103"]
    scale = ScaleOrderParams(
        total_base_asset_amount=10**10, start_price=1, end_price=2, order_count=5, size_distribution=2, max_ts=3
    )
    expected = "81f94637b1fafc5e0100000000e40b5402000000010000000000000002000000000000000502000000010300000000000000"
    assert orders.place_scale_orders(VELOCITY, us(VELOCITY).us, scale).data.hex() == expected


@BOTH
def test_the_rest(program: Program) -> None:
    who = us(program).us
    assert funds.deposit(program, who, 1, 123456789, IN_TOKENS, reduce_only=True).data.hex() == (
        "f223c68952e1f2b6010015cd5b070000000001"
    )
    assert orders.cancel_orders(program, who, 1, 2, None).data.hex() == "eee15f9ee36708c20101010200" + "00"
    assert orders.cancel_order(program, who).data.hex() == "5f81edf00831df8400"
    assert settling.settle_multiple_pnls(program, who, [0, 1], A).data.hex() == (
        "7f4275392832987f" + "02000000" + "0000" + "0100" + "01"
    )
    assert accounts.initialize_user(program, who, "Main").data == bytes.fromhex("6f11b9fa3c7a26fe0300") + b"Main".ljust(
        32
    )


SAMPLES: dict[str, tuple[Any, bytes]] = {
    "bool": (True, b"\1"),
    "u8": (1, b"\1"),
    "u16": (515, b"\3\2"),
    "u32": (67_305_985, b"\1\2\3\4"),
    "u64": (578_437_695_752_307_201, bytes(range(1, 9))),
    "i64": (-2, b"\xfe" + b"\xff" * 7),
    "u128": (1 << 120 | 5, b"\5" + bytes(14) + b"\1"),
    "pubkey": (bytes(range(32)), bytes(range(32))),
    "u8*32": (b"a name".ljust(32), b"a name".ljust(32)),
}


def sample(kind: str) -> tuple[Any, bytes]:
    """A value and its bytes. What the three order structs say is held to whole orders above."""
    if kind.startswith("option<"):
        value, said = sample(kind[7:-1])
        return value, b"\1" + said
    if kind.startswith("vec<") and kind[4:-1] in SAMPLES:
        value, said = SAMPLES[kind[4:-1]]
        return [value], b"\1\0\0\0" + said
    return SAMPLES.get(kind) or ([] if kind.startswith("vec<") else {}, b"")


@pytest.mark.parametrize("fact", facts(), ids=lambda fact: f"{fact.protocol}-{fact.name}")
def test_builders_and_the_facts_written_down(fact: Fact) -> None:
    case = CASES[fact.name]
    for stage in (Stage(DRIFT_V2, "drift"), Stage(VELOCITY, "velocity")):
        if fact.protocol not in {"both", stage.program.name}:
            continue
        drawn = {name: sample(kind) for name, kind in fact.arguments}
        for nth, (name, kind) in enumerate(fact.arguments):
            if kind == "u16":
                drawn[name] = 515 + nth, bytes([3 + nth, 2])
        if fact.name == "fill_perp_order":
            drawn["maker_order_id"] = None, b"\0"
        values = {name: value for name, (value, _) in drawn.items()}
        built = case.build(stage, values)
        keys = stage.keys(values) | {account: whose(stage) for account, whose in case.whose.items()}
        keys["signer"] = keys["drift_signer"]
        expected = [(keys[name], signer, writable) for name, signer, writable in fact.accounts]
        said = fact.head + b"".join(part for _, part in drawn.values())
        assert [(m.pubkey, m.is_signer, m.is_writable) for m in built.accounts][: len(expected)] == expected
        assert built.data.startswith(fact.head) if "Params" in str(fact.arguments) else built.data == said


def test_every_case_is_written_down() -> None:
    assert {fact.name for fact in facts()} == set(CASES)


def test_success_conditions() -> None:
    assert fills.success_condition() is None
    assert fills.success_condition(SuccessCondition.FULL_FILL) == 100 << 8 | 2
    assert fills.success_condition(auction_percent=0) == 0
    assert fills.success_condition(SuccessCondition.PARTIAL_FILL, 50) == 0x3201
    with pytest.raises(EncodeError, match="auction_percent = 101"):
        fills.success_condition(auction_percent=101)


def test_newest_velocity_takes_more_accounts_where_asked() -> None:
    stage = us(VELOCITY)
    trigger = fills.trigger_order(VELOCITY, stage.us, stage.other, 5, stats=True)
    assert trigger.accounts[4].pubkey == stage.other.user_stats
    assert trigger.accounts[4].is_writable
    assert trigger.data.hex() == "3f7033e9e82ff0c705000000"
    delete = accounts.delete_user(VELOCITY, stage.us, escrow=True)
    assert delete.accounts[4].pubkey == addresses.revenue_share_escrow(VELOCITY.program_id, A)
    assert delete.accounts[4].is_writable


TAKER_MESSAGE = (
    "c8d5a65e2234f55d000100030060fecd000000004055200e00000000000000000000000000010a018085b50d000000000140"
    "55200e000000000200290900000000000043524f336972473101001c4e0e000000000060fecd0000000001403a690d000000"
    "000060fecd00000000"
)
DELEGATE_MESSAGE = (
    "42656638c7259e230001010200ca9a3b000000004055200e00000000000000000000000000010a01001c4e0e000000000180"
    "972f0e00000000f2d0759f5c8722e0930e405c071991ed4f2348188c0d19bd86f3e8055925a6f2290900000000000043524f"
    "33697247310000"
)


def test_a_message_of_the_programs_tests() -> None:
    order = OrderParams(
        order_type=OrderType.MARKET,
        user_order_id=3,
        base_asset_amount=3_456_000_000,
        price=237_000_000,
        auction_duration=10,
        auction_start_price=230_000_000,
        auction_end_price=237_000_000,
    )
    message = SignedMessage(
        order,
        slot=2345,
        uuid=b"CRO3irG1",
        sub_account_id=2,
        take_profit=SignedTrigger(240_000_000, 3_456_000_000),
        stop_loss=SignedTrigger(225_000_000, 3_456_000_000),
    )
    encoded = encode_message("drift_v2", message)
    assert encoded.hex() == TAKER_MESSAGE + "00000000"  # fields added since; the program fills them with zeros


def test_a_delegates_message_of_the_programs_tests() -> None:
    order = OrderParams(
        order_type=OrderType.MARKET,
        direction=Direction.SHORT,
        user_order_id=2,
        base_asset_amount=10**9,
        price=237_000_000,
        auction_duration=10,
        auction_start_price=240_000_000,
        auction_end_price=238_000_000,
    )
    taker = Pubkey.from_string("HLr2UfL422cakKkaBG4z1bMZrcyhmzX2pHdegjM6fYXB")
    encoded = encode_message("drift_v2", SignedMessage(order, slot=2345, uuid=b"CRO3irG1", taker=taker))
    assert encoded.hex() == DELEGATE_MESSAGE + "00000000"


def test_velocitys_message_is_longer_and_may_name_its_program() -> None:
    message = SignedMessage(OrderParams(), slot=1, uuid=bytes(8))
    assert len(encode_message("velocity", message)) == len(encode_message("drift_v2", message)) + 2
    program_id = VELOCITY.program_id
    assert signing_bytes("velocity", program_id, b"\xc8\xd5") == b"c8d5"
    assert signing_bytes("velocity", program_id, b"\xc8\xd5", prefixed=True) == (
        b"velocity-signed-msg:vELoC1audYbSYVRXn1vPaV8Axoa9oU6BYmNGZZBDZ1P:c8d5"
    )
    with pytest.raises(EncodeError, match="without a prefix"):
        signing_bytes("drift_v2", DRIFT_V2.program_id, b"", prefixed=True)
    with pytest.raises(EncodeError, match=r"uuid has 4 bytes; it takes exactly 8"):
        encode_message("velocity", SignedMessage(OrderParams(), slot=1, uuid=b"four"))


@BOTH
def test_options_that_are_none_nor_some_are_refused(program: Program) -> None:
    with pytest.raises(DecodeError, match="byte 8 is 2, where an option starts with 0 or 1"):
        orders.CANCEL_ORDER.arguments(program, bytes.fromhex("5f81edf00831df8402"))
    with pytest.raises(DecodeError, match="9 bytes end before byte 13"):
        orders.CANCEL_ORDER.arguments(program, bytes.fromhex("5f81edf00831df8401"))
    with pytest.raises(DecodeError, match="no cancel_order: it starts with 00"):
        orders.CANCEL_ORDER.arguments(program, bytes(20))
    with pytest.raises(DecodeError, match="a list of 4294967295 does not fit"):
        orders.CANCEL_ORDERS_BY_IDS.arguments(program, orders.CANCEL_ORDERS_BY_IDS.head + b"\xff" * 4)


@BOTH
def test_the_verification_points_into_the_order(program: Program) -> None:
    keypair = Keypair.from_seed(bytes(range(32)))
    taker = trader(program, A, 0, keypair.pubkey())
    text = signing_bytes(program.name, program.program_id, encode_message(program.name, _message()))
    signature = keypair.sign_message(text)
    verify, placed = signed_messages.place_signed_msg_taker_order(program, taker, signature, text, B, 3)
    numbers = [int.from_bytes(verify.data[at : at + 2], "little") for at in range(2, 16, 2)]
    signature_at, at_index, key_at, _, message_at, size, _ = numbers
    assert verify.data[:2] == b"\1\0"
    assert (at_index, numbers[3], numbers[6]) == (3, 3, 3)
    assert Signature(placed.data[signature_at : signature_at + 64]).verify(
        Pubkey(placed.data[key_at : key_at + 32]), placed.data[message_at : message_at + size]
    )
    assert placed.data[-1] == 1  # signed by a delegate
    assert placed.accounts[5].pubkey == SYSVAR_INSTRUCTIONS


def _message() -> SignedMessage:
    return SignedMessage(OrderParams(base_asset_amount=5), slot=9, uuid=b"12345678")


def test_a_price_update_points_into_itself() -> None:
    keypair = Keypair.from_seed(bytes(32))
    payload = b"payload"
    message = b"MAGI" + bytes(keypair.sign_message(payload)) + bytes(keypair.pubkey()) + b"\x07\0" + payload
    verify, posted = signed_messages.post_pyth_lazer_oracle_update(VELOCITY, message, [6, 1], A, 1)
    numbers = [int.from_bytes(verify.data[at : at + 2], "little") for at in range(2, 16, 2)]
    assert posted.data[numbers[4] : numbers[4] + numbers[5]] == payload
    assert posted.data[numbers[2] : numbers[2] + 32] == bytes(keypair.pubkey())
    assert [str(meta.pubkey) for meta in posted.accounts[3:]] == [
        "2k3UHX6ehRFzx5fTVvbL6FwXhMjkucjJDL9MuVKLo8TV",
        "J7Fp8iTKuKdCM7PnzqHXTdTo5Jr7ykAmiDyvpz58GJGZ",
    ]
    with pytest.raises(EncodeError, match="shorter than its frame"):
        signed_messages.post_pyth_lazer_oracle_update(VELOCITY, b"short", [6], A, 1)


def test_tokens() -> None:
    mint = Pubkey.from_string("Es9vMFrzaCERmJfrF4H2FYD4KCoNkY11McCe8BenwNYB")
    owner = key(1)
    expected, _ = Pubkey.find_program_address([bytes(owner), bytes(TOKEN), bytes(mint)], tokens.ASSOCIATED_TOKEN)
    assert tokens.token_account(owner, mint) == expected
    opened = tokens.create_token_account(B, owner, mint)
    assert opened.data == b"\1"
    assert [(m.is_signer, m.is_writable) for m in opened.accounts] == [(True, True), (False, True)] + [
        (False, False)
    ] * 4
    create, fund, sync = tokens.wrap_sol(owner, 5)
    assert create.accounts[1].pubkey == fund.accounts[1].pubkey == sync.accounts[0].pubkey
    assert fund.data == b"\2\0\0\0" + (5).to_bytes(8, "little")
    assert (sync.data, tokens.unwrap_sol(owner).data) == (b"\x11", b"\x09")


@settings(max_examples=300, deadline=None)
@given(data=st.binary(max_size=200), pick=st.sampled_from(facts()), program=st.sampled_from([DRIFT_V2, VELOCITY]))
def test_any_bytes_read_as_arguments_or_are_refused(data: bytes, pick: Fact, program: Program) -> None:
    known = {each.name: each for module in MODULES for each in vars(module).values() if isinstance(each, Call)}
    call = known[pick.name]
    try:
        read = call.arguments(program, call.head + data)
        again = call.data(program, tuple(read.values()))
    except DecodeError:
        return
    except EncodeError as error:
        unsaid = str(error)
    else:
        assert call.arguments(program, again) == read
        return
    assert program is VELOCITY
    assert "no place_spot_order" in unsaid
