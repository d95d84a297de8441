"""What a human asks of a running engine is written down first, done once, and told the same again by a replay."""

from __future__ import annotations

import asyncio
from dataclasses import replace as replace_fields
from pathlib import Path
from typing import Any

import pytest

from drift_engine import wiring
from drift_engine.config import RunConfig
from drift_engine.core.types import Commanded, Decided, Event, Filled, StateChanged, Submitted, Trading
from drift_engine.engine import DriftEngine
from drift_engine.execution.ports import Executor
from drift_engine.journal import Journal
from drift_engine.replay import replay


class Run:
    """A paper engine that is ticked by hand, as quickly as its market goes."""

    def __init__(self, journal: Path, strategy: str = "hold", **params: str) -> None:
        self.config = RunConfig(
            strategy=strategy, params=params, scenario="calm_carry", days=2, interval_s=360, speed=1e9, journal=journal
        )
        self.engine = DriftEngine(wiring.make_strategy(self.config), config=self.config)
        self.engine.open()
        self._beats = self.engine.beats()

    async def ticks(self, count: int) -> None:
        for _ in range(count):
            await anext(self._beats)
            self.engine.tick()

    async def close(self) -> None:
        self.engine.close()


def events(path: Path, *kinds: type) -> list[Event]:
    return [record.event for record in Journal.read(path) if isinstance(record.event, kinds)]


async def test_a_kill_is_written_before_it_is_done_and_ends_flat(tmp_path: Path) -> None:
    run = Run(tmp_path / "j", "delta_neutral")
    await run.ticks(10)
    state = run.engine.state
    assert state.account.perp("SOL-PERP").base_e9
    reply = run.engine.commands.ask("kill", "me")
    assert (reply.ok, reply.code, state.trading, state.closing) == (True, "closing", Trading.REDUCING, 1)
    assert run.engine.commands.ask("kill", "me").message == "already closing, attempt 1"
    assert run.engine.commands.ask("close", "me", "SOL-PERP").code == "closing"
    assert run.engine.commands.ask("resume", "me").code == "closing"
    await run.ticks(10)
    assert (state.trading, state.latched, state.reason) == (Trading.HALTED, True, "flat: nothing left; killed by me")
    assert not state.account.perp("SOL-PERP").base_e9
    assert run.engine.commands.ask("resume", "you").ok
    assert (state.trading, state.latched) == (Trading.ACTIVE, False)
    await run.ticks(5)
    await run.close()
    kinds = [type(event) for event in events(tmp_path / "j", Commanded, StateChanged)]
    assert kinds[:2] == [Commanded, StateChanged]
    assert [event.command for event in events(tmp_path / "j", Commanded)] == ["kill", "resume"]  # type: ignore[union-attr]
    told = replay(tmp_path / "j")
    assert told.same, told.difference


async def test_a_position_is_closed_through_the_gates_and_may_be_refused(tmp_path: Path) -> None:
    run = Run(tmp_path / "j", target="5")
    assert run.engine.commands.ask("close", "me", "SOL-PERP").code == "nothing_held"
    assert run.engine.commands.ask("settle", "me").code == "nothing_unsettled"
    await run.ticks(6)
    ask, state = run.engine.commands.ask, run.engine.state
    assert ask("close", "me", "SOL-PRP").code == "unknown_market"
    assert ask("close", "me", "USDC").code == "nothing_held"
    assert ask("dance", "me").code == "unknown_command"
    assert ask("settle", "me").code == "asked"
    reply = ask("close", "me", "SOL-PERP")
    assert (reply.ok, reply.code) == (True, "submitted")
    again = ask("close", "me", "SOL-PERP")
    assert (again.ok, again.code) == (False, "refused")
    assert "in flight" in again.message
    decided = [event for event in events_of(run, Decided) if event.plan.reason == "closed by me"]
    assert [event.approved for event in decided] == [True, False]
    assert all(leg.reduce_only for event in decided for leg in event.plan.legs)
    await run.ticks(3)
    assert state.trading is Trading.ACTIVE
    await run.close()
    told = replay(tmp_path / "j")
    assert told.same, told.difference


