"""``drift-engine logs``: the end of a log, and what comes after it."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from cli_runner import Cli, runner

from drift_engine.cli.logs import whole_lines


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    return runner(tmp_path, monkeypatch, capsys)


def add(path: Path, text: str) -> None:
    with path.open("a") as file:
        file.write(text)


def test_a_followed_log_is_told_line_by_line_across_a_file_made_anew(tmp_path: Path) -> None:
    path = tmp_path / "carry.log"
    path.write_text("one\ntwo\nthr")
    coming = whole_lines(path)
    assert next(coming) == ["one", "two"]
    add(path, "ee\n")
    assert next(coming) == ["three"]
    add(path, "four\nfive")
    path.replace(tmp_path / "carry.log.1")
    assert next(coming) == ["four"]  # the old file goes on while there is no new one
    path.write_text("six\n")
    assert next(coming) == ["five"]
    assert next(coming) == ["six"]
    path.write_text("7\n")  # shorter than it was, under the same name
    assert [*next(coming), *next(coming)] == ["7"]
    began_s, worked_s = time.monotonic(), time.thread_time()
    assert next(coming) == []
    assert time.thread_time() - worked_s < (time.monotonic() - began_s) / 2, "it sleeps while it waits"


def test_an_unknown_engines_log_is_told_with_the_near_name(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "carry.log").touch()
    code, out, err = cli("logs", "cary", "--state", str(tmp_path))
    assert (code, out) == (1, "")
    assert "did you mean 'carry'?" in err
    assert "there are no logs here" in cli("logs", "carry", "--state", str(tmp_path / "empty"))[2]


@pytest.mark.parametrize(("number", "form"), [(signal.SIGINT, ""), (signal.SIGTERM, "--json")])
def test_following_ends_well_by_ctrl_c(tmp_path: Path, number: signal.Signals, form: str) -> None:
    log = tmp_path / "carry.log"
    log.write_text("old\nnew\n")
    arguments = ("logs", "carry", "-f", "-n", "1", "--state", str(tmp_path), *([form] if form else []))
    quote = '"' if form else ""
    with subprocess.Popen((sys.executable, "-m", "drift_engine", *arguments), stdout=subprocess.PIPE, text=True) as it:
        try:
            assert it.stdout is not None
            assert it.stdout.readline() == f"{quote}new{quote}\n"
            add(log, "now\n")
            assert it.stdout.readline() == f"{quote}now{quote}\n"
            it.send_signal(number)
            assert it.wait(30) == 0
        finally:
            it.kill()
