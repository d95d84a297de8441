"""What the program keeps of an authority over all its sub-accounts.

Source: ``state/user.rs`` (UserStats) of both programs. Quote 1e6, times in unix seconds.
"""

from drift_engine.venues.wire.layout import Field, Int, Key, View
from drift_engine.venues.wire.records import UserFees


class UserStats(View):
    """One authority's fees, volumes and flags."""

    authority = Key()
    referrer = Key()
    fees = Field[UserFees]()
    maker_volume_30d = Int()
    taker_volume_30d = Int()
    filler_volume_30d = Int()
    last_maker_volume_30d_ts = Int()
    last_taker_volume_30d_ts = Int()
    last_filler_volume_30d_ts = Int()
    if_staked_quote_asset_amount = Int()
    number_of_sub_accounts = Int()
    number_of_sub_accounts_created = Int()
    referrer_status = Int()
    disable_update_perp_bid_ask_twap = Int()
    paused_operations = Int()

    # Drift v2
    next_epoch_ts = Int()
    fuel_overflow_status = Int()
    fuel_insurance = Int()
    fuel_deposits = Int()
    fuel_borrows = Int()
    fuel_positions = Int()
    fuel_taker = Int()
    fuel_maker = Int()
    if_staked_gov_token_amount = Int()
    last_fuel_if_bonus_update_ts = Int()

    # Velocity
    delegate_permissions = Int()
    equity_breaker_tripped = Int()
    accelerated_referral_status = Int()
