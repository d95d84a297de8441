"""Markets and accounts for the tests of core, with figures from the program's tests and its captured markets."""

from collections.abc import Mapping
from typing import Any

from drift_engine.core.types import (
    Account,
    Market,
    MarketStatus,
    PerpPosition,
    PerpSpec,
    PerpTotals,
    SpotBalance,
    SpotSpec,
)
from drift_engine.core.units import E9


def perp_spec(name: str = "SOL-PERP", **changes: Any) -> PerpSpec:
    """SOL-PERP as captured at slot 405286914."""
    asset = name.removesuffix("-PERP")
    facts: dict[str, Any] = {
        "name": name, "index": 0, "asset": asset, "quote": "USDC", "oracle": f"oracle-{asset}",
        "step_e9": 10**7, "tick_e6": 100, "min_order_e9": 10**7, "margin_initial_e4": 500,
        "margin_maintenance_e4": 300, "imf_e6": 50, "upnl_initial_e4": 0, "upnl_maintenance_e4": 10_000,
        "liquidator_fee_e6": 7_500, "insurance_fee_e6": 7_500, "taker_fee_e6": 1_000, "maker_fee_e6": -200, "tier": "B",
    }  # fmt: skip
    return PerpSpec(**{**facts, **changes})


def spot_spec(name: str = "SOL", **changes: Any) -> SpotSpec:
    """SOL as captured; weights of the quote asset are all one."""
    quote = name == "USDC"
    facts: dict[str, Any] = {
        "name": name, "index": 0 if quote else 1, "asset": name, "oracle": f"oracle-{name}",
        "decimals": 6 if quote else 9, "step_e9": 1, "tick_e6": 1, "min_order_e9": 1,
        "asset_initial_e4": 10_000 if quote else 8_000, "asset_maintenance_e4": 10_000 if quote else 9_000,
        "liability_initial_e4": 10_000 if quote else 12_000, "liability_maintenance_e4": 10_000 if quote else 11_000,
        "imf_e6": 0 if quote else 1_250, "liquidator_fee_e6": 7_500, "insurance_fee_e6": 22_500, "taker_fee_e6": 1_000,
        "optimal_utilisation_e6": 800_000, "optimal_rate_e6": 100_000, "max_rate_e6": 1_500_000,
    }  # fmt: skip
    return SpotSpec(**{**facts, **changes})


def perp(price_e6: int | None, status: MarketStatus = "active", cumulative_e9: int = 0, **spec: Any) -> Market:
    """A perp market at a price; one in settlement settles there."""
    facts = perp_spec(**spec)
    totals = PerpTotals(cumulative_e9, expiry_e6=price_e6 or 0) if status == "settlement" else None
    return Market(facts, 5, price_e6, 7, status=status, funding_cumulative_e9=cumulative_e9, totals=totals)


def spot(price_e6: int | None, deposit_e10: int = 10**10, borrow_e10: int = 10**10, **spec: Any) -> Market:
    """A spot market at a price."""
    facts = spot_spec(**spec)
    return Market(facts, 5, price_e6, 7, interest_deposit_e10=deposit_e10, interest_borrow_e10=borrow_e10)


USDC = spot(1_000_000, name="USDC")


def markets(*others: Market) -> dict[str, Market]:
    """These markets and USDC, by name."""
    return {market.name: market for market in (USDC, *others)}


def account(usdc: int = 0, *held: PerpPosition | SpotBalance, ratio_e4: int = 0) -> Account:
    """An account with whole USDC and what else is held."""
    spots = tuple(item for item in held if isinstance(item, SpotBalance))
    quote = (SpotBalance("USDC", usdc * E9),) if usdc else ()
    perps = tuple(item for item in held if isinstance(item, PerpPosition))
    return Account("USDC", (*quote, *spots), perps, ratio_e4)


def replaced(books: Mapping[str, Market], *others: Market) -> dict[str, Market]:
    """The same markets with some replaced."""
    return {**books, **{market.name: market for market in others}}
