"""Perp positions on the wire, changed by the formulas of ``core``, and the market's totals changed with them.

The market keeps, for each side, the base, entry and break-even of all its users, and how many there are. Each total is
moved by what the position adds to its side after a change less what it added before
(``controller/position.rs`` update_position_and_market, update_quote_asset_amount, update_quote_break_even_amount).
"""

from msgspec import structs

from drift_engine.core import perp_position as rules
from drift_engine.core.types import PerpPosition as Held
from drift_engine.venues.wire.perp_market import PerpMarket
from drift_engine.venues.wire.user import PerpPosition


def traded(position: PerpPosition, market: PerpMarket, base_e9: int, quote_e6: int) -> PerpPosition:
    """Return the position after a trade of signed base and quote, booked in the market."""
    after = _back(position, rules.after_trade(held(position), base_e9, quote_e6))
    after = structs.replace(after, last_cumulative_funding_rate=_cursor(position, after, market))
    _book(market, position, after)
    return after


def paid(position: PerpPosition, market: PerpMarket, quote_e6: int) -> PerpPosition:
    """Return the position after a fee (negative), rebate or funding payment, booked in the market."""
    after = _back(position, rules.after_quote(held(position), quote_e6))
    _book(market, position, after)
    return after


def settled(position: PerpPosition, market: PerpMarket, pnl_e6: int) -> PerpPosition:
    """Return the position after its PnL moved to the quote balance, booked in the market."""
    after = _back(position, rules.after_settlement(held(position), pnl_e6))
    _book(market, position, after)
    return after


def cumulative_e9(market: PerpMarket, base_e9: int) -> int:
    """Return the cumulative funding rate of a side."""
    return market.cumulative_funding_rate_long if base_e9 > 0 else market.cumulative_funding_rate_short


def _cursor(before: PerpPosition, after: PerpPosition, market: PerpMarket) -> int:
    """Return the funding cursor after a trade: the market's on opening, adding and turning, 0 once closed."""
    if after.base_asset_amount == 0:
        return 0
    if abs(after.base_asset_amount) < abs(before.base_asset_amount) and (
        (after.base_asset_amount > 0) == (before.base_asset_amount > 0)
    ):
        return before.last_cumulative_funding_rate
    return cumulative_e9(market, after.base_asset_amount)


def held(position: PerpPosition) -> Held:
    """Return a position in core's words, without what only an account of its own knows."""
    return Held(
        "",
        position.base_asset_amount,
        position.quote_asset_amount,
        position.quote_entry_amount,
        position.quote_break_even_amount,
        settled_e6=position.settled_pnl,
    )


def _back(position: PerpPosition, after: Held) -> PerpPosition:
    return structs.replace(
        position,
        base_asset_amount=after.base_e9,
        quote_asset_amount=after.quote_e6,
        quote_entry_amount=after.quote_entry_e6,
        quote_break_even_amount=after.quote_break_even_e6,
        settled_pnl=after.settled_e6,
    )


def _book(market: PerpMarket, before: PerpPosition, after: PerpPosition) -> None:
    """Move the market's totals from what a position was to what it is."""
    market.quote_asset_amount += after.quote_asset_amount - before.quote_asset_amount
    _count(market, before, -1)
    _count(market, after, 1)
    market.number_of_users += _there(after) - _there(before)
    market.number_of_users_with_base += bool(after.base_asset_amount) - bool(before.base_asset_amount)


def _count(market: PerpMarket, position: PerpPosition, sign: int) -> None:
    base, entry = sign * position.base_asset_amount, sign * position.quote_entry_amount
    even = sign * position.quote_break_even_amount
    if position.base_asset_amount > 0:
        market.base_asset_amount_long += base
        market.quote_entry_amount_long += entry
        market.quote_break_even_amount_long += even
    elif position.base_asset_amount < 0:
        market.base_asset_amount_short += base
        market.quote_entry_amount_short += entry
        market.quote_break_even_amount_short += even


def _there(position: PerpPosition) -> bool:
    return bool(position.base_asset_amount or position.quote_asset_amount)
