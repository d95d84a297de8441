"""One server with its engines and one browser for all browser tests: they are looked at in the order of the file."""

from collections.abc import Iterator

import pytest
from center import Center, Sight, browser_paths, chromium


@pytest.fixture(scope="package")
def center(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Center]:
    browser_paths()
    found = Center(tmp_path_factory.mktemp("center"))
    try:
        found.ready()
        yield found
    finally:
        found.close()


@pytest.fixture(scope="package")
def sight(center: Center, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sight]:
    with chromium(tmp_path_factory.mktemp("profile")) as chrome:
        yield Sight(chrome, center)
