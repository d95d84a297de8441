"""Interest on a spot market's deposits and borrows, and what the market remembers of itself.

Source: ``controller/spot_balance.rs`` update_spot_market_cumulative_interest, update_spot_market_twap_stats,
``math/spot_balance.rs`` calculate_accumulated_interest, calculate_utilization. The formulas of rate and growth are
``core.spot_balance``'s, as in the simulated venue. Interest that rounds to nothing is not booked, and its seconds are
not used up.
"""

from msgspec import structs

from drift_engine.core.interest import accrued as grown
from drift_engine.core.interest import utilisation_e6
from drift_engine.core.twap import new_twap, weighted_average
from drift_engine.localnet.venue.balances import pool_moved, require_vault, totals
from drift_engine.localnet.venue.figures import spot_figures, status_of
from drift_engine.localnet.venue.frame import Frame
from drift_engine.localnet.venue.maps import one_oracle
from drift_engine.localnet.venue.pauses import FUNDING, is_paused, require_open
from drift_engine.localnet.venue.refusals import require
from drift_engine.venues.snapshot.market_reads import withheld_e6
from drift_engine.venues.wire.events.markets import SpotInterestRecord
from drift_engine.venues.wire.oracles import OraclePrice
from drift_engine.venues.wire.spot_market import SpotMarket

_INTEREST_PAUSED = 1
_DAY_S, _HOUR_S, _FIVE_MINUTES_S, _MINUTE_S = 86_400, 3_600, 300, 60
_CLAMPS = (10, 10, 5, 3, 3)  # by asset tier


def accrued(frame: Frame, market: SpotMarket, reading: OraclePrice | None) -> None:
    """Bring a market's interest and averages up to now."""
    if not market.paused_operations & _INTEREST_PAUSED:
        _accrue(frame, market, frame.now)
    remember(market, reading, frame.slot, frame.now)


def _accrue(frame: Frame, market: SpotMarket, now: int) -> None:
    before = spot_figures(market)
    after = grown(before, now, withheld_e6(market))
    if after is before:
        return
    staked_e10 = grown(before, now).interest_deposit_e10 - after.interest_deposit_e10
    market.cumulative_deposit_interest = after.interest_deposit_e10
    market.cumulative_borrow_interest = after.interest_borrow_e10
    market.last_interest_ts = now
    tokens = market.deposit_balance * staked_e10 // int(10 ** (19 - market.decimals))
    market.revenue_pool = pool_moved(market.revenue_pool, market, tokens)
    frame.emit(SpotInterestRecord(ts=now, **{name: getattr(market, name) for name in _TOLD}))


_TOLD = (
    *("market_index", "deposit_balance", "cumulative_deposit_interest", "borrow_balance"),
    *("cumulative_borrow_interest", "optimal_utilization", "optimal_borrow_rate", "max_borrow_rate"),
)


def remember(market: SpotMarket, reading: OraclePrice | None, slot: int, now: int) -> None:
    """Write down what the market remembers: averages of its balances and of its oracle."""
    since = max(0, now - market.last_twap_ts)
    rest = max(1, _DAY_S - since)
    deposits, borrows = totals(market)
    market.deposit_token_twap = weighted_average(deposits, market.deposit_token_twap, since, rest)
    market.borrow_token_twap = weighted_average(borrows, market.borrow_token_twap, since, rest)
    market.utilization_twap = weighted_average(utilisation_e6(deposits, borrows), market.utilization_twap, since, rest)
    if reading is not None:
        _remember_oracle(market, reading, slot, now, since)
    market.last_twap_ts = now


def _remember_oracle(market: SpotMarket, reading: OraclePrice, slot: int, now: int, since: int) -> None:
    last = market.historical_oracle_data
    price_e6 = clamped(reading.price_e6, last.last_oracle_price_twap, _CLAMPS[market.asset_tier])
    then = last.last_oracle_price_twap_ts
    hour_e6 = new_twap(price_e6, now, last.last_oracle_price_twap, then, _HOUR_S)
    short_e6 = new_twap(price_e6, now, last.last_oracle_price_twap_5min, then, _FIVE_MINUTES_S)
    seen = structs.replace(
        last,
        last_oracle_price=reading.price_e6,
        last_oracle_conf=reading.confidence_e6,
        last_oracle_delay=reading.delay_slots,
    )
    if hour_e6 != last.last_oracle_price_twap or since >= _MINUTE_S:
        seen = structs.replace(
            seen,
            last_oracle_price_twap=hour_e6,
            last_oracle_price_twap_5min=short_e6,
            last_oracle_price_twap_ts=now,
        )
    market.historical_oracle_data = seen


def clamped(price_e6: int, average_e6: int, denominator: int) -> int:
    """Return a price no farther from its average than a part of it (``math/amm.rs`` sanitize_new_price)."""
    if average_e6 == 0 or denominator == 0:
        return price_e6
    band_e6 = abs(average_e6) // denominator
    return max(average_e6 - band_e6, min(average_e6 + band_e6, price_e6))


def update_spot_market_cumulative_interest(frame: Frame) -> None:
    """Bring one market's interest up to now; anyone may ask."""
    market, address = frame.accounts.spot(frame.key("spot_market")), frame.key("oracle")
    require(status_of(market) != "delisted", "MarketDelisted")
    require_open(frame.state())
    require(market.oracle == address, "InvalidOracle", "not valid_oracle_for_spot_market")
    reading = one_oracle(frame, address).price(market)
    if is_paused(frame.state(), FUNDING):
        remember(market, reading, frame.slot, frame.now)
    else:
        accrued(frame, market, reading)
    require_vault(market, frame.ledger.token_amount(frame.key("spot_market_vault")))
