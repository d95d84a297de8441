"""Strategies by name, by file, by entry point."""

from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from drift_engine import catalogue
from drift_engine.catalogue import StrategyNotFoundError, builtin, find
from drift_engine.config import ConfigError, RunConfig
from drift_engine.core.parameters import describe
from drift_engine.strategies.delta_neutral import DeltaNeutralStrategy
from drift_engine.strategies.hold import HoldStrategy
from drift_engine.wiring import make_strategy

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


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("class Mine(:\n", r"cannot be loaded: SyntaxError: invalid syntax \(mine\.py, line 1\)"),
        ("x = 1\nraise RuntimeError('boom')\n", r"cannot be loaded: RuntimeError at mine\.py:2: boom"),
        ("import sys\nsys.exit(0)\n", r"cannot be loaded: SystemExit at mine\.py:2: 0"),
        ("import nowhere_to_be_found\n", r"ModuleNotFoundError .*nowhere_to_be_found"),
        (
            ONE.format(name="Base") + ABSTRACT.replace("Base", "Mine") + "del Base\n",
            "Mine is no strategy yet; write get_status, name, on_tick",
        ),
        (
            ONE.format(name="Mine") + "    def on_tick(self, state):\n        return None\n",
            "Mine.on_tick must be written `async def on_tick`",
        ),
    ],
)
def test_a_file_that_cannot_be_loaded_says_where_in_one_line(tmp_path: Path, text: str, said: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(StrategyNotFoundError, match=said) as caught:
        find(str(path))
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("    def __init__(self):\n        pass\n", r"cannot be made: TypeError .*takes 1 positional argument"),
        (
            "    def __init__(self, config):\n        raise ValueError('no')\n",
            r"cannot be made: ValueError at mine\.py:10: no",
        ),
        ("    name = '../../elsewhere'\n", r"calls itself '\.\./\.\./elsewhere'; a name is up to 64 letters"),
        ("    name = ''\n", "calls itself ''"),
        ("    name = 5\n", "calls itself 5"),
        ("    name = 'x' * 65\n", "calls itself 'xxx"),
    ],
)
def test_a_strategy_that_cannot_be_made_says_why(tmp_path: Path, text: str, said: str) -> None:
    path = write(tmp_path, ONE.format(name="Mine") + text)
    with pytest.raises(ConfigError, match=said):
        make_strategy(RunConfig(strategy=str(path)))


def test_a_name_may_be_of_any_language(tmp_path: Path) -> None:
    path = write(tmp_path, ONE.format(name="Mine") + "    name = 'stratégie-1.2'\n")
    assert make_strategy(RunConfig(strategy=str(path))).name == "stratégie-1.2"


def test_an_entry_point(monkeypatch: pytest.MonkeyPatch) -> None:
    good = EntryPoint("theirs", "drift_engine.strategies.hold:HoldStrategy", catalogue.GROUP)
    bad = EntryPoint("wrong", "json:dumps", catalogue.GROUP)
    monkeypatch.setattr(catalogue, "entry_points", lambda group: [good, bad] if group == catalogue.GROUP else [])
    assert find("theirs") is HoldStrategy
    with pytest.raises(StrategyNotFoundError, match="is no DriftStrategy"):
        find("wrong")
    gone = EntryPoint("gone", "nowhere_to_be_found:Strategy", catalogue.GROUP)
    monkeypatch.setattr(catalogue, "entry_points", lambda group: [gone] if group == catalogue.GROUP else [])
    with pytest.raises(StrategyNotFoundError, match=r"entry point 'gone' = .* cannot be loaded: ModuleNotFoundError"):
        find("gone")
    monkeypatch.setattr(catalogue, "entry_points", lambda group: [good, bad] if group == catalogue.GROUP else [])
    with pytest.raises(StrategyNotFoundError, match="did you mean 'theirs'"):
        find("their")


def test_the_seed_line_works() -> None:
    assert DeltaNeutralStrategy().name == "delta_neutral"
