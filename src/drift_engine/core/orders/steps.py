"""Sizes on the step and prices on the tick, as the program standardises them.

Source: ``math/orders.rs`` standardize_price, standardize_price_i64 and standardize_base_asset_amount.
"""


def price_on_tick(price_e6: int, tick_e6: int, *, long: bool) -> int:
    """Return a price on the tick: a buyer's rounds down, a seller's up (toward +infinity), offsets too."""
    over = price_e6 % tick_e6
    return price_e6 if over == 0 else price_e6 - over if long else price_e6 - over + tick_e6


def size_on_step(base_e9: int, step_e9: int, *, up: bool = False) -> int:
    """Return a size, 0 or more, on the step: down, or up."""
    over = base_e9 % step_e9
    return base_e9 if over == 0 else base_e9 - over + (step_e9 if up else 0)
