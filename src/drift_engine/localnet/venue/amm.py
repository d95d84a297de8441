"""A perp market's view of prices: its own mark, the oracle, and their averages; brought up to date with each slot.

The mark is the price at the vAMM's reserves, which lie balanced, so it is the peg; the spread around it is the modelled
book's half spread. So what the program compares with the vAMM (post-only orders, auctions, funding) meets the same
prices as in the simulated venue. Averages are the program's own.

Source: ``math/amm.rs`` update_oracle_price_twap, calculate_new_oracle_price_twap, normalise_oracle_price,
update_mark_twap, update_amm_mark_std, update_amm_oracle_std; ``state/perp_market.rs`` bid_price, ask_price,
get_sanitize_clamp_denominator; ``controller/repeg.rs`` _update_amm. Bid and ask of an average are the vAMM's, as the
simulated book has no orders of others.
"""

from msgspec import structs

from drift_engine.core.oracle_validity import accepts
from drift_engine.core.twap import new_twap, rolling_sum, weighted_average
from drift_engine.core.units import E6, tdiv
from drift_engine.localnet.venue.frame import Frame
from drift_engine.localnet.venue.interest import clamped
from drift_engine.localnet.venue.maps import load_maps
from drift_engine.localnet.venue.pauses import require_open
from drift_engine.localnet.venue.refusals import require
from drift_engine.venues.translate import oracles as translate_oracles
from drift_engine.venues.wire.oracles import OraclePrice
from drift_engine.venues.wire.perp_market import PerpMarket
from drift_engine.venues.wire.records import OracleGuardRails

_CLAMPS = (10, 5, 2, 3, 3, 3)  # by contract tier
_FIVE_MINUTES_S, _HOUR_S, _MINUTE_S = 300, 3_600, 60
_MOST_CRANKED = 5
Sides = tuple[int, int]
"""Best bid and ask."""


def reserve_price_e6(market: PerpMarket) -> int:
    """Return the mark: the price at the vAMM's reserves."""
    return market.quote_asset_reserve * market.peg_multiplier // market.base_asset_reserve


def bid_e6(market: PerpMarket) -> int:
    """Return the vAMM's bid."""
    return reserve_price_e6(market) * (E6 - market.short_spread) // E6


def ask_e6(market: PerpMarket) -> int:
    """Return the vAMM's ask."""
    return reserve_price_e6(market) * (E6 + market.long_spread) // E6


