"""What all tests share: the folder of market data, and the gate that some files are covered completely.

``--complete PATH`` (repeatable, relative to the package) names a file or folder whose every line and branch the run
has to reach. The gate is judged before pytest prints its summary, so that the summary stays the last line.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import coverage
import pytest

import parity_count

PROJECT = Path(__file__).resolve().parents[1]
PACKAGE = PROJECT / "src" / "drift_engine"
_HOLES = pytest.StashKey[list[str]]()


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with real market data and captured accounts; the test skips where it is absent."""
    named = os.environ.get("DRIFT_SHARED")
    folder = Path(named) if named else PROJECT.parent / "shared"
    if not folder.is_dir():
        pytest.skip("needs the shared folder with market data: set DRIFT_SHARED or put it beside the project")
    return folder


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(parity_count, "native-parity")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--complete", action="append", default=[], metavar="PATH", help="must be covered with branches")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> Iterator[None]:
    paths = session.config.getoption("--complete")
    if paths and not hasattr(session.config, "workerinput"):
        holes = session.config.stash[_HOLES] = coverage_holes(Path(session.config.rootpath), paths)
        if holes and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
    return (yield)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if config.stash.get(_HOLES, []):
        terminalreporter.section("not covered completely", red=True)
        for hole in config.stash[_HOLES]:
            terminalreporter.write_line(hole)


def coverage_holes(root: Path, paths: list[str]) -> list[str]:
    """Return a line for each file below ``paths`` whose lines or branches were not all reached."""
    data = coverage.Coverage(data_file=str(root / ".coverage"), config_file=str(root / "pyproject.toml"))
    data.load()
    absent = [f"{path}: no such file or folder" for path in paths if not (PACKAGE / path).exists()]
    if absent:
        return absent
    wanted = [pattern for path in paths for pattern in _patterns(PACKAGE / path)]
    report = root / ".coverage.complete.json"
    try:
        data.json_report(include=wanted, outfile=str(report))
        files = json.loads(report.read_text())["files"]
    except coverage.exceptions.NoDataError:
        return [f"{path}: no coverage data" for path in paths]
    finally:
        report.unlink(missing_ok=True)
    return [hole for name, found in sorted(files.items()) if (hole := _hole(name, found))]


def _patterns(path: Path) -> list[str]:
    return [f"{path}/*"] if path.is_dir() else [str(path)]


def _hole(name: str, found: dict[str, list[object]]) -> str:
    kinds = {"lines": found["missing_lines"], "branches": found["missing_branches"]}
    shown = [f"{len(missing)} {kind} {missing[:8]}" for kind, missing in kinds.items() if missing]
    return f"{name}: {', '.join(shown)}" if shown else ""
