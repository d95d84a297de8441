"""Faults, alone and in pairs: seeded, the same twice, and never a hole in what ``events_since`` tells."""

from itertools import combinations

import pytest
from venue_stage import ONE, PLAIN, T0, S, Stage, opened, perp, plan, spot

from drift_engine.core.client import UnknownEventError, VenueUnavailableError
from drift_engine.core.driving import drive
from drift_engine.core.types import AccountEvent, Deposited, PlanClosed
from drift_engine.core.units import E6, HOUR_NS
from drift_engine.simulation.faults import FAULTS, NEVER_NS, Faults, Window, draw
from drift_engine.simulation.models import VenueConfig
from drift_engine.simulation.reports import Reports

P = 200 * E6


def with_faults(faults: Faults) -> Stage:
    return opened(config=VenueConfig(deposit_e6=1_000 * E6, models=PLAIN, faults=faults))


def from_ten(length_s: int = 20) -> Window:
    """A window from ten seconds after T0 on, once an hour."""
    return Window(3_600 * S, length_s * S, (T0 + 10 * S) % (3_600 * S))


def test_draws_are_the_same_for_ever() -> None:
    assert [draw(1, "a", 1_000), draw(1, "b", 1_000), draw(2, "a", 1_000)] == [979, 801, 452]


def test_a_window_says_until_when_its_answer_holds() -> None:
    window = Window(100, 10, 50)
    assert [window.at(0, "x", ts) for ts in (0, 49, 50, 59, 60, 99, 150)] == [
        (False, 50),
        (False, 50),
        (True, 60),
        (True, 60),
        (False, 100),
        (False, 100),
        (True, 160),
    ]
    seeded = Window(100, 10)
    inside = sum(seeded.at(3, "x", ts)[0] for ts in range(1_000))
    assert inside == 100
    assert Faults().stale("SOL", 5) == (False, NEVER_NS)


def test_presets_are_named() -> None:
    assert Faults.chaos(1, ("report_lost",)).report_lost_e6 > 0
    assert Faults.chaos(1, ("report_lost",)).venue_away is None
    with pytest.raises(ValueError, match="unknown fault 'gremlins'"):
        Faults.chaos(1, ("gremlins",))


def test_a_leg_fails_alone_or_takes_its_atomic_plan_along() -> None:
    stage = with_faults(Faults(leg_fails_e6=E6))
    closed = stage.do(plan("p", perp(ONE, P)))
    assert closed is not None
    assert (closed.status, closed.reason) == ("rejected", "RevertFill")
    legs = (perp(ONE, P), perp(ONE, P))
    seeded = (Faults(seed, leg_fails_e6=500_000) for seed in range(99))
    half = next(faults for faults in seeded if faults.leg_fails("q", 1) and not faults.leg_fails("q", 0))
    for atomic, status in ((False, "partial"), (True, "rejected")):
        stage = with_faults(half)
        closed = stage.do(plan("q", *legs, atomic=atomic))
        assert closed is not None
        assert closed.status == status
        stage.assert_books_agree()


def test_an_order_expires_unfilled() -> None:
    stage = with_faults(Faults(order_expires_e6=E6))
    assert stage.do(plan("p", perp(ONE, P))) is None
    stage.price(T0 + 31 * S, "SOL-PERP", P)
    assert stage.closed()[0].status == "expired"


def test_a_late_report_is_overtaken_and_waited_for() -> None:
    faults = Faults(seed=1, report_late_e6=500_000, late_ns=10 * S)
    stage = with_faults(faults)
    for number in range(6):
        stage.place(plan(f"p{number}", perp(ONE, P)))
    stage.advance(T0)
    cursors = [event.cursor for event in stage.events if isinstance(event, AccountEvent)]
    assert stage.inbox.missing
    assert cursors != list(range(1, len(cursors) + 1))
    stage.advance(T0 + 10 * S)
    assert not stage.inbox.missing
    late = [fill for fill in stage.fills() if fill.seen_ns == T0 + 10 * S]
    assert late
    stage.assert_books_agree()


