"""The mock executor over a venue that answers, goes away and comes back."""

import asyncio

import pytest
from gate_builders import NOW_NS, hedged_account, leg, plan_of, scene

from drift_engine.core.client import DriftClient, VenueUnavailableError
from drift_engine.core.types import (
    AccountEvent,
    AccountObserved,
    ApprovedPlan,
    Deposited,
    Event,
    InFlight,
    Market,
    PlanClosed,
)
from drift_engine.core.units import E9, SECOND_NS
from drift_engine.execution.mock_executor import MockExecutor
from drift_engine.execution.ports import Executor

GRACE_NS = 5 * SECOND_NS
EXPIRES_NS = NOW_NS + 30 * SECOND_NS
OVERDUE_NS = EXPIRES_NS + GRACE_NS + 1


class Venue:
    """A venue that notes what it is asked, tells a given stream, and can be away."""

    name = "sim"

    def __init__(self, *stream: AccountEvent) -> None:
        self.stream = stream
        self.outcomes: dict[str, PlanClosed] = {}
        self.asked: list[str] = []
        self.away = False
        self.slow = False

    async def _asked(self, what: str) -> None:
        if self.slow:
            await asyncio.sleep(0)
        self.asked.append(what)
        if self.away:
            raise VenueUnavailableError("the venue is away")

    async def markets(self) -> tuple[Market, ...]:
        return ()

    async def place(self, approved: ApprovedPlan, now_ns: int) -> None:
        await self._asked(f"place {approved.plan.plan_id} {now_ns}")

    async def cancel_all(self, now_ns: int) -> None:
        await self._asked(f"cancel_all {now_ns}")

    async def settle_pnl(self, market: str, now_ns: int) -> str | None:
        await self._asked(f"settle_pnl {market} {now_ns}")
        return "NoUnsettledPnl"

    async def observe(self, now_ns: int) -> AccountObserved:
        await self._asked("observe")
        return AccountObserved(now_ns, len(self.stream), hedged_account())

    async def events_since(self, cursor: int, now_ns: int) -> tuple[AccountEvent, ...]:
        await self._asked(f"events_since {cursor}")
        return tuple(event for event in self.stream if event.cursor > cursor)

    async def resolve(self, plan_id: str, now_ns: int) -> PlanClosed | None:
        await self._asked(f"resolve {plan_id}")
        return self.outcomes.get(plan_id)


def approved() -> ApprovedPlan:
    outcome = scene("increase").review()
    assert isinstance(outcome, ApprovedPlan)
    return outcome


def flying(*plan_ids: str) -> dict[str, InFlight]:
    return {plan_id: InFlight(plan_of(leg(-E9), plan_id=plan_id), NOW_NS, (0,)) for plan_id in plan_ids}


def closed(plan_id: str, cursor: int) -> PlanClosed:
    return PlanClosed(NOW_NS, cursor, plan_id, "expired", NOW_NS)


def given(*stream: AccountEvent) -> tuple[Venue, list[Event], MockExecutor]:
    venue, delivered = Venue(*stream), list[Event]()
    client: DriftClient = venue
    return venue, delivered, MockExecutor(client, delivered.append, grace_ns=GRACE_NS, retry_ns=10 * SECOND_NS)


def test_it_is_an_executor_that_places_and_cancels_at_once() -> None:
    venue, delivered, executor = given()
    port: Executor = executor
    port.submit(approved(), NOW_NS)
    port.cancel_all(NOW_NS + 1)
    assert venue.asked == [f"place p1 {NOW_NS}", f"cancel_all {NOW_NS + 1}"]
    assert delivered == []
    assert (executor.trouble, executor.outages) == (None, 0)


def test_an_outage_shows_and_is_no_exception_and_sends_nothing_again() -> None:
    venue, delivered, executor = given()
    venue.away = True
    executor.submit(approved(), NOW_NS)
    executor.cancel_all(NOW_NS)
    executor.observe(NOW_NS)
    executor.follow_up(flying("p1"), 0, OVERDUE_NS)
    assert (executor.trouble, executor.outages) == ("the venue is away", 5)
    assert delivered == []
    venue.away = False
    executor.follow_up(flying("p1"), 0, OVERDUE_NS + 10 * SECOND_NS)
    assert (executor.trouble, executor.outages) == (None, 5)
    assert sum(line.startswith("place") for line in venue.asked) == 1


