"""Events of a market: interest, funding, the curve, the insurance fund (``state/events.rs`` of both programs)."""

from drift_engine.venues.wire.events.kinds import I64, I128, U8, U16, U32, U64, U128, Event, Key


class SpotInterestRecord(Event, frozen=True, gc=False, kw_only=True):
    """A spot market's cumulative interest was brought up to date. Rates and utilisation 1e6."""

    ts: I64
    market_index: U16
    deposit_balance: U128
    cumulative_deposit_interest: U128
    borrow_balance: U128
    cumulative_borrow_interest: U128
    optimal_utilization: U32
    optimal_borrow_rate: U32
    max_borrow_rate: U32


class SpotMarketVaultDepositRecord(Event, frozen=True, gc=False, kw_only=True):
    """Tokens were given to a spot market's depositors."""

    ts: I64
    market_index: U16
    deposit_balance: U128
    cumulative_deposit_interest_before: U128
    cumulative_deposit_interest_after: U128
    deposit_token_amount_before: U64
    amount: U64


class FundingRateRecord(Event, frozen=True, gc=False, kw_only=True):
    """A market's hourly rate was set."""

    ts: I64
    record_id: U64
    market_index: U16
    funding_rate: I64
    funding_rate_long: I128
    funding_rate_short: I128
    cumulative_funding_rate_long: I128
    cumulative_funding_rate_short: I128
    oracle_price_twap: I64
    mark_price_twap: U64
    period_revenue: I64 = 0
    base_asset_amount_with_amm: I128
    base_asset_amount_with_unsettled_lp: I128 = 0


class CurveRecord(Event, frozen=True, gc=False, kw_only=True):
    """Drift v2: a market's curve moved. Reserves and k 1e9, peg 1e6."""

    ts: I64
    record_id: U64
    peg_multiplier_before: U128
    base_asset_reserve_before: U128
    quote_asset_reserve_before: U128
    sqrt_k_before: U128
    peg_multiplier_after: U128
    base_asset_reserve_after: U128
    quote_asset_reserve_after: U128
    sqrt_k_after: U128
    base_asset_amount_long: U128
    base_asset_amount_short: U128
    base_asset_amount_with_amm: I128
    total_fee: I128
    total_fee_minus_distributions: I128
    adjustment_cost: I128
    oracle_price: I64
    fill_record: U128
    number_of_users: U32
    market_index: U16


class AmmCurveChanged(Event, frozen=True, gc=False, kw_only=True):
    """Velocity: a market's curve moved. Reserves and k 1e9, peg 1e6."""

    ts: I64
    market_index: U16
    peg_multiplier_before: U128
    base_asset_reserve_before: U128
    quote_asset_reserve_before: U128
    sqrt_k_before: U128
    peg_multiplier_after: U128
    base_asset_reserve_after: U128
    quote_asset_reserve_after: U128
    sqrt_k_after: U128
    adjustment_cost: I128
    total_fee_minus_distributions_after: I128
    oracle_price: I64


class InsuranceFundRecord(Event, frozen=True, gc=False, kw_only=True):
    """Revenue went to an insurance fund, or a loss was taken from it (``amount`` signed)."""

    ts: I64
    spot_market_index: U16
    perp_market_index: U16
    user_if_factor: U32
    total_if_factor: U32
    vault_amount_before: U64
    insurance_vault_amount_before: U64
    total_if_shares_before: U128
    total_if_shares_after: U128
    amount: I64


class InsuranceFundStakeRecord(Event, frozen=True, gc=False, kw_only=True):
    """Somebody staked, or asked for its stake."""

    ts: I64
    user_authority: Key
    action: U8
    amount: U64
    market_index: U16
    insurance_vault_amount_before: U64
    if_shares_before: U128
    user_if_shares_before: U128
    total_if_shares_before: U128
    if_shares_after: U128
    user_if_shares_after: U128
    total_if_shares_after: U128
