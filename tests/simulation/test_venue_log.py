"""A paper venue's log that cannot be used says so in one line."""

import sqlite3
from pathlib import Path

import pytest
from msgspec.structs import replace

from drift_engine.core.units import E6
from drift_engine.simulation.facts import venue_facts
from drift_engine.simulation.models import VenueConfig
from drift_engine.simulation.scenarios import scenario_timeline
from drift_engine.simulation.venue import SimVenue
from drift_engine.simulation.venue_log import VenueLog, VenueLogError
from drift_engine.simulation.world import World


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return the log of a venue that lived through two days."""
    path = tmp_path / "run.journal.venue"
    log = VenueLog(path)
    venue = SimVenue(VenueConfig(deposit_e6=1_000 * E6), venue_facts(), log)
    for _ in World(scenario_timeline("calm_carry", interval_s=1_800, days=2), venue).run(lambda _event: None):
        pass
    log.close()
    return path


def test_a_file_that_is_no_log_is_refused(path: Path) -> None:
    path.write_text("hello" * 1_000)
    with pytest.raises(VenueLogError, match=r"run\.journal\.venue: file is not a database; .*begin anew"):
        VenueLog(path)


@pytest.mark.parametrize("body", [b"{}", b"\xff", b"not JSON"])
def test_a_record_that_is_none_is_refused(path: Path, body: bytes) -> None:
    with sqlite3.connect(path) as database:
        database.execute("UPDATE state SET body = ?", (body,))
        database.execute("UPDATE events SET body = ?", (body,))
    database.close()
    log = VenueLog(path)
    for read in (log.state, log.events):
        with pytest.raises(VenueLogError, match="begin anew"):
            read()
    log.close()


def test_a_full_disk_is_said_to_be_and_keeps_what_was_there(path: Path) -> None:
    log = VenueLog(path)
    state = log.state()
    assert state is not None
    before = log.events()
    more = [replace(before[-1], cursor=cursor) for cursor in range(1_000, 3_000)]
    log._db.execute("PRAGMA max_page_count = 1")
    with pytest.raises(VenueLogError, match=r"full; free space"):
        log.append(more, state)
    assert log.events() == before
    log._db.execute("PRAGMA max_page_count = 1000000")
    log.append(more, state)
    assert log.events() == [*before, *more]
    log.close()
