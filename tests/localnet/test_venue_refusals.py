"""What the played venue does not do, or not now: each with the program's own number, and nothing changed."""

import pytest
from solders.instruction import Instruction
from venue_desk import E6, E9, VenueDesk, rewritten

from drift_engine.localnet.venue.listings import feed_of
from drift_engine.venues import addresses
from drift_engine.venues.instructions import fills, funds, orders, settling
from drift_engine.venues.instructions.trader import Trader
from drift_engine.venues.program import Program
from drift_engine.venues.programs import DRIFT_V2, VELOCITY
from drift_engine.venues.wire.oracle_accounts import PYTH_LAZER_ORACLE, PythLazerOracle
from drift_engine.venues.wire.order_enums import Direction, SuccessCondition
from drift_engine.venues.wire.order_params import OrderParams
from drift_engine.venues.wire.state import State

PROGRAMS = pytest.mark.parametrize("program", [DRIFT_V2, VELOCITY], ids=lambda program: program.name)


def long(price_e6: int, base_e9: int = E9, **more: int) -> OrderParams:
    return OrderParams(price=price_e6, base_asset_amount=base_e9, direction=Direction.LONG, **more)  # type: ignore[arg-type]


def take(desk: VenueDesk, who: Trader, params: OrderParams, condition: int | None = None) -> Instruction:
    return fills.place_and_take_perp_order(desk.program, who, params, condition, desk.rest(who, write_perps=[0]))


def test_what_velocity_has_closed() -> None:
    desk = VenueDesk(VELOCITY)
    key, who = desk.enrolled("alice")
    isolated = funds.deposit_into_isolated_perp_position(
        VELOCITY, who, 0, 0, E6, desk.wallet(who.authority, 0), remaining=desk.rest(who, write_spots=[0])
    )
    assert desk.refused(key, isolated) == 6357
    spot = Instruction(VELOCITY.program_id, orders.PLACE_SPOT_ORDER.head + bytes(64), [])
    assert desk.refused(key, spot) == 6350


@PROGRAMS
def test_a_call_that_is_not_played_says_so(program: Program) -> None:
    desk = VenueDesk(program)
    key, who = desk.enrolled("alice")
    unknown = Instruction(program.program_id, b"whatever", [])
    assert desk.refused(key, unknown) == 101
    known = orders.cancel_order(program, who, 1, desk.rest(who))
    assert desk.refused(key, Instruction(program.program_id, bytes(known.data)[:8], known.accounts)) == 102


@PROGRAMS
def test_oracles_and_markets_that_were_not_given(program: Program) -> None:
    desk = VenueDesk(program)
    key, who = desk.enrolled("alice")
    rest = desk.rest(who, read_perps=[0])
    for missing, code in ((desk.perp(0), 6078), (desk.spot(0), 6087)):
        left = [meta for meta in rest if meta.pubkey != missing.pubkey]
        assert desk.refused(key, orders.place_perp_order(program, who, long(140 * E6), left)) == code
    left = [meta for meta in rest if meta.pubkey != desk.perp(0).oracle]
    assert desk.refused(key, orders.place_perp_order(program, who, long(140 * E6), left)) == 6036


@PROGRAMS
def test_old_oracles_let_nothing_out_while_something_is_owed(program: Program) -> None:
    desk = VenueDesk(program)
    desk.set_price("SOL", 150 * E6)
    key, who = desk.enrolled("alice")
    desk.did(key, take(desk, who, long(160 * E6)))
    desk.chain.advance(300)
    address = desk.perp(0).oracle
    oracle = PythLazerOracle(bytearray(desk.account(address).data), PYTH_LAZER_ORACLE)
    oracle.posted_slot -= 200
    desk.chain.put(address, rewritten(desk.account(address), bytes(oracle.data)))
    assert desk.refused(key, desk.withdraw(who, 0, E6)) == 6035
    desk.set_price("SOL", 150 * E6)
    desk.did(key, desk.withdraw(who, 0, E6))


@PROGRAMS
def test_a_taker_may_insist(program: Program) -> None:
    desk = VenueDesk(program)
    desk.set_price("SOL", 150 * E6)
    key, who = desk.enrolled("alice")
    far = take(desk, who, long(120 * E6), SuccessCondition.PARTIAL_FILL)
    assert desk.refused(key, far) == 6289
    assert desk.user(who).perp_positions() == ()


@PROGRAMS
def test_nothing_moves_while_the_exchange_is_paused(program: Program) -> None:
    desk = VenueDesk(program)
    key, who = desk.enrolled("alice")
    account = desk.account(program.state)
    state = State(bytearray(account.data), program.layouts.state)
    state.exchange_status = 255
    desk.chain.put(program.state, rewritten(account, bytes(state.data)))
    settle = settling.settle_pnl(program, who, 0, who.authority, desk.rest(who, write_perps=[0], write_spots=[0]))
    place = orders.place_perp_order(program, who, long(140 * E6), desk.rest(who, read_perps=[0]))
    for call in (desk.deposit(who, 0, 1), desk.withdraw(who, 0, 1), settle, place):
        assert desk.refused(key, call) == 6024


@PROGRAMS
@pytest.mark.parametrize("spoilt", ["price", "exponent", "bytes"])
def test_a_chain_goes_on_with_an_oracle_that_nobody_posts(program: Program, spoilt: str) -> None:
    desk = VenueDesk(program)
    address = addresses.pyth_lazer_oracle(program.program_id, feed_of("SOL"))
    oracle = PythLazerOracle(bytearray(desk.account(address).data), PYTH_LAZER_ORACLE)
    if spoilt == "bytes":
        oracle.data[:] = bytes(len(oracle.data))  # type: ignore[index]
    elif spoilt == "exponent":
        oracle.exponent = 3
    else:
        oracle.price = 0
    desk.chain.put(address, rewritten(desk.account(address), bytes(oracle.data)))
    slot = desk.chain.bank.slot
    for _ in range(3):
        desk.chain.advance()
    assert desk.chain.bank.slot == slot + 3
