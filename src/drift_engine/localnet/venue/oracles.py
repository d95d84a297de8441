"""Whether an oracle may be used, by the state's guard rails.

Source: ``math/oracle.rs`` oracle_validity, is_oracle_valid_for_action; ``state/perp_market.rs`` and
``state/spot_market.rs`` get_max_confidence_interval_multiplier.
"""

from typing import Literal

from drift_engine.core.units import E6
from drift_engine.venues.oracle_readings import Reading
from drift_engine.venues.wire.perp_market import PerpMarket
from drift_engine.venues.wire.records import OracleGuardRails
from drift_engine.venues.wire.spot_market import SpotMarket

Validity = Literal[
    "NonPositive", "TooVolatile", "TooUncertain", "StaleForMargin", "InsufficientDataPoints", "StaleForAMM", "Valid"
]
_NEVER: frozenset[Validity] = frozenset(("NonPositive", "TooVolatile"))
_NOT_FOR_MATCHING = _NEVER | {"TooUncertain"}
_NOT_FOR_MARGIN = _NOT_FOR_MATCHING | {"StaleForMargin"}
_PERP_TIERS = (1, 1, 2, 10, 50, 50)
_SPOT_TIERS = (1, 1, 5, 50, 50)
_STABLE_SOURCES = (5, 10, 15)


def validity_of(market: PerpMarket | SpotMarket, reading: Reading, slot: int, rails: OracleGuardRails) -> Validity:
    """Return what is wrong with an oracle, worst first; ``StaleForAMM`` where only a low-risk vAMM fill minds."""
    price_e6, average_e6 = reading.price_e6, market.historical_oracle_data.last_oracle_price_twap
    if price_e6 <= 0:
        return "NonPositive"
    if max(price_e6, average_e6) // max(1, min(price_e6, average_e6)) > rails.too_volatile_ratio:
        return "TooVolatile"
    if max(1, reading.confidence_e6) * E6 // price_e6 > rails.confidence_interval_max_size * _multiplier(market):
        return "TooUncertain"
    oldest = rails.slots_before_stale_for_margin * (3 if market.oracle_source in _STABLE_SOURCES else 1)
    if slot - reading.slot > oldest:
        return "StaleForMargin"
    if not reading.sufficient:
        return "InsufficientDataPoints"
    return "StaleForAMM" if slot - reading.slot > rails.slots_before_stale_for_amm else "Valid"


def valid_for_margin(validity: Validity) -> bool:
    """Return whether margin may be counted with it (``MarginCalc``)."""
    return validity not in _NOT_FOR_MARGIN


def valid_for_settlement(validity: Validity) -> bool:
    """Return whether PnL may be settled and funding updated with it (``SettlePnl``, ``UpdateFunding``)."""
    return validity not in _NOT_FOR_MATCHING


def valid_for_orders(validity: Validity) -> bool:
    """Return whether an order's price may follow it (``OracleOrderPrice``)."""
    return validity not in _NOT_FOR_MARGIN


def valid_for_triggers(validity: Validity) -> bool:
    """Return whether it may trigger an order (``TriggerOrder``)."""
    return validity not in _NEVER


def _multiplier(market: PerpMarket | SpotMarket) -> int:
    if isinstance(market, PerpMarket):
        return _PERP_TIERS[market.contract_tier]
    return _SPOT_TIERS[market.asset_tier]
