"""Where a resumed venue takes its timeline up: after every row that left a trace, wherever it was stopped."""

from collections.abc import Iterator

import pytest

from drift_engine.core.driving import drive
from drift_engine.core.types import Event
from drift_engine.core.units import E6
from drift_engine.simulation.facts import venue_facts
from drift_engine.simulation.models import VenueConfig
from drift_engine.simulation.resuming import row_to_resume
from drift_engine.simulation.rows import Row, RowKind
from drift_engine.simulation.scenarios import scenario_timeline
from drift_engine.simulation.timeline import Timeline
from drift_engine.simulation.venue import SimVenue
from drift_engine.simulation.venue_log import VenueLog
from drift_engine.simulation.world import World

TIMELINE = scenario_timeline("calm_carry", interval_s=1_200, days=1)
FIRST_HOURS = 26


def first_rows(count: int) -> Timeline:
    part = TIMELINE.source.cut(0, count)
    return Timeline.from_columns(TIMELINE.markets, *part[:6])


def lived(venue: SimVenue, timeline: Timeline, first_row: int = 0) -> Iterator[Event]:
    told: list[Event] = []
    for _ in World(timeline, venue, first_row=first_row).run(told.append):
        yield from told
        told.clear()
    yield from told


@pytest.mark.parametrize("rows", range(1, FIRST_HOURS))
def test_a_venue_stopped_after_any_row_ends_like_one_that_never_was(rows: int) -> None:
    config, specs = VenueConfig(deposit_e6=1_000 * E6), venue_facts()
    whole = SimVenue(config, specs)
    for _ in lived(whole, TIMELINE):
        pass
    log = VenueLog(":memory:")
    for _ in lived(SimVenue(config, specs, log), first_rows(rows)):
        pass
    again = SimVenue.restore(log, config, specs)
    row = row_to_resume(TIMELINE, again.quotes, "USDC", log.events())
    assert row <= rows
    assert not [kind for kind in kinds(row, rows) if kind == RowKind.INTEREST]
    for _ in lived(again, TIMELINE, row):
        pass
    now_ns = TIMELINE.last_ns
    assert drive(again.events_since(0, now_ns)) == drive(whole.events_since(0, now_ns))
    assert drive(again.observe(now_ns)) == drive(whole.observe(now_ns))
    log.close()


def kinds(first: int, last: int) -> list[int]:
    rows: list[Row] = list(TIMELINE.source.cut(first, last).rows()) if first < last else []
    return [row[1] for row in rows]


def test_a_new_venue_begins_at_the_first_row() -> None:
    assert row_to_resume(TIMELINE, SimVenue().quotes, "USDC", ()) == 0
