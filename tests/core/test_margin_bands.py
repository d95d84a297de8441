"""Inside its bands no account's health comes under the bound they were made for, whatever prices do there together."""

from typing import Any

from core_books import markets, perp, perp_spec, replaced, spot
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from drift_engine.core.margin_bands import Band, health_bands, slack_e6
from drift_engine.core.margin_monitor import margin_of
from drift_engine.core.types import Account, Market, PerpPosition, SpotBalance
from drift_engine.core.units import E6, E9

LONG = PerpPosition("SOL-PERP", 2 * E9, -200 * E6)
PRICES = st.integers(50 * E6, 200 * E6) | st.integers(1, 10**11) | st.integers(1, 5)
PERPS = st.builds(
    PerpPosition,
    market=st.just("SOL-PERP"),
    base_e9=st.integers(-100, 100).map(lambda whole: whole * E9) | st.integers(-(10**13), 10**13) | st.integers(-3, 3),
    quote_e6=st.integers(-1_000 * E6, 1_000 * E6) | st.integers(-(10**12), 10**12),
    open_bids_e9=st.just(0) | st.integers(0, 10**12),
    open_asks_e9=st.just(0) | st.integers(-(10**12), 0),
    open_orders=st.integers(0, 2),
)
TOKENS = st.integers(-100, 100).map(lambda whole: whole * E9) | st.integers(-(10**12), 10**12) | st.just(0)
SPECS: list[dict[str, Any]] = [{}, {"upnl_initial_e4": 5_000}, {"imf_e6": 0}, {"upnl_maintenance_e4": 8_000}]


def books(perp_e6: int, spot_e6: int, facts: dict[str, Any]) -> dict[str, Market]:
    return markets(perp(perp_e6, **facts), spot(spot_e6))


@settings(max_examples=400, deadline=None)
@given(
    st.tuples(PRICES, PRICES),
    PERPS,
    st.none() | PERPS.map(lambda one: structs.replace(one, market="BTC-PERP")),
    TOKENS,
    st.integers(0, 40_000).map(lambda whole: whole * E9) | st.integers(-(10**15), 10**15),
    st.sampled_from(SPECS),
    st.just(10_000) | st.integers(0, 10_000),
    st.lists(st.tuples(*[st.sampled_from((0, 1_000)) | st.integers(0, 1_000)] * 3), min_size=1, max_size=8),
)
def test_no_price_inside_the_bands_brings_health_under_the_bound(
    prices: tuple[int, int],
    first: PerpPosition,
    second: PerpPosition | None,
    tokens: int,
    usdc: int,
    facts: dict[str, Any],
    below_e4: int,
    places: list[tuple[int, ...]],
) -> None:
    spots = tuple(b for b in (SpotBalance("USDC", usdc), SpotBalance("SOL", tokens)) if b.scaled_e9)
    account = Account("USDC", spots, tuple(p for p in (first, second) if p is not None))
    at = {**books(*prices, facts), "BTC-PERP": structs.replace(perp(prices[1]), spec=perp_spec("BTC-PERP"))}
    margin = margin_of(account, at, 10)
    assert margin.health_e4 is not None
    least_e4 = max(0, margin.health_e4 - below_e4)
    bands = health_bands(margin, account, at, least_e4)
    assert health_bands(margin, account, at, margin.health_e4 + 1) is None
    assert bands is not None
    for place in places:
        moved = [
            structs.replace(at[name], oracle_e6=low_e6 + (high_e6 - low_e6) * share // 1_000)
            for (name, low_e6, high_e6), share in zip(bands, place, strict=False)
        ]
        after_e4 = margin_of(account, replaced(at, *moved), 10).health_e4
        assert after_e4 is not None
        assert after_e4 >= least_e4


@given(
    st.integers(-50, 50).filter(bool),
    st.integers(6_000, 10**6).map(lambda whole: whole * E9),
    st.integers(0, 1_000),
    st.tuples(st.integers(0, 16), st.integers(0, 16)),
)
def test_inside_bands_with_a_reserve_as_much_may_be_lost_besides(
    sols: int, usdc: int, place: int, shares: tuple[int, int]
) -> None:
    held = PerpPosition("SOL-PERP", sols * E9, -sols * 100 * E6)
    account, at = Account("USDC", (SpotBalance("USDC", usdc),), (held,)), books(100 * E6, 1, {})
    margin = margin_of(account, at, 10)
    least_e4 = (margin.health_e4 or 0) * shares[0] // 16
    reserve_e6 = max(slack_e6(margin, least_e4), 0) * shares[1] // 16
    ((name, low_e6, high_e6),) = health_bands(margin, account, at, least_e4, reserve_e6) or ()
    moved = structs.replace(at[name], oracle_e6=low_e6 + (high_e6 - low_e6) * place // 1_000)
    poorer = structs.replace(account, perps=(structs.replace(held, quote_e6=held.quote_e6 - reserve_e6),))
    assert (margin_of(poorer, replaced(at, moved), 10).health_e4 or 0) >= least_e4


def banded(account: Account, at: dict[str, Market], least_e4: int) -> tuple[Band, ...] | None:
    return health_bands(margin_of(account, at, 10), account, at, least_e4)


def test_a_sound_account_has_wide_bands_and_one_at_its_lowest_has_none_to_spare() -> None:
    account, at = Account("USDC", (SpotBalance("USDC", 100 * E9),), (LONG,)), books(100 * E6, 1, {})
    health_e4 = margin_of(account, at, 10).health_e4 or 0
    assert banded(account, at, health_e4) == (("SOL-PERP", 100 * E6, 100 * E6),)
    ((_, low_e6, high_e6),) = banded(account, at, 1_500) or ()
    assert 61 * E6 < low_e6 < 62 * E6
    assert low_e6 + high_e6 == 200 * E6


def test_bands_never_reach_down_to_no_price_at_all() -> None:
    rich = Account("USDC", (SpotBalance("USDC", 10**18),), (LONG,))
    ((_, low_e6, _),) = banded(rich, books(100 * E6, 1, {}), 0) or ()
    assert low_e6 > 0


def test_nothing_held_needs_no_band_and_nothing_known_has_none() -> None:
    usdc = (SpotBalance("USDC", E9),)
    assert banded(Account("USDC", usdc), books(1, 1, {}), 10_000) == ()
    assert banded(Account("USDC", usdc, (PerpPosition("SOL-PERP", 0, 5),)), books(1, 1, {}), 0) == ()
    assert banded(Account("USDC", (), (LONG,)), markets(perp(None)), 0) is None


def test_open_spot_orders_and_settlements_have_no_band() -> None:
    rich = SpotBalance("USDC", 10**15)
    ordered = Account("USDC", (rich, SpotBalance("SOL", E9, open_bids=5, open_orders=1)), (LONG,))
    assert banded(ordered, books(100 * E6, 90 * E6, {}), 0) is None
    assert banded(Account("USDC", (rich,), (LONG,)), markets(perp(100 * E6, "settlement")), 0) is None


def test_dust_has_a_band_of_one_price() -> None:
    assert banded(Account("USDC", (SpotBalance("USDC", E9),), (PerpPosition("SOL-PERP", 1),)), books(7, 1, {}), 0) == (
        ("SOL-PERP", 7, 7),
    )
