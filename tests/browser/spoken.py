"""What a page should say of a status: the figures as people read them, written a second time, from the rules alone.

Rounding is by decimals here, so that no mistake of the page's is copied. A figure that is a float in the document is
taken at its exact value.
"""

from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from typing import Any

NONE = "—"
HOUR_NS = 3_600 * 10**9
CAUSES = ("price", "basis", "funding", "interest", "fees", "tips", "slippage", "liquidation")
Status = dict[str, Any]


def figure(value: Decimal, least: int, most: int, *, sign: bool = False, rounding: str = ROUND_HALF_UP) -> str:
    """Return a figure with separators, between so many places."""
    rounded = value.quantize(Decimal(1).scaleb(-most), rounding=rounding)
    whole, _, places = f"{abs(rounded):,.{most}f}".partition(".")
    while len(places) > least and places.endswith("0"):
        places = places[:-1]
    shown = f"{whole}.{places}" if places else whole
    return ("−" if rounded < 0 else "+" if sign and rounded > 0 else "") + shown


def money(e6: int | None, *, sign: bool = False, places: int = 2) -> str:
    return NONE if e6 is None else figure(Decimal(e6).scaleb(-6), places, places, sign=sign)


def price(e6: int | None) -> str:
    size = abs(e6 or 0) / 10**6
    return money(e6, places=1 if size >= 10_000 else 2 if size >= 10 else 4 if size >= 1 else 6)


def amount(e9: int | None, *, sign: bool = False, places: int = 6) -> str:
    return NONE if e9 is None else figure(Decimal(e9).scaleb(-9), 0, places, sign=sign)


def percent(fraction: float | None, places: int = 0, *, sign: bool = False) -> str:
    if fraction is None:
        return NONE
    shown = figure(Decimal(repr(fraction)) * 100, places, places, sign=sign, rounding=ROUND_DOWN)
    return f"{shown} %"


def header(status: Status) -> dict[str, str]:
    return {
        "seq": str(status["seq"]),
        "status": status["status"],
        "mode": status["mode"].upper(),
        "trading": status["trading"],
    }


def health(status: Status) -> dict[str, str]:
    margin = status["margin"]
    shown = {key: money(margin[f"{key}_e6"]) for key in ("collateral", "free", "initial", "maintenance")}
    return {
        **shown,
        "figure": percent(margin["health"]),
        "equity": money(status["equity_e6"]),
        "drawdown": percent(status["drawdown"], 2),
    }


def leverage(status: Status) -> str:
    found = status["margin"]["leverage"]
    return NONE if found is None else f"{figure(Decimal(found), 2, 2)}×"


def rows(status: Status) -> dict[str, dict[str, str]]:
    """Return every row of what is open, by market and kind: not the money in the settlement token itself."""
    found = status["positions"] or []
    return {f"{row['market']} {row['kind']}": _row(row) for row in found if _is_open(row)}


def _is_open(row: Status) -> bool:
    return bool((row["base_e9"] or row["unsettled_e6"]) and not row["quote"])


def _row(row: Status) -> dict[str, str]:
    perp, held = row["kind"] == "perp", row["base_e9"]
    words = ("LONG", "SHORT") if perp else ("DEPOSIT", "BORROW")
    away = row["liquidation_distance"]
    far = percent(abs(away), 1 if abs(away) < 1 else 0) if away is not None else "none" if perp and held else NONE
    mark = row["mark_e6"] if row["mark_e6"] is not None or perp else row["oracle_e6"]
    return {
        "side": "FLAT" if not held else words[held < 0],
        "size": amount(abs(held), places=4),
        "entry": price(row["entry_e6"]),
        "mark": price(mark),
        "unrealised": money(row["unrealised_e6"], sign=True),
        "unsettled": money(row["unsettled_e6"], sign=True),
        "liquidation": price(row["liquidation_price_e6"]),
        "distance": far,
        "funding": money(row["funding_day_e6"], sign=True),
    }


def summed(status: Status) -> str:
    """Return what stands over the positions: the money, the sum of what is unrealised, the net exposure."""
    found = status["positions"]
    told = [f"{figure(Decimal(row['base_e9']).scaleb(-9), 2, 2)} {row['market']}" for row in found if row["quote"]]
    perps = [row for row in found if row["kind"] == "perp" and _is_open(row)]
    if perps:
        told.append(f"unrealised {money(sum(row['unrealised_e6'] for row in perps), sign=True)}")
    net = [f"{amount(held, sign=True, places=4)} {asset}" for asset, held in status["net_delta_e9"].items()]
    if net:
        told.append(f"net delta {', '.join(net)}")
    return " · ".join(told)


def ledger(status: Status) -> dict[str, str]:
    causes = {cause: money(status["pnl"][f"{cause}_e6"], sign=True) for cause in CAUSES}
    return {**causes, "total": money(status["pnl"]["total_e6"], sign=True)}


def metrics(status: Status) -> dict[str, str]:
    """Return the tiles every engine has, by their label."""
    return {
        row["label"]: figure(Decimal(repr(row["value"])), 0, 2 if abs(row["value"]) >= 1000 else 6)
        + (f" {row['unit']}" if row["unit"] else "")
        for row in status["metrics"]
        if row["value"] is not None
    }


def control(status: Status) -> dict[str, str]:
    used = status["resources"]
    memory = figure(Decimal(used["rss_bytes"]) / 2**20, 0, 0)
    return {
        "Strategy": status["strategy"],
        "Market": f"{status['market']}, simulated",
        "Scenario": status["scenario"],
        "Process": f"pid {status['pid']}" if status["pid"] else "none",
        "Restarts": str(status["restarts"]),
        "CPU, memory": f"{figure(Decimal(used['cpu_s']), 1, 1)} s, {memory} MiB",
    }


def charts(status: Status) -> dict[str, str]:
    """Return the last figure of each chart whose series ends in the state itself."""
    market = status["markets"][status["market"]]
    basis = Decimal(market["mark_e6"]) / Decimal(market["oracle_e6"]) - 1
    return {
        "equity": money(status["equity_e6"]),
        "health": percent(status["margin"]["health"], 1),
        "price": money(market["oracle_e6"]),
        "funding": money(status["pnl"]["funding_e6"], places=4),
        "basis": f"{figure(basis * 10_000, 2, 2)} bp",
        "delta": figure(Decimal(next(iter(status["net_delta_e9"].values()), 0)).scaleb(-9), 4, 4),
    }
