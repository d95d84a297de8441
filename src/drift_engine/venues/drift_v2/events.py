"""Drift v2's events (``state/events.rs``, v2.162.0)."""

from drift_engine.venues.drift_v2.records import RECORDS
from drift_engine.venues.wire.events.catalogue import SHARED
from drift_engine.venues.wire.events.decoding import Absent, Events
from drift_engine.venues.wire.events.liquidation import LiquidatePerp, LiquidateSpot
from drift_engine.venues.wire.events.markets import CurveRecord
from drift_engine.venues.wire.order_params import DIALECTS

_BUILD: Absent = {LiquidatePerp: frozenset({"protocol_fee"}), LiquidateSpot: frozenset({"protocol_fee"})}
EVENTS = Events((*SHARED, CurveRecord), RECORDS["Order"], DIALECTS["drift_v2"].kinds["OrderParams"], [_BUILD])
