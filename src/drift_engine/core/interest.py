"""Interest on spot balances: utilisation, the rates it makes, and how cumulative interest grows.

Sources: ``math/spot_balance.rs`` calculate_utilization, calculate_accumulated_interest and calculate_deposit_rate,
``controller/spot_balance.rs`` update_spot_market_cumulative_interest.
"""

from msgspec import structs

from drift_engine.core.spot_balance import YEAR_S, borrow_rate_e6, token_amount
from drift_engine.core.types import Market, SpotSpec, SpotTotals
from drift_engine.core.units import E6


def utilisation_e6(deposits: int, borrows: int) -> int:
    """Return what share of deposits is lent out, both in tokens; borrows without deposits are all."""
    if deposits == 0:
        return E6 if borrows else 0
    return borrows * E6 // deposits


def market_utilisation_e6(market: Market) -> int:
    """Return the utilisation of a spot market. Raises ``TypeError`` where its account was not read."""
    totals = _totals(market)
    deposits, borrows = (
        token_amount(totals.deposits_scaled_e9, market),
        -token_amount(-totals.borrows_scaled_e9, market),
    )
    return utilisation_e6(deposits, borrows)


def rates_e6(market: Market, insurance_e6: int = 0) -> tuple[int, int]:
    """Return a spot market's deposit and borrow rate a year; the borrow rate has the market's own minimum.

    ``insurance_e6`` is the insurance fund's share of interest.
    """
    spec = market.spec
    if not isinstance(spec, SpotSpec):
        raise TypeError(f"{market.name} is a perp market and bears no interest")
    used_e6 = market_utilisation_e6(market)
    borrow_e6 = borrow_rate_e6(used_e6, spec, spec.min_rate_e6)
    return borrow_e6 * (E6 - insurance_e6) * used_e6 // E6 // E6, borrow_e6


def accrued(market: Market, now_s: int, insurance_e6: int = 0) -> Market:
    """Return a spot market after interest up to a time; nothing happens while there is none to pay out.

    Borrowers owe a unit more than is earned, and the insurance fund takes its share.
    """
    spec, totals = market.spec, _totals(market)
    used_e6, seconds = market_utilisation_e6(market), now_s - totals.interest_s
    if not isinstance(spec, SpotSpec) or seconds <= 0 or used_e6 == 0:
        return market
    borrow = borrow_rate_e6(used_e6, spec, spec.min_rate_e6) * seconds
    deposit = borrow * used_e6 // E6
    earned_e10 = market.interest_deposit_e10 * deposit // YEAR_S // E6
    owed_e10 = market.interest_borrow_e10 * borrow // YEAR_S // E6 + 1
    kept_e10 = earned_e10 - earned_e10 * insurance_e6 // E6
    if kept_e10 == 0 or owed_e10 == 1:
        return market
    return structs.replace(
        market,
        interest_deposit_e10=market.interest_deposit_e10 + kept_e10,
        interest_borrow_e10=market.interest_borrow_e10 + owed_e10,
        totals=structs.replace(totals, interest_s=now_s),
    )


def _totals(market: Market) -> SpotTotals:
    if not isinstance(market.totals, SpotTotals):
        raise TypeError(f"the balances of {market.name} are not known: its account was not read")
    return market.totals
