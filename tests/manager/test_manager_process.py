"""The manager as a process: what it keeps alive, what it takes over, what it leaves behind, and what it says."""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fleet_desk import Fleet, made

from drift_engine.cli.main import run
from drift_engine.control.places import holder
from drift_engine.core.types import Filled
from drift_engine.dashboard.audit import Audit
from drift_engine.journal import reader

TWO = """
[engines.a]
strategy = "delta_neutral"
speed = 3600
days = 365

[engines.b]
strategy = "hold"
speed = 3600
days = 365
sub_account = 1
autostart = {auto}
params = {{ target = "2" }}
"""


@pytest.fixture
def fleet() -> Iterator[Fleet]:
    yield from made()


def serve(fleet: Fleet, *, auto: bool = True, page: bool = False) -> subprocess.Popen[bytes]:
    """Start a manager of two engines and wait until they trade."""
    path = fleet.state / "fleet.toml"
    path.write_text(TWO.format(auto="true" if auto else "false"))
    process = fleet.start("serve", *(("--port", "0") if page else ("--no-page",)), "--fleet", str(path))
    names = {"a", "b"} if auto else {"a"}
    fleet.until(lambda: names <= {n for n, row in fleet.fleet().items() if row["status"] == "RUNNING"})
    return process


def cli(fleet: Fleet, *arguments: str) -> tuple[int, str]:
    """Run a command in this process; it talks to the others by their sockets."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        code = run((*arguments, "--state", str(fleet.state)))
    return code, said.getvalue()


def fills(fleet: Fleet, name: str) -> list[Filled]:
    return [r.event for r in reader.records(fleet.state / f"{name}.journal") if isinstance(r.event, Filled)]


def test_a_killed_engine_is_back_with_positions_and_pnl_as_before_and_an_alert(fleet: Fleet) -> None:
    """Nothing is traded anew, every cause of profit goes on from where it was."""
    serve(fleet)
    fleet.until(lambda: all(fleet.fleet()[name]["tally"]["trades"] for name in "ab"))
    before = fleet.status("a")
    os.kill(before["pid"], signal.SIGKILL)
    fleet.until(lambda: fleet.fleet()["a"]["status"] == "ERROR")
    fleet.until(lambda: fleet.fleet()["a"]["status"] == "RUNNING")
    after = fleet.status("a")
    row = fleet.fleet()["a"]
    assert (row["restarts"], row["pid"]) == (1, after["pid"])
    assert after["pid"] != before["pid"]
    assert {r["market"]: r["base_e9"] for r in after["positions"] if r["kind"] == "perp"} == {
        r["market"]: r["base_e9"] for r in before["positions"] if r["kind"] == "perp"
    }
    for cause in ("fees_e6", "slippage_e6"):
        assert after["pnl"][cause] == before["pnl"][cause]
    assert after["seq"] >= before["seq"] - 20, "at most the prices of the last 100 ms are lost"
    assert len(fills(fleet, "a")) == 2
    (alert,) = fleet.ask("manager", "alerts").data["active"]
    assert (alert["rule"], alert["engine"], alert["severity"]) == ("engine_down", "a", "CRITICAL")
    assert row["alerts"][0]["rule"] == "engine_down"

    os.kill(fleet.status("b")["pid"], signal.SIGSTOP)
    took = fleet.until(lambda: fleet.fleet()["b"]["status"] == "STALE")
    assert took > 1.5, "three seconds after the last heartbeat"
    row = fleet.fleet()["b"]
    assert row["margin"]["status"] == "stale", "old figures are not shown as known"
    fleet.until(lambda: "stale" in [alert["rule"] for alert in fleet.ask("manager", "alerts").data["active"]])
    os.kill(row["pid"], signal.SIGCONT)
    fleet.until(lambda: fleet.fleet()["b"]["status"] == "RUNNING")


def test_engines_outlive_a_killed_manager_and_the_next_one_takes_them_over_and_stops_them(fleet: Fleet) -> None:
    """The page's server is killed first: it comes back, and no engine notices either."""
    first = serve(fleet, page=True)
    said = fleet.state / "test.log"
    fleet.until(lambda: "unlocks its commands" in said.read_text())
    token = (fleet.state / "token").read_text().strip()
    assert "page at http://127.0.0.1:" in said.read_text()
    assert f"token {token} unlocks" in said.read_text()
    pids = {name: row["pid"] for name, row in fleet.fleet().items()}
    page = holder(fleet.state / "page.pid")
    assert page is not None
    os.kill(page, signal.SIGKILL)
    fleet.until(lambda: holder(fleet.state / "page.pid") not in (page, None))
    assert (fleet.state / "token").read_text().strip() == token, "the token outlives the page's server"
    page = holder(fleet.state / "page.pid")

    first.kill()
    first.wait(30)
    code, told = cli(fleet, "kill", "b")
    assert (code, "b: REDUCING" in told) == (0, True), "a kill needs no manager"
    assert "b is flat and halted; left: nothing; it says: flat: nothing left; killed by terminal" in told
    before = {name: fleet.status(name)["seq"] for name in "ab"}
    fleet.until(lambda: all(fleet.status(name)["seq"] > before[name] for name in "ab"))
    second = serve(fleet, page=True)
    rows = fleet.fleet()
    assert {name: row["pid"] for name, row in rows.items()} == pids
    assert {row["restarts"] for row in rows.values()} == {0}
    fleet.until(lambda: holder(fleet.state / "page.pid") not in (page, None))
    refused = fleet.start("serve", "--no-page")
    assert refused.wait(30) == 2, "one manager a state directory"
    second.send_signal(signal.SIGTERM)
    assert second.wait(30) == 0
    assert [holder(fleet.state / f"{name}.pid") for name in ("a", "b", "page")] == [None] * 3
    assert not list(fleet.state.glob("*.sock"))
    ends = {name: json.loads((fleet.state / f"{name}.end").read_text()) for name in "ab"}
    assert (ends["a"]["code"], ends["b"]["code"]) == (0, 3)
    assert ends["b"]["status"]["reason"].startswith("flat: nothing left; killed by terminal")


