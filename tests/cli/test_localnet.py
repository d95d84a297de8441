"""``localnet`` as a process: what it prints works, the key is its owner's alone, and it ends cleanly."""

import json
import shlex
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from cli_runner import Ask, Cli, asking, runner

PROGRAM = str(Path(sys.executable).with_name("drift-engine"))


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    return runner(tmp_path, monkeypatch, capsys)


@pytest.fixture
def ask(cli: Cli) -> Ask:
    return asking(cli)


@contextmanager
def started(place: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """Start a chain and read the document that says where it is."""
    command = [PROGRAM, "localnet", "--port", "0", "--json", *arguments]
    with subprocess.Popen(command, cwd=place, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as run:
        assert run.stdout is not None
        text = ""
        for line in run.stdout:
            text += line
            if line == "}\n":
                break
        try:
            yield run, json.loads(text)
        finally:
            run.terminate()


def test_what_it_prints_can_be_used(tmp_path: Path, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    venue = "velocity"
    with started(tmp_path, "--venue", venue, "--deposit", "1000", "--slot-ms", "100") as (run, found):
        assert stat.S_IMODE(Path(found["key_file"]).stat().st_mode) == 0o600
        monkeypatch.setenv("DRIFT_ENGINE_RPC", found["rpc"])
        monkeypatch.setenv("DRIFT_ENGINE_KEY", found["key_file"])
        account = ask("account", "--venue", venue)
        assert account["authority"] == found["address"]
        assert account["sub_accounts"][0]["equity_e6"] == 1_000 * 10**6
        assert ask("doctor", "--venue", venue)["ok"]
        run.send_signal(signal.SIGINT)
        out, err = run.communicate(timeout=20)
        assert (run.returncode, out, err) == (0, "", "")


def test_a_scenario_moves_prices_and_time_ends_it(tmp_path: Path, ask: Ask) -> None:
    flags = ("--scenario", "flash_crash", "--speed", "600", "--for", "3s", "--slot-ms", "100")
    with started(tmp_path, *flags) as (run, found):
        first = ask("markets", "--rpc", found["rpc"])["perps"]
        later = first
        while later[0]["oracle_e6"] == first[0]["oracle_e6"]:
            later = ask("markets", "--rpc", found["rpc"])["perps"]
        assert all(market["oracle"]["good_for_margin"] for market in later)
        assert later[1]["oracle_e6"] == first[1]["oracle_e6"]
        _, err = run.communicate(timeout=20)
        assert (run.returncode, err) == (0, "")


def test_what_it_says_to_try_can_be_pasted(cli: Cli) -> None:
    code, said, _ = cli("localnet", "--port", "0", "--for", "0.1s", "--state", "a state")
    assert code == 0
    export = next(line for line in said.splitlines() if line.startswith("  export "))
    variables = dict(word.split("=", 1) for word in shlex.split(export)[1:])
    assert Path(variables["DRIFT_ENGINE_KEY"]).is_file()
    assert "  drift-engine paper hold --venue velocity" in said.splitlines()


def test_the_same_key_the_next_time(cli: Cli) -> None:
    first, again = (cli("localnet", "--port", "0", "--for", "0.1s", "--json") for _ in range(2))
    assert (first[0], again[0]) == (0, 0)
    assert json.loads(first[1])["address"] == json.loads(again[1])["address"]


def test_mistakes(cli: Cli, tmp_path: Path) -> None:
    for flags in (
        ("--venue", "mango"),
        ("--scenario", "nonsense"),
        ("--deposit", "-1"),
        ("--deposit", "1000000000"),
        ("--for", "soon"),
        ("--program-so", str(tmp_path / "absent.so"), "--venue", "drift_v2"),
        ("--program-so", str(tmp_path / "absent.so")),
    ):
        code, out, err = cli("localnet", "--port", "0", *flags)
        assert (code, out, err.count("\n")) == (2, "", 1), (flags, err)
    (tmp_path / ".drift-engine" / "localnet-key.json").write_text("[1, 2]")
    code, out, err = cli("localnet", "--port", "0")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "remove it" in err


def test_a_taken_port_is_named(cli: Cli) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        code, out, err = cli("localnet", "--port", str(taken.getsockname()[1]))
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "cannot be had" in err


def test_people_are_told_where_it_is_and_what_to_try(cli: Cli) -> None:
    code, out, err = cli("localnet", "--port", "0", "--venue", "drift_v2", "--for", "0.1s")
    assert (code, err) == (0, "")
    assert "rpc      http://127.0.0.1:" in out
    assert "drift-engine doctor --venue drift_v2" in out
    assert "100 SOL, 100,000 USDC" in out


def test_help_loads_nothing_heavy() -> None:
    script = (
        "import sys; from drift_engine.cli.main import run\n"
        "for words in (['--help'], ['watch', '--help'], ['localnet', '--help'], ['doctor', '--help']): run(words)\n"
        "heavy = {'solders', 'aiohttp', 'numpy', 'drift_engine.venues', 'drift_engine.localnet'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert found.stdout.splitlines()[-1] == "[]"
