"""Drift v2's rules. Sources: ``math/funding.rs``, ``math/fees.rs`` (determine_perp_fee_tier), ``state/oracle.rs``."""

from solders.pubkey import Pubkey

from drift_engine.core.fees import DRIFT_V2 as FEES
from drift_engine.core.fees import FeeTier, tier_of
from drift_engine.core.funding import rate_drift_e9
from drift_engine.venues.rules import QUANTUM_MS, Oracles, Rules, tiers_of, volume_30d_e6
from drift_engine.venues.wire.enums import ContractTier, MarketStatus, OracleSource, known
from drift_engine.venues.wire.perp_market import PerpMarket
from drift_engine.venues.wire.state import State
from drift_engine.venues.wire.user_stats import UserStats

_SWITCHBOARD = {OracleSource.SWITCHBOARD, OracleSource.SWITCHBOARD_ON_DEMAND}
_EXTERNAL = (
    "FsJ3A3u2vn5cTVofAjvy6y5kwABJAqYWpe4975bi2epH",  # Pyth push
    "G6EoTTTgpkNBtVXo96EQp2m6uwwVh2Kt6YidjkmQqoha",  # Drift's Pyth receiver
)
ORACLES = Oracles(
    sources=frozenset(OracleSource) - _SWITCHBOARD,
    owners=frozenset(map(Pubkey.from_string, _EXTERNAL)),
    prelaunch_delay=lambda updated_slot, slot: max(0, updated_slot - slot),  # the program's own order of the two
)


def funding_rate_e9(market: PerpMarket, mark_twap_e6: int, oracle_twap_e6: int) -> int:
    """Return the hourly rate: the premium and a fixed offset, capped by the market's tier."""
    return rate_drift_e9(mark_twap_e6, oracle_twap_e6, known(ContractTier, market.contract_tier).name)


def fee_tier(state: State, stats: UserStats, now_s: int) -> FeeTier:
    """Return the tier of the volume as last written, discounted by the staked governance tokens."""
    tiers = tiers_of(state.perp_fee_structure)
    return tier_of(tiers, FEES, volume_30d_e6(stats), stake_e6=stats.if_staked_gov_token_amount)


RULES = Rules(
    funding_rate_e9=funding_rate_e9,
    fee_tier=fee_tier,
    slot_ms=lambda state, slot: QUANTUM_MS,
    quantum_ms=None,
    market_statuses=tuple(MarketStatus),
    taker_factor_high_leverage=2,
)
