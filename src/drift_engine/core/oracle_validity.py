"""Is an oracle's price good enough, and for what.

The program finds the first thing that is wrong with a price, worst first, and each action says which of these it still
takes. Delays are in slots; confidence is held against a share of the price that grows with the market's risk.

Source: ``math/oracle.rs`` oracle_validity and is_oracle_valid_for_action, ``state/perp_market.rs``
get_max_confidence_interval_multiplier.
"""

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

from drift_engine.core.units import E6

Validity = Literal[
    "non_positive",
    "too_volatile",
    "too_uncertain",
    "stale_for_margin",
    "insufficient_data_points",
    "stale_for_amm",
    "stale_for_amm_immediate",
    "valid",
]
"""``stale_for_amm_immediate`` is stale for fills at once alone; ``stale_for_amm`` for those of low risk too."""

Action = Literal[
    "fill_amm_immediate",
    "fill_amm_low_risk",
    "fill_match",
    "update_funding",
    "oracle_order_price",
    "margin",
    "trigger",
    "settle_pnl",
    "liquidate",
    "update_twap",
    "update_amm_curve",
    "use_mm_oracle",
]

ERRORS: Mapping[Validity, str] = {
    "non_positive": "OracleNonPositive",
    "too_volatile": "OracleTooVolatile",
    "too_uncertain": "OracleTooUncertain",
    "stale_for_margin": "OracleStaleForMargin",
    "insufficient_data_points": "OracleInsufficientDataPoints",
    "stale_for_amm": "OracleStaleForAMM",
    "stale_for_amm_immediate": "OracleStaleForAMM",
}
"""The program's error for each fault."""

_WORST: frozenset[Validity] = frozenset({"non_positive", "too_volatile"})
_UNSURE: frozenset[Validity] = _WORST | {"too_uncertain"}
_UNFIT: frozenset[Validity] = _UNSURE | {"stale_for_margin"}
_REJECTS: Mapping[Action, frozenset[Validity]] = {
    "fill_amm_immediate": _UNFIT | {"insufficient_data_points", "stale_for_amm", "stale_for_amm_immediate"},
    "fill_amm_low_risk": _UNFIT | {"insufficient_data_points", "stale_for_amm"},
    "fill_match": _UNSURE,
    "update_funding": _UNSURE,
    "oracle_order_price": _UNFIT,
    "margin": _UNFIT,
    "trigger": _WORST,
    "settle_pnl": _UNSURE,
    "liquidate": _WORST,
    "update_twap": frozenset({"non_positive"}),
    "update_amm_curve": frozenset({"non_positive"}),
    "use_mm_oracle": _WORST,
}
_CONFIDENCE = {"A": 1, "B": 1, "C": 2, "speculative": 10}
_OTHER_CONFIDENCE = 50


class GuardRails(Struct, frozen=True, gc=False):
    """When an oracle is believed (``state/state.rs`` ValidityGuardRails; here its defaults)."""

    slots_stale_amm: int = 10
    slots_stale_margin: int = 120
    confidence_max_e6: int = 20_000
    too_volatile_ratio: int = 5


class Observation(Struct, frozen=True, gc=False):
    """An oracle's price with what judges it. ``multiplier`` is the market's share of confidence (``multiplier_of``).

    ``immediate_slots`` and ``low_risk_slots`` are the market's own limits of delay: 0 leaves the first to nobody and
    the second to the guard rails, a negative one is no slot at all.
    """

    price_e6: int
    confidence_e6: int
    delay_slots: int
    twap_e6: int
    multiplier: int = 1
    sufficient: bool = True
    stable: bool = False
    immediate_slots: int = 0
    low_risk_slots: int = 0


def multiplier_of(tier: str) -> int:
    """Return how many times the guard rails' confidence a perp market's contract tier allows."""
    return _CONFIDENCE.get(tier, _OTHER_CONFIDENCE)


def validity_of(seen: Observation, rails: GuardRails) -> Validity:
    """Return the first fault of an oracle's price, worst first, or ``valid``."""
    price_e6 = seen.price_e6
    if price_e6 <= 0:
        return "non_positive"
    if max(price_e6, seen.twap_e6) // max(1, min(price_e6, seen.twap_e6)) > rails.too_volatile_ratio:
        return "too_volatile"
    if max(1, seen.confidence_e6) * E6 // price_e6 > rails.confidence_max_e6 * seen.multiplier:
        return "too_uncertain"
    if seen.delay_slots > rails.slots_stale_margin * (3 if seen.stable else 1):
        return "stale_for_margin"
    if not seen.sufficient:
        return "insufficient_data_points"
    low_risk = max(0, seen.low_risk_slots) if seen.low_risk_slots else rails.slots_stale_amm
    if seen.delay_slots > low_risk:
        return "stale_for_amm"
    at_once = seen.immediate_slots != 0 and seen.delay_slots <= max(0, seen.immediate_slots)
    return "valid" if at_once else "stale_for_amm_immediate"


def accepts(action: Action, validity: Validity) -> bool:
    """Return whether an action takes a price of this validity."""
    return validity not in _REJECTS[action]
