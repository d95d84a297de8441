"""Orders on the played venue: the whole life of one, read back by the codec after each step."""

import pytest
from solders.instruction import Instruction
from solders.keypair import Keypair
from venue_desk import E6, E9, VenueDesk

from drift_engine.venues.instructions import accounts, fills, orders, settling
from drift_engine.venues.instructions.trader import Trader
from drift_engine.venues.program import Program
from drift_engine.venues.programs import DRIFT_V2, VELOCITY
from drift_engine.venues.wire.events.trading import OrderActionRecord, OrderRecord, SettlePnlRecord
from drift_engine.venues.wire.order_enums import Direction, OrderType, PostOnly, SuccessCondition
from drift_engine.venues.wire.order_params import ModifyOrderParams, OrderParams

PROGRAMS = pytest.mark.parametrize("program", [VELOCITY, DRIFT_V2], ids=lambda program: program.name)
SOL = 150 * E6


def limit(price_e6: int, base_e9: int = E9, direction: int = Direction.LONG, **more: object) -> OrderParams:
    return OrderParams(price=price_e6, base_asset_amount=base_e9, direction=direction, **more)  # type: ignore[arg-type]


def market(base_e9: int, direction: int = Direction.LONG, **more: object) -> OrderParams:
    return OrderParams(order_type=OrderType.MARKET, base_asset_amount=base_e9, direction=direction, **more)  # type: ignore[arg-type]


def place(desk: VenueDesk, key: Keypair, who: Trader, params: OrderParams) -> list[object]:
    rest = desk.rest(who, read_perps=[params.market_index])
    return desk.did(key, orders.place_perp_order(desk.program, who, params, rest))


def take(desk: VenueDesk, who: Trader, params: OrderParams, condition: int | None = None) -> Instruction:
    rest = desk.rest(who, write_perps=[params.market_index])
    return fills.place_and_take_perp_order(desk.program, who, params, condition, rest)


@PROGRAMS
def test_an_order_is_placed_changed_and_cancelled(program: Program) -> None:
    desk = VenueDesk(program)
    key, who = desk.enrolled("alice")
    told = place(desk, key, who, limit(140 * E6 + 55, user_order_id=7))
    (order,) = desk.user(who).orders()
    assert (order.order_id, order.price, order.base_asset_amount, order.status) == (1, 140 * E6, E9, 1)
    assert (order.slot, order.user_order_id, order.posted_slot_tail) == (desk.chain.slot, 7, desk.chain.slot % 256)
    assert isinstance(told[0], OrderActionRecord)
    assert isinstance(told[1], OrderRecord)
    assert (told[0].taker_order_id, told[1].order) == (1, order)
    user = desk.user(who)
    assert (user.open_orders, user.has_open_order, user.perp_positions()[0].open_bids) == (1, True, E9)

    change = ModifyOrderParams(price=141 * E6, base_asset_amount=2 * E9)
    desk.did(key, orders.modify_order_by_user_id(program, who, change, 7, desk.rest(who)))
    (order,) = desk.user(who).orders()
    assert (order.order_id, order.price, order.base_asset_amount, order.user_order_id) == (2, 141 * E6, 2 * E9, 7)
    assert desk.user(who).perp_positions()[0].open_bids == 2 * E9

    desk.did(key, orders.cancel_order(program, who, None, desk.rest(who)))
    user = desk.user(who)
    assert (user.orders(), user.open_orders, user.has_open_order, user.perp_positions()) == ((), 0, False, ())


