"""Structs inside Drift v2's accounts (``state/`` and ``idl/drift.json``, v2.162.0)."""

from typing import Any

from drift_engine.venues.wire.codec import Record, record
from drift_engine.venues.wire.records import SHARED, FeeStructure, FillerReward, InsuranceFund, PoolBalance, UserFees
from drift_engine.venues.wire.user import SPOT_POSITION, Order, PerpPosition

_FILLER_REWARD = record(FillerReward, "reward_numerator, reward_denominator u32\ntime_based_reward_lower_bound u128")

RECORDS: dict[str, Record[Any]] = {
    **SHARED,
    "FillerReward": _FILLER_REWARD,
    "SpotPosition": SPOT_POSITION,
    "PerpPosition": record(
        PerpPosition,
        """
        last_cumulative_funding_rate, base_asset_amount, quote_asset_amount, quote_break_even_amount i64
        quote_entry_amount, open_bids, open_asks, settled_pnl i64
        lp_shares, isolated_position_scaled_balance u64
        last_quote_asset_amount_per_lp i64
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
        oracle_price_offset i32
        order_id u32
        market_index u16
        status, order_type, market_type, user_order_id, existing_position_direction, direction u8
        reduce_only, post_only, immediate_or_cancel bool
        trigger_condition, auction_duration, posted_slot_tail, bit_flags u8
        _ u8*1
        """,
    ),
    "PoolBalance": record(PoolBalance, "scaled_balance u128\nmarket_index u16\n_ u8*6"),
    "InsuranceFund": record(
        InsuranceFund,
        """
        vault pubkey
        total_shares, user_shares, shares_base u128
        unstaking_period, last_revenue_settle_ts, revenue_settle_period i64
        total_factor, user_factor u32
        """,
    ),
    "FeeStructure": record(
        FeeStructure,
        """
        fee_tiers FeeTier*10
        filler_reward_structure FillerReward
        referrer_reward_epoch_upper_bound, flat_filler_fee u64
        """,
        {**SHARED, "FillerReward": _FILLER_REWARD},
    ),
    "UserFees": record(
        UserFees,
        """
        total_fee_paid, total_fee_rebate, total_token_discount, total_referee_discount u64
        total_referrer_reward, current_epoch_referrer_reward u64
        """,
    ),
}
