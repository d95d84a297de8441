"""The health part of the terminal view: a bar, a word, and the figures behind them.

A health that is not known, or that stands on old prices, never looks like one that is known, and is never called
healthy.
"""

from rich.console import Console, ConsoleOptions, Group, RenderResult
from rich.text import Text

from drift_engine.cli.figures import UNKNOWN, moment, money, percent
from drift_engine.cli.panels import Status, section
from drift_engine.execution.limits import Limits

_LABEL_WIDTH = 17


def health_word(margin: Status, limits: Limits) -> tuple[str, str]:
    """Return the health in a word and its style. Only a known health is ever called healthy."""
    health = margin.get("health")
    if margin.get("status") == "unknown" or health is None:
        return "UNKNOWN", "bold magenta"
    if margin.get("status") == "stale":
        return "STALE", "bold magenta"
    bounds = (
        (limits.emergency_health_e4, "EMERGENCY", "bold red"),
        (limits.critical_health_e4, "CRITICAL", "red"),
        (limits.warn_health_e4, "WARNING", "yellow"),
    )
    for bound_e4, word, style in bounds:
        if bound_e4 is not None and health * 10_000 < bound_e4:
            return word, style
    return "HEALTHY", "green"


class HealthBar:
    """A bar as wide as the space there is; an unknown or stale health never fills it like a known one."""

    def __init__(self, margin: Status, limits: Limits) -> None:
        self._margin = margin
        self._word, self._style = health_word(margin, limits)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw it."""
        cells = max(options.max_width - _LABEL_WIDTH - 1, 4)
        health = self._margin.get("health")
        if health is None or self._word == "UNKNOWN":
            yield Text("?" * cells, style="dim magenta").append(f" {self._word:>{_LABEL_WIDTH}}", style=self._style)
            return
        filled = int(min(max(health, 0.0), 1.0) * cells)
        label = f"{percent(health, 1)} {self._word}"
        full, old, rest = "#~." if options.ascii_only else "█▒·"
        bar = Text((old if self._word == "STALE" else full) * filled, style=self._style)
        bar.append(rest * (cells - filled), style="dim")
        yield bar.append(f" {label:>{_LABEL_WIDTH}}", style=self._style)


def health(status: Status, limits: Limits) -> Group:
    """Return the health bar and the margin figures under it."""
    margin = status["margin"]
    bar = HealthBar(margin, limits)
    if margin.get("status") == "unknown" or margin.get("collateral_e6") is None:
        return Group(
            section("Health"), bar, Text("margin is not known: nothing that adds risk is allowed", style="dim")
        )
    leverage = margin.get("leverage")
    figures = Text(no_wrap=True, overflow="ellipsis")
    for name, text in (
        ("collateral", money(margin["collateral_e6"])),
        ("needed", money(margin["maintenance_e6"])),
        ("free", money(margin["free_e6"])),
        ("leverage", UNKNOWN if leverage is None else f"{leverage:.2f}×"),
    ):
        figures.append(f"{name} ", style="dim").append(f"{text}   ")
    if margin["status"] == "stale":
        figures.append(f"as of {moment(margin['as_of_ns'])}", style="magenta")
    return Group(section("Health"), bar, figures)
