"""What a perp market remembers of its prices, and the price that trigger orders look at.

Source: ``state/perp_market.rs`` get_trigger_price, get_last_funding_basis and clamp_trigger_price.
"""

from msgspec import Struct

from drift_engine.core.units import E6, E9, tdiv

_FUNDING_OFFSET_E9 = E9 // 5_000
_TRIGGER_BANDS = {"A": 500, "B": 500, "C": 100}
_OTHER_BAND = 40


class MarketStats(Struct, frozen=True, gc=False, kw_only=True):
    """What a perp market remembers of its prices: means of mark, bid, ask and oracle, deviations, volume of a day.

    Times are unix seconds; ``last_fill_e6`` and the funding figures are what trigger prices look at.
    """

    mark_twap_5min_e6: int = 0
    mark_twap_s: int = 0
    bid_twap_e6: int = 0
    ask_twap_e6: int = 0
    oracle_twap_e6: int = 0
    oracle_twap_5min_e6: int = 0
    oracle_twap_s: int = 0
    oracle_last_e6: int = 0
    mark_std_e6: int = 0
    oracle_std_e6: int = 0
    volume_24h_e6: int = 0
    last_fill_e6: int = 0
    funding_oracle_twap_e6: int = 0
    funding_rate_e9: int = 0
    funding_s: int = 0
    funding_period_s: int = 3_600
    prelaunch: bool = False


def trigger_price_e6(stats: MarketStats, tier: str, oracle_e6: int, now_s: int, *, median: bool = True) -> int:
    """Return the price that trigger orders of a market are held against, near the oracle.

    It is the median of the last fill (of the oracle where there was none), the oracle with the mean basis of five
    minutes, and the oracle with what is left of the last funding rate; the oracle alone where ``median`` is off.
    """
    if not median:
        return oracle_e6
    basis_e6 = oracle_e6 + stats.mark_twap_5min_e6 - stats.oracle_twap_5min_e6
    funding_e6 = oracle_e6 + _funding_basis_e6(stats, oracle_e6, now_s)
    middle_e6 = sorted((stats.last_fill_e6 or oracle_e6, funding_e6, basis_e6))[1]
    band_e6 = oracle_e6 // _TRIGGER_BANDS.get(tier, _OTHER_BAND)
    return min(max(middle_e6, oracle_e6 - band_e6), oracle_e6 + band_e6)


def _funding_basis_e6(stats: MarketStats, oracle_e6: int, now_s: int) -> int:
    """Return what the last funding rate, less its constant part, still says of the basis until the next update."""
    if stats.funding_oracle_twap_e6 <= 0:
        return 0
    rate = tdiv(stats.funding_rate_e9 * E6, stats.funding_oracle_twap_e6) * 24 - _FUNDING_OFFSET_E9
    left_s = stats.funding_period_s - min(now_s - stats.funding_s, stats.funding_period_s)
    return tdiv(tdiv(tdiv(oracle_e6 * rate, E6) * left_s, stats.funding_period_s), 1_000)
