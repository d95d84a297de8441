"""The invariants of the design that no single part can hold alone, watched on whole runs."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from churn import Churn
from msgspec import structs
from proof_stage import BREAKERS_OFF, E6, T0, Proof, S, Spy, Witness, folded, price_path, ticks, wired

from drift_engine import engine, wiring
from drift_engine.config import RunConfig
from drift_engine.core.margin_monitor import MarginMonitor, margin_of
from drift_engine.core.types import (
    AccountEvent,
    AccountObserved,
    ApprovedPlan,
    Decided,
    EngineState,
    Filled,
    Margin,
    MarketState,
    StateChanged,
    Submitted,
    TradeSignal,
    Trading,
)
from drift_engine.execution import breakers
from drift_engine.execution.limits import Limits
from drift_engine.execution.watch import Watch
from drift_engine.journal import Journal
from drift_engine.simulation.faults import FAULTS, Faults, Window
from drift_engine.simulation.timeline import Timeline
from drift_engine.strategies.hold import HoldStrategy

SHORT: dict[str, Any] = {"scenario": "flash_crash", "days": 1, "interval_s": 120}


def wants(base_e9: int) -> TradeSignal:
    return TradeSignal({"SOL-PERP": base_e9}, "test")


# ------------------------------------------------------------------- health first


def test_no_strategy_is_asked_before_margin_was_assessed_in_that_tick(monkeypatch: pytest.MonkeyPatch) -> None:
    """An assessment is a margin worked out, or prices found inside its bands: then it is worked out here."""
    order: list[tuple[str, int]] = []
    spy = Spy(lambda state: order.append(("asked", state.now_ns)))
    proof = wired(spy, **SHORT)
    check, holds, limits = MarginMonitor.check, Watch.holds, proof.ports.limits
    held = 0

    def checked(monitor: MarginMonitor, moment: Any) -> Margin:
        order.append(("assessed", moment.now_ns))
        return check(monitor, moment)

    def held_on(watch: Watch, state: EngineState) -> bool:
        nonlocal held
        if not holds(watch, state):
            return False
        held += 1
        order.append(("assessed", state.now_ns))
        margin = margin_of(state.account, state.markets, state.now_ns)
        assert breakers.breach(state, margin, limits, proof.ports.capital_e6) is None
        assert margin.health_e4 is not None
        assert watch.lowest_e4 is not None
        assert margin.health_e4 >= watch.lowest_e4
        return True

    monkeypatch.setattr(MarginMonitor, "check", checked)
    monkeypatch.setattr(Watch, "holds", held_on)
    proof.engine.open()
    for now_ns, _ in proof.ports.world.run(proof.ports.inbox.put):
        before = len(order)
        proof.step(now_ns)
        assert ("assessed", now_ns) in order[before:]
        assert proof.engine.margin == spy.views[-1].margin
    assert len(spy.views) > 500
    assert held > 300
    for before_it, it in pairwise(order):
        if it[0] == "asked":
            assert before_it == ("assessed", it[1])


@pytest.mark.parametrize("scenario", ["calm_carry", "flash_crash", "slow_bleed"])
def test_the_lowest_health_is_that_of_all_ticks_though_most_are_compared_with_bands(
    monkeypatch: pytest.MonkeyPatch, scenario: str
) -> None:
    """The same run twice: with bands, and with every margin worked out."""
    figures = []
    for banded in (True, False):
        if not banded:
            monkeypatch.setattr(engine, "health_bands", lambda *_: None)
        lowest: list[int] = []
        proof = wired(Churn({"pair": 0}), scenario=scenario, days=2, interval_s=60)
        proof.run(lambda proof, lowest=lowest: lowest.append(proof.engine.margin.health_e4))  # type: ignore[misc]
        health = proof.engine.get_status()["tally"]["min_health"]
        assert health == min(lowest) / 10_000
        figures.append((health, proof.journal.digest_hex(proof.state)))
    assert figures[0] == figures[1]


def test_a_strategy_is_asked_nothing_before_every_market_it_needs_has_a_price() -> None:
    spy = Spy(markets=("SOL-PERP", "SOL"))
    rows = [(T0, 1, 1, 0, 0, 0)]
    rows += [(T0 + n * 60 * S, 2, 0, 100 * E6, 100 * E6, 0) for n in range(20)]
    rows += [(T0 + n * 60 * S, 2, 2, 100 * E6, 100 * E6, 0) for n in range(10, 20)]
    columns = [list(column) for column in zip(*rows, strict=True)]
    wired(spy, timeline=Timeline.from_columns(("SOL-PERP", "USDC", "SOL"), *columns)).run()
    assert [view.now_ns for view in spy.views] == [T0 + n * 60 * S for n in range(10, 20)]


def test_stale_is_never_healthy_and_only_reductions_go_while_it_lasts() -> None:
    """A stale oracle: what increases is refused by name, what reduces goes."""
    every_ns = 10**18
    faults = Faults(stale_oracle=Window(every_ns, 1_800 * S, (T0 + 1_800 * S) % every_ns))

    def decide(state: MarketState) -> TradeSignal | None:
        held = state.account.perp("SOL-PERP").base_e9
        if state.in_flight:
            return None
        minute = (state.now_ns - T0) // (60 * S)
        return wants(held - 10**9) if minute == 45 else wants(held + 10**9) if minute in (5, 40, 70) else None

    proof = wired(Spy(decide), timeline=price_path([150.0] * 90), venue=faults).run().assert_sound()
    decided = [((event.ts_ns - T0) // (60 * S), event.approved) for event in proof.of(Decided)]
    assert decided == [(5, True), (40, False), (45, True), (70, True)]
    refused = [c.gate for e in proof.of(Decided) if not e.approved for c in e.checks if c.verdict == "refuse"]
    assert "data_fresh" in refused
    assert {view.margin.status for view in proof.engine.strategy.views[31:59]} == {"stale"}  # type: ignore[attr-defined]


def test_with_no_price_health_is_unknown_and_nothing_is_asked_or_sent() -> None:
    spy = Spy(lambda _: wants(10**9))
    proof = wired(spy, timeline=price_path([150.0] * 3))
    proof.engine.open()
    proof.engine.tick()
    proof.engine.tick()
    assert spy.views == []
    assert proof.executor.sent == []
    assert proof.engine.get_status()["margin"]["status"] != "stale"


# ------------------------------------------------------------------- approval and write-ahead


@pytest.mark.parametrize("pair", [0, 1])
@pytest.mark.parametrize("mode", ["backtest", "paper"])
def test_what_is_sent_was_approved_and_on_the_disk_before(tmp_path: Path, mode: Any, pair: int) -> None:
    """The executor's witness checks approval at each plan; here the file itself is read at that moment, in paper."""
    path = tmp_path / "run"
    proof = wired(Churn({"pair": pair}), mode=mode, journal=path, path=path, **SHORT)
    seen: list[str] = []

    def on_disk(approved: ApprovedPlan) -> None:
        last = list(Journal.read(path))[-1].event
        assert isinstance(last, Submitted)
        assert last.plan == approved.plan
        seen.append(last.plan.plan_id)

    if mode == "paper":
        proof.executor.on_submit = lambda approved: on_disk(approved) if len(seen) < 20 else None
    proof.run().settle().assert_sound()
    assert len(proof.executor.sent) > 50
    assert proof.executor.sent == [event.plan.plan_id for event in proof.of(Submitted)]
    assert {e.plan.plan_id for e in proof.of(Decided) if e.approved} == set(proof.executor.sent)
    assert mode != "paper" or len(seen) == 20
    proof.engine.close()


