"""An authority's stake in a spot market's insurance fund.

Source: ``state/insurance_fund_stake.rs`` of Drift v2. Shares are the fund's own; times in unix seconds.
"""

from drift_engine.venues.wire.layout import Int, Key, View, account_layout


class InsuranceFundStake(View):
    """One stake."""

    authority = Key()
    if_shares = Int()
    last_withdraw_request_shares = Int()
    if_base = Int()
    last_valid_ts = Int()
    last_withdraw_request_value = Int()
    last_withdraw_request_ts = Int()
    cost_basis = Int()
    market_index = Int()


INSURANCE_FUND_STAKE = account_layout(
    "InsuranceFundStake",
    """
    authority pubkey
    if_shares, last_withdraw_request_shares, if_base u128
    last_valid_ts i64
    last_withdraw_request_value u64
    last_withdraw_request_ts, cost_basis i64
    market_index u16
    _ u8*14
    """,
)
