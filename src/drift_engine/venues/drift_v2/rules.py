"""Drift v2's rules. Sources: ``math/funding.rs``, ``math/fees.rs`` (determine_perp_fee_tier), ``state/oracle.rs``."""

from msgspec.structs import replace
from solders.pubkey import Pubkey

from drift_engine.core.fees import DRIFT_V2 as FEES
from drift_engine.core.funding import rate_drift_e9
from drift_engine.core.units import ceil_div
from drift_engine.venues.rules import QUANTUM_MS, Oracles, Rules, tier_of, volume_30d_e6
from drift_engine.venues.wire.enums import ContractTier, MarketStatus, OracleSource, known
from drift_engine.venues.wire.perp_market import PerpMarket
from drift_engine.venues.wire.records import FeeTier
from drift_engine.venues.wire.state import State
from drift_engine.venues.wire.user_stats import UserStats

ROUNDED_IN_FAVOUR = (5, 10, 20)

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
    tier = tier_of(state.perp_fee_structure.fee_tiers, volume_30d_e6(stats), FEES.volumes_e6)
    return discounted(
        tier, FEES.stake_percents[sum(stats.if_staked_gov_token_amount >= stake for stake in FEES.stakes_e6)]
    )


def discounted(tier: FeeTier, percent: int) -> FeeTier:
    """Return a tier with its fee less and its rebate more by ``percent``. Small discounts round the fee down."""
    fee, rebate = tier.fee_numerator * (100 - percent), tier.maker_rebate_numerator * (100 + percent)
    return replace(
        tier,
        fee_numerator=fee // 100 if percent in ROUNDED_IN_FAVOUR else ceil_div(fee, 100),
        maker_rebate_numerator=rebate // 100,
    )


RULES = Rules(
    funding_rate_e9=funding_rate_e9,
    fee_tier=fee_tier,
    slot_ms=lambda state, slot: QUANTUM_MS,
    quantum_ms=None,
    market_statuses=tuple(MarketStatus),
    taker_factor_high_leverage=2,
)
