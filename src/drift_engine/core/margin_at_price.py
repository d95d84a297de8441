"""What if this price moved? The margin of one scope at any price of one market, all else as it is.

The account is taken apart once (``margin_at``); each price then costs what one position costs, as in ``margin_move``: a
few multiplications for a plain perp, its holding's own part for anything else. The scope is the cross margin, or the
isolated position where the market holds one. Both ways give the figures that ``margin_of`` gives, to the unit.
"""

from collections.abc import Callable, Mapping

from msgspec import Struct, structs

from drift_engine.core.margin_move import PerpFacts
from drift_engine.core.margin_parts import UPNL_INITIAL_CAP_E6, Part, terms_of
from drift_engine.core.margin_perp import PerpHolding
from drift_engine.core.margin_sums import Holding, holdings_of, joined, quote_in, with_quote
from drift_engine.core.types import Account, Market, health_e4_of
from drift_engine.core.units import E4, E6, E9, lowest_terms
from drift_engine.core.valuation import PriceUnknownError


class Cover(Struct, frozen=True, gc=False):
    """Collateral and requirement of a scope, by maintenance and by initial margin, in quote 1e6."""

    collateral_e6: int
    maintenance_e6: int
    collateral_initial_e6: int
    initial_e6: int

    @property
    def sound(self) -> bool:
        """Whether collateral covers maintenance."""
        return self.collateral_e6 >= self.maintenance_e6

    @property
    def free_e6(self) -> int:
        """Free collateral by the initial figures, 0 at least."""
        return max(0, self.collateral_initial_e6 - self.initial_e6)

    @property
    def health_e4(self) -> int:
        """Health of the scope, as ``Margin`` has it."""
        return health_e4_of(self.collateral_e6, self.maintenance_e6)


AtPrice = Callable[[int], Cover]
"""The margin at an oracle price in 1e6, which has to be above 0."""


def margin_at(account: Account, markets: Mapping[str, Market], name: str) -> AtPrice:
    """Return the margin of the scope that market ``name`` belongs to, by the price of that market.

    Raises ``PriceUnknownError`` where the price of anything else held is not known; ``LookupError`` where nothing is
    held in that market.
    """
    quote, quote_e6, low_e6, high_e6 = quote_in(account, markets)
    held = holdings_of(account, markets, terms_of(account))
    moved = next((holding for holding in held if holding.name == name), None)
    if moved is None:
        raise LookupError(f"the account holds nothing in {name}")
    if isinstance(moved, PerpHolding) and moved.isolated:
        parts, quote_e6 = [], moved.deposit_e6(quote, low_e6)
    else:
        others = [holding for holding in held if holding is not moved and not holding.isolated]
        parts = [holding.part(markets[holding.name], low_e6, high_e6) for holding in others]
    rest = with_quote(joined(parts) if parts else None, quote_e6)
    if isinstance(moved, PerpHolding) and low_e6 == high_e6 == E6 and (facts := moved.plain_facts):
        return _plain(facts, rest, name)
    return _general(moved, markets[name], rest, low_e6, high_e6)


def _plain(facts: PerpFacts, rest: Part, name: str) -> AtPrice:
    _, quote, unsettled, open_e6, _, _, _, long, size, ratio, ratio_i, _, profit_i, _ = facts
    without, asked, initial_without, asked_i, *_ = rest
    start, asked, asked_i = without + quote + unsettled, asked + open_e6, asked_i + open_e6
    size, unit = lowest_terms(size, E9)
    (ratio, whole), (ratio_i, whole_i) = lowest_terms(ratio, E4), lowest_terms(ratio_i, E4)

    def at(price_e6: int) -> Cover:
        if price_e6 <= 0:
            raise _no_price(name, price_e6)
        value = size * price_e6 // unit
        collateral = start + value if long else start - value
        initial = initial_without
        if collateral <= without:
            initial += collateral - without
        elif profit_i:
            profit = (collateral - without) * profit_i // E4
            initial += profit if profit < UPNL_INITIAL_CAP_E6 else UPNL_INITIAL_CAP_E6
        return Cover(
            collateral,
            (value if ratio == 1 else value * ratio) // whole + asked,
            initial,
            (value if ratio_i == 1 else value * ratio_i) // whole_i + asked_i,
        )

    return at


def _general(holding: Holding, market: Market, rest: Part, low_e6: int, high_e6: int) -> AtPrice:
    def at(price_e6: int) -> Cover:
        if price_e6 <= 0:
            raise _no_price(holding.name, price_e6)
        part = holding.part(structs.replace(market, oracle_e6=price_e6), low_e6, high_e6)
        return Cover(*joined([rest, part])[:4])

    return at


def _no_price(name: str, price_e6: int) -> PriceUnknownError:
    return PriceUnknownError(f"{price_e6} is no price of {name}: it has to be above 0")
