"""What decides a fill, without anyone's books: at which price, of how much, and for which quote amount.

The simulated venue and the venue programs played on a local chain both ask here, so that the same order gets the same
answer in both. Base amounts are signed by what the order's owner gets.
"""

from drift_engine.core.units import E9, ceil_div
from drift_engine.simulation.models import Impact


def taken_at_e6(impact: Impact, reference_e6: int, base_e9: int, limit_e6: int, tick_e6: int) -> int | None:
    """Return the price at which an order takes from the modelled book, ``None`` where its limit does not allow it."""
    price_e6 = impact.price_e6(reference_e6, base_e9, tick_e6)
    within = price_e6 <= limit_e6 if base_e9 > 0 else price_e6 >= limit_e6
    return price_e6 if within else None


def is_reached(limit_e6: int, base_e9: int, mark_e6: int, through_e6: int) -> bool:
    """Return whether the mark is far enough beyond a resting order's limit for it to fill there."""
    beyond_e6 = limit_e6 - mark_e6 if base_e9 > 0 else mark_e6 - limit_e6
    return beyond_e6 >= through_e6


def reducible_e9(base_e9: int, held_e9: int, step_e9: int) -> int:
    """Return what of a reduce-only order may fill against what is held; 0 where it would raise exposure."""
    if held_e9 * base_e9 >= 0:
        return 0
    size_e9 = min(abs(base_e9), abs(held_e9) // step_e9 * step_e9)
    return size_e9 if base_e9 > 0 else -size_e9


def exchanged_e6(base_e9: int, price_e6: int, *, maker: bool) -> int:
    """Return the signed quote that a fill exchanges, rounded in the maker's favour.

    Source: ``math/orders.rs`` calculate_quote_asset_amount_for_maker_order.
    """
    rounds_up = (base_e9 > 0) != maker
    size_e6 = ceil_div(abs(base_e9) * price_e6, E9) if rounds_up else abs(base_e9) * price_e6 // E9
    return -size_e6 if base_e9 > 0 else size_e6
