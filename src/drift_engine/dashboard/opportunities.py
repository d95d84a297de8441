"""What funding pays where, of the markets the engines see: real figures, or none.

Rates are fractions: ``rate_1h`` is the last settled hour, ``rate_8h`` the sum of the last eight of them, ``apr`` the
last hour carried over a year. Markets of different venues or simulations are different markets.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from drift_engine.dashboard.tail import Tail

_HOURS_A_YEAR = 24 * 365


def opportunities(statuses: Iterable[Mapping[str, Any]], tails: Mapping[str, Tail]) -> list[dict[str, Any]]:
    """Return a row for each perp market, the best rate first; what is not known comes last."""
    rows: dict[tuple[Any, ...], dict[str, Any]] = {}
    for status in statuses:
        tail = tails.get(status["engine"])
        for name, figures in (status.get("markets") or {}).items():
            if not name.endswith("-PERP"):
                continue
            key = (status.get("venue"), status.get("scenario"), name)
            if key not in rows or (rows[key]["as_of_ns"] or 0) < (figures.get("ts_ns") or 0):
                rows[key] = _row(status, name, figures, tail)
    return sorted(rows.values(), key=lambda row: -abs(row["apr"]) if row["apr"] is not None else 1.0)


def _row(status: Mapping[str, Any], name: str, figures: Mapping[str, Any], tail: Tail | None) -> dict[str, Any]:
    oracle_e6, mark_e6, funding_e9 = (figures.get(key) for key in ("oracle_e6", "mark_e6", "funding_e9"))
    hourly = funding_e9 / 1_000 / oracle_e6 if funding_e9 is not None and oracle_e6 else None
    return {
        "market": name,
        "venue": status.get("venue"),
        "simulated": status.get("simulated"),
        "scenario": status.get("scenario"),
        "engine": status["engine"],
        "rate_1h": hourly,
        "rate_8h": tail.replica.eight_hours(name) if tail else None,
        "apr": None if hourly is None else hourly * _HOURS_A_YEAR,
        "paid": None if hourly is None else _paid(hourly),
        "open_interest_e9": figures.get("open_interest_e9"),
        "oracle_e6": oracle_e6,
        "mark_e6": mark_e6,
        "spread": mark_e6 / oracle_e6 - 1 if mark_e6 is not None and oracle_e6 else None,
        "status": figures.get("status"),
        "as_of_ns": figures.get("ts_ns"),
    }


def _paid(hourly: float) -> str:
    return "shorts" if hourly > 0 else "longs" if hourly < 0 else "nobody"
