"""Accounts overwritten from outside, as a test of something else may do: the chain goes on, and so does the venue."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from solders.account import Account
from solders.pubkey import Pubkey
from venue_desk import E6, E9, VenueDesk

from drift_engine.localnet.venue import world
from drift_engine.localnet.venue.path import Prices
from drift_engine.venues import addresses
from drift_engine.venues.instructions import orders
from drift_engine.venues.program import Program
from drift_engine.venues.programs import DRIFT_V2, VELOCITY
from drift_engine.venues.wire.order_enums import Direction
from drift_engine.venues.wire.order_params import OrderParams

PROGRAMS = pytest.mark.parametrize("program", [DRIFT_V2, VELOCITY], ids=lambda program: program.name)


class Steady:
    """The prices that it all began with, so that each slot moves every market."""

    def at(self, asset: str, unix_s: int) -> Prices | None:
        del unix_s
        return world.PRICES_E6[asset], world.PRICES_E6[asset]


def desk_of(program: Program) -> tuple[VenueDesk, list[Pubkey]]:
    """Return a venue where somebody has an open order, and the accounts that its slots read."""
    desk = VenueDesk(program, path=Steady())
    key, who = desk.enrolled("alice")
    params = OrderParams(price=100 * E6, base_asset_amount=E9, direction=Direction.LONG)
    desk.did(key, orders.place_perp_order(program, who, params, desk.rest(who, read_perps=[0])))
    program_id = program.program_id
    oracle = desk.perp(0).oracle
    return desk, [program.state, addresses.perp_market(program_id, 0), who.user, desk.spot(0).pubkey, oracle]


@PROGRAMS
@pytest.mark.parametrize("at", range(5), ids=["State", "perp market", "user", "spot market", "oracle"])
@pytest.mark.parametrize("bytes_left", [0, 8, 20, None])
def test_slots_open_and_the_other_markets_move(program: Program, at: int, bytes_left: int | None) -> None:
    desk, read = desk_of(program)
    bank, before = desk.chain.bank, desk.chain.bank.get(read[at])
    assert before is not None
    data = bytes(before.data)[:bytes_left] if bytes_left is not None else bytes(before.data)[:8] + bytes(3_000)
    bank.put(read[at], Account(before.lamports, data, before.owner))
    desk.chain.advance(2)
    assert bytes(bank.get(read[at]).data) == data, "what nobody can read is left as it is"  # type: ignore[union-attr]
    bank.put(read[at], before)
    desk.chain.advance(3)
    for index in (0, 1):
        assert desk.perp(index).last_update_slot == desk.chain.slot


@settings(max_examples=60)
@given(at=st.integers(0, 4), place=st.integers(0, 4_000), noise=st.binary(min_size=1, max_size=400))
def test_any_bytes_are_lived_with(at: int, place: int, noise: bytes) -> None:
    desk, read = desk_of(VELOCITY)
    before = desk.chain.bank.get(read[at])
    assert before is not None
    data = bytearray(before.data)
    start = place % len(data)
    data[start : start + len(noise)] = noise
    desk.chain.bank.put(read[at], Account(before.lamports, bytes(data), before.owner))
    desk.chain.advance(3)