async def test_a_word_between_two_ticks_meets_a_venue_of_the_same_time(tmp_path: Path) -> None:
    """At a scaled pace the next price is minutes away: what is closed meanwhile is reported as quickly as ever."""
    run = Run(tmp_path / "j", target="5")
    await run.ticks(20)
    state, before = run.engine.state, run.engine.state.markets["SOL-PERP"].oracle_e6
    waits = asyncio.ensure_future(anext(run._beats))
    await asyncio.sleep(0)
    assert not waits.done()
    assert run.engine.commands.ask("close", "me", "SOL-PERP").ok
    await waits
    run.engine.tick()
    assert state.markets["SOL-PERP"].oracle_e6 != before, "the price moved meanwhile"
    assert run.engine._latency.average_ms(state.now_ns) == 200
    await run.ticks(3)
    assert state.account.perp("SOL-PERP").base_e9 == 5 * 10**9, "hold holds again"
    assert run.engine.tally.refusals == {}
    await run.close()
    for fill in events(tmp_path / "j", Filled):
        assert isinstance(fill, Filled)
        assert fill.seen_ns - fill.ts_ns == 200_000_000
    assert replay(tmp_path / "j").same


def events_of(run: Run, kind: type[Any]) -> list[Any]:
    return [record.event for record in run.engine._journal.decisions if isinstance(record.event, kind)]


@pytest.mark.parametrize("command", ["kill", "close"])
async def test_a_crash_right_after_the_word_loses_nothing_and_sends_nothing_twice(tmp_path: Path, command: str) -> None:
    """The journal is cut right behind the word: the next start goes on from there."""
    run = Run(tmp_path / "j", "delta_neutral")
    await run.ticks(10)
    perp = run.engine.state.account.perp("SOL-PERP").base_e9
    journal = run.engine._journal
    word = Commanded(run.engine.state.now_ns, command, "me", "SOL-PERP")  # type: ignore[arg-type]
    journal.append(word)
    run.engine._taken.close()
    again = Run(tmp_path / "j", "delta_neutral")
    state = again.engine.state
    assert state.account.perp("SOL-PERP").base_e9 == perp
    if command == "kill":
        assert (state.closing, state.trading) == (1, Trading.REDUCING)
        await again.ticks(10)
        assert state.trading is Trading.HALTED
        assert not state.account.perp("SOL-PERP").base_e9
    else:
        assert not state.in_flight, "its moment is over: it was decided, and is not sent"
        await again.ticks(2)
    await again.close()
    sent = [event.plan.plan_id for event in events(tmp_path / "j", Submitted)]  # type: ignore[union-attr]
    assert len(sent) == len(set(sent))
    assert len(events(tmp_path / "j", Commanded)) == 1
    assert replay(tmp_path / "j").same


class Heard:
    """Hands everything on to an executor, and notes what it was asked for."""

    def __init__(self, executor: Executor) -> None:
        self.executor, self.asked = executor, list[str]()

    def __getattr__(self, name: str) -> Any:
        self.asked.append(name)
        return getattr(self.executor, name)


def opened(config: RunConfig) -> tuple[DriftEngine, list[str]]:
    strategy = wiring.make_strategy(config)
    ports = wiring.build(config, strategy)
    heard = Heard(ports.executor)
    engine = DriftEngine(strategy, config=config, ports=replace_fields(ports, executor=heard))
    engine.open()
    return engine, heard.asked


async def test_a_journal_that_is_lived_through_again_asks_nothing_of_the_venue(tmp_path: Path) -> None:
    """Whatever was asked by the strategy or by a human was asked then; now it is what is missing, and the books."""
    config = RunConfig(
        strategy="delta_neutral", scenario="calm_carry", days=2, interval_s=360, speed=1e9, journal=tmp_path / "j"
    )
    engine, asked = opened(config)
    beats = engine.beats()
    for _ in range(10):
        await anext(beats)
        engine.tick()
    words: tuple[tuple[str, str, int], ...] = (("deposit", "", 10**6), ("settle", "", 0), ("close", "SOL-PERP", 0))
    for command, market, amount_e6 in words:
        assert engine.commands.ask(command, "me", market, amount_e6).ok
    assert engine.commands.ask("kill", "me").ok
    engine.tick()
    engine.close()
    assert {*asked} >= {"submit", "cancel_all", "settle_pnl", "transfer", "observe", "follow_up"}
    again, asked = opened(config)
    assert asked == ["follow_up", "observe"]
    again.close()


async def test_books_in_dispute_take_no_kill(tmp_path: Path) -> None:
    run = Run(tmp_path / "j")
    await run.ticks(6)
    run.engine._halt(run.engine.state.now_ns, "dispute", "ours differ", disputed=True)
    reply = run.engine.commands.ask("kill", "me")
    assert (reply.ok, reply.code) == (False, "disputed")
    assert run.engine.commands.ask("resume", "me").ok
    assert run.engine.commands.ask("kill", "me").ok
    await run.ticks(8)
    assert run.engine.state.reason.startswith("flat: nothing left")
    await run.close()
