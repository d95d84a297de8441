"""Velocity's rules.

Sources in velocity-v1: ``math/funding.rs``, ``math/fees.rs`` (determine_perp_fee_tier), ``state/user.rs``
(get_total_30d_volume_at), ``math/time.rs`` (SlotClock), ``state/oracle.rs``, ``state/market_status.rs``.
"""

from solders.pubkey import Pubkey

from drift_engine.core.fees import VELOCITY as FEES
from drift_engine.core.fees import FeeTier, tier_of
from drift_engine.core.funding import rate_velocity_e9
from drift_engine.venues.rules import QUANTUM_MS, Oracles, Rules, tiers_of
from drift_engine.venues.wire.enums import ContractTier, MarketStatus, OracleSource, known
from drift_engine.venues.wire.perp_market import PerpMarket
from drift_engine.venues.wire.state import State
from drift_engine.venues.wire.user_stats import UserStats

WINDOW_S = 30 * 24 * 3600
REGIMES_MS = (350, 300, 250, 200)

ORACLES = Oracles(
    sources=frozenset(
        {
            *(OracleSource.PYTH, OracleSource.PYTH_1K, OracleSource.PYTH_1M, OracleSource.PYTH_STABLE_COIN),
            *(OracleSource.QUOTE_ASSET, OracleSource.PRELAUNCH),
            *(OracleSource.PYTH_LAZER, OracleSource.PYTH_LAZER_1K, OracleSource.PYTH_LAZER_1M),
            OracleSource.PYTH_LAZER_STABLE_COIN,
        }
    ),
    owners=frozenset({Pubkey.from_string("FsJ3A3u2vn5cTVofAjvy6y5kwABJAqYWpe4975bi2epH")}),
    prelaunch_delay=lambda updated_slot, slot: max(0, slot - updated_slot),
)


def funding_rate_e9(market: PerpMarket, mark_twap_e6: int, oracle_twap_e6: int) -> int:
    """Return the hourly rate: an offset inside the market's clamp, a ramp of the market's slope beyond it."""
    return rate_velocity_e9(
        mark_twap_e6,
        oracle_twap_e6,
        known(ContractTier, market.contract_tier).name,
        clamp_bps=market.funding_clamp_threshold,
        ramp_slope_e6=market.funding_ramp_slope,
    )


def fee_tier(state: State, stats: UserStats, now_s: int) -> FeeTier:
    """Return the tier of the volume as it has faded by now, or the promotion's where that is better."""
    volume = _faded(stats.taker_volume_30d, now_s - stats.last_taker_volume_30d_ts)
    volume += _faded(stats.maker_volume_30d, now_s - stats.last_maker_volume_30d_ts)
    return tier_of(tiers_of(state.perp_fee_structure), FEES, volume, promo=state.promo_fee_tier)


def slot_ms(state: State, slot: int) -> int:
    """Return a slot's length: of the last regime that began by then; before any is known, of the older fields."""
    firsts = state.slot_duration_transition_slots
    if any(firsts):
        begun = [length for length, first in zip(REGIMES_MS, firsts, strict=True) if first and slot >= first]
        return begun[-1] if begun else QUANTUM_MS
    staged = state.pending_slot_duration_ms
    return (staged if staged and slot >= state.slot_duration_effective_slot else state.slot_duration_ms) or QUANTUM_MS


def _faded(volume_e6: int, age_s: int) -> int:
    return volume_e6 * max(0, WINDOW_S - max(0, age_s)) // WINDOW_S


RULES = Rules(
    funding_rate_e9=funding_rate_e9,
    fee_tier=fee_tier,
    slot_ms=slot_ms,
    quantum_ms=QUANTUM_MS,
    market_statuses=(
        *(MarketStatus.INITIALIZED, MarketStatus.ACTIVE, MarketStatus.REDUCE_ONLY),
        *(MarketStatus.SETTLEMENT, MarketStatus.DELISTED),
    ),
    taker_factor_high_leverage=1,
)
