"""Funding, interest, settled PnL, deposits and withdrawals move the venue's books and the engine's alike."""

from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs
from venue_stage import KNOWN_E6, ONE, T0, S, Stage, opened, perp, plan, spot

from drift_engine.core.driving import drive
from drift_engine.core.funding import payment_e6
from drift_engine.core.types import Account, FundingPaid, InterestAccrued, PnlSettled
from drift_engine.core.units import E6, HOUR_NS

P = 200 * E6


def fund(stage: Stage, ts_ns: int, rate_e9: int, market: str = "SOL-PERP") -> None:
    stage.venue.funding(ts_ns, market, rate_e9)
    stage.advance(ts_ns)


def test_capital_comes_in_first() -> None:
    stage = Stage()
    stage.advance(T0)
    assert (stage.state.venue_cursor, stage.state.equity_e6) == (1, 1_000 * E6)
    assert stage.events[0].ts_ns == T0
    stage.assert_books_agree()


@given(st.lists(st.integers(-(10**8), 10**8), min_size=1, max_size=8), st.integers(-100, 100).filter(bool))
def test_funding_is_the_sum_of_the_hours_truncated_one_by_one(rates: list[int], steps: int) -> None:
    stage = opened(P, deposit_e6=100_000 * E6)
    base_e9 = steps * 10**7
    stage.do(plan("p", perp(base_e9, P)))
    for hour, rate_e9 in enumerate(rates, start=1):
        fund(stage, T0 + hour * HOUR_NS, rate_e9)
    paid = [event for event in stage.events if isinstance(event, FundingPaid)]
    assert [event.payment_e6 for event in paid] == [payment_e6(rate_e9, base_e9) for rate_e9 in rates]
    assert stage.state.pnl.funding_e6 == sum(event.payment_e6 for event in paid)
    stage.assert_books_agree()


def test_nothing_held_settles_nothing_and_a_new_position_owes_nothing_old() -> None:
    stage = opened(P)
    fund(stage, T0 + HOUR_NS, 10**7)
    stage.do(plan("p", perp(ONE, P), now_ns=T0 + HOUR_NS), T0 + HOUR_NS)
    fund(stage, T0 + 2 * HOUR_NS, 10**6)
    stage.do(plan("q", perp(-ONE, P), now_ns=T0 + 2 * HOUR_NS), T0 + 2 * HOUR_NS)
    fund(stage, T0 + 3 * HOUR_NS, 10**7)
    stage.do(plan("r", perp(-ONE, P), now_ns=T0 + 3 * HOUR_NS), T0 + 3 * HOUR_NS)
    stage.do(plan("s", perp(ONE, P), now_ns=T0 + 3 * HOUR_NS), T0 + 3 * HOUR_NS)
    drive(stage.venue.settle_pnl("SOL-PERP", T0 + 3 * HOUR_NS))
    stage.advance(T0 + 3 * HOUR_NS)
    assert stage.venue._books.perps == {}
    stage.do(plan("t", perp(-ONE, P), now_ns=T0 + 3 * HOUR_NS), T0 + 3 * HOUR_NS)
    assert stage.venue._books.perps["SOL-PERP"].funding_cursor_e9 == 10**6
    fund(stage, T0 + 4 * HOUR_NS, 2 * 10**6)
    assert [event.payment_e6 for event in stage.events if isinstance(event, FundingPaid)] == [-1_000, 2_000]
    position = stage.venue._books.perps["SOL-PERP"]
    assert position.funding_cursor_e9 == stage.venue._books.markets["SOL-PERP"].funding_cumulative_e9
    stage.assert_books_agree()


def test_funding_is_told_at_its_time() -> None:
    stage = opened(P)
    stage.do(plan("p", perp(ONE, P)))
    stage.venue.funding(T0 + HOUR_NS, "SOL-PERP", 10**6)
    assert stage.venue.due_ns <= T0 + HOUR_NS
    assert isinstance(stage.venue.advance(T0 + HOUR_NS)[-1], FundingPaid)
    update = stage.price(T0 + HOUR_NS, "SOL-PERP", P)
    assert update is not None
    assert update.funding_e9 == 10**6


def test_interest_accrues_to_deposits_and_borrows() -> None:
    stage = opened(P)
    stage.do(plan("p", spot(-ONE, P)))
    for name in ("USDC", "SOL"):
        update = stage.venue.interest(T0 + HOUR_NS, name, 50_000, KNOWN_E6, 3_600)
        assert (update is not None) == (name == "USDC")
        stage.tell([update] if update else [])
        stage.advance(T0 + HOUR_NS)
    books = stage.venue._books
    assert books.tokens("USDC") == 1_200 * E6 + 1_200 * E6 * 50_000 * 3_600 // 31_536_000 // E6
    assert books.tokens("SOL") < -ONE
    assert stage.state.pnl.interest_e6 == 1_200 * E6 * 50_000 // 8_760 // E6 - 200 * E6 * KNOWN_E6 // 8_760 // E6
    assert [type(event) for event in stage.events if isinstance(event, InterestAccrued)] == [InterestAccrued] * 4
    stage.assert_books_agree()


