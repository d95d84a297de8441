"""Velocity's events (``state/events.rs`` of velocity-v1). Builds before the fee ledger logged no protocol fee."""

from drift_engine.venues.velocity.records import RECORDS
from drift_engine.venues.wire.events.catalogue import SHARED
from drift_engine.venues.wire.events.decoding import Absent, Events
from drift_engine.venues.wire.events.liquidation import LiquidatePerp, LiquidateSpot
from drift_engine.venues.wire.events.markets import AmmCurveChanged, FundingRateRecord
from drift_engine.venues.wire.order_params import DIALECTS

_ALWAYS: Absent = {FundingRateRecord: frozenset({"period_revenue", "base_asset_amount_with_unsettled_lp"})}
_NEWEST: Absent = {**_ALWAYS, LiquidatePerp: frozenset({"lp_shares"})}
_JUNE_2026: Absent = {
    **_ALWAYS,
    LiquidatePerp: frozenset({"lp_shares", "protocol_fee"}),
    LiquidateSpot: frozenset({"protocol_fee"}),
}
EVENTS = Events(
    (*SHARED, AmmCurveChanged), RECORDS["Order"], DIALECTS["velocity"].kinds["OrderParams"], [_NEWEST, _JUNE_2026]
)
