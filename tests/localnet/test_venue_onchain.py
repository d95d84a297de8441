"""Our venue against the real Drift v2 program: the same instructions, the same accounts, the same refusals."""

import pytest
from parity_desk import E6, Pair
from solders.instruction import Instruction
from solders.keypair import Keypair
from venue_desk import E9, VenueDesk

from drift_engine.venues.instructions import accounts, funds, orders
from drift_engine.venues.instructions.trader import Trader, trader
from drift_engine.venues.programs import DRIFT_V2
from drift_engine.venues.wire.order_enums import Direction, PostOnly
from drift_engine.venues.wire.order_params import OrderParams

pytestmark = pytest.mark.onchain


def enrolled(pair: Pair, name: str, deposit_e6: int = 10_000 * E6) -> tuple[Keypair, Trader]:
    key, who = pair.person(name)
    opening = [accounts.initialize_user_stats(DRIFT_V2, who), accounts.initialize_user(DRIFT_V2, who, name)]
    pair.did(key, who, lambda _: opening)
    pair.did(key, who, lambda desk: [desk.deposit(who, 0, deposit_e6)])
    return key, who


def test_money_moves_as_on_the_real_program() -> None:
    pair = Pair()
    key, who = enrolled(pair, "alice")
    pair.advance(10)
    pair.did(key, who, lambda desk: [desk.deposit(who, 1, 5 * E9)])
    pair.advance(3, SOL=151 * E6)
    pair.did(key, who, lambda desk: [desk.withdraw(who, 0, 1_234_567)])
    pair.advance(3)
    pair.did(key, who, lambda desk: [desk.withdraw(who, 1, 9 * E9)])
    pair.advance(3_000)
    pair.did(key, who, lambda desk: [desk.deposit(who, 1, E9)])
    pair.did(key, who, lambda desk: [desk.deposit(who, 1, 9 * E9, reduce_only=True)])
    second = trader(DRIFT_V2, who.authority, 1)
    pair.did(key, who, lambda _: [accounts.initialize_user(DRIFT_V2, second, "two")])
    moved = 4_000 * E6
    pair.did(key, who, lambda desk: [
        funds.transfer_deposit(DRIFT_V2, who, second, 0, moved, desk.rest(who, write_spots=[0]))])  # fmt: skip
