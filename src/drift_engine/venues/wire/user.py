"""A user account: one sub-account's balances, positions and orders.

Source: ``state/user.rs`` (User, SpotPosition, PerpPosition, Order) of both programs. Scales are the program's: base and
scaled balances 1e9, quote and prices 1e6, margin ratios 1e4. Slots that hold nothing are left out of the lists; the
``slot`` methods count them.
"""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct as Format
from typing import Protocol, cast

from msgspec import Struct
from msgspec.structs import astuple

from drift_engine.venues.wire.layout import Flag, Key, Layout, Text, View, i64, u8, u16, u32, u64

ORDER_OPEN = 1
SPOT_SLOTS = PERP_SLOTS = 8
ORDER_SLOTS = 32
_SPOT = Format("<QqqqHBB4x")


class SpotPosition(Struct, frozen=True, gc=False):
    """A spot balance. ``balance_type`` is 0 for a deposit and 1 for a borrow; open bids and asks are in token units."""

    scaled_balance: int = 0
    open_bids: int = 0
    open_asks: int = 0
    cumulative_deposits: int = 0
    market_index: int = 0
    balance_type: int = 0
    open_orders: int = 0

    @property
    def empty(self) -> bool:
        """Whether the slot is free (``SpotPosition::is_available``)."""
        return self.scaled_balance == 0 and self.open_orders == 0


class PerpPosition(Struct, frozen=True, gc=False):
    """A perp position. The last two fields are Drift v2's, always 0 on Velocity."""

    last_cumulative_funding_rate: int = 0
    base_asset_amount: int = 0
    quote_asset_amount: int = 0
    quote_break_even_amount: int = 0
    quote_entry_amount: int = 0
    open_bids: int = 0
    open_asks: int = 0
    settled_pnl: int = 0
    isolated_position_scaled_balance: int = 0
    max_margin_ratio: int = 0
    market_index: int = 0
    open_orders: int = 0
    position_flag: int = 0
    lp_shares: int = 0
    last_quote_asset_amount_per_lp: int = 0

    @property
    def empty(self) -> bool:
        """Whether the slot is free (``PerpPosition::is_available``)."""
        return not (
            self.base_asset_amount
            or self.quote_asset_amount
            or self.open_orders
            or self.lp_shares
            or self.isolated_position_scaled_balance
            or self.position_flag
        )


class Order(Struct, frozen=True, gc=False):
    """An order. Enums are the program's numbers: see ``wire.enums``."""

    slot: int = 0
    price: int = 0
    base_asset_amount: int = 0
    base_asset_amount_filled: int = 0
    quote_asset_amount_filled: int = 0
    trigger_price: int = 0
    auction_start_price: int = 0
    auction_end_price: int = 0
    max_ts: int = 0
    oracle_price_offset: int = 0
    order_id: int = 0
    market_index: int = 0
    status: int = 0
    order_type: int = 0
    market_type: int = 0
    user_order_id: int = 0
    existing_position_direction: int = 0
    direction: int = 0
    reduce_only: int = 0
    post_only: int = 0
    immediate_or_cancel: int = 0
    trigger_condition: int = 0
    auction_duration: int = 0
    posted_slot_tail: int = 0
    bit_flags: int = 0


class PerpPacking(Protocol):
    """A protocol's way of packing a perp position: its format, and its numbers' order both ways."""

    format: Format

    def made(self, numbers: tuple[int, ...]) -> PerpPosition:
        """Return the position of the format's numbers."""
        ...

    def numbers(self, position: PerpPosition) -> tuple[int, ...]:
        """Return a position's numbers in the format's order."""
        ...


@dataclass(frozen=True, slots=True)
class UserLayout(Layout):
    """A user account's layout, with how its repeated parts are packed. ``order`` has ``Order``'s fields in order."""

    perp: PerpPacking
    order: Format
    order_status_at: int


class User(View):
    """One sub-account."""

    __slots__ = ()

    authority = Key()
    delegate = Key()
    name = Text()
    total_deposits = u64()
    total_withdraws = u64()
    total_social_loss = u64()
    settled_perp_pnl = i64()
    cumulative_spot_fees = i64()
    cumulative_perp_funding = i64()
    liquidation_margin_freed = u64()
    last_active_slot = u64()
    next_order_id = u32()
    max_margin_ratio = u32()
    next_liquidation_id = u16()
    sub_account_id = u16()
    status = u8()
    is_margin_trading_enabled = Flag()
    idle = Flag()
    open_orders = u8()
    has_open_order = Flag()
    open_auctions = u8()
    has_open_auction = Flag()
    margin_mode = u8()  # Drift v2: 1 = high leverage
    pool_id = u8()
    last_fuel_bonus_update_ts = u32()  # Drift v2
    last_add_perp_lp_shares_ts = i64()  # Drift v2
    special_user_status = u8()  # Velocity
    equity_floor = u64()  # Velocity
    equity_floor_buffer = u64()  # Velocity

    def spot_positions(self) -> tuple[SpotPosition, ...]:
        """Return the balances that hold something, in the account's order."""
        return tuple(held for held in self.spot_slots() if not held.empty)

    def perp_positions(self) -> tuple[PerpPosition, ...]:
        """Return the positions that hold something, in the account's order."""
        return tuple(held for held in self.perp_slots() if not held.empty)

    def orders(self) -> tuple[Order, ...]:
        """Return the open orders, in the account's order."""
        layout, data = self._layout(), self.data
        start, size = layout.offsets["orders"], layout.order.size
        first = start + layout.order_status_at
        statuses = data[first : first + size * ORDER_SLOTS : size]
        unpack = layout.order.unpack_from
        return tuple(
            Order(*unpack(data, start + slot * size)) for slot in range(ORDER_SLOTS) if statuses[slot] == ORDER_OPEN
        )

    def spot_slots(self) -> tuple[SpotPosition, ...]:
        """Return all eight spot slots, free ones too."""
        start = self.layout.offsets["spot_positions"]
        return tuple(
            SpotPosition(*raw) for raw in _SPOT.iter_unpack(self.data[start : start + _SPOT.size * SPOT_SLOTS])
        )

    def perp_slots(self) -> tuple[PerpPosition, ...]:
        """Return all eight perp slots, free ones too."""
        packing, start = self._layout().perp, self.layout.offsets["perp_positions"]
        raws = packing.format.iter_unpack(self.data[start : start + packing.format.size * PERP_SLOTS])
        return tuple(packing.made(raw) for raw in raws)

    def order_slots(self) -> tuple[Order, ...]:
        """Return all 32 order slots, free ones too."""
        layout, start = self._layout(), self.layout.offsets["orders"]
        raws = layout.order.iter_unpack(self.data[start : start + layout.order.size * ORDER_SLOTS])
        return tuple(Order(*raw) for raw in raws)

    def put_spot(self, slot: int, held: SpotPosition) -> None:
        """Write a spot slot."""
        _SPOT.pack_into(self.writable(), self.layout.offsets["spot_positions"] + slot * _SPOT.size, *astuple(held))

    def put_perp(self, slot: int, held: PerpPosition) -> None:
        """Write a perp slot."""
        packing = self._layout().perp
        at = self.layout.offsets["perp_positions"] + slot * packing.format.size
        packing.format.pack_into(self.writable(), at, *packing.numbers(held))

    def put_order(self, slot: int, order: Order) -> None:
        """Write an order slot."""
        layout = self._layout()
        layout.order.pack_into(self.writable(), layout.offsets["orders"] + slot * layout.order.size, *astuple(order))

    def _layout(self) -> UserLayout:
        return cast("UserLayout", self.layout)