def test_commands_from_the_terminal(fleet: Fleet) -> None:
    """Kill to flat, resume, stop, change, start: each answered, each seen in the engine's own status."""
    serve(fleet, auto=False)
    assert fleet.fleet()["b"]["status"] == "STOPPED"
    assert fleet.fleet()["b"]["margin"]["health"] is None
    changed = fleet.ask("manager", "set", engine="b", params={"target": "-3"})
    assert changed.ok, changed
    assert fleet.ask("manager", "set", engine="b", params={"tarjet": "1"}).code == "bad_params"
    assert fleet.ask("manager", "set", engine="a", params={"size": "1"}).code == "running"
    assert cli(fleet, "start", "b") == (0, "b is RUNNING\n")
    fleet.until(lambda: fleet.status("b")["net_delta_e9"].get("SOL") == -3 * 10**9)
    assert "a is stopped; it still holds -33" in cli(fleet, "stop", "a")[1]
    code, said = cli(fleet, "status", "--watch", "--for", "0.5s")
    assert code == 0
    assert "STOPPED" in said
    assert "health 9" in said
    assert cli(fleet, "stop", "b")[0] == 0
    refused = fleet.ask("manager", "set", engine="b", params={"target": "1"})
    assert (refused.code, "-3 SOL-PERP" in refused.message) == ("not_flat", True)

    code, said = cli(fleet, "kill", "b", "--within", "30")
    assert (code, "b: it was stopped and held" in said) == (0, True), "what is stopped and holds something is closed"
    assert "b is flat and halted; left: nothing" in said, "and it is waited for while it starts"
    fleet.until(lambda: fleet.fleet()["b"]["trading"] == "HALTED")
    row = fleet.fleet()["b"]
    assert (row["status"], row["reason"].startswith("flat: nothing left; killed by")) == ("RUNNING", True)
    again = json.loads(cli(fleet, "kill", "b", "--json")[1])
    assert (again["ends"]["b"]["flat"], again["ends"]["b"]["left"]) == (True, {})
    assert "ends" not in json.loads(cli(fleet, "kill", "b", "--within", "0", "--json")[1])
    fleet.until(lambda: fleet.status("b")["trading"] == "HALTED" and not fleet.status("b")["closing"])
    assert cli(fleet, "resume", "b")[0] == 0
    assert fleet.fleet()["b"]["engine"] == "b"
    assert "SOL-PERP" in cli(fleet, "status", "b", "--json")[1]
    one = cli(fleet, "status", "b")[1]
    assert "Last decision" in one, "one engine is shown in full while it lives"
    assert "liquidation" in one

    audit = Audit(fleet.state)
    assert audit.first_bad() is None
    lines = [line for line in reversed(audit.last(100)) if line["who"].startswith("terminal, user ")]
    asked = [(line["what"], line["target"], line["outcome"]) for line in lines]
    assert asked[:3] == [("start", "b", "started"), ("stop", "a", "stopped"), ("stop", "b", "stopped")]
    assert [what for what, _, _ in asked[3:]] == ["kill", "kill", "kill", "resume"]
    assert "it still holds -33" in lines[1]["message"]


