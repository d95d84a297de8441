"""``docs/settings.md`` says what there is: its files can start, and its tables name every setting with its default."""

import re
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from drift_engine.alerts.rules import RULES
from drift_engine.execution.limits import Limits, show_limits
from drift_engine.simulation.faults import FAULTS

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "settings.md").read_text()


def rows(heading: str) -> dict[str, list[str]]:
    """Return a section's table: the other cells of each row, by the name in its first."""
    section = TEXT.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    found = [[cell.strip() for cell in line.strip("|").split("|")] for line in re.findall(r"^\| `.*\|$", section, re.M)]
    return {name.strip("`"): cells for name, *cells in found}


@pytest.mark.parametrize("kind", ["run", "fleet"])
def test_the_files_shown_could_start(kind: str, tmp_path: Path) -> None:
    block = re.search(rf"^```toml {kind}\n(.*?)^```$", TEXT, re.M | re.S)
    assert block is not None
    (tmp_path / "shown.toml").write_text(block[1])
    command = [sys.executable, "-m", "drift_engine", "config", "check", "shown.toml"]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert [path.name for path in tmp_path.iterdir()] == ["shown.toml"]


def test_every_limit_is_told_with_its_default() -> None:
    told = {name: cells[0].partition(" ")[0] for name, cells in rows("Limits").items()}
    defaults = show_limits(Limits())
    assert list(told) == list(defaults)
    for name, text in defaults.items():
        assert told[name] == text or Decimal(told[name]) == Decimal(text), name


def test_every_fault_is_told() -> None:
    assert tuple(rows("Faults")) == FAULTS


def test_every_alert_is_told_as_it_is_set() -> None:
    told = {name: (cells[0], cells[1]) for name, cells in rows("Alerts").items()}
    assert told == {name: (rule.severity, f"{rule.at:g}" if rule.at else "") for name, (_, rule) in RULES.items()}
