"""The ledger's identity: after every event, equity is what the account is worth and what the eight causes sum to."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drift_engine.core import position_manager, types, valuation
from drift_engine.core.types import (
    Deposited,
    EngineState,
    Event,
    Filled,
    FundingPaid,
    InterestAccrued,
    Leg,
    Liquidated,
    MarketUpdated,
    PerpPosition,
    PerpSpec,
    PlanClosed,
    PnlSettled,
    RunStarted,
    SpotSpec,
    StateChanged,
    Submitted,
    Ticked,
    TradePlan,
    Trading,
    Withdrawn,
)
from drift_engine.core.units import DAY_NS, E6, E9

PERP = PerpSpec(
    "SOL-PERP", 0, "SOL", "USDC", "sol", 10**7, 100, 10**7, 500, 300, 50, 0, 10_000, 7500, 7500, 1000, -200, "B"
)
QUOTE = SpotSpec(
    "USDC", 0, "USDC", "usdc", 6, 1_000, 1, 1_000, *(10_000,) * 4, 0, 0, 5_000, 0, 800_000, 52_500, 900_000
)
SOL = SpotSpec(
    "SOL", 1, "SOL", "sol", 9, 1, 1, 1, 8000, 9000, 12000, 11000, 1250, 7500, 22500, 0, 800_000, 100_000, 1_500_000
)
SPECS: tuple[PerpSpec | SpotSpec, ...] = (PERP, QUOTE, SOL)


def started(ts_ns: int = 0) -> RunStarted:
    return RunStarted(ts_ns, "paper", "hold", {}, {}, "USDC", SPECS, "sim", {}, True, "0")


def fresh(deposit_e6: int = 10_000 * E6, price_e6: int = 100 * E6) -> EngineState:
    state = EngineState()
    for event in (
        started(),
        MarketUpdated(0, "USDC", 0, E6, 0),
        MarketUpdated(0, "SOL-PERP", 0, price_e6, 0, price_e6),
        MarketUpdated(0, "SOL", 0, price_e6, 0, price_e6),
        Deposited(0, 1, "USDC", deposit_e6),
    ):
        position_manager.apply(state, event)
    return state


def check_identity(state: EngineState) -> None:
    assert state.equity_e6 == valuation.equity_e6(state.account, state.markets)
    assert state.equity_e6 == state.net_deposits_e6 + state.pnl.total_e6()
    for position in state.account.perps:
        assert position.base_e9 or position.quote_e6 or position.open_orders
    assert all(balance.scaled_e9 for balance in state.account.spots)


@dataclass
class Script:
    """Turns drawn moves into events with valid cursors and times."""

    state: EngineState
    plans: int = 0
    interest: dict[str, tuple[int, int]] = field(
        default_factory=lambda: {"USDC": (10**10, 10**10), "SOL": (10**10, 10**10)}
    )
    funding_e9: int = 0

    def cursor(self) -> int:
        return self.state.venue_cursor + 1

    def fill(self, kind: types.Kind, base_e9: int, price_e6: int, fee_e6: int, basis_e6: int) -> Event:
        market = "SOL-PERP" if kind == "perp" else "SOL"
        oracle_e6 = self.state.markets[market].oracle_e6 or 0
        quote_e6 = -(base_e9 * price_e6) // E9
        return Filled(
            1,
            self.cursor(),
            "p0",
            0,
            market,
            kind,
            base_e9,
            quote_e6,
            fee_e6,
            oracle_e6 + basis_e6 % 7,
            oracle_e6 + basis_e6,
            0,
            1,
        )

    def events(self, move: tuple[str, int, int, int]) -> list[Event]:
        kind, a, b, c = move
        cursor = self.cursor()
        price_e6 = 50 * E6 + abs(b) % (200 * E6)
        if kind == "price":
            return [MarketUpdated(1, ("SOL-PERP", "SOL")[a % 2], 0, price_e6, 0, price_e6 + c % 10_000)]
        if kind in ("perp", "spot"):
            return [
                self.fill(
                    "perp" if kind == "perp" else "spot",
                    a % (40 * E9) - 20 * E9 or 1,
                    price_e6,
                    c % 1_000_000 - 200_000,
                    b % 99_999 - 50_000,
                )
            ]
        if kind == "funding":
            self.funding_e9 += a % 2_000_000 - 1_000_000
            rate_e9 = self.funding_e9 - self.state.account.perp("SOL-PERP").funding_cursor_e9
            return [FundingPaid(1, cursor, "SOL-PERP", rate_e9, self.funding_e9, 0, 0)]
        if kind == "interest":
            name = ("USDC", "SOL")[a % 2]
            deposit, borrow = self.interest[name]
            self.interest[name] = (deposit + abs(b) % 10**8, borrow + abs(c) % 10**8 + 1)
            return [InterestAccrued(1, cursor, name, *self.interest[name])]
        if kind == "deposit":
            return [Deposited(1, cursor, ("USDC", "SOL")[a % 2], abs(b) + 1)]
        if kind == "withdraw":
            return [Withdrawn(1, cursor, ("USDC", "SOL")[a % 2], abs(b) % 10**9 + 1)]
        if kind == "settle":
            return [PnlSettled(1, cursor, "SOL-PERP", a % (100 * E6) - 50 * E6)]
        if kind == "liquidation":
            held = self.state.account.perp("SOL-PERP").base_e9
            return [
                Liquidated(
                    1,
                    cursor,
                    "perp",
                    "SOL-PERP",
                    -held,
                    b % 10**9,
                    price_e6,
                    5,
                    0,
                    "SOL",
                    -(abs(c) % 10**9),
                    "USDC",
                    a % 10**6,
                )
            ]
        self.plans += 1
        plan = TradePlan(
            f"q{self.plans}", (Leg("SOL-PERP", a % (4 * E9) - 2 * E9 or 1, price_e6, "perp"),), False, "", None, 9
        )
        return [
            Submitted(1, plan),
            Filled(
                1,
                cursor,
                plan.plan_id,
                0,
                "SOL-PERP",
                "perp",
                plan.legs[0].base_e9 // 2,
                7,
                1,
                price_e6,
                price_e6,
                0,
                1,
            ),
            PlanClosed(1, cursor + 1, plan.plan_id, "partial", 1, tip_e6=abs(c) % 1000),
        ]


KINDS = ("price", "perp", "spot", "funding", "interest", "deposit", "withdraw", "settle", "liquidation", "plan")
MOVES = st.tuples(st.sampled_from(KINDS), *(st.integers(-(10**12), 10**12),) * 3)


@settings(max_examples=300, deadline=None)
@given(st.lists(MOVES, min_size=1, max_size=40))
def test_pnl_by_cause_sums_to_the_change_in_equity_after_every_event(moves: list[tuple[str, int, int, int]]) -> None:
    script = Script(fresh())
    check_identity(script.state)
    for move in moves:
        for event in script.events(move):
            position_manager.apply(script.state, event)
            check_identity(script.state)


@settings(max_examples=100, deadline=None)
@given(st.lists(MOVES, min_size=1, max_size=30))
def test_folding_the_same_events_gives_the_same_state(moves: list[tuple[str, int, int, int]]) -> None:
    script, folded = Script(fresh()), fresh()
    for move in moves:
        for event in script.events(move):
            position_manager.apply(script.state, event)
            position_manager.apply(folded, event)
    assert folded == script.state


def test_a_fill_books_basis_slippage_and_fee_by_side() -> None:
    state = fresh()
    # buy 2 at 100.30 with the mark at 100.10 and the oracle at 100: basis -0.20, slippage -0.40, fee 0.2006
    position_manager.apply(
        state, Filled(5, 2, "p1", 0, "SOL-PERP", "perp", 2 * E9, -200_600_000, 200_600, 100 * E6, 100_100_000, 0, 5)
    )
    assert (state.pnl.basis_e6, state.pnl.slippage_e6, state.pnl.fees_e6) == (-200_000, -400_000, -200_600)
    assert state.equity_e6 == 10_000 * E6 - 800_600
    assert (state.first_fill_ns, state.last_fill_ns) == (5, 5)


def test_a_short_sold_above_the_mark_gains_on_slippage() -> None:
    state = fresh()
    position_manager.apply(
        state, Filled(5, 2, "p1", 0, "SOL-PERP", "perp", -E9, 100_200_000, -20_040, 100 * E6, 100_100_000, 0, 5)
    )
    assert (state.pnl.basis_e6, state.pnl.slippage_e6, state.pnl.fees_e6) == (100_000, 100_000, 20_040)


def test_a_late_fill_gives_the_move_since_to_price() -> None:
    state = fresh()
    position_manager.apply(state, MarketUpdated(1, "SOL-PERP", 0, 110 * E6, 0, 110 * E6))
    position_manager.apply(state, Filled(0, 2, "p1", 0, "SOL-PERP", "perp", E9, -100 * E6, 0, 100 * E6, 100 * E6, 0, 5))
    assert (state.pnl.price_e6, state.pnl.basis_e6, state.pnl.slippage_e6) == (10 * E6, 0, 0)


def test_open_orders_count_from_submitted_to_closed() -> None:
    state = fresh()
    legs = (
        Leg("SOL-PERP", 3 * E9, 100 * E6, "perp"),
        Leg("SOL-PERP", -E9, 100 * E6, "perp"),
        Leg("SOL", E9, 100 * E6, "spot"),
    )
    position_manager.apply(state, Submitted(1, TradePlan("p1", legs, False, "", None, 9)))
    position = state.account.perp("SOL-PERP")
    assert (position.open_bids_e9, position.open_asks_e9, position.open_orders) == (3 * E9, -E9, 2)
    assert state.recent_plans_ns == (1,)
    position_manager.apply(state, Filled(2, 2, "p1", 0, "SOL-PERP", "perp", E9, -100 * E6, 0, 100 * E6, 100 * E6, 0, 2))
    assert state.account.perp("SOL-PERP").open_bids_e9 == 2 * E9
    position_manager.apply(state, PlanClosed(3, 3, "p1", "partial", 3))
    position = state.account.perp("SOL-PERP")
    assert (position.open_bids_e9, position.open_asks_e9, position.open_orders, position.base_e9) == (0, 0, 0, E9)
    assert state.in_flight == {}


def test_a_fill_of_a_plan_that_is_not_in_flight_is_booked_all_the_same() -> None:
    state = fresh()
    position_manager.apply(
        state, Filled(2, 2, "gone", 0, "SOL-PERP", "perp", E9, -100 * E6, 0, 100 * E6, 100 * E6, 0, 2)
    )
    position_manager.apply(state, PlanClosed(3, 3, "gone", "filled", 3))
    assert state.account.perp("SOL-PERP").base_e9 == E9


def test_account_events_out_of_order_are_a_bug() -> None:
    state = fresh()
    for cursor in (1, 3):
        with pytest.raises(position_manager.OutOfOrderError, match=f"event {cursor} came after 1"):
            position_manager.apply(state, Deposited(1, cursor, "USDC", 1))


def test_a_plan_submitted_twice_is_a_bug() -> None:
    state = fresh()
    submitted = Submitted(1, TradePlan("p1", (), False, "", None, 9))
    position_manager.apply(state, submitted)
    with pytest.raises(position_manager.OutOfOrderError, match="p1 was submitted twice"):
        position_manager.apply(state, submitted)


def test_marks_of_drawdowns_move_with_transfers_and_days() -> None:
    state = fresh()
    position_manager.apply(state, Ticked(DAY_NS + 5, 1))
    assert (state.next_day_ns, state.day_equity_e6, state.high_water_e6) == (2 * DAY_NS, 10_000 * E6, 10_000 * E6)
    position_manager.apply(state, Withdrawn(DAY_NS + 6, 2, "USDC", 4_000 * E6))
    assert (state.day_equity_e6, state.high_water_e6) == (6_000 * E6 - 1, 6_000 * E6 - 1)
    position_manager.apply(
        state, Filled(1, 3, "x", 0, "SOL-PERP", "perp", 10 * E9, -1_060 * E6, 0, 100 * E6, 100 * E6, 0, 1)
    )
    position_manager.apply(state, Ticked(DAY_NS + 7, 1))
    assert state.max_drawdown_e6 == 60 * 10**12 // (6_000 * E6 - 1)
    position_manager.apply(state, Ticked(2 * DAY_NS, 1))
    assert (state.next_day_ns, state.day_equity_e6, state.high_water_e6) == (3 * DAY_NS, 5_940 * E6 - 1, 6_000 * E6 - 1)


def test_an_empty_account_has_no_drawdown() -> None:
    state = EngineState()
    position_manager.apply(state, started())
    state.equity_e6 = -1
    position_manager.apply(state, Ticked(1, 0))
    assert state.max_drawdown_e6 == 0


def test_resuming_starts_the_drawdowns_anew() -> None:
    state = fresh()
    position_manager.apply(
        state, Filled(1, 2, "x", 0, "SOL-PERP", "perp", 10 * E9, -2_000 * E6, 0, 100 * E6, 100 * E6, 0, 1)
    )
    halted = StateChanged(1, Trading.HALTED, "lost", "account", latched=True)
    position_manager.apply(state, halted)
    assert (state.trading, state.latched, state.high_water_e6) == (Trading.HALTED, True, 10_000 * E6)
    position_manager.apply(state, StateChanged(2, Trading.ACTIVE, "resumed", "resume"))
    assert (state.trading, state.latched, state.high_water_e6) == (Trading.ACTIVE, False, 9_000 * E6)
    assert state.pnl_at_reset_e6 == -1_000 * E6


def test_records_that_only_inform_change_nothing_but_the_count() -> None:
    state, same = fresh(), fresh()
    position_manager.apply(state, types.RowsRead(1, 0, 9, ""))
    position_manager.apply(state, types.AccountObserved(1, 1, state.account))
    assert state.seq == same.seq + 2
    state.seq = same.seq
    assert state == same


def test_a_decision_is_counted_so_that_plan_ids_never_repeat() -> None:
    state = fresh()
    position_manager.apply(state, types.Decided(1, None, TradePlan("p1", (), False, "", None, 9), (), False))
    assert state.plans == 1


def test_a_balance_that_is_gone_is_left_out() -> None:
    state = fresh()
    position_manager.apply(state, Withdrawn(1, 2, "USDC", 10_000 * E6))
    assert (state.account.spots, state.held, state.equity_e6) == ((), {}, 0)


def test_a_position_closed_and_settled_under_an_open_order_leaves_no_history() -> None:
    state = fresh()
    leg = Leg("SOL-PERP", E9, 100 * E6, "perp")
    for event in (
        Filled(1, 2, "x", 0, "SOL-PERP", "perp", E9, -100 * E6, 7, 100 * E6, 100 * E6, 0, 1),
        Filled(1, 3, "y", 0, "SOL-PERP", "perp", -E9, 103 * E6, 7, 100 * E6, 100 * E6, 0, 1),
        Submitted(1, TradePlan("p1", (leg,), atomic=False, reason="", edge_e6=None, expires_ns=9)),
        PnlSettled(1, 4, "SOL-PERP", 3 * E6 - 14),
    ):
        position_manager.apply(state, event)
        check_identity(state)
    assert state.account.perps == (PerpPosition("SOL-PERP", open_bids_e9=E9, open_orders=1),)
    position_manager.apply(state, PlanClosed(1, 5, "p1", "expired", 1))
    assert not state.account.perps
