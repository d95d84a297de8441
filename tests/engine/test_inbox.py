"""The inbox: prices conflated, account events in the venue's order and once each, holes visible."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from drift_engine.core.types import Account, AccountObserved, Deposited, Event, MarketUpdated, Ticked
from drift_engine.inbox import Inbox


def drained(inbox: Inbox) -> list[Event]:
    others, prices = inbox.drain()
    return [*others, *prices]


def deposit(cursor: int) -> Deposited:
    return Deposited(1, cursor, "USDC", cursor)


@given(st.permutations(range(1, 9)), st.lists(st.integers(1, 8), max_size=8))
def test_account_events_come_out_in_order_and_once_whatever_the_delivery(order: list[int], again: list[int]) -> None:
    inbox, taken = Inbox(), []
    for cursor in (*order, *again):
        inbox.put(deposit(cursor))
        taken += drained(inbox)
    assert taken == [deposit(cursor) for cursor in range(1, 9)]
    assert inbox.duplicates == len(again)
    assert not inbox.missing


def test_a_hole_is_visible_until_it_is_filled() -> None:
    inbox = Inbox()
    inbox.put(deposit(2))
    assert inbox.missing
    assert drained(inbox) == []
    inbox.put(deposit(1))
    assert not inbox.missing
    assert drained(inbox) == [deposit(1), deposit(2)]


def test_the_last_price_of_a_market_wins_and_comes_after_the_rest() -> None:
    inbox = Inbox()
    for price in (1, 2, 3):
        inbox.put(MarketUpdated(price, "SOL", 0, price, 0))
    inbox.put(MarketUpdated(4, "BTC", 0, 4, 0))
    inbox.put(deposit(1))
    assert [event.ts_ns for event in drained(inbox)] == [1, 3, 4]
    assert drained(inbox) == []


def test_books_wait_for_the_events_before_them() -> None:
    inbox, books = Inbox(), AccountObserved(9, 2, Account("USDC"))
    inbox.put(books)
    assert inbox.missing
    inbox.put(deposit(1))
    assert drained(inbox) == [deposit(1)]
    inbox.put(deposit(2))
    assert drained(inbox) == [deposit(2), books]
    assert not inbox.missing


def test_books_of_a_moment_that_is_over_are_of_no_use() -> None:
    inbox = Inbox(cursor=5)
    inbox.put(AccountObserved(9, 4, Account("USDC")))
    assert drained(inbox) == []
    assert not inbox.missing


def test_an_older_reading_does_not_hide_what_a_newer_one_told_of() -> None:
    inbox, newer = Inbox(cursor=8), AccountObserved(9, 10, Account("USDC"))
    inbox.put(newer)
    for cursor in (7, 8, 9):
        inbox.put(AccountObserved(9, cursor, Account("USDC")))
        assert inbox.missing, "events 9 and 10 are known to exist"
    inbox.put(deposit(9))
    inbox.put(deposit(10))
    assert drained(inbox) == [AccountObserved(9, 8, Account("USDC")), deposit(9), deposit(10), newer]
    assert not inbox.missing


def test_books_do_not_hide_a_hole_behind_them() -> None:
    """While an event waits for those before it, its coming is asked for and none is taken past it."""
    inbox, books = Inbox(cursor=1), AccountObserved(9, 1, Account("USDC"))
    inbox.put(deposit(3))
    inbox.put(books)
    assert drained(inbox) == [books]
    assert inbox.missing
    inbox.put(deposit(2))
    assert drained(inbox) == [deposit(2), deposit(3)]
    assert not inbox.missing


def test_after_a_recovery_what_is_in_the_books_is_not_taken_again() -> None:
    inbox = Inbox()
    inbox.start_after(3)
    inbox.put(deposit(3))
    inbox.put(deposit(4))
    inbox.put(Ticked(1, 1))
    assert drained(inbox) == [deposit(4), Ticked(1, 1)]
