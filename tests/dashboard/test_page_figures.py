"""Metrics, the API's own description, strategies, opportunities; and text from outside."""

import re
from pathlib import Path

from engine_desk import fleet
from page_desk import page

from drift_engine import catalogue
from drift_engine.dashboard.logs import LogTail, last_lines, parsed
from drift_engine.dashboard.openapi import document
from drift_engine.dashboard.routes import WAYS
from drift_engine.dashboard.stream import frame

SCRIPT = "<script>alert(1)</script>"


async def test_metrics_say_what_the_status_says(tmp_path: Path) -> None:
    async with fleet(tmp_path, "delta_neutral") as manager, page(tmp_path) as site:
        await manager.desks[0].engine.stop()
        await site.server.room.fleet.beat()
        async with site.http.get(f"{site.origin}/metrics") as response:
            assert response.headers["content-type"].startswith("text/plain; version=0.0.4")
            text = await response.text()
        status = manager.desks[0].engine.get_status()
        rows = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
        assert float(rows['drift_health_ratio{engine="delta-neutral"}']) == status["margin"]["health"]
        assert float(rows['drift_equity_usd{engine="delta-neutral"}']) == status["equity_e6"] / 10**6
        for cause in ("price", "basis", "funding", "interest", "fees", "tips", "slippage", "liquidation"):
            value = float(rows[f'drift_pnl_usd{{cause="{cause}",engine="delta-neutral"}}'])
            assert value == status["pnl"][f"{cause}_e6"] / 10**6
        for name in ("free_collateral_usd", "leverage_ratio", "seq"):
            assert f'drift_{name}{{engine="delta-neutral"}}' in rows
        for name in ("net_delta_base", "oracle_age_seconds", "restarts_total", "fills_total", "trading_state"):
            assert f"drift_{name}{{" in text
        assert float(rows["drift_manager_up"]) == 1
        assert "drift_stream_drops_total" in rows


async def test_metrics_leave_out_what_is_not_known(tmp_path: Path) -> None:
    async with fleet(tmp_path, "hold") as manager, page(tmp_path) as site:
        manager.desks[0].changes = {"margin": {"status": "unknown", "health": None, "leverage": None}}
        await site.server.room.fleet.beat()
        async with site.http.get(f"{site.origin}/metrics") as response:
            text = await response.text()
        assert not re.search(r"^drift_health_ratio{", text, re.MULTILINE)
        assert re.search(r"^drift_equity_usd{", text, re.MULTILINE)


async def test_the_api_describes_all_of_itself(tmp_path: Path) -> None:
    async with page(tmp_path) as site:
        told = await site.get("/api/openapi.json")
    assert told == document()
    assert {(path, method.upper()) for path, ways in told["paths"].items() for method in ways} == {
        (way.path, way.method) for way in WAYS
    }
    assert all(operation["summary"] for ways in told["paths"].values() for operation in ways.values())


async def test_strategies_are_listed_from_their_declarations(tmp_path: Path) -> None:
    async with page(tmp_path) as site:
        rows = {row["name"]: row for row in await site.get("/api/strategies")}
    for kind in catalogue.builtin():
        row = rows[kind().name]
        assert [param["name"] for param in row["params"]] == list(kind.Params.__struct_fields__)
        assert all(param["type"] in ("decimal", "integer", "text", "boolean") for param in row["params"])
        assert row["text"]


async def test_opportunities_are_real_figures(tmp_path: Path) -> None:
    async with fleet(tmp_path, "delta_neutral", "hold", speed=36_000.0) as manager, page(tmp_path) as site:
        await manager.desks[0].engine.wait() if not manager.desks[0].engine.running else None
        rows = await site.get("/api/opportunities")
        (row,) = rows
        assert (row["market"], row["simulated"]) == ("SOL-PERP", True)
        assert row["apr"] is None or abs(row["apr"] - row["rate_1h"] * 8_760) < 1e-9
        assert row["open_interest_e9"] is None or row["open_interest_e9"] > 0


async def test_script_in_names_and_lines_stays_text(tmp_path: Path) -> None:
    async with fleet(tmp_path, "hold") as manager, page(tmp_path) as site:
        desk = manager.desks[0]
        desk.log(f"WARNING {SCRIPT} \x1b[31mred\x1b[0m \u202eevil\x00")
        (line,) = (await site.get("/api/engines/hold/logs"))[-1:]
        assert line == {"time": None, "level": "warning", "source": None, "message": f"WARNING {SCRIPT} red evil"}
        async with site.http.get(f"{site.origin}/api/engines/hold/logs") as response:
            assert response.headers["content-type"] == "application/json"
            assert response.headers["x-content-type-options"] == "nosniff"
        async with site.http.get(f"{site.origin}/api/engines/{SCRIPT}") as response:
            assert response.status == 404
            assert SCRIPT not in await response.text(), "nothing of a request is sent back"
        async with site.http.get(f"{site.origin}/api/engines/hold/history?series={SCRIPT}") as response:
            assert response.status == 400
            assert SCRIPT not in await response.text()


def test_a_line_of_ours_is_told_apart() -> None:
    line = parsed(b"2026-01-02T03:04:05.678Z WARNING drift_engine.engine refused p2, buy: ERROR of 3 Z INFO x\x07")
    assert line == {
        "time": "2026-01-02T03:04:05.678Z",
        "level": "warning",
        "source": "engine",
        "message": "refused p2, buy: ERROR of 3 Z INFO x",
    }
    assert parsed(b"2026-01-02 ERROR of another kind")["time"] is None


def test_a_line_break_cannot_make_a_frame() -> None:
    line = parsed(b'{"event": "a\\n\\nevent: status\\ndata: {}\\u2028\\r", "level": "INFO"}')
    made = frame("log", line).decode()
    assert [row.partition(":")[0] for row in re.split("[\r\n]", made)] == ["event", "data", "", ""]


def test_a_log_is_followed_through_rotation(tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    early = LogTail(path)
    assert early.fresh() == []
    path.write_text("one\n")
    assert [line["message"] for line in early.fresh()] == ["one"]
    tail = LogTail(path)
    assert tail.fresh() == [], "the first look begins at the end"
    with path.open("a") as file:
        file.write("two\nthr")
    assert [line["message"] for line in tail.fresh()] == ["two"]
    with path.open("a") as file:
        file.write("ee\n")
    assert [line["message"] for line in tail.fresh()] == ["three"]
    path.rename(tmp_path / "x.log.1")
    path.write_text("four\n")
    assert [line["message"] for line in tail.fresh()] == ["four"]
    assert [line["message"] for line in last_lines(path)] == ["four"]
