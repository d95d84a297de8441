"""The liquidation price is where free collateral by maintenance is used up."""

from typing import Any

import pytest
from core_books import account, markets, perp, replaced, spot
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from drift_engine.core.liquidation_price import liquidation_price_e6, spot_liquidation_price_e6
from drift_engine.core.margin_monitor import assess
from drift_engine.core.types import PerpPosition, PerpTotals, SpotBalance
from drift_engine.core.units import E6, E9
from drift_engine.core.valuation import PriceUnknownError

SOL_PERP, SOL = perp(100 * E6, imf_e6=0), spot(100 * E6, imf_e6=0)


def position(base: int, **changes: Any) -> PerpPosition:
    return PerpPosition("SOL-PERP", base * E9, -base * 100 * E6, **changes)


def test_long_and_short() -> None:
    """1,000 USDC, 20 SOL at 100, maintenance 3 %: 940 free over 19.4 a unit up, 20.6 down."""
    assert liquidation_price_e6(account(1_000, position(20)), markets(SOL_PERP), "SOL-PERP") == 100 * E6 - 48_453_608
    assert liquidation_price_e6(account(1_000, position(-20)), markets(SOL_PERP), "SOL-PERP") == 100 * E6 + 45_631_067


def test_spot_of_the_same_oracle_moves_with_it() -> None:
    """19.4 for the long and 9 for 10 SOL at 0.9; a borrow of 10 at 1.1 against a short adds 11."""
    books = markets(SOL_PERP, SOL)
    both = account(0, position(20), SpotBalance("SOL", 10 * E9))
    assert liquidation_price_e6(both, books, "SOL-PERP") == 100 * E6 - 840 * 10**12 // 28_400_000
    short = account(3_000, position(-20), SpotBalance("SOL", -10 * E9))
    assert liquidation_price_e6(short, books, "SOL-PERP") == 100 * E6 + 1_840 * 10**12 // 31_600_000
    other = replaced(books, spot(100 * E6, oracle="elsewhere", imf_e6=0))
    assert liquidation_price_e6(both, other, "SOL-PERP") == 100 * E6 - 840 * 10**12 // 19_400_000


def test_no_price_liquidates() -> None:
    books = markets(SOL_PERP, SOL)
    assert liquidation_price_e6(account(1_000), books, "SOL-PERP") is None
    assert liquidation_price_e6(account(10**6, position(20)), books, "SOL-PERP") is None
    level = account(0, position(-900), SpotBalance("SOL", 1_030 * E9))
    assert liquidation_price_e6(level, books, "SOL-PERP") is None


def test_below_maintenance_it_is_the_price_itself() -> None:
    assert liquidation_price_e6(account(10, position(20)), markets(SOL_PERP), "SOL-PERP") == 100 * E6


def test_open_orders_are_left_out() -> None:
    ordered = position(20, open_bids_e9=50 * E9, open_asks_e9=-(10**9), open_orders=2)
    held = account(1_000, ordered, SpotBalance("SOL", E9, open_asks=-5 * E9, open_orders=1))
    bare = account(1_000, position(20), SpotBalance("SOL", E9))
    books = markets(SOL_PERP, SOL)
    assert liquidation_price_e6(held, books, "SOL-PERP") == liquidation_price_e6(bare, books, "SOL-PERP")


def test_what_settles_moves_no_more() -> None:
    books = markets(structs.replace(SOL_PERP, status="settlement", totals=PerpTotals(0, expiry_e6=90 * E6)))
    assert liquidation_price_e6(account(1_000, position(20)), books, "SOL-PERP") is None


def test_what_is_not_known_is_not_answered() -> None:
    with pytest.raises(PriceUnknownError):
        liquidation_price_e6(account(10, position(2)), markets(perp(None)), "SOL-PERP")
    with pytest.raises(TypeError, match="not a perp"):
        liquidation_price_e6(account(10), markets(SOL), "SOL")


