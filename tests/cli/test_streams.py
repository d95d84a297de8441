"""Streams as users hand them over: the answer is one document, one line, or an exit code; never a traceback."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = str(Path(sys.executable).with_name("drift-engine"))
BACKTEST = ("backtest", "hold", "--scenario", "calm_carry", "--days", "1", "--no-yardstick", "--journal", "run.journal")
PAPER = ("paper", "hold", "--scenario", "calm_carry", "--speed", "7200", "--for", "1.2s", "--journal", "run.journal")
TALKATIVE = """
from drift_engine.strategies.hold import HoldStrategy

print("loaded")


class Talkative(HoldStrategy):
    async def on_tick(self, state):
        print("asked")
        return await super().on_tick(state)
"""


def shell(place: Path, command: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    line = f'drift_engine() {{ "{PROGRAM}" "$@"; }}; set -o pipefail; {command}'
    settings = {**os.environ, **environment}
    return subprocess.run(
        ["bash", "-c", line], cwd=place, env=settings, capture_output=True, text=True, timeout=60, check=False
    )


def of(*words: str) -> str:
    return " ".join(("drift_engine", *words))


@pytest.mark.parametrize("words", [BACKTEST, (*PAPER, "--json")])
def test_a_closed_stdout_hurts_neither_the_run_nor_its_journal(tmp_path: Path, words: tuple[str, ...]) -> None:
    done = shell(tmp_path, f"{of(*words)} >&-")
    assert (done.returncode, done.stderr) == (0, "")
    assert shell(tmp_path, of("journal", "verify", "run.journal")).returncode == 0


def test_closed_streams_are_all_filled_before_a_file_is_opened(tmp_path: Path) -> None:
    done = shell(tmp_path, f"{of(*BACKTEST)} <&- >&- 2>&-")
    assert done.returncode == 0
    assert shell(tmp_path, of("journal", "verify", "run.journal")).returncode == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("words", [(*BACKTEST, "--json"), PAPER, ("--version",)])
def test_a_full_stdout_is_one_line_and_exit_1(tmp_path: Path, words: tuple[str, ...]) -> None:
    done = shell(tmp_path, f"{of(*words)} > /dev/full")
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("drift-engine: cannot write the output: No space left")


@pytest.mark.parametrize("words", [PAPER, ("strategies",)])
def test_a_reader_that_leaves_is_no_failure(tmp_path: Path, words: tuple[str, ...]) -> None:
    done = shell(tmp_path, f"{of(*words)} | true")
    assert (done.returncode, done.stderr) == (0, "")


def test_a_narrow_encoding_loses_lines_of_the_picture_and_nothing_else(tmp_path: Path) -> None:
    done = shell(tmp_path, of(*BACKTEST), PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stderr) == (0, "")
    assert "digest " in done.stdout


def test_what_a_strategy_prints_stays_out_of_the_json(tmp_path: Path) -> None:
    (tmp_path / "talkative.py").write_text(TALKATIVE)
    own = ("talkative.py",)
    for words in (
        (BACKTEST[0], *own, *BACKTEST[2:]),
        (PAPER[0], *own, *PAPER[2:-1], "paper.journal"),
        ("replay", "run.journal"),
        ("strategies", *own),
    ):
        done = shell(tmp_path, of(*words, "--json"))
        assert done.returncode == 0, done.stderr
        json.loads(done.stdout)
        assert "loaded\n" in done.stderr
    assert "asked\n" in shell(tmp_path, of("backtest", *own, *BACKTEST[2:-1], "new.journal")).stdout
