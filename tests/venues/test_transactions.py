"""Transactions: what is signed is what the chain's own code reads, templates say the same as the long way."""

import asyncio
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from solders.address_lookup_table_account import AddressLookupTableAccount
from solders.hash import Hash
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction

from drift_engine.venues.errors import DecodeError, EncodeError
from drift_engine.venues.instructions.fills import PLACE_AND_TAKE_PERP_ORDER, place_and_take_perp_order
from drift_engine.venues.instructions.metas import read, sign, write
from drift_engine.venues.instructions.orders import PLACE_PERP_ORDER, place_orders, place_perp_order
from drift_engine.venues.instructions.trader import trader
from drift_engine.venues.keys import Key
from drift_engine.venues.transactions import (
    Template,
    budget,
    compact,
    compact_length,
    compiled,
    fee_lamports,
    signed,
    signers_of,
)
from drift_engine.venues.transactions.blockhash import ColdError, Warm, read_tables, refresh
from drift_engine.venues.transactions.order_template import OrderTemplate, markets_held
from drift_engine.venues.velocity.program import VELOCITY
from drift_engine.venues.wire.accounts import blank
from drift_engine.venues.wire.order_params import OrderParams
from drift_engine.venues.wire.user import PerpPosition, SpotPosition, User

KEY = Key(Keypair.from_seed(bytes(range(32))))
OTHER = Key(Keypair.from_seed(bytes(32)))
HASH = Hash(bytes(range(1, 33)))
WHO = trader(VELOCITY, KEY.address)
PROGRAM = Pubkey(bytes([7]) * 32)


def key(tag: int) -> Pubkey:
    return Pubkey(bytes([9, tag]).ljust(32, b"\3"))


MARKETS = [read(key(tag)) for tag in range(6)] + [write(key(6))]
TABLE = AddressLookupTableAccount(key(100), [meta.pubkey for meta in MARKETS])


def test_a_signed_transaction_is_read_and_verified_by_solders() -> None:
    order = place_perp_order(VELOCITY, WHO, OrderParams(base_asset_amount=10**9), MARKETS)
    made = signed([KEY], [*budget(200_000, 1_000), order], HASH, [TABLE])
    read_back = VersionedTransaction.from_bytes(made.wire)
    assert read_back.verify_with_results() == [True]
    assert read_back.signatures[0] == made.signature
    assert read_back.message.recent_blockhash == HASH
    assert read_back.message.account_keys[0] == KEY.address
    assert isinstance(read_back.message, MessageV0)
    assert len(read_back.message.address_table_lookups[0].readonly_indexes) == 6
    assert bytes(read_back.message.instructions[2].data) == order.data
    without = signed([KEY], [order], HASH)
    assert len(without.wire) > len(signed([KEY], [order], HASH, [TABLE]).wire)


def test_two_signers_sign_in_the_messages_order() -> None:
    both = Instruction(PROGRAM, b"", [sign(OTHER.address), sign(KEY.address, writable=True)])
    made = signed([KEY, OTHER], [both], HASH)
    assert VersionedTransaction.from_bytes(made.wire).verify_with_results() == [True, True]
    assert signers_of(compiled(KEY.address, [both], HASH)) == (KEY.address, OTHER.address)
    with pytest.raises(EncodeError, match=f"no key to sign for {OTHER.address}"):
        signed([KEY], [both], HASH)


def test_what_does_not_fit_is_refused_before_it_is_signed() -> None:
    too_many = place_orders(VELOCITY, WHO, [OrderParams()] * 32, MARKETS)
    with pytest.raises(EncodeError, match=r"has 1\d{3} bytes, \d+ more than the 1232 that a packet holds"):
        signed([KEY], [too_many], HASH)
    full = _filled(1232)
    assert len(signed([KEY], [full], HASH).wire) == 1232
    with pytest.raises(EncodeError, match="has 1233 bytes, 1 more"):
        signed([KEY], [_filled(1233)], HASH)
    with pytest.raises(EncodeError, match="does not compile"):
        signed([KEY], [Instruction(PROGRAM, b"", [read(Pubkey.new_unique()) for _ in range(300)])], HASH)
    template = Template(KEY.address, [_filled(500)], (0,))
    with pytest.raises(EncodeError, match=r"has 1233 bytes"):
        template.sign(KEY, bytes(HASH), (_filled(1233).data,))


