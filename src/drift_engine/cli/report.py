"""The report of a backtest for people: what was run, what it came to and from what, and what it stands on."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from drift_engine.cli.figures import UNKNOWN, counted, money, percent
from drift_engine.cli.panels import CAUSES, section

if TYPE_CHECKING:
    from drift_engine.backtest import BacktestResult

_CARRY = ("funding", "interest")
_COSTS = ("fees", "slippage", "tips", "liquidation")
_PRICES = ("price", "basis")


def report(result: "BacktestResult", yardstick: "BacktestResult | None") -> RenderableType:
    """Return the whole report."""
    return Group(
        *_title(result),
        Text(),
        verdict(result),
        *(Text(line) for line in _carry(result)),
        section("Profit and loss by cause"),
        _causes(result),
        section("Risk and trading"),
        _facts(result),
        *_compared(result, yardstick),
        *_listed("Assumptions", result.assumptions),
        *_listed("Gaps in the data", result.gaps),
        Text(),
        Text(f"digest {result.digest}", style="dim"),
        Text(f"{result.events:,} events in {result.wall_s:,.2f} s: {result.events_per_s:,.0f} a second", style="dim"),
    )


def _title(result: "BacktestResult") -> Iterator[RenderableType]:
    yield Text(f"{result.strategy} on {result.market}", style="bold").append(
        f", {result.from_[:10]} to {result.to[:10]}", style="not bold"
    )
    if result.simulated:
        yield Text(" SIMULATED MARKET: none of these prices ever happened ", style="bold black on yellow")
    else:
        yield Text("recorded market data, simulated venue", style="dim")
    if result.params:
        yield Text("with " + ", ".join(f"{name} {value}" for name, value in result.params.items()), style="dim")


def verdict(result: "BacktestResult") -> Text:
    """Say in one sentence whether it earned or lost."""
    total_e6 = _total_e6(result)
    word, style = (
        ("Earned", "bold green") if total_e6 > 0 else ("Lost", "bold red") if total_e6 else ("Came out even", "bold")
    )
    text = Text(word, style=style)
    if total_e6:
        text.append(f" {money(abs(total_e6), 4)} USD ({_share(total_e6, result)})", style=style)
    return text.append(
        f": {money(result.equity_start_e6)} became {money(result.equity_end_e6)}.", style="default not bold"
    )


def _carry(result: "BacktestResult") -> Iterator[str]:
    if not result.trades:
        yield "Nothing was traded" + (
            ": see the refusals below." if result.refusals else "; nothing was refused either."
        )
        return
    carry_e6, costs_e6, prices_e6 = (_sum_e6(result, group) for group in (_CARRY, _COSTS, _PRICES))
    settled = counted(result.funding_settlements, "settlement")
    earned = "earned" if carry_e6 > 0 else "lost" if carry_e6 < 0 else "came to"
    funding_e6, interest_e6 = (result.pnl_e6[cause] for cause in _CARRY)
    yield (
        f"The carry {earned} {money(abs(carry_e6), 4)}: funding {money(funding_e6, 4, sign=True)} in {settled}, "
        f"interest {money(interest_e6, 4, sign=True)}, idle deposits included."
    )
    if funding_e6 < 0:
        yield "Funding was against this position: it paid more than it received."
    yield f"Trading cost {money(-costs_e6, 4)}; prices and basis moved it by {money(prices_e6, 4, sign=True)}."


def _causes(result: "BacktestResult") -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", min_width=12)
    table.add_column(justify="right")
    table.add_column(no_wrap=True)
    largest_e6 = max((abs(value) for value in result.pnl_e6.values()), default=0) or 1
    for cause in CAUSES:
        value_e6 = result.pnl_e6[cause]
        bar = Text("█" * round(abs(value_e6) / largest_e6 * 30), style="green" if value_e6 > 0 else "red")
        table.add_row(cause, money(value_e6, 4, sign=True), bar)
    total_e6 = _total_e6(result)
    table.add_row(
        Text("total", style="bold not dim"), Text(money(total_e6, 4, sign=True), style="bold"), _share(total_e6, result)
    )
    return table


def _facts(result: "BacktestResult") -> Table:
    health = UNKNOWN if result.min_health is None else percent(result.min_health, 1)
    refused = ", ".join(
        f"{gate} {count:,}" for gate, count in sorted(result.refusals.items(), key=lambda pair: -pair[1])
    )
    rows = [
        ("lowest health", health),
        ("largest drawdown", percent(result.max_drawdown, 2)),
        ("liquidations", str(result.liquidations)),
        ("fills", f"{result.trades:,}" + (f", the first at {result.first_fill_ts}" if result.first_fill_ts else "")),
        ("refusals by gate", refused or "none"),
        ("ended", f"{result.trading}{': ' + result.reason if result.reason else ''}"),
    ]
    if result.latched:
        rows.append(("", "it stays so until a human resumes"))
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", min_width=12)
    table.add_column(overflow="fold")
    for name, text in rows:
        table.add_row(name, Text(text))
    return table


def _compared(result: "BacktestResult", yardstick: "BacktestResult | None") -> Iterator[RenderableType]:
    if yardstick is None:
        return
    own_e6, other_e6 = _total_e6(result), _total_e6(yardstick)
    better = "better" if own_e6 > other_e6 else "worse" if own_e6 < other_e6 else "no different"
    amount = "" if own_e6 == other_e6 else f" by {money(abs(own_e6 - other_e6), 2)}"
    halted = f"; it was halted: {yardstick.reason}" if yardstick.latched else ""
    yield section("Compared with holding")
    if not yardstick.trades:
        gates = ", ".join(yardstick.refusals) or "no gate"
        yield Text(f"hold 1 {yardstick.market} could not be held on this capital: refused by {gates}.")
        return
    yield Text(
        f"hold 1 {yardstick.market}, same time and capital: {money(other_e6, 2, sign=True)} "
        f"({_share(other_e6, yardstick)}), largest drawdown {percent(yardstick.max_drawdown, 2)}{halted}."
    )
    yield Text(f"This run did {better}{amount}.", style="bold")


def _listed(title: str, lines: Iterable[str]) -> Iterator[RenderableType]:
    found = list(lines)
    if not found:
        return
    yield section(title)
    for line in found:
        yield Padding(Text(line), (0, 0, 0, 2))


def _total_e6(result: "BacktestResult") -> int:
    return sum(result.pnl_e6.values())


def _sum_e6(result: "BacktestResult", causes: tuple[str, ...]) -> int:
    return sum(result.pnl_e6[cause] for cause in causes)


def _share(value_e6: int, result: "BacktestResult") -> str:
    return percent(value_e6 / result.equity_start_e6, 2, sign=True) if result.equity_start_e6 else UNKNOWN
