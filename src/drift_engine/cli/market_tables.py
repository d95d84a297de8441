"""Markets as tables: what they are at now, and by which rules they go; one market alone as a list of figures."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from drift_engine.cli.figures import UNKNOWN, by_name, exact, fixed, hourly, moment, money, percent, yearly
from drift_engine.cli.output import pairs
from drift_engine.cli.panels import section

Facts = Mapping[str, Any]
_WIDE = 100
GOOD = {None: "", "valid": "", "stale_for_amm_immediate": ""}
"""Oracle validities that need no words: the last only keeps the vAMM from filling at once."""
_TONES = {"Active": "green"}


def shown(found: Facts, width: int) -> Iterator[RenderableType]:
    """Return all markets, part by part."""
    yield heading(found)
    perps, spots = found["perps"], found["spots"]
    if perps:
        yield section(f"Perp markets, {len(perps)}")
        yield _table(_PERP_NOW if width >= _WIDE else _narrow(_PERP_NOW, "bid", "ask", "a year", "24 h volume"), perps)
        yield section("Their rules")
        yield _table(_PERP_RULES if width >= _WIDE else _narrow(_PERP_RULES, "imf", "liquidator"), perps)
    if spots:
        yield section(f"Spot markets, {len(spots)}")
        yield _table(_SPOT_NOW if width >= _WIDE else _narrow(_SPOT_NOW, "vault"), spots)
        yield section("Their rules")
        yield _table(_SPOT_RULES if width >= _WIDE else _narrow(_SPOT_RULES, "imf", "tick"), spots)
    yield from problems((*perps, *spots))


def heading(found: Facts) -> Text:
    """Return which venue this is, and of when."""
    text = Text(found["venue"], style="bold").append(f"  slot {found['slot']:,}", style="not bold")
    return text.append(f"  {moment((found['block_time_s'] or 0) * 10**9)} UTC", style="dim not bold")


def problems(markets: Iterable[Facts]) -> Iterator[RenderableType]:
    """Return what could not be read, and why."""
    found = [(market["name"], problem) for market in markets for problem in market["problems"]]
    if found:
        yield section("Not known")
        yield from (Text(f"{name}: {problem}", style="magenta") for name, problem in found)


def alone(market: Facts) -> Iterator[RenderableType]:
    """Return one market with every figure."""
    yield section(f"{market['name']}, {market['kind']} market {market['index']}")
    flat = {name: value for name, value in market.items() if name not in ("name", "kind", "index", "problems")}
    oracle = flat.pop("oracle", None) or {}
    yield pairs(_said(name, value, market) for name, value in flat.items())
    yield section("Oracle")
    yield pairs(_said(name, value, market) for name, value in oracle.items())
    yield from problems([market])


def _said(name: str, value: Any, market: Facts) -> tuple[str, Text]:
    if value is None:
        label = _IN_WORDS[name][0] if name in _IN_WORDS else by_name(name, 0)[0].replace("_", " ")
        return label, Text(UNKNOWN, style="magenta")
    if name in _IN_WORDS:
        label, make = _IN_WORDS[name]
        return label, Text(make(value, market))
    if name.endswith("_s") and isinstance(value, int):
        return name.removesuffix("_s").replace("_", " "), Text(f"{moment(value * 10**9)} UTC")
    if name.endswith(("_cap", "_cap_e9")) and value == 0:
        return name.rpartition("_cap")[0].replace("_", " ") + " cap", Text("none")
    if isinstance(value, list):
        return name, Text(", ".join(value) or "none")
    if name in ("deposits", "borrows", "vault", "deposits_cap", "step", "minimum") and isinstance(value, int):
        return name.replace("_", " "), Text(exact(value, market.get("decimals", 0)))
    label, text = by_name(name, value)
    return label.replace("_", " "), Text(text)


def _base(market: Facts) -> str:
    return str(market["name"]).removesuffix("-PERP")


def _an_hour(rate_e9: int, market: Facts) -> str:
    """Quote per one base, which is paid for an hour, and what part of the price that is."""
    share = percent(hourly(rate_e9, market["oracle_e6"]), 4, sign=True)
    return f"{exact(rate_e9, 9)} USD per {_base(market)} ({share})"


def _in_bp(value_e6: int, _market: Facts) -> str:
    return f"{exact(value_e6, 2)} bp"


def _in_percent(value_e4: int, _market: Facts) -> str:
    return f"{exact(value_e4, 2)} %"


def _in_base(value_e9: int, market: Facts) -> str:
    return f"{exact(value_e9, 9)} {_base(market)}"


_IN_WORDS: Mapping[str, tuple[str, Callable[[int, Facts], str]]] = {
    "funding_1h_e9": ("funding for an hour", _an_hour),
    "funding_1h_long_e9": ("funding of longs", _an_hour),
    "funding_1h_short_e9": ("funding of shorts", _an_hour),
    "funding_s": ("last funding", lambda value, _: f"{moment(value * 10**9)} UTC"),
    "open_interest_e9": ("open interest", _in_base),
    "open_interest_long_e9": ("open interest long", _in_base),
    "open_interest_short_e9": ("open interest short", _in_base),
    "volume_24h_e6": ("24 h volume", lambda value, _: f"{exact(value, 6)} USD"),
    "spread_long_e6": ("spread long", _in_bp),
    "spread_short_e6": ("spread short", _in_bp),
    "margin_initial_e4": ("margin initial", _in_percent),
    "margin_maintenance_e4": ("margin maintenance", _in_percent),
    "liquidator_fee_e6": ("liquidator fee", _in_bp),
    "insurance_fee_e6": ("insurance fee", _in_bp),
    "taker_fee_e6": ("taker fee", _in_bp),
    "maker_fee_e6": ("maker fee", _in_bp),
    "fee_adjustment_pct": ("fees and rebates changed by", lambda value, _: f"{value:+} %" if value else "0 %"),
    "taker_addon_tenth_bps": ("added to the taker fee", lambda value, _: f"{exact(value, 1)} bp"),
}
"""Figures of one market that need more than the unit in their name: what they are called there, and their text."""


# --------------------------------------------------------------------------- columns

Column = tuple[str, str, Any]


def _narrow(columns: tuple[Column, ...], *left_out: str) -> tuple[Column, ...]:
    return tuple(column for column in columns if column[0] not in left_out)


def _table(columns: tuple[Column, ...], markets: Iterable[Facts]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for name, justify, _ in columns:
        table.add_column(name, justify="right" if justify == ">" else "left", no_wrap=True)
    for market in markets:
        table.add_row(*(_cell(make, market) for _, _, make in columns))
    return table


def _cell(make: Any, market: Facts) -> Text:
    try:
        said = make(market)
    except KeyError:
        said = None
    if said is None or said == UNKNOWN:
        return Text(UNKNOWN, style="magenta")
    return said if isinstance(said, Text) else Text(said)


def _name(market: Facts) -> Text:
    return Text(market["name"], style="bold")


def price(price_e6: int | None) -> str:
    """Return a price with as many decimals as its size needs."""
    if price_e6 is None:
        return UNKNOWN
    return money(price_e6, 2 if price_e6 >= 10**9 else 4 if price_e6 >= 10**6 else 6)


def oracle(market: Facts) -> Text:
    """Return an oracle's price, and what is wrong with it."""
    validity = (market["oracle"] or {}).get("validity")
    text = Text(price(market["oracle_e6"]), style="magenta" if market["oracle_e6"] is None else "")
    wrong = GOOD.get(validity, str(validity).replace("_", " "))
    return text.append(f" {wrong}", style="red") if wrong else text


