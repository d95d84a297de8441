"""An authority's sub-accounts for people: health, positions and balances, orders, and how old it all is."""

from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from drift_engine.cli.figures import UNKNOWN, duration, exact, moment, money, percent
from drift_engine.cli.health import health
from drift_engine.cli.panels import ends, positions, section
from drift_engine.execution.limits import Limits

Facts = Mapping[str, Any]
STALE_MS = 5_000


def shown(found: Facts) -> Iterator[RenderableType]:
    """Return all sub-accounts, part by part."""
    yield heading(found)
    if not found["sub_accounts"]:
        yield Text("no sub-account yet", style="magenta")
    for each in found["sub_accounts"]:
        yield sub_account(each)


def live_parts(found: Facts) -> Iterator[RenderableType]:
    """Return the same for a screen that is redrawn: on top how old it is, and what is wrong with the connection."""
    old = is_old(found)
    now = Text(f"{moment(found['now_s'] * 10**9)} UTC  slot {found['slot']:,}", style="bold")
    yield ends(now, Text(f" {age(found)} ", style="bold magenta reverse" if old else "green"))
    if found["trouble"]:
        yield Text(f"trouble: {found['trouble']}", style="yellow")
    yield Text(f"{found['venue']} ", style="bold").append(found["authority"], style="not bold")
    if not found["sub_accounts"]:
        yield Text("no sub-account yet: one that is opened will show here", style="magenta")
    for each in found["sub_accounts"]:
        yield sub_account(_as_old(each) if old else each)
    yield Text("Ctrl-C ends it", style="dim")


def is_old(found: Facts) -> bool:
    """Return whether what is shown may have changed since, or its age is not known."""
    return found["age_ms"] is None or found["age_ms"] >= STALE_MS


def _as_old(found: Facts) -> Facts:
    """Return a sub-account whose figures are known, as stale: they may have changed since."""
    margin = found["margin"]
    return found if margin["status"] != "known" else {**found, "margin": {**margin, "status": "stale"}}


def heading(found: Facts) -> RenderableType:
    """Return whose accounts these are, where, and of when."""
    who = Text(f"{found['venue']} ", style="bold").append(found["authority"], style="default")
    when = moment((found["block_time_s"] or 0) * 10**9)
    return Group(who, Text(f"slot {found['slot']:,}  {when} UTC", style="dim"))


def sub_account(found: Facts) -> Group:
    """Return one sub-account."""
    name = Text(f"{found['sub_account_id']} {found['name']}".rstrip(), style="bold")
    if found["flags"]:
        name.append(f"  {', '.join(found['flags']).replace('_', ' ')}", style="bold red")
    address = Text(found["address"], style="dim")
    parts: list[RenderableType] = [ends(name, address)]
    if found["delegate"]:
        parts.append(Text(f"delegate {found['delegate']}", style="dim"))
    margin = dict(found["margin"])
    parts.append(health({"margin": margin}, Limits()))
    if margin["status"] != "unknown":
        parts.append(_equity(found))
    if found["problem"]:
        parts.append(Text(f"why: {found['problem']}", style="magenta"))
    rows = [*found["positions"], *found["balances"]]
    parts.append(positions({"positions": rows, "net_delta_e9": found["net_delta_e9"]}))
    if found["orders"]:
        parts += [section(f"Orders, {len(found['orders'])}"), orders(found["orders"])]
    return Group(*parts)


def _equity(found: Facts) -> Text:
    unsettled = sum(row["unsettled_funding_e6"] for row in found["positions"])
    text = Text("equity ", style="dim").append(f"{money(found['equity_e6'])}   ", style="default")
    text.append("initial margin ", style="dim").append(f"{money(found['margin']['initial_e6'])}   ", style="default")
    return text.append("unsettled funding ", style="dim").append(money(unsettled, 4, sign=True), style="default")


def orders(found: list[dict[str, Any]]) -> Table:
    """Return open orders, the oldest first."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for name in ("order", "market", "what", "filled", "price", "age"):
        table.add_column(
            name, justify="right" if name in ("order", "filled", "age") else "left", no_wrap=name != "what"
        )
    for order in sorted(found, key=lambda each: int(each["slot"])):
        table.add_row(
            Text(str(order["order_id"])),
            Text(order["market"] or f"{order['market_kind']} #{order['market_index']}", style="bold"),
            Text(_what(order)),
            Text(percent(order["filled"] / order["base"]) if order["base"] else UNKNOWN),
            Text(_price(order)),
            Text(duration(order["age_ms"] / 1_000)),
        )
    return table


def _what(order: Facts) -> str:
    words = [order["kind"].replace("_", " "), order["side"], exact(order["base"], order["decimals"])]
    words += [word for word, flag in (("reduce only", "reduce_only"), ("post only", "post_only")) if order[flag]]
    return " ".join(words)


def _price(order: Facts) -> str:
    words = []
    if order["price_e6"] is not None:
        words.append(exact(order["price_e6"], 6))
    if order["oracle_offset_e6"] is not None:
        words.append(f"oracle {'+' if order['oracle_offset_e6'] > 0 else ''}{exact(order['oracle_offset_e6'], 6)}")
    if order["trigger_e6"] is not None:
        words.append(f"if {order['trigger']} {exact(order['trigger_e6'], 6)}".replace("_", " "))
    return ", ".join(words) or "market"


# --------------------------------------------------------------------------- one line


def line(found: Facts) -> str:
    """Return the accounts in one line, for logs and pipes; ``health NN %`` is the worst sub-account's."""
    when = f"{moment(found['now_s'] * 10**9)}Z".replace(" ", "T")
    if is_old(found):
        found = {**found, "sub_accounts": [_as_old(each) for each in found["sub_accounts"]]}
    words = [when, f"slot {found['slot']}", age(found), _worst(found)]
    words += [_short(each) for each in found["sub_accounts"]]
    if found["trouble"]:
        words.append(f"trouble: {found['trouble']}")
    return "  ".join(words)


def age(found: Facts) -> str:
    """Return how old what is shown may be."""
    if found["age_ms"] is None:
        return f"age {UNKNOWN}"
    return f"age {found['age_ms'] / 1_000:.1f} s{' STALE' if found['age_ms'] >= STALE_MS else ''}"


def _worst(found: Facts) -> str:
    if not found["sub_accounts"]:
        return "health unknown (no sub-account yet)"
    return f"health {_health(min(found['sub_accounts'], key=_order))}"


def _order(each: Facts) -> float:
    """Sort by health; what is not known is worst."""
    health_of = each["margin"]["health"]
    return -1.0 if health_of is None else float(health_of)


def _health(each: Facts) -> str:
    known = each["margin"]["health"]
    if known is None or each["margin"]["status"] == "unknown":
        return "unknown"
    return percent(known) + (" STALE" if each["margin"]["status"] == "stale" else "")


def _short(each: Facts) -> str:
    held = " ".join(
        f"{row['market']} {exact(row['base_e9'], 9)}"
        for row in (*each["positions"], *each["balances"])
        if row["base_e9"]
    )
    leverage = each["margin"].get("leverage")
    equity = money(each["equity_e6"]).replace(",", "")
    known = "" if leverage is None else f" leverage {leverage:.2f}"
    return f"[{each['sub_account_id']}] equity {equity}{known} {held or 'empty'} orders {len(each['orders'])}"
