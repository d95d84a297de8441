"""Margin of a typical account: three perps, two spot balances; from scratch, and where one price moved.

One price moved is asked in two ways: by ``margin_at``, which says collateral and requirement of both kinds at any price
of one market, and as an engine asks, with a new market in its books and all of ``Margin`` for an answer. Calls are made
in a loop of their own, so that what is around them costs next to nothing.
"""

import time
from collections.abc import Callable
from typing import Any

from msgspec import structs

from benchmarks.measure import Result
from drift_engine.core.margin_at_price import margin_at
from drift_engine.core.margin_monitor import MarginMonitor, margin_of
from drift_engine.core.margin_scopes import every, scopes_of
from drift_engine.core.types import Account, EngineState, Market, PerpPosition, PerpSpec, SpotBalance, SpotSpec
from drift_engine.core.units import E6, E9

CALLS, ROUNDS = 2_000, 60
GROUP = "margin"
MOVED, PRICES = "SOL-PERP", (150 * E6, 151 * E6)

Calls = Callable[[int], Any]


def main() -> list[Result]:
    account, markets = _account(), _markets()
    return [
        Result(GROUP, "from scratch, both kinds", _us(_scratch(account, markets)), "µs", 8.0),
        Result(GROUP, "from scratch, strict, by scope", _us(_scopes(account, markets)), "µs"),
        Result(GROUP, "one price moved, both kinds", _us(_at_prices(account, markets)), "µs", 0.5),
        Result(GROUP, "one price moved, both kinds, and health", _us(_at_prices(account, markets, health=True)), "µs"),
        Result(GROUP, "one price moved in the engine's books", _us(_moved(account, markets)), "µs", 0.5),
        Result(GROUP, "the same, a lone perp", _us(_moved(_lone(account), markets)), "µs", 0.5),
    ]


def _us(calls: Calls) -> float:
    """Return the CPU time of one call in µs, the best of some rounds."""
    spent = []
    for _ in range(ROUNDS):
        begun = time.process_time_ns()
        calls(CALLS)
        spent.append(time.process_time_ns() - begun)
    return min(spent) / CALLS / 1_000


def _scratch(account: Account, markets: dict[str, Market]) -> Calls:
    def calls(count: int) -> None:
        for _ in range(count):
            margin_of(account, markets, 1)

    return calls


def _scopes(account: Account, markets: dict[str, Market]) -> Calls:
    def calls(count: int) -> None:
        ask = every("initial")
        for _ in range(count):
            scopes_of(account, markets, ask)

    return calls


def _at_prices(account: Account, markets: dict[str, Market], *, health: bool = False) -> Calls:
    """Return the question for the account's margin at one price after the other."""
    at = margin_at(account, markets, MOVED)

    def calls(count: int) -> None:
        for _ in range(count // len(PRICES)):
            for price_e6 in PRICES:
                at(price_e6)

    def healths(count: int) -> None:
        for _ in range(count // len(PRICES)):
            for price_e6 in PRICES:
                _ = at(price_e6).health_e4

    return healths if health else calls


def _moved(account: Account, markets: dict[str, Market]) -> Calls:
    """Return ticks in which one price moves."""
    state = EngineState(account=account, markets=dict(markets))
    monitor, books = MarginMonitor(), state.markets
    moved = [structs.replace(markets[MOVED], oracle_e6=price_e6) for price_e6 in PRICES]

    def calls(count: int) -> None:
        for _ in range(count // len(moved)):
            for market in moved:
                books[MOVED] = market
                monitor.check(state)

    return calls


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
