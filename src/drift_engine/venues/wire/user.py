"""A user account: one sub-account's balances, positions and orders.

Source: ``state/user.rs`` (User, SpotPosition, PerpPosition, Order) of both programs. Scales are the program's: base and
scaled balances 1e9, quote and prices 1e6, margin ratios 1e4. Slots that hold nothing are left out of the lists; the
``slot`` methods count them.
"""

from collections.abc import Callable
from itertools import compress, starmap
from struct import error
from typing import Any

from msgspec import Struct

from drift_engine.venues.errors import EncodeError
from drift_engine.venues.wire.codec import record
from drift_engine.venues.wire.layout import Flag, Int, Key, Slots, Text, View

ORDER_OPEN = 1
SPOT_SLOTS = PERP_SLOTS = 8
ORDER_SLOTS = 32
_OPEN = bytes(status == ORDER_OPEN for status in range(256))


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
    reduce_only: bool = False
    post_only: bool = False
    immediate_or_cancel: bool = False
    trigger_condition: int = 0
    auction_duration: int = 0
    posted_slot_tail: int = 0
    bit_flags: int = 0


SPOT_POSITION = record(
    SpotPosition,
    """
    scaled_balance u64
    open_bids, open_asks, cumulative_deposits i64
    market_index u16
    balance_type, open_orders u8
    _ u8*4
    """,
)


class User(View):
    """One sub-account."""

    authority = Key()
    delegate = Key()
    name = Text()
    total_deposits = Int()
    total_withdraws = Int()
    total_social_loss = Int()
    settled_perp_pnl = Int()
    cumulative_spot_fees = Int()
    cumulative_perp_funding = Int()
    liquidation_margin_freed = Int()
    last_active_slot = Int()
    next_order_id = Int()
    max_margin_ratio = Int()
    next_liquidation_id = Int()
    sub_account_id = Int()
    status = Int()
    is_margin_trading_enabled = Flag()
    idle = Flag()
    open_orders = Int()
    has_open_order = Flag()
    open_auctions = Int()
    has_open_auction = Flag()
    margin_mode = Int()  # Drift v2: 1 = high leverage
    pool_id = Int()
    last_fuel_bonus_update_ts = Int()  # Drift v2
    last_add_perp_lp_shares_ts = Int()  # Drift v2
    special_user_status = Int()  # Velocity
    equity_floor = Int()  # Velocity
    equity_floor_buffer = Int()  # Velocity

    def spot_positions(self) -> tuple[SpotPosition, ...]:
        """Return the balances that hold something, in the account's order."""
        slots = self.layout.slots["spot_positions"]
        return _spots_in(slots, slots.raw(self.data))

    def perp_positions(self) -> tuple[PerpPosition, ...]:
        """Return the positions that hold something, in the account's order."""
        slots = self.layout.slots["perp_positions"]
        return _perps_in(slots, slots.raw(self.data))

    def orders(self) -> tuple[Order, ...]:
        """Return the open orders, in the account's order."""
        slots = self.layout.slots["orders"]
        return _orders_in(slots, slots.raw(self.data))

    def contents(self) -> Any:
        """Return a snapshot with the positions that hold something and the open orders only."""
        layout = self.layout
        items = list(layout.whole.unpack_from(self.data))
        for at, value in layout.converted:
            items[at] = value(items[at])
        for at, name, slots in layout.whole_slots:
            items[at] = _HELD[name](slots, items[at])
        return layout.snapshot(*items)

    def spot_slots(self) -> tuple[SpotPosition, ...]:
        """Return all eight spot slots, free ones too."""
        return self.slot_values("spot_positions")

    def perp_slots(self) -> tuple[PerpPosition, ...]:
        """Return all eight perp slots, free ones too."""
        return self.slot_values("perp_positions")

    def order_slots(self) -> tuple[Order, ...]:
        """Return all 32 order slots, free ones too."""
        return self.slot_values("orders")

    def put_spot(self, slot: int, held: SpotPosition) -> None:
        """Write a spot slot."""
        self._put("spot_positions", slot, held)

    def put_perp(self, slot: int, held: PerpPosition) -> None:
        """Write a perp slot."""
        self._put("perp_positions", slot, held)

    def put_order(self, slot: int, order: Order) -> None:
        """Write an order slot."""
        self._put("orders", slot, order)

    def _put(self, field: str, slot: int, held: Struct) -> None:
        slots = self.layout.slots[field]
        size = slots.record.format.size
        at = slots.start + slot * size
        if not slots.start <= at < slots.stop:
            raise EncodeError(f"{field} has no slot {slot}: {(slots.stop - slots.start) // size} are there")
        try:
            self.writable()[at : at + size] = slots.record.packed(held)
        except error as reason:
            raise EncodeError(f"{field}[{slot}] = {held}: {reason}") from None


def _spots_in(slots: Slots, raw: bytes) -> tuple[SpotPosition, ...]:
    return tuple([held for held in slots.used(raw) if held.scaled_balance or not held.empty])


def _perps_in(slots: Slots, raw: bytes) -> tuple[PerpPosition, ...]:
    return tuple([held for held in slots.used(raw) if held.base_asset_amount or not held.empty])


def _orders_in(slots: Slots, raw: bytes) -> tuple[Order, ...]:
    order = slots.record
    size = order.format.size
    is_open = raw[order.offsets["status"] :: size].translate(_OPEN)
    if 0 not in is_open:
        return (*order.all(raw),)
    held = order.rows(raw[: size * (is_open.rfind(1) + 1)])
    return tuple(starmap(order.make, compress(held, is_open)))


_HELD: dict[str, Callable[[Slots, bytes], tuple[Any, ...]]] = {
    "spot_positions": _spots_in,
    "perp_positions": _perps_in,
    "orders": _orders_in,
}
