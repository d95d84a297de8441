"""Remaining accounts: which markets, in which order, writable where, once each."""

import base64
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from market_desk import DIRECTORY, NO_ORACLE, QUOTE, key, perp, said, spot, user
from msgspec.structs import replace
from solders.pubkey import Pubkey
from solders.token import ID as TOKEN

from drift_engine.venues import addresses
from drift_engine.venues.directory import Directory
from drift_engine.venues.drift_v2.program import DRIFT_V2
from drift_engine.venues.errors import EncodeError
from drift_engine.venues.instructions.remaining import (
    high_leverage_mode,
    makers_and_referrer,
    remaining_accounts,
    token_2022_mints,
)
from drift_engine.venues.instructions.settling import update_amms
from drift_engine.venues.instructions.tokens import TOKEN_2022
from drift_engine.venues.instructions.trader import trader
from drift_engine.venues.program import Program
from drift_engine.venues.velocity.program import VELOCITY
from drift_engine.venues.wire.accounts import blank, decode, decode_as
from drift_engine.venues.wire.perp_market import PerpMarket
from drift_engine.venues.wire.spot_market import SpotMarket
from drift_engine.venues.wire.user import ORDER_OPEN, Order, PerpPosition, SpotPosition, User

PROGRAMS = pytest.mark.parametrize("program", [DRIFT_V2, VELOCITY], ids=lambda program: program.name)


@PROGRAMS
def test_order_and_flags(program: Program) -> None:
    held = user(
        program,
        [SpotPosition(scaled_balance=1, market_index=1), SpotPosition(open_orders=1, market_index=2)],
        [PerpPosition(base_asset_amount=-5, market_index=4), PerpPosition(open_orders=1, market_index=2)],
    )
    metas = remaining_accounts(DIRECTORY, [held], write_perps=[2], write_spots=[0])
    assert said(metas) == [
        *((key(1, index), False) for index in (101, 102, 4, 2)),
        *((key(2, index), index == 0) for index in (1, 2, 0)),
        *((key(3, index), index == 2) for index in (4, 2)),
    ]


@PROGRAMS
def test_a_fresh_account_has_the_quote_market_and_what_is_traded(program: Program) -> None:
    metas = remaining_accounts(DIRECTORY, [user(program)], read_perps=["P3"], read_spots=[1])
    assert said(metas) == [
        (key(1, 3), False), (key(1, 101), False), (key(2, 0), False), (key(2, 1), False), (key(3, 3), False)
    ]  # fmt: skip
    assert said(remaining_accounts(DIRECTORY)) == [(key(2, 0), False)]


@PROGRAMS
def test_open_orders_bring_their_markets(program: Program) -> None:
    orders = [
        Order(status=ORDER_OPEN, market_type=1, market_index=5),
        Order(status=ORDER_OPEN, market_type=0, market_index=6),
        Order(status=2, market_type=1, market_index=7),
    ]
    keys = [meta.pubkey for meta in remaining_accounts(DIRECTORY, [user(program, orders=orders)])]
    assert keys == [key(1, 5), key(1, 106), key(2, 0), key(2, 6), key(3, 5)]