def test_reports_are_told_in_the_order_of_their_numbers_each_when_it_was_said_it_would_be() -> None:
    reports = Reports(Faults())
    first, second, third = (Deposited(T0, cursor, "USDC", cursor) for cursor in (1, 2, 3))
    assert reports.seen_ns(T0 + 5 * S, 1) == T0 + 5 * S
    reports.put(first, T0 + 5 * S)
    assert reports.due_ns == T0 + 5 * S
    assert reports.seen_ns(T0 + S, 2) == T0 + 5 * S, "no earlier than the one before"
    reports.put(second, T0 + S)
    assert reports.seen_ns(T0 + 9 * S, 3) == T0 + 9 * S
    reports.put(third, T0 + 9 * S)
    assert reports.take(T0 + 5 * S - 1) == []
    assert reports.take(T0 + 5 * S) == [first, second]
    assert reports.due_ns == T0 + 9 * S
    assert reports.take(T0 + 9 * S) == [third]
    assert (reports.due_ns, reports.take(T0 + 99 * S)) == (NEVER_NS, [])
    assert (reports.since(0), reports.since(2), reports.since(3)) == ((first, second, third), (third,), ())
    with pytest.raises(UnknownEventError, match="knows 3 account events and was asked for those after 4"):
        reports.since(4)


def test_what_is_due_while_the_venue_is_away_is_due_on_its_return() -> None:
    reports = Reports(Faults(venue_away=from_ten()))
    told = Deposited(T0, 1, "USDC", 1)
    reports.put(told, T0 + 15 * S)
    assert reports.take(T0 + 15 * S) == []
    assert reports.due_ns == T0 + 30 * S
    assert reports.take(T0 + 30 * S) == [told]


def test_what_is_restored_is_not_told_again_and_closed_plans_are_known() -> None:
    reports = Reports(Faults())
    closed = PlanClosed(T0, 2, "p", "filled", T0)
    reports.restore([Deposited(T0, 1, "USDC", 1), closed])
    assert reports.take(T0 + S) == []
    assert reports.closed == {"p": closed}
    assert reports.since(1) == (closed,)


def test_a_report_told_twice_counts_once() -> None:
    stage = with_faults(Faults(report_twice_e6=E6))
    stage.do(plan("p", perp(ONE, P)))
    stage.advance(T0 + 20 * S)
    assert len(stage.fills()) == 2
    assert stage.inbox.duplicates == 2
    stage.assert_books_agree()


def test_a_lost_report_is_told_when_asked() -> None:
    stage = with_faults(Faults(report_lost_e6=E6))
    stage.do(plan("p", perp(ONE, P)))
    stage.advance(T0 + 60 * S)
    assert stage.fills() == []
    stage.tell(stage.ask(stage.venue.events_since(stage.state.venue_cursor, T0)))
    assert stage.fills()
    stage.assert_books_agree()


def test_a_stale_oracle_keeps_price_and_slot_while_the_mark_goes_on() -> None:
    stage = with_faults(Faults(stale_oracle=from_ten()))
    fresh = stage.price(T0 + 9 * S, "SOL-PERP", P)
    stale = stage.price(T0 + 20 * S, "SOL-PERP", 150 * E6)
    again = stage.price(T0 + 31 * S, "SOL-PERP", 150 * E6)
    assert fresh is not None
    assert stale is not None
    assert again is not None
    assert (stale.oracle_e6, stale.oracle_slot, stale.mark_e6) == (P, fresh.oracle_slot, 150 * E6)
    assert stale.slot > stale.oracle_slot
    assert (again.oracle_e6, again.oracle_slot) == (150 * E6, again.slot)


def test_a_venue_that_is_away_says_nothing_and_comes_back() -> None:
    stage = with_faults(Faults(venue_away=from_ten()))
    stage.do(plan("rests", perp(ONE, 199 * E6, post=True), life_s=600))
    away_ns = T0 + 15 * S
    assert stage.price(away_ns, "SOL-PERP", 190 * E6) is None
    assert stage.fills() == []
    for question in (
        stage.venue.observe(away_ns),
        stage.venue.events_since(0, away_ns),
        stage.venue.resolve("rests", away_ns),
        stage.venue.cancel_all(away_ns),
        stage.venue.settle_pnl("SOL-PERP", away_ns),
    ):
        with pytest.raises(VenueUnavailableError):
            drive(question)
    assert stage.price(T0 + 30 * S, "SOL-PERP", 190 * E6) is not None
    assert stage.fills()[0].ts_ns == away_ns
    stage.assert_books_agree()


