"""Our venue against the real Drift v2 program: the same instructions, the same accounts, the same refusals."""

from collections.abc import Callable
from functools import partial

import pytest
from parity_desk import BOOKED, E6, Pair
from solders.instruction import Instruction
from solders.keypair import Keypair
from swap_desk import Swapper, refusals
from venue_desk import E9, VenueDesk

from drift_engine.localnet.venue import filling
from drift_engine.venues.instructions import accounts, fills, funds, orders, settling
from drift_engine.venues.instructions.trader import Trader, trader
from drift_engine.venues.programs import DRIFT_V2
from drift_engine.venues.wire.events.trading import OrderActionRecord
from drift_engine.venues.wire.order_enums import Direction, OrderType, PostOnly, SettleMode
from drift_engine.venues.wire.order_params import ModifyOrderParams, OrderParams

pytestmark = pytest.mark.onchain
ACTIVE = ("user.last_active_slot",)
"""Settling was an activity of the user then."""
REMEMBERED = ("spot0.historical_oracle_data",)
"""A minute was counted from the oracle's last update then, not from the market's."""


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


def limit(price_e6: int, base_e9: int = E9, direction: int = Direction.LONG, **more: object) -> OrderParams:
    return OrderParams(price=price_e6, base_asset_amount=base_e9, direction=direction, **more)  # type: ignore[arg-type]


def placing(desk: VenueDesk, who: Trader, *params: OrderParams) -> list[Instruction]:
    rest = desk.rest(who, read_perps=sorted({each.market_index for each in params}))
    if len(params) == 1:
        return [orders.place_perp_order(DRIFT_V2, who, params[0], rest)]
    return [orders.place_orders(DRIFT_V2, who, params, rest)]


def test_orders_lie_as_on_the_real_program() -> None:
    pair = Pair()
    key, who = enrolled(pair, "bob")
    pair.advance(2)
    pair.did(key, who, lambda desk: placing(desk, who, limit(140 * E6 + 55, user_order_id=7)))
    ask = limit(160 * E6 + 1, 2 * E9, Direction.SHORT, post_only=PostOnly.MUST)
    pair.did(key, who, lambda desk: placing(desk, who, ask))
    pair.did(key, who, lambda desk: placing(
        desk, who, limit(100 * E6, 10**7), limit(101 * E6, 15_000_000, reduce_only=True)))  # fmt: skip
    pair.did(key, who, lambda desk: placing(desk, who, limit(0, E9, oracle_price_offset=-5 * E6)))
    pair.advance(1)
    pair.did(key, who, lambda desk: [orders.cancel_order(DRIFT_V2, who, 2, desk.rest(who))])
    pair.did(key, who, lambda desk: [orders.cancel_order_by_user_id(DRIFT_V2, who, 7, desk.rest(who))])
    pair.did(key, who, lambda desk: [orders.cancel_orders(DRIFT_V2, who, remaining=desk.rest(who))])


def test_refusals_are_the_real_programs() -> None:
    pair = Pair()
    key, who = enrolled(pair, "carol", 1_000 * E6)
    pair.advance(2)

    def answer(*params: OrderParams) -> int:
        return pair.refused(key, lambda desk: placing(desk, who, *params))

    assert answer(limit(140 * E6, 10**7 - 1)) == 6059
    assert answer(limit(0)) != 0
    assert answer(limit(140 * E6, 1_000 * E9)) == 6003
    assert answer(limit(151 * E6, post_only=PostOnly.MUST)) == 6057
    assert answer(limit(140 * E6, trigger_price=90 * E6)) == 6053
    assert answer(limit(140 * E6, auction_duration=10, auction_start_price=0, auction_end_price=0)) != 0
    pair.did(key, who, lambda desk: placing(desk, who, limit(140 * E6, user_order_id=3)))
    assert answer(limit(139 * E6, user_order_id=3)) == 6071
    assert pair.refused(key, lambda desk: [orders.place_perp_order(DRIFT_V2, who, limit(140 * E6), [])]) == 6078
    assert pair.refused(key, lambda desk: [desk.withdraw(who, 0, 2_000 * E6)]) == 6003
    assert pair.refused(key, lambda desk: [desk.deposit(who, 0, 0)]) == 6002
    assert pair.refused(key, lambda _: [accounts.delete_user(DRIFT_V2, who)]) == 6152
    wrong = trader(DRIFT_V2, who.authority, 2)
    assert pair.refused(key, lambda _: [accounts.initialize_user(DRIFT_V2, wrong)]) == 6214
    read_only = lambda desk: [funds.deposit(  # noqa: E731
        DRIFT_V2, who, 0, 5, desk.wallet(who.authority, 0), remaining=desk.rest(read_spots=[0]))]  # fmt: skip
    assert pair.refused(key, read_only) == 6090
    other, stranger = enrolled(pair, "dave")
    keys = (DRIFT_V2.state, who.user, stranger.authority)
    assert pair.refused(other, lambda desk: [orders.CANCEL_ORDERS.build(
        DRIFT_V2, keys, (None, None, None), desk.rest(who))]) == 2003  # fmt: skip


