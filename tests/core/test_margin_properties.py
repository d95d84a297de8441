"""Margin on random accounts: equal to the plain model, and the monitor equal to a start from scratch at every step."""

from typing import Any

import margin_model
from core_books import perp_spec, spot_spec
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from drift_engine.core.margin_monitor import MarginMonitor, assess, margin_of
from drift_engine.core.types import (
    Account,
    EngineState,
    Margin,
    Market,
    MarketStatus,
    PerpPosition,
    PerpTotals,
    SpotBalance,
)
from drift_engine.core.units import E9, E10
from drift_engine.core.valuation import equity_e6

PERPS = {
    "SOL-PERP": perp_spec(imf_e6=50, margin_initial_e4=503, margin_maintenance_e4=307),
    "BTC-PERP": perp_spec("BTC-PERP", imf_e6=4_000, upnl_initial_e4=3_333, upnl_maintenance_e4=7_777),
}
SPOTS = {
    "USDC": spot_spec("USDC"),
    "SOL": spot_spec("SOL"),
    "wBTC": spot_spec("wBTC", decimals=8, imf_e6=105_000),
    "odd": spot_spec("odd", decimals=12, imf_e6=0),
}

amounts = st.integers(-(10**13), 10**13) | st.integers(-3, 3)
sizes = st.integers(0, 10**13) | st.just(0)
prices = st.integers(1, 10**12) | st.integers(1, 100)
interests = st.integers(E10, 3 * E10) | st.just(E10)
ratios = st.sampled_from([0, 0, 1, 1_234, 9_999, 10_000, 40_000])
statuses: st.SearchStrategy[MarketStatus] = st.sampled_from(["active", "active", "reduce_only", "settlement"])


def perps() -> st.SearchStrategy[PerpPosition]:
    return st.builds(
        PerpPosition,
        market=st.sampled_from(sorted(PERPS)),
        base_e9=amounts,
        quote_e6=amounts,
        open_bids_e9=sizes,
        open_asks_e9=sizes.map(int.__neg__),
        open_orders=st.integers(1, 3),
        funding_cursor_e9=st.sampled_from([0, 5 * E9]),
        max_margin_ratio_e4=ratios,
    )


def balances() -> st.SearchStrategy[SpotBalance]:
    return st.builds(
        SpotBalance,
        market=st.sampled_from(sorted(SPOTS)),
        scaled_e9=amounts,
        open_bids=sizes,
        open_asks=sizes.map(int.__neg__),
        open_orders=st.integers(1, 3),
    )


def quiet(held: Any) -> Any:
    """The same holding without orders."""
    bare = {name: 0 for name in held.__struct_fields__ if name.startswith("open")}
    return structs.replace(held, **bare)


accounts = st.builds(
    lambda spots, perps, calm, ratio: Account(
        "USDC",
        tuple(quiet(spot) if calm or spot.market == "USDC" else spot for spot in spots),
        tuple(quiet(perp) if calm else perp for perp in perps),
        ratio,
    ),
    st.lists(balances(), max_size=4, unique_by=lambda spot: spot.market),
    st.lists(perps(), max_size=2, unique_by=lambda perp: perp.market),
    st.booleans(),
    ratios,
)
ages = st.integers(0, 300)
perp_markets = st.builds(
    Market,
    spec=st.sampled_from(list(PERPS.values())),
    ts_ns=ages,
    oracle_e6=prices,
    oracle_slot=ages,
    status=statuses,
    funding_cumulative_e9=st.integers(-(10**11), 10**11) | st.just(5 * E9),
)
spot_markets = st.builds(
    Market,
    spec=st.sampled_from(list(SPOTS.values())),
    ts_ns=ages,
    oracle_e6=prices,
    oracle_slot=ages,
    interest_deposit_e10=interests,
    interest_borrow_e10=interests,
)


