"""The whole: a manager, engines and the page as processes of their own, steered over HTTP."""

import asyncio
import os
import signal
import subprocess
from pathlib import Path

from served_fleet import PROGRAM, served

from inbox_server import inbox


async def test_a_fleet_is_seen_and_steered(tmp_path: Path) -> None:
    async with served(tmp_path) as site:
        row = (await site.engines())["waiting"]
        assert row["strategy"] == "waiting"
        assert row["strategy_status"]["waited_h"] == 7
        assert row["params"]["patience"]["value"] == "2.5"
        (listed,) = [one for one in await site.get("/api/strategies") if one["name"] == row["strategy"]]
        assert [param["name"] for param in listed["params"]] == ["market", "patience"]

        assert (await site.post("/api/engines/waiting/stop"))["ok"]
        await site.until(lambda rows: rows["waiting"]["status"] == "STOPPED")
        told = await site.post("/api/engines/waiting/params", {"params": {"patience": "3"}})
        assert told["ok"], told
        told = await site.post("/api/engines/waiting/params", {"params": {"patienc": "3"}})
        assert "did you mean 'patience'" in told["message"]
        assert (await site.post("/api/engines/waiting/start"))["ok"]
        await site.until(lambda rows: rows["waiting"]["params"].get("patience", {}).get("value") == "3")
        told = await site.post("/api/engines/waiting/params", {"params": {"patience": "4"}})
        assert (told["ok"], told["code"]) == (False, "running")


async def test_stop_ends_flat_and_is_written_down(tmp_path: Path) -> None:
    async with served(tmp_path) as site:
        await site.until(lambda rows: any(held["base_e9"] for held in rows["neutral"]["positions"] or ()))
        health = await site.get("/health")
        assert health["differences"] == {}, health
        told = await site.post("/api/kill")
        assert told["ok"], told
        await site.until(lambda rows: all(is_flat(row) for row in rows.values()), seconds=20)
        seq = (await site.engines())["neutral"]["seq"]
        replica = await site.until(lambda found: found["seq"] >= seq and found, "/api/engines/neutral/replica")
        assert is_flat(replica)
        what = [row["what"] for row in await site.get("/api/audit") if row["who"].startswith("session")]
        assert what == ["kill", "unlock"]


def is_flat(row: dict[str, object]) -> bool:
    positions = row["positions"]
    assert isinstance(positions, list)
    return bool(row["latched"]) and not any(held["base_e9"] for held in positions if held["market"] != "USDC")


async def test_who_is_killed_is_missed_and_comes_back(tmp_path: Path) -> None:
    async with served(tmp_path) as site:
        rows = await site.engines()
        os.kill(rows["neutral"]["pid"], signal.SIGKILL)
        await site.until(lambda told: any(one["rule"] == "engine_down" for one in told["active"]), "/api/alerts")
        await site.until(
            lambda found: found["neutral"]["status"] == "RUNNING" and found["neutral"]["pid"] != rows["neutral"]["pid"]
        )
        os.kill(int((site.state / "page.pid").read_text().split()[0]), signal.SIGKILL)
        await asyncio.sleep(0.3)
        found = await site.until(lambda told: told["waiting"]["status"] == "RUNNING" and told)
        assert found["waiting"]["pid"] == rows["waiting"]["pid"]
        assert found["waiting"]["seq"] > rows["waiting"]["seq"]
        assert await site.get("/api/session") == {"unlocked": False}, "who was unlocked unlocks again"


async def test_alerts_go_out_through_the_manager(tmp_path: Path) -> None:
    async with inbox() as there, served(tmp_path, f'[alerts]\nwebhook = "{there.url}/hook"\n') as site:
        told = await site.post("/api/alerts/test")
        assert (told["ok"], told["data"]) == (True, {"webhook": ""})
        assert there.came[-1][1]["rule"] == "test"
        command = [PROGRAM, "alerts", "test", "--state", str(site.state)]
        done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout) == (0, "webhook: taken\n")
        there.answers = [(500, {})]
        told = await site.post("/api/alerts/test")
        assert (told["ok"], told["data"]) == (False, {"webhook": "127.0.0.1 answered 500"})
