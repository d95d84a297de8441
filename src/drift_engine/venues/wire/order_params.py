"""What an order says on the wire: ``OrderParams``, ``ModifyOrderParams``, ``ScaleOrderParams``, signed messages.

One struct serves both protocols; how each packs it is its ``Dialect``. Velocity's oracle offset is 64 bits wide where
Drift's has 32, and its orders end with a builder code: the same instruction with the other's bytes is another order,
so a field that only one protocol has is refused for the other. Flags are packed as they are; that Velocity has no
high-leverage mode, ``instructions.needs`` says, which brings that mode's account.

Source: ``state/order_params.rs`` of both programs. Scales: base 1e9 (a spot token's own decimals on spot), prices 1e6,
offsets 1e6, ``max_ts`` seconds, ``auction_duration`` slots on Drift v2 and units of 400 ms on Velocity.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from msgspec import Struct
from msgspec.structs import astuple
from solders.pubkey import Pubkey

from drift_engine.venues.errors import EncodeError
from drift_engine.venues.wire.borsh import Shape
from drift_engine.venues.wire.layout import discriminator
from drift_engine.venues.wire.order_enums import (
    Direction,
    MarketType,
    OrderType,
    PostOnly,
    SizeDistribution,
    TriggerCondition,
)


class OrderParams(Struct, frozen=True, gc=False):
    """An order to place. Builder fields are Velocity's only; ``None`` leaves a field to the program."""

    order_type: int = OrderType.LIMIT
    market_type: int = MarketType.PERP
    direction: int = Direction.LONG
    user_order_id: int = 0
    base_asset_amount: int = 0
    price: int = 0
    market_index: int = 0
    reduce_only: bool = False
    post_only: int = PostOnly.NONE
    bit_flags: int = 0
    max_ts: int | None = None
    trigger_price: int | None = None
    trigger_condition: int = TriggerCondition.ABOVE
    oracle_price_offset: int | None = None
    auction_duration: int | None = None
    auction_start_price: int | None = None
    auction_end_price: int | None = None
    builder_idx: int | None = None
    builder_fee_tenth_bps: int | None = None


class ModifyOrderParams(Struct, frozen=True, gc=False):
    """What changes about an order; ``None`` keeps. The changed order has a new id. ``policy``: ``ModifyPolicy``."""

    direction: int | None = None
    base_asset_amount: int | None = None
    price: int | None = None
    reduce_only: bool | None = None
    post_only: int | None = None
    bit_flags: int | None = None
    max_ts: int | None = None
    trigger_price: int | None = None
    trigger_condition: int | None = None
    oracle_price_offset: int | None = None
    auction_duration: int | None = None
    auction_start_price: int | None = None
    auction_end_price: int | None = None
    policy: int | None = None


class ScaleOrderParams(Struct, frozen=True, gc=False):
    """Orders spread evenly over a range of prices: ``order_count`` (2 to 32) sharing ``total_base_asset_amount``."""

    market_type: int = MarketType.PERP
    direction: int = Direction.LONG
    market_index: int = 0
    total_base_asset_amount: int = 0
    start_price: int = 0
    end_price: int = 0
    order_count: int = 2
    size_distribution: int = SizeDistribution.FLAT
    reduce_only: bool = False
    post_only: int = PostOnly.NONE
    bit_flags: int = 0
    max_ts: int | None = None


class SignedTrigger(Struct, frozen=True, gc=False):
    """``SignedMsgTriggerOrderParams``: a take-profit or stop-loss beside a signed order."""

    trigger_price: int
    base_asset_amount: int


class SignedMessage(Struct, frozen=True, gc=False):
    """``SignedMsgOrderParamsMessage``, or its delegate form where ``taker`` (the taker's User account) is given.

    The authority's form names the sub-account by number, the delegate's by address. ``slot`` and ``uuid`` (8 bytes)
    make the message unique.
    """

    order: OrderParams
    slot: int
    uuid: bytes
    sub_account_id: int = 0
    taker: Pubkey | None = None
    take_profit: SignedTrigger | None = None
    stop_loss: SignedTrigger | None = None
    max_margin_ratio: int | None = None
    builder_idx: int | None = None
    builder_fee_tenth_bps: int | None = None
    isolated_position_deposit: int | None = None


class Record:
    """A struct as a kind of borsh value, packed in its fields' order. ``fields`` are those that the protocol has."""

    def __init__(self, make: type[Struct], shape: Shape) -> None:
        self.make, self.shape, self._count = make, shape, len(shape.names)

    def write(self, value: Any, where: str) -> bytes:
        """Return the struct's bytes. Raises ``EncodeError``; what this protocol cannot say has to be unset."""
        if not isinstance(value, self.make):
            raise EncodeError(f"{where} = {value!r} is no {self.make.__name__}")
        values = astuple(value)
        if any(each is not None for each in values[self._count :]):
            unsaid = self.make.__struct_fields__[self._count :]
            raise EncodeError(f"{where}: this protocol's {self.make.__name__} has no {' and no '.join(unsaid)}")
        return self.shape.pack(values[: self._count])

    def read(self, data: bytes, at: int) -> tuple[Any, int]:
        """Return the struct at an offset."""
        values, end = self.shape.unpack(data, at)
        return self.make(*values), end


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a protocol packs what its instructions carry. ``kinds`` are the names that declarations may use."""

    kinds: Mapping[str, Record]
    message: Shape
    delegate_message: Shape
    signing_prefix: bool


_ORDER = """
    order_type u8
    market_type u8
    direction u8
    user_order_id u8
    base_asset_amount u64
    price u64
    market_index u16
    reduce_only bool
    post_only u8
    bit_flags u8
    max_ts option<i64>
    trigger_price option<u64>
    trigger_condition u8
    oracle_price_offset option<{offset}>
    auction_duration option<u8>
    auction_start_price option<i64>
    auction_end_price option<i64>
