"""Means over time, as the program keeps them: a new price counts by the time since the last, the old by the rest.

Sources: ``math/stats.rs`` calculate_weighted_average, calculate_new_twap and calculate_rolling_sum, ``math/amm.rs``
sanitize_new_price, ``state/perp_market.rs`` get_sanitize_clamp_denominator, ``math/helpers.rs`` on_the_hour_update.
"""

from drift_engine.core.units import tdiv

_BANDS = {"A": 10, "B": 5, "C": 2}
_OTHER_BAND = 3


def weighted_average(first: int, second: int, first_weight: int, second_weight: int) -> int:
    """Return a weighted mean, moved by one toward the weightier product, so that it never stands still short of it."""
    if first_weight == 0:
        return second
    if second_weight == 0:
        return first
    old, new = first * first_weight, second * second_weight
    bias = 0 if second_weight <= 1 or new == old else 1 if new > old else -1
    mean = tdiv(old + new, first_weight + second_weight)
    return mean if mean == 0 and bias < 0 else mean + bias


def new_twap(price: int, now_s: int, last_twap: int, last_s: int, period_s: int) -> int:
    """Return a mean over a period after a price was seen."""
    since_s = max(0, now_s - last_s)
    return weighted_average(price, last_twap, since_s, max(1, period_s - since_s))


def rolling_sum(last: int, more: int, since_s: int, period_s: int) -> int:
    """Return a sum over a period after ``more`` was added: what there was fades with the time since."""
    return last * max(0, period_s - since_s) // period_s + more


def sanitized(price_e6: int, twap_e6: int, tier: str) -> int:
    """Return a price no farther from the mean than a market's tier lets one update move it: 10 % in A, 20 % in B."""
    if twap_e6 == 0:
        return price_e6
    band_e6 = tdiv(twap_e6, _BANDS.get(tier, _OTHER_BAND))
    return min(max(price_e6, twap_e6 - abs(band_e6)), twap_e6 + abs(band_e6))


def until_update_s(now_s: int, last_s: int, period_s: int) -> int:
    """Return the time until funding may be updated: on the hour, or the one after where the last was over a third late.

    0 says that it may be updated now.
    """
    wait_s, late_s = period_s, last_s % period_s if period_s > 1 else 0
    if late_s:
        wait_s = (2 if late_s > period_s // 3 else 1) * period_s - late_s
    return max(0, wait_s - (now_s - last_s))