def test_reducing_is_always_allowed_and_nothing_else_while_reducing() -> None:
    """The daily breaker trips: larger wishes are refused, smaller ones go, though size and rate gates would block."""
    limits = structs.replace(
        Limits(), account_drawdown_e4=None, strategy_drawdown_e4=None, max_plans_per_minute_count=1, max_notional_e6=1
    )
    opened = structs.replace(limits, max_notional_e6=None)

    def decide(state: MarketState) -> TradeSignal | None:
        held = state.account.perp("SOL-PERP").base_e9
        if state.in_flight:
            return None
        if held == 0 and state.trading is Trading.ACTIVE:
            return wants(100 * 10**9)
        minute = (state.now_ns - T0) // (60 * S)
        if state.trading is Trading.REDUCING:
            return wants(held + 10**9) if minute % 2 else wants(held - 10**9)
        return None

    spy = Spy(decide)
    proof = wired(spy, timeline=price_path([150.0] * 5 + [144.0] * 40), limits=opened)

    def after(proof: Proof) -> None:
        if proof.state.trading is Trading.REDUCING:
            proof.engine._desk._limits = limits

    proof.run(after)
    assert [change.cause for change in proof.of(StateChanged)] == ["daily"]
    later = [e for e in proof.of(Decided) if e.ts_ns > proof.of(StateChanged)[0].ts_ns]
    assert len(later) > 20
    assert all(event.approved is (event.plan.legs[0].base_e9 < 0) for event in later)


# ------------------------------------------------------------------- one writer, one fold


@pytest.mark.parametrize("faults", [(), FAULTS])
@pytest.mark.parametrize("strategy", ["churn", "pair", "delta_neutral"])
def test_folding_the_journal_gives_the_live_state(tmp_path: Path, strategy: str, faults: tuple[str, ...]) -> None:
    """A paper journal holds all events: the ledger alone makes the same state of them."""
    path = tmp_path / "run"
    made = (
        wiring.make_strategy(RunConfig(strategy="delta_neutral"))
        if strategy == "delta_neutral"
        else Churn({"pair": int(strategy == "pair")})
    )
    proof = wired(made, mode="paper", journal=path, path=path, faults=faults, **SHORT).run()
    proof.engine.close()
    assert folded(proof.journal.seen) == proof.state
    assert folded(record.event for record in Journal.read(path)) == proof.state
    times = ticks(proof)
    assert times == sorted(times)


