"""What if a price moved: equal to margin worked out at that price, for every kind of holding."""

from collections.abc import Mapping

import pytest
from core_books import account, markets, perp, replaced, spot
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from drift_engine.core.margin_at_price import Cover, margin_at
from drift_engine.core.margin_monitor import margin_of
from drift_engine.core.margin_scopes import every, scopes_of
from drift_engine.core.types import Account, Market, PerpPosition, SpotBalance
from drift_engine.core.units import E6, E9
from drift_engine.core.valuation import PriceUnknownError

LONG = PerpPosition("SOL-PERP", 2 * E9, -200 * E6)
SHORT = PerpPosition("BTC-PERP", -E9, 90 * E6, open_orders=1)
BOOKS = markets(perp(100 * E6), perp(90 * E6, name="BTC-PERP", upnl_initial_e4=3_333, imf_e6=4_000), spot(90 * E6))

amounts = st.integers(-(10**13), 10**13) | st.integers(-3, 3)
orders = st.sampled_from([0, 0, 0, 10**9])
perps = st.builds(
    PerpPosition,
    market=st.sampled_from(["SOL-PERP", "BTC-PERP"]),
    base_e9=amounts,
    quote_e6=amounts,
    open_bids_e9=orders,
    open_orders=st.integers(1, 2),
    funding_cursor_e9=st.sampled_from([0, 0, 3 * E9]),
)
spots = st.builds(SpotBalance, market=st.just("SOL"), scaled_e9=amounts, open_bids=orders, open_orders=st.just(1))
prices = st.integers(1, 10**12) | st.integers(1, 3)


def _at(held: Account, books: Mapping[str, Market], name: str, price_e6: int) -> Cover:
    margin = margin_of(held, replaced(books, structs.replace(books[name], oracle_e6=price_e6)), 0)
    figures = margin.collateral_e6, margin.maintenance_e6, margin.collateral_initial_e6, margin.initial_e6
    cover = Cover(*figures)
    assert (cover.health_e4, cover.free_e6) == (margin.health_e4, margin.free_e6)
    return cover


@given(
    st.lists(perps, min_size=1, unique_by=lambda held: held.market),
    st.lists(spots, max_size=1),
    st.integers(-(10**6), 10**6),
    st.sampled_from([0, 2_000]),
    st.sampled_from([None, 999_000, 1_001_000]),
    st.lists(prices, min_size=1),
)
def test_it_is_the_margin_at_that_price(
    perps: list[PerpPosition], spots: list[SpotBalance], usdc: int, ratio_e4: int, par: int | None, prices: list[int]
) -> None:
    held = account(usdc, *perps, *spots, ratio_e4=ratio_e4)
    books = BOOKS if par is None else replaced(BOOKS, spot(par, name="USDC", at_par=False))
    for name in [perps[0].market, *[balance.market for balance in spots]]:
        at = margin_at(held, books, name)
        for price_e6 in prices:
            assert at(price_e6) == _at(held, books, name, price_e6)


def test_an_isolated_position_is_asked_for_itself_and_left_out_of_the_cross_margin() -> None:
    books = {**BOOKS}
    alone = structs.replace(SHORT, isolated=True, isolated_scaled_e9=50 * E9)
    held = account(500, LONG, alone)
    for name in ("SOL-PERP", "BTC-PERP"):
        for price in (70, 95, 140):
            moved = replaced(books, structs.replace(books[name], oracle_e6=price * E6))
            found = margin_at(held, books, name)(price * E6)
            for kind, figures in (
                ("maintenance", (found.collateral_e6, found.maintenance_e6)),
                ("initial", (found.collateral_initial_e6, found.initial_e6)),
            ):
                scope = scopes_of(held, moved, every(kind)).scopes["" if name == "SOL-PERP" else name]  # type: ignore[arg-type]
                assert figures == (scope.collateral_e6, scope.requirement_e6)


def test_what_cover_says() -> None:
    assert (Cover(100, 30, 90, 50).sound, Cover(100, 30, 90, 50).free_e6, Cover(100, 30, 0, 0).health_e4) == (
        True,
        40,
        7_000,
    )
    assert (Cover(29, 30, 10, 50).sound, Cover(29, 30, 10, 50).free_e6, Cover(29, 30, 0, 0).health_e4) == (False, 0, 0)
    assert Cover(0, 0, 0, 0).health_e4 == 10_000


def test_the_price_asked_about_need_not_be_known_and_all_others_must() -> None:
    held = account(500, LONG, SHORT)
    unknown = replaced(BOOKS, structs.replace(BOOKS["SOL-PERP"], oracle_e6=None))
    assert margin_at(held, unknown, "SOL-PERP")(100 * E6) == margin_at(held, BOOKS, "SOL-PERP")(100 * E6)
    with pytest.raises(PriceUnknownError, match="the price of SOL-PERP is not known"):
        margin_at(held, unknown, "BTC-PERP")


def test_what_cannot_be_asked() -> None:
    held = account(500, LONG, SpotBalance("SOL", E9))
    with pytest.raises(LookupError, match="the account holds nothing in BTC-PERP"):
        margin_at(held, BOOKS, "BTC-PERP")
    for name in ("SOL-PERP", "SOL"):
        with pytest.raises(PriceUnknownError, match=f"0 is no price of {name}: it has to be above 0"):
            margin_at(held, BOOKS, name)(0)
