"""Where a resumed venue takes its timeline up: after every row that left a trace, wherever it was stopped."""

from collections.abc import Iterator

import pytest
from venue_stage import ONE, PLAIN, T0, S, perp, plan, timeline

from drift_engine.core.driving import drive
from drift_engine.core.types import Event, Filled
from drift_engine.core.units import E6
from drift_engine.simulation.facts import venue_facts
from drift_engine.simulation.faults import Faults, Window
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


def test_prices_that_came_while_an_oracle_stood_still_do_not_come_again() -> None:
    """The oracle stands at 200 from the third row on; the mark dips in the fourth, before the first order is there."""
    marks = [200, 200, 200, 190, 200, 200]
    rows = [(T0 + at * S, RowKind.PRICE, "SOL-PERP", 200 * E6, mark * E6, 0) for at, mark in enumerate(marks)]
    whole = timeline(("SOL-PERP",), rows)
    stale = Window(100 * S, 50 * S, (T0 + 2 * S) % (100 * S))
    config = VenueConfig(deposit_e6=1_000 * E6, models=PLAIN, faults=Faults(stale_oracle=stale))
    log = VenueLog(":memory:")
    venue = SimVenue(config, log=log)
    for now_ns, _ in World(whole, venue).run(list[Event]().append):
        if now_ns in (T0 + 4 * S, T0 + 5 * S):
            order = plan(str(now_ns), perp(ONE, 195 * E6, post=True), now_ns=now_ns, life_s=600)
            drive(venue.place(order, now_ns))
            if now_ns == T0 + 5 * S:
                break
    again = SimVenue.restore(log, config)
    assert again.quotes.of["SOL-PERP"].ts_ns == T0 + S, "the oracle is as old as it was"
    row = row_to_resume(whole, again.quotes, "USDC", log.events())
    assert row == len(rows)
    told = list(lived(again, whole, row))
    assert not [event for event in told if isinstance(event, Filled)]
    again.price(T0 + 6 * S, "SOL-PERP", 201 * E6, 200 * E6)
    assert again.quotes.of["SOL-PERP"].ts_ns == T0 + S
    log.close()


def kinds(first: int, last: int) -> list[int]:
    rows: list[Row] = list(TIMELINE.source.cut(first, last).rows()) if first < last else []
    return [row[1] for row in rows]


def test_a_new_venue_begins_at_the_first_row() -> None:
    assert row_to_resume(TIMELINE, SimVenue().quotes, "USDC", ()) == 0