def test_an_engine_that_the_fleet_has_not_is_told_with_those_it_has(fleet: Fleet) -> None:
    """The same line and exit code whichever way the command takes, also where only the files are left."""
    manager = serve(fleet, auto=False)
    for words in (("start",), ("stop",), ("restart",), ("kill",), ("deposit", "5"), ("withdraw", "5")):
        code, said = cli(fleet, words[0], "nope", *words[1:])
        assert (code, said) == (2, "drift-engine: no engine 'nope'; the fleet has a, b\n"), words
    assert cli(fleet, "kill", "a1")[1] == "drift-engine: no engine 'a1'; did you mean 'a'? the fleet has a, b\n"
    assert cli(fleet, "deposit", "b", "5") == (1, "drift-engine: b does not run; drift-engine start b\n")
    code, said = cli(fleet, "deposit", "nope", "5", "--json")
    assert (code, json.loads(said)["code"]) == (2, "unknown_engine")
    manager.terminate()
    manager.wait(30)
    left = "those that ever ran here are a; manager cannot be reached: No such file or directory"
    for words in (("start",), ("stop",), ("restart",), ("kill",), ("deposit", "5"), ("withdraw", "5")):
        code, said = cli(fleet, words[0], "nope", *words[1:])
        assert (code, said) == (2, f"drift-engine: no engine 'nope'; {left}\n"), words
        code, said = cli(fleet, words[0], "a", *words[1:])
        assert (code, "is drift-engine serve running with this --state?" in said) == (1, True), words
    assert f"no engine 'a1'; did you mean 'a'? {left}" in cli(fleet, "start", "a1")[1]
    written = len(Audit(fleet.state).last(100))
    code, said = cli(fleet, "stop", "nope", "--json")
    assert (code, json.loads(said)["code"]) == (2, "unknown_engine")
    assert len(Audit(fleet.state).last(100)) == written, "what reached nobody is not written"


