"""The installed command, from outside: what a user, a pipe and an init system see."""

import json
import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from cli_runner import Ask, Cli, asking, runner

PROGRAM = str(Path(sys.executable).with_name("drift-engine"))
FAST = ("--scenario", "calm_carry", "--speed", "7200")


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    return runner(tmp_path, monkeypatch, capsys)


@pytest.fixture
def ask(cli: Cli) -> Ask:
    return asking(cli)


def started(place: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen([PROGRAM, *arguments], cwd=place, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def test_a_pipe_gets_one_line_a_second_and_a_summary(cli: Cli, ask: Ask, tmp_path: Path) -> None:
    run = started(tmp_path, "paper", "delta_neutral", *FAST, "--for", "1.2s")
    out, err = run.communicate(timeout=30)
    assert (run.returncode, err) == (0, "")
    seen = [line for line in out.splitlines() if "health " in line and line.startswith("2026-")]
    assert 2 <= len(seen) <= 4
    assert all("SIMULATED" in line for line in seen)
    assert "simulated market calm_carry" in out
    assert "2 fills" in out
    last = tmp_path / ".drift-engine" / "last"
    assert Path(last.read_text().strip()).name.startswith("paper-delta_neutral-")

    status = ask("status")
    assert status["tally"]["trades"] == 2
    assert status["margin"]["health"] == pytest.approx(0.98, abs=0.02)
    assert sum(value for name, value in status["pnl"].items() if name != "total_e6") == status["pnl"]["total_e6"]
    assert status["equity_e6"] == status["net_deposits_e6"] + status["pnl"]["total_e6"]
    assert "HEALTHY" in cli("status")[1]
    assert ask("replay")["same"] is True


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_a_paper_run_cleanly(ask: Ask, tmp_path: Path, number: signal.Signals) -> None:
    run = started(tmp_path, "paper", "hold", *FAST, "--journal", "run.journal")
    assert run.stdout is not None
    assert "health" in run.stdout.readline()
    run.send_signal(number)
    out, err = run.communicate(timeout=30)
    assert (run.returncode, err) == (0, "")
    assert "trading ACTIVE" in out
    assert ask("journal", "verify")["ok"] is True


def test_a_signal_ends_a_backtest_with_one_line(tmp_path: Path) -> None:
    run = started(tmp_path, "backtest", "hold", "--scenario", "calm_carry", "--days", "3000", "--interval", "1")
    time.sleep(1.0)
    run.send_signal(signal.SIGTERM)
    out, err = run.communicate(timeout=30)
    assert (run.returncode, out) == (1, "")
    assert err.startswith("drift-engine: interrupted")
    assert len(err.splitlines()) == 1


def test_a_run_that_halts_exits_with_3_and_json_is_one_document(tmp_path: Path) -> None:
    arguments = ("--scenario", "flash_crash", "--speed", "86400", "--capital", "3000", "--set", "target=100")
    run = started(tmp_path, "paper", "hold", *arguments, "--for", "1s", "--json")
    out, err = run.communicate(timeout=30)
    assert (run.returncode, err) == (3, "")
    status = json.loads(out)
    assert (status["trading"], status["latched"]) == ("HALTED", True)
    assert (status["mode"], status["market"], status["scenario"]) == ("paper", "SOL-PERP", "flash_crash")
    assert status["strategy_status"]["target_e9"] == 100 * 10**9


def test_a_terminal_gets_a_view_that_is_redrawn(tmp_path: Path) -> None:
    parent, child = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "80", "LINES": "24"}
    run = subprocess.Popen(
        [PROGRAM, "paper", "delta_neutral", *FAST, "--for", "1.2s"],
        cwd=tmp_path, stdin=child, stdout=child, stderr=child, env=environment,
    )  # fmt: skip
    os.close(child)
    shown = b""
    try:
        while part := os.read(parent, 65_536):
            shown += part
    except OSError:  # the other end was closed: the run is over
        pass
    os.close(parent)
    assert run.wait(timeout=30) == 0
    text = shown.decode()
    assert text.count("Last decision") >= 3  # redrawn about four times a second
    assert "\x1b[?1049h" in text  # on a screen of its own
    assert "SIMULATED MARKET" in text
    assert "net delta" in text