def test_waiting_orders_and_modified_ones_lie_as_on_the_real_program() -> None:
    pair = Pair()
    key, who = enrolled(pair, "erin")
    pair.advance(2)
    stop = OrderParams(
        order_type=OrderType.TRIGGER_LIMIT, direction=Direction.SHORT, base_asset_amount=E9, price=139 * E6,
        trigger_price=140 * E6, trigger_condition=1,
    )  # fmt: skip
    pair.did(key, who, lambda desk: placing(desk, who, stop))
    pair.did(key, who, lambda desk: placing(desk, who, limit(145 * E6, user_order_id=9)))
    pair.advance(1)
    change = ModifyOrderParams(price=144 * E6, base_asset_amount=3 * E9)
    pair.did(key, who, lambda desk: [orders.modify_order_by_user_id(DRIFT_V2, who, change, 9, desk.rest(who))])
    raised = ModifyOrderParams(trigger_price=141 * E6)
    pair.did(key, who, lambda desk: [orders.modify_order(DRIFT_V2, who, raised, 1, desk.rest(who))])
    waiting = lambda desk: [fills.trigger_order(DRIFT_V2, who, who, 4, remaining=desk.rest(who))]  # noqa: E731
    assert pair.refused(key, waiting) == 6080
    rest = {"write_perps": [0]}
    waiting = lambda desk: [fills.trigger_order(DRIFT_V2, who, who, 4, remaining=desk.rest(who, **rest))]  # noqa: E731
    assert pair.refused(key, waiting) == 6112
    ratio = lambda _: [accounts.update_user_custom_margin_ratio(DRIFT_V2, who, 5_000)]  # noqa: E731
    pair.did(key, who, ratio)
    assert pair.refused(key, lambda desk: placing(desk, who, limit(145 * E6, 200 * E9))) == 6003
    delegate, _ = pair.person("frank")
    pair.did(key, who, lambda _: [accounts.update_user_delegate(DRIFT_V2, who, delegate.pubkey())])
    acting = trader(DRIFT_V2, who.authority, signer=delegate.pubkey())
    pair.did(delegate, who, lambda desk: placing(desk, acting, limit(140 * E6)))


def test_funding_is_set_as_on_the_real_program() -> None:
    pair = Pair()
    key, who = enrolled(pair, "grace")
    update = lambda desk: [settling.update_funding_rate(DRIFT_V2, desk.directory.perp(0))]  # noqa: E731
    pair.advance(5, SOL=151 * E6)
    assert pair.refused(key, update) == 6251
    pair.advance(9_100, SOL=152 * E6)
    pair.did(key, who, update)
    assert pair.ours.perp(0).last_funding_rate != 0


def taken(pair: Pair, monkeypatch: pytest.MonkeyPatch, key: Keypair, who: Trader, base_e9: int) -> OrderActionRecord:
    """Take from the real program's vAMM, and book the same deal on our venue."""
    direction = Direction.LONG if base_e9 > 0 else Direction.SHORT
    params = OrderParams(order_type=OrderType.MARKET, base_asset_amount=abs(base_e9), direction=direction)

    def build(desk: VenueDesk) -> Instruction:
        return fills.place_and_take_perp_order(DRIFT_V2, who, params, None, desk.rest(who, write_perps=[0]))

    real = pair.real.did(key, build(pair.real))
    told = next(each for each in real if isinstance(each, OrderActionRecord) and each.action == 2)
    quote_e6 = told.quote_asset_amount_filled or 0
    deal = filling.Deal(base_e9, -quote_e6 if base_e9 > 0 else quote_e6)
    monkeypatch.setattr(filling, "decided", lambda *_, **__: deal)
    ours = pair.ours.did(key, build(pair.ours))
    same = next(each for each in ours if isinstance(each, OrderActionRecord) and each.action == 2)
    assert (same.taker_fee, same.quote_asset_amount_filled) == (told.taker_fee, told.quote_asset_amount_filled)
    pair.same(who, perp=BOOKED)
    return told


def test_fills_fees_funding_and_profits_are_booked_as_on_the_real_program(monkeypatch: pytest.MonkeyPatch) -> None:
    pair = Pair()
    key, who = enrolled(pair, "heidi", 50_000 * E6)
    other, second = enrolled(pair, "ivan", 50_000 * E6)
    pair.advance(5, SOL=151 * E6)
    taken(pair, monkeypatch, key, who, 10 * E9)
    taken(pair, monkeypatch, other, second, -4 * E9)
    pair.advance(5, SOL=149 * E6)
    taken(pair, monkeypatch, key, who, 5 * E9)
    taken(pair, monkeypatch, key, who, -3 * E9)
    taken(pair, monkeypatch, key, who, -20 * E9)
    pair.advance(9_000, SOL=148 * E6)
    rate = lambda desk: [settling.update_funding_rate(DRIFT_V2, desk.directory.perp(0))]  # noqa: E731
    pair.level_market()
    pair.did(key, who, rate)
    for hands, holder in ((key, who), (other, second)):
        paying = lambda desk: [settling.settle_funding_payment(  # noqa: E731
            DRIFT_V2, holder, desk.rest(holder, write_perps=[0]))]  # noqa: B023  # fmt: skip
        pair.did(hands, holder, paying)
        settle = lambda desk: [settling.settle_pnl(  # noqa: E731
            DRIFT_V2, holder, 0, holder.authority, desk.rest(holder, write_perps=[0], write_spots=[0]))]  # noqa: B023  # fmt: skip
        pair.did(hands, holder, settle)
        pair.advance(2, SOL=147 * E6)


