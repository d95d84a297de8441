"""Spot balances: scaled amounts, token amounts and interest, as the program computes them.

Sources: ``math/spot_balance.rs`` (get_token_amount, get_spot_balance, calculate_borrow_rate,
calculate_accumulated_interest). A signed scaled balance stands for the program's amount and balance type.
"""

from drift_engine.core.types import Market, SpotBalance, SpotSpec
from drift_engine.core.units import E6, rescale

YEAR_S = 31_536_000
_PRECISIONS = tuple(int(10 ** (19 - decimals)) for decimals in range(20))
_SEGMENTS = ((850_000, 50), (900_000, 100), (950_000, 150), (990_000, 200), (995_000, 250), (1_000_000, 250))


def decimals_of(market: Market) -> int:
    """Return the decimals of a spot market's token."""
    spec = market.spec
    if not isinstance(spec, SpotSpec):
        raise TypeError(f"{spec.name} is a perp market and holds no balances")
    return spec.decimals


def token_amount(scaled_e9: int, market: Market) -> int:
    """Return the signed token amount of a scaled balance: deposits round down, borrows round up in size.

    Source: ``math/spot_balance.rs`` get_token_amount.
    """
    spec = market.spec
    if not isinstance(spec, SpotSpec):
        raise TypeError(f"{spec.name} is a perp market and holds no balances")
    interest_e10 = market.interest_deposit_e10 if scaled_e9 >= 0 else market.interest_borrow_e10
    return scaled_e9 * interest_e10 // _PRECISIONS[spec.decimals]  # rounds down, whatever the sign


def add_tokens(scaled_e9: int, tokens: int, market: Market, *, leaving: bool = False) -> int:
    """Return the scaled balance after a signed token amount was added; it may cross from deposit to borrow and back.

    Source: ``controller/spot_balance.rs`` update_spot_balances. ``leaving`` is the program's ``is_leaving_drift``: a
    withdrawal rounds against the account.
    """
    if tokens == 0:
        return scaled_e9
    if tokens > 0 and scaled_e9 >= 0:
        return scaled_e9 + _scaled(tokens, market, 1, round_up=False)
    if tokens < 0 and scaled_e9 <= 0:
        return scaled_e9 - _scaled(-tokens, market, -1, round_up=True)
    side = 1 if tokens > 0 else -1
    size, amount = abs(scaled_e9), abs(tokens)
    held = abs(token_amount(scaled_e9, market))
    if held > amount:
        return -side * (size - _scaled(amount, market, -side, round_up=leaving or side > 0))
    if held:
        size, amount = 0, amount - held
    if amount == 0:
        return -side * size
    return side * (size + _scaled(amount, market, side, round_up=side < 0))


def _scaled(amount: int, market: Market, side: int, *, round_up: bool) -> int:
    """Scale a token amount for a deposit (1) or a borrow (-1); source: ``math/spot_balance.rs`` get_spot_balance."""
    interest_e10 = market.interest_deposit_e10 if side > 0 else market.interest_borrow_e10
    scaled = amount * _PRECISIONS[decimals_of(market)] // interest_e10
    return scaled + 1 if round_up and scaled else scaled


def base_e9(balance: SpotBalance, market: Market) -> int:
    """Return the signed amount held of a spot asset in base units of 1e9."""
    return rescale(token_amount(balance.scaled_e9, market), decimals_of(market), 9)


def borrow_rate_e6(utilisation_e6: int, spec: SpotSpec, min_rate_e6: int = 0) -> int:
    """Return the borrow rate a year at a utilisation.

    Source: ``math/spot_balance.rs`` calculate_borrow_rate: linear to the optimum, then six segments, each pro rata.
    """
    if utilisation_e6 <= spec.optimal_utilisation_e6:
        rate = utilisation_e6 * (spec.optimal_rate_e6 * E6 // spec.optimal_utilisation_e6) // E6
        return max(rate, min_rate_e6)
    total_extra = spec.max_rate_e6 - spec.optimal_rate_e6
    rate, last = spec.optimal_rate_e6, spec.optimal_utilisation_e6
    for breakpoint_e6, weight in _SEGMENTS:
        segment_rate = total_extra * weight // 1_000
        if utilisation_e6 > breakpoint_e6:
            rate, last = rate + segment_rate, breakpoint_e6
            continue
        rate += segment_rate * (utilisation_e6 - last) // (breakpoint_e6 - last)
        break
    return max(rate, min_rate_e6)


def accrue(cumulative_e10: int, rate_e6: int, seconds: int, *, borrow: bool) -> int:
    """Return cumulative interest after some seconds at a yearly rate; a borrow's grows by one unit more.

    Source: ``math/spot_balance.rs`` calculate_accumulated_interest and ``controller/spot_balance.rs``.
    """
    grown = cumulative_e10 * rate_e6 * seconds // YEAR_S // E6
    return cumulative_e10 + grown + (1 if borrow else 0)
