"""The manager's own work breaking: a human is told, and heartbeats, watches and alerts of all engines go on."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Any

import pytest

from drift_engine.alerts import AlertSettings
from drift_engine.background import Background
from drift_engine.control.spec import EngineSpec
from drift_engine.manager import manager as managers
from drift_engine.manager.fleet import Fleet
from drift_engine.manager.heartbeat import HEARTBEATS
from drift_engine.manager.managed import Managed


async def test_work_that_breaks_is_logged_told_and_begun_again(caplog: pytest.LogCaptureFixture) -> None:
    told: list[tuple[str, str]] = []
    turns, done = 0, asyncio.Event()

    async def breaks_once() -> None:
        nonlocal turns
        turns += 1
        if turns == 1:
            raise RuntimeError("no")
        done.set()

    work = Background(lambda name, trouble: told.append((name, trouble)), again_s=0.0)
    with caplog.at_level(logging.CRITICAL):
        work.keep("it", breaks_once)
        work.keep("it", breaks_once)
        await asyncio.wait_for(done.wait(), 30)
    await work.close()
    assert turns == 2
    assert told == [("it", "RuntimeError: no")]
    assert work.broken == {"it": "RuntimeError: no"}
    assert "it ended by an error" in caplog.text


async def test_work_that_cannot_be_taken_up_again_stays_ended_and_said() -> None:
    turns = 0

    async def breaks() -> None:
        nonlocal turns
        turns += 1
        raise RuntimeError("no")

    work = Background()
    work.keep("it", breaks)
    await _until(lambda: work.broken)
    await asyncio.sleep(0.01)
    await work.close()
    assert turns == 1


@pytest.mark.parametrize("broken", ["document", "look"])
async def test_one_engine_that_breaks_the_managers_work_is_told_of_and_the_others_are_heard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    """Every engine's watch and heartbeat is its own; the one that broke raises an alert and is tried again."""
    real, still = getattr(Managed, broken), True

    def breaks(managed: Managed) -> Any:
        if still and managed.spec.name == "bad":
            raise ValueError("what is this")
        return real(managed)

    monkeypatch.setattr(Managed, broken, breaks)
    monkeypatch.setattr(managers, "AGAIN_S", 0.02)
    specs = [EngineSpec(name, {"strategy": "hold"}, autostart=False) for name in ("bad", "good")]
    manager = managers.EngineManager(Fleet(tuple(specs), AlertSettings()), tmp_path)
    beats = manager.bus.subscribe(HEARTBEATS, limit=100)
    await manager.start()
    try:
        await _until(manager.alerts.active)
        alerts = {alert.engine: alert for alert in manager.alerts.active()}
        expected = {"document": {"heartbeat of bad", "alerts of bad"}, "look": {"watch over bad"}}[broken]
        await _until(lambda: {alert.engine for alert in manager.alerts.active()} == expected)
        assert {alert.severity for alert in alerts.values()} == {"CRITICAL"}
        assert all("what is this" in alert.message for alert in alerts.values())
        still = False
        heard = {status["engine"] for _, status in beats.take()}
        async with asyncio.timeout(30):
            while heard != {"bad", "good"}:
                heard |= {status["engine"] for _, status in await beats.wait()}
    finally:
        await manager.stop()


async def _until(true: Any) -> None:
    async with asyncio.timeout(30):
        while not true():  # noqa: ASYNC110 - what is waited for tells nobody
            await asyncio.sleep(0.005)
