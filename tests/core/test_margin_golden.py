"""Margin against the figures that the program's own tests assert (``math/margin/tests.rs``)."""

from typing import Any

import pytest
from core_books import account, markets, perp, spot, spot_spec

from drift_engine.core.margin_monitor import assess, margin_of
from drift_engine.core.margin_weights import asset_weight_e4, liability_weight_e4, size_discount_e4, size_premium_e4
from drift_engine.core.types import PerpPosition, SpotBalance
from drift_engine.core.units import E6, E9
from drift_engine.core.valuation import PriceUnknownError

SOL = spot(100 * E6, imf_e6=0)
HUNDRED = PerpPosition("SOL-PERP", base_e9=100 * E9)
TEN: dict[str, Any] = {"margin_initial_e4": 1_000, "margin_maintenance_e4": 500, "imf_e6": 0}


def test_spot_weights_by_size() -> None:
    """spot_market_asset_weight."""
    size = 1_000 * E6
    facts: dict[str, Any] = {
        "decimals": 6,
        "asset_initial_e4": 9_000,
        "liability_initial_e4": 11_000,
        "liability_maintenance_e4": 0,
    }
    figures = [(0, 9_000, 11_000), (10, 9_000, 11_000), (10_000, 8_357, 11_962), (100_000, 2_642, 40_422)]
    for imf, asset, liability in figures:
        spec = spot_spec(imf_e6=imf, **facts)
        assert asset_weight_e4(spec, size, "initial") == asset
        assert liability_weight_e4(spec, -size, "initial") == liability
    assert liability_weight_e4(spec, -size, "maintenance") == 31_622
    assert size_discount_e4(1_000 * E9 * 10**6, 10, 9_000) == 8_357
    spec = spot_spec(imf_e6=100_000, decimals=6, asset_initial_e4=1_500, asset_maintenance_e4=7_500)
    assert asset_weight_e4(spec, 100_000 * E6, "initial") == asset_weight_e4(spec, 100_000 * E6, "maintenance") == 337


def test_the_premium_takes_a_fifth_off_truncated() -> None:
    """503 less 503 // 5, and imf 0.0001 of the root of a million base."""
    assert size_premium_e4(10**15, 10**2, 503) == 503 - 100 + 10**8 * 100 // 10**7


def test_weights_without_imf_do_not_know_size() -> None:
    assert size_premium_e4(10**30, 0, 500) == 500
    assert size_discount_e4(10**30, 0, 9_000) == 9_000


@pytest.mark.parametrize(
    ("usdc", "balance", "collateral", "requirement"),
    [
        (10_000, SpotBalance("SOL", 0, open_bids=500 * E9, open_orders=1), 50_000_000_000, 50_000_010_000),
        (10_000, SpotBalance("SOL", 0, open_asks=-500 * E9, open_orders=1), 60_000_000_000, 60_000_010_000),
        (0, SpotBalance("SOL", 500 * E9, open_asks=-3_000 * E9, open_orders=1), 300_000_000_000, 300_000_010_000),
    ],
    ids=["usdc_deposit_and_5x_sol_bid", "usdc_deposit_and_5x_sol_ask", "sol_deposit_and_5x_sol_ask"],
)
def test_spot_orders(usdc: int, balance: SpotBalance, collateral: int, requirement: int) -> None:
    assert assess(account(usdc, balance), markets(SOL), "initial") == (collateral, requirement)


def test_the_riskier_side_is_chosen_without_the_custom_ratio() -> None:
    """100 SOL at 100: all asks leave 5,500 and all bids 6,000; by the account's ratio bids would leave 5,000.

    The program chooses first (get_worst_case_fill_simulation) and applies the ratio to the side it chose.
    """
    balance = SpotBalance("SOL", 100 * E9, open_bids=100 * E9, open_asks=-250 * E9, open_orders=2)
    books = markets(spot(100 * E6, imf_e6=0, liability_initial_e4=13_000))
    held = account(0, balance, ratio_e4=2_500)
    assert assess(held, books, "initial") == (25_000 * E6, 19_500 * E6 + 20_000)