def _filled(size: int) -> Instruction:
    frame = len(signed([KEY], [Instruction(PROGRAM, bytes(200), [])], HASH).wire) - 200
    return Instruction(PROGRAM, bytes(size - frame), [])


def test_compute_budget() -> None:
    limit, price = budget(123_456, 7)
    assert bytes(limit.data) == b"\x02" + (123_456).to_bytes(4, "little")
    assert bytes(price.data) == b"\x03" + (7).to_bytes(8, "little")
    assert (fee_lamports(200_000, 1), fee_lamports(200_000, 10, 2), fee_lamports(3, 1)) == (5_001, 10_002, 5_001)
    for units, micro, what in (
        (0, 0, "compute_units = 0"),
        (1_400_001, 0, "1400001"),
        (1, -1, "u64"),
        (1, 2**64, "u64"),
    ):
        with pytest.raises(EncodeError, match=what):
            budget(units, micro)


@settings(max_examples=60, deadline=None)
@given(
    blockhash=st.binary(min_size=32, max_size=32),
    price=st.integers(0, 2**64 - 1),
    base=st.integers(0, 2**64 - 1),
    offset=st.none() | st.integers(-(2**63), 2**63 - 1),
    tables=st.sampled_from([[], [TABLE]]),
    take=st.booleans(),
)
def test_a_template_says_what_the_long_way_says(
    blockhash: bytes,
    price: int,
    base: int,
    offset: int | None,
    tables: list[AddressLookupTableAccount],
    take: bool,
) -> None:
    params = OrderParams(base_asset_amount=base, oracle_price_offset=offset)
    if take:
        call, arguments = PLACE_AND_TAKE_PERP_ORDER, (params, 25601)
        first = place_and_take_perp_order(VELOCITY, WHO, OrderParams(), None, MARKETS)
        again = place_and_take_perp_order(VELOCITY, WHO, params, 25601, MARKETS)
    else:
        call, arguments = PLACE_PERP_ORDER, (params,)  # type: ignore[assignment]
        first = place_perp_order(VELOCITY, WHO, OrderParams(), MARKETS)
        again = place_perp_order(VELOCITY, WHO, params, MARKETS)
    template = OrderTemplate(VELOCITY, call, first, 300_000, tables)
    made = template.sign(KEY, blockhash, arguments, price)
    assert made == signed([KEY], [*budget(300_000, price), again], Hash(blockhash), tables)


@settings(max_examples=60, deadline=None)
@given(sizes=st.lists(st.integers(0, 200), min_size=1, max_size=4), data=st.data())
def test_templates_patch_any_instruction(sizes: list[int], data: st.DataObject) -> None:
    def built(contents: list[bytes]) -> list[Instruction]:
        return [Instruction(PROGRAM, content, [read(key(at))]) for at, content in enumerate(contents)]

    changing = sorted(data.draw(st.sets(st.integers(0, len(sizes) - 1))))
    before = [bytes(size) for size in sizes]
    after = [data.draw(st.binary(max_size=200)) if at in changing else old for at, old in enumerate(before)]
    template = Template(KEY.address, built(before), changing)
    message = template.message(bytes(HASH), [after[at] for at in changing])
    assert message == compiled(KEY.address, built(after), HASH)


def test_templates_have_one_signer_who_pays() -> None:
    both = Instruction(PROGRAM, b"", [sign(OTHER.address)])
    with pytest.raises(EncodeError, match=f"{OTHER.address} would have to sign"):
        Template(KEY.address, [both], (0,))
    template = Template(KEY.address, [Instruction(PROGRAM, b"", [])], (0,))
    with pytest.raises(EncodeError, match=f"paid by {KEY.address}, not by {OTHER.address}"):
        template.sign(OTHER, bytes(HASH), (b"",))
    with pytest.raises(EncodeError, match="no place_perp_order"):
        OrderTemplate(VELOCITY, PLACE_PERP_ORDER, place_orders(VELOCITY, WHO, []), 1)


@given(st.integers(0, 2**20))
def test_compact_lengths_read_back(size: int) -> None:
    assert compact(b"xx" + compact_length(size) + b"\x05", 2) == (size, 2 + len(compact_length(size)))


def test_compact_lengths() -> None:
    assert [compact_length(n) for n in (0, 127, 128, 16_384)] == [b"\0", b"\x7f", b"\x80\x01", b"\x80\x80\x01"]