def test_a_borrow_grows_by_a_unit_more_also_where_it_costs_nothing() -> None:
    stage = opened(P)
    stage.do(plan("p", spot(-ONE, P)))
    before = stage.venue._books.markets["SOL"]
    stage.venue.interest(T0 + HOUR_NS, "SOL", 0, 0, 3_600)
    stage.advance(T0 + HOUR_NS)
    after = stage.venue._books.markets["SOL"]
    assert after.interest_deposit_e10 == before.interest_deposit_e10
    assert after.interest_borrow_e10 == before.interest_borrow_e10 + 1
    stage.assert_books_agree()


def test_rates_not_known_accrue_nothing_and_forbid_borrowing() -> None:
    stage = opened(P)
    before = stage.venue._books.cursor
    assert stage.venue.interest(T0 + HOUR_NS, "SOL", 0, -1, 3_600) is None
    assert stage.venue._books.cursor == before
    closed = stage.do(plan("p", spot(-ONE, P), now_ns=T0 + HOUR_NS), T0 + HOUR_NS)
    assert closed is not None
    assert closed.reason.startswith("BorrowRateUnknown")


def test_settling_moves_the_pnl_and_not_the_equity() -> None:
    stage = opened(P)
    assert drive(stage.venue.settle_pnl("SOL-PERP", T0)) == "UserHasNoPositionInMarket"
    stage.do(plan("p", perp(ONE, P)))
    stage.price(T0 + S, "SOL-PERP", 210 * E6)
    before = stage.state.equity_e6
    assert drive(stage.venue.settle_pnl("SOL-PERP", T0 + S)) is None
    stage.advance(T0 + S)
    settled = stage.events[-1]
    assert isinstance(settled, PnlSettled)
    assert settled.pnl_e6 == 10 * E6 - 200_000
    assert stage.state.equity_e6 == before
    assert drive(stage.venue.settle_pnl("SOL-PERP", T0 + S)) == "NoUnsettledPnl"
    stage.assert_books_agree()


def test_what_has_no_pnl_settles_nothing() -> None:
    stage = opened(P)
    stage.do(plan("p", perp(ONE, P)))
    assert stage.venue._books.settle(T0, "BTC-PERP", P) is None
    first = stage.venue._books.settle(T0, "SOL-PERP", P)
    assert first is not None
    cursor = stage.venue._books.cursor
    assert stage.venue._books.settle(T0, "SOL-PERP", P) is None
    assert stage.venue._books.cursor == cursor


def test_a_loss_settles_only_above_maintenance_margin() -> None:
    stage = opened(P)
    stage.do(plan("p", perp(90 * ONE, P)))
    quote = stage.venue.quotes.of["SOL-PERP"]
    quote.last = structs.replace(quote.last, oracle_e6=188 * E6)  # before any liquidator looked
    assert drive(stage.venue.settle_pnl("SOL-PERP", T0 + S)) == "InsufficientCollateralForSettlingPNL"
    stage.advance(T0 + S)
    assert not [event for event in stage.events if isinstance(event, PnlSettled)]
    quote.last = structs.replace(quote.last, oracle_e6=197 * E6)
    assert drive(stage.venue.settle_pnl("SOL-PERP", T0 + S)) is None, "below initial margin, above maintenance"


def test_a_profit_settles_also_below_maintenance_margin() -> None:
    stage = opened(P)
    stage.do(plan("short", perp(-ONE // 100, 100_000 * E6, market="BTC-PERP")))
    stage.do(plan("long", perp(90 * ONE, P)))
    for name, price_e6 in (("SOL-PERP", 188 * E6), ("BTC-PERP", 99_000 * E6)):
        quote = stage.venue.quotes.of[name]
        quote.last = structs.replace(quote.last, oracle_e6=price_e6)
    assert drive(stage.venue.settle_pnl("BTC-PERP", T0 + S)) is None
    stage.advance(T0 + S)
    stage.assert_books_agree()


def test_all_may_be_withdrawn_where_nothing_is_at_risk() -> None:
    stage = opened(P)
    assert stage.venue.withdraw("USDC", 1_000 * E6, T0) is None
    assert stage.venue._books.account() == Account("USDC")


def test_a_withdrawal_counts_the_orders_of_its_own_market() -> None:
    """Without the deposit, the open sale would borrow what it sells."""
    stage = opened(P, deposit_e6=300 * E6)
    stage.venue.deposit("SOL", 10 * ONE, T0)
    stage.advance(T0)
    assert stage.do(plan("sale", spot(-10 * ONE, 201 * E6))) is None, "it waits for its price"
    refusal = stage.venue.withdraw("SOL", 10 * ONE, T0)
    assert refusal is not None
    assert refusal.startswith("InsufficientCollateral")


def test_withdrawals_leave_initial_margin() -> None:
    stage = opened(P)
    assert stage.venue.withdraw("USDC", 1_001 * E6, T0) == "InsufficientDeposit"
    stage.do(plan("p", perp(50 * ONE, P)))
    refusal = stage.venue.withdraw("USDC", 600 * E6, T0)
    assert refusal is not None
    assert refusal.startswith("InsufficientCollateral")
    assert stage.venue.withdraw("USDC", 300 * E6, T0) is None
    stage.venue.deposit("SOL", ONE, T0)
    stage.advance(T0)
    assert stage.state.net_deposits_e6 == 900 * E6 - 1  # a withdrawal rounds against the account
    stage.assert_books_agree()
