"""What the engine tells people: plain dictionaries, made from the state and nothing else.

Figures are exact integers with their scale in the name, next to a few plain ones for reading. What is not known is
``None``. Rows of positions are made in ``positions``, a strategy's own figures in ``strategy``.
"""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from msgspec import structs

from drift_engine.core.types import Check, Decided, EngineState, Margin, Market, Pnl, RunStarted
from drift_engine.core.units import MILLISECOND_NS
from drift_engine.status.positions import net_delta_e9, positions_status
from drift_engine.status.strategy import strategy_status

__all__ = [
    "books_status",
    "decision_status",
    "margin_status",
    "markets_status",
    "net_delta_e9",
    "pnl_status",
    "positions_status",
    "run_status",
    "state_status",
    "strategy_status",
]
_FIGURES = (
    "collateral_e6", "maintenance_e6", "collateral_initial_e6", "initial_e6", "free_e6", "equity_e6", "liabilities_e6",
)  # fmt: skip
OpenInterest = Callable[[str], int | None]


def _not_known(_market: str) -> int | None:
    return None


def books_status(
    state: EngineState,
    margin: Margin | None,
    markets: tuple[str, ...],
    open_interest_e9: OpenInterest = _not_known,
) -> dict[str, Any]:
    """Return what the ledger and the margin say, and the public figures of ``markets``.

    ``open_interest_e9`` tells a market's, which is no part of the books; ``None`` where it is not known.
    """
    return {
        **state_status(state),
        "margin": margin_status(margin, state.now_ns),
        "positions": positions_status(state.account, state.markets),
        "net_delta_e9": net_delta_e9(state.account, state.markets),
        "markets": markets_status(state.markets, markets, open_interest_e9),
        "pnl": pnl_status(state.pnl),
    }


def run_status(started: RunStarted | None, data_trouble: str | None = None) -> dict[str, Any]:
    """Return where a run trades, ``None`` before the start, and what is wrong with the data it trades on."""
    if started is None:
        return {"venue": None, "simulated": None, "market": None, "data_trouble": data_trouble}
    market = next((spec.name for spec in started.specs if spec.kind == "perp"), None)
    told = {"venue": started.venue, "simulated": started.simulated, "market": market}
    return {**told, "data_trouble": data_trouble}


def margin_status(margin: Margin | None, now_ns: int = 0) -> dict[str, Any]:
    """Return the margin figures with their age at ``now_ns``; while nothing is known there are none."""
    if margin is None or margin.status == "unknown":
        unknown = dict.fromkeys((*_FIGURES, "health_e4", "leverage_e4", "as_of_ns", "age_ms"))
        return {"status": "unknown", "health": None, "leverage": None, **unknown}
    leverage = None if margin.leverage_e4 is None else margin.leverage_e4 / 10_000
    age_ms = max(0, now_ns - margin.as_of_ns) // MILLISECOND_NS if now_ns and margin.as_of_ns else None
    figures = {name: getattr(margin, name) for name in (*_FIGURES, "health_e4", "leverage_e4", "as_of_ns", "status")}
    return {"health": margin.health_score, "leverage": leverage, **figures, "age_ms": age_ms}


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


def markets_status(
    markets: dict[str, Market], names: tuple[str, ...], open_interest_e9: OpenInterest = _not_known
) -> dict[str, dict[str, Any]]:
    """Return the public figures of some markets."""
    figures = ("oracle_e6", "mark_e6", "funding_e9", "deposit_rate_e6", "borrow_rate_e6", "status", "ts_ns")
    return {
        name: {
            **{figure: getattr(markets[name], figure) for figure in figures},
            "open_interest_e9": open_interest_e9(name),
        }
        for name in names
        if name in markets
    }


def state_status(state: EngineState) -> dict[str, Any]:
    """Return the trading state, equity and what is in flight. ``drawdown`` is a fraction of the high-water mark."""
    high_e6 = state.high_water_e6
    return {
        "seq": state.seq,
        "now_ns": state.now_ns,
        "as_of_ns": state.now_ns or None,
        "trading": str(state.trading),
        "reason": state.reason,
        "latched": state.latched,
        "disputed": state.disputed,
        "closing": state.closing,
        "strategy_disabled": state.strategy_disabled,
        "equity_e6": state.equity_e6,
        "net_deposits_e6": state.net_deposits_e6,
        "high_water_e6": high_e6,
        "drawdown": max(0, high_e6 - state.equity_e6) / high_e6 if high_e6 > 0 else None,
        "max_drawdown": state.max_drawdown_e6 / 10**6,
        "in_flight": [flight.plan.plan_id for flight in state.in_flight.values()],
    }
