"""The architecture, held by tests: what each part of the tree may not do.

The checkers are in ``architecture_rules``; the tests below run them on the tree, and on small bad pieces of code to
show that they bite.
"""

import ast
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from architecture_rules import (
    constructions,
    impurities,
    inexact,
    places,
    state_writes,
    swallowed,
)

PROJECT = Path(__file__).resolve().parents[1]
PACKAGE = PROJECT / "src" / "drift_engine"

MAX_LINES = 300
MAX_STRATEGY_LINES = 120

FLOATS_ALLOWED = {
    "core/vocabulary/account.py": frozenset({"Margin.health_score"}),  # for people and strategies
    "core/near_names.py": frozenset({"near"}),  # how near a misspelt name must be
}
STATE_WRITERS = {"core/position_manager.py", "core/holdings.py", "core/market_moves.py"}
OWN_BOOKS = ("simulation/", "venues/", "dashboard/")
APPROVERS = ("execution/safety_gates.py", "execution/gates/")


def sources(*folders: str) -> list[tuple[str, str]]:
    """Return name and text of every file of the package, or of some of its folders."""
    files = sorted(path for folder in folders or ("",) for path in (PACKAGE / folder).rglob("*.py"))
    assert files, f"nothing below {folders}"
    return [(path.relative_to(PACKAGE).as_posix(), path.read_text()) for path in files]


def gathered(check: Callable[[str], list[str]], files: list[tuple[str, str]]) -> list[str]:
    return [f"{name}:{line}" for name, text in files for line in check(text)]


def test_core_and_strategies_touch_nothing_outside() -> None:
    assert gathered(impurities, sources("core", "strategies")) == []


def test_core_counts_in_integers() -> None:
    found = []
    for name, text in sources("core"):
        found += [f"{name}:{line}" for line in inexact(text, FLOATS_ALLOWED.get(name, frozenset()))]
    assert found == []


def test_one_place_approves_plans() -> None:
    found = gathered(lambda text: constructions(text, "ApprovedPlan"), sources())
    if not (PACKAGE / "execution" / "safety_gates.py").exists():
        assert found == []
        pytest.skip("execution/safety_gates.py does not exist yet, and nobody else approves")
    assert len(found) == 1, found
    assert found[0].startswith(APPROVERS), found


def test_one_place_writes_the_state() -> None:
    files = [(name, text) for name, text in sources() if name not in STATE_WRITERS and not name.startswith(OWN_BOOKS)]
    assert gathered(state_writes, files) == []


def test_nothing_is_swallowed() -> None:
    assert gathered(swallowed, sources()) == []


def test_each_file_says_what_it_is() -> None:
    assert [name for name, text in sources() if not ast.get_docstring(ast.parse(text))] == []


def test_files_are_short() -> None:
    lengths = {name: len(text.splitlines()) for name, text in sources()}
    assert {name: lines for name, lines in lengths.items() if lines >= MAX_LINES} == {}


def test_strategies_are_shorter() -> None:
    lengths = {name: len(text.splitlines()) for name, text in sources("strategies") if name.endswith("/strategy.py")}
    assert {name: lines for name, lines in lengths.items() if lines >= MAX_STRATEGY_LINES} == {}


def test_the_tree_names_no_machine() -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=PROJECT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout")
    files = [PROJECT / name for name in listed.stdout.split("\0") if name]
    texts = [(str(path.relative_to(PROJECT)), path.read_text(errors="replace")) for path in files if path.is_file()]
    assert gathered(places, texts) == []


BAD: list[tuple[Callable[[str], list[str]], str]] = [
    (impurities, "import time"),
    (impurities, "from datetime import datetime\nx = datetime.now()"),
    (impurities, "import random"),
    (impurities, "from numpy import random"),
    (impurities, "import os.path"),
    (impurities, "def f():\n    from pathlib import Path"),
    (impurities, "import socket, sqlite3"),
    (impurities, "import logging"),
    (impurities, "import structlog"),
    (impurities, "from asyncio import sleep"),
    (impurities, "from drift_engine.journal import Journal"),
    (impurities, "open('x')"),
    (impurities, "print(1)"),
    (impurities, "input()"),
    (impurities, "x = clock.now()"),
    (inexact, "x = 0.5"),
    (inexact, "def f(a, b):\n    return a / b"),
    (inexact, "a = 4\na /= 2"),
    (inexact, "x = float(1)"),
    (inexact, "x = round(1)"),
    (inexact, "import math\nx = math.sqrt(2)"),
    (inexact, "from math import floor"),
    (lambda text: constructions(text, "ApprovedPlan"), "x = ApprovedPlan(plan, ())"),
    (lambda text: constructions(text, "ApprovedPlan"), "x = types.ApprovedPlan(plan, ())"),
    (lambda text: constructions(text, "ApprovedPlan"), "x = msgspec.convert(raw, ApprovedPlan)"),
    (lambda text: constructions(text, "ApprovedPlan"), "x = msgspec.convert(raw, type=ApprovedPlan)"),
    (lambda text: constructions(text, "ApprovedPlan"), "Made = ApprovedPlan"),
    (lambda text: constructions(text, "ApprovedPlan"), "from drift_engine.core.types import ApprovedPlan as A"),
    (state_writes, "state.trading = 1"),
    (state_writes, "self.state.pnl.price_e6 += 1"),
    (state_writes, "self._state.markets['x'] = 1"),
    (state_writes, "state.markets.update(x)"),
    (state_writes, "del state.in_flight[1]"),
    (state_writes, "a, state.seq = 1, 2"),
    (state_writes, "setattr(state, 'seq', 1)"),
    (state_writes, "object.__setattr__(state, 'seq', 1)"),
    (state_writes, "def f(books: EngineState):\n    books.seq = 1"),
    (state_writes, "books = EngineState()\nbooks.seq = 1"),
    (swallowed, "try:\n    f()\nexcept OSError:\n    pass"),
    (swallowed, "try:\n    f()\nexcept OSError:\n    ..."),
    (swallowed, "with contextlib.suppress(Exception):\n    f()"),
    (places, "cache = '/hom" + "e/someone/cache'"),
    (places, "see /wor" + "k/main"),
    (places, "pip install --index-ur" + "l x"),
]

GOOD: list[tuple[Callable[[str], list[str]], str]] = [
    (impurities, "from collections.abc import Mapping\nfrom drift_engine.core.units import E6\nx = state.now_ns"),
    (inexact, "import math\nx = math.isqrt(4) // 2"),
    (lambda text: inexact(text, frozenset({"C.f"})), "class C:\n    def f(self):\n        return 1 / 2.0"),
    (lambda text: constructions(text, "ApprovedPlan"), "def f(plan: ApprovedPlan) -> ApprovedPlan:\n    return plan"),
    (lambda text: constructions(text, "ApprovedPlan"), "if isinstance(answer, ApprovedPlan):\n    f(answer)"),
    (state_writes, "self._state = fold(events)\nstate = self._state\nx = state.seq"),
    (swallowed, "try:\n    f()\nexcept OSError as error:\n    raise ValueError from error"),
    (places, "see docs/adr and ./work"),
]


@pytest.mark.parametrize(("check", "text"), BAD)
def test_the_rules_bite(check: Callable[[str], list[str]], text: str) -> None:
    assert check(text)


@pytest.mark.parametrize(("check", "text"), GOOD)
def test_the_rules_let_good_code_pass(check: Callable[[str], list[str]], text: str) -> None:
    assert check(text) == []