def test_writable_stays_writable_and_prelaunch_oracles_are_written() -> None:
    directory = Directory("velocity", [perp(0, source=6), perp(1, oracle=key(1, 0))], [QUOTE])
    metas = remaining_accounts(directory, write_perps=[0, 1], write_spots=[0], read_perps=[0])
    assert said(metas) == [(key(1, 0), True), (key(2, 0), True), (key(3, 0), True), (key(3, 1), True)]
    assert said(remaining_accounts(directory, read_perps=[0]))[0] == (key(1, 0), False)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_never_twice_always_in_groups(data: st.DataObject) -> None:
    program = data.draw(st.sampled_from([DRIFT_V2, VELOCITY]))
    indexes = st.integers(0, 7)
    some = st.lists(indexes, max_size=4)
    users = [
        user(
            program,
            [SpotPosition(scaled_balance=1, market_index=i) for i in data.draw(st.lists(indexes, max_size=8))],
            [PerpPosition(quote_asset_amount=1, market_index=i) for i in data.draw(st.lists(indexes, max_size=8))],
        )
        for _ in range(data.draw(st.integers(0, 3)))
    ]
    wanted = {name: data.draw(some) for name in ("read_perps", "read_spots", "write_perps", "write_spots")}
    metas = remaining_accounts(DIRECTORY, users, **wanted)
    keys = [meta.pubkey for meta in metas]
    kinds = [bytes(each)[0] for each in keys]
    assert len(set(keys)) == len(keys)
    assert kinds == sorted(kinds)
    perps = {p.market_index for u in users for p in u.perp_positions()} | {
        *wanted["read_perps"],
        *wanted["write_perps"],
    }
    spots = {s.market_index for u in users for s in u.spot_positions()} | {
        *wanted["read_spots"],
        *wanted["write_spots"],
    }
    assert {bytes(each)[1] for each in keys if bytes(each)[0] == 3} == perps
    assert {bytes(each)[1] for each in keys if bytes(each)[0] == 2} == spots | {0}
    assert {bytes(each)[1] for each in keys if bytes(each)[0] == 1} == perps | {100 + each for each in spots if each}
    writable = {meta.pubkey for meta in metas if meta.is_writable}
    assert writable == {key(3, i) for i in wanted["write_perps"]} | {key(2, i) for i in wanted["write_spots"]}


def test_unknown_markets_and_missing_oracles_are_refused() -> None:
    holding = user(VELOCITY, perps=[PerpPosition(base_asset_amount=1, market_index=40)])
    with pytest.raises(EncodeError, match=r"unknown drift_v2 perp market 40; known are 0 P0, 1 P1"):
        remaining_accounts(DIRECTORY, [holding])
    with pytest.raises(EncodeError, match="unknown velocity spot market 0; known are none"):
        remaining_accounts(Directory("velocity"))
    with pytest.raises(EncodeError, match="unknown drift_v2 perp market 'DOGE-PERP'"):
        remaining_accounts(DIRECTORY, read_perps=["DOGE-PERP"])
    bare = Directory("velocity", [perp(0, NO_ORACLE)], [QUOTE, replace(spot(1), oracle=NO_ORACLE)])
    with pytest.raises(EncodeError, match=r"P0 \(perp market 0\) has no oracle"):
        remaining_accounts(bare, read_perps=[0])
    with pytest.raises(EncodeError, match=r"S1 \(spot market 1\) has no oracle"):
        remaining_accounts(bare, write_spots=[1])
    with pytest.raises(EncodeError, match="wrong mint"):
        DIRECTORY.check_mint(1, key(4, 2))
    assert DIRECTORY.check_mint("S1", key(4, 1)).index == 1


def test_makers_and_referrers_stand_once() -> None:
    first, second = (trader(VELOCITY, key(9, tag)) for tag in (1, 2))
    metas = makers_and_referrer([first, second, first], referrer=second)
    assert said(metas) == [(k, True) for t in (first, second) for k in (t.user, t.user_stats)]
    assert makers_and_referrer() == []


def test_amms_take_oracles_then_markets_and_no_spot_market() -> None:
    signer = key(9, 9)
    built = update_amms(VELOCITY, [perp(1), perp(0), perp(2, oracle=key(1, 1))], signer)
    assert said(built.accounts[2:]) == [
        (key(1, 1), False), (key(1, 0), False), (key(3, 1), True), (key(3, 0), True), (key(3, 2), True)
    ]  # fmt: skip


def test_no_more_than_five_amms() -> None:
    with pytest.raises(EncodeError, match="6 AMMs at once; the program updates 5"):
        update_amms(VELOCITY, [perp(index) for index in range(6)], key(9, 9))


