"""Sub-accounts and money on the played venue: opened, paid in, paid out, refused, closed; read back by the codec."""

import pytest
from solders.instruction import Instruction
from venue_desk import E6, VenueDesk

from drift_engine.localnet.tokens import TOKEN_PROGRAM
from drift_engine.venues.instructions import accounts, funds
from drift_engine.venues.instructions.trader import Trader, trader
from drift_engine.venues.program import Program
from drift_engine.venues.programs import DRIFT_V2, VELOCITY
from drift_engine.venues.wire.events.markets import SpotInterestRecord
from drift_engine.venues.wire.events.users import DepositRecord, NewUserRecord

PROGRAMS = pytest.mark.parametrize("program", [VELOCITY, DRIFT_V2], ids=lambda program: program.name)


@PROGRAMS
def test_an_account_is_opened_funded_and_closed(program: Program) -> None:
    desk = VenueDesk(program)
    key, who = desk.person("alice")
    opened = desk.did(key, accounts.initialize_user_stats(program, who), accounts.initialize_user(program, who, "main"))
    assert isinstance(opened[0], NewUserRecord)
    assert (opened[0].user, opened[0].user_authority, opened[0].sub_account_id) == (who.user, who.authority, 0)
    user = desk.user(who)
    assert (user.authority, user.name, user.next_order_id, user.sub_account_id) == (who.authority, "main", 1, 0)
    assert desk.state().number_of_sub_accounts == desk.stats(who).number_of_sub_accounts == 1

    before = desk.vault(0)
    (paid,) = (each for each in desk.did(key, desk.deposit(who, 0, 500 * E6)) if isinstance(each, DepositRecord))
    assert (paid.amount, paid.direction, paid.user_token_amount_after) == (500 * E6, 0, 500 * E6)
    assert desk.vault(0) == before + 500 * E6
    assert desk.user(who).spot_positions()[0].scaled_balance == 500 * 10**9
    assert desk.user(who).total_deposits == 500 * E6

    assert desk.refused(key, accounts.delete_user(program, who)) == 6152
    desk.did(key, desk.withdraw(who, 0, 500 * E6))
    assert desk.tokens(desk.wallet(who.authority, 0)) == 100_000 * E6
    assert desk.user(who).spot_positions() == ()
    desk.did(key, accounts.delete_user(program, who))
    assert desk.chain.bank.get(who.user) is None
    assert desk.state().number_of_sub_accounts == desk.stats(who).number_of_sub_accounts == 0


@PROGRAMS
def test_the_program_refuses_by_its_numbers(program: Program) -> None:
    desk = VenueDesk(program)
    key, who = desk.enrolled("bob")
    other, stranger = desk.enrolled("carol")
    assert desk.refused(key, desk.deposit(who, 0, 0)) == 6002
    assert desk.refused(key, desk.withdraw(who, 0, 10_001 * E6)) == 6003
    wrong = funds.deposit(program, who, 0, 1, desk.wallet(who.authority, 0))
    assert desk.refused(key, wrong) == 6087
    spot = [meta for meta in desk.rest(write_spots=[0]) if meta.pubkey == desk.spot(0).pubkey]
    assert desk.refused(key, funds.deposit(program, who, 0, 1, desk.wallet(who.authority, 0), remaining=spot)) == 6036
    read_only = desk.rest(read_spots=[0])
    assert (
        desk.refused(key, funds.deposit(program, who, 0, 1, desk.wallet(who.authority, 0), remaining=read_only)) == 6090
    )
    assert desk.refused(other, _withdrawal(desk, who, stranger)) == 2001
    assert desk.refused(key, accounts.initialize_user(program, trader(program, who.authority, 3))) == 6214


@PROGRAMS
def test_a_delegate_may_not_withdraw(program: Program) -> None:
    desk = VenueDesk(program)
    key, who = desk.enrolled("dave")
    delegate, as_delegate = desk.person("erin")
    desk.did(key, accounts.update_user_delegate(program, who, delegate.pubkey()))
    assert desk.user(who).delegate == delegate.pubkey()
    assert desk.refused(delegate, _withdrawal(desk, who, as_delegate)) == 2001
    assert desk.refused(delegate, accounts.UPDATE_USER_DELEGATE.build(
        program, (who.user, delegate.pubkey()), (0, delegate.pubkey()))) == 2006  # fmt: skip


@PROGRAMS
def test_a_deposit_moves_between_sub_accounts(program: Program) -> None:
    desk = VenueDesk(program)
    key, who = desk.enrolled("frank")
    second = trader(program, who.authority, 1)
    desk.did(key, accounts.initialize_user(program, second, "two"))
    rest = desk.rest(who, write_spots=[0])
    desk.did(key, funds.transfer_deposit(program, who, second, 0, 4_000 * E6, rest))
    assert [desk.user(each).spot_positions()[0].scaled_balance for each in (who, second)] == [
        6_000 * 10**9 - 1,
        4_000 * 10**9,
    ]
    assert desk.refused(key, funds.transfer_deposit(program, who, second, 0, 9_000 * E6, rest)) == 6003
    same = funds.TRANSFER_DEPOSIT.build(
        program, (who.user, who.user, who.user_stats, who.authority, program.state, desk.spot(0).vault), (0, 1), rest
    )
    assert desk.refused(key, same) == 6217


@PROGRAMS
def test_borrowing_costs_interest_which_lenders_get(program: Program) -> None:
    desk = VenueDesk(program, slot_ms=3_600_000)
    key, who = desk.enrolled("heidi", 90_000 * E6)
    desk.did(key, desk.withdraw(who, 1, 200 * 10**9))
    assert desk.user(who).spot_positions()[1].balance_type == 1
    before = desk.spot(1)
    desk.chain.advance(24)
    accrued = desk.did(key, desk.deposit(who, 1, 1))
    after = desk.spot(1)
    assert after.cumulative_borrow_interest > before.cumulative_borrow_interest
    assert after.cumulative_deposit_interest > before.cumulative_deposit_interest
    assert isinstance(accrued[0], SpotInterestRecord)
    desk.did(key, desk.deposit(who, 1, 201 * 10**9, reduce_only=True))
    held = desk.user(who).spot_slots()[1]
    assert (held.scaled_balance, held.balance_type) == (0, 1)


def _withdrawal(desk: VenueDesk, owner: Trader, taker: Trader) -> Instruction:
    """Return a withdrawal of the owner's tokens that somebody else signs."""
    wallet, vault = desk.wallet(taker.authority, 0), desk.spot(0).vault
    state, signer = desk.program.state, desk.program.signer
    keys = (state, owner.user, owner.user_stats, taker.authority, vault, signer, wallet, TOKEN_PROGRAM)
    return funds.WITHDRAW.build(desk.program, keys, (0, 5, False), desk.rest(owner, write_spots=[0]))
