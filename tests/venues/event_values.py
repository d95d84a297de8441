"""Random events of either protocol, for the tests of events and logs."""

import random
from typing import Any, get_args, get_type_hints

from account_values import random_record, random_value
from msgspec import Struct

from drift_engine.venues.program import Program
from drift_engine.venues.wire.events.kinds import Event
from drift_engine.venues.wire.events.liquidation import LiquidatePerp, LiquidateSpot
from drift_engine.venues.wire.events.markets import FundingRateRecord
from drift_engine.venues.wire.order_params import OrderParams

ABSENT: dict[str, dict[type[Struct], set[str]]] = {
    "drift_v2": {LiquidatePerp: {"protocol_fee"}, LiquidateSpot: {"protocol_fee"}},
    "velocity": {
        FundingRateRecord: {"period_revenue", "base_asset_amount_with_unsettled_lp"},
        LiquidatePerp: {"lp_shares"},
    },
}


def random_event(random_: random.Random, program: Program, kind: type[Event]) -> Event:
    """Return an event as the protocol could log it."""
    made: Event = _struct(random_, program, kind)
    return made


def _struct(random_: random.Random, program: Program, kind: type[Struct]) -> Any:
    hints = get_type_hints(kind, include_extras=True)
    written = set(kind.__struct_fields__) - ABSENT[program.name].get(kind, set())
    return kind(**{name: _field(random_, program, hints[name]) for name in kind.__struct_fields__ if name in written})


def _field(random_: random.Random, program: Program, hint: Any) -> Any:
    if not hasattr(hint, "__metadata__"):
        inner = next(each for each in get_args(hint) if each is not type(None))
        return random_.choice((None, _field(random_, program, inner)))
    kind = hint.__metadata__[0]
    if kind == "vec<u32>":
        return tuple(random_.getrandbits(32) for _ in range(random_.randrange(4)))
    if kind == "OrderParams":
        price, max_ts = random_.getrandbits(63), random_.choice((None, random_.getrandbits(40)))
        return OrderParams(price=price, base_asset_amount=7, max_ts=max_ts, oracle_price_offset=-5)
    if kind in {"string", "u8*8"}:
        return "hash ß" * random_.randrange(3) if kind == "string" else random_.randbytes(8)
    if kind == "Order":
        return random_record(random_, program.layouts.user.records["Order"])
    if kind[0].isupper():
        return _struct(random_, program, hint.__origin__)
    return random_value(random_, kind, {})
