"""What is held, a row for each position and balance: plain values, ``None`` where a figure is not known."""

from typing import Any

from drift_engine.core.liquidation_price import liquidation_price_e6, spot_liquidation_price_e6
from drift_engine.core.spot_balance import base_e9
from drift_engine.core.types import Account, Market, PerpPosition, SpotBalance
from drift_engine.core.units import E9, notional_e6, tdiv
from drift_engine.core.valuation import PriceUnknownError, perp_value_e6, spot_value_e6

_HOURS_A_DAY = 24
_E12 = 10**12


def positions_status(account: Account, markets: dict[str, Market]) -> list[dict[str, Any]]:
    """Return a row for each perp position, then one for each spot balance.

    ``unrealised_e6`` is measured from the entry, ``unsettled_e6`` is what a settlement would move to the quote balance.
    ``liquidation_distance`` is the fraction the oracle may move until then; ``funding_day_e6`` is a day's funding at
    this hour's rate, positive when received.
    """
    perps = [_perp_row(position, account, markets) for position in account.perps]
    return perps + [_spot_row(balance, account, markets) for balance in account.spots]


def _perp_row(position: PerpPosition, account: Account, markets: dict[str, Market]) -> dict[str, Any]:
    market, held = markets[position.market], position.base_e9
    oracle_e6 = market.oracle_e6
    known = oracle_e6 is not None or not held
    value_e6 = perp_value_e6(position, market) if known else None
    liquidation_e6 = _liquidation_e6(account, markets, position.market) if held and known else None
    return {
        "market": position.market,
        "kind": "perp",
        "quote": False,
        "side": _side(held, "long", "short"),
        "base_e9": held,
        "entry_e6": abs(position.quote_entry_e6) * E9 // abs(held) if held else None,
        "oracle_e6": oracle_e6,
        "mark_e6": market.mark_e6,
        "value_e6": value_e6,
        "unrealised_e6": _unrealised_e6(position, oracle_e6),
        "unsettled_e6": value_e6,
        "liquidation_price_e6": liquidation_e6,
        "liquidation_distance": _distance(liquidation_e6, oracle_e6),
        "funding_e9": market.funding_e9,
        "funding_day_e6": _funding_day_e6(market.funding_e9, held),
    }


def _spot_row(balance: SpotBalance, account: Account, markets: dict[str, Market]) -> dict[str, Any]:
    market, quote = markets[balance.market], account.quote
    held = base_e9(balance, market)
    is_quote = balance.market == quote
    known = market.oracle_e6 is not None or is_quote
    liquidation_e6 = None if is_quote or not known else _spot_liquidation_e6(account, markets, balance.market)
    return {
        "market": balance.market,
        "kind": "spot",
        "quote": is_quote,
        "side": _side(held, "deposit", "borrow"),
        "base_e9": held,
        "entry_e6": None,
        "oracle_e6": market.oracle_e6,
        "mark_e6": market.mark_e6,
        "value_e6": spot_value_e6(balance, market, quote) if known else None,
        "unrealised_e6": None,
        "unsettled_e6": None,
        "liquidation_price_e6": liquidation_e6,
        "liquidation_distance": _distance(liquidation_e6, market.oracle_e6),
        "funding_e9": None,
        "funding_day_e6": None,
    }


def _side(held_e9: int, positive: str, negative: str) -> str:
    return "flat" if not held_e9 else positive if held_e9 > 0 else negative


def _unrealised_e6(position: PerpPosition, oracle_e6: int | None) -> int | None:
    if not position.base_e9:
        return 0
    return None if oracle_e6 is None else notional_e6(position.base_e9, oracle_e6) + position.quote_entry_e6


def _liquidation_e6(account: Account, markets: dict[str, Market], name: str) -> int | None:
    try:
        return liquidation_price_e6(account, markets, name)
    except PriceUnknownError:
        return None


def _spot_liquidation_e6(account: Account, markets: dict[str, Market], name: str) -> int | None:
    try:
        return spot_liquidation_price_e6(account, markets, name)
    except PriceUnknownError:
        return None


def _distance(price_e6: int | None, oracle_e6: int | None) -> float | None:
    return None if price_e6 is None or not oracle_e6 else abs(price_e6 - oracle_e6) / oracle_e6


def _funding_day_e6(rate_e9: int | None, held_e9: int) -> int | None:
    if not held_e9:
        return 0
    return None if rate_e9 is None else tdiv(-held_e9 * rate_e9 * _HOURS_A_DAY, _E12)


def net_delta_e9(account: Account, markets: dict[str, Market]) -> dict[str, int]:
    """Return the net exposure to each asset in base units: perps, deposits and borrows together."""
    deltas: dict[str, int] = {}
    for position in account.perps:
        asset = markets[position.market].spec.asset
        deltas[asset] = deltas.get(asset, 0) + position.base_e9
    for balance in account.spots:
        if balance.market != account.quote:
            asset = markets[balance.market].spec.asset
            deltas[asset] = deltas.get(asset, 0) + base_e9(balance, markets[balance.market])
    return deltas