def status(market: Facts) -> Text | None:
    """Return a market's status, and the operations that are paused."""
    if market["status"] is None:
        return None
    text = Text(market["status"], style=_TONES.get(market["status"], "yellow"))
    paused = market.get("paused") or ()
    return text.append(f", paused: {', '.join(paused).replace('_', ' ')}", style="yellow") if paused else text


def _hourly(market: Facts) -> str:
    return percent(hourly(market["funding_1h_e9"], market["oracle_e6"]), 4, sign=True)


def _compact(value: int | None, decimals: int) -> str:
    """Return an amount in thousands, millions or billions: tables show its size, JSON its digits."""
    if value is None:
        return UNKNOWN
    for digits, letter in ((9, "B"), (6, "M"), (3, "k")):
        if abs(value) >= 10 ** (decimals + digits):
            return f"{fixed(value, decimals + digits, 2)} {letter}"
    return fixed(value, decimals, 2)


def _interest(market: Facts) -> str:
    cap = market["open_interest_cap_e9"]
    of = f" of {_compact(cap, 9)}" if cap else ""
    return f"{_compact(market['open_interest_e9'], 9)}{of}"


def _ratios(market: Facts, one: str, other: str) -> str:
    return f"{fixed(market[one], 2, 1)} / {fixed(market[other], 2, 1)} %"


