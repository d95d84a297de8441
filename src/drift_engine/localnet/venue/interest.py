"""Interest on a spot market's deposits and borrows, and what the market remembers of itself.

Source: ``controller/spot_balance.rs`` update_spot_market_cumulative_interest, update_spot_market_twap_stats,
``math/spot_balance.rs`` calculate_accumulated_interest, calculate_utilization. The formulas of rate and growth are
``core.spot_balance``'s, as in the simulated venue. Interest that rounds to nothing is not booked, and its seconds are
not used up.
"""

from msgspec import structs

from drift_engine.core.averages import twap, weighted
from drift_engine.core.spot_balance import YEAR_S, accrue, borrow_rate_e6
from drift_engine.core.types import SpotSpec
from drift_engine.core.units import E6
from drift_engine.localnet.venue.balances import pool_moved, require_vault, totals
from drift_engine.localnet.venue.figures import spot_figures, status_of
from drift_engine.localnet.venue.frame import Frame
from drift_engine.localnet.venue.maps import one_oracle
from drift_engine.localnet.venue.pauses import FUNDING, is_paused, require_open
from drift_engine.localnet.venue.refusals import require
from drift_engine.venues.oracle_readings import Reading
from drift_engine.venues.wire.events.markets import SpotInterestRecord
from drift_engine.venues.wire.spot_market import SpotMarket

_INTEREST_PAUSED = 1
_DAY_S, _HOUR_S, _FIVE_MINUTES_S, _MINUTE_S = 86_400, 3_600, 300, 60
_CLAMPS = (10, 10, 5, 3, 3)  # by asset tier
_IF_FACTOR = E6


def accrued(frame: Frame, market: SpotMarket, reading: Reading | None) -> None:
    """Bring a market's interest and averages up to now."""
    if not market.paused_operations & _INTEREST_PAUSED:
        _accrue(frame, market, frame.now)
    remember(market, reading, frame.slot, frame.now)


def _accrue(frame: Frame, market: SpotMarket, now: int) -> None:
    deposit_e10, borrow_e10 = _growth(market, now)
    if deposit_e10 <= 0 or borrow_e10 <= 1:
        return
    staked_e10 = deposit_e10 * _stakers_e6(market) // _IF_FACTOR
    if deposit_e10 - staked_e10 <= 0:
        return
    market.cumulative_deposit_interest += deposit_e10 - staked_e10
    market.cumulative_borrow_interest += borrow_e10
    market.last_interest_ts = now
    tokens = market.deposit_balance * staked_e10 // int(10 ** (19 - market.decimals))
    market.revenue_pool = pool_moved(market.revenue_pool, market, tokens)
    frame.emit(SpotInterestRecord(ts=now, **{name: getattr(market, name) for name in _TOLD}))


_TOLD = (
    *("market_index", "deposit_balance", "cumulative_deposit_interest", "borrow_balance"),
    *("cumulative_borrow_interest", "optimal_utilization", "optimal_borrow_rate", "max_borrow_rate"),
)


def _stakers_e6(market: SpotMarket) -> int:
    fund = market.insurance_fund
    return fund.total_factor or fund.if_fee_factor


def _growth(market: SpotMarket, now: int) -> tuple[int, int]:
    """Return by how much cumulative interest of deposits and of borrows grows."""
    figures = spot_figures(market)
    used_e6 = utilisation_e6(*totals(market, figures))
    if now <= market.last_interest_ts or used_e6 == 0 or not isinstance(figures.spec, SpotSpec):
        return 0, 0
    rate_e6 = borrow_rate_e6(used_e6, figures.spec, figures.spec.min_rate_e6)
    seconds = now - market.last_interest_ts
    deposits_e10, borrows_e10 = market.cumulative_deposit_interest, market.cumulative_borrow_interest
    earned_e10 = deposits_e10 * (rate_e6 * seconds * used_e6 // E6) // YEAR_S // E6
    return earned_e10, accrue(borrows_e10, rate_e6, seconds, borrow=True) - borrows_e10


def utilisation_e6(deposits: int, borrows: int) -> int:
    """Return how much of what is deposited is borrowed; all of it where nothing is deposited but something owed."""
    if borrows == 0:
        return 0
    return borrows * E6 // deposits if deposits else E6


def remember(market: SpotMarket, reading: Reading | None, slot: int, now: int) -> None:
    """Write down what the market remembers: averages of its balances and of its oracle."""
    since = max(0, now - market.last_twap_ts)
    rest = max(1, _DAY_S - since)
    deposits, borrows = totals(market)
    market.deposit_token_twap = weighted(deposits, market.deposit_token_twap, since, rest)
    market.borrow_token_twap = weighted(borrows, market.borrow_token_twap, since, rest)
    market.utilization_twap = weighted(utilisation_e6(deposits, borrows), market.utilization_twap, since, rest)
    if reading is not None:
        _remember_oracle(market, reading, slot, now, since)
    market.last_twap_ts = now


def _remember_oracle(market: SpotMarket, reading: Reading, slot: int, now: int, since: int) -> None:
    last = market.historical_oracle_data
    price_e6 = clamped(reading.price_e6, last.last_oracle_price_twap, _CLAMPS[market.asset_tier])
    then = last.last_oracle_price_twap_ts
    hour_e6 = twap(price_e6, now, last.last_oracle_price_twap, then, _HOUR_S)
    short_e6 = twap(price_e6, now, last.last_oracle_price_twap_5min, then, _FIVE_MINUTES_S)
    seen = structs.replace(
        last,
        last_oracle_price=reading.price_e6,
        last_oracle_conf=reading.confidence_e6,
        last_oracle_delay=slot - reading.slot,
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
