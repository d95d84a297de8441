"""An open order as a plain dictionary: what it asks for, in which words, and how old it is."""

from typing import Any

from drift_engine.venues.snapshot import Snapshot
from drift_engine.venues.translate.orders import KINDS, TRIGGERS
from drift_engine.venues.wire.user import Order

_PERP = 1


def order_of(snapshot: Snapshot, order: Order) -> dict[str, Any]:
    """Return an order. ``age_ms`` counts slots by the length that the exchange takes them to have."""
    perp = order.market_type == _PERP
    reads = snapshot.perps if perp else snapshot.spots
    name = next((read.name for read in reads if read.index == order.market_index), None)
    slot_ms = snapshot.program.rules.slot_ms(snapshot.state, snapshot.slot)
    return {
        "order_id": order.order_id,
        "user_order_id": order.user_order_id or None,
        "market": name,
        "market_index": order.market_index,
        "market_kind": "perp" if perp else "spot",
        "kind": _named(KINDS, order.order_type),
        "side": "sell" if order.direction else "buy",
        "base": order.base_asset_amount,
        "filled": order.base_asset_amount_filled,
        "decimals": 9 if perp else _decimals(snapshot, order.market_index),
        "price_e6": order.price or None,
        "oracle_offset_e6": order.oracle_price_offset or None,
        "trigger_e6": order.trigger_price or None,
        "trigger": _named(TRIGGERS, order.trigger_condition) if order.trigger_price else None,
        "auction_slots": order.auction_duration,
        "auction_start_e6": order.auction_start_price or None,
        "auction_end_e6": order.auction_end_price or None,
        "reduce_only": bool(order.reduce_only),
        "post_only": bool(order.post_only),
        "expires_s": order.max_ts or None,
        "slot": order.slot,
        "age_ms": max(0, snapshot.slot - order.slot) * slot_ms,
    }


def _named(names: tuple[str, ...], number: int) -> str:
    return names[number] if number < len(names) else f"not known ({number})"


def _decimals(snapshot: Snapshot, index: int) -> int:
    found = next((read.view for read in snapshot.spots if read.index == index), None)
    return 9 if found is None else found.decimals
