"""Where the program would start and end the auction of a market order by itself.

The start follows the mean premium of mark over oracle, fast (5 minutes) and slow (an hour); the end lies beyond the
book's far side by a buffer of deviation or spread. A quiet market, or one whose means are of different times, starts a
fixed fraction from the oracle.

Source: ``state/order_params.rs`` get_perp_baseline_start_price_offset, get_perp_baseline_start_end_price_offset,
derive_market_order_auction_params, derive_oracle_order_auction_params and get_auction_duration, ``math/auction.rs``
calculate_auction_params_for_trigger_order.
"""

from drift_engine.core.orders.maker import Maker
from drift_engine.core.orders.stats import MarketStats
from drift_engine.core.orders.terms import Order
from drift_engine.core.types import PerpSpec
from drift_engine.core.units import E6, ceil_div, tdiv

START_BUFFER_E6 = E6 // 400
"""How far before the baseline a derived auction starts: 25 basis points."""

_END_DIVISORS = {"A": (1_000, 50), "B": (1_000, 20), "C": (500, 20), "speculative": (100, 10)}
_OTHER_END_DIVISORS = (50, 5)
_QUIET_VOLUME_E6 = 100_000 * E6
_STALE_S = 60
_LONGEST = 180
_SAFE_TIERS = frozenset({"A", "B"})

Auction = tuple[int, int, int]
"""Start, end and duration."""


def safe_tier(spec: PerpSpec) -> bool:
    """Return whether a market's contract tier is as safe as B."""
    return spec.tier in _SAFE_TIERS


def duration_for(difference_e6: int, price_e6: int, spec: PerpSpec) -> int:
    """Return how long an auction over a price difference takes, in units of 400 ms: 1 to 180."""
    per_percent = 100 if safe_tier(spec) else 60
    return min(max(ceil_div(difference_e6 * E6 // price_e6 * per_percent, E6 // 100), 1), _LONGEST)


def start_offset_e6(stats: MarketStats, maker: Maker, spec: PerpSpec, *, long: bool) -> int:
    """Return the offset from the oracle at which an auction starts."""
    if abs(stats.oracle_twap_s - stats.mark_twap_s) >= _STALE_S or stats.volume_24h_e6 <= _QUIET_VOLUME_E6:
        divisor = 500 if safe_tier(spec) else 100
        return stats.bid_twap_e6 // divisor if long else -(stats.ask_twap_e6 // divisor)
    mark_e6 = stats.bid_twap_e6 if long else stats.ask_twap_e6
    fast_e6 = stats.mark_twap_5min_e6 - stats.oracle_twap_5min_e6
    slow_e6 = mark_e6 - stats.oracle_twap_e6
    if abs(slow_e6 - fast_e6) > stats.mark_twap_5min_e6 // 200:
        return fast_e6
    long_e6, short_e6 = (spread * mark_e6 // (E6 * 10) for spread in (maker.long_spread_e6, maker.short_spread_e6))
    return min(slow_e6 + long_e6, fast_e6 - short_e6) if long else max(slow_e6 - short_e6, fast_e6 + long_e6)


def offsets_e6(stats: MarketStats, maker: Maker, spec: PerpSpec, scalar: int, *, long: bool) -> tuple[int, int]:
    """Return the offsets from the oracle at which an auction starts and ends; ``scalar`` widens the end."""
    twap_e6 = abs(stats.oracle_twap_e6)
    start_e6 = start_offset_e6(stats, maker, spec, long=long)
    nearest, farthest = _END_DIVISORS.get(spec.tier, _OTHER_END_DIVISORS)
    spread_e6 = maker.long_spread_e6 if long else maker.short_spread_e6
    buffer_e6 = max(stats.mark_std_e6, stats.oracle_std_e6, spread_e6 * twap_e6 // E6) * scalar
    buffer_e6 = min(max(buffer_e6, twap_e6 // nearest), twap_e6 // farthest)
    if long:
        return start_e6, max(stats.ask_twap_e6 + buffer_e6 - stats.oracle_twap_e6, start_e6)
    return start_e6, min(stats.bid_twap_e6 - buffer_e6 - stats.oracle_twap_e6, start_e6)


def market_auction(
    stats: MarketStats,
    maker: Maker,
    spec: PerpSpec,
    oracle_e6: int,
    limit_e6: int,
    buffer_e6: int = START_BUFFER_E6,
    *,
    long: bool,
) -> Auction:
    """Return the auction of a market order, between prices, not beyond a limit other than 0."""
    start_e6, end_e6 = offsets_e6(stats, maker, spec, 2 if limit_e6 else 1, long=long)
    start_e6, end_e6 = _buffered(oracle_e6 + start_e6, oracle_e6 + end_e6, oracle_e6, buffer_e6, long=long)
    if spec.contract == "prediction":
        start_e6, end_e6 = min(start_e6, E6), min(end_e6, E6)
    if limit_e6:
        nearer = min if long else max
        start_e6, end_e6 = nearer(start_e6, limit_e6), nearer(end_e6, limit_e6)
    return start_e6, end_e6, duration_for(abs(end_e6 - start_e6), abs(oracle_e6), spec)


def oracle_auction(
    stats: MarketStats,
    maker: Maker,
    spec: PerpSpec,
    oracle_e6: int,
    offset_e6: int | None,
    buffer_e6: int = START_BUFFER_E6,
    *,
    long: bool,
) -> Auction:
    """Return the auction of an oracle order, between offsets; ``offset_e6`` is its own last one, where it has one."""
    if offset_e6 is None:
        start_e6, end_e6 = offsets_e6(stats, maker, spec, 1, long=long)
    else:
        nearer = min if long else max
        start_e6, end_e6 = nearer(start_offset_e6(stats, maker, spec, long=long), offset_e6), offset_e6
    start_e6, end_e6 = _buffered(start_e6, end_e6, oracle_e6, buffer_e6, long=long)
    return start_e6, end_e6, duration_for(abs(end_e6 - start_e6), abs(oracle_e6), spec)


def trigger_auction(
    order: Order, stats: MarketStats, maker: Maker, spec: PerpSpec, oracle_e6: int, least: int
) -> Auction:
    """Return the auction of a trigger order that fires, ``least`` units long: one that starts beyond the baseline."""
    buffer_e6 = -500 if safe_tier(spec) else -3_500
    if order.kind == "trigger_market":
        start, end, duration = oracle_auction(stats, maker, spec, oracle_e6, None, buffer_e6, long=order.long)
    else:
        limit_e6 = order.price_e6
        start, end, duration = market_auction(stats, maker, spec, oracle_e6, limit_e6, buffer_e6, long=order.long)
    return start, end, max(least, duration)


def _buffered(start_e6: int, end_e6: int, oracle_e6: int, buffer_e6: int, *, long: bool) -> tuple[int, int]:
    """Move an auction's start back by a fraction of the oracle; a negative one moves start and end forward."""
    back_e6 = tdiv(oracle_e6 * buffer_e6, E6)
    moved_e6 = -back_e6 if long else back_e6
    return start_e6 + moved_e6, end_e6 + moved_e6 if buffer_e6 < 0 else end_e6
