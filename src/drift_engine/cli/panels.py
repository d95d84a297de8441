"""The parts of the terminal view: each makes something to print from a status dictionary, and knows nothing else.

All of it reads without colour: states are words, signs are signs. Text that others wrote (reasons, names) is never
taken for markup. What is not known is shown as not known.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import Console, ConsoleOptions, Group, RenderResult
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from drift_engine.cli.figures import (
    NARROW,
    UNKNOWN,
    amount,
    by_name,
    counted,
    exact,
    hourly,
    moment,
    money,
    percent,
    yearly,
)
from drift_engine.cli.fitting import Beside, Spare

Status = Mapping[str, Any]
CAUSES = ("price", "basis", "funding", "interest", "fees", "tips", "slippage", "liquidation")
_LARGE_E6 = 1_000 * 10**6
_STRATEGY_LINES = 2
_POSITION = ("market", "size", "entry", "oracle", "value", "liquidation")
_TRADING = {"ACTIVE": "green", "REDUCING": "yellow", "HALTED": "bold red"}


def section(title: str, right: Text | None = None) -> Rule | Table:
    """Return a heading: a line with a title, and something short at its right end."""
    rule = Rule(Text(title, style="bold"), align="left", style="dim")
    if right is None:
        return rule
    grid = Table.grid(expand=True)
    grid.add_column(ratio=1)
    grid.add_column(justify="right", no_wrap=True)
    grid.add_row(rule, Text(" ").append_text(right))
    return grid


def ends(left: Text, right: Text) -> Table:
    """Return one line with a left and a right end; the left is cut where both do not fit."""
    grid = Table.grid(expand=True)
    grid.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
    grid.add_column(justify="right", no_wrap=True)
    grid.add_row(left, right)
    return grid


def trading(status: Status) -> Text:
    """Return the trading state in words."""
    state = str(status["trading"])
    text = Text(f" {state} ", style=f"{_TRADING.get(state, '')} reverse")
    if status.get("disputed"):
        text.append(" BOOKS IN DISPUTE", style="bold red")
    elif status.get("closing"):
        text.append(" CLOSING", style="bold red")
    elif status.get("latched"):
        text.append(" until a human resumes", style="red")
    return text


def market_label(status: Status) -> Text:
    """Say plainly what kind of market this is."""
    if status.get("scenario"):
        return Text(f" SIMULATED MARKET: {status['scenario']} ", style="bold black on yellow")
    if status.get("simulated"):
        return Text(" SIMULATED MARKET ", style="bold black on yellow")
    if is_live_market(status):
        return Text(f" LIVE MARKET OF {status['venue'].upper()}, SIMULATED ACCOUNT ", style="bold black on green")
    return Text(" RECORDED MARKET, SIMULATED VENUE ", style="bold black on cyan")


def is_live_market(status: Status) -> bool:
    """Whether the prices are a real venue's, as they come."""
    return not status.get("simulated") and status.get("venue") not in (None, "sim")


# --------------------------------------------------------------------------- positions


def positions(status: Status) -> Group:
    """Return a row for each position and balance, and the net delta in the heading."""
    deltas = status["net_delta_e9"]
    said = ", ".join(f"{amount(delta, sign=True)} {asset}" for asset, delta in deltas.items()) or "0"
    heading = section("Positions", Text("net delta ", style="dim").append(said, style="bold default"))
    rows = status["positions"]
    if not rows:
        return Group(heading, Text("none", style="dim"))
    return Group(heading, _Positions(rows))


