"""Files and folders that the documents name are there: a reader who is sent somewhere finds it."""

import re
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
PACKAGE = PROJECT / "src" / "drift_engine"
_PATH = re.compile(r"`([a-z_0-9]+)/([a-z_0-9/]*(?:\.[a-z]+)?)(?:::[a-z_0-9]+)?`")


def named(text: str) -> list[str]:
    """Return the paths below folders of the package or the project that a document names in backticks."""
    tops = {path.name for home in (PACKAGE, PROJECT) for path in home.iterdir() if path.is_dir()}
    return [f"{top}/{rest}" for top, rest in _PATH.findall(text) if top in tops]


def exists(name: str) -> bool:
    """Tell whether there is such a file or folder; a module may be named without its ending."""
    return any((home / ending).exists() for home in (PACKAGE, PROJECT) for ending in (name, f"{name}.py"))


@pytest.mark.parametrize(
    "path", [*sorted(PROJECT.glob("*.md")), *sorted(PROJECT.glob("docs/**/*.md"))], ids=lambda path: path.name
)
def test_what_is_named_exists(path: Path) -> None:
    assert [name for name in named(path.read_text()) if not exists(name)] == []


def test_paths_are_found() -> None:
    text = "`venues/rpc/`, `core/units.py`: `tdiv`, `tests/test_architecture.py::test_one`, `wire/`, `a/b`, `1/2`"
    assert named(text) == ["venues/rpc/", "core/units.py", "tests/test_architecture.py"]
