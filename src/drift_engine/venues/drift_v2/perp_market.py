"""The perp market of Drift v2 (``state/perp_market.rs`` and ``idl/drift.json``, v2.162.0).

The parts that the program keeps as structs of their own (``amm``) are declared in place, flat.
"""

from drift_engine.venues.drift_v2.records import RECORDS
from drift_engine.venues.wire.layout import account_layout

PERP_MARKET = account_layout(
    "PerpMarket",
    """
    pubkey, oracle pubkey
    historical_oracle_data HistoricalOracleData
    base_asset_amount_per_lp, quote_asset_amount_per_lp i128
    fee_pool PoolBalance
    base_asset_reserve, quote_asset_reserve, concentration_coef, min_base_asset_reserve u128
    max_base_asset_reserve, sqrt_k, peg_multiplier, terminal_quote_asset_reserve u128
    base_asset_amount_long, base_asset_amount_short, base_asset_amount_with_amm i128
    base_asset_amount_with_unsettled_lp i128
    max_open_interest u128
    quote_asset_amount, quote_entry_amount_long, quote_entry_amount_short, quote_break_even_amount_long i128
    quote_break_even_amount_short i128
    user_lp_shares u128
    last_funding_rate, last_funding_rate_long, last_funding_rate_short, last_24h_avg_funding_rate i64
    total_fee, total_mm_fee i128
    total_exchange_fee u128
    total_fee_minus_distributions i128
    total_fee_withdrawn, total_liquidation_fee u128
    cumulative_funding_rate_long, cumulative_funding_rate_short i128
    total_social_loss, ask_base_asset_reserve, ask_quote_asset_reserve, bid_base_asset_reserve u128
    bid_quote_asset_reserve u128
    last_oracle_normalised_price, last_oracle_reserve_price_spread_pct i64
    last_bid_price_twap, last_ask_price_twap, last_mark_price_twap, last_mark_price_twap_5min u64
    last_update_slot, last_oracle_conf_pct u64
    net_revenue_since_last_funding, last_funding_rate_ts, funding_period i64
    order_step_size, order_tick_size, min_order_size, mm_oracle_slot, volume_24h, long_intensity_volume u64
    short_intensity_volume u64
    last_trade_ts i64
    mark_std, oracle_std u64
    last_mark_price_twap_ts i64
    base_spread, max_spread, long_spread, short_spread u32
    mm_oracle_price i64
    max_fill_reserve_fraction, max_slippage_ratio u16
    curve_update_intensity, amm_jit_intensity, oracle_source u8
    last_oracle_valid bool
    target_base_asset_amount_per_lp i32
    per_lp_base, oracle_low_risk_slot_delay_override, amm_spread_adjustment, oracle_slot_delay_override i8
    mm_oracle_sequence_id u64
    net_unsettled_funding_pnl, quote_asset_amount_with_unsettled_lp i64
    reference_price_offset i32
    amm_inventory_spread_adjustment i8
    reference_price_offset_deadband_pct u8
    _ u8*2
    last_funding_oracle_twap i64
    pnl_pool PoolBalance
    name text
    insurance_claim InsuranceClaim
    unrealized_pnl_max_imbalance u64
    expiry_ts, expiry_price i64
    next_fill_record_id, next_funding_rate_record_id, next_curve_record_id u64
    imf_factor, unrealized_pnl_imf_factor, liquidator_fee, if_liquidation_fee, margin_ratio_initial u32
    margin_ratio_maintenance, unrealized_pnl_initial_asset_weight, unrealized_pnl_maintenance_asset_weight u32
    number_of_users_with_base, number_of_users u32
    market_index u16
    status, contract_type, contract_tier, paused_operations u8
    quote_spot_market_index u16
    fee_adjustment i16
    fuel_boost_position, fuel_boost_taker, fuel_boost_maker, pool_id u8
    high_leverage_margin_ratio_initial, high_leverage_margin_ratio_maintenance u16
    protected_maker_limit_price_divisor, protected_maker_dynamic_divisor, lp_fee_transfer_scalar, lp_status u8
    lp_paused_operations, lp_exchange_fee_exclusion_scalar u8
    last_fill_price u64
    lp_pool_id, market_config u8
    _ u8*22
    """,
    RECORDS,
)
