"""How much of a deposit can be taken out while the rest still covers initial margin.

Source: ``math/margin.rs`` calculate_max_withdrawable_amount, rounded as there. It asks at current prices; the
withdrawal itself asks strict ones, and the market's own guards come on top.
"""

from collections.abc import Mapping

from drift_engine.core.margin_parts import at_par, price_of
from drift_engine.core.margin_scopes import every, scopes_of
from drift_engine.core.margin_weights import asset_weight_e4, scaled_initial_e4
from drift_engine.core.spot_balance import token_amount
from drift_engine.core.types import Account, Market, SpotSpec, SpotTotals
from drift_engine.core.units import E4, E6, rescale
from drift_engine.core.valuation import PriceUnknownError

UNLIMITED = 2**64 - 1
"""What the program answers where a deposit counts for nothing: margin does not limit it."""


def withdrawable(account: Account, markets: Mapping[str, Market], name: str) -> int:
    """Return how many tokens of a spot market may be withdrawn by margin: beyond the deposit they would be borrowed.

    Raises ``PriceUnknownError`` where something that margin stands on is not known.
    """
    market = markets[name]
    spec = market.spec
    if not isinstance(spec, SpotSpec):
        raise TypeError(f"{name} is a perp market and holds no balances")
    scopes = scopes_of(account, markets, every("initial"))
    tokens = abs(token_amount(account.spot(name).scaled_e9, market))
    price_e6 = E6 if name == account.quote and at_par(market) else price_of(market)
    weight_e4 = asset_weight_e4(spec, tokens, "initial", initial_e4=_initial_e4(spec, market, price_e6))
    if weight_e4 == 0:
        return UNLIMITED
    if scopes.perp_liabilities + scopes.spot_liabilities == 0:
        return tokens
    worth = max(0, scopes.cross.free_e6 - 1) * E4 // weight_e4 * E6 // price_e6
    return rescale(worth, 6, spec.decimals)


def _initial_e4(spec: SpotSpec, market: Market, price_e6: int) -> int | None:
    if spec.scale_initial_from_e6 == 0:
        return None
    if not isinstance(market.totals, SpotTotals):
        raise PriceUnknownError(f"the deposits of {market.name} are not known, and its weight depends on them")
    return scaled_initial_e4(spec, token_amount(market.totals.deposits_scaled_e9, market), price_e6)
