"""Money paid in and out of a paper account: outside PnL, once, held back where health would suffer."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from drift_engine import wiring
from drift_engine.config import RunConfig
from drift_engine.core.margin_monitor import margin_of
from drift_engine.core.types import (
    Account,
    Commanded,
    Deposited,
    EngineState,
    Market,
    PerpPosition,
    SpotBalance,
    Withdrawn,
)
from drift_engine.engine import DriftEngine
from drift_engine.execution.mock_executor import ELSEWHERE, MockExecutor
from drift_engine.execution.what_if import account_without
from drift_engine.execution.withdrawals import MIN_HEALTH_AFTER_E4, withdrawal_refusal
from drift_engine.journal import Journal
from drift_engine.replay import replay
from drift_engine.simulation.facts import venue_facts
from drift_engine.simulation.venue import SimVenue

E6 = 10**6


class Run:
    """A paper engine ticked by hand."""

    def __init__(self, journal: Path | None, strategy: str = "hold", **params: str) -> None:
        config = RunConfig(
            strategy=strategy, params=params, scenario="calm_carry", days=2, interval_s=360, speed=1e9, journal=journal
        )
        self.engine = DriftEngine(wiring.make_strategy(config), config=config)
        self.engine.open()
        self._beats = self.engine.beats()

    async def ticks(self, count: int) -> None:
        for _ in range(count):
            await anext(self._beats)
            self.engine.tick()


async def test_what_is_paid_in_and_out_is_no_profit_and_is_told_the_same_again(tmp_path: Path) -> None:
    run = Run(tmp_path / "j", "delta_neutral")
    await run.ticks(10)
    state, ask = run.engine.state, run.engine.commands.ask
    before = state.net_deposits_e6, state.pnl.total_e6()
    reply = ask("deposit", "me", amount_e6=500 * E6)
    assert (reply.ok, reply.code, reply.message) == (True, "done", "500.000000 USDC paid in")
    await run.ticks(1)
    assert state.net_deposits_e6 == before[0] + 500 * E6
    assert ask("withdraw", "me", amount_e6=200 * E6).ok
    await run.ticks(1)
    assert state.net_deposits_e6 == before[0] + 300 * E6
    assert state.equity_e6 - state.net_deposits_e6 == state.pnl.total_e6()
    assert abs(state.pnl.total_e6() - before[1]) < 5 * E6
    assert "is more than the" in ask("withdraw", "me", amount_e6=90_000 * E6).message
    for wrong in (0, -1, 10**15 + 1):
        assert ask("deposit", "me", amount_e6=wrong).code == "bad_amount"
    await run.ticks(3)
    assert not state.disputed, "the venue's books say the same"
    run.engine.close()
    told = [record.event for record in Journal.read(tmp_path / "j")]
    words = [(event.command, event.amount_e6) for event in told if isinstance(event, Commanded)]
    assert words == [("deposit", 500 * E6), ("withdraw", 200 * E6)]
    moved = [(type(event), event.amount) for event in told if isinstance(event, Deposited | Withdrawn)]
    assert moved[1:] == [(Deposited, 500 * E6), (Withdrawn, 200 * E6)]
    assert replay(tmp_path / "j").same
    again = Run(tmp_path / "j", "delta_neutral")
    await again.ticks(2)
    assert again.engine.state.net_deposits_e6 == before[0] + 300 * E6, "nothing is paid twice"
    again.engine.close()


async def test_a_second_withdrawal_waits_until_the_first_was_told(tmp_path: Path) -> None:
    """Judged by the same books, each of two halves would pass where the whole does not."""
    run = Run(tmp_path / "j", "hold", target="20")
    await run.ticks(10)
    state, ask = run.engine.state, run.engine.commands.ask
    assert "health would be" in ask("withdraw", "me", amount_e6=9_600 * E6).message
    assert ask("withdraw", "me", amount_e6=4_800 * E6).ok
    assert ask("deposit", "me", amount_e6=E6).ok
    assert ask("withdraw", "me", amount_e6=4_800 * E6).code == "under_way"
    await run.ticks(1)
    assert "health would be" in ask("withdraw", "me", amount_e6=4_800 * E6).message
    assert ask("withdraw", "me", amount_e6=E6).ok
    await run.ticks(1)
    assert state.net_deposits_e6 // E6 == 10_000 - 4_800 - 1, "the rounding of what leaves is the account's"
    run.engine.close()
    again = Run(tmp_path / "j", "hold", target="20")
    await again.ticks(1)
    assert again.engine.commands.ask("withdraw", "me", amount_e6=E6).ok
    again.engine.close()


async def test_nothing_leaves_during_an_emergency_close(tmp_path: Path) -> None:
    run = Run(tmp_path / "j")
    assert run.engine.commands.ask("withdraw", "me", amount_e6=E6).code == "refused", "nothing is known yet"
    await run.ticks(5)
    assert run.engine.commands.ask("kill", "me").ok
    assert run.engine.commands.ask("withdraw", "me", amount_e6=E6).code == "closing"
    assert run.engine.commands.ask("deposit", "me", amount_e6=E6).ok
    run.engine.close()


def test_an_account_elsewhere_is_not_paid_in_or_out_from_here() -> None:
    assert MockExecutor(SimVenue(), lambda _: None).transfer(E6, 0) == ELSEWHERE


@pytest.fixture(scope="module")
def held() -> DriftEngine:
    """An engine that holds 20 SOL-PERP with 1,000 USD."""
    config = RunConfig(
        strategy="hold", params={"target": "20"}, scenario="calm_carry", days=1, capital_e6=1_000 * E6, mode="backtest"
    )
    strategy = wiring.make_strategy(config)
    ports = wiring.build(config, strategy)
    engine = DriftEngine(strategy, config=config, ports=ports)
    engine.open()
    for count, now in enumerate(ports.world.run(ports.inbox.put)):
        ports.clock.set(*now)
        engine.tick()
        if count == 10:
            break
    assert engine.state.account.perp("SOL-PERP").base_e9 == 20 * 10**9
    return engine


@settings(max_examples=200)
@given(amount_e6=st.integers(1, 1_100 * E6))
def test_no_withdrawal_leaves_less_health_than_promised(held: DriftEngine, amount_e6: int) -> None:
    state = held.state
    refusal = withdrawal_refusal(state, held.margin, amount_e6)
    after = margin_of(account_without(state.account, state.markets["USDC"], amount_e6), state.markets, state.now_ns)
    assert (refusal is None) == (after.health_e4 is not None and after.health_e4 >= MIN_HEALTH_AFTER_E4)
    if refusal is not None:
        assert "under 80.00 %" in refusal or "more than" in refusal


@pytest.mark.parametrize("status", ["stale", "unknown"])
def test_nothing_leaves_on_a_margin_that_is_not_known(held: DriftEngine, status: str) -> None:
    state, margin = held.state, held.margin
    assert margin is not None
    assert withdrawal_refusal(state, margin, 1) is None
    unsure = structs.replace(margin, status=status)
    assert "is not known" in str(withdrawal_refusal(state, unsure, 1))
    assert "is not known" in str(withdrawal_refusal(state, None, 1))


def test_all_that_is_held_may_leave_an_account_without_risk_and_not_a_unit_more() -> None:
    state = EngineState(account=Account("USDC", (SpotBalance("USDC", 5 * 10**9),)))
    state.markets = {name: Market(spec, oracle_e6=E6) for name, spec in venue_facts().items()}
    margin = margin_of(state.account, state.markets, 0)
    assert withdrawal_refusal(state, margin, 5 * E6) is None
    assert "5.000001 USDC is more than the 5.000000 held" in str(withdrawal_refusal(state, margin, 5 * E6 + 1))
    state.markets.pop("USDC")
    assert "is not known" in str(withdrawal_refusal(state, margin, E6))


def test_nothing_leaves_where_the_health_after_it_cannot_be_told() -> None:
    """The price went since the last tick."""
    held = (PerpPosition("SOL-PERP", 10**9, -100 * E6),)
    state = EngineState(account=Account("USDC", (SpotBalance("USDC", 500 * 10**9),), held))
    state.markets = {name: Market(spec, oracle_e6=100 * E6) for name, spec in venue_facts().items()}
    margin = margin_of(state.account, state.markets, 0)
    assert withdrawal_refusal(state, margin, E6) is None
    state.markets["SOL-PERP"] = structs.replace(state.markets["SOL-PERP"], oracle_e6=None)
    assert withdrawal_refusal(state, margin, E6) == "health after it cannot be told"