def test_markets_held_tell_when_a_template_is_old() -> None:
    view = blank(VELOCITY, User)
    view.put_spot(1, SpotPosition(scaled_balance=1, market_index=4))
    before = markets_held(view)
    view.put_perp(3, PerpPosition(base_asset_amount=1, market_index=2))
    assert (before, markets_held(view)) == (((4,), ()), ((4,), (2,)))


SECOND = 10**9


def test_a_blockhash_is_signed_with_only_while_it_lasts() -> None:
    warm = Warm()
    with pytest.raises(ColdError, match="no blockhash was fetched yet"):
        warm.blockhash(0)
    warm.saw_blockhash(HASH, 1_000, 5 * SECOND)
    assert warm.blockhash(20 * SECOND).raw == bytes(HASH)
    with pytest.raises(ColdError, match="is 15001 ms old, over 15000"):
        warm.blockhash(20 * SECOND + 10**6)
    warm.saw_block_height(980)
    assert warm.blockhash(6 * SECOND).blockhash == HASH
    warm.saw_block_height(981)
    warm.saw_block_height(5)
    with pytest.raises(ColdError, match="has 19 blocks left to land in, under 20"):
        warm.blockhash(6 * SECOND)


def test_a_newer_blockhash_takes_the_place_of_the_older_and_the_same_told_again_is_fresh() -> None:
    warm = Warm()
    warm.saw_blockhash(HASH, 1_000, 0)
    warm.saw_blockhash(HASH, 1_000, 10 * SECOND)
    assert warm.blockhash(25 * SECOND).fetched_ns == 10 * SECOND
    warm.saw_blockhash(Hash.default(), 1_001, 11 * SECOND)
    assert warm.blockhash(26 * SECOND).blockhash == Hash.default()
    short = Warm()
    short.saw_blockhash(HASH, 19, 0)
    assert short.blockhash(0).blockhash == HASH, "no height is known yet"


def test_a_lagging_node_does_not_bring_an_old_blockhash_back() -> None:
    warm = Warm()
    warm.saw_blockhash(HASH, 1_000, 5)
    warm.saw_blockhash(Hash.default(), 999, 6)
    assert warm.blockhash(7).blockhash == HASH


def table_account(addresses: list[Pubkey]) -> bytes:
    head = (1).to_bytes(4, "little") + b"\xff" * 8 + bytes(8) + b"\0" + b"\0" + bytes(34)
    return head + b"".join(map(bytes, addresses))


@dataclass(frozen=True)
class Told:
    blockhash: Hash
    last_valid_block_height: int


@dataclass(frozen=True)
class Account:
    data: bytes


class Desk:
    """A node that answers from memory and counts what it is asked."""

    def __init__(self) -> None:
        self.asked = 0
        self.accounts = {key(100): Account(table_account([key(1), key(2)])), key(101): Account(b"else")}

    async def get_latest_blockhash(self) -> Told:
        self.asked += 1
        return Told(HASH, 150)

    async def get_account(self, address: Pubkey) -> Account | None:
        self.asked += 1
        return self.accounts.get(address)


def test_warmed_once_nothing_is_asked_between_decision_and_bytes() -> None:
    warm, node = Warm(), Desk()
    with pytest.raises(ColdError, match="was not read yet"):
        warm.tables([key(100)])
    asyncio.run(refresh(warm, node, 1))
    asyncio.run(read_tables(warm, node, [key(100)]))
    asked = node.asked
    tables = warm.tables([key(100)])
    assert [table.addresses for table in tables] == [[key(1), key(2)]]
    order = place_perp_order(VELOCITY, WHO, OrderParams(), [read(key(1))])
    template = OrderTemplate(VELOCITY, PLACE_PERP_ORDER, order, 1_000, tables)
    template.sign(KEY, warm.blockhash(2).raw, (OrderParams(),))
    assert node.asked == asked == 2


def test_what_is_no_lookup_table_is_said_to_be_none() -> None:
    warm, node = Warm(), Desk()
    with pytest.raises(DecodeError, match=f"{key(101)} is no lookup table"):
        asyncio.run(read_tables(warm, node, [key(101)]))
    with pytest.raises(ColdError, match="the chain has no lookup table"):
        asyncio.run(read_tables(warm, node, [key(102)]))


def test_metas_say_what_they_are() -> None:
    flags = [(meta.is_signer, meta.is_writable) for meta in (read(PROGRAM), write(PROGRAM), sign(PROGRAM))]
    assert flags == [(False, False), (False, True), (True, False)]
    assert sign(PROGRAM, writable=True) == AccountMeta(PROGRAM, is_signer=True, is_writable=True)
