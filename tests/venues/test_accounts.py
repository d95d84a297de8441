"""Accounts in and out: what is written is read, owners choose the protocol, and bad bytes refuse in one line."""

import random
from itertools import product

import pytest
from account_values import kinds, random_account, random_record
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct
from msgspec.structs import asdict, replace
from solders.pubkey import Pubkey

from drift_engine.venues.errors import DecodeError, EncodeError
from drift_engine.venues.program import Program
from drift_engine.venues.programs import DRIFT_V2, VELOCITY
from drift_engine.venues.wire.accounts import blank, decode, decode_as, layout_of
from drift_engine.venues.wire.codec import record, text
from drift_engine.venues.wire.layout import Field, Selection, View
from drift_engine.venues.wire.perp_market import PerpMarket
from drift_engine.venues.wire.records import PoolBalance
from drift_engine.venues.wire.state import State
from drift_engine.venues.wire.user import Order, PerpPosition, SpotPosition, User

CASES = list(product((VELOCITY, DRIFT_V2), kinds()))
IDS = [f"{program.name}-{kind.__name__}" for program, kind in CASES]


@pytest.mark.parametrize(("program", "kind"), CASES, ids=IDS)
def test_what_is_written_is_read(program: Program, kind: type[View]) -> None:
    for seed in range(20):
        view, values = random_account(random.Random(seed), program, kind)
        read = decode(program.program_id, bytes(view.data))
        assert type(read) is kind
        assert asdict(read.snapshot()) == values
        for name in values:
            if isinstance(kind.__dict__.get(name), Field):
                assert getattr(read, name) == values[name], name


@pytest.mark.parametrize(("program", "kind"), CASES, ids=IDS)
def test_every_declared_field_can_be_asked_for(program: Program, kind: type[View]) -> None:
    assert [name for name in layout_of(program, kind).types if not hasattr(kind, name)] == []


@pytest.mark.parametrize("program", [VELOCITY, DRIFT_V2], ids=lambda program: program.name)
def test_slots_written_one_by_one_are_read_in_order(program: Program) -> None:
    random_ = random.Random(7)
    user = blank(program, User)
    held = {name: user.layout.records[name] for name in ("SpotPosition", "PerpPosition", "Order")}
    spots: list[SpotPosition] = [random_record(random_, held["SpotPosition"]) for _ in range(8)]
    perps: list[PerpPosition] = [random_record(random_, held["PerpPosition"]) for _ in range(8)]
    orders: list[Order] = [random_record(random_, held["Order"]) for _ in range(32)]
    for slot, spot in enumerate(spots):
        user.put_spot(slot, spot)
    for slot, perp in enumerate(perps):
        user.put_perp(slot, perp)
    for slot, order in enumerate(orders):
        user.put_order(slot, order)
    assert user.spot_slots() == user.spot_positions() == tuple(spots)
    assert user.perp_slots() == user.perp_positions() == tuple(perps)
    assert user.order_slots() == tuple(orders)
    assert user.orders() == tuple(order for order in orders if order.status == 1)


@pytest.mark.parametrize("program", [VELOCITY, DRIFT_V2], ids=lambda program: program.name)
@pytest.mark.parametrize("open_slots", [(), (0,), (31,), (0, 5, 30), tuple(range(31)), tuple(range(32))])
def test_only_open_orders_are_listed(program: Program, open_slots: tuple[int, ...]) -> None:
    user = blank(program, User)
    for slot in range(32):
        user.put_order(slot, Order(order_id=slot, status=1 if slot in open_slots else 2))
    assert tuple(order.order_id for order in user.orders()) == open_slots


class Three(Struct, frozen=True):
    """A struct whose fields lie in another order, or not all of them."""

    first: int = 0
    second: int = 0
    third: int = 0


@pytest.mark.parametrize(
    "lines",
    [
        "first, second u8\nthird u16",
        "third u16\nfirst, second u8",
        "second, third u8\n_ u8*3\nfirst u16\n_ u8*2",
        "third, second, first u8",
        "third u128\nfirst, second u8",
        "third, second u8",
    ],
)
def test_structs_side_by_side_are_read_as_each_alone(lines: str) -> None:
    codec = record(Three, lines)
    written = [Three(**{name: 10 * nth + place for place, name in enumerate(codec.offsets)}) for nth in range(3)]
    assert [codec.unpacked(codec.packed(one)) for one in written] == written
    assert list(codec.all(b"".join(codec.packed(one) for one in written))) == written


@given(st.binary(max_size=32) | st.text(" \0aß€", max_size=10).map(str.encode))
def test_a_name_loses_its_padding_and_nothing_else(raw: bytes) -> None:
    assert text(raw) == raw.decode("utf-8", "replace").strip(" \0")


def test_free_slots_between_held_ones_are_left_out() -> None:
    user = blank(VELOCITY, User)
    user.put_perp(2, PerpPosition(base_asset_amount=-1, market_index=4))
    user.put_perp(3, PerpPosition(settled_pnl=5, last_cumulative_funding_rate=1))
    user.put_perp(5, PerpPosition(quote_asset_amount=-1, market_index=6))
    user.put_perp(7, PerpPosition(open_orders=1, market_index=7))
    user.put_spot(6, SpotPosition(open_orders=1, market_index=8))
    user.put_spot(7, SpotPosition(scaled_balance=1, market_index=9))
    assert [held.market_index for held in user.perp_positions()] == [4, 6, 7]
    assert [held.market_index for held in user.spot_positions()] == [8, 9]


