"""What the monitor says of age and of what it does not know, and what it does not do again."""

from typing import Any

import pytest
from core_books import USDC, account, markets, perp, perp_spec, replaced, spot, spot_spec
from msgspec import structs

from drift_engine.core.margin_monitor import MarginMonitor, margin_of
from drift_engine.core.types import Account, EngineState, Margin, Market, PerpPosition, SpotBalance
from drift_engine.core.units import E6, E9

LONG = PerpPosition("SOL-PERP", 2 * E9, -200 * E6)


def state(held: Account, **books: int | None) -> EngineState:
    """Feed time 5 and oracle slot 7 for every market; the engine's clock is at 10 and 10."""
    return EngineState(
        now_ns=10,
        slot=10,
        account=held,
        markets=markets(perp(100 * E6 if not books else books["price"]), spot(90 * E6)),
    )


def test_nothing_held_is_healthy_and_as_new_as_the_clock() -> None:
    monitor = MarginMonitor(0, 0)
    margin = monitor.check(state(account(25)))
    assert margin == Margin(25 * E6, 0, 25 * E6, 0, 25 * E6, 0, 10, "known")
    assert margin.health_score == 1.0
    empty = monitor.check(state(account()))
    assert (empty.health_e4, empty.leverage_e4, empty.equity_e6) == (10_000, 0, 0)


def test_a_debt_and_nothing_else_has_no_health() -> None:
    margin = MarginMonitor().check(state(account(-5)))
    assert (margin.health_e4, margin.leverage_e4, margin.maintenance_e6, margin.liabilities_e6) == (
        0,
        None,
        5 * E6,
        5 * E6,
    )


def test_age_in_slots_and_in_time() -> None:
    held = account(100, LONG)
    assert MarginMonitor(3, 5).check(state(held)).status == "known"
    assert MarginMonitor(2, 5).check(state(held)).status == "stale"
    assert MarginMonitor(3, 4).check(state(held)).status == "stale"
    assert MarginMonitor(None, None).check(state(held)).status == "known"
    stale = MarginMonitor(0, 0).check(state(held))
    assert stale == structs.replace(margin_of(held, state(held).markets, 10), status="stale")
    assert stale.as_of_ns == 5


def test_age_comes_with_time_alone_and_goes_with_a_price() -> None:
    monitor, now = MarginMonitor(3, 100), state(account(100, LONG))
    assert monitor.check(now).status == "known"
    now.slot = 11
    assert monitor.check(now).status == "stale"
    now.markets = replaced(now.markets, structs.replace(now.markets["SOL-PERP"], oracle_slot=11))
    assert monitor.check(now).status == "known"


def test_the_oldest_held_price_counts_and_no_other() -> None:
    held = account(100, LONG, SpotBalance("SOL", E9))
    now = state(held)
    now.markets = replaced(now.markets, structs.replace(now.markets["SOL"], ts_ns=3, oracle_slot=2))
    margin = MarginMonitor(5, 100).check(now)
    assert (margin.as_of_ns, margin.status) == (3, "stale")
    now.account = account(100, LONG)
    assert MarginMonitor(5, 100).check(now).as_of_ns == 5


def test_an_unknown_price_leaves_nothing_but_its_age() -> None:
    held = account(100, LONG, SpotBalance("SOL", E9))
    unknown = Margin(0, 0, 0, 0, 0, 0, 5, "unknown")
    monitor, now = MarginMonitor(), state(held, price=None)
    assert monitor.check(now) == margin_of(held, now.markets, 10) == unknown
    assert unknown.health_score is None
    now.markets = replaced(now.markets, perp(100 * E6))
    assert monitor.check(now).status == "known"
    now.markets = replaced(now.markets, perp(None))
    assert monitor.check(now).status == "unknown"
    now.markets = {}
    assert monitor.check(now) == structs.replace(unknown, as_of_ns=0)
    now.account = account(100)
    assert monitor.check(now) == structs.replace(unknown, as_of_ns=0)


def test_a_market_that_vanishes_is_unknown() -> None:
    monitor, now = MarginMonitor(), state(account(100, LONG))
    assert monitor.check(now).status == "known"
    del now.markets["SOL-PERP"]
    assert monitor.check(now).status == "unknown"