def test_settling_is_refused_as_on_the_real_program(monkeypatch: pytest.MonkeyPatch) -> None:
    pair = Pair()
    key, who = enrolled(pair, "judy", 5_000 * E6)
    other, stranger = enrolled(pair, "karl", 5_000 * E6)
    pair.advance(2)

    def settle(by: Trader) -> Callable[[VenueDesk], list[Instruction]]:
        def build(desk: VenueDesk) -> list[Instruction]:
            rest = desk.rest(who, write_perps=[0], write_spots=[0])
            return [settling.settle_pnl(DRIFT_V2, who, 0, by.authority, rest)]

        return build

    assert pair.refused(key, settle(who)) == 6010
    taken(pair, monkeypatch, key, who, 30 * E9)
    pair.level_market()
    pair.advance(2, SOL=160 * E6)
    unpaid = lambda desk: [settling.settle_pnl(DRIFT_V2, who, 0, who.authority, desk.rest(who))]  # noqa: E731
    assert pair.refused(key, unpaid) == 6090
    half = lambda desk: [settling.settle_pnl(  # noqa: E731
        DRIFT_V2, who, 0, who.authority, desk.rest(who, write_spots=[0]))]  # fmt: skip
    assert pair.refused(key, half) == 6081
    pair.did(other, who, settle(stranger), but=ACTIVE)
    assert pair.refused(key, settle(who)) == 6259
    pair.advance(2, SOL=20 * E6)
    assert pair.refused(other, settle(stranger)) == 6023

    def crank(desk: VenueDesk) -> list[Instruction]:
        ours = settling.update_amms(DRIFT_V2, [desk.directory.perp(0)], key.pubkey())
        then = bytes(ours.data[:8]) + bytes(10)  # that build took an array of five markets
        return [Instruction(ours.program_id, then, list(ours.accounts)) if desk is pair.real else ours]

    pair.advance(2, SOL=160 * E6)
    taken(pair, monkeypatch, key, who, 90 * E9)
    pair.level_market()
    for price_e6 in (147 * E6, 135 * E6, 123 * E6, *[114 * E6] * 3, *[106 * E6] * 3, *[100 * E6] * 4):
        pair.advance(1_000, SOL=price_e6)
        pair.level_market(peg_e6=price_e6)
        pair.did(key, who, crank)
    assert pair.refused(other, settle(stranger)) == 6095
    assert pair.refused(key, lambda desk: [desk.withdraw(who, 0, 1)]) == 6003

    def several(desk: VenueDesk) -> list[Instruction]:
        rest = desk.rest(who, write_perps=[0], write_spots=[0])
        return [settling.settle_multiple_pnls(DRIFT_V2, who, [0], who.authority, SettleMode.TRY, rest)]

    pair.did(key, who, several, but=ACTIVE)
    pair.did(key, who, lambda desk: [desk.deposit(who, 0, 20_000 * E6)], but=REMEMBERED)
    pair.did(key, who, several, but=(*ACTIVE, *REMEMBERED))


def test_swaps_are_booked_and_refused_as_on_the_real_program() -> None:
    pair = Pair()
    key, who = enrolled(pair, "swapper")
    pair.did(key, who, lambda desk: [desk.deposit(who, 1, 50 * E9)])
    pair.advance(3, SOL=100 * E6)
    at = {id(desk): Swapper(desk, key, who) for desk in (pair.real, pair.ours)}
    pair.did(key, who, lambda desk: at[id(desk)].swap(1_000 * E6, 10 * E9, lent=1_500 * E6, limit=9_900))
    cases = {desk: dict(refusals(each)) for desk, each in at.items()}
    for what in cases[id(pair.real)].keys() - {"tokens moved behind"}:  # that build let them
        assert pair.refused(key, partial(lambda what, desk: cases[id(desk)][what], what)) == 6248
    assert pair.refused(key, lambda desk: at[id(desk)].swap(1_000 * E6, 10 * E9, limit=10_001)) == 6249
    assert pair.refused(key, lambda desk: at[id(desk)].swap(1_000 * E6, 3 * E9)) == 6023
    pair.advance(400)
    borrowing = lambda desk: at[id(desk)].swap(9_500 * E6, 95 * E9, lent=9_600 * E6)  # noqa: E731
    assert pair.refused(key, borrowing) == 6157
    allowed = partial(accounts.update_user_margin_trading_enabled, DRIFT_V2, who, enabled=True)
    pair.did(key, who, lambda desk: [allowed(remaining=desk.rest(who))])
    pair.did(key, who, borrowing)
