"""Interest: utilisation, the rates of a market, and what an hour of them does."""

import pytest
from core_books import perp, spot
from msgspec import structs

from drift_engine.core.interest import accrued, market_utilisation_e6, rates_e6, utilisation_e6
from drift_engine.core.spot_balance import accrue, borrow_rate_e6
from drift_engine.core.types import Market, SpotSpec, SpotTotals
from drift_engine.core.units import E6, E9, E10


def lent(deposits: int, borrows: int, **spec: int) -> Market:
    market = spot(100 * E6, **spec)
    return structs.replace(market, totals=SpotTotals(100 * E6, deposits * E9, borrows * E9, 1_000))


@pytest.mark.parametrize(
    ("deposits", "borrows", "share"), [(0, 0, 0), (0, 1, E6), (100, 80, 800_000), (3, 1, 333_333), (1, 2, 2 * E6)]
)
def test_utilisation(deposits: int, borrows: int, share: int) -> None:
    assert utilisation_e6(deposits, borrows) == share


def test_the_rates_of_a_market() -> None:
    """At the optimum a borrower pays 10 %, a depositor four fifths of that, less the insurance fund's share."""
    assert market_utilisation_e6(lent(100, 80)) == 800_000
    assert rates_e6(lent(100, 80)) == (80_000, 100_000)
    assert rates_e6(lent(100, 80), insurance_e6=100_000) == (72_000, 100_000)
    assert rates_e6(lent(100, 1, min_rate_e6=50_000)) == (500, 50_000)


def test_an_hour_of_interest() -> None:
    before = lent(100, 80)
    after = accrued(before, 4_600)
    assert isinstance(before.spec, SpotSpec)
    rate = borrow_rate_e6(800_000, before.spec)
    assert after.interest_borrow_e10 == accrue(E10, rate, 3_600, borrow=True)
    assert after.interest_deposit_e10 == accrue(E10, 80_000, 3_600, borrow=False)
    assert isinstance(after.totals, SpotTotals)
    assert after.totals.interest_s == 4_600
    shared = accrued(before, 4_600, insurance_e6=500_000)
    assert shared.interest_deposit_e10 - E10 == (after.interest_deposit_e10 - E10 + 1) // 2


@pytest.mark.parametrize("market", [lent(100, 0), lent(0, 0)])
def test_nothing_lent_bears_nothing(market: Market) -> None:
    assert accrued(market, 10**9) is market


def test_what_is_too_small_waits() -> None:
    assert accrued(lent(100, 80), 1_000) == lent(100, 80)
    assert accrued(lent(10**6, 1, optimal_rate_e6=1), 1_001) == lent(10**6, 1, optimal_rate_e6=1)


def test_what_was_not_read_is_not_known() -> None:
    with pytest.raises(TypeError, match="account was not read"):
        market_utilisation_e6(spot(100 * E6))
    with pytest.raises(TypeError, match="bears no interest"):
        rates_e6(perp(100 * E6))