@pytest.mark.parametrize("faults", [(), FAULTS])
def test_folding_what_the_bus_told_of_a_backtest_gives_the_live_state(faults: tuple[str, ...]) -> None:
    proof = wired(Churn({"pair": 1}), faults=faults, **SHORT)
    viewer = proof.ports.bus.subscribe(limit=10**6)
    proof.run()
    told = viewer.take()
    assert [seq for seq, _ in told] == list(range(1, len(told) + 1))
    assert folded(event for _, event in told) == proof.state
    assert viewer.lost == 0


def test_watching_a_run_changes_nothing_of_it() -> None:
    """No viewer, one that reads, one that never reads, one that leaves: the same run; the slow one sees its gap."""
    quiet = wired(Churn(), **SHORT).run()
    watched = wired(Churn(), **SHORT)
    slow, gone, reader = (watched.ports.bus.subscribe(limit=limit) for limit in (10, 10, 1_000))
    taken = 0

    def after(proof: Proof) -> None:
        nonlocal taken
        taken += len(reader.take())
        if proof.state.ticks == 50:
            proof.ports.bus.unsubscribe(gone)

    watched.run(after)
    taken += len(reader.take())
    assert watched.journal.digest_hex(watched.state) == quiet.journal.digest_hex(quiet.state)
    assert watched.state == quiet.state
    assert taken == watched.state.seq
    first = slow.take()
    assert [seq for seq, _ in first] == list(range(watched.state.seq - 9, watched.state.seq + 1))


def test_what_leaves_the_engine_cannot_change_it() -> None:
    proof = wired(Churn({"pair": 1}), **SHORT).run()
    before = proof.state.account, proof.state.equity_e6
    status, exported = proof.engine.get_status(), proof.engine.export_state()
    status["positions"].clear()
    status["pnl"].clear()
    exported["account"].clear()
    exported["markets"].clear()
    assert (proof.state.account, proof.state.equity_e6) == before


def test_the_state_a_strategy_sees_is_frozen() -> None:
    def meddle(state: MarketState) -> None:
        state.markets.clear()
        with pytest.raises(AttributeError):
            state.account = None  # type: ignore[misc, assignment]
        with pytest.raises(AttributeError):
            state.margin.health_e4 = 0  # type: ignore[misc]

    proof = wired(Spy(meddle), timeline=price_path([150.0] * 10)).run().assert_sound()
    assert set(proof.state.markets) == {"SOL-PERP", "USDC"}


def test_records_stand_in_the_order_of_time_of_what_happened() -> None:
    """What the engine itself writes is never older than the account event it answers."""
    path = [229.0] * 3 + [183.0] * 40
    proof = wired(HoldStrategy({"target": "20"}), timeline=price_path(path), capital_e6=1_000 * E6, limits=BREAKERS_OFF)
    proof.run()
    last_ns = 0
    for event in proof.journal.seen:
        if isinstance(event, StateChanged | Decided | Submitted):
            assert event.ts_ns >= last_ns
        if isinstance(event, AccountEvent):
            last_ns = event.ts_ns


# ------------------------------------------------------------------- the books


@pytest.mark.parametrize("amount", [1, -1])
def test_a_unit_of_difference_is_read_twice_and_then_halts_by_name(amount: int) -> None:
    def after(proof: Proof) -> None:
        if proof.state.ticks == 100:
            books = proof.venue._books
            held, *_ = books.perps.values()
            books._put(structs.replace(held, quote_e6=held.quote_e6 + amount))

    proof = wired(Churn(), **SHORT).run(after)
    change = proof.of(StateChanged)[-1]
    assert (change.trading, change.cause, change.disputed, change.latched) == (Trading.HALTED, "dispute", True, True)
    assert "SOL-PERP quote_e6: ours" in change.reason
    halted = proof.journal.seen.index(change)
    assert not [event for event in proof.journal.seen[halted:] if isinstance(event, Submitted)]
    readings = [event for event in proof.journal.seen[:halted] if isinstance(event, AccountObserved)]
    assert len(readings) >= 2


def test_every_fill_is_taken_once_whatever_the_venue_repeats() -> None:
    proof = wired(Churn(), faults=("report_twice", "report_late"), **SHORT).run().settle().assert_sound()
    assert proof.ports.inbox.duplicates > 20
    fills = Counter(event.cursor for event in proof.of(Filled))
    assert max(fills.values()) == 1


def test_one_engine_takes_one_journal(tmp_path: Path) -> None:
    path = tmp_path / "run"
    first = wired(Churn(), journal=path, path=path, **SHORT)
    first.engine.open()
    with pytest.raises(Exception, match="run"):
        Witness(path, resume=True)
    first.engine.close()


def test_the_same_engine_never_ticks_backwards() -> None:
    proof = wired(Churn(), mode="paper", **SHORT).run()
    proof.ports.clock.set(proof.state.now_ns - 10**12)
    proof.engine.tick()
    times = ticks(proof)
    assert times == sorted(times)
    assert times[-1] == times[-2]
