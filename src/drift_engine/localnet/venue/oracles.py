"""Whether an oracle may be used, by the state's guard rails and the market's own limits.

Source: ``state/perp_market.rs`` and ``state/spot_market.rs`` get_max_confidence_interval_multiplier; the rule is
``core.oracle_validity``'s.
"""

from msgspec.structs import replace

from drift_engine.core.oracle_validity import GuardRails, Observation, Validity
from drift_engine.core.oracle_validity import validity_of as judged
from drift_engine.venues.wire.enums import OracleSource
from drift_engine.venues.wire.oracles import OraclePrice
from drift_engine.venues.wire.perp_market import PerpMarket
from drift_engine.venues.wire.records import OracleGuardRails
from drift_engine.venues.wire.spot_market import SpotMarket

_PERP_TIERS = (1, 1, 2, 10, 50, 50)
_SPOT_TIERS = (1, 1, 5, 50, 50)
_STABLE = (OracleSource.PYTH_STABLE_COIN, OracleSource.PYTH_STABLE_COIN_PULL, OracleSource.PYTH_LAZER_STABLE_COIN)


def validity_of(market: PerpMarket | SpotMarket, reading: OraclePrice, rails: OracleGuardRails) -> Validity:
    """Return what is wrong with an oracle, worst first."""
    seen = Observation(
        reading.price_e6,
        reading.confidence_e6,
        reading.delay_slots,
        market.historical_oracle_data.last_oracle_price_twap,
        1,
        reading.has_sufficient_points,
        market.oracle_source in _STABLE,
    )
    if isinstance(market, PerpMarket):
        seen = replace(
            seen,
            multiplier=_PERP_TIERS[market.contract_tier],
            immediate_slots=market.oracle_slot_delay_override,
            low_risk_slots=market.oracle_low_risk_slot_delay_override,
        )
    else:
        seen = replace(seen, multiplier=_SPOT_TIERS[market.asset_tier])
    return judged(seen, guard_rails(rails))


def guard_rails(rails: OracleGuardRails) -> GuardRails:
    """Return the state's guard rails in core's words."""
    return GuardRails(
        rails.slots_before_stale_for_amm,
        rails.slots_before_stale_for_margin,
        rails.confidence_interval_max_size,
        rails.too_volatile_ratio,
    )
