"""What the engine tells people: plain dictionaries, made from the state and nothing else.

Figures are exact integers with their scale in the name, next to a few plain ones for reading. What is not known is
``None``.
"""

from dataclasses import asdict
from typing import Any

from msgspec import structs

from drift_engine.core.liquidation_price import liquidation_price_e6
from drift_engine.core.spot_balance import base_e9
from drift_engine.core.types import Account, Check, Decided, EngineState, Margin, Market, PerpPosition, Pnl, SpotBalance
from drift_engine.core.units import E9
from drift_engine.core.valuation import perp_value_e6, spot_value_e6


def margin_status(margin: Margin | None) -> dict[str, Any]:
    """Return the margin figures; before the first assessment nothing is known."""
    if margin is None:
        return {"status": "unknown", "health": None, "leverage": None}
    leverage = None if margin.leverage_e4 is None else margin.leverage_e4 / 10_000
    return {"health": margin.health_score, "leverage": leverage, **structs.asdict(margin)}


def positions_status(account: Account, markets: dict[str, Market]) -> list[dict[str, Any]]:
    """Return a row for each perp position, then one for each spot balance."""
    perps = [_perp_row(position, account, markets) for position in account.perps]
    return perps + [_spot_row(balance, account.quote, markets[balance.market]) for balance in account.spots]


def _perp_row(position: PerpPosition, account: Account, markets: dict[str, Market]) -> dict[str, Any]:
    market = markets[position.market]
    held = position.base_e9
    known = market.oracle_e6 is not None or not held
    return {
        "market": position.market,
        "kind": "perp",
        "base_e9": held,
        "entry_e6": abs(position.quote_entry_e6) * E9 // abs(held) if held else None,
        "oracle_e6": market.oracle_e6,
        "value_e6": perp_value_e6(position, market) if known else None,
        "liquidation_price_e6": liquidation_price_e6(account, markets, position.market) if held and known else None,
        "funding_e9": market.funding_e9,
    }


def _spot_row(balance: SpotBalance, quote: str, market: Market) -> dict[str, Any]:
    known = market.oracle_e6 is not None or balance.market == quote
    return {
        "market": balance.market,
        "kind": "spot",
        "base_e9": base_e9(balance, market),
        "oracle_e6": market.oracle_e6,
        "value_e6": spot_value_e6(balance, market, quote) if known else None,
    }


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


def pnl_status(pnl: Pnl) -> dict[str, int]:
    """Return profit and loss by cause, and their sum."""
    return {**asdict(pnl), "total_e6": pnl.total_e6()}


def decision_status(decided: Decided | None) -> dict[str, Any] | None:
    """Return the last decision with what each gate said of it."""
    if decided is None:
        return None
    return {
        "ts_ns": decided.ts_ns,
        "plan_id": decided.plan.plan_id,
        "reason": decided.plan.reason,
        "approved": decided.approved,
        "emergency": decided.emergency,
        "legs": [structs.asdict(leg) for leg in decided.plan.legs],
        "refusals": [_said(check) for check in decided.checks if check.verdict == "refuse"],
        "marks": [_said(check) for check in decided.checks if check.verdict == "mark"],
    }


def _said(check: Check) -> str:
    return f"{check.gate}: {check.reason}"


def markets_status(markets: dict[str, Market], names: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    """Return the public figures of some markets."""
    figures = ("oracle_e6", "mark_e6", "funding_e9", "deposit_rate_e6", "borrow_rate_e6", "status", "ts_ns")
    return {name: {figure: getattr(markets[name], figure) for figure in figures} for name in names if name in markets}


def state_status(state: EngineState) -> dict[str, Any]:
    """Return the trading state, equity and what is in flight."""
    return {
        "seq": state.seq,
        "now_ns": state.now_ns,
        "trading": str(state.trading),
        "reason": state.reason,
        "latched": state.latched,
        "disputed": state.disputed,
        "closing": state.closing,
        "equity_e6": state.equity_e6,
        "net_deposits_e6": state.net_deposits_e6,
        "high_water_e6": state.high_water_e6,
        "max_drawdown": state.max_drawdown_e6 / 10**6,
        "in_flight": [flight.plan.plan_id for flight in state.in_flight.values()],
    }


def books_status(state: EngineState, margin: Margin | None, names: tuple[str, ...]) -> dict[str, Any]:
    """Return what the books say: trading state, margin, what is held, some markets' public figures, PnL by cause."""
    return {
        **state_status(state),
        "margin": margin_status(margin),
        "positions": positions_status(state.account, state.markets),
        "net_delta_e9": net_delta_e9(state.account, state.markets),
        "markets": markets_status(state.markets, names),
        "pnl": pnl_status(state.pnl),
    }