def too_divergent(market: PerpMarket, price_e6: int, rails: OracleGuardRails) -> bool:
    """Return whether a price is too far from the oracle's 5-minute average (is_oracle_mark_too_divergent)."""
    return abs(_apart_e6(market, price_e6)) > max(rails.mark_oracle_percent_divergence, E6 // 10)


def require_within_band(market: PerpMarket, oracle_e6: int, rails: OracleGuardRails) -> None:
    """Refuse a market whose mark or oracle, whichever is farther out, is too far from the average.

    Source: ``controller/orders.rs`` validate_market_within_price_band.
    """
    mark_e6 = reserve_price_e6(market)
    farther = max(oracle_e6, mark_e6, key=lambda price_e6: abs(_apart_e6(market, price_e6)))
    require(not too_divergent(market, farther, rails), "PriceBandsBreached", "price pushed outside bounds")


def _apart_e6(market: PerpMarket, price_e6: int) -> int:
    average_e6 = market.historical_oracle_data.last_oracle_price_twap_5min
    return tdiv((price_e6 - average_e6) * E6, price_e6)


def crank(market: PerpMarket, reading: OraclePrice, rails: OracleGuardRails, slot: int, now: int) -> None:
    """Bring a market's oracle averages up to now, and note the slot where the oracle is fresh."""
    validity = translate_oracles.validity(market, reading, rails)
    if accepts("update_amm_curve", validity):
        remember_oracle(market, reading, slot, now)
    market.last_oracle_valid = accepts("fill_amm_low_risk", validity)
    if market.last_oracle_valid:
        market.last_update_slot = slot


def remember_oracle(market: PerpMarket, reading: OraclePrice, slot: int, now: int) -> int:
    """Average the oracle in, and return its hourly average."""
    last, clamp = market.historical_oracle_data, _CLAMPS[market.contract_tier]
    mark_e6 = reserve_price_e6(market)
    price_e6 = clamped(_towards(reading, mark_e6), last.last_oracle_price_twap, clamp)
    if price_e6 <= 0 or reading.price_e6 <= 0:
        return last.last_oracle_price_twap
    hour_e6 = _oracle_twap(market, now, price_e6, market.funding_period)
    short_e6 = _oracle_twap(market, now, price_e6, _FIVE_MINUTES_S)
    market.last_oracle_normalised_price = price_e6
    market.last_oracle_conf_pct = reading.confidence_e6 * E6 // mark_e6
    market.last_oracle_reserve_price_spread_pct = tdiv((mark_e6 - reading.price_e6) * E6, mark_e6)
    distance_e6 = _distance(price_e6, last.last_oracle_price_twap, last.last_oracle_price_twap_5min)
    market.oracle_std = _deviation(market.oracle_std, distance_e6, now - last.last_oracle_price_twap_ts)
    market.historical_oracle_data = structs.replace(
        last,
        last_oracle_price=reading.price_e6,
        last_oracle_delay=reading.delay_slots,
        last_oracle_price_twap=hour_e6,
        last_oracle_price_twap_5min=short_e6,
        last_oracle_price_twap_ts=now,
    )
    return hour_e6


def remember_mark(market: PerpMarket, now: int, bid_ask_e6: Sides, at_e6: int | None = None) -> int:
    """Average best bid and ask in, and return the mark's hourly average; ``at_e6`` is the price of a trade."""
    clamp, then, period = _CLAMPS[market.contract_tier], market.last_mark_price_twap_ts, market.funding_period
    last_bid, last_ask = _corrected(market)
    bid = clamped(bid_ask_e6[0], market.last_bid_price_twap, clamp)
    ask = clamped(bid_ask_e6[1], market.last_ask_price_twap, clamp)
    market.last_bid_price_twap = new_twap(bid, now, last_bid, then, period)
    market.last_ask_price_twap = new_twap(ask, now, last_ask, then, period)
    at_e6 = sum(bid_ask_e6) // 2 if at_e6 is None else at_e6
    distance_e6 = _distance(at_e6, market.last_mark_price_twap, market.last_mark_price_twap_5min)
    market.mark_std = _deviation(market.mark_std, distance_e6, now - then)
    market.last_mark_price_twap = (market.last_bid_price_twap + market.last_ask_price_twap) // 2
    market.last_mark_price_twap_5min = new_twap(
        (bid + ask) // 2, now, market.last_mark_price_twap_5min, then, _FIVE_MINUTES_S
    )
    market.last_mark_price_twap_ts = now
    return market.last_mark_price_twap


def quoted(market: PerpMarket) -> Sides:
    """Return the vAMM's bid and ask."""
    return bid_e6(market), ask_e6(market)


def estimated(market: PerpMarket, at_e6: int, *, long: bool) -> Sides:
    """Return best bid and ask as the program guesses them from a trade (estimate_best_bid_ask_price)."""
    oracle_e6 = market.historical_oracle_data.last_oracle_price
    premium_e6, (bid, ask) = at_e6 - oracle_e6, quoted(market)
    low_e6 = high_e6 = at_e6
    if premium_e6 > 0:
        aside_e6 = min(market.base_spread, market.short_spread // 2, premium_e6)
        low_e6 = max(0, oracle_e6 - aside_e6, market.order_tick_size)
    elif premium_e6 < 0:
        high_e6 = oracle_e6 + min(market.base_spread, market.long_spread // 2, -premium_e6)
    low_e6, high_e6 = max(low_e6, bid), min(high_e6, ask)
    return (low_e6, max(at_e6, low_e6)) if long else (min(at_e6, high_e6), high_e6)


def update_amms(frame: Frame, market_indexes: tuple[int, ...]) -> None:
    """Bring several markets up to date; anyone may ask."""
    require_open(frame.state())
    require(len(market_indexes) <= _MOST_CRANKED, "DefaultError", "Too many markets passed, max 5")
    maps = load_maps(frame, writable_perps=market_indexes)
    for market in maps.perps.values():
        crank(market, maps.price(market), frame.state().oracle_guard_rails, frame.slot, frame.now)


def _towards(reading: OraclePrice, mark_e6: int) -> int:
    """Return the oracle moved towards the mark by no more than its confidence (normalise_oracle_price)."""
    near_e6, oracle_e6 = mark_e6 // 4_000, reading.price_e6
    if mark_e6 > oracle_e6:
        return min(max(mark_e6 - near_e6, oracle_e6), oracle_e6 + reading.confidence_e6)
    return max(min(mark_e6 + near_e6, oracle_e6), oracle_e6 - reading.confidence_e6)


def _oracle_twap(market: PerpMarket, now: int, price_e6: int, period: int) -> int:
    last = market.historical_oracle_data
    hourly = period == market.funding_period
    last_e6 = last.last_oracle_price_twap if hourly else last.last_oracle_price_twap_5min
    mark_e6 = market.last_mark_price_twap if hourly else market.last_mark_price_twap_5min
    since = max(0, now - last.last_oracle_price_twap_ts)
    silent = market.last_mark_price_twap_ts - last.last_oracle_price_twap_ts
    if silent > 0:
        price_e6 = weighted_average(mark_e6, price_e6, silent, max(1, period - silent))
    return weighted_average(price_e6, last_e6, since, max(0, period - since))


def _corrected(market: PerpMarket) -> tuple[int, int]:
    """Return last bid and ask averages, shrunk towards the oracle's where no trade was seen for long."""
    last = market.historical_oracle_data
    silent = last.last_oracle_price_twap_ts - market.last_mark_price_twap_ts
    bid, ask, oracle_e6 = market.last_bid_price_twap, market.last_ask_price_twap, last.last_oracle_price_twap
    if silent <= max(market.funding_period // 60, _MINUTE_S):
        return bid, ask
    rest = max(0, market.funding_period - silent)
    return _shrunk(oracle_e6, bid, silent, rest), _shrunk(oracle_e6, ask, silent, rest)


def _shrunk(oracle_e6: int, last_e6: int, silent: int, rest: int) -> int:
    if rest == 0:
        return oracle_e6
    unit = (oracle_e6 > last_e6) - (oracle_e6 < last_e6)
    average = (oracle_e6 * silent + last_e6 * rest) // (silent + rest)
    return average if average == 0 and unit < 0 else average + unit


def _distance(price_e6: int, hour_e6: int, short_e6: int) -> int:
    return max(abs(price_e6 - hour_e6), abs(price_e6 - short_e6))


def _deviation(last_e6: int, distance_e6: int, since: int) -> int:
    """Return a deviation's rolling sum over an hour (calculate_rolling_sum)."""
    return rolling_sum(last_e6, distance_e6, max(_HOUR_S, since), _HOUR_S)
