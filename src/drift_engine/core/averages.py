"""Averages over time as the program keeps them: the newest figure weighs by the time since the last one.

Source: ``math/stats.rs`` calculate_weighted_average, calculate_new_twap.
"""

from drift_engine.core.units import tdiv


def weighted(newest: int, last: int, newest_weight: int, last_weight: int) -> int:
    """Return the average of two figures, truncated, and then one unit further towards the newest.

    The unit keeps an average from standing still short of a figure that no longer moves; it is left out where the last
    figure weighs one or less, and where it would take a result of 0 below it.
    """
    if newest_weight == 0:
        return last
    if last_weight == 0:
        return newest
    risen, stood = newest * newest_weight, last * last_weight
    average = tdiv(risen + stood, newest_weight + last_weight)
    unit = 0 if last_weight <= 1 else (stood > risen) - (stood < risen)
    return average if average == 0 and unit < 0 else average + unit


def twap(newest: int, now: int, last: int, last_ts: int, period: int) -> int:
    """Return the time-weighted average over a period, in seconds, after a figure came in at ``now``."""
    since = max(0, now - last_ts)
    return weighted(newest, last, since, max(1, period - since))