@PROGRAMS
def test_a_position_is_taken_settled_and_closed(program: Program) -> None:
    desk = VenueDesk(program)
    key, who = desk.enrolled("bob")
    told = desk.did(key, take(desk, who, market(2 * E9), fills.success_condition(SuccessCondition.FULL_FILL)))
    (filled,) = [each for each in told if isinstance(each, OrderActionRecord) and each.action == 2]
    (held,) = desk.user(who).perp_positions()
    price_e6 = 150_016_000
    assert held.base_asset_amount == 2 * E9
    assert filled.quote_asset_amount_filled is not None
    assert filled.taker_fee is not None
    assert abs(filled.quote_asset_amount_filled * E9 // (2 * E9) - price_e6) < 2_000
    rate = 1_000 if program is DRIFT_V2 else 400
    assert filled.taker_fee == -(-filled.quote_asset_amount_filled * rate // E6)
    assert held.quote_asset_amount == -filled.quote_asset_amount_filled - filled.taker_fee
    assert held.quote_entry_amount == -filled.quote_asset_amount_filled
    assert desk.stats(who).taker_volume_30d == filled.quote_asset_amount_filled
    totals = desk.perp(0)
    assert (totals.base_asset_amount_long, totals.base_asset_amount_with_amm) == (2 * E9, 2 * E9)
    assert (totals.number_of_users_with_base, totals.number_of_users) == (1, 1)

    desk.chain.advance()
    desk.set_price("SOL", 160 * E6)
    desk.chain.advance()
    close = market(2 * E9, Direction.SHORT, reduce_only=True)
    desk.did(key, take(desk, who, close))
    (held,) = desk.user(who).perp_positions()
    assert (held.base_asset_amount, held.quote_entry_amount, held.quote_break_even_amount) == (0, 0, 0)
    pnl_e6 = held.quote_asset_amount
    assert 15 * E6 < pnl_e6 < 20 * E6
    rest = desk.rest(who, write_perps=[0], write_spots=[0])
    told = desk.did(key, settling.SETTLE_PNL.build(
        program, (program.state, who.user, who.authority, desk.spot(0).vault), (0,), rest))  # fmt: skip
    (settled,) = [each for each in told if isinstance(each, SettlePnlRecord)]
    assert settled.pnl == pnl_e6
    assert desk.user(who).perp_positions() == ()
    assert desk.user(who).spot_positions()[0].scaled_balance == (10_000 * E6 + pnl_e6) * 1_000
    assert desk.perp(0).number_of_users == 0
    desk.did(key, desk.withdraw(who, 0, 10_000 * E6 + pnl_e6))
    desk.did(key, accounts.delete_user(program, who))


@PROGRAMS
def test_a_waiting_market_order_fills_in_its_auction(program: Program) -> None:
    desk = VenueDesk(program)
    key, who = desk.enrolled("carol")
    place(desk, key, who, market(E9))
    (order,) = desk.user(who).orders()
    assert order.auction_duration
    assert order.auction_start_price < 150_016_000 <= order.auction_end_price
    desk.chain.advance(1)
    assert desk.user(who).orders()
    desk.chain.advance(order.auction_duration + 1)
    assert desk.user(who).orders() == ()
    assert desk.user(who).perp_positions()[0].base_asset_amount == E9
    assert (desk.user(who).open_auctions, desk.user(who).has_open_auction) == (0, False)


@PROGRAMS
def test_a_resting_order_fills_when_the_mark_goes_through(program: Program) -> None:
    desk = VenueDesk(program)
    key, who = desk.enrolled("dave")
    place(desk, key, who, limit(149 * E6, post_only=PostOnly.MUST))
    desk.chain.advance(3)
    assert len(desk.user(who).orders()) == 1
    desk.set_price("SOL", 149 * E6)
    desk.chain.advance()
    assert len(desk.user(who).orders()) == 1
    desk.set_price("SOL", 149 * E6 - 100)
    desk.chain.advance()
    assert desk.user(who).orders() == ()
    (held,) = desk.user(who).perp_positions()
    rebate = 149 * E6 * 200 // E6 if program is DRIFT_V2 else 149 * E6 * 25 // E6
    assert (held.base_asset_amount, held.quote_asset_amount) == (E9, -149 * E6 + rebate)
    assert desk.stats(who).maker_volume_30d == 149 * E6


@PROGRAMS
def test_a_stop_is_triggered_and_closes(program: Program) -> None:
    desk = VenueDesk(program)
    key, who = desk.enrolled("erin")
    desk.did(key, take(desk, who, market(E9)))
    stop = OrderParams(
        order_type=OrderType.TRIGGER_MARKET, direction=Direction.SHORT, base_asset_amount=E9, reduce_only=True,
        trigger_price=140 * E6, trigger_condition=1,
    )  # fmt: skip
    place(desk, key, who, stop)
    assert desk.user(who).perp_positions()[0].open_asks == 0
    assert desk.refused(key, fills.trigger_order(program, who, who, 2, desk.rest(who, write_perps=[0]))) == 6112
    desk.chain.advance(5)
    assert desk.user(who).orders()[0].trigger_condition == 1
    desk.set_price("SOL", 139 * E6)
    desk.chain.advance(1)
    assert desk.user(who).orders()[0].trigger_condition == 3
    desk.chain.advance(60)
    assert desk.user(who).orders() == ()
    assert desk.user(who).perp_positions()[0].base_asset_amount == 0


@PROGRAMS
def test_funding_falls_due_on_the_hour_and_is_settled(program: Program) -> None:
    desk = VenueDesk(program, slot_ms=60_000)
    key, who = desk.enrolled("frank")
    desk.did(key, take(desk, who, market(10 * E9)))
    before = desk.user(who).perp_positions()[0]
    desk.chain.advance(60)
    rate = desk.perp(0).last_funding_rate
    assert rate > 0
    desk.did(key, settling.settle_funding_payment(program, who, desk.rest(who, write_perps=[0])))
    after = desk.user(who).perp_positions()[0]
    paid = -(abs(desk.perp(0).cumulative_funding_rate_long) * 10 // 1_000)
    assert after.quote_asset_amount - before.quote_asset_amount == paid
    assert desk.user(who).cumulative_perp_funding == paid
    assert after.last_cumulative_funding_rate == desk.perp(0).cumulative_funding_rate_long
