"""Ctrl-C while the command line loads: no traceback, exit 130; who ignores it goes on."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
INTERRUPTED = """
import os, signal, time

os.kill(os.getpid(), signal.SIGINT)
time.sleep(0.01)
os._exit(7)
"""


def script() -> str:
    """Return the program that the installed command is."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    module, name = project["scripts"]["drift-engine"].split(":")
    return f"from {module} import {name}; {name}()"


def loading(place: Path, *words: str, before: str = "") -> "subprocess.CompletedProcess[str]":
    """Run the command line; the first library that it loads is one that is interrupted."""
    (place / "typer.py").write_text(INTERRUPTED)
    run = [sys.executable, *words]
    command = ["sh", "-c", f'{before}; exec "$@"', "sh", *run] if before else run
    settings = {"PYTHONPATH": str(place)}
    return subprocess.run(command, env=settings, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("words", [("-m", "drift_engine", "--version"), ("-c", script())])
def test_an_interrupt_while_loading_ends_quietly(tmp_path: Path, words: tuple[str, ...]) -> None:
    done = loading(tmp_path, *words)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_an_ignored_interrupt_stays_ignored(tmp_path: Path) -> None:
    done = loading(tmp_path, "-m", "drift_engine", "--version", before="trap '' INT")
    assert (done.returncode, done.stderr) == (7, "")


@pytest.mark.parametrize(("before", "after"), [("trap '' INT", "signal.SIG_IGN"), (":", "signal.default_int_handler")])
def test_a_command_is_interrupted_as_python_is(before: str, after: str) -> None:
    asks = f"main.run = lambda: 42 if signal.getsignal(signal.SIGINT) is {after} else 43"
    code = (
        f"import signal; from drift_engine import __main__; from drift_engine.cli import main; {asks}; __main__.main()"
    )
    run = ["sh", "-c", f'{before}; exec "$@"', "sh", sys.executable, "-c", code]
    assert subprocess.run(run, timeout=60, check=False).returncode == 42
