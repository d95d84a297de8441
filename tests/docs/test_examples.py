"""The examples in the documents run: every fenced block marked ``python runnable``, one document after another.

The blocks of a document share their names, as a reader would type them in one after the other. A block marked
``engine`` as well needs the whole engine.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

PROJECT = Path(__file__).resolve().parents[2]
_FENCE = re.compile(r"^```python runnable(?P<engine> engine)?\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL)


def documents() -> list[Path]:
    found = [*sorted(PROJECT.glob("*.md")), *sorted(PROJECT.glob("docs/**/*.md"))]
    return [path for path in found if _FENCE.search(path.read_text())]


@pytest.fixture
def module() -> Iterator[ModuleType]:
    made = ModuleType("documented_example")
    sys.modules[made.__name__] = made
    yield made
    del sys.modules[made.__name__]


@pytest.mark.parametrize("path", documents(), ids=lambda path: path.name)
def test_examples_run(path: Path, module: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    text = path.read_text()
    for block in _FENCE.finditer(text):
        if block["engine"]:
            pytest.importorskip("drift_engine.engine", reason="the engine is not complete yet", exc_type=ImportError)
        line = text.count("\n", 0, block.start("code"))
        exec(compile("\n" * line + block["code"], str(path), "exec"), module.__dict__)  # noqa: S102 our own documents
    assert list(tmp_path.iterdir()) == [], "an example left files behind"


def test_there_are_examples_to_run() -> None:
    assert {path.name for path in documents()} >= {"how-to-write-a-strategy.md", "README.md"}
