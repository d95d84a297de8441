"""Margin of a typical account: three perps, two spot balances; from scratch, and where one price moved.

"As an engine" is what a tick costs with one price moved: a new market in the books, then the monitor's answer.
"""

import time
import timeit
from collections.abc import Callable
from typing import Any

from msgspec import structs

from benchmarks.measure import Result
from drift_engine.core.margin_monitor import MarginMonitor, margin_of
from drift_engine.core.margin_scopes import every, scopes_of
from drift_engine.core.types import Account, EngineState, Market, PerpPosition, PerpSpec, SpotBalance, SpotSpec
from drift_engine.core.units import E6, E9

CALLS, ROUNDS = 5_000, 9
GROUP = "margin"


def main() -> list[Result]:
    account, markets = _account(), _markets()
    return [
        Result(GROUP, "from scratch, both kinds", _us(lambda: margin_of(account, markets, 1)), "µs", 8.0),
        Result(GROUP, "from scratch, strict, by scope", _us(_scopes(account, markets)), "µs"),
        Result(GROUP, "one price moved", _us(_moved(account, markets)), "µs", 0.5),
        Result(GROUP, "one price moved, a lone perp", _us(_moved(_lone(account), markets)), "µs", 0.5),
    ]


def _us(work: Callable[[], Any]) -> float:
    """Return the CPU time of one call in µs, the best of some rounds."""
    return min(timeit.repeat(work, timer=time.process_time, number=CALLS, repeat=ROUNDS)) / CALLS * 1e6


def _scopes(account: Account, markets: dict[str, Market]) -> Callable[[], Any]:
    ask = every("initial")
    return lambda: scopes_of(account, markets, ask)


def _moved(account: Account, markets: dict[str, Market]) -> Callable[[], Any]:
    """Return a tick in which SOL-PERP's price moves."""
    state = EngineState(account=account, markets=dict(markets))
    monitor, books = MarginMonitor(), state.markets
    market = markets["SOL-PERP"]
    prices = [structs.replace(market, oracle_e6=price * E6) for price in (150, 151)]
    monitor.check(state)

    def tick() -> None:
        prices.reverse()
        books["SOL-PERP"] = prices[0]
        monitor.check(state)

    return tick


def _lone(account: Account) -> Account:
    return structs.replace(account, spots=account.spots[:1], perps=account.perps[:1])


def _account() -> Account:
    return Account(
        "USDC",
        (SpotBalance("USDC", 10_000 * E9), SpotBalance("SOL", 5 * E9)),
        (
            PerpPosition("SOL-PERP", -5 * E9, 750 * E6),
            PerpPosition("BTC-PERP", E9 // 100, -1_000 * E6),
            PerpPosition("ETH-PERP", E9, -3_000 * E6),
        ),
    )


def _markets() -> dict[str, Market]:
    perps = [_perp(name, price) for name, price in (("SOL-PERP", 150), ("BTC-PERP", 100_000), ("ETH-PERP", 3_000))]
    return {
        market.name: market for market in (*perps, _spot("USDC", 1, 6, 10_000, 0), _spot("SOL", 150, 9, 8_000, 1_250))
    }


def _perp(name: str, price: int) -> Market:
    asset = name.removesuffix("-PERP")
    facts = (name, 0, asset, "USDC", asset, 10**7, 100, 10**7, 500, 300, 50, 0, 10_000, 7_500, 7_500, 1_000, -200, "B")
    return Market(PerpSpec(*facts), 5, price * E6, 7)


def _spot(name: str, price: int, decimals: int, weight: int, imf: int) -> Market:
    weights = (weight, min(10_000, weight + 1_000), 20_000 - weight, 20_000 - weight)
    facts = (name, 0, name, name, decimals, 1, 1, 1, *weights, imf, 7_500, 22_500, 1_000, 800_000, 100_000, 1_500_000)
    return Market(SpotSpec(*facts), 5, price * E6, 7)
