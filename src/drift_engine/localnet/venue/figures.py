"""Accounts in the words of ``core``: what its rules are asked with."""

from functools import cache

from drift_engine.core.types import Account, Market, MarketStatus
from drift_engine.localnet.venue.maps import QUOTE, Maps
from drift_engine.venues.program import Program
from drift_engine.venues.programs import PROGRAMS
from drift_engine.venues.translate import Names, Translator
from drift_engine.venues.wire.perp_market import PerpMarket
from drift_engine.venues.wire.spot_market import SpotMarket
from drift_engine.venues.wire.user import User

_BY_LAYOUT = {
    id(layout): name
    for name, program in PROGRAMS.items()
    for layout in (program.layouts.perp_market, program.layouts.spot_market)
}


@cache
def translator(name: str) -> Translator:
    """Return a protocol's translator."""
    return Translator(PROGRAMS[name])


def program_of(market: PerpMarket | SpotMarket) -> Program:
    """Return the protocol whose layout a market has."""
    return PROGRAMS[_BY_LAYOUT[id(market.layout)]]


def status_of(market: PerpMarket | SpotMarket) -> MarketStatus:
    """Return a market's status."""
    spec = translator(program_of(market).name)
    return (spec.perp_market(market, None) if isinstance(market, PerpMarket) else spec.spot_market(market, None)).status


def spot_figures(market: SpotMarket) -> Market:
    """Return a spot market without a price: what balances depend on."""
    return translator(program_of(market).name).spot_market(market, None)


def names_of(maps: Maps) -> Names:
    """Return what the given markets are called."""
    return Names(
        {index: market.name for index, market in maps.perps.items()},
        {index: market.name for index, market in maps.spots.items()},
    )


def account_of(maps: Maps, user: User) -> tuple[Account, dict[str, Market]]:
    """Return a sub-account and every market its margin depends on, priced.

    A market or an oracle that was not given is refused in the program's order: balances first, then positions
    (``math/margin.rs`` calculate_margin_requirement_and_total_collateral_and_liability_info).
    """
    spec = translator(maps.frame.program.name)
    markets: dict[str, Market] = {}
    for balance in user.spot_positions():
        spot = maps.spot(balance.market_index)
        markets[spot.name] = spec.spot_market(spot, maps.price(spot), maps.frame.now_ns)
    for position in user.perp_positions():
        perp = maps.perp(position.market_index)
        quote = maps.spot(QUOTE)
        markets[quote.name] = spec.spot_market(quote, maps.price(quote), maps.frame.now_ns)
        markets[perp.name] = spec.perp_market(perp, maps.price(perp), maps.frame.now_ns)
    if not markets or maps.frame.program.quote not in markets:
        quote = maps.spot(QUOTE)
        markets[quote.name] = spec.spot_market(quote, maps.price(quote), maps.frame.now_ns)
    return spec.account(user, names_of(maps)), markets
