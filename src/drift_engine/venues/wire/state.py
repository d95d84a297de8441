"""The exchange's one account of settings: fees, guard rails, durations, what is paused.

Source: ``state/state.rs`` of both programs. Durations are in the program's quanta (``Program.slot_time``), the
liquidation buffer 1e4.
"""

from drift_engine.venues.wire.layout import Field, Int, Key, View
from drift_engine.venues.wire.records import FeeStructure, OracleGuardRails


class State(View):
    """The exchange."""

    whitelist_mint = Key()
    discount_mint = Key()
    signer = Key()
    srm_vault = Key()
    perp_fee_structure = Field[FeeStructure]()
    spot_fee_structure = Field[FeeStructure]()
    oracle_guard_rails = Field[OracleGuardRails]()
    number_of_authorities = Int()
    number_of_sub_accounts = Int()
    liquidation_margin_buffer_ratio = Int()
    settlement_duration = Int()
    number_of_markets = Int()
    number_of_spot_markets = Int()
    signer_nonce = Int()
    min_perp_auction_duration = Int()
    default_market_order_time_in_force = Int()
    default_spot_auction_duration = Int()
    exchange_status = Int()
    liquidation_duration = Int()
    initial_pct_to_liquidate = Int()
    max_number_of_sub_accounts = Int()
    max_initialize_user_fee = Int()
    feature_bit_flags = Int()
    lp_pool_feature_bit_flags = Int()

    # Drift v2
    admin = Key()
    lp_cooldown_time = Int()

    # Velocity
    cold_admin = Key()
    warm_admin = Key()
    pause_admin = Key()
    hot_amm_crank = Key()
    hot_lp_cache = Key()
    hot_lp_swap = Key()
    hot_lp_settle = Key()
    hot_feature_flag = Key()
    hot_fuel = Key()
    hot_user_flag = Key()
    hot_vault_deposit = Key()
    hot_mm_oracle_crank = Key()
    hot_amm_spread_adjust = Key()
    solvency_status = Int()
    protocol_fee_recipient_perp = Key()
    protocol_fee_recipient_spot = Key()
    hot_fee_withdraw = Key()
    hot_account_extension = Key()
    promo_fee_tier = Int()
    slot_duration_ms = Int()
    pending_slot_duration_ms = Int()
    slot_duration_effective_slot = Int()
    slot_duration_transition_slots = Field[tuple[int, ...]]()
