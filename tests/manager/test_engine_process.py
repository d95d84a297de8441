"""An engine in its own process: what its socket answers, how it ends, and that nobody who watches slows it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import stat
import statistics
import time
from typing import Any

from fleet_desk import FAST, HOLD, Fleet

from drift_engine.control.client import follow
from drift_engine.control.host import Host
from drift_engine.control.spec import EngineSpec
from drift_engine.core.types import Commanded, StateChanged
from drift_engine.journal import reader
from drift_engine.replay import replay

CONTRACT = """engine strategy mode market venue simulated scenario status trading reason latched disputed closing pid
uptime_s restarts seq as_of_ns heard_ns wall_ns margin positions net_delta_e9 pnl equity_e6 net_deposits_e6
high_water_e6 drawdown markets metrics alerts strategy_status params last_decision tally resources signer
sub_accounts"""


def test_an_engine_answers_is_killed_to_flat_resumed_and_stopped(fleet: Fleet) -> None:
    fleet.spec("a", sub_account=3)
    process = fleet.engine("a")
    path = fleet.state / "a.sock"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    fleet.until(lambda: fleet.status("a")["tally"]["trades"] >= 2)
    status = fleet.status("a")
    assert set(CONTRACT.split()) <= set(status)
    assert (status["engine"], status["status"], status["trading"]) == ("a", "RUNNING", "ACTIVE")
    assert (status["pid"], status["sub_accounts"][0]["id"]) == (process.pid, 3)
    assert sum(v for k, v in status["pnl"].items() if k != "total_e6") == status["pnl"]["total_e6"]
    assert status["equity_e6"] - status["net_deposits_e6"] == status["pnl"]["total_e6"]
    assert status["params"]["cooldown_s"]["default"] == "1800"
    assert {row["side"] for row in status["positions"] if row["kind"] == "perp"} == {"short"}

    refused = fleet.ask("a", "close", market="DOGE-PERP")
    assert (refused.ok, refused.code) == (False, "unknown_market")
    assert fleet.ask("a", "resume").code == "nothing_to_resume"
    assert fleet.ask("a", "kill", who="tester").code == "closing"
    fleet.until(lambda: fleet.status("a")["trading"] == "HALTED")
    status = fleet.status("a")
    assert status["reason"].startswith("flat: nothing left; killed by tester")
    assert not [row for row in status["positions"] if row["kind"] == "perp" and row["base_e9"]]
    assert status["latched"]
    assert fleet.ask("a", "close", market="USDC").code == "nothing_held"
    assert fleet.ask("a", "resume", who="tester").ok
    assert fleet.ask("a", "stop").ok
    assert process.wait(5) == 0
    end = json.loads((fleet.state / "a.end").read_text())
    assert (end["code"], end["status"]["status"]) == (0, "STOPPING")
    assert not path.exists()

    words = [r.event for r in reader.records(fleet.state / "a.journal") if isinstance(r.event, Commanded)]
    assert [(word.command, word.who) for word in words] == [("kill", "tester"), ("resume", "tester")]
    told = replay(fleet.state / "a.journal")
    assert told.same, told.difference


def test_a_halted_engine_ends_with_3_and_a_stopped_one_with_0_within_5_s(fleet: Fleet) -> None:
    fleet.spec("a", HOLD)
    process = fleet.engine("a")
    fleet.until(lambda: fleet.status("a")["tally"]["trades"])
    assert fleet.ask("a", "close", market="SOL-PERP", who="tester").code == "submitted"
    fleet.ask("a", "kill")
    fleet.until(lambda: fleet.status("a")["trading"] == "HALTED")
    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    assert process.wait(5) == 3
    assert time.monotonic() - began < 5
    last = [r.event for r in reader.records(fleet.state / "a.journal") if isinstance(r.event, StateChanged)][-1]
    assert (last.latched, last.cause) == (True, "close")


def test_a_second_engine_on_a_sub_account_or_a_name_is_refused(fleet: Fleet) -> None:
    fleet.spec("a")
    fleet.spec("b", HOLD)
    fleet.engine("a")
    again, other = fleet.start("engine", "a"), fleet.start("engine", "b")
    assert (again.wait(10), other.wait(10)) == (2, 2)
    said = (fleet.state / "test.log").read_text()
    assert "engine a is in use by process" in said
    assert "sub-account 0 of sim is in use by process" in said
    assert fleet.status("a")["status"] == "RUNNING"


def test_a_changed_engine_does_not_take_up_the_old_journal(fleet: Fleet) -> None:
    fleet.spec("a", HOLD)
    process = fleet.engine("a")
    process.kill()
    process.wait(5)
    fleet.spec("a", {**HOLD, "params": {"target": "2"}})
    assert fleet.start("engine", "a").wait(10) == 2
    assert "of another run" in json.loads((fleet.state / "a.end").read_text())["reason"]


async def test_bad_requests_are_answered_and_harm_nothing() -> None:
    import tempfile
    from pathlib import Path

    from drift_engine.control.server import ControlServer

    with tempfile.TemporaryDirectory(prefix="de-") as folder:
        host = Host(EngineSpec("a", FAST), Path(folder))
        server = ControlServer(Path(folder) / "a.sock", host._handlers())
        await server.start()
        reader_, writer = await asyncio.open_unix_connection(server.path)
        for text, code in (
            (b"nonsense\n", "bad_request"),
            (b"[]\n", "bad_request"),
            (b'{"do": 1}\n', "bad_request"),
            (b'{"do": "nonsense"}\n', "unknown_command"),
            (b'{"do": "decisions", "n": "x"}\n', "bad_request"),
            (b'{"do": "kill"}\n', "not_running"),
            (b'{"do": "status", "id": 7}\n', "done"),
            (b"x" * 100_000 + b"\n", "bad_request"),
        ):
            writer.write(text)
            answer = json.loads(await reader_.readline())
            assert answer["code"] == code
        assert await reader_.read() == b""
        writer.close()
        await server.close()


# --------------------------------------------------------------------------- following


async def test_a_follower_gets_every_event_and_sees_what_it_missed(fleet: Fleet) -> None:
    fleet.spec("a")
    await asyncio.to_thread(fleet.engine, "a")
    await asyncio.to_thread(fleet.until, lambda: fleet.status("a")["seq"] > 30)
    seen: list[dict[str, Any]] = []
    async for message in follow(fleet.state / "a.sock", after_seq=10):
        seen.append(message)
        if len(seen) > 20:
            break
    start = seen[0]["answer"].data["seq"]
    assert seen[1] == {"gap": {"after": 10, "next": start + 1}}
    assert [m["seq"] for m in seen[2:]] == list(range(start + 1, start + 20))
    missed = [r.seq for r in reader.records(fleet.state / "a.journal", 10) if r.seq <= start]
    assert missed == list(range(11, start + 1)), "the journal has what the stream left out"


def test_who_does_not_read_is_dropped_and_the_tick_does_not_feel_it(fleet: Fleet) -> None:
    """Thirty followers that never read: they are cut off, one that reads gets on with no gap, ticks stay as quick."""
    fleet.spec("a", {**HOLD, "speed": 20_000, "interval_s": 60})
    fleet.engine("a")
    fleet.until(lambda: fleet.status("a")["tally"]["ticks"] > 300)
    alone = [fleet.status("a")["tick_latency"]["p50_us"]]
    stalled = []
    for _ in range(30):
        peer = socket.socket(socket.AF_UNIX)
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        peer.connect(str(fleet.state / "a.sock"))
        peer.sendall(b'{"do": "follow"}\n')
        stalled.append(peer)
    assert asyncio.run(_ordered(fleet, 600)) == 600
    fleet.until(lambda: fleet.status("a")["tally"]["ticks"] > 1_500)
    crowded = fleet.status("a")["tick_latency"]["p50_us"]
    fleet.until(lambda: fleet.status("a")["drops"] == 30, within_s=25)
    for peer in stalled:
        peer.close()
    assert crowded < 2 * statistics.median(alone) + 100
    assert os.path.exists(f"/proc/{fleet.status('a')['pid']}")  # noqa: PTH110


async def _ordered(fleet: Fleet, count: int) -> int:
    last, seen = 0, 0
    async for message in follow(fleet.state / "a.sock"):
        if "seq" in message:
            assert last in (0, message["seq"] - 1)
            last, seen = message["seq"], seen + 1
        assert "gap" not in message
        if seen == count:
            break
    return seen
