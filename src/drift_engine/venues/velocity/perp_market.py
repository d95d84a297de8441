"""The perp market of Velocity (``state/perp_market.rs`` of velocity-v1).

What the program keeps as structs of their own is declared in place, flat: ``fee_ledger`` and ``market_stats`` without
prefix, ``amm`` likewise, ``hedge_config`` as ``lp_…``, its name in Drift v2. Newer builds go on after these fields.
"""

from drift_engine.venues.velocity.records import RECORDS
from drift_engine.venues.wire.layout import account_layout

PERP_MARKET = account_layout(
    "PerpMarket",
    """
    pubkey pubkey
    base_asset_amount_long, base_asset_amount_short, quote_asset_amount, quote_entry_amount_long i128
    quote_entry_amount_short, quote_break_even_amount_long, quote_break_even_amount_short i128
    max_open_interest, total_social_loss u128
    cumulative_funding_rate_long, cumulative_funding_rate_short i128
    total_exchange_fee, total_liquidation_fee, pending_protocol_fee, pending_if_fee u128
    amm_protocol_fees_received, pending_amm_provision u128
    oracle pubkey
    pnl_pool, protocol_fee_pool PoolBalance
    protocol_liquidation_fee u32
    taker_fee_addon_tenth_bps u16  # padding before the build that added it, so 0
    _ u8*2
    fee_pool_buffer_target u64
    name text
    insurance_claim InsuranceClaim
    last_funding_rate, last_funding_rate_long, last_funding_rate_short, last_funding_rate_ts i64
    net_unsettled_funding_pnl i64
    funding_clamp_threshold, funding_ramp_slope u32
    order_step_size, order_tick_size, unrealized_pnl_max_imbalance u64
    expiry_ts, expiry_price i64
    next_fill_record_id, next_funding_rate_record_id u64
    imf_factor, unrealized_pnl_imf_factor, liquidator_fee, if_liquidation_fee, margin_ratio_initial u32
    margin_ratio_maintenance, unrealized_pnl_initial_asset_weight, unrealized_pnl_maintenance_asset_weight u32
    number_of_users_with_base, number_of_users u32
    market_index u16
    status, contract_type, contract_tier, paused_operations u8
    quote_spot_market_index u16
    fee_adjustment i16
    _ u8*6
    last_fill_price u64
    pool_id u8
    _ u8*7
    market_config, oracle_source u8
    oracle_slot_delay_override, oracle_low_risk_slot_delay_override i8
    bankruptcy_if_floor_pct u32
    last_mark_price_twap, last_mark_price_twap_5min u64
    last_mark_price_twap_ts i64
    last_bid_price_twap, last_ask_price_twap, mark_std, oracle_std, last_oracle_conf_pct, volume_24h u64
    long_intensity_volume, short_intensity_volume u64
    last_trade_ts, last_24h_avg_funding_rate, funding_period i64
    min_order_size u64
    mm_oracle_price i64
    mm_oracle_slot, mm_oracle_sequence_id u64
    last_oracle_normalised_price i64
    last_reference_price_offset i32
    last_oracle_valid bool
    _ u8*11
    historical_oracle_data HistoricalOracleData
    pending_revenue_share u64
    fee_pool PoolBalance
    base_asset_reserve, quote_asset_reserve, concentration_coef, min_base_asset_reserve u128
    max_base_asset_reserve, sqrt_k, peg_multiplier, terminal_quote_asset_reserve u128
    base_asset_amount_with_amm, total_fee, total_mm_fee, total_fee_minus_distributions i128
    total_fee_withdrawn, ask_base_asset_reserve, ask_quote_asset_reserve, bid_base_asset_reserve u128
    bid_quote_asset_reserve u128
    last_update_slot u64
    net_revenue_since_last_funding, last_cumulative_funding_rate_long, last_cumulative_funding_rate_short i64
    last_oracle_reserve_price_spread_pct i64
    last_spread_update_slot u64
    base_spread, max_spread, long_spread, short_spread u32
    reference_price_offset i32
    max_fill_reserve_fraction, max_slippage_ratio u16
    curve_update_intensity, amm_jit_intensity u8
    amm_spread_adjustment, amm_inventory_spread_adjustment i8
    reference_price_offset_deadband_pct u8
    _ u8*3
    lp_pool_id, lp_status, lp_paused_operations, lp_exchange_fee_exclusion_scalar, lp_fee_transfer_scalar u8
    _ u8*11
    """,
    RECORDS,
)
