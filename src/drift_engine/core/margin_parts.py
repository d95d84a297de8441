"""What each thing an account holds adds to its margin, by two kinds at once: maintenance, and initial or fill.

A *holding* is made once for a position or balance. All that does not depend on the price (worst-case sizes, ratios and
weights, token amounts) are its *facts*: prepared there, and again only when the market's own facts change. ``part``
then prices it with a few multiplications, exact to the unit. ``margin_monitor`` sums the parts.

Perps are in ``margin_perp``, spot balances in ``margin_spot``; here is what they share.
"""

from msgspec import Struct

from drift_engine.core.types import Account, Leverage, MarginKind, Market, SpotSpec, SpotTotals
from drift_engine.core.units import E6
from drift_engine.core.valuation import PriceUnknownError

OPEN_ORDER_E6 = 10_000
UPNL_INITIAL_CAP_E6 = 100 * E6

Part = tuple[int, int, int, int, int, int, int, int, int]
"""Collateral and requirement by maintenance, both by the second kind, value, liability, what open spot orders change in
the quote balance (all in quote 1e6); then ``ts_ns`` and ``oracle_slot`` of the price it stands on.
"""


class Terms(Struct, frozen=True, gc=False):
    """On what terms margin is asked: the second kind, strict prices or current ones, the account's own ratio and mode.

    Strict prices take the worse of the current price and the 5-minute mean, for spot balances and the quote asset
    (``state/oracle.rs`` StrictOraclePrice).
    """

    kind: MarginKind = "initial"
    strict: bool = False
    ratio_e4: int = 0
    leverage: Leverage = "ordinary"


PLAIN = Terms()


def terms_of(account: Account, kind: MarginKind = "initial", *, strict: bool = False) -> Terms:
    """Return the terms of an account."""
    return Terms(kind, strict, account.max_margin_ratio_e4, account.leverage)


def price_of(market: Market) -> int:
    """Return a market's oracle price. Raises ``PriceUnknownError`` where it has none or one that is not positive."""
    price_e6 = market.oracle_e6
    if price_e6 is None or price_e6 <= 0:
        raise PriceUnknownError(f"the price of {market.name} is not known")
    return price_e6


def bounds_of(market: Market, *, strict: bool) -> tuple[int, int]:
    """Return the price of what is owned and of what is owed in a spot market. Raises ``PriceUnknownError``."""
    price_e6 = price_of(market)
    return _with_mean(price_e6, market) if strict else (price_e6, price_e6)


def _with_mean(price_e6: int, market: Market) -> tuple[int, int]:
    totals = market.totals
    if not isinstance(totals, SpotTotals) or totals.oracle_twap_5min_e6 <= 0:
        raise PriceUnknownError(f"the 5-minute mean price of {market.name} is not known")
    return min(price_e6, totals.oracle_twap_5min_e6), max(price_e6, totals.oracle_twap_5min_e6)


def at_par(market: Market) -> bool:
    """Return whether a quote asset is worth one by definition."""
    return isinstance(market.spec, SpotSpec) and market.spec.at_par


def quote_bounds_of(market: Market, *, strict: bool) -> tuple[int, int]:
    """Return both prices of the quote asset: its oracle's, or one where it stands at par by definition.

    One at par whose account was read still has a 5-minute mean, which strict prices look at.
    """
    if not at_par(market):
        return bounds_of(market, strict=strict)
    return _with_mean(E6, market) if strict and market.totals is not None else (E6, E6)
