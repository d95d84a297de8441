"""What an account is worth with nothing weighted, and Velocity's floor under it.

Source: ``math/margin.rs`` calculate_user_equity. Velocity: calculate_net_equity_for_floor, ``state/user.rs``
is_below_buffered_equity_floor. Unlike ``valuation.equity_e6`` it counts unsettled funding, isolated deposits and the
price of the quote asset.
"""

from collections.abc import Mapping

from drift_engine.core.margin_parts import price_of, quote_bounds_of
from drift_engine.core.margin_perp import unsettled_e6
from drift_engine.core.margin_spot import strict_value_e6
from drift_engine.core.margin_sums import held_in, market_of
from drift_engine.core.spot_balance import decimals_of, token_amount
from drift_engine.core.types import Account, Market, PerpPosition, PerpTotals
from drift_engine.core.units import E6, notional_e6, tdiv
from drift_engine.core.valuation import PriceUnknownError


def user_equity_e6(account: Account, markets: Mapping[str, Market]) -> int:
    """Return an account's net value at oracle prices. Raises ``PriceUnknownError``."""
    quote = market_of(markets, account.quote)
    quote_e6 = quote_bounds_of(quote, strict=False)[0]
    spots, perps = held_in(account)
    total_e6 = _tokens_e6(account.spot(account.quote).scaled_e9, quote, quote_e6)
    for spot in spots:
        market = market_of(markets, spot.market)
        total_e6 += _tokens_e6(spot.scaled_e9, market, price_of(market))
    for perp in perps:
        total_e6 += _tokens_e6(perp.isolated_scaled_e9, quote, quote_e6) if perp.isolated else 0
        total_e6 += tdiv(_pnl_e6(perp, market_of(markets, perp.market)) * quote_e6, E6)
    return total_e6


def below_floor(account: Account, markets: Mapping[str, Market]) -> bool:
    """Return whether an account with a floor is worth less than that and its buffer: it may open no risk then."""
    floor_e6 = account.equity_floor_e6
    return floor_e6 > 0 and user_equity_e6(account, markets) < floor_e6 + account.equity_floor_buffer_e6


def _tokens_e6(scaled_e9: int, market: Market, price_e6: int) -> int:
    return strict_value_e6(token_amount(scaled_e9, market), decimals_of(market), price_e6, price_e6)


def _pnl_e6(position: PerpPosition, market: Market) -> int:
    price_e6 = price_of(market)
    if market.status == "settlement":
        if not isinstance(market.totals, PerpTotals):
            raise PriceUnknownError(f"the price at which {market.name} settles is not known")
        price_e6 = max(0, market.totals.expiry_e6)
    return position.quote_e6 + notional_e6(position.base_e9, price_e6) + unsettled_e6(position, market)
