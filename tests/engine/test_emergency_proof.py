"""The day of the crash, and paths made for the emergency close: it fires in its band and ends flat.

A long of 20 SOL from 229 USD on 1,000 USD has health 0.15 at about 185.55 and is liquidated at about 184.5.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs
from proof_stage import BREAKERS_OFF, E6, T0, Proof, S, Spy, price_path, wired

from drift_engine.config import parse_date
from drift_engine.core.types import (
    Decided,
    Filled,
    Leg,
    Liquidated,
    MarketState,
    PlanClosed,
    StateChanged,
    TradePlan,
    TradeSignal,
    Trading,
)
from drift_engine.core.units import DAY_NS
from drift_engine.execution.limits import Limits
from drift_engine.simulation.faults import Faults, Window
from drift_engine.simulation.models import Models, PartialFills
from drift_engine.simulation.timeline import Timeline
from drift_engine.strategies.hold import HoldStrategy

BAND = (184.6, 186.0)


def long_20(timeline: Timeline | None = None, **how: Any) -> Proof:
    how = {"capital_e6": 1_000 * E6, "limits": BREAKERS_OFF, **how}
    return wired(HoldStrategy({"target": "20"}), timeline=timeline, **how)


def real_day(shared: Path, **how: Any) -> Proof:
    window: dict[str, Any] = {"from_ns": parse_date("2025-10-09", ""), "to_ns": parse_date("2025-10-12", "")}
    return long_20(scenario=None, data=shared / "data", **window, **how)


def slide(begin: float, end: float, step: float) -> list[float]:
    count = round((begin - end) / step)
    return [begin - n * step for n in range(count + 1)]


def into_the_band(stay: int = 60) -> list[float]:
    """Return a path that falls fast to above the band, walks into it, and stays."""
    return [229.0] * 3 + slide(229.0, 187.0, 1.0) + slide(187.0, 185.3, 0.05) + [185.3] * stay


def closed_in_the_band(proof: Proof) -> list[StateChanged]:
    """Check that an emergency close for health ended flat, before the venue liquidated; return its changes."""
    changes = proof.of(StateChanged)
    assert (changes[0].cause, changes[0].trading, changes[0].closing) == ("health", Trading.REDUCING, 1)
    assert proof.of(Liquidated) == []
    assert proof.state.trading is Trading.HALTED
    assert proof.state.latched
    assert proof.state.account.perps == () or not any(p.base_e9 for p in proof.state.account.perps)
    assert "nothing left" in proof.state.reason
    proof.assert_sound()
    return changes


# ------------------------------------------------------------------- the day of the crash


def test_with_default_limits_the_account_breaker_closes_long_before_liquidation(shared: Path) -> None:
    proof = real_day(shared, limits=Limits()).run().assert_sound()
    causes = [change.cause for change in proof.of(StateChanged)]
    assert causes[:2] == ["daily", "account"]
    tripped = next(change for change in proof.of(StateChanged) if change.cause == "account")
    entry, close = proof.of(Filled)
    assert close.oracle_e6 > 220 * E6
    assert close.base_e9 == -entry.base_e9
    assert close.ts_ns >= tripped.ts_ns
    assert proof.state.trading is Trading.HALTED
    assert proof.state.latched
    assert proof.of(Liquidated) == []
    assert proof.of(Decided)[-1].ts_ns == tripped.ts_ns
    assert proof.state.now_ns > tripped.ts_ns + 2 * DAY_NS


@pytest.mark.parametrize("emergency_health_e4", [1_500, None])
def test_without_breakers_the_price_jumps_over_the_band_and_the_venue_liquidates(
    shared: Path, emergency_health_e4: int | None
) -> None:
    limits = structs.replace(BREAKERS_OFF, emergency_health_e4=emergency_health_e4)
    proof = real_day(shared, limits=limits).run().assert_sound()
    events = proof.of(Liquidated)
    assert events[0].liquidation == "perp"
    assert events[0].oracle_e6 <= 184_600_000
    assert events[-1].liquidation == "bankruptcy"
    assert events[-1].forgiven_e6 > 0
    assert proof.state.equity_e6 == 0
    assert proof.state.latched


# ------------------------------------------------------------------- paths made for it


def test_a_drawdown_trips_where_health_is_far_above_its_lowest() -> None:
    """The lowest health was that of a larger position: the bands of the smaller are wide, the loss is seen inside."""

    def wanted(state: MarketState) -> TradeSignal | None:
        target_e9 = (20 if state.now_ns < T0 + 300 * S else 5) * 10**9
        held_e9 = state.account.perp("SOL-PERP").base_e9
        return None if state.in_flight or held_e9 == target_e9 else TradeSignal({"SOL-PERP": target_e9}, "as told")

    path = [229.0] * 20 + slide(229.0, 200.0, 0.5)
    proof = wired(Spy(wanted), timeline=price_path(path), capital_e6=1_000 * E6).run().assert_sound()
    first, *rest = proof.of(StateChanged)
    assert (first.cause, [change.cause for change in rest][:1]) == ("daily", ["account"])
    at_breach = next(view for view in reversed(proof.engine.strategy.views) if view.now_ns < first.ts_ns)  # type: ignore[attr-defined]
    assert at_breach.pnl_e6 > -50 * E6, "it trips at the first tick beyond 5 %"


@given(st.lists(st.integers(-12, 11), min_size=40, max_size=120))
@settings(max_examples=30, deadline=None)
def test_where_the_price_walks_the_close_fires_in_the_band_and_the_venue_never_liquidates(moves: list[int]) -> None:
    """Steps of up to 12 cents cannot jump over a band of a dollar; a walk that stays above it closes nothing."""
    walk = [186.2]
    for move in moves:
        walk.append(walk[-1] + move / 100)
    proof = long_20(price_path([229.0] * 3 + slide(229.0, 187.0, 1.0) + walk + walk[-1:] * 5)).run()
    assert proof.of(Liquidated) == []
    touched = [change for change in proof.of(StateChanged) if change.cause == "health"]
    lowest = proof.engine.get_status()["tally"]["min_health"]
    assert bool(touched) is (lowest < 0.15)
    if touched:
        closed = next(event for event in proof.of(Filled) if event.base_e9 < 0)
        assert BAND[0] * E6 < closed.oracle_e6 < BAND[1] * E6
    proof.settle(4)
    assert proof.differences() == ()


@pytest.mark.parametrize(("low", "bankrupt"), [(184.0, False), (183.0, False), (178.0, True), (120.0, True)])
def test_where_the_price_jumps_over_the_band_the_venue_liquidates(low: float, *, bankrupt: bool) -> None:
    path = [229.0] * 3 + slide(229.0, 187.0, 1.0) + [low] * 200
    proof = long_20(price_path(path)).run().assert_sound()
    found = [event.liquidation for event in proof.of(Liquidated)]
    assert found[0] == "perp"
    assert ("bankruptcy" in found) is bankrupt
    assert proof.state.latched
    assert proof.state.trading is Trading.HALTED
    assert not any(position.base_e9 for position in proof.state.account.perps)
    assert (proof.state.equity_e6 == 0) is bankrupt


class Resting(HoldStrategy):
    """Holds, and once the price is low leaves a reducing order resting above the market."""

    async def on_tick(self, state: MarketState) -> TradeSignal | None:
        oracle_e6 = state.markets["SOL-PERP"].oracle_e6 or 0
        if oracle_e6 < 186_500_000 and state.trading is Trading.ACTIVE:
            return None if state.in_flight else TradeSignal({"SOL-PERP": 15 * 10**9}, "rest")
        return await super().on_tick(state)

    def plan(self, signal: TradeSignal, state: MarketState) -> TradePlan:
        if signal.reason != "rest":
            return super().plan(signal, state)
        limit_e6 = (state.markets["SOL-PERP"].oracle_e6 or 0) * 1005 // 1000 // 100 * 100
        leg = Leg("SOL-PERP", -5 * 10**9, limit_e6, "perp", reduce_only=True, post_only=True)
        return TradePlan(self.desk.next_plan_id(), (leg,), False, "rest", None, state.now_ns + DAY_NS)


def test_a_plan_in_flight_is_cancelled_first() -> None:
    strategy = Resting({"target": "20"})
    proof = wired(strategy, timeline=price_path(into_the_band()), capital_e6=1_000 * E6, limits=BREAKERS_OFF).run()
    closed_in_the_band(proof)
    assert proof.executor.cancelled >= 1
    ends = {event.plan_id: event.status for event in proof.of(PlanClosed)}
    assert list(ends.values()) == ["filled", "cancelled", "filled"]


def window(begin_s: int, length_s: int) -> Window:
    every_ns = 1_000 * DAY_NS
    return Window(every_ns, length_s * S, (T0 + begin_s * S) % every_ns)


BAND_AT_S = (3 + 43 + 29) * 60
"""About when the path of ``into_the_band`` reaches it."""


def test_a_paused_market_is_tried_again_wider_and_later_until_it_is_open() -> None:
    faults = Faults(market_paused=window(BAND_AT_S - 300, 1_800))
    changes = closed_in_the_band(long_20(price_path(into_the_band(200)), venue=faults).run())
    attempts = [change for change in changes if change.cause == "close" and change.closing]
    assert [change.closing for change in attempts] == list(range(2, len(attempts) + 2))
    assert len(attempts) >= 4
    pauses = [change.retry_ns - change.ts_ns for change in attempts]
    assert all(later >= sooner for sooner, later in pairwise(pauses))
    assert pauses[-1] > 60 * S
    assert all(later.ts_ns >= sooner.retry_ns for sooner, later in pairwise(attempts))
    assert pauses[0] == 5 * S
    assert pauses[2] == 20 * S


def test_each_attempt_accepts_a_wider_price() -> None:
    faults = Faults(market_paused=window(BAND_AT_S - 300, 1_800))
    proof = long_20(price_path(into_the_band(200)), venue=faults).run()
    limits = [event.plan.legs[0].limit_e6 for event in proof.of(Decided) if event.emergency]
    assert len(limits) >= 4
    assert all(after < before for before, after in pairwise(limits[:4]))
    assert min(limits) >= 185_300_000 * 3 // 4


def test_an_order_that_expires_is_followed_by_another() -> None:
    seed = next(
        n
        for n in range(1_000)
        if [Faults(n, order_expires_e6=500_000).order_expires(f"p{k}") for k in (1, 2, 3)] == [False, True, False]
    )
    proof = long_20(price_path(into_the_band(200)), venue=Faults(seed, order_expires_e6=500_000)).run()
    closed_in_the_band(proof)
    assert [event.status for event in proof.of(PlanClosed)] == ["filled", "expired", "filled"]


@pytest.mark.parametrize("leftover_e6", [0, 1_000_000])
def test_partial_fills_are_followed_to_the_last_step(leftover_e6: int) -> None:
    models = Models(partial=PartialFills(1_000_000, 4, leftover_e6))
    proof = long_20(price_path(into_the_band(200)), venue=models).run()
    closed_in_the_band(proof)
    assert len(proof.of(Filled)) > 4


@pytest.mark.parametrize("seed", range(4))
def test_a_venue_that_is_away_is_closed_at_when_it_is_back(seed: int) -> None:
    """While it is away no news comes, so the close may come before or after; what was sent may have arrived."""
    faults = Faults(seed, venue_away=window(BAND_AT_S - 60, 900))
    proof = long_20(price_path(into_the_band(300)), venue=faults).run()
    closed_in_the_band(proof)


@pytest.mark.parametrize("disputed", [False, True])
def test_failing_health_closes_from_halted_too_unless_the_books_are_in_dispute(*, disputed: bool) -> None:
    halt = StateChanged(
        T0, Trading.HALTED, "a human", "dispute" if disputed else "close", latched=True, disputed=disputed
    )

    def after(proof: Proof) -> None:
        if proof.state.ticks == 10:
            proof.engine.process(halt)

    proof = long_20(price_path(into_the_band())).run(after)
    if disputed:
        assert proof.state.account.perps[0].base_e9 == 20 * 10**9
        assert proof.state.disputed
        assert len(proof.executor.sent) == 1
    else:
        assert [change.cause for change in proof.of(StateChanged)[:2]] == ["close", "health"]
        assert "nothing left" in proof.state.reason
        proof.assert_sound()


def test_what_a_close_leaves_is_named() -> None:
    """A market that stays shut: the close goes on trying, and says so."""
    faults = Faults(market_paused=window(BAND_AT_S - 300, 100_000))
    proof = long_20(price_path(into_the_band(100)), venue=faults).run()
    assert proof.state.trading is Trading.REDUCING
    assert proof.state.closing > 3
    assert proof.state.account.perps[0].base_e9 == 20 * 10**9
    assert proof.of(Liquidated) == []


def test_flat_is_what_the_venue_says_after_the_close_began_not_what_it_said_before() -> None:
    proof = wired(HoldStrategy({"target": "0"}), timeline=price_path([229.0] * 20), capital_e6=1_000 * E6)
    proof.engine.open()
    asked: list[int] = []
    for now_ns, _ in proof.ports.world.run(proof.ports.inbox.put):
        if proof.state.ticks == 10:
            assert proof.engine.commands.ask("kill", "me").ok
            proof.executor.observe = asked.append  # type: ignore[assignment, method-assign]  # the venue is away
        proof.step(now_ns)
    assert len(asked) > 1
    assert (proof.state.trading, proof.state.closing) == (Trading.REDUCING, 1)
    del proof.executor.observe
    for _ in range(2):
        proof.step(proof.state.now_ns + S)
    assert (proof.state.trading, proof.state.closing) == (Trading.HALTED, 0)
