"""The event of a liquidation and its parts (``state/events.rs``, LiquidationRecord)."""

from typing import Annotated

from msgspec import Struct

from drift_engine.venues.wire.events.kinds import I64, I128, U8, U16, U32, U64, U128, Event, Flag, Ids, Key


class LiquidatePerp(Struct, frozen=True, gc=False, kw_only=True):
    """A position was taken over. ``lp_shares`` is Drift v2's, ``protocol_fee`` Velocity's."""

    market_index: U16
    oracle_price: I64
    base_asset_amount: I64
    quote_asset_amount: I64
    lp_shares: U64 = 0
    fill_record_id: U64
    user_order_id: U32
    liquidator_order_id: U32
    liquidator_fee: U64
    if_fee: U64
    protocol_fee: U64 = 0


class LiquidateSpot(Struct, frozen=True, gc=False, kw_only=True):
    """A borrow was taken over with an asset. ``protocol_fee`` is Velocity's."""

    asset_market_index: U16
    asset_price: I64
    asset_transfer: U128
    liability_market_index: U16
    liability_price: I64
    liability_transfer: U128
    if_fee: U64
    protocol_fee: U64 = 0


class LiquidateBorrowForPerpPnl(Struct, frozen=True, gc=False, kw_only=True):
    """A borrow was taken over with positive PnL."""

    perp_market_index: U16
    market_oracle_price: I64
    pnl_transfer: U128
    liability_market_index: U16
    liability_price: I64
    liability_transfer: U128


class LiquidatePerpPnlForDeposit(Struct, frozen=True, gc=False, kw_only=True):
    """Negative PnL was taken over with a deposit."""

    perp_market_index: U16
    market_oracle_price: I64
    pnl_transfer: U128
    asset_market_index: U16
    asset_price: I64
    asset_transfer: U128


class PerpBankruptcy(Struct, frozen=True, gc=False, kw_only=True):
    """A loss went to the insurance fund, then to the other side through the cumulative funding rate."""

    market_index: U16
    pnl: I128
    if_payment: U128
    clawback_user: Key | None
    clawback_user_payment: U128 | None
    cumulative_funding_rate_delta: I128


class SpotBankruptcy(Struct, frozen=True, gc=False, kw_only=True):
    """A borrow went to the insurance fund, then to the depositors through the cumulative interest."""

    market_index: U16
    borrow_amount: U128
    if_payment: U128
    cumulative_deposit_interest_delta: U128


PARTS = (
    LiquidatePerp,
    LiquidateSpot,
    LiquidateBorrowForPerpPnl,
    LiquidatePerpPnlForDeposit,
    PerpBankruptcy,
    SpotBankruptcy,
)


class LiquidationRecord(Event, frozen=True, gc=False, kw_only=True):
    """A liquidation; the part that ``liquidation_type`` names holds its figures, the others are zero."""

    ts: I64
    liquidation_type: U8
    user: Key
    liquidator: Key
    margin_requirement: U128
    total_collateral: I128
    margin_freed: U64
    liquidation_id: U16
    bankrupt: Flag
    canceled_order_ids: Ids
    liquidate_perp: Annotated[LiquidatePerp, "LiquidatePerp"]
    liquidate_spot: Annotated[LiquidateSpot, "LiquidateSpot"]
    liquidate_borrow_for_perp_pnl: Annotated[LiquidateBorrowForPerpPnl, "LiquidateBorrowForPerpPnl"]
    liquidate_perp_pnl_for_deposit: Annotated[LiquidatePerpPnlForDeposit, "LiquidatePerpPnlForDeposit"]
    perp_bankruptcy: Annotated[PerpBankruptcy, "PerpBankruptcy"]
    spot_bankruptcy: Annotated[SpotBankruptcy, "SpotBankruptcy"]
    bit_flags: U8 = 0
