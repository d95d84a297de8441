"""Facts of the simulated Drift v2 venue's markets, as its accounts held them when they were captured.

Each record stands below its source: the account, and the slot or time of capture. Nothing has a default: a market that
is in no table is an error. Ratios, weights, imf, liquidation fees and tiers are the accounts' own. Fees are the
schedule's first tier (``models.DRIFT_TIERS`` has the rest); a fee adjustment at capture is taken as 0.

Spot is bought and sold by begin_swap and end_swap: no fee, no order-book step or minimum, so the step is one unit of
the token and the cost is impact. (The accounts' order-book figures, which swaps do not use: SOL step 100000, tick 100,
minimum 0.1 SOL; wBTC 10000, 10000, 0.0001; wETH 10000, 100000, 0.0001.)
"""

from collections.abc import Mapping

from drift_engine.core.types import PerpSpec, Spec, SpotSpec

QUOTE = "USDC"
_TAKER_E6 = 1_000
_MAKER_E6 = -200

# Account 8UJgxaiQx5nTrdDgph5FiahMmzduuLTLf5WmsPegYA6W, slot 405286914.
SOL_PERP = PerpSpec(
    name="SOL-PERP",
    index=0,
    asset="SOL",
    quote=QUOTE,
    oracle="3m6i4RFWEDw2Ft4tFHPJtYgmpPe21k56M3FHeWYrgGBz",
    step_e9=10_000_000,
    tick_e6=100,
    min_order_e9=10_000_000,
    margin_initial_e4=500,
    margin_maintenance_e4=300,
    imf_e6=50,
    upnl_initial_e4=0,
    upnl_maintenance_e4=10_000,
    liquidator_fee_e6=7_500,
    insurance_fee_e6=7_500,
    taker_fee_e6=_TAKER_E6,
    maker_fee_e6=_MAKER_E6,
    tier="B",
)

# Account 2UZMvVTBQR9yWxrEdzEQzXWE61bUjqQ5VpJAGqVb3B19, slot 348900662; its fee adjustment was -100 at capture.
BTC_PERP = PerpSpec(
    name="BTC-PERP",
    index=1,
    asset="BTC",
    quote=QUOTE,
    oracle="35MbvS1Juz2wf7GsyHrkCw8yfKciRLxVpEhfZDZFrB4R",
    step_e9=100_000,
    tick_e6=100_000,
    min_order_e9=100_000,
    margin_initial_e4=500,
    margin_maintenance_e4=300,
    imf_e6=4_000,
    upnl_initial_e4=0,
    upnl_maintenance_e4=10_000,
    liquidator_fee_e6=5_000,
    insurance_fee_e6=7_500,
    taker_fee_e6=_TAKER_E6,
    maker_fee_e6=_MAKER_E6,
    tier="A",
)

# Account 25Eax9W8SA3wpCQFhJEGyHhQ2NDHEshZEDzyMNtthR8D, slot 405287065.
ETH_PERP = PerpSpec(
    name="ETH-PERP",
    index=2,
    asset="ETH",
    quote=QUOTE,
    oracle="93FG52TzNKCnMiasV14Ba34BYcHDb9p4zK4GjZnLwqWR",
    step_e9=1_000_000,
    tick_e6=10_000,
    min_order_e9=1_000_000,
    margin_initial_e4=500,
    margin_maintenance_e4=200,
    imf_e6=250,
    upnl_initial_e4=0,
    upnl_maintenance_e4=10_000,
    liquidator_fee_e6=5_000,
    insurance_fee_e6=7_500,
    taker_fee_e6=_TAKER_E6,
    maker_fee_e6=_MAKER_E6,
    tier="B",
)

# Account 6gMq3mRCKf8aP3ttTyYhuijVZ2LGi14oDsBbkgubfLB3, slot 405455796.
USDC = SpotSpec(
    name=QUOTE,
    index=0,
    asset=QUOTE,
    oracle="9VCioxmni2gDLv11qufWzT3RDERhQE4iY5Gf7NTfYyAV",
    decimals=6,
    step_e9=1_000,
    tick_e6=1,
    min_order_e9=1_000,
    asset_initial_e4=10_000,
    asset_maintenance_e4=10_000,
    liability_initial_e4=10_000,
    liability_maintenance_e4=10_000,
    imf_e6=0,
    liquidator_fee_e6=0,
    insurance_fee_e6=5_000,
    taker_fee_e6=0,
    optimal_utilisation_e6=800_000,
    optimal_rate_e6=52_500,
    max_rate_e6=900_000,
)

