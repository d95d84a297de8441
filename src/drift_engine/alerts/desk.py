"""Which alerts stand, and which of them are said again: the rules asked, with cooldown and hourly cap.

An alert stands as long as its rule finds something, and ten seconds after it was said at the least. It is said when it
begins and, while it stands, again after its cooldown, no more than so often an hour; dismissing it hides it until it is
said again. Time is an argument: nanoseconds.
"""

import itertools
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct, structs

from drift_engine.alerts.rules import RULES, Memory, Rule, Severity, Status
from drift_engine.core.units import HOUR_NS, SECOND_NS

_HISTORY = 500
_HOLD_NS = 10 * SECOND_NS


class Alert(Struct, frozen=True):
    """One alert. ``count`` says how often it was said; ``active`` whether its reason still stands."""

    id: str
    rule: str
    engine: str
    severity: Severity
    message: str
    raised_ns: int
    said_ns: int
    count: int = 1
    active: bool = True
    dismissed: bool = False

    def line(self) -> str:
        """Return it as one line for people."""
        return f"{self.severity} {self.engine}: {self.message} [{self.rule}]"


class AlertDesk:
    """The alerts of a fleet. ``rules`` replaces how rules are set, by name."""

    def __init__(self, rules: Mapping[str, Rule] | None = None) -> None:
        self._rules = {name: rule for name, (_, rule) in RULES.items()} | dict(rules or {})
        self._standing: dict[tuple[str, str], Alert] = {}
        self._past: deque[Alert] = deque(maxlen=_HISTORY)
        self._said: dict[tuple[str, str], deque[int]] = {}
        self._memories: dict[str, Memory] = {}
        self._numbers = itertools.count(1)

    def look(self, statuses: Iterable[Status], now_ns: int) -> list[Alert]:
        """Ask every rule about every engine and return what is to be said now."""
        said = []
        for status in statuses:
            engine = str(status["engine"])
            before = self._memories.setdefault(engine, Memory())
            restarts = before.restarts
            before.take(status)
            view = structs.replace(before, restarts=restarts)
            for name, (ask, _) in RULES.items():
                rule = self._rules[name]
                found = ask(status, view, rule.at) if rule.on and not self._covered(name, engine) else None
                said += self.report(name, engine, found, now_ns, rule)
        return said

    def report(self, name: str, engine: str, found: str | None, now_ns: int, rule: Rule | None = None) -> list[Alert]:
        """Take what was found by a rule, also one that is not ours.

        Return the alert where it is to be said now, and once more, no longer ``active``, where it is over.
        """
        rule, key = rule or self._rules.get(name) or Rule("WARNING"), (name, engine)
        standing = self._standing.get(key)
        if found is None:
            if standing is not None and now_ns - max(standing.said_ns, standing.raised_ns) >= _HOLD_NS:
                self._past.append(structs.replace(self._standing.pop(key), active=False))
                return [self._past[-1]]
            return []
        if standing is None:
            standing = Alert(f"a{next(self._numbers)}", name, engine, rule.severity, found, now_ns, 0, 0)
        alert = self._standing[key] = structs.replace(standing, message=found)
        if not self._may_say(key, rule, now_ns):
            return []
        self._said.setdefault(key, deque()).append(now_ns)
        alert = structs.replace(alert, said_ns=now_ns, count=alert.count + 1, dismissed=False)
        self._standing[key] = alert
        return [alert]

    def _may_say(self, key: tuple[str, str], rule: Rule, now_ns: int) -> bool:
        said = self._said.get(key)
        while said and now_ns - said[0] >= HOUR_NS:
            said.popleft()
        return not said or (now_ns - said[-1] >= rule.cooldown_s * SECOND_NS and len(said) < rule.an_hour)

    def _covered(self, name: str, engine: str) -> bool:
        """The critical alert on health says all that the warning would."""
        return name == "health" and ("health_critical", engine) in self._standing

    def test(self, now_ns: int, engine: str = "test") -> Alert:
        """Make an alert that says it is a test."""
        alert = Alert(
            f"a{next(self._numbers)}", "test", engine, "INFO", "this is a test alert", now_ns, now_ns, active=False
        )
        self._past.append(alert)
        return alert

    def dismiss(self, number: str) -> bool:
        """Hide a standing alert until it is said again; false where there is none of that number."""
        for key, alert in self._standing.items():
            if alert.id == number:
                self._standing[key] = structs.replace(alert, dismissed=True)
                return True
        return False

    def active(self, engine: str | None = None) -> list[Alert]:
        """Return what stands, the most severe first."""
        rank = {"CRITICAL": 0, "WARNING": 1, "INFO": 2}
        found = [alert for alert in self._standing.values() if engine in (None, alert.engine)]
        return sorted(found, key=lambda alert: (rank[alert.severity], alert.raised_ns))

    def history(self) -> list[Alert]:
        """Return what stands no more, the latest first."""
        return list(self._past)[::-1]

    def to_dict(self) -> dict[str, Any]:
        """Return both as plain values."""
        return {
            "active": [structs.asdict(alert) for alert in self.active()],
            "history": [structs.asdict(alert) for alert in self.history()],
        }
