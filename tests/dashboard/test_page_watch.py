"""What the page says when someone is gone: the manager, an engine, a journal."""

import asyncio
import time
from pathlib import Path

import pytest
from engine_desk import EngineDesk, fleet
from page_desk import eventually, page

from drift_engine.alerts import AlertDesk
from drift_engine.dashboard import fleet as fleet_module
from drift_engine.dashboard.replica import Replica
from drift_engine.dashboard.tail import BATCH, Tail
from drift_engine.journal import Journal, Record


async def test_engines_are_seen_without_a_manager_and_it_is_said(tmp_path: Path) -> None:
    async with fleet(tmp_path, "hold") as manager, page(tmp_path) as site:
        assert (await site.get("/health"))["ok"]
        (tmp_path / "manager.sock").rename(tmp_path / "gone")
        waiting = asyncio.create_task(site.until("alert"))
        seq = manager.desks[0].engine.state.seq
        _, _, alert = await waiting
        assert (alert["rule"], alert["engine"], alert["severity"]) == ("manager_down", "manager", "CRITICAL")
        await eventually(lambda: (site.server.room.fleet.status("hold") or {})["seq"] > seq)
        assert (await site.get("/api/engines/hold"))["status"] == "RUNNING"
        async with site.http.get(f"{site.origin}/health") as response:
            assert response.status == 503
            assert "cannot be reached" in (await response.json())["manager"]
        (tmp_path / "gone").rename(tmp_path / "manager.sock")


async def test_an_engine_that_is_silent_is_stale_and_keeps_its_figures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fleet_module, "_WITHIN_S", 0.2)
    monkeypatch.setattr(fleet_module, "STALE_S", 1.0)
    async with fleet(tmp_path, "hold") as manager, page(tmp_path) as site:
        manager.desks[0].silent = True
        (tmp_path / "manager.sock").rename(tmp_path / "gone")
        before = await site.get("/api/engines/hold")
        await eventually(lambda: (site.server.room.fleet.status("hold") or {})["status"] == "STALE")
        after = await site.get("/api/engines/hold")
        assert (after["equity_e6"], after["heard_ns"]) == (before["equity_e6"], before["heard_ns"])
        assert after["wall_ns"] - after["heard_ns"] > 10**9
        await eventually(lambda: site.server.room.bells.active("hold"))
        assert {row["rule"] for row in site.server.room.bells.active("hold")} == {"stale"}
        (tmp_path / "gone").rename(tmp_path / "manager.sock")


async def test_the_managers_alerts_are_shown_told_and_hidden(tmp_path: Path) -> None:
    async with fleet(tmp_path, "hold") as manager, page(tmp_path) as site:
        manager.alerts = AlertDesk()
        await asyncio.sleep(1.2)
        waiting = asyncio.create_task(site.until("alert"))
        await eventually(lambda: site.server.room.stream.clients == 1)
        bad = {**manager.desks[0].status(), "status": "ERROR", "reason": "<script>alert(1)</script>"}
        (raised,) = manager.alerts.look([bad], time.time_ns())
        _, _, told = await waiting
        assert (told["id"], told["count"], told["active"]) == (raised.id, 1, True)
        assert [row["id"] for row in (await site.get("/api/alerts"))["active"]] == [raised.id]
        assert [row["id"] for row in (await site.get("/api/engines/hold"))["alerts"]] == [raised.id]
        await site.post("/api/unlock", {"token": site.server.token})
        status, _ = await site.post(f"/api/alerts/{raised.id}/dismiss")
        assert status == 200
        assert (manager.asked[-1]["do"], manager.asked[-1]["alert"]) == ("alert_dismiss", raised.id)
        assert (await site.post("/api/alerts/test"))[0] == 200
        assert manager.asked[-1]["do"] == "alert_test"


async def test_a_journal_that_was_replaced_is_begun_anew(tmp_path: Path) -> None:
    for speed in (7_200.0, 3_600.0):
        desk = EngineDesk(tmp_path, "one", "hold", speed)
        async with desk.running():
            await asyncio.sleep(0.3)
        records = list(Journal.read(tmp_path / "one.journal"))
        told: list[Record] = []
        tail = Tail(tmp_path / "one.journal", told.append)
        assert await tail.look() == len(records)
        assert tail.replica.state == desk.engine.state
        assert told == [], "what lay there before is not news"
        set_aside(tmp_path, "one.journal", f"old-{speed:g}")
        assert await tail.look() == 0
        assert tail.replica.seq == len(records), "what is known stays while there is no journal"
        (tmp_path / f"old-{speed:g}-one.journal").rename(tmp_path / "one.journal")
        assert await tail.look() == 0, "it is the same file"
        (tmp_path / "one.journal").unlink()


def set_aside(state: Path, name: str, prefix: str) -> None:
    for left in state.glob(f"{name}*"):
        left.rename(state / f"{prefix}-{left.name}")


async def test_a_long_journal_is_read_in_batches(tmp_path: Path) -> None:
    desk = EngineDesk(tmp_path, "one", "hold", 3_600_000.0)
    async with desk.running():
        await eventually(lambda: desk.engine.state.seq > 2 * BATCH)
    tail = Tail(tmp_path / "one.journal", lambda _: None)
    assert await tail.look() == BATCH
    assert not tail.caught_up
    while await tail.look() == BATCH:
        pass
    assert tail.caught_up
    assert tail.replica.state == desk.engine.state


async def test_a_part_of_the_server_that_fails_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise RuntimeError("no such thing")

    monkeypatch.setattr(Replica, "take", fails)
    async with fleet(tmp_path, "hold"), page(tmp_path) as site:
        await eventually(lambda: site.server.room.work.broken)
        async with site.http.get(f"{site.origin}/health") as response:
            assert response.status == 503
            assert (await response.json())["broken"] == {"journal of hold": "RuntimeError: no such thing"}
        assert (await site.get("/api/engines/hold"))["status"] == "RUNNING", "the rest goes on"


async def test_a_file_that_is_no_journal_is_said(tmp_path: Path) -> None:
    (tmp_path / "one.journal").write_text("something else" * 20)
    tail = Tail(tmp_path / "one.journal", lambda _: None)
    assert await tail.look() == 0
    assert "is not a journal" in tail.trouble
