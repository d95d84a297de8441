"""How trades, fees and settlements change a perp position, as the program computes it.

Source: ``controller/position.rs`` update_position_and_market.
"""

from msgspec import structs

from drift_engine.core.types import PerpPosition
from drift_engine.core.units import notional_e6, tdiv


def after_trade(position: PerpPosition, base_e9: int, quote_e6: int, fee_e6: int = 0) -> PerpPosition:
    """Return the position after signed base and quote were added; both come from one trade, the fee apart.

    Opening and increasing add to entry and break-even; reducing and closing take their share away; a flip enters anew
    with the share of the quote that is beyond zero. A fee changes the position as ``after_quote`` would afterwards.
    """
    if base_e9 == 0:
        return after_quote(position, quote_e6 - fee_e6)
    held, after = position.base_e9, position.base_e9 + base_e9
    size, traded = abs(held), abs(base_e9)
    entry, even = position.quote_entry_e6, position.quote_break_even_e6
    if held == 0 or (held > 0) == (base_e9 > 0):
        entry, even = entry + quote_e6, even + quote_e6
    elif size >= traded:
        entry -= tdiv(entry * traded, size)
        even -= tdiv(even * traded, size)
    else:
        entry = even = quote_e6 - tdiv(quote_e6 * size, traded)
    return structs.replace(
        position,
        base_e9=after,
        quote_e6=position.quote_e6 + quote_e6 - fee_e6,
        quote_entry_e6=entry,
        quote_break_even_e6=even - fee_e6 if after else even,
    )


def after_quote(position: PerpPosition, quote_e6: int) -> PerpPosition:
    """Return the position after a fee, rebate or funding payment: it moves the quote and the break-even, not the entry.

    Where no base is held, the break-even stays: there is nothing left to break even on.
    Source: ``controller/position.rs`` update_quote_asset_and_break_even_amount, update_quote_break_even_amount.
    """
    even_e6 = quote_e6 if position.base_e9 else 0
    return structs.replace(
        position,
        quote_e6=position.quote_e6 + quote_e6,
        quote_break_even_e6=position.quote_break_even_e6 + even_e6,
    )


def after_funding(position: PerpPosition, payment_e6: int, cumulative_e9: int) -> PerpPosition:
    """Return the position after funding was settled up to the market's cumulative rate.

    Source: ``controller/funding.rs`` settle_funding_payment.
    """
    return structs.replace(
        position,
        quote_e6=position.quote_e6 + payment_e6,
        quote_break_even_e6=position.quote_break_even_e6 + payment_e6,
        funding_cursor_e9=cumulative_e9,
    )


def after_settlement(position: PerpPosition, pnl_e6: int) -> PerpPosition:
    """Return the position after PnL moved to the quote balance (``controller/pnl.rs``, update_settled_pnl).

    The quote falls by what was settled; entry and break-even stay.
    """
    return structs.replace(position, quote_e6=position.quote_e6 - pnl_e6, settled_e6=position.settled_e6 + pnl_e6)


def with_open(position: PerpPosition, bids_e9: int, asks_e9: int, orders: int) -> PerpPosition:
    """Return the position with changes to its open bids (0 or more), asks (0 or less) and number of open orders."""
    return structs.replace(
        position,
        open_bids_e9=position.open_bids_e9 + bids_e9,
        open_asks_e9=position.open_asks_e9 + asks_e9,
        open_orders=position.open_orders + orders,
    )


def with_order(position: PerpPosition, base_e9: int) -> PerpPosition:
    """Return the position with one more open order, of signed base."""
    return with_open(position, base_e9, 0, 1) if base_e9 > 0 else with_open(position, 0, base_e9, 1)


def with_less_open(position: PerpPosition, base_e9: int, orders: int) -> PerpPosition:
    """Return the position once signed base and a number of orders are open no more."""
    if base_e9 > 0:
        return with_open(position, -base_e9, 0, -orders)
    return with_open(position, 0, -base_e9, -orders)


def claimable_e6(position: PerpPosition, price_e6: int, excess_e6: int = 0) -> int:
    """Return how much of a position's PnL may be settled: all of a loss, and of a profit what was realised.

    ``excess_e6`` is what the market's pool has beyond all users' profits (``state/user.rs`` get_claimable_pnl).
    """
    pnl_e6 = position.quote_e6 + notional_e6(position.base_e9, max(0, price_e6))
    realised_e6 = max(0, position.quote_e6 - position.quote_entry_e6) + max(0, excess_e6)
    return min(pnl_e6, realised_e6) if pnl_e6 > 0 else pnl_e6