@pytest.mark.parametrize(("ratio_e4", "requirement"), [(20_000, 50_000), (10_000, 30_000), (5_000, 20_000)])
def test_custom_ratio_of_the_account(ratio_e4: int, requirement: int) -> None:
    """user_custom_margin_ratio."""
    held = account(100, HUNDRED, SpotBalance("SOL", -100 * E9), ratio_e4=ratio_e4)
    books = markets(SOL, perp(100 * E6, **TEN))
    assert assess(held, books, "initial")[1] == requirement * E6
    assert assess(held, books, "maintenance")[1] == 11_500 * E6


def test_custom_ratio_lowers_an_asset() -> None:
    """user_custom_margin_ratio, its last case."""
    held = account(0, SpotBalance("SOL", 100 * E9), ratio_e4=5_000)
    assert assess(held, markets(SOL), "initial") == (5_000 * E6, 0)


@pytest.mark.parametrize(("own", "position"), [(0, 20_000), (40_000, 20_000), (5_000, 40_000)])
def test_custom_ratio_of_a_position(own: int, position: int) -> None:
    """user_perp_positions_custom_margin_ratio, user_and_position_max_margin_ratio_initial_vs_maintenance."""
    held = account(100, PerpPosition("SOL-PERP", 100 * E9, max_margin_ratio_e4=position), ratio_e4=own)
    books = markets(perp(100 * E6, **TEN))
    assert assess(held, books, "initial")[1] == max(own, position) * E6
    assert assess(held, books, "maintenance")[1] == 500 * E6


