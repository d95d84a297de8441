"""Every fault alone and in pairs: nothing sent twice or unapproved, books that end equal or in a named dispute."""

from collections.abc import Callable
from itertools import combinations
from typing import cast

import pytest
from churn import Churn
from proof_stage import E6, Proof, S, Spy, price_path, wired

from drift_engine.core.types import Account, AccountObserved, Decided, Filled, PlanClosed, Trading
from drift_engine.execution.limits import Limits
from drift_engine.execution.mock_executor import MockExecutor
from drift_engine.inbox import ACCOUNT_EVENTS
from drift_engine.simulation.faults import FAULTS
from drift_engine.simulation.scenarios import scenario_timeline
from drift_engine.simulation.timeline import Timeline

HOURS = 3
SEEDS = 28
PACE_S = 60
CASES = [(one,) for one in FAULTS] + list(combinations(FAULTS, 2))


def short(scenario: str, seed: int, hours: int = HOURS) -> Timeline:
    """Return the first hours of a scenario."""
    whole = scenario_timeline(scenario, seed=seed, interval_s=PACE_S, days=1)
    rows = whole.length * hours // 24
    part = whole.source.cut(0, rows)
    return Timeline.from_columns(whole.markets, *part[:6], simulated=True)


def faulty(faults: tuple[str, ...], seed: int, timeline: Timeline) -> Proof:
    until_s = timeline.last_ns // 10**9 - 1_800
    strategy = Churn({"pair": seed % 2, "until_s": until_s, "every_s": 60 * (1 + seed % 3)})
    proof = wired(strategy, timeline=timeline, seed=seed, faults=faults, interval_s=PACE_S, limits=Limits())
    return proof.run().settle()


@pytest.fixture(scope="module")
def timelines() -> list[Timeline]:
    return [short(("calm_carry", "flash_crash")[n % 2], n) for n in range(4)]


@pytest.mark.parametrize("faults", CASES, ids="+".join)
def test_the_books_end_equal_or_the_engine_halts_and_names_the_difference(
    faults: tuple[str, ...], timelines: list[Timeline]
) -> None:
    sent = halted = 0
    for seed in range(SEEDS):
        proof = faulty(faults, seed, timelines[seed % len(timelines)])
        state, found = proof.state, proof.differences()
        sent += len(proof.executor.sent)
        assert len(set(proof.executor.sent)) == len(proof.executor.sent)
        assert state.equity_e6 - state.net_deposits_e6 == state.pnl.total_e6()
        if found:
            halted += 1
            assert state.trading is Trading.HALTED, (seed, found)
            assert any(line in state.reason for line in found), (seed, found, state.reason)
        else:
            assert not state.in_flight, (seed, state.in_flight)
    assert sent > 10 * SEEDS
    assert halted == 0


EFFECTS: dict[str, Callable[[Proof], list[object]]] = {
    "leg_fails": lambda proof: [e for e in proof.of(PlanClosed) if e.reason == "RevertFill"],
    "order_expires": lambda proof: [e for e in proof.of(PlanClosed) if e.status == "expired"],
    "report_late": lambda proof: [e for e in proof.of(Filled) if e.seen_ns > e.ts_ns + PACE_S * 10**9],
    "report_twice": lambda proof: list(range(proof.ports.inbox.duplicates)),
    "report_lost": lambda proof: [
        c for c in proof.of(*ACCOUNT_EVENTS) if not proof.venue.config.faults.reports(c.cursor)
    ],
    "stale_oracle": lambda proof: [e for e in proof.of(Decided) if "data_fresh" in refusals(e)],
    "market_paused": lambda proof: [e for e in proof.of(Decided) if "paused" in str(e.checks)],
    "venue_away": lambda proof: [*range(cast("MockExecutor", proof.executor.inner).outages)],
}


def refusals(event: Decided) -> list[str]:
    return [check.gate for check in event.checks if check.verdict == "refuse"]


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_happens_in_these_runs(fault: str, timelines: list[Timeline]) -> None:
    """Else the runs above would prove nothing."""
    seen = sum(len(EFFECTS[fault](faulty((fault,), seed, timelines[seed % len(timelines)]))) for seed in range(8))
    none = sum(len(EFFECTS[fault](faulty((), seed, timelines[seed % len(timelines)]))) for seed in range(4))
    assert seen >= 4
    assert seen / 8 > none / 4


def test_nothing_is_asked_of_the_strategy_between_a_reading_that_differs_and_the_next() -> None:
    """Also while the venue does not answer: what is held is not known, so nothing is decided on it."""
    proof = wired(strategy := Spy(), timeline=price_path([229.0] * 5), capital_e6=1_000 * E6).run()
    observe, views, state = proof.executor.observe, len(strategy.views), proof.state
    proof.ports.inbox.put(AccountObserved(state.now_ns, state.venue_cursor, Account("USDC")))
    asked: list[int] = []
    proof.executor.observe = asked.append  # type: ignore[assignment, method-assign]
    for _ in range(3):
        proof.step(state.now_ns + S)
    assert (len(strategy.views), len(asked)) == (views, 3)
    proof.executor.observe = observe  # type: ignore[method-assign]
    proof.step(state.now_ns + S)
    assert len(strategy.views) == views
    proof.step(state.now_ns + S)
    assert (len(strategy.views), state.trading) == (views + 1, Trading.ACTIVE), "the second reading agreed"
