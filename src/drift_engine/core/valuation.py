"""What an account holds is worth: at the oracle, unweighted, in quote.

Sources: ``math/margin.rs`` calculate_perp_position_value_and_pnl, ``math/spot_balance.rs`` get_token_value. Equity is
the sum over all balances and positions, each truncated as the program truncates it: it never depends on order.
"""

from drift_engine.core.spot_balance import token_amount
from drift_engine.core.types import Account, Market, PerpPosition, SpotBalance, SpotSpec
from drift_engine.core.units import floor_div, notional_e6


class PriceUnknownError(LookupError):
    """A held market has no price: its value is not known, and nothing stands in for it."""


def perp_value_e6(position: PerpPosition, market: Market) -> int:
    """Return a perp position's unrealised value: its base at the oracle plus its quote."""
    if position.base_e9 == 0:
        return position.quote_e6
    return notional_e6(position.base_e9, oracle_price_e6(market)) + position.quote_e6


def spot_value_e6(balance: SpotBalance, market: Market, quote: str) -> int:
    """Return a spot balance's value; a borrow rounds away from zero. The quote asset is worth its amount."""
    tokens = token_amount(balance.scaled_e9, market)
    spec = market.spec
    if spec.name == quote or tokens == 0 or not isinstance(spec, SpotSpec):
        return tokens
    return floor_div(tokens * oracle_price_e6(market), 10**spec.decimals)


def equity_e6(account: Account, markets: dict[str, Market]) -> int:
    """Return the account's net value. Raises ``PriceUnknownError`` where a held market has no price."""
    spots = sum(spot_value_e6(balance, markets[balance.market], account.quote) for balance in account.spots)
    return spots + sum(perp_value_e6(position, markets[position.market]) for position in account.perps)


def oracle_price_e6(market: Market) -> int:
    """Return the oracle price, or raise ``PriceUnknownError`` naming the market."""
    if market.oracle_e6 is None:
        raise PriceUnknownError(f"the price of {market.name} is not known")
    return market.oracle_e6