@given(
    st.integers(-(10**4), 10**4).filter(bool), st.integers(0, 10**6), st.integers(10**6, 10**9), st.integers(-100, 100)
)
def test_margin_runs_out_there(base: int, usdc: int, price: int, sol: int) -> None:
    """Short of it the account is sound, beyond it not; a thousandth of the price covers what truncation leaves."""
    held = account(usdc, PerpPosition("SOL-PERP", base * E9, -base * price), SpotBalance("SOL", sol * E9))

    def free(at: int) -> int:
        books = markets(structs.replace(SOL_PERP, oracle_e6=at), structs.replace(SOL, oracle_e6=at))
        collateral, requirement = assess(held, books, "maintenance")
        return collateral - requirement

    books = markets(structs.replace(SOL_PERP, oracle_e6=price), structs.replace(SOL, oracle_e6=price))
    found = liquidation_price_e6(held, books, "SOL-PERP")
    if found is None:
        assert free(price) > 0
        return
    if free(price) <= 0:
        assert found == price
        return
    step = (found - price) // 1_000 or (1 if found >= price else -1)
    assert free(found - step) >= 0 or abs(found - price) < 1_000
    assert free(max(1, found + step)) <= 0 or found < 1_000


def test_an_isolated_position_stands_alone() -> None:
    alone = PerpPosition("SOL-PERP", 10 * E9, -1_000 * E6, isolated=True, isolated_scaled_e9=100 * E9)
    books = markets(SOL_PERP, SOL)
    price = liquidation_price_e6(account(10**6, alone, SpotBalance("SOL", E9)), books, "SOL-PERP")
    assert price == liquidation_price_e6(
        account(100, PerpPosition("SOL-PERP", 10 * E9, -1_000 * E6)), books, "SOL-PERP"
    )


def test_open_orders_count_where_asked() -> None:
    held = account(1_000, PerpPosition("SOL-PERP", 10 * E9, -1_000 * E6, open_bids_e9=10 * E9, open_orders=1))
    books = markets(SOL_PERP)
    without, with_orders = (liquidation_price_e6(held, books, "SOL-PERP", with_orders=asked) for asked in (False, True))
    assert without is not None
    assert with_orders is not None
    assert with_orders > without


def test_a_balance_in_a_perp_market_is_a_bug() -> None:
    held = account(10, PerpPosition("SOL-PERP", E9), SpotBalance("SOL-PERP", 1))
    with pytest.raises(TypeError, match="holds no balances"):
        liquidation_price_e6(held, markets(SOL_PERP), "SOL-PERP")


def test_a_spot_balance_has_one_too() -> None:
    """A borrow of 10 SOL against 2,000: free collateral at 100 is 900, each dollar up costs 11 weighted."""
    books = markets(SOL_PERP, SOL)
    borrowed = account(2_000, SpotBalance("SOL", -10 * E9))
    price = spot_liquidation_price_e6(borrowed, books, "SOL")
    assert price == 100 * E6 + 900 * E6 * E6 // (11 * E6)
    hedged = account(2_000, SpotBalance("SOL", -10 * E9), PerpPosition("SOL-PERP", 10 * E9, -1_000 * E6))
    further = spot_liquidation_price_e6(hedged, books, "SOL")
    assert further is not None
    assert further > price
    assert spot_liquidation_price_e6(borrowed, books, "USDC") is None
    assert spot_liquidation_price_e6(account(5), books, "SOL") is None
    with pytest.raises(TypeError, match="not a perp"):
        spot_liquidation_price_e6(account(5, SpotBalance("SOL", E9), PerpPosition("SOL", E9)), books, "SOL")


@pytest.mark.parametrize(("bids", "asks", "side"), [(0, 0, 0), (2 * E9, 0, -1), (0, -5 * E9, 1)])
def test_a_predictions_profit_and_margin_net_out(bids: int, asks: int, side: int) -> None:
    market = perp(400_000, contract="prediction", margin_maintenance_e4=5_000, imf_e6=0)
    held = account(10, PerpPosition("SOL-PERP", E9, open_bids_e9=bids, open_asks_e9=asks, open_orders=1))
    price = liquidation_price_e6(held, markets(market), "SOL-PERP", with_orders=True)
    if side == 0:
        assert price is None
    else:
        assert price is None or (price - 400_000) * side <= 0


def test_a_multiple_of_the_same_oracle() -> None:
    """The perp's price stands for 1,000 units, the balance's for one: a dollar of the first is a thousandth there."""
    thousand = perp(100 * E6, oracle_multiple=1_000, imf_e6=0)
    single = spot(100_000, imf_e6=0)
    alone = PerpPosition("SOL-PERP", -E9, 100 * E6)
    plain = liquidation_price_e6(account(100, alone), markets(thousand, single), "SOL-PERP")
    held = liquidation_price_e6(
        account(10, alone, SpotBalance("SOL", 1_000 * E9)), markets(thousand, single), "SOL-PERP"
    )
    assert plain is not None
    assert held is not None
    assert held > plain