def test_empty_entries_need_no_price() -> None:
    held = account(100, PerpPosition("SOL-PERP"), SpotBalance("SOL"))
    assert MarginMonitor().check(state(held, price=None)).health_e4 == 10_000


def test_interest_funding_and_facts_reach_what_was_prepared() -> None:
    held = account(100, LONG, SpotBalance("SOL", -E9))
    monitor, now = MarginMonitor(), state(held)
    before = monitor.check(now)
    changes: list[tuple[str, dict[str, Any]]] = [
        ("USDC", {"interest_deposit_e10": 2 * 10**10}),
        ("SOL", {"interest_borrow_e10": 2 * 10**10}),
        ("SOL", {"spec": spot_spec(liability_initial_e4=20_000)}),
        ("SOL-PERP", {"funding_cumulative_e9": E9}),
        ("SOL-PERP", {"spec": perp_spec(margin_initial_e4=10_000)}),
        ("SOL-PERP", {"status": "settlement"}),
    ]
    for name, change in changes:
        market = structs.replace(now.markets[name], **change)
        now.markets = replaced(now.markets, market)
        after = monitor.check(now)
        assert after != before
        assert after == margin_of(held, now.markets, 10)
        before = after


def test_the_same_tick_is_the_same_margin() -> None:
    monitor, now = MarginMonitor(), state(account(100, LONG))
    assert monitor.check(now) == monitor.check(now)
    assert monitor.check(now) is monitor.check(now)
    now.markets = replaced(now.markets, perp(101 * E6))
    assert monitor.check(now) is monitor.check(now)


def test_a_deposit_s_interest_reaches_what_was_prepared() -> None:
    monitor, now = MarginMonitor(), state(account(0, SpotBalance("SOL", E9)))
    assert monitor.check(now).equity_e6 == 90 * E6
    now.markets = replaced(now.markets, structs.replace(now.markets["SOL"], interest_deposit_e10=2 * 10**10))
    assert monitor.check(now).equity_e6 == 180 * E6


def test_an_account_that_changed_is_priced_anew_and_again_when_its_price_moves() -> None:
    """The first margin of each account is asked once and prepares nothing; the second goes the prepared way."""
    monitor, now = MarginMonitor(3, 5), state(account(100, LONG))
    for quote_e6 in (-200 * E6, -190 * E6, -180 * E6):
        now.account = account(100, structs.replace(LONG, quote_e6=quote_e6))
        for price in (100 * E6, 101 * E6, 99 * E6):
            now.markets = replaced(now.markets, perp(price))
            assert monitor.check(now) == margin_of(now.account, now.markets, now.now_ns)
        now.slot += 1
        assert monitor.check(now).status == "stale"
        now.account = structs.replace(now.account, perps=(LONG,))
        assert monitor.check(now).status == "stale"
        now.slot -= 1


@pytest.mark.parametrize("ages", [(3, 5), (2, 5), (3, 4)])
@pytest.mark.parametrize(
    "held",
    [
        account(100, structs.replace(LONG, isolated=True, isolated_scaled_e9=50 * E9)),
        account(100, SpotBalance("SOL", E9), structs.replace(LONG, open_bids_e9=E9, open_orders=1)),
        account(100),
    ],
)
@pytest.mark.parametrize("quote", [spot(E6, name="USDC"), spot(990_000, name="USDC", at_par=False)])
def test_the_first_margin_of_an_account_is_as_old_as_the_next(
    held: Account, quote: Market, ages: tuple[int, int]
) -> None:
    now = state(held)
    now.markets = replaced(now.markets, quote)
    monitor = MarginMonitor(*ages)
    first = monitor.check(now)
    assert first == monitor.check(now)
    priced = bool(held.perps) or quote.spec != USDC.spec
    assert first.status == ("stale" if priced and ages != (3, 5) else "known")


def test_the_account_before_the_last_is_not_taken_for_the_new_one() -> None:
    monitor, now = MarginMonitor(), state(account(100, LONG))
    first, second = now.account, account(50, LONG)
    for held, equity_e6 in ((first, 100), (first, 100), (second, 50), (first, 100), (first, 100), (second, 50)):
        now.account = held
        assert monitor.check(now).equity_e6 == equity_e6 * E6
