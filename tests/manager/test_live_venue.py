"""A fleet on a live venue: two paper engines on Drift v2's markets of a local chain, and the page beside them."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from fleet_desk import PROGRAM, Fleet, made

from drift_engine.control.places import holder
from drift_engine.core.types import Filled
from drift_engine.journal import reader
from drift_engine.venues.streams.address import ws_url_of

FLEET = """
[engines.one]
strategy = "hold"
venue = "drift_v2"
rpc = "{rpc}"
params = {{ target = "2" }}

[engines.two]
strategy = "hold"
venue = "drift_v2"
rpc = "{rpc}"
sub_account = 1
params = {{ target = "-1" }}
"""
_CONNECTED = "01"


@pytest.fixture
def fleet() -> Iterator[Fleet]:
    yield from made()


@contextmanager
def chain(place: Path, port: int = 0) -> Iterator[str]:
    """Run ``drift-engine localnet`` with a market that moves; yield the node's address."""
    on = ("--port", str(port), "--venue", "drift_v2", "--scenario", "calm_carry")
    command = (*PROGRAM, "localnet", "--json", *on)
    with subprocess.Popen(command, cwd=place, text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as run:
        assert run.stdout is not None
        text = ""
        for line in run.stdout:
            text += line
            if line == "}\n":
                break
        try:
            yield str(json.loads(text)["rpc"])
        finally:
            run.terminate()


def connections(pid: int, port: int) -> int:
    """Return how many open connections a process has to a port."""
    own = {str(file.readlink()) for file in Path(f"/proc/{pid}/fd").iterdir() if file.is_symlink()}
    count = 0
    for row in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, _, remote, state, *rest = row.split()
        if state == _CONNECTED and int(remote.partition(":")[2], 16) == port:
            count += f"socket:[{rest[5]}]" in own
    return count


def perps(status: dict[str, Any]) -> dict[str, tuple[int, int]]:
    return {row["market"]: (row["base_e9"], row["entry_e6"]) for row in status["positions"] if row["kind"] == "perp"}


def held(status: dict[str, Any]) -> int:
    return perps(status).get("SOL-PERP", (0, 0))[0]


def fills(fleet: Fleet, name: str) -> list[Filled]:
    return [r.event for r in reader.records(fleet.state / f"{name}.journal") if isinstance(r.event, Filled)]


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="counts connections as Linux tells them")
def test_two_engines_on_a_live_venue_read_it_once_each_and_come_back_with_their_positions(
    fleet: Fleet, tmp_path: Path
) -> None:
    with chain(tmp_path) as rpc:
        (fleet.state / "fleet.toml").write_text(FLEET.format(rpc=rpc))
        fleet.start("serve", "--port", "0", "--fleet", str(fleet.state / "fleet.toml"))
        fleet.until(lambda: sum(held(row) != 0 for row in running(fleet)) == 2, 40)
        one, two = running(fleet)
        assert (held(one), held(two)) == (2 * 10**9, -(10**9))
        assert {row["venue"] for row in (one, two)} == {"drift_v2"}
        assert {row["simulated"] for row in (one, two)} == {False}
        assert one["markets"]["SOL-PERP"]["open_interest_e9"] == 0, "read, and nobody holds anything"

        stream = urlsplit(ws_url_of(rpc)).port or 0
        node = urlsplit(rpc).port or 0
        assert [connections(row["pid"], stream) for row in (one, two)] == [1, 1], "one stream of accounts a process"
        manager, page = (holder(fleet.state / f"{name}.pid") or 0 for name in ("manager", "page"))
        for pid in (manager, page):
            assert (connections(pid, stream), connections(pid, node)) == (0, 0), "they know what engines tell them"
        assert [row["status"] for row in of_page(fleet)] == ["RUNNING", "RUNNING"]

        before = fleet.status("one")
        os.kill(before["pid"], signal.SIGKILL)
        fleet.until(lambda: [row["pid"] for row in running(fleet) if row["pid"] != before["pid"]][1:], 5 * slower())
        after = fleet.status("one")
        assert perps(after) == perps(before)
        for figure in ("fees_e6", "slippage_e6"):
            assert after["pnl"][figure] == before["pnl"][figure]
        assert after["net_deposits_e6"] == before["net_deposits_e6"]
        assert len(fills(fleet, "one")) == 1, "nothing was traded anew"
        assert fleet.fleet()["two"]["restarts"] == 0
        assert connections(after["pid"], stream) == 1
        fleet.until(lambda: fleet.status("one")["margin"]["status"] == "known")


def test_an_engine_waits_for_a_node_that_is_away_and_can_be_stopped_meanwhile(fleet: Fleet, tmp_path: Path) -> None:
    port = two_free_ports()
    live = {"strategy": "hold", "venue": "drift_v2", "params": {"target": "1"}}
    for number, name in enumerate(("waits", "leaves")):
        fleet.spec(name, live, rpc=f"http://127.0.0.1:{port}", sub_account=number)
    waits, leaves = fleet.start("engine", "waits"), fleet.start("engine", "leaves")
    said = fleet.state / "test.log"
    fleet.until(lambda: said.read_text().count("the node does not answer and is asked again") >= 2, 40)
    leaves.terminate()
    assert leaves.wait(30) == 0
    assert waits.poll() is None
    with chain(tmp_path, port):
        fleet.until(lambda: fleet.ask("waits", "status").ok, 30)
        fleet.until(lambda: held(fleet.status("waits")) == 10**9)
        waits.terminate()
        assert waits.wait(30) == 0


def two_free_ports() -> int:
    """Return a port that is free, as is the one after it."""
    for _ in range(50):
        with socket.socket() as one, socket.socket() as two, contextlib.suppress(OSError):
            one.bind(("127.0.0.1", 0))
            port: int = one.getsockname()[1]
            two.bind(("127.0.0.1", port + 1))
            return port
    raise AssertionError("no two ports are free")


def slower() -> float:
    """Return how much slower things go while the machine has more to do than it has cores."""
    return max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1) / 2)


def running(fleet: Fleet) -> list[dict[str, Any]]:
    return [row for row in fleet.fleet().values() if row["status"] == "RUNNING"]


def of_page(fleet: Fleet) -> list[dict[str, Any]]:
    said = (fleet.state / "test.log").read_text()
    url = next(line.split()[-1] for line in said.splitlines() if line.startswith("page at "))
    with urllib.request.urlopen(f"{url}/api/engines", timeout=30) as answer:  # noqa: S310
        found: list[dict[str, Any]] = json.load(answer)
    return found
