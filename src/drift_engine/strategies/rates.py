"""Rates and costs as fractions of a position's value in 1e6, so that nothing depends on its size."""

from drift_engine.core.spot_balance import YEAR_S
from drift_engine.core.types import Market
from drift_engine.core.units import E6, tdiv

YEAR_H = YEAR_S // 3_600


def funding_yearly_e6(rate_e9: int, oracle_e6: int) -> int:
    """Return an hourly rate (1e9, quote per base) as a fraction of the price a year, positive when longs pay."""
    return tdiv(rate_e9 * YEAR_H * 1_000, oracle_e6)


def expected_e6(value_e6: int, carry_e6: int, hours: int) -> int:
    """Return what a value earns in quote at a yearly carry over some hours."""
    return tdiv(value_e6 * carry_e6 * hours, E6 * YEAR_H)


def cost_e6(markets: tuple[Market, ...], impact_e6: int) -> int:
    """Return what trading once in each market costs: taker fee, half the spread where it is known, impact."""
    return sum(market.spec.taker_fee_e6 + _half_spread_e6(market) + impact_e6 for market in markets)


def outlasts(carry_e6: int, hours: int, once_e6: int) -> bool:
    """Whether a yearly carry over some hours is more than the cost of going in and out again."""
    return carry_e6 * hours > 2 * once_e6 * YEAR_H


def _half_spread_e6(market: Market) -> int:
    if market.bid_e6 is None or market.ask_e6 is None or not market.oracle_e6:
        return 0
    return max(market.ask_e6 - market.bid_e6, 0) * E6 // (2 * market.oracle_e6)
