"""What the page reads: statuses, history, the stream; from real engines, over real HTTP."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from engine_desk import fleet
from page_desk import eventually, page
from yarl import URL

from drift_engine.dashboard import assets


async def test_statuses_come_from_the_engines(tmp_path: Path) -> None:
    async with fleet(tmp_path, "delta_neutral", "hold") as manager, page(tmp_path) as site:
        rows = await site.get("/api/engines")
        assert [row["engine"] for row in rows] == ["delta-neutral", "hold"]
        assert {row["status"] for row in rows} == {"RUNNING"}
        one = await site.get("/api/engines/hold")
        assert one["strategy"] == manager.desks[1].engine.strategy.name == "hold"


async def test_the_replica_is_the_engine_at_its_record(tmp_path: Path) -> None:
    async with fleet(tmp_path, "delta_neutral") as manager, page(tmp_path) as site:
        await asyncio.sleep(1.5)
        desk = manager.desks[0]
        await desk.engine.stop()
        ours, tail = desk.engine, site.server.room.tails["delta-neutral"]
        await eventually(lambda: tail.replica.seq == ours.state.seq)
        told, theirs = await site.get("/api/engines/delta-neutral/replica"), ours.get_status()
        for key in ("seq", "equity_e6", "pnl", "net_delta_e9", "high_water_e6", "trading"):
            assert told[key] == theirs[key], key
        assert told["positions"] == theirs["positions"]
        assert told["tally"]["trades"] == theirs["tally"]["trades"] > 0


async def test_history_is_drawn_from_the_journal(tmp_path: Path) -> None:
    async with fleet(tmp_path, "delta_neutral") as manager, page(tmp_path) as site:
        await asyncio.sleep(1.5)
        await manager.desks[0].engine.stop()
        await asyncio.sleep(0.5)
        found = await site.get("/api/engines/delta-neutral/history?series=equity,health,price,delta&points=5")
        status = manager.desks[0].engine.get_status()
        assert len(found["ts_ns"]) <= 5
        assert found["ts_ns"][-1] == status["now_ns"]
        assert found["series"]["equity"][-1] == status["equity_e6"] / 10**6
        assert found["series"]["health"][-1] == status["margin"]["health"]
        assert found["low"]["health"][0] <= found["high"]["health"][0]
        assert len(found["fills"]) == status["tally"]["trades"]
        assert sum(fill["base_e9"] for fill in found["fills"] if fill["kind"] == "perp") == next(
            row["base_e9"] for row in status["positions"] if row["kind"] == "perp"
        )


async def test_the_stream_tells_statuses_events_decisions_and_logs(tmp_path: Path) -> None:
    async with fleet(tmp_path, "hold") as manager, page(tmp_path) as site:
        manager.desks[0].log("INFO before")
        seen: dict[str, Any] = {}
        async with asyncio.timeout(20):
            async for kind, number, data in site.frames():
                seen.setdefault(kind, data)
                if number and "log" not in seen:
                    manager.desks[0].log('{"event": "hello <script>alert(1)</script>", "level": "warn"}')
                if {"status", "log"} <= set(seen):
                    break
        assert seen["log"]["message"] in ("before", "INFO before", "hello <script>alert(1)</script>")


async def test_the_page_and_its_charts_are_served(tmp_path: Path) -> None:
    async with page(tmp_path) as site, site.http.get(f"{site.origin}/vendor/plotly.min.js") as response:
        assert response.status == 200
        assert response.headers["content-type"].startswith("text/javascript")
        assert "script-src 'self'" in response.headers["content-security-policy"]
        assert len(await response.read()) > 1_000_000


async def test_nothing_outside_the_pages_folder_is_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inside = tmp_path / "static"
    inside.mkdir()
    (inside / "index.html").write_text("<p>the page</p>")
    (inside / "token.txt").write_text("a kind that is not sent")
    (tmp_path / "secret.json").write_text("{}")
    (inside / "link.json").symlink_to(tmp_path / "secret.json")
    monkeypatch.setattr(assets, "STATIC", inside)
    outside = ("../secret.json", "%2e%2e/secret.json", "..%2fsecret.json", "x/../../secret.json", "link.json")
    async with page(tmp_path) as site:
        for path in (*outside, "token.txt", "none.js", str(tmp_path / "secret.json"), "%00", "x" * 5_000, "%c3%a9"):
            async with site.http.get(URL(f"{site.origin}/static/{path}", encoded=True)) as response:
                assert response.status == 404, path
        async with site.http.get(site.origin) as response:
            assert await response.text() == "<p>the page</p>"
            tag = response.headers["etag"]
        async with site.http.get(site.origin, headers={"If-None-Match": tag}) as response:
            assert response.status == 304
