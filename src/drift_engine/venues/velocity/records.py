"""Structs inside Velocity's accounts (``state/`` of velocity-v1)."""

from typing import Any

from drift_engine.venues.wire.codec import Record, record
from drift_engine.venues.wire.records import SHARED, FeeStructure, FillerReward, InsuranceFund, PoolBalance, UserFees
from drift_engine.venues.wire.user import SPOT_POSITION, Order, PerpPosition

_FILLER_REWARD = record(
    FillerReward, "time_based_reward_lower_bound u128\nreward_numerator, reward_denominator u32\n_ u8*8"
)

RECORDS: dict[str, Record[Any]] = {
    **SHARED,
    "FillerReward": _FILLER_REWARD,
    "SpotPosition": SPOT_POSITION,
    "PerpPosition": record(
        PerpPosition,
        """
        last_cumulative_funding_rate, base_asset_amount, quote_asset_amount, quote_break_even_amount i64
        quote_entry_amount, open_bids, open_asks, settled_pnl i64
        isolated_position_scaled_balance u64
        _ u8*2
        max_margin_ratio, market_index u16
        open_orders, position_flag u8
        """,
    ),
    "Order": record(
        Order,
        """
        slot, price, base_asset_amount, base_asset_amount_filled, quote_asset_amount_filled, trigger_price u64
        auction_start_price, auction_end_price, max_ts i64
        oracle_price_offset i64
        order_id u32
        market_index u16
        status, order_type, market_type, user_order_id, existing_position_direction, direction u8
        reduce_only, post_only, immediate_or_cancel bool
        trigger_condition, auction_duration, posted_slot_tail, bit_flags u8
        _ u8*5
        """,
    ),
    "PoolBalance": record(PoolBalance, "scaled_balance u128\nmarket_index u16\n_ u8*14"),
    "InsuranceFund": record(
        InsuranceFund,
        """
        vault pubkey
        total_shares, user_shares, shares_base u128
        unstaking_period, last_revenue_settle_ts, revenue_settle_period i64
        if_fee_factor u32
        _ u8*4
        """,
    ),
    "FeeStructure": record(
        FeeStructure,
        """
        fee_tiers FeeTier*10
        filler_reward_structure FillerReward
        flat_filler_fee u64
        amm_fee_numerator, if_fee_numerator u32
        """,
        {**SHARED, "FillerReward": _FILLER_REWARD},
    ),
    "UserFees": record(UserFees, "total_fee_paid, total_fee_rebate, total_token_discount, total_referee_discount u64"),
}
