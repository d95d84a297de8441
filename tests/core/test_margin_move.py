"""One market that moves again and again: the quick way beside the rest equals a start from scratch, and is taken."""

from typing import Any

import pytest
from core_books import account, markets, perp, perp_spec, replaced, spot
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from drift_engine.core.margin_monitor import MarginMonitor, margin_of
from drift_engine.core.margin_move import Fixed, perp_move
from drift_engine.core.margin_perp import PerpHolding
from drift_engine.core.margin_sums import with_quote
from drift_engine.core.types import EngineState, PerpPosition, PerpTotals, SpotBalance
from drift_engine.core.units import E6, E9

SPECS = {
    "SOL-PERP": perp_spec(margin_initial_e4=503, margin_maintenance_e4=307),
    "BTC-PERP": perp_spec("BTC-PERP", imf_e6=4_000, upnl_initial_e4=3_333),
    "ETH-PERP": perp_spec("ETH-PERP", upnl_maintenance_e4=7_777),
}
NAMES = [*SPECS, "SOL"]

amounts = st.integers(-(10**13), 10**13) | st.integers(-3, 3)
prices = st.integers(1, 10**12) | st.integers(1, 3)
positions = st.fixed_dictionaries(
    {
        name: st.builds(
            PerpPosition,
            market=st.just(name),
            base_e9=amounts,
            quote_e6=amounts,
            open_orders=st.integers(0, 2),
            funding_cursor_e9=st.sampled_from([0, 0, 3 * E9]),
        )
        for name in SPECS
    }
)
runs = st.lists(st.tuples(st.sampled_from(NAMES), st.lists(prices, min_size=1, max_size=8), st.integers(0, 30)))
EVENTS = ["funding", "interest", "facts", "totals", "status", "vanished", "account", "no price"]
events = st.sampled_from([*EVENTS, "", "", "", ""])


def _books(sol: int) -> dict[str, Any]:
    return markets(*[structs.replace(perp(100 * E6), spec=spec) for spec in SPECS.values()], spot(sol))


def _happens(state: EngineState, event: str, name: str) -> None:
    market = state.markets[name]
    changes: dict[str, dict[str, Any]] = {
        "funding": {"funding_cumulative_e9": market.funding_cumulative_e9 + E9},
        "facts": {"spec": structs.replace(market.spec, imf_e6=17)},
        "totals": {"totals": PerpTotals(5, oracle_last_e6=9)},
        "status": {"status": "reduce_only"},
        "no price": {"oracle_e6": None},
    }
    if event in changes and name != "SOL":
        state.markets = replaced(state.markets, structs.replace(market, **changes[event]))
    if event == "interest":
        usdc = state.markets["USDC"]
        more = structs.replace(usdc, interest_deposit_e10=usdc.interest_deposit_e10 + 10**8)
        state.markets = replaced(state.markets, more)
    if event == "vanished":
        state.markets = {other: book for other, book in state.markets.items() if other != name}
    if event == "account":
        perps = tuple(structs.replace(held, quote_e6=held.quote_e6 + 1) for held in state.account.perps)
        state.account = structs.replace(state.account, perps=perps)


@given(positions, st.integers(-100, 10**6), amounts, st.integers(0, 4), runs, st.lists(events, min_size=8))
def test_the_quick_way_equals_a_start_from_scratch(
    held: dict[str, PerpPosition], usdc: int, sol: int, count: int, runs: list[Any], events: list[str]
) -> None:
    spots = [SpotBalance("SOL", sol)] if count > 2 else []
    state = EngineState(now_ns=10, slot=10, account=account(usdc, *[*held.values()][:count], *spots))
    state.markets = _books(90 * E6)
    monitor = MarginMonitor()
    for (name, walk, at), event in zip(runs, events, strict=False):
        for price_e6 in walk:
            state.now_ns += at
            market = state.markets.get(name) or _books(90 * E6)[name]
            moved = structs.replace(market, oracle_e6=price_e6, ts_ns=at, oracle_slot=30 - at)
            state.markets = replaced(state.markets, moved)
            assert monitor.check(state) == margin_of(state.account, state.markets, state.now_ns)
            assert monitor.check(state) is monitor.check(state) or monitor.check(state).status == "unknown"
        _happens(state, event, name)
        assert monitor.check(state) == margin_of(state.account, state.markets, state.now_ns)


def _state() -> EngineState:
    sol, btc = PerpPosition("SOL-PERP", -5 * E9, 750 * E6), PerpPosition("BTC-PERP", E9, -90 * E6, open_orders=1)
    return EngineState(
        now_ns=9, slot=9, account=account(500, sol, btc, SpotBalance("SOL", E9)), markets=_books(90 * E6)
    )


def _walk(monitor: MarginMonitor, state: EngineState, name: str, prices: range) -> None:
    for price in prices:
        state.markets = replaced(state.markets, structs.replace(state.markets[name], oracle_e6=price * E6))
        assert monitor.check(state) == margin_of(state.account, state.markets, 9)


