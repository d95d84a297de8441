"""A human says that a halted run may go on: it is an event like others, and nothing trades before it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from churn import Churn
from proof_stage import BREAKERS_OFF, E6, Proof, price_path, wired
from test_emergency_proof import into_the_band, slide

from drift_engine import backtest, wiring
from drift_engine.config import ConfigError, RunConfig
from drift_engine.core.types import AccountObserved, Decided, Event, StateChanged, Submitted, Ticked, Trading
from drift_engine.engine import DriftEngine
from drift_engine.execution.limits import Limits
from drift_engine.journal import Journal, JournalError
from drift_engine.simulation.timeline import Timeline
from drift_engine.strategies.hold import HoldStrategy


def long_20(timeline: Timeline, **how: Any) -> Proof:
    return wired(HoldStrategy({"target": "20"}), timeline=timeline, capital_e6=1_000 * E6, limits=BREAKERS_OFF, **how)


def test_nothing_trades_until_a_human_resumes_and_then_it_does() -> None:
    path = [*into_the_band(30), *([200.0] * 30)]
    resumed: list[int] = []

    def after(proof: Proof) -> None:
        if proof.state.ticks == len(path) - 10:
            assert proof.state.trading is Trading.HALTED
            resumed.append(len(proof.of(Decided)))
            proof.engine.process(StateChanged(proof.state.now_ns, Trading.ACTIVE, "a human", "resume"))

    proof = long_20(price_path(path)).run(after)
    assert proof.state.trading is Trading.ACTIVE
    assert not proof.state.latched
    assert proof.state.account.perp("SOL-PERP").base_e9 == 0, "20 SOL on what is left are refused"
    assert len(proof.of(Decided)) > resumed[0]
    assert proof.state.high_water_e6 < 1_000 * E6


def test_a_paper_run_that_was_halted_goes_on_after_a_resume_in_its_journal(tmp_path: Path) -> None:
    journal = tmp_path / "run"
    config = RunConfig(
        strategy="hold", mode="paper", capital_e6=1_000 * E6, limits=Limits(), journal=journal, params={"target": "2"}
    )
    fall = [229.0] * 3 + slide(229.0, 160.0, 0.5) + [160.0] * 5
    first = paper(config, price_path(fall))
    assert first.state.latched
    assert first.state.trading is Trading.HALTED
    fills = first.state.venue_cursor
    resume(journal, reference=False)
    second = paper(config, price_path(fall + [161.0] * 20))
    assert second.state.trading is Trading.ACTIVE
    assert second.state.account.perp("SOL-PERP").base_e9 == 2 * 10**9
    assert second.state.venue_cursor > fills


def test_after_a_start_the_venues_books_are_compared_before_the_first_tick(tmp_path: Path) -> None:
    journal = tmp_path / "run"
    config = RunConfig("hold", mode="paper", capital_e6=1_000 * E6, journal=journal, params={"target": "2"})
    path = price_path([229.0] * 50)
    paper(config, path)
    before = [record.seq for record in Journal.read(journal)][-1]
    paper(config, price_path([229.0] * 60))
    asked = [type(record.event) for record in Journal.read(journal) if record.seq > before]
    assert asked.index(AccountObserved) < asked.index(Ticked)


def paper(config: RunConfig, timeline: Timeline) -> Any:
    strategy = HoldStrategy(config.params)
    ports = wiring.build(config, strategy, timeline=timeline)
    engine = DriftEngine(strategy, config=config, ports=ports)
    engine.open()
    for now in ports.world.run(ports.inbox.put):
        ports.clock.set(*now)
        engine.tick()
    engine.finish()
    engine.close()
    return engine


def resume(journal: Path, *, reference: bool) -> None:
    """Do what the command does."""
    with Journal.open(journal, reference=reference) as again:
        last = list(again.records())[-1]
        again.continue_after(last.seq)
        again.append(StateChanged(last.ts_ns, Trading.ACTIVE, "a human", "resume"))


def test_a_backtest_resumed_in_its_journal_comes_out_the_same_each_time(tmp_path: Path) -> None:
    """The human's word stands at its place in the run: taken up again, told again, it ends ACTIVE in one digest."""
    journal = tmp_path / "run"
    limits = Limits(account_drawdown_e4=100, daily_drawdown_e4=None)
    config = RunConfig("churn", mode="backtest", scenario="flash_crash", days=1, limits=limits, journal=journal)

    def lived() -> backtest.BacktestResult:
        return backtest.run(config, Churn({"size": "9"}))

    first = lived()
    assert first.latched
    assert lived().digest == first.digest
    resume(journal, reference=True)
    second, third = lived(), lived()
    assert second.digest == third.digest != first.digest
    assert not second.latched


@pytest.mark.parametrize("kind", [Decided, Submitted, StateChanged])
def test_a_decision_that_the_program_does_not_make_stops_the_start(tmp_path: Path, kind: type[Event]) -> None:
    config = RunConfig(strategy="hold", mode="paper", journal=tmp_path / "run", params={"target": "2"})
    path = price_path([229.0] * 50)
    first = paper(config, path)
    with Journal.open(tmp_path / "run", reference=False) as again:
        records = list(again.records())
        again.continue_after(records[-1].seq)
        halted = StateChanged(first.state.now_ns, Trading.HALTED, "another program", "health")
        again.append(next((each.event for each in records if type(each.event) is kind), halted))
    with pytest.raises(JournalError, match=kind.__name__):
        paper(config, path)


@pytest.mark.parametrize("what", ["venue", "journal"])
def test_half_of_a_paper_runs_memory_is_not_taken_for_the_whole(tmp_path: Path, what: str) -> None:
    """Where journal or venue log is lost, the run does not go on as if nothing were missing."""
    config = RunConfig(
        strategy="hold", mode="paper", capital_e6=1_000 * E6, journal=tmp_path / "run", params={"target": "2"}
    )
    path = price_path([229.0] * 50)
    paper(config, path)
    for lost in tmp_path.glob("run.venue*" if what == "venue" else "run*"):
        if what == "venue" or ".venue" not in lost.name:
            lost.unlink()
    kept = sorted(file.name for file in tmp_path.iterdir())
    said = r"run\.venue is gone, and .*run tells of the account in it" if what == "venue" else "run is gone, and"
    with pytest.raises(ConfigError, match=said):
        paper(config, path)
    assert sorted(file.name for file in tmp_path.iterdir()) == kept


def test_nothing_is_made_beside_a_file_that_is_no_journal(tmp_path: Path) -> None:
    notes = tmp_path / "notes.txt"
    notes.write_text("my own notes " * 20)
    with pytest.raises(JournalError, match="is not a journal"):
        paper(RunConfig(strategy="hold", mode="paper", journal=notes), price_path([229.0] * 5))
    assert [file.name for file in tmp_path.iterdir()] == ["notes.txt"]
