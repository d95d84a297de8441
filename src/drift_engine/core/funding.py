"""Funding: the hourly rate and the payment, per protocol rule.

Sources: Drift v2 ``controller/funding.rs`` update_funding_rate and ``math/funding.rs``; Velocity
``programs/velocity/src/math/funding.rs``. Rates are quote per one base per hour in 1e9; longs pay when positive.
"""

from drift_engine.core.units import E9, tdiv

_OFFSET_DRIFT = 5_000
_OFFSET_VELOCITY = 3_333
_TIER_CAP = {"A": 33, "B": 33, "C": 20}
_OTHER_CAP = 10
_HOURS_A_DAY = 24


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


def _capped(spread_e6: int, oracle_twap_e6: int, tier: str) -> int:
    cap = oracle_twap_e6 // _TIER_CAP.get(tier, _OTHER_CAP)
    return max(-cap, min(cap, spread_e6))


def _hourly(spread_e6: int) -> int:
    return tdiv(spread_e6 * 1_000, _HOURS_A_DAY)
