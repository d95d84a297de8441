"""A market with a vAMM and a memory of prices around 100, for the tests of orders."""

from typing import Any

from core_books import perp_spec
from msgspec import structs

from drift_engine.core.orders.auction_params import DRIFT_V2, AuctionRules, Placing
from drift_engine.core.orders.maker import Maker
from drift_engine.core.orders.stats import MarketStats
from drift_engine.core.types import PerpSpec
from drift_engine.core.units import E6, E9

MAKER = Maker(
    base_reserve=100 * E9, quote_reserve=100 * E9, sqrt_k=100 * E9, peg_e6=100 * E6, max_base_reserve=200 * E9,
    ask_base_reserve=99_900_000_000, bid_base_reserve=100_100_000_000, base_spread_e6=100, long_spread_e6=1_000,
    short_spread_e6=1_000,
)  # fmt: skip
STATS = MarketStats(
    mark_twap_5min_e6=100 * E6, bid_twap_e6=99_900_000, ask_twap_e6=100_100_000, oracle_twap_e6=100 * E6,
    oracle_twap_5min_e6=100 * E6, oracle_last_e6=100 * E6, volume_24h_e6=10**12,
)  # fmt: skip
SPEC = perp_spec(step_e9=10**7, min_order_e9=2 * 10**7, tick_e6=100)


def placing(
    *, rules: AuctionRules = DRIFT_V2, signed: bool = False, spec: PerpSpec = SPEC, oracle: int = 100 * E6, **stats: Any
) -> Placing:
    """Return where an order is placed, with other figures in the market's memory."""
    return Placing(spec, structs.replace(STATS, **stats), MAKER, oracle, rules, signed)
