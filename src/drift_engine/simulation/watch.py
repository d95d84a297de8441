"""Between which prices an account cannot come below maintenance margin: the cheap check of every price row.

From the slack (collateral less requirement) and what each holding can lose at most for a price move, each held market
gets a band as wide, in per cent, as the others'. While every price is inside its band, slack cannot run out, whatever
the combination: holdings gain and lose at most their size, and requirements move at most by size times ratio. Outside,
or when the account changed, margin is worked out afresh.
"""

from collections.abc import Iterator, Mapping

from drift_engine.core.margin_monitor import assess
from drift_engine.core.margin_weights import liability_weight_e4, perp_ratio_e4
from drift_engine.core.spot_balance import token_amount
from drift_engine.core.types import Account, Market, PerpPosition, PerpSpec
from drift_engine.core.units import E4, E9, ceil_div, rescale, tdiv
from drift_engine.core.valuation import perp_value_e6, spot_value_e6
from drift_engine.simulation.quotes import MarketQuote

Band = tuple[int, int]
ANY: Band = (0, 1 << 62)
NONE: Band = (1, 0)
_ROUNDING_E6 = 1_000


class Desk:
    """One market as the venue's hot path sees it: its quote, its band, and whether an order waits there."""

    __slots__ = ("high_e6", "low_e6", "publish", "quote", "waits")

    def __init__(self, quote: MarketQuote) -> None:
        self.quote, self.publish, self.waits = quote, quote.price, False
        self.low_e6, self.high_e6 = ANY


def bands(account: Account, markets: Mapping[str, Market], slack_e6: int) -> dict[str, Band]:
    """Return the band of oracle prices (quote 1e6, both ends inside) of each held market that has a price risk."""
    at_risk = dict(_at_risk(account, markets))
    total_e6 = sum(at_risk.values())
    room_e6 = slack_e6 - _ROUNDING_E6
    return {name: _band(markets[name].oracle_e6 or 0, room_e6, total_e6) for name in at_risk}


def _band(price_e6: int, room_e6: int, total_e6: int) -> Band:
    if room_e6 <= 0:
        return NONE
    width_e6 = price_e6 * room_e6 // total_e6
    return price_e6 - width_e6, price_e6 + width_e6


def _at_risk(account: Account, markets: Mapping[str, Market]) -> Iterator[tuple[str, int]]:
    """Yield what a price move of 100 % could cost at most in each held market, in quote 1e6, rounded up."""
    for position in account.perps:
        market = markets[position.market]
        size_e9 = abs(position.base_e9) + position.open_bids_e9 - position.open_asks_e9
        if size_e9 and isinstance(market.spec, PerpSpec):
            yield position.market, _cost_e6(size_e9, market, E4 + perp_ratio_e4(market.spec, size_e9, "maintenance"))
    for balance in account.spots:
        market = markets[balance.market]
        spec = market.spec
        if balance.market == account.quote or isinstance(spec, PerpSpec):
            continue
        tokens = abs(token_amount(balance.scaled_e9, market)) + balance.open_bids - balance.open_asks
        if tokens:
            size_e9 = rescale(tokens, spec.decimals, 9)
            yield balance.market, _cost_e6(size_e9, market, E4 + liability_weight_e4(spec, tokens, "maintenance"))


def _cost_e6(size_e9: int, market: Market, weight_e4: int) -> int:
    return ceil_div(size_e9 * (market.oracle_e6 or 0) * weight_e4, E9 * E4) + 1


def shortage_e6(account: Account, markets: Mapping[str, Market], buffer_e4: int) -> int:
    """Return what margin lacks with the buffer on liabilities and losses, 0 where nothing lacks.

    Source: ``state/margin_calculation.rs``; the account has no open orders.
    """
    have_e6, need_e6 = assess(account, markets, "maintenance")
    for position in account.perps:
        value_e6 = perp_value_e6(position, markets[position.market])
        have_e6 += tdiv(min(value_e6, 0) * buffer_e4, E4)
        need_e6 += size_e6(position, markets) * buffer_e4 // E4
    for balance in account.spots:
        value_e6 = spot_value_e6(balance, markets[balance.market], account.quote)
        need_e6 += max(-value_e6, 0) * buffer_e4 // E4
    return max(0, need_e6 - have_e6)


def size_e6(position: PerpPosition, markets: Mapping[str, Market]) -> int:
    """Return a position's size at the oracle, in quote 1e6."""
    return abs(position.base_e9) * (markets[position.market].oracle_e6 or 0) // E9
