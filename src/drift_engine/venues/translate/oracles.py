"""Decoded markets, prices and guard rails into what core's rules on oracles look at.

Sources: ``math/oracle.rs`` oracle_validity and ``state/{perp_market,spot_market}.rs``
get_max_confidence_interval_multiplier of both programs.
"""

from drift_engine.core import oracle_validity
from drift_engine.core.oracle_validity import GuardRails, Observation, Validity
from drift_engine.venues.wire.enums import OracleSource
from drift_engine.venues.wire.oracles import OraclePrice
from drift_engine.venues.wire.perp_market import PerpMarket
from drift_engine.venues.wire.records import OracleGuardRails
from drift_engine.venues.wire.spot_market import SpotMarket

_STABLE = frozenset(
    {OracleSource.PYTH_STABLE_COIN, OracleSource.PYTH_STABLE_COIN_PULL, OracleSource.PYTH_LAZER_STABLE_COIN}
)
_SPOT_CONFIDENCE = (1, 1, 5, 50, 50)
_TIERS = ("A", "B", "C", "speculative", "highly_speculative", "isolated")


def validity(market: PerpMarket | SpotMarket, oracle: OraclePrice, rails: OracleGuardRails) -> Validity:
    """Return what is wrong with a market's oracle, worst first."""
    immediate, low_risk = 0, 0
    if isinstance(market, PerpMarket):
        immediate, low_risk = market.oracle_slot_delay_override, market.oracle_low_risk_slot_delay_override
    seen = Observation(
        price_e6=oracle.price_e6,
        confidence_e6=oracle.confidence_e6,
        delay_slots=oracle.delay_slots,
        twap_e6=market.historical_oracle_data.last_oracle_price_twap,
        multiplier=_multiplier(market),
        sufficient=oracle.has_sufficient_points,
        stable=market.oracle_source in _STABLE,
        immediate_slots=immediate,
        low_risk_slots=low_risk,
    )
    return oracle_validity.validity_of(seen, _guard_rails(rails))


def _guard_rails(rails: OracleGuardRails) -> GuardRails:
    """Return when an exchange believes an oracle."""
    return GuardRails(
        rails.slots_before_stale_for_amm,
        rails.slots_before_stale_for_margin,
        rails.confidence_interval_max_size,
        rails.too_volatile_ratio,
    )


def _multiplier(market: PerpMarket | SpotMarket) -> int:
    """Return the share of confidence a market allows."""
    if isinstance(market, PerpMarket):
        known = market.contract_tier < len(_TIERS)
        return oracle_validity.multiplier_of(_TIERS[market.contract_tier] if known else "")
    return _SPOT_CONFIDENCE[min(market.asset_tier, len(_SPOT_CONFIDENCE) - 1)]
