"""Liquidation, bankruptcy included: the venue acts at maintenance, and the engine's ledger agrees to the unit."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs
from venue_stage import KNOWN_E6, ONE, PLAIN, T0, S, Stage, opened, perp, plan, spot

from drift_engine.core.margin_monitor import assess
from drift_engine.core.types import Account, AccountEvent, Leg, Market, PerpPosition, PnlSettled, SpotBalance
from drift_engine.core.units import E6, HOUR_NS, ceil_to_step
from drift_engine.simulation import watch
from drift_engine.simulation.facts import venue_facts
from drift_engine.simulation.models import Fees, FeeTier, LiquidationRules, Models, VenueConfig
from drift_engine.simulation.quotes import ANY, NONE

P = 200 * E6
FIVE_MINUTES = 300 * S


ENTRY = 228_697_000


def long_20(entry_e6: int = ENTRY) -> Stage:
    stage = opened(entry_e6)
    stage.do(plan("p", perp(20 * ONE, entry_e6)))
    return stage


def test_twenty_sol_on_a_thousand_dollars_fall_at_184_46() -> None:
    stage = long_20()
    stage.price(T0 + S, "SOL-PERP", 184_470_000)
    assert stage.liquidated() == []
    stage.price(T0 + 2 * S, "SOL-PERP", 184_450_000)
    event = stage.liquidated()[0]
    # 1000 - 4.574 fee - 20 x (228.697 - 184.45) = 110.486 < 20 x 184.45 x 3 % = 110.67
    assert event.liquidation == "perp"
    assert event.base_e9 < 0
    assert event.fees_e6 > 0
    assert event.ts_ns == T0 + 2 * S
    stage.assert_books_agree()


def test_the_very_unit_at_which_maintenance_ends() -> None:
    def falls(price_e6: int) -> bool:
        stage = long_20()
        stage.price(T0 + S, "SOL-PERP", price_e6)
        return bool(stage.liquidated())

    low, high = 180 * E6, 190 * E6
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if falls(middle) else (low, middle)

    def slack_e6(price_e6: int) -> int:
        return 1_000 * E6 - 20 * ENTRY // 1_000 - 20 * (ENTRY - price_e6) - 20 * price_e6 * 300 // 10_000

    assert slack_e6(low) < 0 <= slack_e6(high)
    assert low == pytest.approx(184_460_000, abs=1_000)


def test_a_large_shortage_goes_in_parts_over_slots() -> None:
    stage = opened(P, deposit_e6=100_000 * E6)
    stage.do(plan("p", perp(9_000 * ONE, P)))
    stage.price(T0 + S, "SOL-PERP", 194 * E6)
    first = stage.liquidated()
    assert {event.liquidation for event in first} == {"perp"}
    assert 0 < -sum(event.base_e9 for event in first) < 3_000 * ONE
    assert stage.venue._liquidator.active
    refused = stage.do(plan("q", perp(-ONE, 190 * E6, reduce_only=True), now_ns=T0 + S), T0 + S)
    assert refused is not None
    assert refused.reason == "UserIsBeingLiquidated"
    stage.price(T0 + 61 * S, "SOL-PERP", 194 * E6)
    assert len(stage.liquidated()) > len(first)
    assert not stage.venue._liquidator.active
    assert stage.venue._books.perps["SOL-PERP"].base_e9 > 0
    stage.assert_books_agree()


def test_an_account_that_the_price_saves_is_let_go() -> None:
    stage = opened(P, deposit_e6=100_000 * E6)
    stage.do(plan("p", perp(9_000 * ONE, P)))
    stage.price(T0 + S, "SOL-PERP", 194 * E6)
    taken = stage.liquidated()
    stage.price(T0 + 2 * S, "SOL-PERP", 210 * E6)
    assert not stage.venue._liquidator.active
    closed = stage.do(plan("q", perp(-ONE, 205 * E6, reduce_only=True), now_ns=T0 + 2 * S), T0 + 2 * S)
    assert closed is not None
    assert closed.status == "filled"
    stage.price(T0 + 600 * S, "SOL-PERP", 209 * E6)
    assert stage.liquidated() == taken
    stage.assert_books_agree()


def test_a_perp_goes_for_what_the_program_asks_and_bears_its_share_of_the_shortage() -> None:
    stage = long_20()
    stage.do(plan("btc", perp(ONE // 200, 100_000 * E6, market="BTC-PERP")))
    stage.price(T0 + S, "SOL-PERP", 182 * E6)
    first = stage.liquidated()[0]
    sol_e6, btc_e6 = 20 * 182 * E6, 500 * E6
    fees_e6 = (20 * ENTRY + btc_e6) // 1_000
    # the buffer of 2 % is asked of the losses as well
    short_e6 = (sol_e6 + btc_e6) * 5 // 100 - (1_000 * E6 - (fees_e6 + 20 * (ENTRY - 182 * E6)) * 102 // 100)
    # 95 % of what the margin of 5 % leaves over the liquidator's 0.75 % and this perp's share of the shortage
    rate_e6 = (42_500 - short_e6 * E6 // (sol_e6 + btc_e6)) * 19 // 20
    assert 0 < rate_e6 < 7_500
    whole_e9 = short_e6 * ONE // (182 * (42_500 - rate_e6))
    assert first.market == "SOL-PERP"
    assert first.base_e9 == -ceil_to_step(whole_e9 // 5, 10**7)
    assert first.fees_e6 == pytest.approx(-first.base_e9 * 182 * (7_500 + rate_e6) // ONE, abs=400)
    assert first.quote_e6 == -first.base_e9 * 182 * E6 // ONE - first.fees_e6
    stage.assert_books_agree()


def test_the_largest_perp_goes_first_and_nothing_else_before_it_is_gone() -> None:
    """While a part of it has to wait, no profit of an open perp is settled, and no borrow is touched."""
    stage = opened(P, deposit_e6=100_000 * E6)
    stage.do(plan("small", perp(ONE, 100_000 * E6, market="BTC-PERP")))
    stage.do(plan("borrow", spot(-50 * ONE, P)))
    stage.do(plan("large", perp(-6_000 * ONE, P)))
    owed = stage.venue._books.tokens("SOL")
    stage.price(T0 + S, "SOL-PERP", 212 * E6)
    assert {(event.liquidation, event.market) for event in stage.liquidated()} == {("perp", "SOL-PERP")}
    first = stage.liquidated()[0]
    assert 0 < first.base_e9 < 3_000 * ONE
    assert first.fees_e6 == first.base_e9 * 212 * 15_000 // ONE
    assert first.quote_e6 == -first.base_e9 * 212 * E6 // ONE - first.fees_e6
    assert stage.venue._liquidator.active
    assert not [event for event in stage.events if isinstance(event, PnlSettled)]
    assert stage.venue._books.tokens("SOL") == owed
    stage.assert_books_agree()


@pytest.mark.parametrize(("lots", "whole"), [(20, True), (30, False)])
def test_a_perp_worth_fifty_dollars_goes_at_once(lots: int, *, whole: bool) -> None:
    held_e9 = lots * ONE // 100
    stage = opened(P, deposit_e6=lots * E6 // 4)
    stage.do(plan("p", perp(held_e9, P)))
    stage.price(T0 + S, "SOL-PERP", 180 * E6)
    first = stage.liquidated()[0]
    assert (first.base_e9 == -held_e9) is whole


def test_the_liquidators_fee_grows_with_the_slots_to_its_bound() -> None:
    """0.75 %, and 0.01 bp a slot from ten minutes on, to three times as much."""
    rules = LiquidationRules(duration_slots=10**6)
    models = Models(latency=PLAIN.latency, impact=PLAIN.impact, liquidation=rules)
    stage = opened(ENTRY, config=VenueConfig(deposit_e6=100_000 * E6, models=models))
    stage.do(plan("p", perp(2_000 * ONE, ENTRY)))
    rates = []
    for after_s in (1, 500, 701, 1_001, 8_001):
        told = len(stage.liquidated())
        stage.price(T0 + after_s * S, "SOL-PERP", 181 * E6)
        rates += [-event.fees_e6 * E6 * ONE // (event.base_e9 * 181 * E6) for event in stage.liquidated()[told:]]
    assert rates == pytest.approx([7_500] * 3 + [7_500 + 1_750, 7_500 + 2_500] + [22_500] * 2, abs=3)
    stage.assert_books_agree()


def test_orders_are_cancelled_first() -> None:
    stage = opened(P)
    stage.do(plan("p", perp(80 * ONE, P)))
    assert stage.do(plan("rest", perp(-ONE, 300 * E6, post=True), life_s=3_600)) is None
    stage.price(T0 + S, "SOL-PERP", 190 * E6)
    assert [(e.plan_id, e.reason) for e in stage.closed() if e.status == "cancelled"] == [("rest", "liquidation")]
    assert stage.liquidated()
    stage.assert_books_agree()


def drained(stage: Stage, price_e6: int, market: str = "SOL-PERP") -> None:
    for row in range(1, 6):
        stage.price(T0 + row * FIVE_MINUTES, market, price_e6)


def test_a_crash_through_everything_ends_in_bankruptcy() -> None:
    stage = long_20()
    drained(stage, 148_520_000)
    kinds = [event.liquidation for event in stage.liquidated()]
    assert kinds[0] == "perp"
    assert kinds[-1] == "bankruptcy"
    assert "perp_pnl" in kinds
    forgiven = stage.liquidated()[-1].forgiven_e6
    assert forgiven == stage.liquidated()[-1].quote_e6 > 0
    assert stage.venue._books.account() == Account("USDC")
    assert stage.state.equity_e6 == 0
    assert stage.state.pnl.total_e6() == -1_000 * E6
    stage.assert_books_agree()


def test_a_borrow_is_paid_with_the_deposit() -> None:
    stage = opened(P)
    stage.do(plan("p", spot(-20 * ONE, P)))
    stage.price(T0 + S, "SOL", 235 * E6)
    event = stage.liquidated()[0]
    assert event.liquidation == "spot"
    assert (event.asset, event.liability) == ("USDC", "SOL")
    assert event.asset_tokens < 0 < event.liability_tokens < 19 * ONE, "a part of it at first"
    # liquidator 0.75 % and up to 2.25 % for the insurance fund, of which the borrow is not relieved
    paid_for = -event.asset_tokens * 992_500 // E6 * ONE // event.oracle_e6
    assert 0 < paid_for - event.liability_tokens <= paid_for * 22_500 // E6 + 10
    assert event.fees_e6 == pytest.approx(-event.asset_tokens - event.liability_tokens * event.oracle_e6 // ONE, abs=3)
    drained(stage, 235 * E6, "SOL")
    assert not stage.venue._liquidator.active
    stage.assert_books_agree()


def test_the_buffer_is_asked_of_sizes_losses_and_borrows() -> None:
    markets = {name: Market(spec, oracle_e6=P) for name, spec in venue_facts().items()}
    account = Account(
        "USDC",
        (SpotBalance("USDC", 100 * ONE), SpotBalance("SOL", -2 * ONE)),
        (PerpPosition("SOL-PERP", 10 * ONE, -2_300 * E6), PerpPosition("BTC-PERP", -ONE, 250 * E6)),
    )
    have_e6, need_e6 = assess(account, markets, "maintenance")
    assert watch.shortage_e6(account, markets, 0) == need_e6 - have_e6
    # 2 % of 10 and 1 coins of 200, of a loss of 300 and of a borrow of 400; the profit of 50 needs none
    assert watch.shortage_e6(account, markets, 200) == need_e6 - have_e6 + 44 * E6 + 6 * E6 + 8 * E6
    assert watch.shortage_e6(Account("USDC", account.spots[:1]), markets, 200) == 0


def test_a_borrow_nothing_can_pay_is_forgiven() -> None:
    stage = opened(P)
    stage.do(plan("p", spot(-20 * ONE, P)))
    drained(stage, 400 * E6, "SOL")
    last = stage.liquidated()[-1]
    assert (last.liquidation, last.market, last.liability) == ("bankruptcy", "SOL", "SOL")
    assert last.liability_tokens > ONE
    assert last.forgiven_e6 == -(-last.liability_tokens * 400 * E6 // ONE)
    assert last.fees_e6 == 0
    assert stage.state.equity_e6 == 0
    stage.assert_books_agree()


def test_a_perp_loss_is_paid_with_a_sol_deposit() -> None:
    stage = opened(P, deposit_e6=2_000 * E6)
    stage.do(plan("spot", spot(9 * ONE, P)))
    stage.do(plan("perp", perp(-40 * ONE, P)))
    stage.tell([u for u in [stage.venue.price(T0 + S, "SOL", P, P)] if u])
    drained(stage, 245 * E6)
    paid = [event for event in stage.liquidated() if event.liquidation == "perp_pnl"]
    assert {event.asset for event in paid} >= {"SOL"}
    stage.assert_books_agree()


def test_deposits_pay_a_perp_loss_at_their_discounts_and_only_the_rest_is_forgiven() -> None:
    stage = opened(P, deposit_e6=2_000 * E6)
    stage.do(plan("spot", spot(9 * ONE, P)))
    stage.do(plan("perp", perp(-40 * ONE, P)))
    drained(stage, 260 * E6)
    *perps, with_sol, with_quote, bankruptcy = stage.liquidated()
    assert {event.liquidation for event in perps} == {"perp"}
    assert sum(event.base_e9 for event in perps) == 40 * ONE
    assert (with_sol.asset, with_sol.asset_tokens) == ("SOL", -9 * ONE)
    assert with_sol.quote_e6 == pytest.approx(1_800 * E6 * 9_925 // 10_075, abs=1)
    assert (with_quote.asset, with_quote.asset_tokens) == ("USDC", -200 * E6)
    assert with_quote.quote_e6 == 198_500_000
    assert [(event.liability, event.liability_tokens) for event in (with_sol, with_quote)] == [("", 0)] * 2
    fees_e6 = 40 * 200 * 1_000 + sum(event.fees_e6 for event in perps)
    left_e6 = 40 * 60 * E6 + fees_e6 - with_sol.quote_e6 - with_quote.quote_e6
    assert bankruptcy.forgiven_e6 == bankruptcy.quote_e6 == left_e6
    assert stage.venue._books.account() == Account("USDC")
    stage.assert_books_agree()


def test_profit_of_a_closed_perp_is_settled_to_pay_a_borrow() -> None:
    stage = opened(P, deposit_e6=1_000 * E6)
    stage.do(plan("perp", perp(10 * ONE, P)))
    stage.do(plan("spot", spot(-16 * ONE, P)))
    stage.price(T0 + S, "SOL-PERP", 300 * E6)
    drained(stage, 300 * E6, "SOL")
    assert [event.market for event in stage.events if isinstance(event, PnlSettled)] == ["SOL-PERP"]
    assert {event.liquidation for event in stage.liquidated()} == {"perp", "spot"}
    stage.assert_books_agree()


PERPS = st.tuples(st.integers(-5_000, 5_000), st.integers(-200_000 * E6, 200_000 * E6))
MOVES = st.lists(st.sampled_from((-1_000, 1_000)) | st.integers(-1_000, 1_000), min_size=4, max_size=4)


@settings(max_examples=200, deadline=None)
@given(
    st.tuples(PERPS, PERPS), st.integers(-500, 500), st.integers(0, 10**6), MOVES, st.tuples(*[st.integers(0, 20)] * 4)
)
def test_inside_the_bands_maintenance_holds(
    perps: tuple[tuple[int, int], ...], coins: int, usd: int, moves: list[int], open_steps: tuple[int, ...]
) -> None:
    sol, btc = perps
    markets = {name: Market(spec) for name, spec in venue_facts().items()}
    prices = {"SOL-PERP": 187_654_321, "BTC-PERP": 98_765_432_100, "SOL": 187_600_001, "wBTC": 98_700_000_007}
    markets |= {name: structs.replace(markets[name], oracle_e6=price) for name, price in prices.items()}
    account = Account(
        "USDC",
        (
            SpotBalance("USDC", usd * 10**9),
            SpotBalance("SOL", coins * 10**9, open_steps[0] * 10**9, -open_steps[1] * 10**9, 1),
        ),
        (
            PerpPosition("SOL-PERP", sol[0] * 10**8, sol[1], open_bids_e9=open_steps[2] * 10**8, open_orders=1),
            PerpPosition("BTC-PERP", btc[0] * 10**5, btc[1], open_asks_e9=-open_steps[3] * 10**5),
        ),
    )
    have, need = assess(account, markets, "maintenance")
    if have < need:
        return
    bands = watch.bands(account, markets, have - need)
    for (name, (low, high)), move in zip(bands.items(), moves, strict=False):
        if low <= high:
            price = (low + high) // 2 + (high - low) // 2 * move // 1_000
            markets[name] = structs.replace(markets[name], oracle_e6=max(1, price))
    have, need = assess(account, markets, "maintenance")
    assert have >= need


PATHS = st.lists(st.integers(50, 150), min_size=1, max_size=12)


@settings(max_examples=60, deadline=None)
@given(PATHS, st.integers(-95, 95), st.integers(-20, 20), st.booleans())
def test_on_any_path_the_books_agree_and_the_liquidation_ends(
    path: list[int], size: int, coins: int, fund: bool
) -> None:
    stage = opened(P)
    stage.do(plan("spot", spot(coins * ONE, P)) if coins else plan("none", perp(ONE, P)))
    stage.do(plan("perp", perp(size * ONE, P)))
    for row, pct in enumerate(path, start=1):
        ts_ns = T0 + row * HOUR_NS
        if fund:
            stage.venue.funding(ts_ns, "SOL-PERP", 10**7)
        stage.price(ts_ns, "SOL-PERP", P * pct // 100)
        stage.price(ts_ns, "SOL", P * pct // 100)
        stage.assert_books_agree()
    markets = {market.name: market for market in stage.ask(stage.venue.markets())}
    have, need = assess(stage.venue._books.account(), markets, "maintenance")
    assert have >= need or stage.venue._liquidator.active


def test_the_cheap_check_misses_nothing() -> None:
    """A path of small steps ends as one that looks afresh at every price."""

    def outcome(*, always: bool) -> list[object]:
        stage = Stage(venue=opened(config=VenueConfig(deposit_e6=1_000 * E6, models=PLAIN)).venue)
        for event in stage.account_events():
            stage.inbox.put(event)
        stage.ask(stage.venue.place(plan("p", perp(20 * ONE, 210 * E6)), T0))
        stage.venue.advance(T0)
        for step in range(1, 400):
            if always:
                stage.venue._watch.empty()
            stage.venue.price(T0 + step * S, "SOL-PERP", P - step * 130_001, P - step * 130_001)
        return list(stage.account_events())

    assert outcome(always=True) == outcome(always=False)


LENT = {
    "SOL": spot(-25 * ONE, P // 2),
    "wBTC": spot(-ONE // 20, 250 * P, market="wBTC"),
    "USDC": spot(20 * ONE, 2 * P),
}
"""Interest is owed on what is borrowed for these."""


def eaten(eater: str, *, always: bool) -> list[object]:
    """Let one thing eat an account's slack at a price that does not move, until it is gone."""
    fees = Fees((FeeTier(0, 600_000, 0),)) if eater == "fees" else Fees()
    models = Models(fees=fees, latency=PLAIN.latency, impact=PLAIN.impact, tip_e6=60 * E6 if eater == "tips" else 0)
    stage = opened(P, config=VenueConfig(deposit_e6=(12_000 if eater == "fees" else 1_200) * E6, models=models))
    if eater in LENT:
        stage.venue.interest(T0, "wBTC", 0, KNOWN_E6, 0)
        stage.do(plan("borrow", LENT[eater]))
    else:
        stage.do(plan("long", perp(80 * ONE, 2 * P)))
    for step in range(1, 60):
        ts_ns = T0 + step * S
        if eater == "funding":
            stage.venue.funding(ts_ns, "SOL-PERP", 25 * 10**7)
        elif eater in LENT:
            stage.venue.interest(ts_ns, eater, 0, 3_000_000, 50_000)
        else:
            stage.do(plan(f"p{step}", perp(-ONE // 2, P // 2), now_ns=ts_ns), ts_ns)
        if always:
            stage.venue._watch.empty()
        for name, price_e6 in (("SOL-PERP", P), ("SOL", P), ("wBTC", 500 * P)):
            stage.price(ts_ns, name, price_e6, price_e6 * (80 if eater == "slippage" else 100) // 100)
    stage.advance(T0 + 60 * S)
    assert stage.liquidated()
    return list(stage.account_events())


@pytest.mark.parametrize("eater", ["funding", "fees", "tips", "slippage", *LENT])
def test_what_eats_the_reserve_ends_in_liquidation_on_the_row_it_must(eater: str) -> None:
    assert eaten(eater, always=False) == eaten(eater, always=True)


LOTS = {"SOL-PERP": 6 * ONE, "SOL": 2 * ONE, "BTC-PERP": ONE * 12 // 1_000, "wBTC": ONE * 3 // 1_000}


def wandered(seed: int, *, always: bool) -> list[AccountEvent]:
    """Trade and do whatever an account can, at random, while four prices wander; ``always`` looks afresh at each."""
    dice = Random(seed)
    tip_e6 = dice.choice((0, E6))
    stage = opened(P, config=VenueConfig(deposit_e6=2_000 * E6, models=structs.replace(PLAIN, tip_e6=tip_e6)))
    venue = stage.venue
    venue.interest(T0, "wBTC", 0, KNOWN_E6, 0)
    prices = {name: venue.quotes.of[name].oracle_e6 for name in LOTS}
    trends = {name: dice.randint(-3, 3) for name in LOTS}
    for step in range(1, 120):
        ts_ns = T0 + step * S
        something_happens(stage, dice, f"p{step}", prices, ts_ns)
        for name in LOTS:
            prices[name] += prices[name] * (dice.choice((0, 0, 1, -1)) * dice.randint(0, 8) + trends[name]) // 1_000
            if always:
                held = {*venue._books.perps, *venue._books.spots} - {"USDC"}
                for each, quote in venue.quotes.of.items():
                    quote.low_e6, quote.high_e6 = NONE if each in held else ANY
            stage.price(ts_ns, name, prices[name])
    stage.advance(T0 + 200 * S)
    stage.assert_books_agree(T0 + 200 * S)
    return list(stage.account_events())


def something_happens(stage: Stage, dice: Random, plan_id: str, prices: dict[str, int], ts_ns: int) -> None:
    venue, name = stage.venue, dice.choice(list(LOTS))
    what, base_e9, usd = dice.randrange(12), dice.randint(-12, 12) * LOTS[name], dice.randint(1, 100)
    if what < 4 and base_e9:
        is_perp = name.endswith("PERP")
        post = is_perp and dice.random() < 0.4
        away_pct = (1 if base_e9 > 0 else -1) * (-1 if post else 2)
        limit_e6 = prices[name] * (100 + away_pct) // 100
        leg = Leg(name, base_e9, limit_e6, "perp" if is_perp else "spot", dice.random() < 0.2, post)
        stage.do(plan(plan_id, leg, now_ns=ts_ns, life_s=dice.choice((3, 30))), ts_ns)
    elif what == 4:
        venue.funding(ts_ns, dice.choice(("SOL-PERP", "BTC-PERP")), dice.randint(-(10**8), 10**8))
    elif what == 5:
        venue.interest(ts_ns, dice.choice(("SOL", "USDC", "wBTC")), 50_000, 100_000, 36_000)
    elif what == 6:
        stage.ask(venue.settle_pnl(dice.choice(("SOL-PERP", "BTC-PERP")), ts_ns))
    elif what == 7:
        venue.withdraw("USDC", usd * 4 * E6, ts_ns)
    elif what == 8:
        venue.deposit(dice.choice(("USDC", "SOL")), usd * E6, ts_ns)


@pytest.mark.parametrize("seed", range(40))
def test_the_cheap_check_misses_nothing_whatever_happens(seed: int) -> None:
    assert wandered(seed, always=False) == wandered(seed, always=True)
