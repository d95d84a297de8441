"""A swap between two calls of the program: what is lent, what comes back, what is refused."""

import pytest
from swap_desk import Swapper, refusals
from venue_desk import E6, E9, VenueDesk

from drift_engine.venues.instructions import accounts
from drift_engine.venues.program import Program
from drift_engine.venues.programs import DRIFT_V2, VELOCITY
from drift_engine.venues.wire.events.users import SwapRecord

PRICE_E6 = 100 * E6


@pytest.fixture(params=[DRIFT_V2, VELOCITY], ids=lambda program: program.name)
def desk(request: pytest.FixtureRequest) -> VenueDesk:
    program: Program = request.param
    made = VenueDesk(program)
    made.set_price("SOL", PRICE_E6)
    return made


def swapper(desk: VenueDesk, name: str, deposit_e6: int = 10_000 * E6) -> Swapper:
    key, who = desk.enrolled(name, deposit_e6)
    desk.did(key, desk.deposit(who, 1, 50 * E9))
    return Swapper(desk, key, who)


def test_what_was_swapped_is_booked_and_the_rest_goes_back(desk: VenueDesk) -> None:
    at = swapper(desk, "swapper")
    vaults, wallets = [desk.vault(0), desk.vault(1)], [desk.tokens(desk.wallet(at.who.authority, i)) for i in (0, 1)]
    before = at.held(0), at.held(1)
    events = desk.did(at.key, *at.swap(1_000 * E6, 10 * E9, lent=1_500 * E6, limit=9_900))
    swapped = next(event for event in events if isinstance(event, SwapRecord))
    assert (swapped.amount_in, swapped.amount_out, swapped.fee) == (1_000 * E6, 10 * E9, 0)
    assert (swapped.in_oracle_price, swapped.out_oracle_price) == (E6, PRICE_E6)
    assert at.held(0) == pytest.approx(before[0] - 1_000 * E6, abs=1)
    assert at.held(1) == pytest.approx(before[1] + 10 * E9, abs=1)
    assert [desk.vault(0), desk.vault(1)] == [vaults[0] - 1_000 * E6, vaults[1] + 10 * E9]
    assert [desk.tokens(desk.wallet(at.who.authority, i)) for i in (0, 1)] == wallets
    for index in (0, 1):
        market = desk.spot(index)
        assert market.flash_loan_amount == market.flash_loan_initial_token_amount == 0


def test_more_than_is_held_is_borrowed_by_margin(desk: VenueDesk) -> None:
    at = swapper(desk, "borrower", 100 * E6)
    swapper(desk, "lender", 90_000 * E6)
    deal = at.swap(1_000 * E6, 10 * E9)
    assert desk.refused(at.key, *deal) == 6157
    rest = desk.rest(at.who)
    desk.did(at.key, accounts.update_user_margin_trading_enabled(desk.program, at.who, enabled=True, remaining=rest))
    desk.chain.advance()
    desk.did(at.key, *deal)
    assert at.held(0) < 0 < at.held(1)


def test_a_swap_that_is_not_one_is_refused_and_nothing_is_left_of_it(desk: VenueDesk) -> None:
    at = swapper(desk, "careless")
    keys = [at.who.user, desk.spot(0).pubkey, desk.spot(1).pubkey, desk.spot(0).vault, desk.wallet(at.who.authority, 0)]
    before = [desk.account(key) for key in keys]
    for what, instructions in refusals(at):
        assert (what, desk.refused(at.key, *instructions)) == (what, 6248)
        assert [desk.account(key) for key in keys] == before, what


def test_a_bad_price_is_refused(desk: VenueDesk) -> None:
    at = swapper(desk, "cheated")
    assert desk.refused(at.key, *at.swap(1_000 * E6, 10 * E9, limit=10_001)) == 6249
    assert desk.refused(at.key, *at.swap(1_000 * E6, 3 * E9)) == 6023
