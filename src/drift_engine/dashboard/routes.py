"""Which path is answered by what: one table, from which the routes and the API's own description are made."""

from collections.abc import Callable
from typing import Any

from msgspec import Struct

from drift_engine.dashboard import access, commands, metrics, reads

_ONE = "/api/engines/{name}"


class Way(Struct, frozen=True):
    """A path with its method. ``query`` and ``body`` name what may be given, with a type and a line of text."""

    method: str
    path: str
    endpoint: Callable[..., Any]
    text: str
    query: dict[str, tuple[str, str]] = {}
    body: dict[str, tuple[str, str]] = {}
    kind: str = "application/json"


_N = {"n": ("integer", "how many")}
_HISTORY = {
    "series": ("string", "which of equity, drawdown, health, price, funding, basis, delta; by commas"),
    "from": ("integer", "ns UTC of the market's time"),
    "to": ("integer", "ns UTC of the market's time"),
    "points": ("integer", "how many points at most"),
}
_START = {"mode": ("string", "paper or live"), "confirm": ("string", "LIVE and the engine's name, for live")}


def _transfer(word: str, text: str) -> Way:
    body = {"amount": ("string", "how much of the quote asset, as 100.5")}
    return Way("POST", f"{_ONE}/{word}", commands.command(word, commands.transfer(word)), text, body=body)


def _lifecycle(word: str, text: str) -> Way:
    return Way("POST", f"{_ONE}/{word}", commands.command(word, commands.lifecycle(word)), text, body=_START)


WAYS = (
    Way("GET", "/health", reads.health, "Whether all is well: 200, or 503 with what is not"),
    Way("GET", "/metrics", metrics.metrics, "Figures for Prometheus", kind="text/plain"),
    Way("GET", "/api/engines", reads.engines, "Every engine's status"),
    Way("GET", _ONE, reads.engine, "One engine's status"),
    Way("GET", f"{_ONE}/history", reads.history, "Columns over time and the fills, from the journal", query=_HISTORY),
    Way("GET", f"{_ONE}/replica", reads.replica, "The books made again from the journal"),
    Way("GET", f"{_ONE}/decisions", reads.decisions, "The last decisions with every gate, newest first", query=_N),
    Way("GET", f"{_ONE}/logs", reads.logs, "The last lines of its log, oldest first", query=_N),
    Way("GET", "/api/opportunities", reads.opportunities, "What funding pays where"),
    Way("GET", "/api/alerts", reads.alerts, "What stands, and what stood before"),
    Way("GET", "/api/strategies", reads.strategies, "Strategies and their parameters"),
    Way("GET", "/api/stream", reads.stream, "What happens, as it happens", kind="text/event-stream"),
    Way("GET", "/api/session", access.session, "Whether this browser may command"),
    Way("GET", "/api/audit", access.audit_log, "The last lines of the audit; unlocked only"),
    Way("POST", "/api/unlock", access.unlock, "Open a session", body={"token": ("string", "the token")}),
    Way("POST", "/api/lock", access.lock, "End the session"),
    _lifecycle("start", "Start an engine"),
    _lifecycle("stop", "Stop an engine; positions stay"),
    _lifecycle("restart", "Stop it and start it in the same mode"),
    _lifecycle("resume", "Let a halted engine trade again"),
    Way(
        "POST", f"{_ONE}/close", commands.command("close", commands.close), "Close one position, reduce-only",
        body={"market": ("string", "the market")},
    ),
    Way("POST", f"{_ONE}/settle", commands.command("settle", commands.settle), "Settle profit and loss"),
    _transfer("deposit", "Pay into a paper account"),
    _transfer("withdraw", "Pay out of a paper account; refused where health would be under 80 % after it"),
    Way(
        "POST", f"{_ONE}/params", commands.command("params", commands.params), "Change parameters of a stopped engine",
        body={"params": ("object", "names and values")},
    ),
    Way(
        "POST", "/api/kill", commands.command("kill", commands.kill, limited=False),
        "STOP: cancel and close everything of one engine, or of all", body={"engine": ("string", "one engine only")},
    ),
    Way("POST", "/api/alerts/test", commands.command("alert_test", commands.try_alert), "Send a test alert"),
    Way(
        "POST", "/api/alerts/{id}/dismiss", commands.command("dismiss", commands.dismiss),
        "Hide an alert until it is raised again",
    ),
)  # fmt: skip
