"""Structs inside the accounts, with the fields of both protocols; what a protocol has not is 0.

Those that both programs lay out alike are declared here (``SHARED``), the rest in each protocol's ``records``.

Source: ``state/oracle.rs``, ``state/spot_market.rs``, ``state/perp_market.rs``, ``state/state.rs``, ``state/user.rs``.
Scales: prices and quote 1e6, scaled balances 1e9, shares the token's own.
"""

from typing import Any

from msgspec import Struct
from solders.pubkey import Pubkey

from drift_engine.venues.wire.codec import Record, record


class PoolBalance(Struct, frozen=True, gc=False):
    """A pool's claim on a spot market's deposits; ``scaled_balance`` 1e9."""

    scaled_balance: int = 0
    market_index: int = 0


class HistoricalOracleData(Struct, frozen=True, gc=False):
    """What the market remembers of its oracle. Prices 1e6, delay in slots, time in unix seconds."""

    last_oracle_price: int = 0
    last_oracle_conf: int = 0
    last_oracle_delay: int = 0
    last_oracle_price_twap: int = 0
    last_oracle_price_twap_5min: int = 0
    last_oracle_price_twap_ts: int = 0


class HistoricalIndexData(Struct, frozen=True, gc=False):
    """What a spot market remembers of its order book's prices (1e6)."""

    last_index_bid_price: int = 0
    last_index_ask_price: int = 0
    last_index_price_twap: int = 0
    last_index_price_twap_5min: int = 0
    last_index_price_twap_ts: int = 0


class InsuranceClaim(Struct, frozen=True, gc=False):
    """A perp market's claim on the insurance fund, quote 1e6."""

    revenue_withdraw_since_last_settle: int = 0
    max_revenue_withdraw_per_period: int = 0
    quote_max_insurance: int = 0
    quote_settled_insurance: int = 0
    last_revenue_withdraw_ts: int = 0


class InsuranceFund(Struct, frozen=True, gc=False):
    """A spot market's insurance fund. Factors 1e6: Drift v2 has two, Velocity ``if_fee_factor``."""

    vault: Pubkey = Pubkey.default()
    total_shares: int = 0
    user_shares: int = 0
    shares_base: int = 0
    unstaking_period: int = 0
    last_revenue_settle_ts: int = 0
    revenue_settle_period: int = 0
    total_factor: int = 0
    user_factor: int = 0
    if_fee_factor: int = 0


class FeeTier(Struct, frozen=True, gc=False):
    """One tier of fees, each a fraction of the traded quote amount."""

    fee_numerator: int = 0
    fee_denominator: int = 0
    maker_rebate_numerator: int = 0
    maker_rebate_denominator: int = 0
    referrer_reward_numerator: int = 0
    referrer_reward_denominator: int = 0
    referee_fee_numerator: int = 0
    referee_fee_denominator: int = 0


class FillerReward(Struct, frozen=True, gc=False):
    """What a keeper earns for filling (``OrderFillerRewardStructure``)."""

    reward_numerator: int = 0
    reward_denominator: int = 0
    time_based_reward_lower_bound: int = 0


class FeeStructure(Struct, frozen=True, gc=False):
    """Fees by tier. The epoch's bound is Drift v2's, the last two numerators are Velocity's."""

    fee_tiers: tuple[FeeTier, ...] = (FeeTier(),) * 10
    filler_reward_structure: FillerReward = FillerReward()
    referrer_reward_epoch_upper_bound: int = 0
    flat_filler_fee: int = 0
    amm_fee_numerator: int = 0
    if_fee_numerator: int = 0


class OracleGuardRails(Struct, frozen=True, gc=False):
    """When an oracle is believed: divergences and confidence as the program's fractions, staleness in slots."""

    mark_oracle_percent_divergence: int = 0
    oracle_twap_5min_percent_divergence: int = 0
    slots_before_stale_for_amm: int = 0
    slots_before_stale_for_margin: int = 0
    confidence_interval_max_size: int = 0
    too_volatile_ratio: int = 0


class UserFees(Struct, frozen=True, gc=False):
    """What an authority paid and got, quote 1e6. The last two are Drift v2's."""

    total_fee_paid: int = 0
    total_fee_rebate: int = 0
    total_token_discount: int = 0
    total_referee_discount: int = 0
    total_referrer_reward: int = 0
    current_epoch_referrer_reward: int = 0


SHARED: dict[str, Record[Any]] = {
    "HistoricalOracleData": record(
        HistoricalOracleData,
        """
        last_oracle_price i64
        last_oracle_conf u64
        last_oracle_delay, last_oracle_price_twap, last_oracle_price_twap_5min, last_oracle_price_twap_ts i64
        """,
    ),
    "HistoricalIndexData": record(
        HistoricalIndexData,
        """
        last_index_bid_price, last_index_ask_price, last_index_price_twap, last_index_price_twap_5min u64
        last_index_price_twap_ts i64
        """,
    ),
    "InsuranceClaim": record(
        InsuranceClaim,
        """
        revenue_withdraw_since_last_settle i64
        max_revenue_withdraw_per_period, quote_max_insurance, quote_settled_insurance u64
        last_revenue_withdraw_ts i64
        """,
    ),
    "FeeTier": record(
        FeeTier,
        """
        fee_numerator, fee_denominator, maker_rebate_numerator, maker_rebate_denominator u32
        referrer_reward_numerator, referrer_reward_denominator, referee_fee_numerator, referee_fee_denominator u32
        """,
    ),
    "OracleGuardRails": record(
        OracleGuardRails,
        """
        mark_oracle_percent_divergence, oracle_twap_5min_percent_divergence u64
        slots_before_stale_for_amm, slots_before_stale_for_margin i64
        confidence_interval_max_size u64
        too_volatile_ratio i64
        """,
    ),
}
