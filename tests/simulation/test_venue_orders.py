"""The venue takes, refuses, fills and closes orders by the program's rules, and the engine's ledger agrees."""

import pytest
from msgspec import structs
from venue_stage import ONE, PLAIN, T0, S, Stage, opened, perp, plan, spot

from drift_engine.core.types import Account, AccountEvent, Filled, Leg, Market, PerpPosition, SpotBalance
from drift_engine.core.units import E6, HOUR_NS
from drift_engine.simulation import orders
from drift_engine.simulation.facts import UnknownMarketError, venue_facts
from drift_engine.simulation.faults import Faults, Window
from drift_engine.simulation.models import FREE_NEXT_OPEN, Fills, Impact, Latency, Models, PartialFills, VenueConfig

P = 200 * E6


def reason_of(stage: Stage, leg: Leg) -> str:
    closed = stage.do(plan("p", leg))
    assert closed is not None
    assert closed.status == "rejected"
    assert stage.fills() == []
    stage.assert_books_agree()
    return closed.reason


def test_a_taker_fills_at_the_mark_and_pays_ten_basis_points() -> None:
    stage = opened(P)
    closed = stage.do(plan("p", perp(ONE, P)))
    assert closed is not None
    assert closed.status == "filled"
    (fill,) = stage.fills()
    assert (fill.base_e9, fill.quote_e6, fill.fee_e6) == (ONE, -P, 200_000)
    assert (fill.oracle_e6, fill.mark_e6, fill.slot, fill.maker) == (P, P, T0 // 400_000_000, False)
    stage.assert_books_agree()


@pytest.mark.parametrize(
    ("leg", "reason"),
    [
        (perp(9_999_999, P), "OrderAmountTooSmall"),
        (perp(0, P), "OrderAmountTooSmall"),
        (perp(9_999_999, 150 * E6, post=True), "OrderAmountTooSmall"),
        (spot(0, P), "OrderAmountTooSmall"),
        (perp(100 * ONE, P), "InsufficientCollateral: 1000000000 < 1000010000"),
        (perp(5 * ONE, 201 * E6, post=True), "PlacePostOnlyLimitFailure"),
        (perp(-5 * ONE, 200 * E6, post=True), "PlacePostOnlyLimitFailure"),
        (perp(ONE, 50, reduce_only=True), "InvalidOrder"),
        (perp(10**8, 3000 * E6, market="ETH-PERP"), "InvalidOracle"),
        (spot(-ONE, 3000 * E6, market="wBTC"), "BorrowRateUnknown: wBTC cannot be borrowed"),
        (Leg("SOL", ONE, 150 * E6, "spot", reduce_only=False, post_only=True), "InvalidOrderPostOnly"),
    ],
)
def test_refusals_carry_the_programs_names(leg: Leg, reason: str) -> None:
    assert reason_of(opened(P), leg).startswith(reason)


def test_the_minimum_binds_what_does_not_only_reduce() -> None:
    stage = opened(P)
    market = stage.venue._books.markets["SOL-PERP"]
    assert market.min_order_e9 == market.step_e9  # so with the venue's own figures the step refuses first
    larger = structs.replace(market, spec=structs.replace(market.spec, min_order_e9=ONE))
    stage.venue._books.markets["SOL-PERP"] = larger
    assert reason_of(stage, perp(ONE // 2, P)) == "InvalidOrderMinOrderSize"
    closed = stage.do(plan("reduces", perp(ONE // 2, P, reduce_only=True)))
    assert closed is not None
    assert closed.status == "cancelled"


def test_a_size_is_floored_to_the_step_and_a_limit_moved_to_the_tick() -> None:
    stage = opened(P)
    stage.do(plan("p", perp(ONE + 9_999_999, P + 99)))
    assert stage.fills()[0].base_e9 == ONE
    stage.do(plan("q", perp(-ONE - 9_999_999, P - 99)))
    assert stage.fills()[1].base_e9 == -ONE
    assert stage.fills()[1].quote_e6 == P
    assert stage.do(plan("r", perp(-ONE, P + 1))) is None, "a sale's limit moves up"
    assert stage.do(plan("s", perp(ONE, P - 1))) is None


HELD = [
    (0, 0, 1, True), (0, 0, -1, True),
    (20, 0, 1, True), (20, 0, -20, False), (20, 0, -21, True), (20, -10, -10, False), (20, -10, -11, True),
    (-20, 0, -1, True), (-20, 0, 20, False), (-20, 0, 21, True), (-20, 10, 10, False), (-20, 10, 11, True),
]  # fmt: skip


@pytest.mark.parametrize("market", ["SOL-PERP", "wBTC"])
@pytest.mark.parametrize(("held", "open_steps", "ordered", "increases"), HELD)
def test_an_order_raises_risk_beyond_what_is_held_less_what_reduces_it_already(
    market: str, held: int, open_steps: int, ordered: int, *, increases: bool
) -> None:
    """In tenths of a coin; wBTC has 8 decimals, its orders 9."""
    markets = {name: Market(spec) for name, spec in venue_facts().items()}
    tenths = [tenth * ONE // 10 for tenth in (held, open_steps, ordered)]
    if market == "wBTC":
        bids, asks = max(tenths[1], 0) // 10, -(-min(tenths[1], 0) // 10)
        account = Account("USDC", (SpotBalance(market, tenths[0], bids, asks, 1),))
    else:
        bids, asks = max(tenths[1], 0), min(tenths[1], 0)
        account = Account("USDC", (), (PerpPosition(market, tenths[0], 0, open_bids_e9=bids, open_asks_e9=asks),))
    leg = orders.OpenLeg(market, markets[market].spec.kind, tenths[2], P, reduce_only=False, post_only=False)
    assert orders.increases_risk(leg, account, markets) is increases
    leg.reduce_only = True
    assert orders.increases_risk(leg, account, markets) is False


def test_what_lowers_risk_is_taken_down_to_maintenance_and_what_raises_it_to_initial_margin() -> None:
    stage = opened(P)
    stage.do(plan("open", perp(90 * ONE, P)))
    stage.price(T0 + S, "SOL-PERP", 197 * E6)
    closed = stage.do(plan("more", perp(ONE, P)), T0 + S)
    assert closed is not None
    assert closed.reason.startswith("InsufficientCollateral")
    closed = stage.do(plan("less", perp(-ONE, 190 * E6)), T0 + S)
    assert closed is not None
    assert closed.status == "filled"


def test_orders_of_one_plan_that_turn_a_position_raise_risk_together() -> None:
    stage = opened(P)
    stage.do(plan("open", perp(80 * ONE, P)))
    closed = stage.do(plan("turn", *[perp(-80 * ONE, P)] * 3))
    assert closed is not None
    assert closed.reason.startswith("InsufficientCollateral")
    assert stage.venue._books.account().perp("SOL-PERP").base_e9 == -80 * ONE
    stage.assert_books_agree()


def test_a_token_whose_rate_is_not_known_can_be_sold_to_the_last_unit_and_no_further() -> None:
    stage = opened(P)
    stage.do(plan("buy", spot(ONE // 200, 100_000 * E6, market="wBTC")))
    for number, (base_e9, reduce_only, status) in enumerate(
        [(-ONE // 100, False, "rejected"), (-ONE // 500, True, "filled"), (-3 * ONE // 1_000, False, "filled")]
    ):
        sale = spot(base_e9, 100_000 * E6, market="wBTC", reduce_only=reduce_only)
        closed = stage.do(plan(f"p{number}", sale))
        assert closed is not None
        assert closed.status == status
    assert stage.state.account.spot("wBTC").scaled_e9 == 0
    stage.assert_books_agree()


def test_no_quote_is_borrowed_whose_rate_is_not_known_at_the_limit_of_the_order() -> None:
    stage = Stage(VenueConfig(deposit_e6=1_000 * E6, models=PLAIN))
    stage.advance(T0 - S)
    stage.price(T0, "SOL", P)
    closed = stage.do(plan("too dear", spot(5 * ONE, P + 100)))
    assert closed is not None
    assert closed.reason == "BorrowRateUnknown: USDC cannot be borrowed"
    closed = stage.do(plan("all there is", spot(5 * ONE, P)))
    assert closed is not None
    assert closed.status == "filled"
    assert stage.venue._books.tokens("USDC") == 0


def test_a_market_that_only_reduces_makes_every_order_do_so() -> None:
    stage = opened(P)
    stage.do(plan("open", perp(ONE, P)))
    stage.venue.quotes.of["SOL-PERP"].status = "reduce_only"
    stage.do(plan("close", perp(-2 * ONE, P)))
    assert stage.venue._books.perps["SOL-PERP"].base_e9 == 0


def test_an_order_that_arrives_after_its_time_is_no_order() -> None:
    stage = opened(P)
    closed = stage.do(plan("p", perp(ONE, P), life_s=0))
    assert closed is not None
    assert (closed.status, closed.reason) == ("expired", "InvalidOrderMaxTs")
    assert stage.closed() == [closed]
    assert stage.fills() == []


def test_a_leg_out_of_its_limit_waits_for_a_price_and_then_expires() -> None:
    stage = opened(P)
    assert stage.do(plan("wait", perp(ONE, 199 * E6))) is None
    assert stage.do(plan("expire", perp(ONE, 100 * E6))) is None
    stage.price(T0 + 10 * S, "SOL-PERP", 199 * E6)
    assert [(event.plan_id, event.status) for event in stage.closed()] == [("wait", "filled")]
    assert stage.fills()[0].quote_e6 == -199 * E6
    stage.price(T0 + 31 * S, "SOL-PERP", 50 * E6)
    last = stage.closed()[-1]
    assert (last.plan_id, last.status, last.ts_ns) == ("expire", "expired", T0 + 30 * S)
    stage.assert_books_agree()


def test_latency_delays_arrival_and_report() -> None:
    models = Models(latency=Latency(400_000_000, 800_000_000, 400_000_000), impact=Impact(0, 0))
    stage = opened(config=VenueConfig(seed=7, deposit_e6=1_000 * E6, models=models))
    stage.place(plan("p", perp(ONE, P)))
    stage.advance(T0 + 399_999_999)
    assert stage.fills() == []
    stage.advance(T0 + 2 * S)
    fill = stage.fills()[0]
    assert T0 + 400_000_000 <= fill.ts_ns <= T0 + 800_000_000
    assert fill.seen_ns == fill.ts_ns + 400_000_000


def test_a_report_is_not_told_before_it_is_seen() -> None:
    stage = opened(config=VenueConfig(models=Models(latency=Latency(0, 0, 5 * S), impact=Impact(0, 0))))
    stage.do(plan("p", perp(ONE, P)))
    assert stage.fills() == []
    stage.advance(T0 + 5 * S)
    assert stage.fills()[0].seen_ns == T0 + 5 * S
    assert stage.do(plan("q", perp(1, P)), T0 + 6 * S) is None
    stage.advance(T0 + 11 * S)
    assert stage.closed()[-1].seen_ns == T0 + 11 * S


def test_nothing_fills_before_it_arrived() -> None:
    config = VenueConfig(models=structs.replace(PLAIN, latency=Latency(5 * S, 5 * S, 0)))
    stage = opened(config=config)
    stage.place(plan("rests", perp(ONE, 150 * E6, post=True), life_s=3_600))
    stage.advance(T0 + 5 * S)
    stage.place(plan("travels", perp(ONE, P)), T0 + 5 * S)
    stage.price(T0 + 7 * S, "SOL-PERP", 190 * E6)
    assert stage.fills() == []
    stage.price(T0 + 10 * S, "SOL-PERP", 195 * E6)
    assert [fill.quote_e6 for fill in stage.fills()] == [-190 * E6]


def test_spread_and_impact_are_paid_and_rounded_against_the_taker() -> None:
    models = Models(latency=Latency(0, 0, 0), impact=Impact(half_spread_e6=100, depth_e6=1_000_000 * E6))
    stage = opened(config=VenueConfig(models=models))
    stage.do(plan("buy", perp(10 * ONE, 210 * E6)))
    stage.do(plan("sell", perp(-10 * ONE, 190 * E6)))
    buy, sell = stage.fills()
    assert buy.quote_e6 == -10 * 200_024_000  # 1 bp + 2,000 / 1,000,000 of 1 % on 200
    assert sell.quote_e6 == 10 * 199_976_000
    stage.assert_books_agree()


def test_a_swap_fills_at_the_oracle() -> None:
    stage = opened(P)
    stage.price(T0, "SOL", 201 * E6, 199 * E6)
    stage.do(plan("p", spot(ONE, 202 * E6)))
    assert stage.fills()[0].quote_e6 == -201 * E6


def test_a_post_only_order_may_rest_inside_the_spread() -> None:
    """The mark is 200, bid and ask are 199.98 and 200.02."""
    stage = opened(config=VenueConfig(models=structs.replace(PLAIN, impact=Impact(half_spread_e6=100, depth_e6=0))))
    rest = [(ONE, P + 19_900), (-ONE, P - 19_900)]
    take = [(ONE, P + 20_000), (-ONE, P - 20_000)]
    for number, (base_e9, limit_e6) in enumerate(rest):
        assert stage.do(plan(f"rest{number}", perp(base_e9, limit_e6, post=True))) is None
    for number, (base_e9, limit_e6) in enumerate(take):
        closed = stage.do(plan(f"take{number}", perp(base_e9, limit_e6, post=True)))
        assert closed is not None
        assert closed.reason == "PlacePostOnlyLimitFailure"


def test_the_margin_of_a_plan_is_that_of_all_its_legs_and_of_what_rests() -> None:
    """1,000 USD carry 20,000 USD: one of two legs of 60 SOL, together or apart, and not beside one that rests."""
    legs = perp(60 * ONE, P), perp(12 * ONE // 100, 100_000 * E6, market="BTC-PERP")
    stage = opened(P)
    closed = stage.do(plan("atomic", *legs, atomic=True))
    assert closed is not None
    assert (closed.status, closed.reason[:22]) == ("rejected", "InsufficientCollateral")
    assert stage.fills() == []
    closed = stage.do(plan("apart", *legs))
    assert closed is not None
    assert (closed.status, closed.reason[:22]) == ("partial", "InsufficientCollateral")
    assert [fill.market for fill in stage.fills()] == ["SOL-PERP"]
    stage.assert_books_agree()
    rests = opened(P)
    assert rests.do(plan("rests", perp(60 * ONE, 199 * E6, post=True))) is None
    closed = rests.do(plan("second", legs[1]))
    assert closed is not None
    assert closed.reason.startswith("InsufficientCollateral")
    assert rests.venue.withdraw("USDC", 300 * E6, T0) is None
    refused = rests.venue.withdraw("USDC", 200 * E6, T0)
    assert refused is not None
    assert refused.startswith("InsufficientCollateral")


def test_an_account_has_thirty_two_orders() -> None:
    stage = opened(P)
    for number in range(32):
        assert stage.do(plan(f"p{number}", perp(ONE // 100, 150 * E6, post=True))) is None
    closed = stage.do(plan("one more", perp(ONE // 100, 150 * E6, post=True)))
    assert closed is not None
    assert (closed.status, closed.reason) == ("rejected", "MaxNumberOfOrders")


def test_legs_that_stand_alone_fill_alone() -> None:
    stage = opened(P)
    assert stage.do(plan("p", perp(ONE, 199 * E6), perp(ONE // 100, 100_000 * E6, market="BTC-PERP"))) is None
    assert [fill.market for fill in stage.fills()] == ["BTC-PERP"]


def test_an_atomic_plan_with_nothing_to_reduce_ends_whole() -> None:
    stage = opened(P)
    closed = stage.do(plan("p", spot(ONE, P), perp(-ONE, P, reduce_only=True), atomic=True))
    assert closed is not None
    assert closed.status == "cancelled"
    assert stage.fills() == []


def test_an_atomic_plan_fills_whole_or_not_at_all() -> None:
    stage = opened(P)
    assert stage.do(plan("p", spot(ONE, P), perp(-ONE, 201 * E6), atomic=True)) is None
    assert stage.fills() == []
    stage.price(T0 + S, "SOL-PERP", P, 201 * E6)
    assert [fill.market for fill in stage.fills()] == ["SOL", "SOL-PERP"]
    assert stage.closed()[0].status == "filled"
    assert stage.state.account.spot("SOL").scaled_e9 == ONE
    stage.assert_books_agree()


def test_one_bad_leg_refuses_an_atomic_plan_and_only_itself_elsewhere() -> None:
    stage = opened(P)
    closed = stage.do(plan("atomic", perp(ONE, P), perp(1, P), atomic=True))
    assert closed is not None
    assert (closed.status, closed.reason) == ("rejected", "OrderAmountTooSmall")
    closed = stage.do(plan("apart", perp(ONE, P), perp(1, P)))
    assert closed is not None
    assert (closed.status, closed.reason) == ("partial", "OrderAmountTooSmall")
    assert len(stage.fills()) == 1
    stage.assert_books_agree()


def test_what_only_reduces_is_cut_to_what_is_held_and_cancelled_where_nothing_is() -> None:
    stage = opened(P)
    closed = stage.do(plan("nothing", perp(-ONE, P, reduce_only=True)))
    assert closed is not None
    assert (closed.status, closed.reason) == ("cancelled", "ReduceOnlyOrderIncreasedRisk")
    assert stage.fills() == []
    stage.do(plan("open", perp(ONE, P)))
    closed = stage.do(plan("raise", perp(ONE, P, reduce_only=True)))
    assert closed is not None
    assert closed.status == "cancelled"
    closed = stage.do(plan("close", perp(-3 * ONE, P, reduce_only=True)))
    assert closed is not None
    assert closed.status == "partial"
    assert stage.fills()[-1].base_e9 == -ONE
    assert stage.venue._books.perps["SOL-PERP"].base_e9 == 0
    stage.do(plan("short", perp(-2 * ONE, P)))
    stage.do(plan("buy", perp(5 * ONE, P, reduce_only=True)))
    assert stage.fills()[-1].base_e9 == 2 * ONE
    assert stage.venue._books.perps["SOL-PERP"].base_e9 == 0
    stage.assert_books_agree()


@pytest.mark.parametrize("atomic", [False, True])
def test_two_legs_that_only_reduce_share_what_is_held(*, atomic: bool) -> None:
    stage = opened(P)
    stage.do(plan("open", perp(3 * ONE, P)))
    sale = perp(-2 * ONE, P, reduce_only=True)
    closed = stage.do(plan("close", sale, sale, atomic=atomic))
    assert closed is not None
    assert closed.status == "partial"
    assert [fill.base_e9 for fill in stage.fills()[1:]] == [-2 * ONE, -ONE]
    closed = stage.do(plan("again", perp(ONE, P), sale, sale, atomic=atomic))
    assert closed is not None
    assert closed.status == ("cancelled" if atomic else "partial")
    assert stage.venue._books.perps["SOL-PERP"].base_e9 == 0
    stage.assert_books_agree()


@pytest.mark.parametrize("seed", range(12))
def test_what_only_reduces_counts_what_the_leg_before_it_really_filled(seed: int) -> None:
    models = structs.replace(PLAIN, partial=PartialFills(E6 // 2, 2, E6))
    stage = opened(P, config=VenueConfig(seed=seed, deposit_e6=1_000 * E6, models=models))
    stage.do(plan("open", perp(2 * ONE, P)))
    stage.do(plan("both", perp(2 * ONE, P), perp(-4 * ONE, P, reduce_only=True)))
    assert stage.venue._books.account().perp("SOL-PERP").base_e9 >= 0
    stage.assert_books_agree()


def test_reduce_only_spot_does_not_borrow() -> None:
    stage = opened(P)
    stage.do(plan("buy", spot(ONE, P)))
    stage.do(plan("sell", spot(-3 * ONE, P, reduce_only=True)))
    assert stage.state.account.spot("SOL").scaled_e9 == 0
    stage.assert_books_agree()


def test_a_spot_sale_may_borrow_where_the_rate_is_known() -> None:
    stage = opened(P)
    closed = stage.do(plan("p", spot(-ONE, P)))
    assert closed is not None
    assert closed.status == "filled"
    assert stage.state.account.spot("SOL").scaled_e9 < 0
    stage.assert_books_agree()


def test_a_resting_order_fills_as_maker_when_the_mark_trades_through() -> None:
    stage = opened(P)
    assert stage.do(plan("p", perp(ONE, 199 * E6, post=True), life_s=3_600)) is None
    stage.price(T0 + S, "SOL-PERP", P, 199 * E6)
    assert stage.fills() == []
    stage.price(T0 + 2 * S, "SOL-PERP", P, 199 * E6 - 100)
    (fill,) = stage.fills()
    assert (fill.quote_e6, fill.fee_e6, fill.maker) == (-199 * E6, -39_800, True)
    assert stage.closed()[0].status == "filled"
    stage.assert_books_agree()


def test_resting_orders_of_a_plan_fill_each_at_its_own_market_and_none_that_was_refused() -> None:
    stage = opened(P)
    btc = perp(ONE // 100, 99_000 * E6, market="BTC-PERP", post=True)
    refused, rests = perp(-ONE, 190 * E6, post=True), perp(-ONE, 210 * E6, post=True)
    assert stage.do(plan("p", refused, rests, btc, perp(ONE, 199 * E6, reduce_only=True, post=True))) is None
    stage.price(T0 + S, "SOL-PERP", P, 198 * E6)
    assert stage.fills() == []
    stage.price(T0 + 2 * S, "BTC-PERP", 98_000 * E6)
    stage.price(T0 + 3 * S, "SOL-PERP", 211 * E6)
    assert [fill.quote_e6 for fill in stage.fills()] == [-990 * E6, 210 * E6]
    stage.assert_books_agree()


def test_a_resting_order_that_is_stuck_or_in_a_paused_market_does_not_fill() -> None:
    paused = Faults(market_paused=Window(3_600 * S, 60 * S, (T0 + 10 * S) % (3_600 * S)))
    for faults, ends in ((paused, "filled"), (Faults(order_expires_e6=E6), "expired")):
        stage = opened(config=VenueConfig(deposit_e6=1_000 * E6, models=PLAIN, faults=faults))
        stage.do(plan("p", perp(ONE, 199 * E6, post=True), life_s=600))
        stage.price(T0 + 20 * S, "SOL-PERP", 198 * E6)
        assert stage.fills() == []
        stage.price(T0 + 80 * S, "SOL-PERP", 198 * E6)
        stage.advance(T0 + HOUR_NS)
        assert [event.status for event in stage.closed()] == [ends]


def test_cancel_closes_what_rests_after_the_message_arrived() -> None:
    config = VenueConfig(models=Models(latency=Latency(S, S, 0), impact=Impact(0, 0)))
    stage = opened(config=config)
    stage.place(plan("p", perp(ONE, 199 * E6, post=True), life_s=3_600))
    stage.advance(T0 + S)
    stage.ask(stage.venue.cancel_all(T0 + S))
    assert stage.closed() == []
    stage.advance(T0 + 2 * S)
    assert [(event.status, event.ts_ns) for event in stage.closed()] == [("cancelled", T0 + 2 * S)]
    stage.assert_books_agree()


def test_every_cancel_that_is_sent_to_a_venue_that_is_there_arrives() -> None:
    stage = opened(P)
    for number in range(1, 9):
        ts_ns = T0 + number * S
        assert stage.do(plan(f"p{number}", perp(ONE, 190 * E6, post=True)), ts_ns) is None
        stage.ask(stage.venue.cancel_all(ts_ns))
        stage.advance(ts_ns)
        assert len(stage.closed()) == number


def test_the_next_open_model_fills_at_the_open_and_charges_nothing() -> None:
    stage = opened(config=VenueConfig(deposit_e6=1_000 * E6, models=FREE_NEXT_OPEN))
    assert stage.do(plan("p", perp(ONE, 250 * E6))) is None
    stage.price(T0 + 300 * S, "SOL-PERP", 210 * E6, open_e6=201 * E6)
    (fill,) = stage.fills()
    assert (fill.quote_e6, fill.fee_e6, fill.oracle_e6) == (-201 * E6, 0, P)
    assert stage.closed()[0].status == "filled"
    stage.assert_books_agree()


def test_the_next_open_out_of_the_limit_expires_there() -> None:
    stage = opened(config=VenueConfig(deposit_e6=1_000 * E6, models=FREE_NEXT_OPEN))
    assert stage.do(plan("p", perp(ONE, 200 * E6))) is None
    stage.price(T0 + 300 * S, "SOL-PERP", 210 * E6, open_e6=201 * E6)
    assert (stage.fills(), stage.closed()[0].status) == ([], "expired")


def test_what_an_open_was_too_dear_for_fills_at_a_later_one_while_it_has_time() -> None:
    stage = opened(config=VenueConfig(deposit_e6=1_000 * E6, models=FREE_NEXT_OPEN))
    assert stage.do(plan("p", perp(ONE, P), life_s=900)) is None
    stage.price(T0 + 300 * S, "SOL-PERP", 198 * E6, open_e6=201 * E6)
    assert (stage.fills(), stage.closed()) == ([], [])
    stage.price(T0 + 600 * S, "SOL-PERP", 198 * E6, open_e6=199 * E6)
    assert [fill.quote_e6 for fill in stage.fills()] == [-199 * E6]


def test_a_resting_order_waits_for_no_open_and_expires_at_its_time() -> None:
    stage = opened(config=VenueConfig(deposit_e6=1_000 * E6, models=FREE_NEXT_OPEN))
    assert stage.do(plan("p", perp(ONE, 150 * E6, post=True))) is None
    stage.advance(T0 + 30 * S)
    assert [(event.status, event.ts_ns) for event in stage.closed()] == [("expired", T0 + 30 * S)]


def test_an_atomic_plan_waits_for_both_opens() -> None:
    stage = opened(config=VenueConfig(deposit_e6=1_000 * E6, models=FREE_NEXT_OPEN))
    stage.do(plan("p", spot(ONE, 250 * E6), perp(-ONE, 150 * E6), atomic=True))
    stage.price(T0 + 300 * S, "SOL-PERP", 210 * E6, open_e6=201 * E6)
    assert stage.fills() == []
    stage.price(T0 + 300 * S, "SOL", 210 * E6, open_e6=202 * E6)
    assert [fill.quote_e6 for fill in stage.fills()] == [-202 * E6, 201 * E6]
    stage.assert_books_agree()


def test_an_atomic_plan_fills_at_opens_of_one_moment() -> None:
    stage = opened(config=VenueConfig(deposit_e6=1_000 * E6, models=FREE_NEXT_OPEN))
    stage.do(plan("p", spot(ONE, 202 * E6), perp(-ONE, 210 * E6), life_s=900, atomic=True))
    for ts_ns, open_e6 in ((T0 + 300 * S, 201 * E6), (T0 + 600 * S, 220 * E6)):
        stage.price(ts_ns, "SOL-PERP", open_e6, open_e6=open_e6)
        stage.price(ts_ns, "SOL", open_e6, open_e6=open_e6)
    assert stage.fills() == [], "the spot's open of 201 was over when the perp opened at 220"


def test_partial_fills_come_in_parts_and_may_leave_one_to_expire() -> None:
    models = Models(latency=Latency(0, 0, 0), impact=Impact(0, 0), partial=PartialFills(E6, 3, E6))
    stage = opened(config=VenueConfig(models=models))
    assert stage.do(plan("p", perp(ONE, P))) is None
    filled = sum(fill.base_e9 for fill in stage.fills())
    assert 0 < filled < ONE
    stage.price(T0 + S, "SOL-PERP", P)
    assert sum(fill.base_e9 for fill in stage.fills()) == filled
    stage.advance(T0 + HOUR_NS)
    assert stage.closed()[0].status == "partial"
    whole = opened(config=VenueConfig(models=models))
    closed = whole.do(plan("p", perp(ONE, P), atomic=True))
    assert closed is not None
    assert closed.status == "filled"
    assert len(whole.fills()) > 1
    whole.assert_books_agree()


def test_the_quote_of_a_swap_rounds_against_the_taker_and_its_fee_is_paid_in_quote() -> None:
    stage = opened(P)
    sol = stage.venue._books.markets["SOL"]
    stage.venue._books.markets["SOL"] = structs.replace(sol, spec=structs.replace(sol.spec, taker_fee_e6=1_000))
    stage.do(plan("buy", spot(ONE + 1, P)))
    stage.do(plan("sell", spot(-ONE - 1, P)))
    assert [(fill.quote_e6, fill.fee_e6) for fill in stage.fills()] == [(-P - 1, 200_001), (P, 200_000)]
    assert stage.venue._books.tokens("USDC") == 1_000 * E6 - 400_002
    stage.assert_books_agree()


def test_reports_keep_the_order_of_their_numbers() -> None:
    stage = opened(config=VenueConfig(models=Models(latency=Latency(0, 0, 5 * S), impact=Impact(0, 0))))
    stage.do(plan("p", perp(ONE, P)))
    stage.venue.funding(T0 + S, "SOL-PERP", 10**6)
    assert stage.venue.advance(T0 + S) == []
    stage.advance(T0 + 5 * S)
    cursors = [event.cursor for event in stage.events[-3:] if isinstance(event, AccountEvent)]
    assert cursors == sorted(cursors)
    assert len(cursors) == 3
    stage.assert_books_agree()


def test_a_tip_leaves_with_the_plan_that_filled() -> None:
    models = Models(latency=Latency(0, 0, 0), impact=Impact(0, 0), tip_e6=12_345)
    stage = opened(config=VenueConfig(models=models))
    stage.do(plan("p", perp(ONE, P)))
    stage.do(plan("q", perp(1, P)))
    assert [event.tip_e6 for event in stage.closed()] == [12_345, 0]
    assert stage.state.pnl.tips_e6 == -12_345
    stage.assert_books_agree()


def test_a_paused_market_takes_no_orders_and_fills_none() -> None:
    faults = Faults(market_paused=Window(3_600 * S, 60 * S, (T0 + 10 * S) % (3_600 * S)))
    stage = opened(config=VenueConfig(deposit_e6=1_000 * E6, models=PLAIN, faults=faults))
    stage.do(plan("waits", perp(ONE, 199 * E6), life_s=600))
    update = stage.price(T0 + 20 * S, "SOL-PERP", 199 * E6)
    assert update is not None
    assert update.status == "paused"
    assert stage.fills() == []
    closed = stage.do(plan("refused", perp(ONE, P)), T0 + 20 * S)
    assert closed is not None
    assert closed.reason == "MarketPlaceOrderPaused"
    stage.price(T0 + 80 * S, "SOL-PERP", 199 * E6)
    assert [fill.plan_id for fill in stage.fills()] == ["waits"]


def test_fees_fall_with_volume() -> None:
    stage = opened(deposit_e6=1_000_000 * E6)
    for number in range(12):
        side = 1 if number % 2 == 0 else -1
        stage.do(plan(f"p{number}", perp(side * 1_000 * ONE, P)))
    rates = [fill.fee_e6 * 10**5 // abs(fill.quote_e6) for fill in stage.fills()]
    assert rates == [100] * 11 + [90]  # 200,000 USD each; ten, faded for some seconds, are just short of 2M
    stage.assert_books_agree()


def test_the_volume_is_that_of_perps_by_makers_too() -> None:
    stage = opened(deposit_e6=2_000_000 * E6)
    stage.do(plan("swap", spot(5_000 * ONE, P)))
    stage.do(plan("before", perp(ONE, P)))
    for number in range(11):
        side, ts_ns = (1 if number % 2 == 0 else -1), T0 + (number + 1) * 60 * S
        stage.do(plan(f"p{number}", perp(side * 1_000 * ONE, P - side * E6, post=True), life_s=3_600), ts_ns)
        stage.price(ts_ns, "SOL-PERP", P, P - side * 2 * E6)
        stage.price(ts_ns, "SOL-PERP", P)
    stage.do(plan("after", perp(ONE, P), life_s=7_200), T0 + HOUR_NS)
    assert [fill.fee_e6 for fill in stage.fills() if fill.kind == "perp" and not fill.maker] == [200_000, 180_000]


def test_a_plan_is_never_taken_twice_and_an_unknown_market_never() -> None:
    stage = opened(P)
    stage.do(plan("p", perp(ONE, P)))
    with pytest.raises(ValueError, match="sent before"):
        stage.ask(stage.venue.place(plan("p", perp(ONE, P)), T0))
    stage.do(plan("rests", perp(ONE, 190 * E6, post=True)))
    with pytest.raises(ValueError, match="sent before"):
        stage.ask(stage.venue.place(plan("rests", perp(ONE, 190 * E6, post=True)), T0))
    with pytest.raises(UnknownMarketError, match="XRP-PERP"):
        stage.ask(stage.venue.place(plan("q", perp(ONE, P, market="XRP-PERP")), T0))


def test_resolve_knows_the_closed_the_open_and_the_never_seen() -> None:
    stage = opened(P)
    stage.do(plan("closed", perp(ONE, P)))
    stage.do(plan("open", perp(ONE, 150 * E6)))
    assert stage.ask(stage.venue.resolve("closed", T0)) == stage.closed()[0]
    assert stage.ask(stage.venue.resolve("open", T0)) is None
    never = stage.ask(stage.venue.resolve("never", T0))
    assert never.status == "never_landed"
    assert stage.ask(stage.venue.resolve("never", T0)) == never
    stage.advance(T0)
    assert never in stage.closed()
    stage.assert_books_agree()


def test_events_since_gives_the_stream_without_a_hole() -> None:
    stage = opened(P)
    stage.do(plan("p", perp(ONE, P)))
    events = stage.account_events()
    assert [event.cursor for event in events] == list(range(1, len(events) + 1))
    assert stage.ask(stage.venue.events_since(len(events) - 1, T0)) == events[-1:]
    assert isinstance(events[-2], Filled)


def test_resting_orders_ask_for_the_queue_to_be_passed() -> None:
    models = Models(latency=Latency(0, 0, 0), impact=Impact(0, 0), fills=Fills(through_ticks=5))
    stage = opened(config=VenueConfig(models=models))
    stage.do(plan("p", perp(-ONE, 201 * E6, post=True), life_s=3_600))
    stage.price(T0 + S, "SOL-PERP", P, 201 * E6 + 400)
    assert stage.fills() == []
    stage.price(T0 + 2 * S, "SOL-PERP", P, 201 * E6 + 500)
    assert stage.fills()[0].quote_e6 == 201 * E6
