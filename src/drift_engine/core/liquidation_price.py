"""The oracle price at which a position's account would fall below maintenance, everything else as it is.

Source: the TypeScript SDK's ``user.ts`` liquidationPrice, calculateFreeCollateralDeltaForPerp and ForSpot. Free
collateral (maintenance) over what it loses for each unit of the price; a spot balance with the same oracle moves with
the position. Open orders are left out: the program cancels them before it takes a position. Ratios and weights are
those of the size held, so the figure is exact but for rounding while unrealised profit counts in full.
"""

from collections.abc import Mapping

from msgspec import structs

from drift_engine.core.margin_monitor import assess
from drift_engine.core.margin_weights import asset_weight_e4, liability_weight_e4, perp_ratio_e4
from drift_engine.core.spot_balance import token_amount
from drift_engine.core.types import Account, Market, PerpPosition, PerpSpec, SpotBalance, SpotSpec
from drift_engine.core.units import E4, E6, E9, tdiv
from drift_engine.core.valuation import oracle_price_e6


def liquidation_price_e6(account: Account, markets: Mapping[str, Market], market_name: str) -> int | None:
    """Return the liquidation price of a perp position in quote 1e6, ``None`` where no price would liquidate it.

    An account already below maintenance has the oracle's price. Raises ``PriceUnknownError`` where a held market has
    no price.
    """
    position, market = account.perp(market_name), markets[market_name]
    slope_e6 = _perp_slope_e6(position, market)
    if position.base_e9 == 0:
        return None
    slope_e6 += sum(_spot_slope_e6(spot, markets[spot.market], market.spec.oracle) for spot in account.spots)
    if slope_e6 == 0:
        return None
    collateral, requirement = assess(_without_orders(account), markets, "maintenance")
    distance_e6 = max(0, collateral - requirement) * E6 // abs(slope_e6)
    price_e6 = oracle_price_e6(market) + (distance_e6 if slope_e6 < 0 else -distance_e6)
    return price_e6 if price_e6 >= 0 else None


def _perp_slope_e6(position: PerpPosition, market: Market) -> int:
    """Return the change of free collateral for a rise of the price by 1, signed."""
    if not isinstance(market.spec, PerpSpec):
        raise TypeError(f"{market.name} is not a perp market")
    if market.status == "settlement":
        return 0
    ratio_e6 = perp_ratio_e4(market.spec, position.base_e9, "maintenance") * E6 // E4
    side = E6 if position.base_e9 > 0 else -E6
    return tdiv((side - ratio_e6) * abs(position.base_e9), E9)


def _spot_slope_e6(balance: SpotBalance, market: Market, oracle: str) -> int:
    spec = market.spec
    if not isinstance(spec, SpotSpec) or spec.oracle != oracle:
        return 0
    tokens = token_amount(balance.scaled_e9, market)
    weight_e4 = asset_weight_e4 if tokens > 0 else liability_weight_e4
    return tdiv(weight_e4(spec, tokens, "maintenance") * E6 // E4 * tokens, 10**spec.decimals)


def _without_orders(account: Account) -> Account:
    return structs.replace(
        account,
        spots=tuple(structs.replace(spot, open_bids=0, open_asks=0, open_orders=0) for spot in account.spots),
        perps=tuple(structs.replace(perp, open_bids_e9=0, open_asks_e9=0, open_orders=0) for perp in account.perps),
    )
