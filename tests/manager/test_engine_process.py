"""An engine in its own process: what its socket answers, how it ends, and that nobody who watches slows it."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fleet_desk import FAST, HOLD, Fleet, made

from drift_engine.control.client import ask, follow
from drift_engine.control.host import Host
from drift_engine.control.spec import EngineSpec
from drift_engine.core.types import Commanded, StateChanged
from drift_engine.journal import reader
from drift_engine.replay import replay

CONTRACT = """engine strategy mode market venue simulated scenario status trading reason latched disputed closing pid
uptime_s restarts seq as_of_ns heard_ns wall_ns margin positions net_delta_e9 pnl equity_e6 net_deposits_e6
high_water_e6 drawdown markets metrics alerts strategy_status params last_decision tally resources signer
sub_accounts"""


@pytest.fixture
def fleet() -> Iterator[Fleet]:
    yield from made()


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
    assert process.wait(30) == 0
    end = json.loads((fleet.state / "a.end").read_text())
    assert (end["code"], end["status"]["status"]) == (0, "STOPPING")
    assert not path.exists()

    words = [r.event for r in reader.records(fleet.state / "a.journal") if isinstance(r.event, Commanded)]
    assert [(word.command, word.who) for word in words] == [("kill", "tester"), ("resume", "tester")]
    told = replay(fleet.state / "a.journal")
    assert told.same, told.difference


def test_a_halted_engine_ends_with_3(fleet: Fleet) -> None:
    fleet.spec("a", HOLD)
    process = fleet.engine("a")
    fleet.until(lambda: fleet.status("a")["tally"]["trades"])
    assert fleet.ask("a", "close", market="SOL-PERP", who="tester").code == "submitted"
    fleet.ask("a", "kill")
    fleet.until(lambda: fleet.status("a")["trading"] == "HALTED")
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 3
    last = [r.event for r in reader.records(fleet.state / "a.journal") if isinstance(r.event, StateChanged)][-1]
    assert (last.latched, last.cause) == (True, "close")


def test_a_second_engine_on_a_sub_account_or_a_name_is_refused(fleet: Fleet) -> None:
    fleet.spec("a")
    fleet.spec("b", HOLD)
    fleet.engine("a")
    again, other = fleet.start("engine", "a"), fleet.start("engine", "b")
    assert (again.wait(30), other.wait(30)) == (2, 2)
    said = (fleet.state / "test.log").read_text()
    assert "engine a is in use by process" in said
    assert "sub-account 0 of sim is in use by process" in said
    assert fleet.status("a")["status"] == "RUNNING"
    fleet.started[0].kill()
    fleet.started[0].wait(30)
    fleet.spec("a", HOLD)
    assert fleet.start("engine", "a").wait(30) == 2, "a changed engine does not take up the old journal"
    assert "of another run" in json.loads((fleet.state / "a.end").read_text())["reason"]


async def test_bad_requests_are_answered_and_harm_nothing() -> None:
    import tempfile

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


async def test_who_does_not_read_is_dropped_and_holds_nobody_up(fleet: Fleet) -> None:
    """Twenty followers that never read: they are cut off, one that reads has no gap, and ticks go on."""
    run = {**HOLD, "speed": 30_000, "interval_s": 60}
    host = Host(EngineSpec("a", run), fleet.state, patience_s=0.3)
    engine = asyncio.create_task(host.run())
    await until(lambda: host.engine is not None and host.engine.state.ticks > 400)
    assert host.engine is not None
    stalled = [deaf(host.server.path) for _ in range(20)]
    assert await ordered(host.server.path, 1_200) == 1_200
    await until(lambda: host.server.dropped == 20)
    assert host.status()["drops"] == 20
    assert len(host.engine.bus.subscriptions) == 1, "its own log reads on"
    assert (await ask(host.server.path, "stop")).ok
    await engine
    for peer in stalled:
        peer.close()


async def test_a_slow_reader_sees_the_hole_and_goes_on(fleet: Fleet) -> None:
    run = {**HOLD, "speed": 60_000, "interval_s": 60}
    host = Host(EngineSpec("a", run), fleet.state, patience_s=5)
    engine = asyncio.create_task(host.run())
    await until(lambda: host.engine is not None and host.engine.state.ticks > 10)
    assert host.engine is not None
    peer = deaf(host.server.path)
    await until(lambda: len(host.engine.bus.subscriptions) == 1)  # type: ignore[union-attr]
    began = host.engine.state.seq
    await until(lambda: host.engine.state.seq > began + 6_000)  # type: ignore[union-attr]
    seen = await asyncio.to_thread(read_until_gap, peer)
    peer.close()
    assert [m["seq"] for m in seen[:-2]] == list(range(seen[0]["seq"], seen[0]["seq"] + len(seen) - 2))
    gap, following = seen[-2]["gap"], seen[-1]
    assert gap == {"after": seen[-3]["seq"], "next": following["seq"]}
    assert gap["next"] - gap["after"] > 100
    assert (await ask(host.server.path, "stop")).ok
    await engine


def deaf(path: Path) -> socket.socket:
    """Return a follower that reads nothing by itself."""
    peer = socket.socket(socket.AF_UNIX)
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    peer.connect(str(path))
    peer.sendall(b'{"do": "follow"}\n')
    return peer


def read_until_gap(peer: socket.socket) -> list[dict[str, Any]]:
    """Return a stream's messages up to the one after the first hole."""
    messages: list[dict[str, Any]] = []
    with peer.makefile("rb") as file:
        file.readline()
        for line in file:
            messages.append(json.loads(line))
            if len(messages) > 1 and "gap" in messages[-2]:
                break
    return messages


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not true():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def ordered(path: Path, count: int) -> int:
    last, seen = 0, 0
    async for message in follow(path):
        if "seq" in message:
            assert last in (0, message["seq"] - 1)
            last, seen = message["seq"], seen + 1
        assert "gap" not in message
        if seen == count:
            break
    return seen