@pytest.mark.parametrize(("price", "requirement"), [(22_050, 13_555_327_867), (21_050, 12_940_573_769)])
def test_perp_ratio_with_imf_and_the_cap_on_profit(price: int, requirement: int) -> None:
    """calculate_user_equity_value_tests: a profit of tens of thousands counts for 100 in initial margin."""
    position = PerpPosition("BTC-PERP", -(12_295_081_967 // 2), 153_688_524_588)
    facts: dict[str, Any] = {
        "margin_initial_e4": 1_000,
        "margin_maintenance_e4": 500,
        "imf_e6": 1_000,
        "upnl_initial_e4": 10_000,
    }
    books = markets(perp(price * E6, name="BTC-PERP", **facts))
    assert assess(account(0, position), books, "initial") == (100 * E6, requirement)


def test_a_loss_without_base_counts_in_full() -> None:
    """negative_perp_pnl_liquidation_buffer: 100 USDC and a settled-down loss of 100."""
    held = account(100, PerpPosition("SOL-PERP", 0, -100 * E6))
    assert assess(held, markets(perp(100 * E6)), "initial") == (0, 0)


def test_a_profit_is_weighted() -> None:
    """Weights of 0.5 in maintenance and 0.2 in initial; a loss is never weighted."""
    books = markets(perp(100 * E6, upnl_initial_e4=2_000, upnl_maintenance_e4=5_000))
    gain = account(0, PerpPosition("SOL-PERP", E9, -61_000_001))
    assert assess(gain, books, "maintenance")[0] == 19_499_999
    assert assess(gain, books, "initial")[0] == 7_799_999
    loss = account(0, PerpPosition("SOL-PERP", E9, -139_000_001))
    assert assess(loss, books, "maintenance")[0] == assess(loss, books, "initial")[0] == -39_000_001


def test_perp_orders_count_by_their_worst_side() -> None:
    books = markets(perp(100 * E6, **TEN))
    orders: dict[str, Any] = {"open_bids_e9": 3 * E9, "open_asks_e9": -7 * E9, "open_orders": 2}
    assert assess(account(0, PerpPosition("SOL-PERP", E9, 0, **orders)), books, "initial")[1] == 60 * E6 + 20_000
    assert assess(account(0, PerpPosition("SOL-PERP", 3 * E9, 0, **orders)), books, "initial")[1] == 60 * E6 + 20_000


def test_orders_alone_are_held() -> None:
    books = markets(perp(100 * E6, **TEN))
    sides: list[dict[str, Any]] = [{"open_bids_e9": E9}, {"open_asks_e9": -E9}]
    for side in sides:
        assert assess(account(0, PerpPosition("SOL-PERP", 0, 0, **side)), books, "initial") == (0, 10 * E6)
    assert assess(account(0, PerpPosition("SOL-PERP", open_orders=2)), books, "initial") == (0, 20_000)


def test_equal_liabilities_take_the_asks_ratio() -> None:
    """Both sides truncate to the same liability: the program takes the asks' size for the ratio."""
    facts: dict[str, Any] = {"margin_initial_e4": 1, "margin_maintenance_e4": 1, "imf_e6": 10**9}
    asks, bids, owed = 10**13, 10**13 + 9 * 10**6, 10**6
    base = asks + 10**6
    orders: dict[str, Any] = {"open_bids_e9": bids - base, "open_asks_e9": asks - base, "open_orders": 1}
    assert asks * 100 // E9 == bids * 100 // E9 == owed
    ratio = size_premium_e4(asks, 10**9, 1)
    assert ratio < size_premium_e4(bids, 10**9, 1)
    held = account(0, PerpPosition("SOL-PERP", base, 0, **orders))
    assert assess(held, markets(perp(100, **facts)), "maintenance")[1] == owed * ratio // 10**4 + 10_000


def test_settlement_asks_no_margin_but_for_orders() -> None:
    books = markets(perp(100 * E6, status="settlement"))
    position = PerpPosition("SOL-PERP", E9, -90 * E6, open_bids_e9=E9, open_orders=1)
    assert assess(account(0, position), books, "maintenance") == (10 * E6, 10_000)


def test_unsettled_funding_counts() -> None:
    """A long's cursor is behind by 2 quote per base; it owes 6 for 3 base, though the books do not hold it yet."""
    held = account(0, PerpPosition("SOL-PERP", 3 * E9, -300 * E6, funding_cursor_e9=E9))
    margin = margin_of(held, markets(perp(100 * E6, cumulative_e9=3 * E9)), 0)
    assert margin.collateral_e6 == margin.collateral_initial_e6 == -6 * E6
    assert margin.equity_e6 == 0


def test_a_borrow_of_quote_is_requirement_and_liability() -> None:
    margin = margin_of(account(-1_000, SpotBalance("SOL", 20 * E9)), markets(SOL), 9)
    assert (margin.collateral_e6, margin.maintenance_e6) == (1_800 * E6, 1_000 * E6)
    assert (margin.collateral_initial_e6, margin.initial_e6, margin.free_e6) == (1_600 * E6, 1_000 * E6, 600 * E6)
    assert (margin.equity_e6, margin.liabilities_e6) == (1_000 * E6, 1_000 * E6)
    assert (margin.health_e4, margin.leverage_e4, margin.status) == (4_444, 10_000, "known")


def test_a_price_that_is_not_known_is_never_assumed() -> None:
    for price in (None, 0, -1):
        for held, books in (
            (account(10, HUNDRED), markets(perp(price))),
            (account(10, SpotBalance("SOL", 1)), markets(spot(price))),
        ):
            with pytest.raises(PriceUnknownError, match="price of SOL"):
                assess(held, books, "maintenance")
            assert margin_of(held, books, 1).status == "unknown"
    with pytest.raises(PriceUnknownError, match="market SOL-PERP"):
        assess(account(10, HUNDRED), markets(), "initial")
    with pytest.raises(PriceUnknownError, match="market USDC"):
        assess(account(10), {}, "initial")


def test_holdings_belong_to_their_kind_of_market() -> None:
    with pytest.raises(TypeError, match="no perp positions"):
        assess(account(10, PerpPosition("SOL", E9)), markets(SOL), "initial")
    with pytest.raises(TypeError, match="no balances"):
        assess(account(10, SpotBalance("SOL-PERP", E9)), markets(perp(1)), "initial")