def test_mints_stand_behind_the_maps_for_token_2022_only() -> None:
    directory = Directory("velocity", [], [QUOTE, spot(1, token=TOKEN_2022)])
    assert token_2022_mints(directory, 0) == []
    assert [meta.pubkey for meta in token_2022_mints(directory, 0, 1)] == [key(4, 0), key(4, 1)]


def test_high_leverage_mode_is_drifts() -> None:
    (config,) = high_leverage_mode(DRIFT_V2)
    expected, _ = Pubkey.find_program_address([b"high_leverage_mode_config"], DRIFT_V2.program_id)
    assert (config.pubkey, config.is_writable) == (expected, True)
    with pytest.raises(EncodeError, match="velocity has no high-leverage mode"):
        high_leverage_mode(VELOCITY)


@PROGRAMS
def test_terms_are_what_the_accounts_say(program: Program) -> None:
    market = blank(program, SpotMarket)
    market.market_index, market.name, market.mint, market.decimals, market.order_step_size = (
        3,
        "wETH",
        key(4, 3),
        8,
        100,
    )
    directory = Directory(program.name)
    directory.read(market)
    assert directory.spot("wETH").token_program == TOKEN
    market.token_program_flag = 3
    directory.read(market)
    terms = directory.spot(3)
    assert (terms.token_program, terms.mint, terms.decimals, terms.step) == (TOKEN_2022, key(4, 3), 8, 100)


def test_captured_accounts(shared: Path) -> None:
    """Every market of a real account stands there once; nothing else does but the quote market."""
    directory = Directory("drift_v2", [perp(i) for i in range(100)], [QUOTE, *(spot(i) for i in range(1, 100))])
    lines = (shared / "fixtures" / "User.jsonl").read_text().splitlines()
    perps = spots = 0
    for line in lines:
        view = decode_as(User, DRIFT_V2.program_id, base64.b64decode(json.loads(line)["data"]))
        kinds = [bytes(meta.pubkey)[:2] for meta in remaining_accounts(directory, [view])]
        held = {p.market_index for p in view.perp_positions()}
        lent = {s.market_index for s in view.spot_positions()} | {0}
        assert {each[1] for each in kinds if each[0] == 3} == held
        assert {each[1] for each in kinds if each[0] == 2} == lent
        assert len(kinds) == len(set(kinds)) == 2 * len(held) + 2 * len(lent) - 1
        perps, spots = perps + len(held), spots + len(lent)
    assert perps > 10
    assert spots > 50


def test_a_captured_portfolio_with_its_captured_markets(shared: Path) -> None:
    """Drift's own margin test captured just the accounts that its program asked for: they are what we come to."""
    directory, users, oracles = Directory("drift_v2"), [], set()
    for path in (shared / "fixtures" / "margin_swift_failure").glob("[PSU]*.json"):
        captured = json.loads(path.read_text())
        data = base64.b64decode(captured["account"]["data"][0])
        if path.name.startswith("User"):
            users.append(decode_as(User, DRIFT_V2.program_id, data))
        elif "Market" in path.name:
            directory.read(decode_market(data))
        else:
            oracles.add(captured["pubkey"])
    metas = remaining_accounts(directory, users, write_perps=["BTC-PERP"])
    btc, jup = directory.perp("BTC-PERP"), directory.perp("JUP-PERP")
    spots = {addresses.spot_market(DRIFT_V2.program_id, index) for index in (0, 1, 3, 4)}
    assert (btc.address, btc.step_e9) == (addresses.perp_market(DRIFT_V2.program_id, 1), 10**5)
    assert {str(meta.pubkey) for meta in metas[:6]} == oracles
    assert {meta.pubkey for meta in metas[6:10]} == spots
    assert said(metas[10:]) == [(btc.address, True), (jup.address, False)]


def decode_market(data: bytes) -> PerpMarket | SpotMarket:
    market = decode(DRIFT_V2.program_id, data)
    assert isinstance(market, PerpMarket | SpotMarket)
    return market
