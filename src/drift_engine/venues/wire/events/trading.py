"""Events of orders and positions (``state/events.rs`` of both programs)."""

from typing import Annotated

from drift_engine.venues.wire.events.kinds import I64, I128, U8, U16, U32, U64, Event, Key
from drift_engine.venues.wire.order_params import OrderParams
from drift_engine.venues.wire.user import Order


class OrderRecord(Event, frozen=True, gc=False, kw_only=True):
    """An order was placed, as it then lay in the account."""

    ts: I64
    user: Key
    order: Annotated[Order, "Order"]


class OrderActionRecord(Event, frozen=True, gc=False, kw_only=True):
    """Something happened to an order: placed, cancelled, filled, triggered, expired. Unset is ``None``."""

    ts: I64
    action: U8
    action_explanation: U8
    market_index: U16
    market_type: U8
    filler: Key | None
    filler_reward: U64 | None
    fill_record_id: U64 | None
    base_asset_amount_filled: U64 | None
    quote_asset_amount_filled: U64 | None
    taker_fee: U64 | None
    maker_fee: I64 | None
    referrer_reward: U32 | None
    quote_asset_amount_surplus: I64 | None
    spot_fulfillment_method_fee: U64 | None
    taker: Key | None
    taker_order_id: U32 | None
    taker_order_direction: U8 | None
    taker_order_base_asset_amount: U64 | None
    taker_order_cumulative_base_asset_amount_filled: U64 | None
    taker_order_cumulative_quote_asset_amount_filled: U64 | None
    maker: Key | None
    maker_order_id: U32 | None
    maker_order_direction: U8 | None
    maker_order_base_asset_amount: U64 | None
    maker_order_cumulative_base_asset_amount_filled: U64 | None
    maker_order_cumulative_quote_asset_amount_filled: U64 | None
    oracle_price: I64
    bit_flags: U8 = 0
    taker_existing_quote_entry_amount: U64 | None = None
    taker_existing_base_asset_amount: U64 | None = None
    maker_existing_quote_entry_amount: U64 | None = None
    maker_existing_base_asset_amount: U64 | None = None
    trigger_price: U64 | None = None
    builder_idx: U8 | None = None
    builder_fee: U64 | None = None


class FundingPaymentRecord(Event, frozen=True, gc=False, kw_only=True):
    """A position was settled: ``funding_payment`` is what the user received, negative where it paid."""

    ts: I64
    user_authority: Key
    user: Key
    market_index: U16
    funding_payment: I64
    base_asset_amount: I64
    user_last_cumulative_funding: I64
    amm_cumulative_funding_long: I128
    amm_cumulative_funding_short: I128


class SettlePnlRecord(Event, frozen=True, gc=False, kw_only=True):
    """A position's PnL was settled into the quote balance."""

    ts: I64
    user: Key
    market_index: U16
    pnl: I128
    base_asset_amount: I64
    quote_asset_amount_after: I64
    quote_entry_amount: I64
    settle_price: I64
    explanation: U8


class SignedMsgOrderRecord(Event, frozen=True, gc=False, kw_only=True):
    """A signed message's order was taken on; ``user_order_id`` is the id of the order that was placed for it."""

    user: Key
    hash: Annotated[str, "string"]
    matching_order_params: Annotated[OrderParams, "OrderParams"]
    user_order_id: U32
    signed_msg_order_max_slot: U64
    signed_msg_order_uuid: Annotated[bytes, "u8*8"]
    ts: I64
