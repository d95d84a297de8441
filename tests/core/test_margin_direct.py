"""Margin asked once: what is said straight from the facts is what a prepared holding says, and when nothing is said."""

from operator import neg
from typing import Any

import pytest
from core_books import perp, spot
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from drift_engine.core.margin_direct import is_direct, perp_part, spot_part
from drift_engine.core.margin_parts import Terms
from drift_engine.core.margin_perp import PerpHolding
from drift_engine.core.margin_spot import SpotHolding
from drift_engine.core.types import PerpPosition, PerpTotals, SpotBalance
from drift_engine.core.units import E6, E9, E10

amounts = st.integers(-(10**14), 10**14) | st.integers(-3, 3)
sizes = st.integers(0, 10**14) | st.integers(0, 3)
prices = st.integers(1, 10**12) | st.integers(1, 3)
ratios = st.sampled_from([0, 0, 400, 2_000, 12_000])
imfs = st.sampled_from([0, 50, 105_000])
LONG = PerpPosition("SOL-PERP", 2 * E9, -200 * E6)
HELD = SpotBalance("SOL", E9)


@given(
    st.builds(
        PerpPosition,
        market=st.just("SOL-PERP"),
        base_e9=amounts,
        quote_e6=amounts,
        open_bids_e9=st.just(0) | sizes,
        open_asks_e9=st.just(0) | sizes.map(neg),
        open_orders=st.integers(0, 2),
        funding_cursor_e9=st.sampled_from([0, 5 * E9]),
        max_margin_ratio_e4=ratios,
    ),
    prices,
    ratios,
    st.fixed_dictionaries(
        {
            "imf_e6": imfs,
            "upnl_initial_e4": st.sampled_from([0, 3_333]),
            "upnl_maintenance_e4": st.sampled_from([10_000, 7_777]),
        }
    ),
    st.sampled_from([None, PerpTotals(3 * E9)]),
)
def test_a_position_adds_what_a_prepared_one_adds(
    position: PerpPosition, price_e6: int, ratio_e4: int, facts: dict[str, Any], totals: PerpTotals | None
) -> None:
    market = structs.replace(perp(price_e6, **facts), totals=totals)
    expected = PerpHolding(position, market, Terms(ratio_e4=ratio_e4)).part(market)
    assert perp_part(position, market, ratio_e4) == expected


@given(amounts, st.integers(0, 2), prices, ratios, imfs, st.integers(E10, 2 * E10), st.sampled_from([6, 8, 9, 12]))
def test_a_balance_adds_what_a_prepared_one_adds(
    scaled_e9: int, orders: int, price_e6: int, ratio_e4: int, imf_e6: int, interest_e10: int, decimals: int
) -> None:
    balance = SpotBalance("SOL", scaled_e9, open_orders=orders)
    market = spot(price_e6, interest_e10, interest_e10, imf_e6=imf_e6, decimals=decimals)
    expected = SpotHolding(balance, market, Terms(ratio_e4=ratio_e4)).part(market)
    assert spot_part(balance, market, ratio_e4) == expected


@pytest.mark.parametrize(
    ("changed", "market"),
    [
        ({}, spot(100 * E6)),
        ({}, perp(None)),
        ({}, perp(0)),
        ({"isolated": True}, perp(100 * E6)),
        ({}, perp(100 * E6, "settlement")),
        ({}, perp(100 * E6, contract="prediction")),
        ({}, perp(100 * E6, upnl_initial_e4=1, upnl_imf_e6=1)),
        ({}, perp(100 * E6, upnl_initial_e4=1, upnl_max_imbalance_e6=1)),
    ],
)
def test_a_position_that_is_not_plain_says_nothing(changed: dict[str, Any], market: Any) -> None:
    assert perp_part(LONG, perp(100 * E6, upnl_imf_e6=1), 0) is not None
    assert perp_part(structs.replace(LONG, **changed), market, 0) is None


@pytest.mark.parametrize(
    ("changed", "market"),
    [
        ({}, perp(100 * E6)),
        ({}, spot(None)),
        ({}, spot(0)),
        ({"open_bids": 1}, spot(90 * E6)),
        ({"open_asks": -1}, spot(90 * E6)),
        ({}, spot(90 * E6, scale_initial_from_e6=1)),
    ],
)
def test_a_balance_that_is_not_plain_says_nothing(changed: dict[str, Any], market: Any) -> None:
    assert spot_part(HELD, spot(90 * E6), 0) is not None
    assert spot_part(structs.replace(HELD, **changed), market, 0) is None


@pytest.mark.parametrize(
    ("terms", "direct"),
    [
        (Terms(), True),
        (Terms(ratio_e4=2_000), True),
        (Terms("fill"), False),
        (Terms(strict=True), False),
        (Terms(leverage="high"), False),
        (Terms(leverage="high_maintenance"), False),
    ],
)
def test_terms_with_a_direct_way(terms: Terms, direct: bool) -> None:
    assert is_direct(terms) is direct
