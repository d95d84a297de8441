"""Events of a user: sub-accounts, tokens in and out, swaps (``state/events.rs`` of both programs)."""

from drift_engine.venues.wire.events.kinds import I64, I128, U8, U16, U64, U128, Event, Key, Name


class NewUserRecord(Event, frozen=True, gc=False, kw_only=True):
    """A sub-account was made."""

    ts: I64
    user_authority: Key
    user: Key
    sub_account_id: U16
    name: Name
    referrer: Key


class DeleteUserRecord(Event, frozen=True, gc=False, kw_only=True):
    """A sub-account was deleted; ``keeper`` is set where somebody else did it."""

    ts: I64
    user_authority: Key
    user: Key
    sub_account_id: U16
    keeper: Key | None


class DepositRecord(Event, frozen=True, gc=False, kw_only=True):
    """Tokens came in or went out (``direction``, ``explanation``)."""

    ts: I64
    user_authority: Key
    user: Key
    direction: U8
    deposit_record_id: U64
    amount: U64
    market_index: U16
    oracle_price: I64
    market_deposit_balance: U128
    market_withdraw_balance: U128
    market_cumulative_deposit_interest: U128
    market_cumulative_borrow_interest: U128
    total_deposits_after: U64
    total_withdraws_after: U64
    explanation: U8
    transfer_user: Key | None
    signer: Key | None = None
    user_token_amount_after: I128 = 0


class SwapRecord(Event, frozen=True, gc=False, kw_only=True):
    """Tokens were swapped through another program."""

    ts: I64
    user: Key
    amount_out: U64
    amount_in: U64
    out_market_index: U16
    in_market_index: U16
    out_oracle_price: I64
    in_oracle_price: I64
    fee: U64


class RevenueShareSettleRecord(Event, frozen=True, gc=False, kw_only=True):
    """A builder or referrer was paid."""

    ts: I64
    builder: Key | None
    referrer: Key | None
    fee_settled: U64
    market_index: U16
    market_type: U8
    builder_sub_account_id: U16
    builder_total_referrer_rewards: U64
    builder_total_builder_rewards: U64
