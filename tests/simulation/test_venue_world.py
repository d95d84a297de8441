"""The world merges rows and venue in order of time; a venue's log outlives a kill; the same run is the same twice."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs
from venue_stage import ONE, PLAIN, T0, S, Stage, opened, perp, plan, spot, timeline, world_events

from drift_engine.core.driving import drive
from drift_engine.core.types import Deposited, Filled, FundingPaid, InterestAccrued, MarketUpdated, PlanClosed, RowsRead
from drift_engine.core.units import E6
from drift_engine.simulation.facts import venue_facts
from drift_engine.simulation.faults import Faults
from drift_engine.simulation.models import Impact, Latency, Models, VenueConfig
from drift_engine.simulation.quotes import Quotes
from drift_engine.simulation.venue import SimVenue
from drift_engine.simulation.venue_log import VenueLog
from drift_engine.simulation.world import World

P = 200 * E6
FUNDING, INTEREST, PRICE = 0, 1, 2
MARKETS = ("SOL-PERP", "USDC", "BTC-PERP")


def test_rows_and_account_events_come_in_order_of_time() -> None:
    rows = [
        (T0, PRICE, "SOL-PERP", P, P, 0),
        (T0 + 60 * S, FUNDING, "SOL-PERP", 10**6, P, P),
        (T0 + 60 * S, INTEREST, "USDC", 50_000, 100_000, 60),
        (T0 + 60 * S, PRICE, "SOL-PERP", P, P, 0),
        (T0 + 60 * S, PRICE, "BTC-PERP", 10**11, 10**11, 0),
        (T0 + 120 * S, PRICE, "BTC-PERP", 10**11, 10**11, 0),
    ]
    venue = SimVenue(VenueConfig(deposit_e6=1_000 * E6))
    told: list[object] = []
    ticks = []
    for now_ns, _ in World(timeline(MARKETS, rows), venue, ("SOL-PERP",)).run(told.append):
        ticks.append(now_ns)
        if now_ns == T0:
            drive(venue.place(plan("p", perp(ONE, 210 * E6)), now_ns))
    assert ticks == [T0, T0 + 60 * S]
    assert [type(event) for event in told] == [
        Deposited,
        MarketUpdated,
        Filled,
        PlanClosed,
        FundingPaid,
        MarketUpdated,  # the quote asset's rates
        InterestAccrued,
        MarketUpdated,
        RowsRead,
    ]
    fill, funding = told[2], told[4]
    assert isinstance(fill, Filled)
    assert T0 < fill.ts_ns < T0 + S
    assert isinstance(funding, FundingPaid)
    assert (funding.ts_ns, funding.payment_e6) == (T0 + 60 * S, -1_000)
    rates = told[5]
    assert isinstance(rates, MarketUpdated)
    assert (rates.market, rates.oracle_e6, rates.deposit_rate_e6, rates.borrow_rate_e6) == ("USDC", E6, 50_000, 100_000)


def test_the_world_starts_at_a_row_and_tells_each_chunk() -> None:
    rows = [(T0 + n * S, PRICE, "SOL-PERP", P, P, 0) for n in range(5_000)]
    told, ticks = world_events(World(timeline(MARKETS, rows), SimVenue(), first_row=4_000))
    assert len(ticks) == 1_000
    assert [(e.first, e.last) for e in told if isinstance(e, RowsRead)] == [(4_000, 4_096), (4_096, 5_000)]


@given(
    st.lists(st.tuples(st.integers(0, 40), st.integers(0, 2), st.sampled_from(MARKETS)), min_size=1, unique=True),
    st.sampled_from([None, ("SOL-PERP",), ("BTC-PERP", "SOL-PERP"), ()]),
    st.integers(0, 10),
)
def test_the_times_ahead_are_those_of_the_ticks(
    at: list[tuple[int, int, str]], wanted: tuple[str, ...] | None, first_row: int
) -> None:
    rows = [(T0 + second * S, kind, market, P, P, 0) for second, kind, market in at]
    world = World(timeline(MARKETS, rows), SimVenue(), wanted, first_row)
    ahead = list(world.times())
    assert ahead == [now_ns for now_ns, _ in world.run(lambda _: None)]


def test_the_times_ahead_cross_chunks() -> None:
    names = (name for _ in range(3_000) for name in ("SOL-PERP", "BTC-PERP", "USDC"))
    rows = [(T0 + n // 2 * S, PRICE, name, P, P, 0) for n, name in enumerate(names)]
    world = World(timeline(MARKETS, rows), SimVenue(), ("SOL-PERP",))
    ahead = list(world.times())
    assert ahead == [now_ns for now_ns, _ in world.run(lambda _: None)]
    assert len(ahead) > 2_900


def test_a_tick_is_not_lost_where_its_last_row_is_of_another_chunk_and_does_not_count() -> None:
    rows = [(T0 + at * S, PRICE, "SOL-PERP", P, P, 0) for at in range(4_096)]
    rows.append((T0 + 4_095 * S, PRICE, "SOL", P, P, 0))
    world = World(timeline(("SOL-PERP", "SOL"), rows), SimVenue(), ("SOL-PERP",))
    _, ticks = world_events(world)
    assert len(ticks) == 4_096
    assert list(world.times()) == ticks


def test_quotes_are_remade_from_the_rows_alone() -> None:
    rows = [(T0 + n * S, PRICE, "SOL-PERP", P + n * 7_001, P + n * 6_001, 0) for n in range(600)]
    rows += [(T0 + 100 * S, FUNDING, "SOL-PERP", 123, P, P)]
    config = VenueConfig(faults=Faults.chaos(3))
    told, _ = world_events(World(timeline(MARKETS, rows), SimVenue(config)))
    quotes = Quotes(venue_facts(), "USDC", config.models.impact, config.faults)
    remade = []
    for ts_ns, kind, _, a, b, _, _ in (row for chunk in timeline(MARKETS, rows).chunks() for row in chunk.rows()):
        if kind == FUNDING:
            quotes.funding("SOL-PERP", a)
        else:
            remade.append(quotes.price(ts_ns, "SOL-PERP", a, b))
    updates = [event for event in told if isinstance(event, MarketUpdated)]
    assert [update for update in remade if update is not None] == updates
    assert len(updates) < 600  # it was away at times
    assert {update.status for update in updates} == {"active", "paused"}


def test_a_quote_has_a_spread_on_ticks_and_an_hourly_average() -> None:
    stage = opened(config=VenueConfig(models=Models(impact=Impact(half_spread_e6=100))))
    update = stage.price(T0 + 1_800 * S, "SOL-PERP", 210 * E6, 210_000_099)
    assert update is not None
    assert (update.bid_e6, update.ask_e6) == (209_979_000, 210_021_100)
    assert update.oracle_twap_e6 == 205 * E6
    update = stage.price(T0 + 9_000 * S, "SOL-PERP", 220 * E6)
    assert update is not None
    assert update.oracle_twap_e6 == 220 * E6


LEG = st.tuples(
    st.sampled_from(["SOL-PERP", "SOL", "BTC-PERP", "wBTC"]),
    st.integers(-30, 30),
    st.integers(-3, 3),
    st.booleans(),
    st.booleans(),
)
Order = tuple[str, int, int, bool, bool]
Step = tuple[list[Order], bool, int, bool]
STEP = st.tuples(st.lists(LEG, min_size=1, max_size=3), st.booleans(), st.integers(-4, 4), st.booleans())


def played(steps: list[Step], seed: int) -> Stage:
    """Play random plans on a random path; whatever happens, the books agree after every row."""
    models = Models(latency=Latency(0, 3 * S, 2 * S), tip_e6=7)
    stage = opened(config=VenueConfig(seed=seed, deposit_e6=5_000 * E6, models=models))
    prices = {"SOL-PERP": P, "SOL": P, "BTC-PERP": 100_000 * E6, "wBTC": 100_000 * E6}
    for number, (legs, atomic, move, fund) in enumerate(steps):
        ts_ns = T0 + (number + 1) * 10 * S
        orders = []
        for name, size, limit, reduce_only, post in legs:
            base_e9 = size * (ONE if "SOL" in name else 10**7)
            make = perp if name.endswith("PERP") else spot
            limit_e6 = prices[name] * (100 + limit) // 100
            extra = {"post": post} if make is perp else {}
            orders.append(make(base_e9, limit_e6, market=name, reduce_only=reduce_only, **extra))
        stage.place(plan(f"p{number}", *orders, now_ns=ts_ns, atomic=atomic), ts_ns)
        if fund:
            stage.venue.funding(ts_ns + 5 * S, "SOL-PERP", move * 10**6)
            stage.venue.interest(ts_ns + 5 * S, "SOL", 10_000, 20_000, 3_600)
        prices = {name: price_e6 * (100 + move) // 100 for name, price_e6 in prices.items()}
        for name, price_e6 in prices.items():
            stage.price(ts_ns + 9 * S, name, price_e6)
    stage.advance(T0 + 10**6 * S)
    stage.assert_books_agree()
    return stage


@settings(max_examples=60, deadline=None)
@given(st.lists(STEP, max_size=8), st.integers(0, 9))
def test_random_orders_leave_coherent_books_and_the_same_ones_twice(steps: list[Step], seed: int) -> None:
    stage = played(steps, seed)
    assert stage.account_events() == played(steps, seed).account_events()
    assert stage.state.in_flight == {}
    books = stage.venue._books
    assert all(balance.scaled_e9 for balance in books.spots.values())
    assert all(position.base_e9 or position.quote_e6 for position in books.perps.values())
    for position in books.perps.values():
        assert position.base_e9 % books.markets[position.market].step_e9 == 0
    ends = [event.plan_id for event in stage.account_events() if isinstance(event, PlanClosed)]
    assert len(ends) == len(set(ends)) == len(steps)


def begun(config: VenueConfig, log: VenueLog | None = None) -> Stage:
    """A stage with a fill, a resting order, an order on its way and a settlement."""
    stage = Stage(venue=SimVenue(config, log=log))
    stage.price(T0, "SOL-PERP", P)
    stage.do(plan("done", perp(ONE, P)))
    stage.do(plan("rests", perp(ONE, 190 * E6, post=True), life_s=3_600))
    stage.venue.funding(T0 + S, "SOL-PERP", 10**6)
    stage.venue.interest(T0 + S, "SOL", 30_000, 60_000, 3_600)
    stage.place(plan("travels", perp(-ONE, 180 * E6), now_ns=T0 + S), T0 + S)
    return stage


def test_a_restored_venue_goes_on_where_it_was(tmp_path: Path) -> None:
    config = VenueConfig(deposit_e6=1_000 * E6, models=PLAIN)
    log = VenueLog(tmp_path / "venue.db")
    full = 2
    assert log._db.execute("PRAGMA synchronous").fetchone() == (full,)
    assert log._db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert SimVenue.restore(log, config).due_ns == 0  # a new log, a new venue
    begun(config, log)
    log.close()
    log = VenueLog(tmp_path / "venue.db")
    venues = SimVenue.restore(log, config), begun(config).venue
    assert venues[0]._record() == venues[1]._record()
    for venue in venues:
        venue.advance(T0 + 2 * S)
        venue.price(T0 + 2 * S, "SOL-PERP", 189 * E6, 189 * E6)
        venue.funding(T0 + 3 * S, "SOL-PERP", 10**6)
    restored, straight = (drive(venue.events_since(0, T0)) for venue in venues)
    assert restored == straight
    assert drive(venues[0].observe(T0)) == drive(venues[1].observe(T0))
    assert {event.plan_id for event in restored if isinstance(event, PlanClosed)} == {"done", "rests", "travels"}
    log.close()


def test_a_liquidation_goes_on_where_it_was() -> None:
    config = VenueConfig(deposit_e6=100_000 * E6, models=PLAIN)
    log = VenueLog(":memory:")
    stages = Stage(venue=SimVenue(config, log=log)), Stage(venue=SimVenue(config))
    for stage in stages:
        stage.price(T0, "SOL-PERP", P)
        stage.do(plan("p", perp(9_000 * ONE, P)))
        stage.price(T0 + S, "SOL-PERP", 194 * E6)
    venues = SimVenue.restore(log, config), stages[1].venue
    assert venues[0]._liquidator.active
    for venue in venues:
        for step in range(2, 90, 4):
            venue.price(T0 + step * S, "SOL-PERP", 194 * E6, 194 * E6)
    restored, straight = (drive(venue.events_since(0, T0)) for venue in venues)
    assert restored == straight
    assert not venues[0]._liquidator.active
    log.close()


def test_a_cancel_that_was_sent_arrives_also_after_a_kill() -> None:
    config = VenueConfig(deposit_e6=1_000 * E6, models=structs.replace(PLAIN, latency=Latency(S, S, 0)))
    log = VenueLog(":memory:")
    stage = Stage(venue=SimVenue(config, log=log))
    stage.price(T0, "SOL-PERP", P)
    stage.place(plan("rests", perp(ONE, 190 * E6, post=True), life_s=3_600))
    stage.advance(T0 + S)
    drive(stage.venue.cancel_all(T0 + S))
    venue = SimVenue.restore(log, config)
    assert [event.status for event in venue.advance(T0 + 2 * S) if isinstance(event, PlanClosed)] == ["cancelled"]
    log.close()


CHILD = """
import sys
from venue_stage import *
from drift_engine.simulation.venue_log import VenueLog
venue = SimVenue(VenueConfig(deposit_e6=100_000 * E6, models=PLAIN), log=VenueLog(sys.argv[1]))
number = 0
venue.advance(T0)
while True:
    number += 1
    now_ns = T0 + number * S
    venue.price(now_ns, "SOL-PERP", 200 * E6, 200 * E6)
    drive(venue.place(plan(f"p{number}", perp(ONE if number % 2 else -ONE, 200 * E6), now_ns=now_ns), now_ns))
    for event in venue.advance(now_ns):
        print(event.cursor, flush=True)
"""


@pytest.mark.parametrize("told", [5, 23, 60])
def test_what_was_told_survives_a_kill(tmp_path: Path, told: int) -> None:
    path = tmp_path / "venue.db"
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    child = subprocess.Popen([sys.executable, "-c", CHILD, str(path)], stdout=subprocess.PIPE, text=True, env=env)
    assert child.stdout is not None
    seen = [int(child.stdout.readline()) for _ in range(told)]
    os.kill(child.pid, signal.SIGKILL)
    seen += [int(line) for line in child.stdout.read().split("\n")[:-1]]
    child.wait()
    child.stdout.close()
    log = VenueLog(path)
    venue = SimVenue.restore(log, VenueConfig(deposit_e6=100_000 * E6, models=PLAIN))
    stage = Stage(venue=venue)
    stage.price(T0, "SOL-PERP", P)
    events = drive(venue.events_since(0, T0))
    assert [event.cursor for event in events] == list(range(1, len(events) + 1))
    assert events[-1].cursor >= seen[-1]
    stage.tell(events)
    stage.assert_books_agree()
    log.close()