def test_nothing_is_priced_by_itself_while_one_market_moves(monkeypatch: pytest.MonkeyPatch) -> None:
    state, monitor, part = _state(), MarginMonitor(), PerpHolding.part
    priced: list[str] = []

    def counted(holding: PerpHolding, *given: Any) -> Any:
        priced.append(holding.name)
        return part(holding, *given)

    _walk(monitor, state, "SOL-PERP", range(100, 106))
    monkeypatch.setattr(PerpHolding, "part", counted)
    for name, expected in (("SOL-PERP", []), ("BTC-PERP", ["SOL-PERP", *["BTC-PERP"] * 5]), ("BTC-PERP", [])):
        priced.clear()
        for price in range(110, 120):
            state.markets = replaced(state.markets, structs.replace(state.markets[name], oracle_e6=price * E6))
            monitor.check(state)
        assert priced == expected


def test_the_rest_grows_old_beside_a_new_price() -> None:
    state, monitor = _state(), MarginMonitor(3, 5)
    _walk(monitor, state, "SOL-PERP", range(100, 106))
    assert (monitor.check(state).status, monitor.check(state).as_of_ns) == ("known", 5)
    new = structs.replace(state.markets["SOL-PERP"], ts_ns=20, oracle_slot=20)
    state.markets, state.now_ns, state.slot = replaced(state.markets, new), 10, 10
    assert (monitor.check(state).status, monitor.check(state).as_of_ns) == ("known", 5)
    state.now_ns = 11
    assert monitor.check(state).status == "stale"
    state.now_ns, state.slot = 10, 11
    assert monitor.check(state).status == "stale"
    old = structs.replace(new, ts_ns=4, oracle_slot=20)
    state.markets, state.slot, state.now_ns = replaced(state.markets, old), 10, 9
    assert (monitor.check(state).status, monitor.check(state).as_of_ns) == ("known", 4)


def test_what_is_not_plain_has_no_quick_way_and_the_same_figures() -> None:
    state = _state()
    state.account = structs.replace(
        state.account, perps=(structs.replace(state.account.perps[0], open_bids_e9=E9), state.account.perps[1])
    )
    for name in ("SOL-PERP", "SOL"):
        _walk(MarginMonitor(), state, name, range(100, 110))


def test_facts_of_the_moved_market_that_change_are_seen() -> None:
    changes: list[dict[str, Any]] = [
        {"totals": PerpTotals(5 * E9, expiry_e6=77 * E6)},
        {"totals": PerpTotals(0, expiry_e6=77 * E6), "status": "settlement"},
    ]
    for change in changes:
        state, monitor = _state(), MarginMonitor()
        known = structs.replace(state.markets["SOL-PERP"], totals=PerpTotals(0, expiry_e6=77 * E6))
        state.markets = replaced(state.markets, known)
        _walk(monitor, state, "SOL-PERP", range(100, 106))
        before, market = monitor.check(state), state.markets["SOL-PERP"]
        kept = market.totals if change["totals"] == market.totals else change["totals"]
        state.markets = replaced(state.markets, structs.replace(market, **{**change, "totals": kept}))
        assert monitor.check(state) == margin_of(state.account, state.markets, 9) != before


@pytest.mark.parametrize("gone", ["SOL-PERP", "BTC-PERP"])
def test_a_market_that_vanishes_while_one_moves_leaves_nothing_known(gone: str) -> None:
    state, monitor = _state(), MarginMonitor()
    _walk(monitor, state, "SOL-PERP", range(100, 106))
    whole = state.markets
    state.markets = {name: market for name, market in whole.items() if name != gone}
    assert monitor.check(state).status == "unknown"
    state.markets = whole
    assert monitor.check(state) == margin_of(state.account, whole, 9)


def test_a_moment_asked_again_is_answered_with_the_same_and_never_with_an_older_age() -> None:
    position = PerpPosition("SOL-PERP", 5 * E9, -400 * E6)
    state = EngineState(now_ns=9, slot=9, account=account(500, position), markets=_books(90 * E6))
    market, quote = state.markets["SOL-PERP"], state.markets["USDC"]
    facts = PerpHolding(position, market).plain_facts
    assert facts is not None
    fixed = Fixed(state.account, lambda books: books["USDC"], quote, 5, 5)
    move = perp_move("SOL-PERP", facts, with_quote(None, 500 * E6), fixed)
    first = move(state)
    assert first == margin_of(state.account, state.markets, 9)
    assert move(state) is first
    for price_e6 in (None, 0):
        state.now_ns, state.markets = 12, replaced(state.markets, structs.replace(market, oracle_e6=price_e6))
        assert move(state) is None
    state.markets = replaced(state.markets, market)
    assert move(state) == structs.replace(margin_of(state.account, state.markets, 9), status="stale")


def test_health_is_that_of_the_worst_scope() -> None:
    margin = margin_of(account(500, PerpPosition("SOL-PERP", E9, -90 * E6)), _books(90 * E6), 9)
    whole_e4 = 10_000 * (margin.collateral_e6 - margin.maintenance_e6) // margin.collateral_e6
    for alone_e4 in (0, whole_e4 - 1, whole_e4, whole_e4 + 1, 10_000):
        assert structs.replace(margin, worst_isolated_e4=alone_e4).health_e4 == min(alone_e4, whole_e4)
    assert structs.replace(margin, status="unknown").health_e4 is None