def _weights(market: Facts, side: str) -> str:
    return (
        f"{fixed(market[f'{side}_weight_initial_e4'], 4, 2)} / {fixed(market[f'{side}_weight_maintenance_e4'], 4, 2)}"
    )


def _bps(value_e6: int) -> str:
    return exact(value_e6, 2)


def _rate(value_e6: int | None) -> str:
    return UNKNOWN if value_e6 is None else f"{fixed(value_e6, 4, 2)} %"


_PERP_NOW: tuple[Column, ...] = (
    ("market", "<", _name),
    ("oracle", ">", oracle),
    ("mark", ">", lambda m: price(m["mark_e6"])),
    ("bid", ">", lambda m: price(m["bid_e6"])),
    ("ask", ">", lambda m: price(m["ask_e6"])),
    ("funding/h", ">", _hourly),
    ("a year", ">", lambda m: percent(yearly(m["funding_1h_e9"], m["oracle_e6"]), 1, sign=True)),
    ("open interest", ">", _interest),
    ("24 h volume", ">", lambda m: _compact(m["volume_24h_e6"], 6)),
    ("status", "<", status),
)
_PERP_RULES: tuple[Column, ...] = (
    ("market", "<", _name),
    ("tick", ">", lambda m: exact(m["tick_e6"], 6)),
    ("step", ">", lambda m: exact(m["step_e9"], 9)),
    ("minimum", ">", lambda m: exact(m["minimum_e9"], 9)),
    ("margin i / m", ">", lambda m: _ratios(m, "margin_initial_e4", "margin_maintenance_e4")),
    ("imf", ">", lambda m: exact(m["imf_e6"], 6)),
    ("tier", "<", lambda m: m["tier"]),
    ("fee bp", ">", lambda m: f"{_bps(m['taker_fee_e6'])} / {_bps(m['maker_fee_e6'])}"),
    ("liquidator", ">", lambda m: f"{_bps(m['liquidator_fee_e6'])} bp"),
)
_SPOT_NOW: tuple[Column, ...] = (
    ("market", "<", _name),
    ("oracle", ">", oracle),
    ("deposits", ">", lambda m: _compact(m["deposits"], m["decimals"])),
    ("borrows", ">", lambda m: _compact(m["borrows"], m["decimals"])),
    ("used", ">", lambda m: _rate(m["utilisation_e6"])),
    ("lend", ">", lambda m: _rate(m["deposit_rate_e6"])),
    ("borrow", ">", lambda m: _rate(m["borrow_rate_e6"])),
    ("vault", ">", lambda m: _compact(m["vault"], m["decimals"])),
    ("status", "<", status),
)
_SPOT_RULES: tuple[Column, ...] = (
    ("market", "<", _name),
    ("decimals", ">", lambda m: str(m["decimals"])),
    ("tick", ">", lambda m: exact(m["tick_e6"], 6)),
    ("step", ">", lambda m: exact(m["step"], m["decimals"])),
    ("minimum", ">", lambda m: exact(m["minimum"], m["decimals"])),
    ("asset i / m", ">", lambda m: _weights(m, "asset")),
    ("liability i / m", ">", lambda m: _weights(m, "liability")),
    ("imf", ">", lambda m: exact(m["imf_e6"], 6)),
)
