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

from drift_engine.core.averages import twap, weighted
from drift_engine.core.units import E6
from drift_engine.localnet.venue.frame import Frame
from drift_engine.localnet.venue.interest import clamped
from drift_engine.localnet.venue.maps import load_maps
from drift_engine.localnet.venue.oracles import validity_of
from drift_engine.localnet.venue.pauses import require_open
from drift_engine.localnet.venue.refusals import require
from drift_engine.venues.oracle_readings import Reading
from drift_engine.venues.wire.perp_market import PerpMarket
from drift_engine.venues.wire.records import OracleGuardRails

_CLAMPS = (10, 5, 2, 3, 3, 3)  # by contract tier
_FIVE_MINUTES_S, _HOUR_S, _MINUTE_S = 300, 3_600, 60
_MOST_CRANKED = 5


def reserve_price_e6(market: PerpMarket) -> int:
    """Return the mark: the price at the vAMM's reserves."""
    return market.quote_asset_reserve * market.peg_multiplier // market.base_asset_reserve


def bid_e6(market: PerpMarket) -> int:
    """Return the vAMM's bid."""
    return reserve_price_e6(market) * (E6 - market.short_spread) // E6


def ask_e6(market: PerpMarket) -> int:
    """Return the vAMM's ask."""
    return reserve_price_e6(market) * (E6 + market.long_spread) // E6


def crank(market: PerpMarket, reading: Reading, rails: OracleGuardRails, slot: int, now: int) -> None:
    """Bring a market's oracle averages up to now, and note the slot where the oracle is fresh."""
    validity = validity_of(market, reading, slot, rails)
    if validity != "NonPositive":
        remember_oracle(market, reading, slot, now)
    market.last_oracle_valid = validity == "Valid"
    if validity == "Valid":
        market.last_update_slot = slot


def remember_oracle(market: PerpMarket, reading: Reading, slot: int, now: int) -> int:
    """Average the oracle in, and return its hourly average."""
    last, clamp = market.historical_oracle_data, _CLAMPS[market.contract_tier]
    mark_e6 = reserve_price_e6(market)
    price_e6 = clamped(_towards(reading, mark_e6), last.last_oracle_price_twap, clamp)
    if price_e6 <= 0 or reading.price_e6 <= 0:
        return last.last_oracle_price_twap
    hour_e6 = _oracle_twap(market, now, price_e6, market.funding_period)
    short_e6 = _oracle_twap(market, now, price_e6, _FIVE_MINUTES_S)
    market.last_oracle_normalised_price = price_e6
    market.last_oracle_conf_pct = reading.confidence_e6 * E6 // mark_e6 if mark_e6 else 0
    market.last_oracle_reserve_price_spread_pct = (mark_e6 - reading.price_e6) * E6 // mark_e6 if mark_e6 else 0
    distance_e6 = _distance(price_e6, last.last_oracle_price_twap, last.last_oracle_price_twap_5min)
    market.oracle_std = _deviation(market.oracle_std, distance_e6, now - last.last_oracle_price_twap_ts)
    market.historical_oracle_data = structs.replace(
        last,
        last_oracle_price=reading.price_e6,
        last_oracle_delay=slot - reading.slot,
        last_oracle_price_twap=hour_e6,
        last_oracle_price_twap_5min=short_e6,
        last_oracle_price_twap_ts=now,
    )
    return hour_e6


def remember_mark(market: PerpMarket, now: int, at_e6: int | None = None) -> int:
    """Average bid and ask in, and return the mark's hourly average; ``at_e6`` is the price of a trade."""
    clamp, then, period = _CLAMPS[market.contract_tier], market.last_mark_price_twap_ts, market.funding_period
    last_bid, last_ask = _corrected(market)
    bid = clamped(bid_e6(market), market.last_bid_price_twap, clamp)
    ask = clamped(ask_e6(market), market.last_ask_price_twap, clamp)
    market.last_bid_price_twap = twap(bid, now, last_bid, then, period)
    market.last_ask_price_twap = twap(ask, now, last_ask, then, period)
    distance_e6 = _distance(
        at_e6 or (bid_e6(market) + ask_e6(market)) // 2, market.last_mark_price_twap, market.last_mark_price_twap_5min
    )
    market.mark_std = _deviation(market.mark_std, distance_e6, now - then)
    market.last_mark_price_twap = (market.last_bid_price_twap + market.last_ask_price_twap) // 2
    market.last_mark_price_twap_5min = twap(
        (bid + ask) // 2, now, market.last_mark_price_twap_5min, then, _FIVE_MINUTES_S
    )
    market.last_mark_price_twap_ts = now
    return market.last_mark_price_twap


def update_amms(frame: Frame, market_indexes: tuple[int, ...]) -> None:
    """Bring several markets up to date; anyone may ask."""
    require_open(frame.state())
    require(len(market_indexes) <= _MOST_CRANKED, "DefaultError", "Too many markets passed, max 5")
    maps = load_maps(frame, writable_perps=market_indexes)
    for market in maps.perps.values():
        crank(market, maps.price(market), frame.state().oracle_guard_rails, frame.slot, frame.now)


def _towards(reading: Reading, mark_e6: int) -> int:
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
        price_e6 = weighted(mark_e6, price_e6, silent, max(1, period - silent))
    return weighted(price_e6, last_e6, since, max(0, period - since))


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
    faded = max(_HOUR_S, since)
    return last_e6 * max(0, _HOUR_S - faded) // _HOUR_S + distance_e6
