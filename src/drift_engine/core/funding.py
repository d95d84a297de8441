"""Funding: the hourly rate and the payment, per protocol rule.

Sources: Drift v2 ``controller/funding.rs`` update_funding_rate and ``math/funding.rs``; Velocity
``programs/velocity/src/math/funding.rs``. Rates are quote per one base per hour in 1e9; longs pay when positive. Where
the market's maker would have to pay, the receiving side gets no more than the payers give and the maker can spare.
"""

from msgspec import Struct

from drift_engine.core.units import E9, tdiv

_OFFSET_DRIFT = 5_000
_OFFSET_VELOCITY = 3_333
_TIER_CAP = {"A": 33, "B": 33, "C": 20}
_OTHER_CAP = 10
_HOURS_A_DAY = 24
_QUOTE_TO_RATE = 10**12


def rate_drift_e9(mark_twap_e6: int, oracle_twap_e6: int, tier: str) -> int:
    """Return Drift v2's hourly rate: (mark - oracle + oracle / 5000), capped by the tier, over 24."""
    spread = mark_twap_e6 - oracle_twap_e6 + tdiv(abs(oracle_twap_e6), _OFFSET_DRIFT)
    return _hourly(_capped(spread, oracle_twap_e6, tier))


def rate_velocity_e9(mark_twap_e6: int, oracle_twap_e6: int, tier: str, *, clamp_bps: int, ramp_slope_e6: int) -> int:
    """Return Velocity's hourly rate: an offset inside a clamp around zero premium, a ramp beyond it, over 24."""
    spread = mark_twap_e6 - oracle_twap_e6
    threshold = abs(oracle_twap_e6) * clamp_bps // 10_000
    beyond = 0 if abs(spread) <= threshold else spread - (threshold if spread > 0 else -threshold)
    ramped = tdiv(beyond * ramp_slope_e6, 10**6) + tdiv(abs(oracle_twap_e6), _OFFSET_VELOCITY)
    return _hourly(_capped(ramped, oracle_twap_e6, tier))


def payment_e6(rate_e9: int, base_e9: int) -> int:
    """Return what a position receives (positive) or pays for a change of the cumulative rate, truncated toward zero.

    Source: ``math/funding.rs`` calculate_funding_payment and calculate_funding_payment_in_quote_precision.
    """
    size = abs(rate_e9) * abs(base_e9) // E9 // 1_000
    return -size if (rate_e9 > 0) == (base_e9 > 0) else size


class Imbalance(Struct, frozen=True, gc=False):
    """What decides whether both sides get one rate: all longs, all shorts (negative), and what users hold net, in 1e9.

    ``spare_e6`` is what the market's maker may pay in one period (``spare_drift_e6``, ``spare_velocity_e6``).
    """

    long_e9: int
    short_e9: int
    users_e9: int
    spare_e6: int


def spare_drift_e6(profit_e6: int, exchange_fee_e6: int, liquidation_fee_e6: int, withdrawn_e6: int) -> int:
    """Return what Drift v2's maker may pay: a third of what it has beyond half of the fees (``calculate_fee_pool``).

    ``profit_e6`` is total_fee_minus_distributions, the others are totals of the market too.
    """
    kept_e6 = exchange_fee_e6 // 2 + liquidation_fee_e6 - withdrawn_e6
    return max(0, profit_e6 - kept_e6) // 3


def spare_velocity_e6(profit_e6: int) -> int:
    """Return what Velocity's maker may pay: a third of its own equity (``available_fees``)."""
    return max(0, profit_e6) // 3


def rates_e9(rate_e9: int, imbalance: Imbalance) -> tuple[int, int]:
    """Return the rates of longs and of shorts (``calculate_funding_rate_long_short``)."""
    maker_e6 = -payment_e6(rate_e9, imbalance.users_e9)
    if maker_e6 >= -imbalance.spare_e6:
        return rate_e9, rate_e9
    paying_e9, receiving_e9 = imbalance.long_e9, imbalance.short_e9
    if rate_e9 < 0:
        paying_e9, receiving_e9 = receiving_e9, paying_e9
    limit_e6 = -imbalance.spare_e6 - abs(payment_e6(rate_e9, paying_e9))
    capped_e9 = _rate_of_limit_e9(limit_e6, receiving_e9)
    return (capped_e9, rate_e9) if rate_e9 < 0 else (rate_e9, capped_e9)


def _rate_of_limit_e9(limit_e6: int, base_e9: int) -> int:
    """Return the rate at which a side receives a sum, rounded in the maker's favour."""
    if base_e9 == 0:
        return 0
    rate = tdiv((limit_e6 + 1 if limit_e6 < 0 else limit_e6) * _QUOTE_TO_RATE, abs(base_e9))
    return rate if base_e9 > 0 else -rate


def _capped(spread_e6: int, oracle_twap_e6: int, tier: str) -> int:
    cap = oracle_twap_e6 // _TIER_CAP.get(tier, _OTHER_CAP)
    return max(-cap, min(cap, spread_e6))


def _hourly(spread_e6: int) -> int:
    return tdiv(spread_e6 * 1_000, _HOURS_A_DAY)