def test_the_venues_books_are_delivered() -> None:
    _, delivered, executor = given()
    executor.observe(NOW_NS)
    assert delivered == [AccountObserved(NOW_NS, 0, hedged_account())]


def test_what_is_missing_of_the_stream_is_delivered_in_order() -> None:
    stream = tuple(Deposited(NOW_NS, cursor, "USDC", cursor) for cursor in (1, 2, 3))
    venue, delivered, executor = given(*stream)
    executor.follow_up({}, 1, NOW_NS)
    assert delivered == list(stream[1:])
    assert venue.asked == ["events_since 1"]


def test_the_stream_is_asked_for_the_same_again_only_after_a_while() -> None:
    venue, _, executor = given()
    for later_s in (0, 9, 10):
        executor.follow_up({}, 4, NOW_NS + later_s * SECOND_NS)
    assert venue.asked == ["events_since 4"] * 2
    executor.follow_up({}, 5, NOW_NS + 10 * SECOND_NS)
    assert venue.asked[-1] == "events_since 5"


def test_reports_of_young_plans_are_left_to_arrive_but_for_the_first_question_after_a_start() -> None:
    venue, _, executor = given()
    executor.follow_up(flying("p1"), 3, NOW_NS)
    assert venue.asked == ["events_since 3"]
    executor.follow_up(flying("p1"), 4, NOW_NS + 10 * SECOND_NS - 1)
    assert venue.asked == ["events_since 3"]
    executor.follow_up(flying("p1"), 4, NOW_NS + 10 * SECOND_NS)
    assert venue.asked == ["events_since 3", "events_since 4"]


def test_an_overdue_plan_is_resolved_and_one_that_may_still_land_is_left_alone() -> None:
    venue, delivered, executor = given()
    venue.outcomes["p1"] = closed("p1", 1)
    executor.follow_up(flying("p1"), 0, OVERDUE_NS - 1)
    assert venue.asked == ["events_since 0"]
    executor.follow_up(flying("p1"), 0, OVERDUE_NS)
    assert venue.asked[-1] == "resolve p1"
    assert delivered == [closed("p1", 1)]


def test_a_plan_the_stream_closed_is_not_asked_for() -> None:
    venue, delivered, executor = given(closed("p1", 1))
    executor.follow_up(flying("p1", "p2"), 0, OVERDUE_NS)
    assert venue.asked == ["events_since 0", "resolve p2"]
    assert delivered == [closed("p1", 1)]


def test_each_plan_is_asked_for_once_in_a_while_until_its_outcome_is_proven() -> None:
    venue, delivered, executor = given()
    for later_s in range(25):
        executor.follow_up(flying("p1"), 0, OVERDUE_NS + later_s * SECOND_NS)
    assert venue.asked.count("resolve p1") == 3
    assert delivered == []
    venue.outcomes["p1"] = closed("p1", 1)
    executor.follow_up(flying("p1"), 0, OVERDUE_NS + 30 * SECOND_NS)
    assert delivered == [closed("p1", 1)]


def test_a_plan_no_longer_in_flight_is_forgotten() -> None:
    venue, _, executor = given()
    executor.follow_up(flying("p1"), 0, OVERDUE_NS)
    executor.follow_up({}, 1, OVERDUE_NS + 1)
    executor.follow_up(flying("p1"), 1, OVERDUE_NS + 2)
    assert venue.asked.count("resolve p1") == 2


def test_a_young_plan_does_not_keep_an_overdue_one_from_being_resolved() -> None:
    venue, _, executor = given()
    executor.follow_up({}, 0, NOW_NS)
    young = InFlight(plan_of(leg(-E9), plan_id="p2"), OVERDUE_NS, (0,))
    executor.follow_up(flying("p1") | {"p2": young}, 0, OVERDUE_NS)
    assert "resolve p1" in venue.asked


def test_a_settlement_is_asked_for_once_and_may_be_refused() -> None:
    venue, delivered, executor = given()
    executor.settle_pnl("SOL-PERP", NOW_NS)
    assert (venue.asked, delivered, executor.trouble) == ([f"settle_pnl SOL-PERP {NOW_NS}"], [], None)


def test_a_venue_that_suspends_is_a_bug_and_says_so() -> None:
    venue, _, executor = given()
    venue.slow = True
    with pytest.raises(RuntimeError, match="place must not await"):
        executor.submit(approved(), NOW_NS)
