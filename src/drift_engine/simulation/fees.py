"""What a fill's taker is charged and its maker is given, by the fractions of a fee tier.

Source: ``math/fees.rs`` calculate_taker_fee, calculate_maker_rebate and the market's fee adjustment, in per cent.
"""

from drift_engine.core.units import ceil_div


def taker_fee_e6(quote_e6: int, numerator: int, denominator: int, adjustment_pct: int = 0) -> int:
    """Return a taker's fee on a quote amount, rounded up; an adjustment of the market rounds against the taker."""
    fee_e6 = ceil_div(quote_e6 * numerator, denominator)
    if adjustment_pct < 0:
        return fee_e6 - fee_e6 * -adjustment_pct // 100
    return fee_e6 + ceil_div(fee_e6 * adjustment_pct, 100)


def maker_rebate_e6(quote_e6: int, numerator: int, denominator: int, adjustment_pct: int = 0) -> int:
    """Return a maker's rebate on a quote amount, rounded down; an adjustment of the market rounds against the maker."""
    rebate_e6 = quote_e6 * numerator // denominator
    if adjustment_pct < 0:
        return rebate_e6 - ceil_div(rebate_e6 * -adjustment_pct, 100)
    return rebate_e6 + rebate_e6 * adjustment_pct // 100
