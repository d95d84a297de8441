"""The terminal view of a run: one screen, made anew from the engine's status each time; 80 by 24 are enough,
and on a smaller one health, positions and the last decision come first.

Where stdout is no terminal there is ``plain`` instead: one line that says the same in short.
"""

from rich.console import Group, RenderableType
from rich.text import Text

from drift_engine.cli import panels
from drift_engine.cli.figures import amount, counted, duration, moment, money, percent
from drift_engine.cli.fitting import Fitted, Spare
from drift_engine.cli.health import health
from drift_engine.cli.panels import Status
from drift_engine.execution.limits import Limits


class View:
    """What a view knows besides the status: the limits, the pace, and how long it runs."""

    def __init__(self, limits: Limits, speed: float, length_s: float | None, journal: str) -> None:
        self._limits = limits
        self._speed = speed
        self._length_s = length_s
        self._journal = journal

    def draw(self, status: Status, elapsed_s: float, rows: int | None = None) -> RenderableType:
        """Return the whole screen, or as much of it as ``rows`` have room for."""
        strategy = Group(panels.section(_strategy_heading(status)), panels.strategy(status))
        return Fitted(
            (
                *self._header(status, elapsed_s),
                health(status, self._limits),
                panels.positions(status),
                panels.earned(status),
                panels.decision(status),
                Spare(4, "strategy", strategy),
                Spare(2, "counts", self._footer(status)),
            ),
            rows,
        )

    def _header(self, status: Status, elapsed_s: float) -> tuple[RenderableType, ...]:
        name = Text(str(status["name"]), style="bold").append(f" on {status['market']}", style="default")
        name.append(f"  {status['mode']}, venue {status['venue']}", style="dim not bold")
        pace = Text(f"{moment(status['now_ns'])} UTC", style="bold")
        pace.append(f"  {self._pace()}, {duration(elapsed_s)}{self._of_length()}", style="dim not bold")
        top = panels.ends(name, panels.market_label(status))
        bottom = panels.ends(pace, panels.trading(status))
        away = f"the venue does not answer: {status['venue_trouble']}" if status.get("venue_trouble") else None
        said = [str(text) for text in (away, status.get("data_trouble"), status["reason"]) if text]
        return top, bottom, *(Text(text, style="yellow", no_wrap=True, overflow="ellipsis") for text in said)

    def _pace(self) -> str:
        return "real time" if self._speed == 1 else f"{self._speed:,g}× real time"

    def _of_length(self) -> str:
        return "" if self._length_s is None else f" of {duration(self._length_s)}"

    def _footer(self, status: Status) -> Text:
        tally = status["tally"]
        refused = sum(tally["refusals"].values())
        found = ((tally["ticks"], "tick"), (tally["trades"], "fill"), (refused, "refusal"))
        counts = "  ".join(counted(count, noun) for count, noun in found)
        text = f"{counts}  {len(status['in_flight'])} in flight"
        return Text(f"{text}  Ctrl-C ends it  {self._journal}", style="dim", no_wrap=True, overflow="ellipsis")


def _strategy_heading(status: Status) -> str:
    asked = status["trading"] != "HALTED" and not status["closing"]
    return "Strategy" if asked else "Strategy, when it was last asked"


def plain(status: Status) -> str:
    """Return the run in one line, for logs and pipes."""
    margin = status["margin"]
    stale = " STALE" if margin["status"] == "stale" else ""
    known = "unknown" if margin["status"] == "unknown" else percent(margin["health"])
    deltas = " ".join(f"{asset} {amount(delta, sign=True)}" for asset, delta in status["net_delta_e9"].items())
    words = (
        f"{moment(status['now_ns'])}Z".replace(" ", "T"),
        "SIMULATED" if status["simulated"] else "LIVE-MARKET" if panels.is_live_market(status) else "RECORDED",
        str(status["trading"]),
        f"health {known}{stale}",
        f"equity {money(status['equity_e6']).replace(',', '')}",
        f"pnl {money(status['pnl']['total_e6'], 4, sign=True).replace(',', '')}",
        f"funding {money(status['pnl']['funding_e6'], 4, sign=True).replace(',', '')}",
        f"delta {deltas or '0'}",
        f"fills {status['tally']['trades']}",
    )
    return "  ".join(words)


def summary(status: Status, wall_s: float, began_ns: int, journal: str) -> list[str]:
    """Return what a run came to, in a few lines."""
    market_s = max(status["now_ns"] - began_ns, 0) / 10**9 if began_ns else 0.0
    place = f"simulated market {status['scenario']}" if status.get("scenario") else "recorded market"
    place = f"live market of {status['venue']}" if panels.is_live_market(status) else place
    lines = [
        f"{status['name']} on {status['market']}, {place}: {duration(wall_s)}, {duration(market_s)} of market time",
        *came_to(status),
    ]
    return [*lines, f"journal {journal}: look with drift-engine status, why, journal tail"] if journal else lines


def came_to(status: Status) -> list[str]:
    """Return what was earned, from what, how often it traded and in which state it ended."""
    tally, pnl, lowest = status["tally"], status["pnl"], status["tally"]["min_health"]
    causes = ", ".join(
        f"{cause} {money(pnl[f'{cause}_e6'], 4, sign=True)}" for cause in panels.CAUSES if pnl[f"{cause}_e6"]
    )
    return [
        f"equity {money(status['equity_e6'])}, {money(pnl['total_e6'], 4, sign=True)}: {causes or 'nothing happened'}",
        f"{counted(tally['trades'], 'fill')}, {counted(tally['funding_settlements'], 'funding settlement')}, "
        f"{counted(sum(tally['refusals'].values()), 'refusal')}, {counted(tally['liquidations'], 'liquidation')}, "
        f"lowest health {'not known' if lowest is None else percent(lowest, 1)}",
        f"trading {status['trading']}{': ' + status['reason'] if status['reason'] else ''}",
    ]
