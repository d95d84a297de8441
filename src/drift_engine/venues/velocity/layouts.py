"""Velocity's accounts as its program declares them (``state/user.rs`` of velocity-v1)."""

from struct import Struct as Format

from msgspec.structs import astuple

from drift_engine.venues.wire.layout import account_layout
from drift_engine.venues.wire.user import PerpPosition, UserLayout


class _Perp:
    """``PerpPosition``: without LP figures, in ``PerpPosition``'s own order."""

    format = Format("<8qQ2xHHBB")

    def made(self, numbers: tuple[int, ...]) -> PerpPosition:
        return PerpPosition(*numbers)

    def numbers(self, position: PerpPosition) -> tuple[int, ...]:
        return astuple(position)[:13]


_USER = account_layout(
    "User",
    """
    authority pubkey
    delegate pubkey
    name u8*32
    spot_positions SpotPosition*8
    perp_positions PerpPosition*8
    orders Order*32
    total_deposits u64
    total_withdraws u64
    total_social_loss u64
    settled_perp_pnl i64
    cumulative_spot_fees i64
    cumulative_perp_funding i64
    liquidation_margin_freed u64
    last_active_slot u64
    next_order_id u32
    max_margin_ratio u32
    next_liquidation_id u16
    sub_account_id u16
    status u8
    is_margin_trading_enabled bool
    idle bool
    open_orders u8
    has_open_order bool
    open_auctions u8
    has_open_auction bool
    pool_id u8
    special_user_status u8
    _ u8*3
    equity_floor u64
    equity_floor_buffer u64
    """,
    {"SpotPosition": 40, "PerpPosition": 80, "Order": 104},
)
USER = UserLayout(
    _USER.name,
    _USER.size,
    _USER.head,
    _USER.offsets,
    _USER.types,
    _Perp(),
    Format("<6Q4qIH13B5x"),
    order_status_at=86,
)