def settling(market: Market) -> Market:
    """The market, with the price it settles at where it is in settlement."""
    totals = PerpTotals(market.funding_cumulative_e9, expiry_e6=market.oracle_e6 or 0)
    return structs.replace(market, totals=totals) if market.status == "settlement" else market


@st.composite
def books(draw: st.DrawFn) -> dict[str, Market]:
    """Every market once, at a price."""
    every = [settling(structs.replace(draw(perp_markets), spec=spec)) for spec in PERPS.values()]
    every += [structs.replace(draw(spot_markets), spec=spec) for spec in SPOTS.values()]
    return {market.name: market for market in every}


@given(accounts, books())
def test_both_kinds_equal_the_plain_model(account: Account, markets: dict[str, Market]) -> None:
    margin = margin_of(account, markets, 77)
    maintenance = margin_model.assess(account, markets, "maintenance")
    initial = margin_model.assess(account, markets, "initial")
    assert (margin.collateral_e6, margin.maintenance_e6, margin.liabilities_e6) == maintenance
    assert (margin.collateral_initial_e6, margin.initial_e6) == initial[:2]
    assert assess(account, markets, "maintenance") == maintenance[:2]
    assert assess(account, markets, "initial") == initial[:2]
    assert margin.equity_e6 == equity_e6(account, markets)
    assert margin.free_e6 == max(0, initial[0] - initial[1])


@given(accounts, books())
def test_health_and_leverage_follow_from_the_figures(account: Account, markets: dict[str, Market]) -> None:
    margin = margin_of(account, markets, 77)
    collateral, requirement = margin.collateral_e6, margin.maintenance_e6
    assert margin.health_e4 is not None
    if requirement == 0 and collateral >= 0:
        assert margin.health_e4 == 10_000
    elif collateral <= requirement:
        assert margin.health_e4 == 0
    else:
        assert margin.health_e4 * collateral <= (collateral - requirement) * 10_000
        assert (margin.health_e4 + 1) * collateral > (collateral - requirement) * 10_000
    if margin.equity_e6 > 0:
        assert margin.leverage_e4 == margin.liabilities_e6 * 10_000 // margin.equity_e6
    else:
        assert margin.leverage_e4 is None or margin.equity_e6 == margin.liabilities_e6 == margin.leverage_e4 == 0


def expected(state: EngineState, max_slots: int, max_ns: int) -> Margin:
    margin = margin_of(state.account, state.markets, state.now_ns)
    held = [
        spot.market for spot in state.account.spots if spot.market != "USDC" and (spot.scaled_e9 or spot.open_orders)
    ]
    held += [perp.market for perp in state.account.perps if perp.base_e9 or perp.quote_e6 or perp.open_orders]
    old = any(
        state.slot - state.markets[name].oracle_slot > max_slots or state.now_ns - state.markets[name].ts_ns > max_ns
        for name in held
    )
    return structs.replace(margin, status="stale") if margin.status == "known" and old else margin


steps = st.lists(
    st.one_of(
        accounts,
        perp_markets,
        spot_markets,
        st.builds(lambda market: structs.replace(market, oracle_e6=None), perp_markets | spot_markets),
        st.tuples(ages, ages),
    ),
    max_size=12,
)


@given(accounts, books(), steps, st.integers(0, 200), st.integers(0, 200))
def test_the_monitor_equals_a_start_from_scratch(
    account: Account, markets: dict[str, Market], steps: list[Any], max_slots: int, max_ns: int
) -> None:
    monitor = MarginMonitor(max_slots, max_ns)
    state = EngineState(now_ns=300, slot=300, account=account, markets=markets)
    assert monitor.check(state) == expected(state, max_slots, max_ns)
    for step in steps:
        if isinstance(step, Account):
            state.account = step
        elif isinstance(step, Market):
            state.markets[step.name] = step
        else:
            state.now_ns, state.slot = step
        assert monitor.check(state) == expected(state, max_slots, max_ns)
        assert monitor.check(state) == expected(state, max_slots, max_ns)
