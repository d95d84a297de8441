"""The quick ways of the monitor: one plain perp, nothing but quote, a position whose quote alone has changed."""

from typing import Any

import pytest
from core_books import account, markets, perp, perp_spec, replaced, spot
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from drift_engine.core.margin_monitor import MarginMonitor, margin_of
from drift_engine.core.margin_perp import PerpHolding
from drift_engine.core.margin_weights import (
    asset_weight_e4,
    liability_weight_e4,
    perp_ratio_e4,
    perp_ratios_e4,
    spot_weights_e4,
)
from drift_engine.core.types import Account, EngineState, Market, PerpPosition, PerpTotals, SpotBalance
from drift_engine.core.units import E6, E9

NAME = "SOL-PERP"
LONG = PerpPosition(NAME, 2 * E9, -200 * E6)

bases = st.integers(-(10**14), 10**14) | st.integers(-3, 3)
quotes = st.integers(-(10**13), 10**13) | st.integers(-3, 3)
positions = st.builds(
    PerpPosition,
    market=st.just(NAME),
    base_e9=bases,
    quote_e6=quotes,
    open_orders=st.integers(0, 2),
    max_margin_ratio_e4=st.sampled_from([0, 0, 400, 2_000]),
)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("price"), st.integers(1, 10**12) | st.integers(1, 3)),
        st.tuples(st.just("quote"), quotes),
        st.tuples(st.just("funding"), st.integers(-(10**10), 10**10)),
        st.tuples(st.just("cumulative"), st.integers(-(10**10), 10**10)),
        st.tuples(st.just("tokens"), st.integers(-(10**6), 10**6)),
        st.tuples(st.just("interest"), st.integers(10**10, 2 * 10**10)),
        st.tuples(st.just("position"), positions),
        st.tuples(st.just("bids"), st.integers(0, 10**12)),
        st.tuples(st.just("ratio"), st.sampled_from([0, 700, 9_999])),
        st.tuples(st.just("status"), st.sampled_from(["active", "settlement"])),
        st.tuples(st.just("spec"), st.sampled_from([{}, {"upnl_initial_e4": 5_000}, {"imf_e6": 0}])),
        st.tuples(st.just("time"), st.integers(0, 30)),
        st.tuples(st.just("slot"), st.integers(0, 30)),
    ),
    max_size=15,
)


def _after(state: EngineState, step: tuple[str, Any]) -> None:
    """Change a state as a tick may find it."""
    what, value = step
    held, market, usdc = state.account, state.markets[NAME], state.markets["USDC"]
    mine = held.perps[0]
    fresh: dict[str, Any] = {
        "price": lambda: {"oracle_e6": value, "ts_ns": state.now_ns, "oracle_slot": state.slot},
        "funding": lambda: {"funding_cumulative_e9": value},
        "cumulative": lambda: {"funding_cumulative_e9": value},
        "status": lambda: {"status": value, "totals": PerpTotals(7, expiry_e6=77)},
        "spec": lambda: {"spec": perp_spec(**value)},
    }
    if what in fresh:
        state.markets = replaced(state.markets, structs.replace(market, **fresh[what]()))
    if what == "interest":
        state.markets = replaced(state.markets, structs.replace(usdc, interest_deposit_e10=value))
    changed: dict[str, Any] = {
        "quote": lambda: {"quote_e6": value},
        "funding": lambda: {"quote_e6": mine.quote_e6 - value, "funding_cursor_e9": value},
        "bids": lambda: {"open_bids_e9": value, "open_orders": 1},
    }
    if what in changed or what == "position":
        mine = value if what == "position" else structs.replace(mine, **changed[what]())
        state.account = structs.replace(held, perps=(mine,))
    if what == "tokens":
        state.account = structs.replace(held, spots=(SpotBalance("USDC", value * E9),))
    if what == "ratio":
        state.account = structs.replace(held, max_margin_ratio_e4=value)
    state.now_ns = value if what == "time" else state.now_ns
    state.slot = value if what == "slot" else state.slot


@given(positions, st.integers(-100, 10**6), st.integers(1, 10**9), steps)
def test_the_quick_ways_equal_a_start_from_scratch(
    position: PerpPosition, usdc: int, price: int, steps: list[tuple[str, Any]]
) -> None:
    state = EngineState(now_ns=10, slot=10, account=account(usdc, position), markets=markets(perp(price)))
    monitor = MarginMonitor(8, 9)
    for step in [("time", 11), *steps]:
        _after(state, step)
        market, mine = state.markets[NAME], state.account.perps[0]
        expected = margin_of(state.account, state.markets, state.now_ns)
        empty = not (mine.base_e9 or mine.quote_e6 or mine.open_orders)
        if not empty and (state.now_ns - market.ts_ns > 9 or state.slot - market.oracle_slot > 8):
            expected = structs.replace(expected, status="stale")
        assert monitor.check(state) == expected
        assert monitor.check(state) is monitor.check(state)


def test_a_lone_perp_whose_price_is_lost_is_unknown_and_comes_back() -> None:
    monitor = MarginMonitor()
    state = EngineState(account=account(100, LONG), markets=markets(perp(100 * E6)))
    assert monitor.check(state).equity_e6 == 100 * E6
    for lost in (markets(), markets(perp(None)), markets(perp(0))):
        state.markets = lost
        assert monitor.check(state).status == "unknown"
        state.markets = markets(perp(101 * E6))
        assert monitor.check(state).equity_e6 == 102 * E6


