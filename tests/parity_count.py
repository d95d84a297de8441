"""The count of cases in which our figures were held to Drift's native code, printed at the end of the run.

Where the library cannot be called the tests skip and say why; where ``CI`` is set that is a failure.
"""

import os
from collections.abc import Callable
from typing import Any

import pytest

_COUNT = pytest.StashKey[int]()
_KEY = "native_parity_cases"


@pytest.fixture(scope="session")
def native() -> None:
    """Drift's native code can be called here."""
    from library import absent

    why = absent()
    if why and os.environ.get("CI"):
        pytest.fail(why)
    if why:
        pytest.skip(why)


@pytest.fixture
def counted(request: pytest.FixtureRequest, native: None) -> Callable[[int], None]:
    """Add to the count of cases that were compared and found equal."""
    stash = request.config.stash

    def add(cases: int) -> None:
        stash[_COUNT] = stash.get(_COUNT, 0) + cases

    return add


def pytest_sessionfinish(session: pytest.Session) -> None:
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output[_KEY] = session.config.stash.get(_COUNT, 0)


class _Gatherer:
    """Sums what the workers of a run on several cores counted."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object) -> None:
        found = getattr(node, "workeroutput", {}).get(_KEY, 0)
        self._config.stash[_COUNT] = self._config.stash.get(_COUNT, 0) + found


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(_Gatherer(config), "native-parity-workers")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    cases = config.stash.get(_COUNT, 0)
    if cases:
        failed = any("native" in report.nodeid for report in terminalreporter.stats.get("failed", []))
        found = "DIFFERENCES FOUND" if failed else "0 differences"
        terminalreporter.write_line(f"native parity: {cases:,} cases, {found}")
