"""The oracle price at which a position's scope would fall below maintenance, everything else as it is.

Source: the TypeScript SDK's ``user.ts`` liquidationPrice, spotLiquidationPrice, calculateFreeCollateralDeltaForPerp and
ForSpot. Free collateral (maintenance) over what it loses for each unit of the price; what has the same oracle moves
with it, by the multiple its price stands for. Open orders are left out unless asked for: the program cancels them
before it takes a position. Ratios and weights are those of the size held, so the figure is exact but for rounding while
unrealised profit counts in full. An isolated position stands alone.
"""

from collections.abc import Iterable, Mapping

from msgspec import structs

from drift_engine.core.margin_parts import price_of
from drift_engine.core.margin_perp import worst_case_e9
from drift_engine.core.margin_scopes import CROSS, every, scopes_of
from drift_engine.core.margin_weights import asset_weight_e4, liability_weight_e4, perp_ratio_e4
from drift_engine.core.spot_balance import token_amount
from drift_engine.core.types import Account, Market, PerpPosition, PerpSpec, Spec, SpotBalance, SpotSpec
from drift_engine.core.units import E4, E6, E9, tdiv


def liquidation_price_e6(
    account: Account, markets: Mapping[str, Market], market_name: str, *, with_orders: bool = False
) -> int | None:
    """Return the liquidation price of a perp position in quote 1e6, ``None`` where no price would liquidate it.

    An account already below maintenance has the oracle's price. ``with_orders`` takes the worst case of open orders as
    filled. Raises ``PriceUnknownError`` where a held market has no price.
    """
    account = account if with_orders else _without_orders(account)
    position, market = account.perp(market_name), markets[market_name]
    slope_e6 = _perp_slope_e6(account, position, market)
    if worst_case_e9(position, market, price_of(market)) == 0:
        return None
    if not position.isolated:
        slope_e6 += _shared(
            (_spot_slope_e6(spot, markets[spot.market]), markets[spot.market].spec, market.spec)
            for spot in account.spots
        )
    return _price_e6(account, markets, market, slope_e6, market_name if position.isolated else CROSS)


def spot_liquidation_price_e6(account: Account, markets: Mapping[str, Market], market_name: str) -> int | None:
    """Return the price of a spot asset at which the account would be liquidated, ``None`` where none would.

    Raises ``PriceUnknownError`` where a held market has no price.
    """
    account, market = _without_orders(account), markets[market_name]
    balance = account.spot(market_name)
    if market_name == account.quote or token_amount(balance.scaled_e9, market) == 0:
        return None
    slope_e6 = _spot_slope_e6(balance, market) + _shared(
        (_perp_slope_e6(account, perp, markets[perp.market]), markets[perp.market].spec, market.spec)
        for perp in account.perps
        if not perp.isolated
    )
    return _price_e6(account, markets, market, slope_e6, CROSS)


def _price_e6(account: Account, markets: Mapping[str, Market], market: Market, slope_e6: int, scope: str) -> int | None:
    if slope_e6 == 0:
        return None
    free_e6 = scopes_of(account, markets, every("maintenance")).scopes[scope].free_e6
    distance_e6 = free_e6 * E6 // abs(slope_e6)
    price_e6 = price_of(market) + (distance_e6 if slope_e6 < 0 else -distance_e6)
    return price_e6 if price_e6 >= 0 else None


def _shared(slopes: Iterable[tuple[int, Spec, Spec]]) -> int:
    """Return the slopes of what has an oracle in common with a market, each per unit of that market's price."""
    return sum(
        tdiv(slope_e6 * own.oracle_multiple, of.oracle_multiple)
        for slope_e6, own, of in slopes
        if own.oracle == of.oracle
    )


def _perp_slope_e6(account: Account, position: PerpPosition, market: Market) -> int:
    """Return the change of free collateral for a rise of the price by 1, signed; what settles moves no more."""
    spec = market.spec
    if not isinstance(spec, PerpSpec):
        raise TypeError(f"{market.name} is not a perp market")
    worst_e9 = worst_case_e9(position, market, price_of(market))
    orders_e9 = worst_e9 - position.base_e9
    if market.status == "settlement" or worst_e9 == 0:
        return 0
    leveraged = account.leverage != "ordinary"
    ratio_e6 = perp_ratio_e4(spec, worst_e9, "maintenance", leveraged=leveraged) * E6 // E4
    if spec.contract == "prediction":
        return -ratio_e6 if orders_e9 > 0 else ratio_e6 if orders_e9 < 0 else 0
    side = E6 if worst_e9 > 0 else -E6
    return tdiv((side - ratio_e6) * abs(worst_e9), E9) - ratio_e6 * abs(orders_e9) // E9


def _spot_slope_e6(balance: SpotBalance, market: Market) -> int:
    spec = market.spec
    if not isinstance(spec, SpotSpec):
        raise TypeError(f"{market.name} is a perp market and holds no balances")
    tokens = token_amount(balance.scaled_e9, market)
    weight_e4 = asset_weight_e4 if tokens > 0 else liability_weight_e4
    return tdiv(weight_e4(spec, tokens, "maintenance") * E6 // E4 * tokens, 10**spec.decimals)


def _without_orders(account: Account) -> Account:
    return structs.replace(
        account,
        spots=tuple(structs.replace(spot, open_bids=0, open_asks=0, open_orders=0) for spot in account.spots),
        perps=tuple(structs.replace(perp, open_bids_e9=0, open_asks_e9=0, open_orders=0) for perp in account.perps),
    )
