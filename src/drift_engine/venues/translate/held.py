"""What a user account holds into core's words, slot by slot; ``translate`` puts the account together.

Source: ``state/user.rs`` (SpotPosition, PerpPosition) of both programs. Markets are named by their index.
"""

from drift_engine.core.types import PerpPosition, SpotBalance
from drift_engine.venues.translate.names import Names
from drift_engine.venues.wire import user as wire_user

_ISOLATED, _POSITION_LIQUIDATED, _POSITION_BANKRUPT = 1, 2, 4


def balance(held: wire_user.SpotPosition, names: Names) -> SpotBalance:
    """Return a balance; a borrow is negative. Raises ``DecodeError`` where its market is not named."""
    return SpotBalance(
        names.spot(held.market_index),
        -held.scaled_balance if held.balance_type else held.scaled_balance,
        held.open_bids,
        held.open_asks,
        held.open_orders,
    )


def held_positions(view: wire_user.User) -> list[wire_user.PerpPosition]:
    """Return the positions that hold something, and an empty one whose margin ratio waits for the next.

    The program opens a position in the first free slot and keeps the ratio that was set there for the same market
    (``controller/position.rs`` add_new_position).
    """
    slots = view.perp_slots()
    first_free = next((held for held in slots if not _holds(held)), None)
    waiting = [first_free] if first_free is not None and first_free.max_margin_ratio else []
    return [held for held in slots if _holds(held)] + waiting


def _holds(held: wire_user.PerpPosition) -> bool:
    """Return whether a slot counts for margin (``PerpPosition::is_available``)."""
    return bool(
        held.base_asset_amount
        or held.quote_asset_amount
        or held.open_orders
        or held.open_bids
        or held.open_asks
        or held.isolated_position_scaled_balance
        or held.position_flag & (_POSITION_LIQUIDATED | _POSITION_BANKRUPT)
    )


def position(held: wire_user.PerpPosition, names: Names) -> PerpPosition:
    """Return a position. Raises ``DecodeError`` where its market is not named."""
    flags = held.position_flag
    return PerpPosition(
        names.perp(held.market_index),
        held.base_asset_amount,
        held.quote_asset_amount,
        held.quote_entry_amount,
        held.quote_break_even_amount,
        held.open_bids,
        held.open_asks,
        held.open_orders,
        held.last_cumulative_funding_rate,
        held.settled_pnl,
        held.max_margin_ratio,
        bool(flags & _ISOLATED),
        held.isolated_position_scaled_balance,
        bool(flags & _POSITION_LIQUIDATED),
        bool(flags & _POSITION_BANKRUPT),
    )