"""
_BUILDER = """
    builder_idx option<u8>
    builder_fee_tenth_bps option<u16>
"""
_MODIFY = """
    direction option<u8>
    base_asset_amount option<u64>
    price option<u64>
    reduce_only option<bool>
    post_only option<u8>
    bit_flags option<u8>
    max_ts option<i64>
    trigger_price option<u64>
    trigger_condition option<u8>
    oracle_price_offset option<{offset}>
    auction_duration option<u8>
    auction_start_price option<i64>
    auction_end_price option<i64>
    policy option<u8>
"""
_SCALE = """
    market_type u8
    direction u8
    market_index u16
    total_base_asset_amount u64
    start_price u64
    end_price u64
    order_count u8
    size_distribution u8
    reduce_only bool
    post_only u8
    bit_flags u8
    max_ts option<i64>
"""
_MESSAGE = """
    order OrderParams
    {taker}
    slot u64
    uuid u8*8
    take_profit option<SignedTrigger>
    stop_loss option<SignedTrigger>
    max_margin_ratio option<u16>
    builder_idx option<u8>
    builder_fee_tenth_bps option<u16>
    isolated_position_deposit option<u64>
"""
_MESSAGE_NAME, _DELEGATE_NAME = "SignedMsgOrderParamsMessage", "SignedMsgOrderParamsDelegateMessage"
MESSAGE_HEAD = discriminator(_MESSAGE_NAME, "global")
DELEGATE_MESSAGE_HEAD = discriminator(_DELEGATE_NAME, "global")


def _dialect(offset: str, *, builder_codes: bool, signing_prefix: bool) -> Dialect:
    order = _ORDER.format(offset=offset) + (_BUILDER if builder_codes else "")
    trigger = Shape("SignedMsgTriggerOrderParams", "trigger_price u64\nbase_asset_amount u64")
    kinds: dict[str, Record] = {
        "OrderParams": Record(OrderParams, Shape("OrderParams", order)),
        "ModifyOrderParams": Record(ModifyOrderParams, Shape("ModifyOrderParams", _MODIFY.format(offset=offset))),
        "ScaleOrderParams": Record(ScaleOrderParams, Shape("ScaleOrderParams", _SCALE)),
        "SignedTrigger": Record(SignedTrigger, trigger),
    }
    return Dialect(
        kinds,
        Shape(_MESSAGE_NAME, _MESSAGE.format(taker="sub_account_id u16"), kinds),
        Shape(_DELEGATE_NAME, _MESSAGE.format(taker="taker pubkey"), kinds),
        signing_prefix,
    )


DIALECTS = {
    "drift_v2": _dialect("i32", builder_codes=False, signing_prefix=False),
    "velocity": _dialect("i64", builder_codes=True, signing_prefix=True),
}
"""By ``Program.name``."""


def encode_message(protocol: str, message: SignedMessage) -> bytes:
    """Return a signed message's bytes: its discriminator and borsh. Raises ``EncodeError``.

    Source: ``encodeSignedMsgOrderParamsMessage`` (driftClient.ts), ``validation/sig_verification.rs``.
    """
    m, dialect = message, DIALECTS[protocol]
    extras = (m.take_profit, m.stop_loss, m.max_margin_ratio, m.builder_idx, m.builder_fee_tenth_bps)
    tail = (m.slot, m.uuid, *extras, m.isolated_position_deposit)
    if m.taker is None:
        return MESSAGE_HEAD + dialect.message.pack((m.order, m.sub_account_id, *tail))
    return DELEGATE_MESSAGE_HEAD + dialect.delegate_message.pack((m.order, m.taker, *tail))


def signing_bytes(protocol: str, program_id: Pubkey, encoded: bytes, *, prefixed: bool = False) -> bytes:
    """Return what a taker signs: the message's hexadecimal as text, after a prefix where ``prefixed``.

    The newest Velocity wants the prefix, which names the program, so that the signature is good for no other
    (``packages/sdk/src/core/signedMsg.ts`` of velocity-v1); its builds before, and Drift v2, verify the bare text.
    Which build is deployed is not known here: the default is the older, as with every builder. Raises ``EncodeError``.
    """
    if prefixed and not DIALECTS[protocol].signing_prefix:
        raise EncodeError(f"{protocol} verifies signed messages without a prefix")
    prefix = f"velocity-signed-msg:{program_id}:".encode() if prefixed else b""
    return prefix + encoded.hex().encode()
