"""The program's own market maker (vAMM) as orders meet it: its prices, and how much it would trade up to a price.

Sources: ``state/perp_market.rs`` (reserve_price, bid_price, ask_price, last_ask_premium, last_bid_discount,
get_fallback_price), ``math/amm.rs`` calculate_price and calculate_amm_available_liquidity, ``math/amm_spread.rs``
calculate_base_asset_amount_to_trade_to_price.
"""

from math import isqrt

from msgspec import Struct

from drift_engine.core.orders.stats import MarketStats
from drift_engine.core.orders.steps import size_on_step
from drift_engine.core.units import E6, tdiv


class Maker(Struct, frozen=True, gc=False, kw_only=True):
    """The vAMM of a perp market. Reserves and ``sqrt_k`` are in 1e9, peg, spreads and offset (of the price) in 1e6.

    ``bid_base_reserve`` and ``ask_base_reserve`` are the reserves after the spread, which a buyer (ask) and a seller
    (bid) trade from.
    """

    base_reserve: int
    quote_reserve: int
    sqrt_k: int
    peg_e6: int
    min_base_reserve: int = 0
    max_base_reserve: int = 0
    ask_base_reserve: int = 0
    bid_base_reserve: int = 0
    base_spread_e6: int = 0
    long_spread_e6: int = 0
    short_spread_e6: int = 0
    reference_offset_e6: int = 0
    max_fill_fraction: int = 1

    @property
    def price_e6(self) -> int:
        """The price between bid and ask: at the reserves."""
        return self.quote_reserve * self.peg_e6 // self.base_reserve

    @property
    def ask_e6(self) -> int:
        """The price at which it sells."""
        return self.price_e6 * (E6 + self.long_spread_e6 + self.reference_offset_e6) // E6

    @property
    def bid_e6(self) -> int:
        """The price at which it buys."""
        return self.price_e6 * (E6 - self.short_spread_e6 + self.reference_offset_e6) // E6


def fills_up_to_e9(maker: Maker, price_e6: int, *, long: bool) -> int:
    """Return how much it trades with a taker of one side before its price is ``price_e6``, which must be positive."""
    reserve = isqrt(maker.sqrt_k * maker.sqrt_k * E6 // price_e6 * maker.peg_e6 // E6)
    before = maker.base_reserve
    if maker.base_spread_e6 > 0:
        before = maker.ask_base_reserve if long else maker.bid_base_reserve
    sells = reserve > before
    return 0 if sells == long else abs(reserve - before)


def liquidity_e9(maker: Maker, step_e9: int, *, long: bool) -> int:
    """Return the most it trades with a taker of one side in one fill: a fraction of its reserve, half of the side."""
    side = maker.base_reserve - maker.min_base_reserve if long else maker.max_base_reserve - maker.base_reserve
    return size_on_step(min(maker.base_reserve // maker.max_fill_fraction, max(0, side) // 2), step_e9)


def fallback_price_e6(
    maker: Maker,
    stats: MarketStats,
    oracle_e6: int,
    seconds_left: int,
    step_e9: int,
    min_order_e9: int,
    *,
    long: bool,
) -> int:
    """Return the price of a market order without a limit after its auction, ``seconds_left`` before it expires.

    Near the vAMM where that has something to trade, otherwise beyond the oracle by the book's mean premium.
    """
    if liquidity_e9(maker, step_e9, long=long) >= min_order_e9:
        price_e6, share = maker.ask_e6 if long else maker.bid_e6, min(max(seconds_left * 20, 100), 200)
    else:
        premium_e6 = (stats.ask_twap_e6 if long else stats.bid_twap_e6) - stats.oracle_twap_e6
        price_e6 = oracle_e6 + (max(premium_e6, 0) if long else min(premium_e6, 0))
        share = min(max(seconds_left * 2, 10), 50)
        more_e6 = tdiv(oracle_e6, share)
        return price_e6 + more_e6 if long else max(0, price_e6 - more_e6)
    return price_e6 + price_e6 // share if long else price_e6 - price_e6 // share
