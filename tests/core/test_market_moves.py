"""Prices and a tick in one go leave the ledger as one after the other does."""

from core_books import perp_spec, spot_spec
from hypothesis import given
from hypothesis import strategies as st

from drift_engine.core.market_moves import apply_tick
from drift_engine.core.position_manager import apply
from drift_engine.core.types import (
    Deposited,
    EngineState,
    Filled,
    Kind,
    MarketUpdated,
    RunStarted,
    Ticked,
)
from drift_engine.core.units import DAY_NS, E6, E9

SPECS = (perp_spec(), spot_spec(), spot_spec(name="USDC"))
NAMES = ("SOL-PERP", "SOL")
STEPS = st.lists(
    st.tuples(
        st.dictionaries(st.sampled_from(NAMES), st.integers(1, 300 * E6), max_size=2),
        st.integers(0, DAY_NS),
    ),
    max_size=12,
)


def begun(base_e9: int, spot_e9: int) -> EngineState:
    state = EngineState()
    apply(state, RunStarted(0, "backtest", "hold", {}, {}, "USDC", SPECS, "sim", {}, True, "0"))
    apply(state, Deposited(0, 1, "USDC", 10_000 * E6))
    for name in NAMES:
        apply(state, MarketUpdated(0, name, 0, 100 * E6, 0))
    for cursor, (name, base) in enumerate(zip(NAMES, (base_e9, spot_e9), strict=True), start=2):
        kind: Kind = "perp" if name == "SOL-PERP" else "spot"
        if base:
            quote_e6 = -base * 100 // 1_000
            apply(
                state,
                Filled(
                    0, state.venue_cursor + 1, f"p{cursor}", 0, name, kind, base, quote_e6, 0, 100 * E6, 100 * E6, 0, 0
                ),
            )
    return state


@given(st.integers(-50 * E9, 50 * E9), st.integers(-20 * E9, 20 * E9), STEPS)
def test_in_one_go_is_one_after_the_other(base_e9: int, spot_e9: int, steps: list[tuple[dict[str, int], int]]) -> None:
    plain, quick = begun(base_e9, spot_e9), begun(base_e9, spot_e9)
    now_ns = 1
    for prices, later_ns in steps:
        now_ns += later_ns
        updates = [
            MarketUpdated(now_ns, name, now_ns // 4, price, now_ns // 4, price + 1) for name, price in prices.items()
        ]
        for update in updates:
            apply(plain, update)
        apply(plain, Ticked(now_ns, now_ns // 4))
        apply_tick(quick, updates, (now_ns, now_ns // 4))
        assert quick == plain
        assert quick.equity_e6 - quick.net_deposits_e6 == quick.pnl.total_e6()


def test_each_mark_is_counted_when_it_moves_a_new_low_too() -> None:
    state = begun(10 * E9, 0)
    counted = []
    for price_usd, now_ns in ((100, 1), (100, 2), (99, 3), (99, 4), (98, 5), (99, 6), (101, 7), (101, DAY_NS)):
        apply_tick(state, (MarketUpdated(now_ns, "SOL-PERP", 1, price_usd * E6, 1),), (now_ns, 1))
        counted.append(state.marks)
    first = counted[0]
    assert [marks - first for marks in counted] == [0, 0, 1, 1, 2, 2, 3, 4]
