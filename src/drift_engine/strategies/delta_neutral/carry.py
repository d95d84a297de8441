"""What a hedge is expected to earn, and what it costs to enter.

Side 1 holds spot against a short perp: it receives the funding rate (pays where that is negative), earns the spot
deposit's interest and forgoes the quote's. Side -1 borrows spot against a long perp: it pays the rate, earns the
quote's interest on the proceeds and pays for the borrow. Funding income is counted in part, funding paid in full.

A deposit whose rate is not known earns nothing as far as anyone can say, and is counted as nothing. A borrow whose rate
is not known, or a funding rate that is not, makes the carry unknown: ``None``, which is no carry.
"""

from msgspec import Struct

from drift_engine.core.types import Market, MarketState
from drift_engine.core.units import E4
from drift_engine.strategies.rates import cost_e6, funding_yearly_e6, outlasts

Legs = tuple[Market, Market]
"""The perp market and the spot market."""


class Terms(Struct, frozen=True):
    """How carry is judged: over how long, how much of the funding income counts, and the impact allowed for a leg."""

    horizon_h: int
    counted_e4: int
    impact_e6: int


class Outlook(Struct, frozen=True):
    """The better side, its carry a year as counted on and as it is (1e6), and whether it pays for going in and out.

    Side 0: nothing is known.
    """

    horizon_h: int = 0
    side: int = 0
    counted_e6: int | None = None
    real_e6: int | None = None
    pays: bool = False


def outlook(state: MarketState, legs: Legs, rate_e9: int | None, sides: tuple[int, ...], terms: Terms) -> Outlook:
    """Return the better of the sides asked about, at an average hourly funding rate."""
    known = [(yearly_e6(state, legs, rate_e9, side, terms.counted_e4), side) for side in sides]
    counted_e6, side = max(((carry, side) for carry, side in known if carry is not None), default=(None, 0))
    if counted_e6 is None:
        return Outlook()
    pays = outlasts(counted_e6, terms.horizon_h, cost_e6(legs, terms.impact_e6))
    real_e6 = yearly_e6(state, legs, rate_e9, side, E4)
    return Outlook(terms.horizon_h, side, counted_e6, real_e6, pays)


def yearly_e6(state: MarketState, legs: Legs, rate_e9: int | None, side: int, counted_e4: int) -> int | None:
    """Return the net carry of a side a year (1e6) at a funding rate, income counted at ``counted_e4``."""
    perp, spot = legs
    lending_e6 = _lending_e6(state, spot, side)
    if rate_e9 is None or lending_e6 is None or not perp.oracle_e6:
        return None
    funding_e6 = side * funding_yearly_e6(rate_e9, perp.oracle_e6)
    if funding_e6 > 0:
        funding_e6 = funding_e6 * counted_e4 // E4
    return funding_e6 + lending_e6


def _lending_e6(state: MarketState, spot: Market, side: int) -> int | None:
    quote = state.markets.get(state.account.quote)
    quote_rate_e6 = 0 if quote is None else quote.deposit_rate_e6 or 0
    if side < 0:
        return None if spot.borrow_rate_e6 is None else quote_rate_e6 - spot.borrow_rate_e6
    if quote is not None and state.account.spot(quote.name).scaled_e9 < 0:
        if quote.borrow_rate_e6 is None:
            return None
        quote_rate_e6 = quote.borrow_rate_e6
    return (spot.deposit_rate_e6 or 0) - quote_rate_e6
