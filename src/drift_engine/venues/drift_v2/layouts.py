"""Drift v2's accounts as its program declares them (``state/user.rs`` and ``idl/drift.json``, v2.162.0)."""

from struct import Struct as Format

from drift_engine.venues.wire.layout import account_layout
from drift_engine.venues.wire.user import PerpPosition, UserLayout


class _Perp:
    """``PerpPosition``: the legacy LP figures lie among the others."""

    format = Format("<8qQQq2xHHBB")

    def made(self, numbers: tuple[int, ...]) -> PerpPosition:
        lp_shares, isolated, per_lp, *rest = numbers[8:]
        return PerpPosition(*(*numbers[:8], isolated, *rest, lp_shares, per_lp))

    def numbers(self, position: PerpPosition) -> tuple[int, ...]:
        p = position
        return (
            *(p.last_cumulative_funding_rate, p.base_asset_amount, p.quote_asset_amount, p.quote_break_even_amount),
            *(p.quote_entry_amount, p.open_bids, p.open_asks, p.settled_pnl, p.lp_shares),
            *(p.isolated_position_scaled_balance, p.last_quote_asset_amount_per_lp, p.max_margin_ratio),
            *(p.market_index, p.open_orders, p.position_flag),
        )


_USER = account_layout(
    "User",
    """
    authority pubkey
    delegate pubkey
    name u8*32
    spot_positions SpotPosition*8
    perp_positions PerpPosition*8
    orders Order*32
    last_add_perp_lp_shares_ts i64
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
    margin_mode u8
    pool_id u8
    _ u8*3
    last_fuel_bonus_update_ts u32
    _ u8*12
    """,
    {"SpotPosition": 40, "PerpPosition": 96, "Order": 96},
)
USER = UserLayout(
    _USER.name,
    _USER.size,
    _USER.head,
    _USER.offsets,
    _USER.types,
    _Perp(),
    Format("<6Q3qiIH13Bx"),
    order_status_at=82,
)
