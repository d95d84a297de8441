"""What each instruction needs behind its own accounts, as the program's handlers take it."""

import pytest
from market_desk import DIRECTORY, QUOTE, key, perp, said, spot, user
from solders.pubkey import Pubkey

from drift_engine.venues import addresses
from drift_engine.venues.directory import Directory
from drift_engine.venues.drift_v2.program import DRIFT_V2
from drift_engine.venues.errors import EncodeError
from drift_engine.venues.instructions import needs
from drift_engine.venues.instructions.tokens import TOKEN_2022
from drift_engine.venues.instructions.trader import trader
from drift_engine.venues.program import Program
from drift_engine.venues.velocity.program import VELOCITY
from drift_engine.venues.wire.order_params import OrderParams, ScaleOrderParams, SignedMessage
from drift_engine.venues.wire.user import PerpPosition, SpotPosition, User

PROGRAMS = pytest.mark.parametrize("program", [DRIFT_V2, VELOCITY], ids=lambda program: program.name)
MODE = Pubkey.find_program_address([b"high_leverage_mode_config"], DRIFT_V2.program_id)[0]


def holding(program: Program, perp_index: int, authority: int = 1) -> User:
    held = user(program, perps=[PerpPosition(base_asset_amount=1, market_index=perp_index)])
    held.authority = key(9, authority)
    return held


def maps(perps: dict[int, bool], spots: dict[int, bool]) -> set[tuple[Pubkey, bool]]:
    """Oracles of these markets, the markets with whether they are written, and the quote market."""
    oracles = {(key(1, index), False) for index in perps} | {(key(1, 100 + index), False) for index in spots if index}
    written = {(key(3, index), flag) for index, flag in perps.items()}
    return oracles | written | {(key(2, index), flag) for index, flag in ({0: False} | spots).items()}


@PROGRAMS
def test_placing_reads_what_is_ordered(program: Program) -> None:
    orders = [OrderParams(market_index=2), OrderParams(market_index=3, market_type=0)]
    metas = needs.for_orders(program, DIRECTORY, holding(program, 1), orders)
    assert set(said(metas)) == maps({1: False, 2: False}, {3: False})
    assert set(said(needs.for_orders(program, DIRECTORY, None, [ScaleOrderParams(market_index=5)]))) == maps(
        {5: False}, {}
    )


def test_placing_with_a_builder_code_brings_the_escrow() -> None:
    metas = needs.for_orders(VELOCITY, DIRECTORY, holding(VELOCITY, 1), [OrderParams(market_index=1, builder_idx=0)])
    assert said(metas)[-1] == (addresses.revenue_share_escrow(VELOCITY.program_id, key(9, 1)), True)


def test_entering_high_leverage_mode_brings_its_account() -> None:
    metas = needs.for_orders(DRIFT_V2, DIRECTORY, holding(DRIFT_V2, 1), [OrderParams(bit_flags=2)])
    assert said(metas)[-1] == (MODE, True)
    with pytest.raises(EncodeError, match="no high-leverage mode"):
        needs.for_orders(VELOCITY, DIRECTORY, holding(VELOCITY, 1), [OrderParams(bit_flags=2)])


@PROGRAMS
def test_taking_and_filling_write_the_market_and_bring_the_makers(program: Program) -> None:
    us, other, third = holding(program, 1), holding(program, 2), trader(program, key(9, 3))
    maker = trader(program, key(9, 2))
    tail = [(k, True) for t in (maker, third) for k in (t.user, t.user_stats)]
    escrow = [(addresses.revenue_share_escrow(program.program_id, key(9, 1)), True)]
    order = OrderParams(market_index=4)
    taking = needs.for_taking(program, DIRECTORY, us, order, [(maker, other)], third, escrowed=True)
    filling = needs.for_filling(program, DIRECTORY, us, 4, [(maker, other)], third, escrowed=True)
    assert said(taking) == said(filling)
    assert said(taking)[-5:] == tail + escrow
    assert set(said(taking)[:-5]) == maps({1: False, 2: False, 4: True}, {})
    assert said(needs.for_taking(program, DIRECTORY, us, order))[-1] == (key(3, 4), True)
    making = needs.for_making(program, DIRECTORY, other, order, us, third, escrowed=True)
    assert set(said(making)[:-3]) == maps({1: False, 2: False, 4: True}, {})
    assert said(making)[-3:] == tail[2:] + escrow