def test_a_stopped_fleet_still_says_what_it_holds(fleet: Fleet) -> None:
    """Its last words are shown until a journal goes on without them, or a run of no fleet comes after."""
    manager = serve(fleet)
    manager.send_signal(signal.SIGTERM)
    assert manager.wait(30) == 0
    said = cli(fleet, "status")[1]
    assert [line.split()[:3] for line in said.splitlines()[1:3]] == [[name, "STOPPED", "ACTIVE"] for name in "ab"]
    assert "STALE" in said
    assert "Last decision" in cli(fleet, "status", "a")[1]
    assert "Gates" in cli(fleet, "why", "--journal", "a")[1]
    (fleet.state / "a.end").unlink()
    assert "a: drift-engine status a reads its journal" in cli(fleet, "status")[1]
    os.utime(fleet.state / "b.end", ns=(0, 0))
    assert "b: drift-engine status b reads its journal" in cli(fleet, "status")[1]
    assert {row["trading"] for row in json.loads(cli(fleet, "status", "--json")[1])} == {None}
    (fleet.state / "last").write_text(str(fleet.state / "a.journal"))
    assert "Last decision" in cli(fleet, "status")[1]


def test_an_engine_that_cannot_start_says_why_and_is_left_alone(fleet: Fleet) -> None:
    (fleet.state / "own.py").write_text("raise SystemError('broken')\n")
    path = fleet.state / "fleet.toml"
    path.write_text('[engines.a]\nstrategy = "own.py"\nautostart = true\n')
    fleet.start("serve", "--no-page", "--fleet", str(path))
    fleet.until(lambda: "broken" in (fleet.fleet().get("a", {}).get("reason") or ""))
    row = fleet.fleet()["a"]
    assert (row["status"], row["restarts"], "starting again" in row["reason"]) == ("ERROR", 0, False)
    assert "broken" in "\n".join(fleet.ask("manager", "logs", engine="a", n=50).data)
    (fleet.state / "own.py").write_text("")
    assert not fleet.ask("manager", "start", engine="a").ok
    fleet.until(lambda: "exactly one strategy" in (fleet.fleet()["a"]["reason"] or ""))
    assert fleet.fleet()["a"]["status"] == "ERROR"


def test_a_drill_reports_the_time_to_flat_and_what_was_left(fleet: Fleet) -> None:
    code, said = cli(fleet, "drill", "--json")
    found: dict[str, Any] = json.loads(said)
    assert code == 0
    assert found["flat"]
    assert set(found["held_before"]) == {"SOL", "SOL-PERP"}
    assert found["left"] == {}
    assert found["time_to_flat_s"] > 0
    assert [step["trading"] for step in found["steps"]][-1] == "HALTED"


def test_a_drill_of_an_engine_that_nobody_knows_names_the_near_one(fleet: Fleet) -> None:
    fleet.spec("carry")
    code, said = cli(fleet, "drill", "cary")
    assert code == 2
    assert "no engine 'cary'; did you mean 'carry'?" in said


def test_a_drill_waits_for_an_engine_that_only_starts() -> None:
    from drift_engine.cli import closing

    assert closing.held({"positions": None}) == {}
    assert not closing.is_open({"positions": None})


@pytest.mark.parametrize(
    ("text", "near"),
    [
        ("[engine.a]", "did you mean 'engines'"),
        ("[engines.a]\nstrategi = 'hold'", "did you mean 'strategy'"),
        ("[engines.a]\nmode = 'papre'", "must be one of"),
        ("[engines.a]\n[engines.b]", "give each a sub_account"),
        ("[engines.manager]", "the manager's own"),
        ("[engines.'a b']", "no name for an engine"),
        ("[engines.a]\nsub_account = -1", "whole number"),
        ("[engines.a.limits]\nmax_leverag = 3", "did you mean 'max_leverage'"),
        ("[server]\nport = 1", "no [engines.NAME]"),
        ("[engines.a]\n[server]\nport = 'x'", "from 0 to 65535"),
        ("engines = 3", "must be a section"),
        ("[", "is not TOML"),
    ],
)
def test_mistakes_in_a_fleet_file_are_told_with_the_near_name(tmp_path: Path, text: str, near: str) -> None:
    from drift_engine.config import ConfigError
    from drift_engine.manager.fleet import load_fleet

    path = tmp_path / "fleet.toml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_fleet(path)
    assert near in str(caught.value)
    assert str(caught.value).startswith(str(path))
