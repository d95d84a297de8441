"""A spot market: a token, what is deposited and borrowed of it, and what it is worth as collateral.

Source: ``state/spot_market.rs`` of both programs. Scaled balances 1e9, cumulative interest 1e10, weights 1e4, rates,
utilisation and fees 1e6, prices 1e6, token amounts by ``decimals``. Enums are numbers: see ``wire.enums``.
"""

from drift_engine.venues.wire.layout import Field, Flag, Int, Key, Text, View
from drift_engine.venues.wire.records import HistoricalIndexData, HistoricalOracleData, InsuranceFund, PoolBalance


class SpotMarket(View):
    """One spot market."""

    pubkey = Key()
    oracle = Key()
    mint = Key()
    vault = Key()
    name = Text()
    insurance_fund = Field[InsuranceFund]()
    total_spot_fee = Int()
    deposit_balance = Int()
    borrow_balance = Int()
    cumulative_deposit_interest = Int()
    cumulative_borrow_interest = Int()
    total_social_loss = Int()
    total_quote_social_loss = Int()
    revenue_pool = Field[PoolBalance]()
    spot_fee_pool = Field[PoolBalance]()
    historical_oracle_data = Field[HistoricalOracleData]()
    historical_index_data = Field[HistoricalIndexData]()
    withdraw_guard_threshold = Int()
    max_token_deposits = Int()
    deposit_token_twap = Int()
    borrow_token_twap = Int()
    utilization_twap = Int()
    last_interest_ts = Int()
    last_twap_ts = Int()
    expiry_ts = Int()
    order_step_size = Int()
    order_tick_size = Int()
    min_order_size = Int()
    max_position_size = Int()
    next_fill_record_id = Int()
    next_deposit_record_id = Int()
    initial_asset_weight = Int()
    maintenance_asset_weight = Int()
    initial_liability_weight = Int()
    maintenance_liability_weight = Int()
    imf_factor = Int()
    liquidator_fee = Int()
    if_liquidation_fee = Int()
    optimal_utilization = Int()
    optimal_borrow_rate = Int()
    max_borrow_rate = Int()
    decimals = Int()
    market_index = Int()
    orders_enabled = Flag()
    oracle_source = Int()
    status = Int()
    asset_tier = Int()
    paused_operations = Int()
    if_paused_operations = Int()
    fee_adjustment = Int()
    max_token_borrows_fraction = Int()
    flash_loan_amount = Int()
    flash_loan_initial_token_amount = Int()
    total_swap_fee = Int()
    scale_initial_asset_weight_start = Int()
    min_borrow_rate = Int()
    token_program_flag = Int()
    pool_id = Int()

    # Drift v2
    fuel_boost_deposits = Int()
    fuel_boost_borrows = Int()
    fuel_boost_taker = Int()
    fuel_boost_maker = Int()
    fuel_boost_insurance = Int()

    # Velocity
    withdraw_circuit_breaker_pct = Int()
    max_deposit_pct_per_day = Int()
    deposit_guard_threshold = Int()
    protocol_fee_pool = Field[PoolBalance]()
    protocol_liquidation_fee = Int()
    protocol_fee_factor = Int()
    if_last_settle_vault_amount = Int()
