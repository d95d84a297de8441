"""Two sets of books, compared figure by figure over the union of both sides."""

from __future__ import annotations

from msgspec import structs

from drift_engine.core.reconcile import differences
from drift_engine.core.types import Account, PerpPosition, SpotBalance

PERP = PerpPosition("SOL-PERP", 10**9, -(10**8), -(10**8), -(10**8), settled_e6=3)
BOOKS = Account("USDC", (SpotBalance("USDC", 5), SpotBalance("SOL", -7)), (PERP,))


def test_equal_books_differ_in_nothing() -> None:
    assert differences(BOOKS, BOOKS) == ()


def test_order_open_orders_and_funding_cursors_are_not_money() -> None:
    moved = structs.replace(PERP, open_bids_e9=5, open_orders=1, funding_cursor_e9=99)
    assert differences(BOOKS, Account("USDC", BOOKS.spots[::-1], (moved,))) == ()


def test_each_figure_that_differs_is_named_with_both_sides() -> None:
    theirs = Account("USDC", (SpotBalance("USDC", 6),), (structs.replace(PERP, quote_e6=-1, settled_e6=0),))
    assert differences(BOOKS, theirs) == (
        "SOL scaled_e9: ours -7, the venue's 0",
        "USDC scaled_e9: ours 5, the venue's 6",
        "SOL-PERP quote_e6: ours -100000000, the venue's -1",
        "SOL-PERP settled_e6: ours 3, the venue's 0",
    )


def test_what_only_the_venue_has_is_a_difference() -> None:
    assert differences(Account("USDC"), Account("USDC", (), (PerpPosition("BTC-PERP", 1),))) == (
        "BTC-PERP base_e9: ours 0, the venue's 1",
    )