# Account 3x85u7SWkmmr7YQGYhtjARgxwegTLJgkSLRprfXod6rh, interest written at 2025-06-24 13:33:34 UTC.
SOL = SpotSpec(
    name="SOL",
    index=1,
    asset="SOL",
    oracle="3m6i4RFWEDw2Ft4tFHPJtYgmpPe21k56M3FHeWYrgGBz",
    decimals=9,
    step_e9=1,
    tick_e6=1,
    min_order_e9=1,
    asset_initial_e4=8_000,
    asset_maintenance_e4=9_000,
    liability_initial_e4=12_000,
    liability_maintenance_e4=11_000,
    imf_e6=1_250,
    liquidator_fee_e6=7_500,
    insurance_fee_e6=22_500,
    taker_fee_e6=0,
    optimal_utilisation_e6=800_000,
    optimal_rate_e6=100_000,
    max_rate_e6=1_500_000,
)

# Account 54Ai4NTZmPgsT4kUr1w4zFbh33JaC34ptvvvByamsaSw, interest written at 2025-06-24 13:04:22 UTC.
WBTC = SpotSpec(
    name="wBTC",
    index=3,
    asset="BTC",
    oracle="fqPfDa6uQr9ndMvwaFp4mUBeUrHmLop8Jxfb1XJNmVm",
    decimals=8,
    step_e9=10,
    tick_e6=1,
    min_order_e9=10,
    asset_initial_e4=8_000,
    asset_maintenance_e4=9_000,
    liability_initial_e4=12_000,
    liability_maintenance_e4=11_000,
    imf_e6=105_000,
    liquidator_fee_e6=7_500,
    insurance_fee_e6=32_500,
    taker_fee_e6=0,
    optimal_utilisation_e6=750_000,
    optimal_rate_e6=60_000,
    max_rate_e6=1_500_000,
)

# Account 64WtBLXJsFnmoFR2kXqbTz3KzNP5x1SrpSn8zmkbF6xB, interest written at 2025-06-24 13:15:17 UTC.
WETH = SpotSpec(
    name="wETH",
    index=4,
    asset="ETH",
    oracle="6bEp2MiyoiiiDxcVqE8rUHQWwHirXUXtKfAEATTVqNzT",
    decimals=8,
    step_e9=10,
    tick_e6=1,
    min_order_e9=10,
    asset_initial_e4=8_000,
    asset_maintenance_e4=9_000,
    liability_initial_e4=12_000,
    liability_maintenance_e4=11_000,
    imf_e6=25_000,
    liquidator_fee_e6=7_500,
    insurance_fee_e6=32_500,
    taker_fee_e6=0,
    optimal_utilisation_e6=750_000,
    optimal_rate_e6=60_000,
    max_rate_e6=1_500_000,
)

_ALL: tuple[Spec, ...] = (SOL_PERP, BTC_PERP, ETH_PERP, USDC, SOL, WBTC, WETH)


class UnknownMarketError(LookupError):
    """A market is in no table of the venue. The message names those that are."""


def venue_facts() -> dict[str, Spec]:
    """Return every market of the simulated venue by name, perps first."""
    return {spec.name: spec for spec in _ALL}


def resolve(name_or_asset: str, facts: Mapping[str, Spec] | None = None) -> tuple[Spec, ...]:
    """Return the market of a name, or all markets of an asset, perp first.

    A name goes before an asset: ``SOL`` is the spot market, ``BTC`` is BTC-PERP and wBTC. Raises
    ``UnknownMarketError`` for what is neither.
    """
    known = venue_facts() if facts is None else facts
    if name_or_asset in known:
        return (known[name_or_asset],)
    found = tuple(spec for spec in known.values() if spec.asset == name_or_asset)
    if not found:
        raise UnknownMarketError(f"unknown market {name_or_asset!r}; the venue has {', '.join(known)}")
    return found
