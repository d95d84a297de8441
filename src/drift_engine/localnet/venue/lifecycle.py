"""Sub-accounts: opened, closed, delegated, given margin ratios of their own.

Source: ``instructions/user.rs`` handle_initialize_user_stats, handle_initialize_user, handle_delete_user,
handle_update_user_delegate and those after it, ``validation/user.rs`` validate_user_deletion. Referrers are not played:
a referrer given with a first sub-account is refused.
"""

from msgspec import structs
from solders.pubkey import Pubkey

from drift_engine.localnet.program import ProgramError
from drift_engine.localnet.venue.frame import Frame
from drift_engine.localnet.venue.maps import load_maps
from drift_engine.localnet.venue.margin import require_margin_trading
from drift_engine.localnet.venue.refusals import refuse, require
from drift_engine.localnet.venue.slots import BANKRUPT, BEING_LIQUIDATED, open_perp_slot, perp_slot
from drift_engine.venues.wire.events.users import NewUserRecord
from drift_engine.venues.wire.user import ORDER_OPEN, User
from drift_engine.venues.wire.user_stats import UserStats

_IS_REFERRER = 1
_THIRTEEN_DAYS_S = 13 * 86_400


def initialize_user_stats(frame: Frame) -> None:
    """Open an authority's statistics."""
    layout = frame.program.layouts.user_stats
    stats = frame.accounts.opened(frame.key("user_stats"), UserStats, layout, frame.key("payer"))
    stats.authority = frame.key("authority")
    stats.last_taker_volume_30d_ts = frame.now
    stats.last_maker_volume_30d_ts = frame.now
    stats.last_filler_volume_30d_ts = frame.now
    if "last_fuel_if_bonus_update_ts" in layout:
        stats.last_fuel_if_bonus_update_ts = frame.now
    exchange = frame.state()
    exchange.number_of_authorities += 1
    _require_room(frame, exchange.number_of_authorities)


def initialize_user(frame: Frame, sub_account_id: int, name: bytes) -> None:
    """Open a sub-account."""
    layout = frame.program.layouts.user
    user = frame.accounts.opened(frame.key("user"), User, layout, frame.key("payer"))
    user.authority, user.sub_account_id = frame.key("authority"), sub_account_id
    at = layout.offsets["name"]
    user.writable()[at : at + 32] = name
    user.next_order_id = user.next_liquidation_id = 1
    stats = frame.stats()
    stats.number_of_sub_accounts += 1
    require(not frame.rest or stats.number_of_sub_accounts_created, "InvalidReferrer", "referrers are not played")
    require(
        sub_account_id == stats.number_of_sub_accounts_created,
        "InvalidUserSubAccountId",
        f"Invalid sub account id {sub_account_id}, must be {stats.number_of_sub_accounts_created}",
    )
    stats.number_of_sub_accounts_created += 1
    exchange = frame.state()
    exchange.number_of_sub_accounts += 1
    _require_room(frame, exchange.number_of_sub_accounts)
    if "last_fuel_bonus_update_ts" in layout:
        user.last_fuel_bonus_update_ts = frame.now
    event = NewUserRecord(
        ts=frame.now,
        user_authority=user.authority,
        user=frame.key("user"),
        sub_account_id=sub_account_id,
        name=user.name,
        referrer=stats.referrer,
    )
    frame.emit(event)


def _require_room(frame: Frame, count: int) -> None:
    """Refuse more accounts than the state allows; above 5 it counts in hundreds (``state/state.rs``)."""
    allowed = frame.state().max_number_of_sub_accounts
    most = allowed if allowed <= 5 else allowed * 100
    require(most == 0 or count <= most, "MaxNumberOfUsers")


def delete_user(frame: Frame) -> None:
    """Close an empty sub-account; its rent goes to the authority."""
    user, stats, exchange = frame.user(), frame.stats(), frame.state()
    _require_deletable(frame, user, stats)
    stats.number_of_sub_accounts -= 1
    exchange.number_of_sub_accounts -= 1
    address = frame.key("user")
    frame.accounts.forget(address)
    frame.ledger.close(address, frame.key("authority"))


def _require_deletable(frame: Frame, user: User, stats: UserStats) -> None:
    name = "UserCantBeDeleted"
    require(not stats.referrer_status & _IS_REFERRER or user.sub_account_id, name, "user is a referrer")
    require(not user.status & BANKRUPT, name, "user bankrupt")
    require(not user.status & BEING_LIQUIDATED, name, "user being liquidated")
    for position in user.perp_positions():
        refuse(name, f"user has perp position for market {position.market_index}")
    for balance in user.spot_positions():
        refuse(name, f"user has spot position for market {balance.market_index}")
    require(all(order.status != ORDER_OPEN for order in user.order_slots()), name, "user has an open order")
    if frame.state().max_initialize_user_fee > 0 and frame.now - _oldest_ts(stats) < _THIRTEEN_DAYS_S:
        require(user.idle, name, "user is not idle with fresh user stats account creation")


def _oldest_ts(stats: UserStats) -> int:
    """Return when the statistics were opened at the latest (``state/user.rs`` get_age_ts)."""
    return min(stats.last_filler_volume_30d_ts, stats.last_maker_volume_30d_ts, stats.last_taker_volume_30d_ts)


def update_user_delegate(frame: Frame, sub_account_id: int, delegate: Pubkey) -> None:
    """Let another key trade for the sub-account."""
    frame.user().delegate = delegate


def update_user_custom_margin_ratio(frame: Frame, sub_account_id: int, margin_ratio: int) -> None:
    """Set the initial margin ratio that every position takes at least."""
    frame.user().max_margin_ratio = margin_ratio


def update_user_perp_position_custom_margin_ratio(
    frame: Frame, sub_account_id: int, market_index: int, margin_ratio: int
) -> None:
    """Set one position's own ratio; a slot is taken for it where there is none."""
    user = frame.user()
    slot = perp_slot(user, market_index)
    if slot is None:
        slot = open_perp_slot(user, market_index)
    user.put_perp(slot, structs.replace(user.perp_slots()[slot], max_margin_ratio=margin_ratio))


def update_user_margin_trading_enabled(frame: Frame, sub_account_id: int, enabled: bool) -> None:
    """Allow spot orders to borrow, or no more."""
    maps, user = load_maps(frame), frame.user()
    user.is_margin_trading_enabled = enabled
    try:
        require_margin_trading(maps, user)
    except ProgramError:
        refuse("MarginOrdersOpen")
