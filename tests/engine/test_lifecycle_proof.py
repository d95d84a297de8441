"""The lifecycle: one loop, nothing left behind, positions kept, a tick by hand, and what is refused."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest
from churn import Churn
from proof_stage import BREAKERS_OFF, E6, Spy, price_path, wired
from test_emergency_proof import into_the_band as falling

from drift_engine import BaseEngine, DeltaNeutralStrategy, DriftEngine, HoldStrategy, wiring
from drift_engine.config import ConfigError, RunConfig
from drift_engine.core.types import MarketState, StateChanged, Submitted, TradeSignal, Trading
from drift_engine.journal import Journal

FAST = RunConfig(strategy="hold", params={"target": "2"}, scenario="calm_carry", days=2, speed=1e9)


def tasks() -> set[str]:
    return {task.get_name() for task in asyncio.all_tasks()}


def fast(strategy: Any = None, **changes: Any) -> DriftEngine:
    config = RunConfig(**{**{name: getattr(FAST, name) for name in FAST.__struct_fields__}, **changes})
    return DriftEngine(strategy or HoldStrategy(config.params), config=config)


async def until(engine: DriftEngine, ticks: int) -> None:
    while engine.state.ticks < ticks and engine.running:  # noqa: ASYNC110 - the loop under test is what runs meanwhile
        await asyncio.sleep(0)


async def whole(engine: DriftEngine) -> None:
    await engine.start()
    await engine.wait()


async def test_an_engine_used_before_its_start_says_so() -> None:
    engine = fast()
    for early in (engine.tick, engine.get_status):
        with pytest.raises(AttributeError, match=r"^drift-hold has no '_\w+' yet: await start\(\), or open\(\) it$"):
            early()
    assert not hasattr(engine, "nonsense")
    engine.open()
    engine.tick()
    assert engine.get_status()["mode"] == "paper"
    assert len(vars(engine)) <= 30, "CPython's quick layout holds thirty attributes"
    engine.close()


# ------------------------------------------------------------------- the snippet


async def test_the_snippet_of_the_design_works_as_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    strategy = DeltaNeutralStrategy(None)
    engine = DriftEngine(strategy=strategy, live_mode=False)
    await engine.start()
    assert isinstance(engine, BaseEngine)
    assert engine.name == "drift-delta_neutral"
    status = engine.get_status()
    assert {"mode", "margin", "positions", "pnl", "strategy_status"} <= set(status)
    assert status["mode"] == "paper"
    assert status["scenario"] in (None, "calm_carry")
    assert status["simulated"] is True
    assert status["margin"]["health"] == 1.0
    await engine.stop()
    assert os.listdir(tmp_path) == []  # noqa: PTH208


def test_live_refuses_with_one_line() -> None:
    with pytest.raises(ConfigError) as refused:
        DriftEngine(DeltaNeutralStrategy(), live_mode=True)
    assert str(refused.value) == wiring.NOT_LIVE_YET
    assert "\n" not in str(refused.value)
    with pytest.raises(ConfigError):
        DriftEngine(DeltaNeutralStrategy(), config=RunConfig(mode="live"))
    with pytest.raises(ConfigError):
        wiring.build(RunConfig(mode="live"), DeltaNeutralStrategy())


# ------------------------------------------------------------------- one loop, no leftovers


async def test_a_second_start_changes_nothing() -> None:
    engine = fast()
    before = tasks()
    await engine.start()
    first, loops = engine._task, tasks() - before
    await asyncio.gather(engine.start(), engine.start())
    assert engine._task is first
    assert tasks() - before == loops == {"drift-hold"}
    await engine.stop()
    assert tasks() == before


async def test_starts_at_the_same_time_make_one_loop() -> None:
    engine = fast()
    before = len(asyncio.all_tasks())
    await asyncio.gather(*(engine.start() for _ in range(5)))
    assert len([task for task in asyncio.all_tasks() if task.get_name() == "drift-hold"]) == 1
    await engine.stop()
    assert len(asyncio.all_tasks()) == before


async def test_stop_leaves_no_task_and_may_be_called_at_any_time() -> None:
    engine = fast()
    before = tasks()
    await engine.stop()
    await engine.start()
    await until(engine, 20)
    await asyncio.gather(engine.stop(), engine.stop())
    await engine.stop()
    assert tasks() == before
    assert not engine.running
    ticks = engine.state.ticks
    await asyncio.sleep(0.01)
    assert engine.state.ticks == ticks


async def test_start_and_stop_may_cross(tmp_path: Path) -> None:
    """Whoever comes last wins: a start leaves one loop that works, a stop leaves none."""
    engine = fast(journal=tmp_path / "run")
    before = tasks()
    await asyncio.gather(engine.start(), engine.stop())
    assert not engine.running
    assert tasks() == before
    await engine.start()
    await asyncio.gather(engine.stop(), engine.start())
    assert tasks() - before == {"drift-hold"}
    await until(engine, engine.state.ticks + 20)
    assert engine.running
    await engine.stop()
    assert tasks() == before


async def test_a_restart_keeps_the_positions_in_memory() -> None:
    engine = fast()
    await engine.start()
    await until(engine, 30)
    await engine.stop()
    kept = engine.state.account, engine.state.seq
    assert kept[0].perp("SOL-PERP").base_e9 == 2 * 10**9
    await engine.start()
    assert engine.state.account.perp("SOL-PERP").base_e9 == 2 * 10**9
    assert engine.state.seq > kept[1]
    await until(engine, 100)
    await engine.restart()
    await until(engine, 150)
    await engine.stop()
    assert engine.tally.trades == 1


@pytest.mark.parametrize("stops", [1, 4])
async def test_a_restart_keeps_the_positions_from_the_file(tmp_path: Path, stops: int) -> None:
    journal = tmp_path / "run"
    engine = fast(Churn({"every_s": 300}), params={}, journal=journal)
    for number in range(stops):
        await engine.start()
        await until(engine, engine.state.ticks + 60)
        await engine.stop()
        held, cursor, now_ns = engine.state.account, engine.state.venue_cursor, engine.state.now_ns
        other = fast(Churn({"every_s": 300}), params={}, journal=journal)
        other.open()
        assert other.state.account.perps == held.perps, number
        assert other.state.account.spots == held.spots
        assert (other.state.venue_cursor, other.state.now_ns) == (cursor, now_ns)
        other.close()
    await engine.start()
    await engine.wait()
    await engine.stop()
    assert engine.state.trading is Trading.ACTIVE
    ids = [r.event.plan.plan_id for r in Journal.read(journal) if isinstance(r.event, Submitted)]
    assert len(ids) == len(set(ids)) > 20


async def test_restart_of_an_engine_with_a_file_goes_on(tmp_path: Path) -> None:
    engine = fast(journal=tmp_path / "run")
    await engine.start()
    await until(engine, 30)
    before = engine.state.now_ns
    await engine.restart()
    await until(engine, engine.state.ticks + 30)
    await engine.stop()
    assert engine.state.now_ns > before
    assert engine.tally.trades == 1


async def test_a_finite_feed_ends_the_loop_with_equal_books() -> None:
    engine = fast(Churn(), params={}, days=1, interval_s=600)
    await engine.start()
    await engine.wait()
    assert not engine.running
    assert engine._books.agreed_cursor == engine.state.venue_cursor
    await engine.stop()


# ------------------------------------------------------------------- a tick by hand


async def test_a_tick_by_hand_is_legal_and_may_be_awaited() -> None:
    engine = fast()
    await engine.start()
    ticks = engine.state.ticks
    engine.tick()
    await engine.tick()
    assert engine.state.ticks == ticks + 2
    await until(engine, ticks + 30)
    for _ in range(5):
        await engine.tick()
    await engine.stop()
    await engine.tick()
    assert engine.tally.trades == 1


async def test_ticks_by_hand_beside_the_loop_leave_the_books_equal() -> None:
    engine = fast(Churn(), params={}, days=1, interval_s=300)
    await engine.start()
    while engine.running:
        await engine.tick()
        await asyncio.sleep(0)
    await engine.stop()
    assert engine._books.agreed_cursor == engine.state.venue_cursor
    assert engine.state.trading is Trading.ACTIVE


# ------------------------------------------------------------------- a strategy that breaks the contract


class Awaits(HoldStrategy):
    async def on_tick(self, state: MarketState) -> TradeSignal | None:
        await asyncio.sleep(0)
        return await super().on_tick(state)


class Fails(HoldStrategy):
    async def on_tick(self, state: MarketState) -> TradeSignal | None:
        if state.account.perps:
            raise ZeroDivisionError("mine")
        return await super().on_tick(state)


async def test_a_strategy_that_awaits_is_refused_by_name_and_the_engine_stops() -> None:
    engine = fast(Awaits({"target": "2"}))
    with pytest.raises(RuntimeError, match=r"Awaits.on_tick must not await"):
        await whole(engine)
    assert not engine.running
    await engine.stop()


def test_a_backtest_ends_with_its_strategys_error() -> None:
    proof = wired(Fails({"target": "2"}), timeline=price_path([150.0] * 50), capital_e6=1_000 * E6)
    with pytest.raises(ZeroDivisionError, match="mine"):
        proof.run()


async def test_margin_is_watched_on_when_a_strategy_with_a_position_fails(tmp_path: Path) -> None:
    """It is asked no more, what it holds stays, and the run can be taken up with one that works, after a resume."""
    engine = fast(Fails({"target": "2"}), journal=tmp_path / "run")
    await whole(engine)
    state, sent = engine.state, engine.tally.trades
    assert (state.trading, state.latched, state.strategy_disabled) == (Trading.REDUCING, True, True)
    assert state.reason.startswith("the strategy failed: ZeroDivisionError at test_lifecycle_proof.py:")
    assert state.reason.endswith(": mine")
    assert state.ticks > 1_000
    assert engine.margin is not None
    assert engine.margin.as_of_ns >= state.now_ns - 3_600 * 10**9
    assert state.account.perp("SOL-PERP").base_e9 == 2 * 10**9
    await engine.stop()
    changes = [record.event for record in Journal.read(tmp_path / "run") if isinstance(record.event, StateChanged)]
    assert len(changes) == 1
    again = fast(Fails({"target": "2"}), journal=tmp_path / "run")
    again.open()
    assert again.state.account.perp("SOL-PERP").base_e9 == 2 * 10**9
    assert again.state.strategy_disabled
    assert again.tally.trades == sent == 1
    again.close()


def test_a_position_whose_strategy_failed_is_still_closed_before_liquidation() -> None:
    config = RunConfig(strategy="hold", speed=1e9, capital_e6=1_000 * E6, params={"target": "20"}, limits=BREAKERS_OFF)
    strategy = Fails({"target": "20"})
    engine = DriftEngine(strategy, config=config, ports=wiring.build(config, strategy, timeline=price_path(falling())))
    asyncio.run(whole(engine))
    assert engine.state.trading is Trading.HALTED
    assert "nothing left" in engine.state.reason
    assert not engine.state.account.perp("SOL-PERP").base_e9


def test_a_signal_for_a_market_nobody_has_is_refused_not_traded_as_another() -> None:
    spy = Spy(lambda state: TradeSignal({"DOGE-PERP": 10**9}, "typo") if not state.in_flight else None)
    proof = wired(spy, timeline=price_path([150.0] * 5), capital_e6=1_000 * E6)
    proof.run()
    assert proof.executor.sent == []
    assert proof.engine.tally.refusals["order_shape"] > 0
