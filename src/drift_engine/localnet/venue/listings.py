"""Which markets the played venues list, and their facts.

Drift v2's are the simulated venue's own (``simulation.facts``, decoded from captures). Velocity's are what its
relaunch set (``deploy-scripts/params/relaunch-perp-markets.json`` and the spot parameters beside it, velocity-v1,
2026-08-28); what that file leaves out stays as on Drift v2. Pyth Lazer feeds: ``sdk/src/constants/perpMarkets.ts`` and
spotMarkets.ts.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from msgspec import structs
from solders.pubkey import Pubkey

from drift_engine.core.types import PerpSpec, Spec, SpotSpec
from drift_engine.core.units import E6
from drift_engine.simulation import facts
from drift_engine.simulation.models import DRIFT_TIERS, FeeTier

LAZER, LAZER_STABLE = 12, 15
"""``OracleSource``: how a market reads its Lazer feed."""
_WSOL = Pubkey.from_string("So11111111111111111111111111111111111111112")
_FEEDS = {"BTC": 1, "ETH": 2, "SOL": 6, "USDC": 7, "USDT": 8}


@dataclass(frozen=True, slots=True)
class Listing:
    """A venue's markets by name, its tokens' mints by spot market, and its fees by volume."""

    specs: Mapping[str, Spec]
    mints: Mapping[str, Pubkey]
    tiers: tuple[FeeTier, ...]
    quote: str

    def perps(self) -> tuple[PerpSpec, ...]:
        """Return the perp markets by index."""
        found = [spec for spec in self.specs.values() if isinstance(spec, PerpSpec)]
        return tuple(sorted(found, key=lambda spec: spec.index))

    def spots(self) -> tuple[SpotSpec, ...]:
        """Return the spot markets by index."""
        found = [spec for spec in self.specs.values() if isinstance(spec, SpotSpec)]
        return tuple(sorted(found, key=lambda spec: spec.index))


def feed_of(asset: str) -> int:
    """Return an asset's Pyth Lazer feed."""
    return _FEEDS[asset]


def _named(*specs: Spec) -> dict[str, Spec]:
    return {spec.name: spec for spec in specs}


_USDT = structs.replace(facts.USDC, name="USDT", asset="USDT")
_VELOCITY_SOL = structs.replace(facts.SOL, liability_initial_e4=11_500, liability_maintenance_e4=11_000)


def _velocity(spec: PerpSpec, **changes: int | str) -> PerpSpec:
    return structs.replace(spec, quote="USDT", taker_fee_e6=400, maker_fee_e6=-25, **changes)


DRIFT_V2 = Listing(
    _named(facts.SOL_PERP, facts.BTC_PERP, facts.ETH_PERP, facts.USDC, facts.SOL),
    {"USDC": Pubkey.from_string("EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v"), "SOL": _WSOL},
    DRIFT_TIERS,
    "USDC",
)
VELOCITY = Listing(
    _named(
        _velocity(facts.SOL_PERP),
        _velocity(facts.BTC_PERP, margin_maintenance_e4=200, imf_e6=1_900, tier="B"),
        _velocity(facts.ETH_PERP, margin_maintenance_e4=300),
        _USDT,
        _VELOCITY_SOL,
    ),
    {"USDT": Pubkey.from_string("Es9vMFrzaCERmJfrF4H2FYD4KCoNkY11McCe8BenwNYB"), "SOL": _WSOL},
    (FeeTier(0, 400, -25), FeeTier(5 * E6 * E6, 300, -25), FeeTier(80 * E6 * E6, 200, -25)),
    "USDT",
)
LISTINGS = {"drift_v2": DRIFT_V2, "velocity": VELOCITY}
"""By ``Program.name``. Velocity's tiers: velocity-v1 #388 (SDK 0.14), Regular, VIP1 and VIP2."""