def test_the_owner_chooses_the_protocol() -> None:
    data = bytes(blank(VELOCITY, User).data)
    assert decode(VELOCITY.program_id, data).layout is VELOCITY.layouts.user
    assert decode(DRIFT_V2.program_id, data).layout is DRIFT_V2.layouts.user  # 4496 bytes are enough for 4376


def test_a_foreign_owner_is_named() -> None:
    with pytest.raises(DecodeError, match=r"belongs to 1111.*no program of ours"):
        decode(Pubkey.default(), bytes(blank(VELOCITY, User).data))


def test_too_few_bytes_are_counted() -> None:
    data = bytes(blank(VELOCITY, PerpMarket).data)
    with pytest.raises(DecodeError, match="PerpMarket has 1303 bytes; this build knows no less than 1304"):
        decode(VELOCITY.program_id, data[:-1])
    with pytest.raises(DecodeError, match="starts with nothing"):
        decode(VELOCITY.program_id, b"")


def test_unknown_trailing_bytes_are_fine() -> None:
    data = bytes(blank(VELOCITY, PerpMarket).data) + bytes(range(256))
    assert decode_as(PerpMarket, VELOCITY.program_id, data).market_index == 0


def test_another_kind_is_named() -> None:
    with pytest.raises(DecodeError, match="expected a User, found a PerpMarket of drift_v2"):
        decode_as(User, DRIFT_V2.program_id, bytes(blank(DRIFT_V2, PerpMarket).data))
    with pytest.raises(DecodeError, match="starts with 0102030405060708, which is none of User"):
        decode(DRIFT_V2.program_id, bytes(range(1, 9)) + bytes(5000))


def test_a_field_of_the_other_protocol_is_absent() -> None:
    user = blank(DRIFT_V2, User)
    with pytest.raises(AttributeError, match="this protocol's User has no equity_floor"):
        _ = user.equity_floor
    with pytest.raises(AttributeError, match="this protocol's User has no equity_floor"):
        user.equity_floor = 1
    assert "margin_mode" in user.layout


def test_a_value_that_does_not_fit_is_refused_with_its_field() -> None:
    market = blank(VELOCITY, PerpMarket)
    with pytest.raises(EncodeError, match=r"PerpMarket.market_index = 65536 is no u16"):
        market.market_index = 65536
    with pytest.raises(EncodeError, match=r"PerpMarket.max_open_interest = -1 is no u128"):
        market.max_open_interest = -1
    with pytest.raises(EncodeError, match=r"PerpMarket.pnl_pool"):
        market.pnl_pool = PoolBalance(scaled_balance=1 << 128)
    with pytest.raises(EncodeError, match="3 values where the program keeps 4"):
        blank(VELOCITY, State).slot_duration_transition_slots = (1, 2, 3)
    with pytest.raises(EncodeError, match=r"name .* has 33 bytes"):
        market.name = "x" * 33


def test_a_slot_takes_what_fits_it() -> None:
    user = blank(VELOCITY, User)
    with pytest.raises(EncodeError, match=r"perp_positions\[1\] = .*"):
        user.put_perp(1, PerpPosition(market_index=65536))
    with pytest.raises(EncodeError, match="orders has no slot 32: 32 are there"):
        user.put_order(32, Order())
    with pytest.raises(EncodeError, match="spot_positions has no slot -1: 8 are there"):
        user.put_spot(-1, SpotPosition())
    assert user.data == blank(VELOCITY, User).data


def test_bytes_are_read_only_and_bytearrays_are_not() -> None:
    data = bytearray(blank(VELOCITY, User).data)
    decode_as(User, VELOCITY.program_id, data).sub_account_id = 3
    assert decode_as(User, VELOCITY.program_id, bytes(data)).sub_account_id == 3
    with pytest.raises(TypeError, match="this User is read-only"):
        decode_as(User, VELOCITY.program_id, bytes(data)).sub_account_id = 4


@pytest.mark.parametrize(("program", "kind"), CASES, ids=IDS)
def test_a_selection_reads_what_the_fields_read(program: Program, kind: type[View]) -> None:
    random_ = random.Random(11)
    view, values = random_account(random_, program, kind)
    names = random_.sample(list(values), k=min(len(values), 12))
    selection = Selection(*names)
    assert list(selection(view)) == [values[name] for name in names]
    assert list(selection(blank(program, kind))) == [getattr(blank(program, kind).snapshot(), name) for name in names]


def test_one_selection_reads_both_protocols() -> None:
    selection = Selection("market_index", "oracle", "cumulative_funding_rate_long")
    for program in (VELOCITY, DRIFT_V2):
        market = blank(program, PerpMarket)
        market.market_index, market.cumulative_funding_rate_long = 7, -(1 << 100)
        assert list(selection(market)) == [7, Pubkey.default(), -(1 << 100)]


def test_a_selection_names_what_a_protocol_has_not() -> None:
    selection = Selection("market_index", "next_curve_record_id", "fuel_boost_taker")
    assert list(selection(blank(DRIFT_V2, PerpMarket))) == [0, 0, 0]
    with pytest.raises(AttributeError, match="PerpMarket has no next_curve_record_id and no fuel_boost_taker"):
        selection(blank(VELOCITY, PerpMarket))


@pytest.mark.parametrize("program", [VELOCITY, DRIFT_V2], ids=lambda program: program.name)
def test_a_user_s_contents_are_its_fields_with_what_it_holds(program: Program) -> None:
    for seed in range(20):
        user = random_account(random.Random(seed), program, User)[0]
        assert isinstance(user, User)
        held = {
            "spot_positions": user.spot_positions(),
            "perp_positions": user.perp_positions(),
            "orders": user.orders(),
        }
        assert user.contents() == replace(user.snapshot(), **held)
