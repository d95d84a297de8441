"""What a protocol's program decides by its code where the two differ: rules, each with its source.

A rule reads figures from accounts and holds none that a market can change.
"""

from dataclasses import dataclass
from typing import Protocol

from solders.pubkey import Pubkey

from drift_engine.core.fees import FeeTier
from drift_engine.venues.errors import DecodeError
from drift_engine.venues.wire.enums import MarketStatus, OracleSource
from drift_engine.venues.wire.perp_market import PerpMarket
from drift_engine.venues.wire.records import FeeStructure
from drift_engine.venues.wire.records import FeeTier as WireTier
from drift_engine.venues.wire.state import State
from drift_engine.venues.wire.user_stats import UserStats

QUANTUM_MS = 400
"""The program's unit of durations, one slot of Solana's first years."""


class PrelaunchDelay(Protocol):
    """How old a pre-launch price is, in slots."""

    def __call__(self, updated_slot: int, slot: int) -> int:
        """Return the age at ``slot`` of a price that the market updated at ``updated_slot``."""
        ...


@dataclass(frozen=True, slots=True)
class Oracles:
    """Which oracles the program reads: by source, and by who owns the account beside the program itself."""

    sources: frozenset[OracleSource]
    owners: frozenset[Pubkey]
    prelaunch_delay: PrelaunchDelay


class FundingRule(Protocol):
    """The hourly funding rate."""

    def __call__(self, market: PerpMarket, mark_twap_e6: int, oracle_twap_e6: int) -> int:
        """Return the rate in 1e9 quote per base and hour that such averages give; longs pay when it is positive."""
        ...


class FeeRule(Protocol):
    """The fee tier of an authority."""

    def __call__(self, state: State, stats: UserStats, now_s: int) -> FeeTier:
        """Return the perp tier that a fill at ``now_s`` (unix seconds) is charged by."""
        ...


class SlotRule(Protocol):
    """How long a slot lasts."""

    def __call__(self, state: State, slot: int) -> int:
        """Return the milliseconds that the program takes ``slot`` to last."""
        ...


@dataclass(frozen=True, slots=True)
class Rules:
    """One protocol's rules. ``quantum_ms`` is what auction and liquidation durations count: ``None`` means slots.

    ``taker_factor_high_leverage`` multiplies the taker fee of a user in high-leverage mode.
    """

    funding_rate_e9: FundingRule
    fee_tier: FeeRule
    slot_ms: SlotRule
    quantum_ms: int | None
    market_statuses: tuple[MarketStatus, ...]
    taker_factor_high_leverage: int

    def market_status(self, number: int) -> MarketStatus:
        """Return what a market's status number means in this protocol; an unknown number is refused."""
        if not 0 <= number < len(self.market_statuses):
            raise DecodeError(f"{number} is no market status: this build knows 0 to {len(self.market_statuses) - 1}")
        return self.market_statuses[number]

    def market_status_number(self, status: MarketStatus) -> int:
        """Return the number that this protocol writes for a status; one it does not have is a ``ValueError``."""
        return self.market_statuses.index(status)


def tiers_of(structure: FeeStructure) -> list[FeeTier]:
    """Return the tiers of a fee structure; one that nobody filled in is as the tier before it."""
    tiers: list[FeeTier] = []
    for tier in structure.fee_tiers:
        tiers.append(_tier(tier) if tier.fee_denominator or not tiers else tiers[-1])
    return tiers


def _tier(tier: WireTier) -> FeeTier:
    return FeeTier(
        (tier.fee_numerator, tier.fee_denominator),
        (tier.maker_rebate_numerator, tier.maker_rebate_denominator),
        (tier.referrer_reward_numerator, tier.referrer_reward_denominator),
        (tier.referee_fee_numerator, tier.referee_fee_denominator),
    )


def volume_30d_e6(stats: UserStats) -> int:
    """Return an authority's volume of 30 days as it was last written."""
    return stats.taker_volume_30d + stats.maker_volume_30d
