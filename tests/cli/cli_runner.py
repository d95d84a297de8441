"""Run commands in this process, in a directory of their own."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from drift_engine.cli.main import run

Cli = Callable[..., tuple[int, str, str]]
Ask = Callable[..., Any]


def runner(place: Path, patch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    """Return what runs a command: exit code, stdout and stderr."""
    patch.chdir(place)
    patch.setenv("COLUMNS", "100")

    def call(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = run(arguments)
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return call


def asking(cli: Cli) -> Ask:
    """Return what runs a command with --json that must succeed or end halted: its one document."""

    def call(*arguments: str) -> Any:
        code, out, err = cli(*arguments, "--json")
        assert code in (0, 3), err
        return json.loads(out)

    return call
