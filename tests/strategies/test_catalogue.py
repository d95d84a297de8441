"""Strategies by name, by file, by entry point."""

from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from drift_engine import catalogue
from drift_engine.catalogue import StrategyNotFoundError, builtin, find
from drift_engine.core.parameters import describe
from drift_engine.strategies.delta_neutral import DeltaNeutralStrategy
from drift_engine.strategies.hold import HoldStrategy

ONE = """
from drift_engine.strategies.base import DriftStrategy
from drift_engine.strategies.hold import HoldStrategy

class {name}(HoldStrategy):
    @property
    def name(self):
        return "mine"
"""
ABSTRACT = "\nclass Base(DriftStrategy):\n    pass\n"


def write(folder: Path, text: str) -> Path:
    path = folder / "mine.py"
    path.write_text(text)
    return path


def test_every_builtin_is_found_by_its_name_and_describes_itself() -> None:
    assert {found().name for found in builtin()} == {"delta_neutral", "funding_farm", "hold"}
    for found in builtin():
        assert find(found().name) is found
        rows = describe(found.Params)
        assert rows
        assert all(row.unit and row.text for row in rows)


@pytest.mark.parametrize(("name", "hint"), [("delta_nuetral", "did you mean 'delta_neutral'"), ("zzz", "known are")])
def test_an_unknown_name_says_the_near_one(name: str, hint: str) -> None:
    with pytest.raises(StrategyNotFoundError, match=hint):
        find(name)


def test_a_file_with_one_strategy(tmp_path: Path) -> None:
    path = write(tmp_path, ONE.format(name="Mine") + ABSTRACT)
    found = find(str(path))
    assert found.__name__ == "Mine"
    assert found({"target": 2}).name == "mine"
    assert find(f"{path}:Mine").__name__ == "Mine"


def test_a_file_without_exactly_one(tmp_path: Path) -> None:
    two = write(tmp_path, ONE.format(name="Mine") + ONE.format(name="Other"))
    with pytest.raises(StrategyNotFoundError, match=r"exactly one strategy; it has Mine, Other; choose one with"):
        find(str(two))
    assert find(f"{two}:Other").__name__ == "Other"
    with pytest.raises(StrategyNotFoundError, match=r"no strategy 'Nope'"):
        find(f"{two}:Nope")
    none = write(tmp_path, "from drift_engine.strategies.hold import HoldStrategy\n")
    with pytest.raises(StrategyNotFoundError, match="it has none"):
        find(str(none))
    with pytest.raises(StrategyNotFoundError, match="no strategy file"):
        find(str(tmp_path / "absent.py"))


def test_an_entry_point(monkeypatch: pytest.MonkeyPatch) -> None:
    good = EntryPoint("theirs", "drift_engine.strategies.hold:HoldStrategy", catalogue.GROUP)
    bad = EntryPoint("wrong", "json:dumps", catalogue.GROUP)
    monkeypatch.setattr(catalogue, "entry_points", lambda group: [good, bad] if group == catalogue.GROUP else [])
    assert find("theirs") is HoldStrategy
    with pytest.raises(StrategyNotFoundError, match="is no DriftStrategy"):
        find("wrong")
    with pytest.raises(StrategyNotFoundError, match="did you mean 'theirs'"):
        find("their")


def test_the_seed_line_works() -> None:
    assert DeltaNeutralStrategy().name == "delta_neutral"
