"""The rules: one small function a question, asked of each status as it comes, in no time and without I/O.

A rule says what is wrong in one line, or ``None``. ``Memory`` is what it remembers of the engine's status before. What
is not known raises no alert by its value: not knowing is a rule of its own (``stale``).
"""

from collections.abc import Callable, Mapping
from typing import Any, Literal

from msgspec import Struct

Severity = Literal["INFO", "WARNING", "CRITICAL"]
SEVERITIES: tuple[Severity, ...] = ("INFO", "WARNING", "CRITICAL")
Status = Mapping[str, Any]


class Rule(Struct, frozen=True):
    """How a rule is set: ``at`` is its threshold; no more than one alert in ``cooldown_s``, and ``an_hour`` in one."""

    severity: Severity
    at: float = 0.0
    cooldown_s: float = 60.0
    an_hour: int = 20
    on: bool = True


class Memory(Struct):
    """What the rules remember of one engine."""

    restarts: int | None = None
    decisions: int = 0
    trades: int = 0
    refused: int = 0
    paying: dict[str, bool] = {}
    flipped: bool = False

    def take(self, status: Status) -> None:
        """Remember a status, after the rules were asked."""
        self.restarts = _int(status.get("restarts"))
        self._count_refusals(status)
        paying = {name: pays for name, pays in map(_pays, status.get("positions") or ()) if pays is not None}
        self.flipped = any(pays and self.paying.get(name) is False for name, pays in paying.items()) or (
            self.flipped and any(paying.values())
        )
        self.paying = paying

    def _count_refusals(self, status: Status) -> None:
        tally = status.get("tally") or {}
        decisions, trades = _int(tally.get("decisions")) or 0, _int(tally.get("trades")) or 0
        last = status.get("last_decision")
        if decisions < self.decisions or trades > self.trades or last is None or last.get("approved"):
            self.refused = 0
        elif decisions > self.decisions:
            self.refused += decisions - self.decisions
        self.decisions, self.trades = decisions, trades


Ask = Callable[[Status, Memory, float], str | None]


def _health(status: Status, _memory: Memory, at: float) -> str | None:
    health = (status.get("margin") or {}).get("health")
    return f"health is {_percent(health)}, below {_percent(at)}" if health is not None and health < at else None


def _leverage(status: Status, _memory: Memory, at: float) -> str | None:
    leverage = (status.get("margin") or {}).get("leverage")
    return f"leverage is {leverage:.2f}, at or above {at:g}" if leverage is not None and leverage >= at else None


def _drawdown(status: Status, _memory: Memory, at: float) -> str | None:
    high_e6, equity_e6 = status.get("high_water_e6"), status.get("equity_e6")
    if not high_e6 or equity_e6 is None or high_e6 <= 0:
        return None
    fallen = (high_e6 - equity_e6) / high_e6
    return f"equity is {_percent(fallen)} below its high, at or above {_percent(at)}" if fallen >= at else None


def _funding_flip(_status: Status, memory: Memory, _at: float) -> str | None:
    paying = ", ".join(name for name, pays in memory.paying.items() if pays)
    return f"funding turned against us: {paying} pays now" if memory.flipped else None


def _delta(status: Status, _memory: Memory, at: float) -> str | None:
    """Ask only of what is hedged: a perp and a spot balance of the same asset."""
    rows = status.get("positions") or ()
    spots = {str(row["market"]) for row in rows if row.get("kind") == "spot" and row.get("base_e9")}
    for row in rows:
        asset = str(row.get("market", "")).removesuffix("-PERP")
        held = abs(_int(row.get("base_e9")) or 0)
        if row.get("kind") != "perp" or asset not in spots or not held:
            continue
        net = (status.get("net_delta_e9") or {}).get(asset)
        if net is not None and abs(net) / held >= at:
            return f"net {asset} exposure is {_percent(abs(net) / held)} of the hedge, at or above {_percent(at)}"
    return None


def _stale(status: Status, _memory: Memory, _at: float) -> str | None:
    if status.get("status") == "STALE":
        return "no heartbeat: the figures are old"
    margin = (status.get("margin") or {}).get("status")
    if status.get("status") == "RUNNING" and margin in ("stale", "unknown"):
        why = status.get("data_trouble")
        return f"its data is {margin}: health is not known" + (f"; {why}" if why else "")
    return None


def _venue(status: Status, _memory: Memory, _at: float) -> str | None:
    trouble = status.get("venue_trouble")
    return f"the venue does not answer: {trouble}" if trouble and status.get("status") != "STALE" else None


def _engine_down(status: Status, memory: Memory, _at: float) -> str | None:
    if status.get("status") == "ERROR":
        return f"the engine is down: {status.get('reason') or 'it ended by an error'}"
    restarts = _int(status.get("restarts"))
    if restarts is not None and memory.restarts is not None and restarts > memory.restarts:
        return f"the engine died and was started again ({restarts} times by now)"
    return None


def _halted(status: Status, _memory: Memory, _at: float) -> str | None:
    if status.get("disputed"):
        return f"the books are in dispute: {status.get('reason') or 'ours differ from the venue'}"
    if status.get("status") == "EMERGENCY":
        return f"emergency close: {status.get('reason') or 'under way'}"
    if status.get("trading") == "HALTED" or status.get("latched"):
        word = "reduces only" if status.get("trading") == "REDUCING" else "halted"
        return f"{word} until a human resumes: {status.get('reason') or 'no reason given'}"
    return None


def _refused_streak(_status: Status, memory: Memory, at: float) -> str | None:
    return f"{memory.refused} decisions in a row were refused" if memory.refused >= at else None


RULES: dict[str, tuple[Ask, Rule]] = {
    "health_critical": (_health, Rule("CRITICAL", 0.20)),
    "health": (_health, Rule("WARNING", 0.50)),
    "leverage": (_leverage, Rule("WARNING", 5.0)),
    "drawdown": (_drawdown, Rule("WARNING", 0.05)),
    "funding_flip": (_funding_flip, Rule("WARNING")),
    "delta": (_delta, Rule("WARNING", 0.03)),
    "stale": (_stale, Rule("CRITICAL")),
    "venue": (_venue, Rule("CRITICAL")),
    "engine_down": (_engine_down, Rule("CRITICAL")),
    "halted": (_halted, Rule("CRITICAL")),
    "refused_streak": (_refused_streak, Rule("WARNING", 10.0)),
}
"""Each rule by name: the question, and how it is set unless the fleet file says otherwise."""


def _pays(row: Mapping[str, Any]) -> tuple[str, bool | None]:
    """Return a perp position and whether it pays funding at the last rate; ``None`` where that is not known."""
    held, rate = _int(row.get("base_e9")), _int(row.get("funding_e9"))
    if row.get("kind") != "perp" or not held or not rate:
        return str(row.get("market", "")), None
    return str(row["market"]), (held > 0) == (rate > 0)


def _int(value: Any) -> int | None:
    return value if isinstance(value, int) else None


def _percent(fraction: float) -> str:
    return f"{fraction * 100:.1f} %"