def test_what_was_sent_to_a_venue_that_is_away_lands_or_never_will() -> None:
    stage = with_faults(Faults(venue_away=from_ten()))
    away_ns = T0 + 15 * S
    names = [f"p{number}" for number in range(12)]
    for name in names:
        with pytest.raises(VenueUnavailableError):
            stage.place(plan(name, perp(10**8, P), now_ns=away_ns, life_s=20), away_ns)
    stage.advance(T0 + 31 * S)
    landed = {event.plan_id for event in stage.closed()}
    assert 0 < len(landed) < len(names)
    missed = next(name for name in names if name not in landed)
    with pytest.raises(ValueError, match="sent before"):
        stage.ask(stage.venue.place(plan(missed, perp(10**8, P), now_ns=away_ns), T0 + 31 * S))
    assert stage.ask(stage.venue.resolve(missed, T0 + 34 * S)) is None
    for name in names:
        outcome = stage.ask(stage.venue.resolve(name, T0 + 36 * S))
        assert outcome.status == ("filled" if name in landed else "never_landed")
    stage.advance(T0 + 36 * S)
    stage.assert_books_agree(T0 + 36 * S)


def test_a_cancel_sent_to_a_venue_that_is_away_arrives_or_does_not() -> None:
    stage, arrived = with_faults(Faults(venue_away=from_ten())), 0
    for number in range(12):
        now_ns = T0 + number * HOUR_NS
        stage.do(plan(f"p{number}", perp(ONE, 150 * E6, post=True), now_ns=now_ns, life_s=600), now_ns)
        with pytest.raises(VenueUnavailableError):
            drive(stage.venue.cancel_all(now_ns + 15 * S))
        stage.advance(now_ns + 31 * S)
        stage.advance(now_ns + 700 * S)
        arrived += stage.closed()[-1].status == "cancelled"
    assert 0 < arrived < 12
    assert len(stage.closed()) == 12


def run_through(faults: Faults, seed: int) -> tuple[AccountEvent, ...]:
    """Trade, settle and move prices for ten minutes under faults; ask again for what was lost; compare the books."""
    stage = with_faults(faults)
    for step in range(1, 120):
        ts_ns = T0 + step * 5 * S
        stage.price(ts_ns, "SOL-PERP", P + draw(seed, f"perp{step}", 9 * E6))
        stage.price(ts_ns, "SOL", P + draw(seed, f"spot{step}", 9 * E6))
        if step % 20 == 0:
            stage.venue.funding(ts_ns, "SOL-PERP", 10**7)
        if step % 3 == 0:
            side = 1 if draw(seed, f"side{step}", 2) else -1
            limit = (260 if side > 0 else 150) * E6
            leg = perp(side * ONE, limit) if step % 2 else spot(side * ONE, limit)
            try:
                stage.place(plan(f"p{step}", leg, now_ns=ts_ns), ts_ns)
            except VenueUnavailableError:
                assert faults.away(ts_ns)[0]
    end_ns = T0 + 4_000 * S
    while faults.away(end_ns)[0]:
        end_ns += S
    stage.advance(end_ns)
    for plan_id in tuple(stage.state.in_flight):
        stage.tell([stage.ask(stage.venue.resolve(plan_id, end_ns))])
    stage.tell(stage.ask(stage.venue.events_since(stage.state.venue_cursor, end_ns)))
    events = stage.account_events(end_ns)
    assert [event.cursor for event in events] == list(range(1, len(events) + 1))
    assert stage.state.in_flight == {}
    stage.assert_books_agree(end_ns)
    return events


@pytest.mark.parametrize("names", [*combinations(FAULTS, 1), *combinations(FAULTS, 2), FAULTS], ids="+".join)
def test_under_any_two_faults_the_stream_is_whole_and_the_books_agree(names: tuple[str, ...]) -> None:
    seed = len("".join(names))
    faults = Faults.chaos(seed, names, pace_ns=5 * S)
    assert run_through(faults, seed) == run_through(faults, seed)
