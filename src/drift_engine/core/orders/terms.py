"""What an order is: as it is asked for, and as it lies in an account.

Source: ``state/order_params.rs`` (OrderParams) and ``state/user.rs`` (Order). An Oracle order, and a limit order with
an offset, are priced from the oracle: their auction's start and end are then offsets from it and may be negative.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

OrderKind = Literal["market", "limit", "trigger_market", "trigger_limit", "oracle"]
PostOnly = Literal["no", "must", "try", "slide"]
Trigger = Literal["above", "below", "triggered_above", "triggered_below"]

MAX_LEVERAGE = 2**64 - 1
"""The size that stands for as much as margin allows (``is_max_leverage_order``)."""


class OrderParams(Struct, frozen=True, gc=False, kw_only=True):
    """An order as it is asked for. ``None`` leaves a figure to the program.

    ``auction_duration`` is in slots on Drift v2 and in units of 400 ms on Velocity: the same at 400 ms a slot.
    """

    kind: OrderKind = "market"
    long: bool = True
    base_e9: int = 0
    price_e6: int = 0
    reduce_only: bool = False
    post_only: PostOnly = "no"
    immediate: bool = False
    max_ts_s: int | None = None
    trigger_e6: int | None = None
    trigger: Trigger = "above"
    offset_e6: int | None = None
    auction_duration: int | None = None
    auction_start_e6: int | None = None
    auction_end_e6: int | None = None
    user_order_id: int = 0

    @property
    def triggers(self) -> bool:
        """Whether it waits for a price first."""
        return self.kind in {"trigger_market", "trigger_limit"}


class Order(Struct, frozen=True, gc=False, kw_only=True):
    """An order as it lies in an account. ``oracle_trigger`` marks a fired trigger order priced from the oracle."""

    kind: OrderKind = "market"
    long: bool = True
    base_e9: int = 0
    filled_e9: int = 0
    price_e6: int = 0
    reduce_only: bool = False
    post_only: bool = False
    immediate: bool = False
    max_ts_s: int = 0
    trigger_e6: int = 0
    trigger: Trigger = "above"
    offset_e6: int = 0
    auction_duration: int = 0
    auction_start_e6: int = 0
    auction_end_e6: int = 0
    slot: int = 0
    oracle_trigger: bool = False
    user_order_id: int = 0

    @property
    def triggers(self) -> bool:
        """Whether it waits, or waited, for a price first."""
        return self.kind in {"trigger_market", "trigger_limit"}

    @property
    def triggered(self) -> bool:
        """Whether the price it waited for has come."""
        return self.trigger in {"triggered_above", "triggered_below"}

    @property
    def is_limit(self) -> bool:
        """Whether it can rest at a price."""
        return self.kind in {"limit", "trigger_limit"}

    @property
    def jit_maker(self) -> bool:
        """Whether it makes into somebody's auction and never rests."""
        return self.post_only and self.immediate
