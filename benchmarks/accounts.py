"""Drift v2 accounts to decode, with figures such as the chain holds: the same bytes for us and for the peer."""

from struct import Struct

from drift_engine.venues.programs import DRIFT_V2
from drift_engine.venues.wire.accounts import blank
from drift_engine.venues.wire.oracle_accounts import PythLazerOracle
from drift_engine.venues.wire.oracles import PRICE_UPDATE_HEAD
from drift_engine.venues.wire.perp_market import PerpMarket
from drift_engine.venues.wire.records import HistoricalOracleData, PoolBalance
from drift_engine.venues.wire.spot_market import SpotMarket
from drift_engine.venues.wire.user import Order, PerpPosition, SpotPosition, User


def user(perps: int, spots: int, orders: int) -> bytes:
    """Return a sub-account that holds so many positions, balances and open orders."""
    view = blank(DRIFT_V2, User)
    view.name = "Main Account"
    view.total_deposits, view.last_active_slot, view.next_order_id = 25_000_000_000, 405_286_914, 1_234
    for slot in range(spots):
        view.put_spot(slot, SpotPosition(scaled_balance=12_345_678_901 + slot, market_index=slot))
    for slot in range(perps):
        view.put_perp(slot, _position(slot))
    for slot in range(orders):
        view.put_order(slot, _order(slot))
    return bytes(view.data)


def perp_market() -> bytes:
    """Return a perp market."""
    view = blank(DRIFT_V2, PerpMarket)
    view.name, view.market_index, view.status = "SOL-PERP", 0, 1
    view.historical_oracle_data = _history()
    view.base_asset_reserve = view.quote_asset_reserve = view.sqrt_k = 123_456_789_012_345
    view.peg_multiplier, view.base_asset_amount_with_amm = 88_000_000, -1_234_567_890_123
    view.cumulative_funding_rate_long, view.cumulative_funding_rate_short = 22_334_455_667, 22_334_455_001
    view.last_mark_price_twap = view.last_bid_price_twap = view.last_ask_price_twap = 88_123_456
    view.margin_ratio_initial, view.margin_ratio_maintenance, view.order_step_size = 500, 300, 10_000_000
    view.pnl_pool = view.fee_pool = PoolBalance(scaled_balance=1_234_567_890_123_456)
    return bytes(view.data)


def spot_market() -> bytes:
    """Return a spot market."""
    view = blank(DRIFT_V2, SpotMarket)
    view.name, view.market_index, view.decimals, view.status = "USDC", 0, 6, 1
    view.historical_oracle_data = _history()
    view.deposit_balance, view.borrow_balance = 123_456_789_012_345_678, 98_765_432_109_876_543
    view.cumulative_deposit_interest, view.cumulative_borrow_interest = 11_740_538_926, 12_740_538_926
    view.initial_asset_weight = view.maintenance_asset_weight = 10_000
    return bytes(view.data)


def lazer_oracle() -> bytes:
    """Return a Pyth Lazer oracle."""
    view = blank(DRIFT_V2, PythLazerOracle)
    view.price, view.exponent, view.conf, view.posted_slot = 8_812_345_678, -8, 1_234_567, 405_286_914
    return bytes(view.data)


def pull_oracle() -> bytes:
    """Return a Pyth pull oracle."""
    message = Struct("<32xqQiqqqQQ").pack(8_812_345_678, 1_234_567, -8, 1_774_000_000, 1_773_999_999, 1, 1, 405_286_914)
    return PRICE_UPDATE_HEAD + bytes(32) + b"\1" + message


def _position(slot: int) -> PerpPosition:
    return PerpPosition(
        last_cumulative_funding_rate=22_334_455_667,
        base_asset_amount=-1_500_000_000,
        quote_asset_amount=132_000_000,
        quote_break_even_amount=131_500_000,
        quote_entry_amount=131_900_000,
        settled_pnl=-5_000_000,
        market_index=slot,
        open_orders=1,
    )


def _order(slot: int) -> Order:
    return Order(
        slot=405_286_914,
        price=88_000_000 + slot,
        base_asset_amount=1_500_000_000,
        max_ts=1_774_000_000,
        order_id=1_200 + slot,
        market_index=slot % 8,
        status=1,
        order_type=1,
        market_type=1,
        direction=slot % 2,
        auction_duration=10,
    )


def _history() -> HistoricalOracleData:
    return HistoricalOracleData(88_123_456, 12_345, 2, 88_100_000, 88_110_000, 1_774_000_000)
