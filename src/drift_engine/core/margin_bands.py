"""Between which prices health cannot be under a bound: margin assessed for many prices at once.

Health is at least ``h`` exactly while ``collateral x (1 - h) - requirement`` is not negative. That slack is worked out
once. When prices move by a share ``x`` of themselves, collateral falls by at most ``x`` of what is owed and held, and
the requirement grows by at most ``x`` of itself; so each held market gets a band of prices that is ``x`` wide to both
sides. While every price is inside its band, slack cannot run out, whatever the combination, and a comparison with the
bands is an assessment. They hold for one account; outside them margin is worked out afresh. What is kept in reserve of
the slack may be lost besides, as funding is, before they end.
"""

from collections.abc import Mapping

from drift_engine.core.margin_parts import at_par
from drift_engine.core.types import Account, Margin, Market, PerpSpec
from drift_engine.core.units import E4
from drift_engine.core.valuation import spot_value_e6

Band = tuple[str, int, int]
"""A market, and its lowest and its highest oracle price: both are inside."""

_ROUNDING_E6 = 1_000


def slack_e6(margin: Margin, least_e4: int) -> int:
    """Return how much the requirement could grow before health comes under ``least_e4``; negative where it is."""
    return margin.collateral_e6 * (E4 - least_e4) // E4 - margin.maintenance_e6 - _ROUNDING_E6


def health_bands(
    margin: Margin, account: Account, markets: Mapping[str, Market], least_e4: int, reserve_e6: int = 0
) -> tuple[Band, ...] | None:
    """Return the bands in which an account's health stays at ``least_e4`` or above, by its margin of this moment.

    Inside them it also does once up to ``reserve_e6`` of collateral was lost by other causes than prices.

    ``None`` where bands cannot be told: health is not known or is under the bound, the quote asset has a price of its
    own, a position is isolated, a spot order is open, or a requirement does not follow its market's price (predictions;
    settlement, in which nothing is asked).
    """
    health_e4 = margin.health_e4
    if health_e4 is None or health_e4 < least_e4 or not at_par(markets[account.quote]):
        return None
    cost_e6 = margin.liabilities_e6 + margin.maintenance_e6
    held = []
    for balance in account.spots:
        if balance.market != account.quote:
            if balance.open_orders:
                return None
            market = markets[balance.market]
            cost_e6 += max(spot_value_e6(balance, market, account.quote), 0)
            held.append(market)
    for position in account.perps:
        market = markets[position.market]
        if position.isolated or market.status == "settlement" or _is_prediction(market):
            return None
        if position.base_e9 or position.open_orders:
            held.append(market)
    return _bands(held, slack_e6(margin, least_e4) - reserve_e6, cost_e6) if held else ()


def _is_prediction(market: Market) -> bool:
    return isinstance(market.spec, PerpSpec) and market.spec.contract == "prediction"


def _bands(held: list[Market], room_e6: int, cost_e6: int) -> tuple[Band, ...]:
    """Return a band for each market, ``room / cost`` of its price wide to both sides, and never down to nothing."""
    if room_e6 <= 0 or cost_e6 == 0:
        room_e6, cost_e6 = 0, 1
    elif room_e6 >= cost_e6:
        room_e6 = cost_e6 - 1
    bands = []
    for market in held:
        price_e6 = market.oracle_e6 or 0
        width_e6 = price_e6 * room_e6 // cost_e6
        bands.append((market.spec.name, price_e6 - width_e6, price_e6 + width_e6))
    return tuple(bands)