@PROGRAMS
def test_what_is_written(program: Program) -> None:
    us = holding(program, 1)
    read = {1: False}
    for metas, perps, spots in (
        (needs.for_changes(DIRECTORY, us, perps=[2], spots=[3]), {**read, 2: False}, {3: False}),
        (needs.for_triggering(DIRECTORY, us, 1, 2), {**read, 2: True}, {}),
        (needs.for_triggering(DIRECTORY, us, 0, 2), read, {0: True, 2: True}),
        (needs.for_force_cancelling(DIRECTORY, us), read, {0: True}),
        (needs.for_moving(DIRECTORY, us, 4), read, {4: True}),
        (needs.for_moving(DIRECTORY, None, 0), {}, {0: True}),
        (needs.for_isolated(DIRECTORY, None, 6), {6: False}, {0: True}),
        (needs.for_swap(DIRECTORY, us, 0, 1), read, {0: True, 1: True}),
        (needs.for_settling(DIRECTORY, us, [1, 2]), {1: True, 2: True}, {0: True}),
        (needs.for_funding(DIRECTORY, us), {1: True}, {}),
        (needs.for_liquidating(DIRECTORY, us, holding(program, 5), perps=[5]), {**read, 5: True}, {}),
        (needs.for_liquidating(DIRECTORY, us, us, spots=[2, 3]), read, {2: True, 3: True}),
    ):
        assert set(said(metas)) == maps(perps, spots)


def test_early_builds_want_the_markets_that_free_slots_name() -> None:
    us = user(DRIFT_V2, perps=[PerpPosition(base_asset_amount=1, market_index=1), PerpPosition(market_index=2)])
    assert set(said(needs.for_funding(DIRECTORY, us))) == maps({1: True}, {})
    assert set(said(needs.for_funding(DIRECTORY, us, free_slots=True))) == maps({0: True, 1: True, 2: True}, {})


def test_liquidating_with_a_fill_brings_the_makers() -> None:
    maker = trader(VELOCITY, key(9, 2))
    us, victim, held = (holding(VELOCITY, index) for index in (1, 2, 3))
    metas = needs.for_liquidating(DIRECTORY, us, victim, perps=[2], makers=[(maker, held)])
    assert said(metas)[-2:] == [(maker.user, True), (maker.user_stats, True)]
    assert set(said(metas)[:-2]) == maps({1: False, 2: True, 3: False}, {})


def test_signed_messages() -> None:
    us = holding(VELOCITY, 1)
    order = OrderParams(market_index=2)
    plain = SignedMessage(order, slot=1, uuid=bytes(8))
    full = SignedMessage(
        order, slot=1, uuid=bytes(8), builder_idx=0, builder_fee_tenth_bps=0, isolated_position_deposit=5
    )
    assert set(said(needs.for_signed_message(VELOCITY, DIRECTORY, us, plain))) == maps({1: False, 2: False}, {})
    metas = said(needs.for_signed_message(VELOCITY, DIRECTORY, us, full))
    assert metas[-1] == (addresses.revenue_share_escrow(VELOCITY.program_id, key(9, 1)), True)
    assert set(metas[:-1]) == maps({1: False, 2: False}, {0: True})


def test_swaps_between_token_programs() -> None:
    directory = Directory("velocity", [perp(1)], [QUOTE, spot(1, token=TOKEN_2022)])
    held = user(VELOCITY, [SpotPosition(scaled_balance=1)])
    metas = said(needs.for_swap(directory, held, 0, 1))
    assert metas[-3:] == [(TOKEN_2022, False), (key(4, 0), False), (key(4, 1), False)]
    assert said(needs.for_moving(directory, held, 1))[-1] == (key(4, 1), False)
