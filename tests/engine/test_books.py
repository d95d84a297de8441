"""When our books and the venue's agree: what the engine concludes from one reading, and from two."""

from __future__ import annotations

from drift_engine.books import Books
from drift_engine.core.types import Account, AccountObserved, EngineState, SpotBalance
from drift_engine.core.units import E9

OURS = Account("USDC", (SpotBalance("USDC", 5 * E9),))
OTHER = Account("USDC", (SpotBalance("USDC", 5 * E9 + 1),))


def at(cursor: int, account: Account = OURS) -> tuple[EngineState, AccountObserved]:
    return EngineState(account=OURS, venue_cursor=cursor), AccountObserved(0, cursor, account)


def test_nothing_agreed_before_it_was_compared() -> None:
    assert Books().agreed_cursor < 0, "also the books of an account to which nothing has happened"


def test_a_reading_of_another_moment_says_nothing() -> None:
    books = Books()
    for cursor in (6, 8):
        state, _ = at(7)
        assert books.compare(state, at(cursor)[1]) == books.compare(state, at(cursor, OTHER)[1]) == ()
    assert books.agreed_cursor < 0


def test_two_differences_in_a_row_are_needed_and_an_agreement_between_them_clears_the_first() -> None:
    books = Books()
    assert books.compare(*at(7, OTHER))
    assert not books.doubt()
    assert books.compare(*at(7)) == ()
    assert books.agreed_cursor == 7
    assert not books.doubt()
    assert books.doubt()
