"""Velocity's accounts as its program declares them (``state/`` of velocity-v1)."""

from drift_engine.venues.velocity.perp_market import PERP_MARKET
from drift_engine.venues.velocity.records import RECORDS
from drift_engine.venues.wire.insurance import INSURANCE_FUND_STAKE
from drift_engine.venues.wire.layout import Layouts, account_layout
from drift_engine.venues.wire.oracle_accounts import PRELAUNCH_ORACLE, PYTH_LAZER_ORACLE

USER = account_layout(
    "User",
    """
    authority, delegate pubkey
    name text
    spot_positions SpotPosition*8
    perp_positions PerpPosition*8
    orders Order*32
    total_deposits, total_withdraws, total_social_loss u64
    settled_perp_pnl, cumulative_spot_fees, cumulative_perp_funding i64
    liquidation_margin_freed, last_active_slot u64
    next_order_id, max_margin_ratio u32
    next_liquidation_id, sub_account_id u16
    status u8
    is_margin_trading_enabled, idle bool
    open_orders u8
    has_open_order bool
    open_auctions u8
    has_open_auction bool
    pool_id, special_user_status u8
    _ u8*3
    equity_floor, equity_floor_buffer u64
    """,
    RECORDS,
)
USER_STATS = account_layout(
    "UserStats",
    """
    authority, referrer pubkey
    fees UserFees
    maker_volume_30d, taker_volume_30d, filler_volume_30d u64
    last_maker_volume_30d_ts, last_taker_volume_30d_ts, last_filler_volume_30d_ts i64
    if_staked_quote_asset_amount u64
    number_of_sub_accounts, number_of_sub_accounts_created u16
    referrer_status, disable_update_perp_bid_ask_twap, paused_operations u8
    _ u8*9
    delegate_permissions, equity_breaker_tripped, accelerated_referral_status u8
    _ u8*61
    """,
    RECORDS,
)

SPOT_MARKET = account_layout(
    "SpotMarket",
    """
    pubkey, oracle, mint, vault pubkey
    name text
    insurance_fund InsuranceFund
    total_spot_fee, deposit_balance, borrow_balance, cumulative_deposit_interest, cumulative_borrow_interest u128
    total_social_loss, total_quote_social_loss u128
    revenue_pool, spot_fee_pool PoolBalance
    historical_oracle_data HistoricalOracleData
    historical_index_data HistoricalIndexData
    withdraw_guard_threshold, max_token_deposits, deposit_token_twap, borrow_token_twap, utilization_twap u64
    last_interest_ts, last_twap_ts u64
    expiry_ts i64
    order_step_size, order_tick_size, min_order_size, max_position_size, next_fill_record_id u64
    next_deposit_record_id u64
    initial_asset_weight, maintenance_asset_weight, initial_liability_weight, maintenance_liability_weight u32
    imf_factor, liquidator_fee, if_liquidation_fee, optimal_utilization, optimal_borrow_rate, max_borrow_rate u32
    decimals u32
    market_index u16
    orders_enabled bool
    oracle_source, status, asset_tier, paused_operations, if_paused_operations u8
    fee_adjustment i16
    max_token_borrows_fraction u16
    flash_loan_amount, flash_loan_initial_token_amount, total_swap_fee, scale_initial_asset_weight_start u64
    min_borrow_rate, token_program_flag, pool_id, _ u8
    withdraw_circuit_breaker_pct, max_deposit_pct_per_day u16
    deposit_guard_threshold u64
    protocol_fee_pool PoolBalance
    protocol_liquidation_fee, protocol_fee_factor u32
    if_last_settle_vault_amount u64
    """,
    RECORDS,
)

STATE = account_layout(
    "State",
    """
    cold_admin, warm_admin, pause_admin, hot_amm_crank, hot_lp_cache, hot_lp_swap, hot_lp_settle pubkey
    hot_feature_flag, hot_fuel, hot_user_flag, hot_vault_deposit, hot_mm_oracle_crank pubkey
    hot_amm_spread_adjust, whitelist_mint, discount_mint, signer, srm_vault pubkey
    perp_fee_structure, spot_fee_structure FeeStructure
    oracle_guard_rails OracleGuardRails
    number_of_authorities, number_of_sub_accounts u64
    liquidation_margin_buffer_ratio u32
    settlement_duration, number_of_markets, number_of_spot_markets u16
    signer_nonce, min_perp_auction_duration, default_market_order_time_in_force, default_spot_auction_duration u8
    exchange_status, liquidation_duration u8
    initial_pct_to_liquidate, max_number_of_sub_accounts, max_initialize_user_fee u16
    feature_bit_flags, lp_pool_feature_bit_flags, solvency_status u8
    protocol_fee_recipient_perp, protocol_fee_recipient_spot, hot_fee_withdraw, hot_account_extension pubkey
    promo_fee_tier u8
    slot_duration_ms, pending_slot_duration_ms u16
    _ u8*2
    slot_duration_effective_slot u64
    slot_duration_transition_slots u64*4  # padding before the build that added it, so 0
    _ u8*200
    """,
    RECORDS,
)

LAYOUTS = Layouts(
    user=USER,
    user_stats=USER_STATS,
    perp_market=PERP_MARKET,
    spot_market=SPOT_MARKET,
    state=STATE,
    pyth_lazer_oracle=PYTH_LAZER_ORACLE,
    prelaunch_oracle=PRELAUNCH_ORACLE,
    insurance_fund_stake=INSURANCE_FUND_STAKE,
)