class _Positions:
    """A table of positions; on a narrow screen the size and the liquidation price, uncut."""

    def __init__(self, rows: list[Status]) -> None:
        self._rows = rows

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw it."""
        shown = (0, 1, 5) if options.max_width < NARROW else range(len(_POSITION))
        table = Table(box=None, expand=True, pad_edge=False, padding=(0, 1, 0, 0), header_style="dim")
        for at in shown:
            table.add_column(_POSITION[at], justify="right" if at else "left", no_wrap=True)
        for row in self._rows:
            cells = _position(row)
            table.add_row(*(cells[at] for at in shown))
        yield table


def _position(row: Status) -> tuple[Text, ...]:
    base_e9, perp = row["base_e9"], row["kind"] == "perp"
    side = "" if not perp or not base_e9 else "long " if base_e9 > 0 else "short "
    size = "flat" if perp and not base_e9 else side + amount(abs(base_e9) if side else base_e9)
    return (
        Text(row["market"], style="bold"),
        Text(size),
        Text(_price(row.get("entry_e6")) if side else ""),
        Text(_price(row["oracle_e6"]) if row["oracle_e6"] is not None or perp else ""),
        Text(money(row["value_e6"])),
        _liquidation(row) if "liquidation_price_e6" in row else Text(),
    )


def _price(price_e6: int | None) -> str:
    return money(price_e6, 2 if price_e6 is not None and price_e6 >= 10**10 else 4)


def _liquidation(row: Status) -> Text:
    price_e6, oracle_e6 = row.get("liquidation_price_e6"), row["oracle_e6"]
    if oracle_e6 is None:
        return Text(UNKNOWN, style="magenta")
    if price_e6 is None:
        return Text("none", style="dim")
    away = price_e6 / oracle_e6 - 1
    return Text(f"{money(price_e6)} ({percent(away, 0, sign=True)})", style="red" if abs(away) < 0.1 else "")


# --------------------------------------------------------------------------- funding


def funding(status: Status) -> Group:
    """Return what each perp's funding is, who pays whom, and what it has come to."""
    held = {row["market"]: row["base_e9"] for row in status["positions"] if row["kind"] == "perp"}
    lines: list[Text] = []
    for name, market in status["markets"].items():
        if name in held or name.endswith("-PERP"):
            lines += _funding_lines(name, market, held.get(name, 0))
        elif market.get("deposit_rate_e6") is not None:
            lines.append(
                _line(
                    (f"{name} lends at ", "dim"),
                    (percent(market["deposit_rate_e6"] / 10**6, 1), ""),
                    (" a year", "dim"),
                )
            )
    count = status["tally"]["funding_settlements"]
    paid_e6 = status["pnl"]["funding_e6"]
    lines.append(_line((money(paid_e6, 4, sign=True), _tone(paid_e6)), (f" in {counted(count, 'settlement')}", "dim")))
    return Group(section("Funding"), *lines)


def _funding_lines(name: str, market: Status, base_e9: int) -> Iterator[Text]:
    rate_e9, oracle_e6 = market.get("funding_e9"), market.get("oracle_e6")
    an_hour, a_year = hourly(rate_e9, oracle_e6), yearly(rate_e9, oracle_e6)
    if rate_e9 is None or an_hour is None:
        yield _line((f"{name} ", "bold"), (f"rate {UNKNOWN}", "magenta"))
        return
    yield _line(
        (f"{name} ", "bold"), (percent(an_hour, 4, sign=True), ""), ("/h, ", "dim"),
        (percent(a_year, 1, sign=True), ""), ("/year", "dim"),
    )  # fmt: skip
    who = "longs pay shorts" if rate_e9 > 0 else "shorts pay longs" if rate_e9 < 0 else "nobody pays"
    income_e6 = -base_e9 * rate_e9 // 10**12
    if not base_e9:
        yield _line((f"{who}; we hold none", "dim"))
    else:
        verb = "receive" if income_e6 >= 0 else "pay"
        yield _line((f"{who}; we {verb} ", "dim"), (money(abs(income_e6), 4), _tone(income_e6)), ("/h", "dim"))


# --------------------------------------------------------------------------- equity and PnL