def test_a_price_gone_by_is_not_remembered_after_the_quick_way() -> None:
    """The first market comes back together with a change that the quick way does not take."""
    first, second = perp(100 * E6), perp(120 * E6)
    monitor = MarginMonitor()
    state = EngineState(account=account(100, LONG), markets=markets(first))
    monitor.check(state)
    state.markets = markets(second)
    assert monitor.check(state).equity_e6 == 140 * E6
    state.markets = {**markets(first), "USDC": spot(E6, name="USDC", deposit_e10=2 * 10**10)}
    assert monitor.check(state).equity_e6 == 200 * E6


def test_interest_reaches_an_account_of_nothing_but_quote() -> None:
    monitor = MarginMonitor()
    state = EngineState(account=account(100), markets=markets())
    assert monitor.check(state).equity_e6 == 100 * E6
    state.now_ns = 7
    assert monitor.check(state).as_of_ns == 7
    state.markets = {"USDC": spot(E6, name="USDC", deposit_e10=2 * 10**10)}
    assert monitor.check(state).equity_e6 == 200 * E6


def test_a_new_margin_ratio_of_the_account_reaches_positions_that_stay_the_same() -> None:
    monitor = MarginMonitor()
    state = EngineState(account=account(100, LONG), markets=markets(perp(100 * E6)))
    assert monitor.check(state).initial_e6 == 10 * E6
    state.account = Account("USDC", state.account.spots, state.account.perps, 2_000)
    assert monitor.check(state).initial_e6 == 40 * E6


def test_a_lone_perp_that_is_gone_or_not_alone_or_whose_quote_changed_is_no_lone_perp() -> None:
    state = EngineState(account=account(100, LONG), markets=markets(perp(100 * E6), perp(9 * E6, name="ETH-PERP")))
    accrued = {"USDC": spot(E6, name="USDC", deposit_e10=2 * 10**10)}
    later = structs.replace(LONG, quote_e6=-190 * E6)
    cases: list[tuple[tuple[PerpPosition, ...], dict[str, Market], int]] = [
        ((), {}, 100),
        ((LONG, PerpPosition("ETH-PERP", E9)), {}, 109),
        ((later,), accrued, 210),
    ]
    for perps, books, equity_e6 in cases:
        monitor, now = MarginMonitor(), EngineState(account=state.account, markets=state.markets)
        assert monitor.check(now).equity_e6 == 100 * E6
        now.account, now.markets = structs.replace(now.account, perps=perps), {**now.markets, **books}
        assert monitor.check(now) == margin_of(now.account, now.markets, 0)
        assert monitor.check(now).equity_e6 == equity_e6 * E6


def test_a_balance_that_stays_is_kept_and_one_that_changes_is_not() -> None:
    monitor = MarginMonitor()
    state = EngineState(
        account=account(0, SpotBalance("SOL", E9), LONG), markets=markets(perp(100 * E6), spot(90 * E6))
    )
    assert monitor.check(state).equity_e6 == 90 * E6
    state.account = structs.replace(state.account, perps=(structs.replace(LONG, quote_e6=-190 * E6),))
    assert monitor.check(state).equity_e6 == 100 * E6
    state.account = structs.replace(state.account, spots=(SpotBalance("SOL", 2 * E9),))
    assert monitor.check(state).equity_e6 == 190 * E6
    state.account = structs.replace(state.account, spots=())
    assert monitor.check(state).equity_e6 == 10 * E6


@pytest.mark.parametrize(
    "change",
    [{"base_e9": 1}, {"open_bids_e9": 1}, {"open_asks_e9": -1}, {"max_margin_ratio_e4": 1}, {"market": "ETH-PERP"}],
)
def test_a_position_of_another_size_or_ratio_is_made_anew(change: dict[str, Any]) -> None:
    holding = PerpHolding(LONG, perp(100 * E6))
    assert holding.takes(structs.replace(LONG, quote_e6=1, open_orders=1), perp(100 * E6))
    assert not holding.takes(structs.replace(LONG, **change), perp(100 * E6))


@given(
    st.integers(0, 10**18) | st.integers(0, 10**11),
    st.integers(0, 200_000),
    st.integers(0, 20_000),
    st.integers(0, 20_000),
    st.sampled_from([0, 1, 600, 30_000]),
)
def test_both_ratios_and_weights_are_those_of_each_kind(size: int, imf: int, low: int, high: int, own: int) -> None:
    facts = perp_spec(imf_e6=imf, margin_maintenance_e4=low, margin_initial_e4=high)
    kinds: Any = ("maintenance", "initial")
    assert perp_ratios_e4(facts, size, own) == tuple(perp_ratio_e4(facts, size, kind, own) for kind in kinds)
    for decimals in (6, 9, 12):
        coin: Any = spot(
            1,
            decimals=decimals,
            imf_e6=imf,
            asset_maintenance_e4=high,
            asset_initial_e4=low,
            liability_maintenance_e4=low,
            liability_initial_e4=high,
        ).spec
        assert spot_weights_e4(coin, size + 1, own) == tuple(asset_weight_e4(coin, size + 1, k, own) for k in kinds)
        assert spot_weights_e4(coin, -size, own) == tuple(liability_weight_e4(coin, -size, k, own) for k in kinds)


@given(st.integers(1, 200_000), st.integers(1, 20_000), st.integers(-2, 2))
def test_the_premium_begins_at_the_very_size(imf: int, weight: int, off: int) -> None:
    facts = perp_spec(imf_e6=imf, margin_maintenance_e4=weight, margin_initial_e4=weight)
    root = -(-(weight // 5 + 1) * 10**7 // imf)
    size = max(0, -(-(root * root - 1) // 10) + off)
    assert perp_ratios_e4(facts, size) == (perp_ratio_e4(facts, size, "maintenance"),) * 2
