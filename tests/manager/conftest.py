"""A fleet in a directory of its own, with a path short enough for sockets."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from fleet_desk import Fleet


@pytest.fixture
def fleet() -> Iterator[Fleet]:
    state = Path(tempfile.mkdtemp(prefix="de-"))
    found = Fleet(state)
    yield found
    found.close()
    shutil.rmtree(state, ignore_errors=True)