def pnl(status: Status) -> Group:
    """Return profit and loss by its eight causes, and their sum."""
    figures = status["pnl"]
    places = 4 if max(map(abs, figures.values())) < _LARGE_E6 else 2
    table = Table.grid(padding=(0, 1, 0, 0), expand=True)
    for justify in ("left", "right", "left", "right"):
        table.add_column(justify=justify, no_wrap=True)
    for left, right in zip(CAUSES[::2], CAUSES[1::2], strict=True):
        table.add_row(*_cause(left, figures, places), *_cause(right, figures, places))
    total_e6, deposits_e6 = figures["total_e6"], status.get("net_deposits_e6")
    share = f" {percent(total_e6 / deposits_e6, 2, sign=True)}" if deposits_e6 else ""
    total = _line(("total ", "bold"), (money(total_e6, places, sign=True), f"bold {_tone(total_e6)}"), (share, "dim"))
    equity = Text("equity ", style="dim").append(money(status["equity_e6"]), style="bold default")
    return Group(section("PnL", equity), table, total)


def _cause(name: str, figures: Status, places: int) -> tuple[Text, Text]:
    value_e6 = figures[f"{name}_e6"]
    return Text(name, style="dim"), Text(money(value_e6, places, sign=True), style=_tone(value_e6))


def _tone(value: int) -> str:
    return "green" if value > 0 else "red" if value < 0 else "dim"


def earned(status: Status) -> Beside:
    """Return funding beside profit and loss; where rows are short, funding goes first."""
    return Beside(Spare(3, "funding", funding(status)), Spare(1, "PnL", pnl(status)))


# --------------------------------------------------------------------------- decision and strategy


def decision(status: Status) -> Group:
    """Return the last decision: what, why, and what the gates said."""
    last = status["last_decision"]
    if last is None:
        return Group(section("Last decision"), Text("none yet: the strategy has not asked for anything", style="dim"))
    word, style = ("APPROVED", "green") if last["approved"] else ("REFUSED", "bold red")
    flying = last["plan_id"] in status["in_flight"]
    head = _line(
        (moment(last["ts_ns"])[11:], "dim"), (f" {last['plan_id']} ", ""), (word, style),
        (" in flight" if flying else "", "cyan"), (f"  {last['reason']}", ""),
    )  # fmt: skip
    said = [_line((f"  refused by {line}", "red")) for line in last["refusals"]]
    said += [_line((f"  marked by {line}", "yellow")) for line in last.get("marks", ())]
    return Group(section("Last decision"), head, _line((f"  {legs(last['legs'])}", "dim")), *said[:3])


def legs(found: list[Status]) -> str:
    """Return a plan's legs in words."""
    return (
        "; ".join(
            f"{'buy' if leg['base_e9'] > 0 else 'sell'} {exact(abs(leg['base_e9']), 9)} {leg['market']}"
            f" at {exact(leg['limit_e6'], 6)} or better{', reduce only' if leg['reduce_only'] else ''}"
            for leg in found
        )
        or "no legs"
    )


def strategy(status: Status) -> "Clipped":
    """Return what the strategy says of itself: its figures, and those of its flags that are raised."""
    text = Text()
    for name, value in _leaves(status["strategy_status"]):
        label, figure = _short(name, value)
        text.append(f"{label.replace('_', ' ')}\u00a0".replace(" ", "\u00a0"), style="dim")
        text.append(f"{figure}".replace(" ", "\u00a0")).append("   ")
    return Clipped(text)


class Clipped:
    """A text of as many lines as a screen has room for."""

    def __init__(self, text: Text) -> None:
        self._text = text

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw its first lines."""
        yield from self._text.wrap(console, options.max_width)[:_STRATEGY_LINES]


def _leaves(values: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _leaves(value)
        elif value is not False and value != "":
            yield name, value


def _short(name: str, value: Any) -> tuple[str, str]:
    """Amounts are rounded to four decimals here: the exact ones are in the JSON."""
    if name.endswith("_e9") and isinstance(value, int) and abs(value) >= 10**5:
        return name.removesuffix("_e9"), amount(value)
    return by_name(name, value)


def _line(*parts: tuple[str, str]) -> Text:
    text = Text(no_wrap=True, overflow="ellipsis")
    for words, style in parts:
        text.append(words, style=style)
    return text
