"""The status contract: one document for web, terminal and API.

It is the engine's own status with what only its process knows. What nobody knows is ``None``.
"""

import os
import resource
import time
from pathlib import Path
from typing import Any

from drift_engine.control.spec import EngineSpec

STATUSES = ("STOPPED", "STARTING", "RUNNING", "STOPPING", "ERROR", "EMERGENCY", "STALE")
_STATM = Path("/proc/self/statm")


def document(spec: EngineSpec, status: dict[str, Any], phase: str, began_s: float) -> dict[str, Any]:
    """Return an engine's document. ``phase`` is its process's; an emergency close under way is shown instead."""
    emergency = phase == "RUNNING" and bool(status.get("closing"))
    return {
        **blank(spec),
        **status,
        "engine": spec.name,
        "status": "EMERGENCY" if emergency else phase,
        "pid": os.getpid(),
        "uptime_s": round(time.monotonic() - began_s, 3),
        "wall_ns": time.time_ns(),
        "resources": resources(),
    }


def blank(spec: EngineSpec) -> dict[str, Any]:
    """Return the document of an engine of which nothing is known but what it should run."""
    unknown = dict.fromkeys(
        (
            "market", "venue", "simulated", "trading", "reason", "latched", "disputed", "closing", "pid", "uptime_s",
            "seq", "as_of_ns", "heard_ns", "wall_ns", "positions", "net_delta_e9", "pnl", "equity_e6",
            "net_deposits_e6", "high_water_e6", "drawdown", "markets", "last_decision", "tally", "strategy_status",
            "resources", "venue_trouble", "data_trouble",
        )
    )  # fmt: skip
    figures = ("health", "leverage", "collateral_e6", "maintenance_e6", "initial_e6", "collateral_initial_e6",
               "free_e6", "equity_e6", "as_of_ns", "age_ms")  # fmt: skip
    return {
        **unknown,
        "engine": spec.name,
        "strategy": spec.run.get("strategy", "delta_neutral"),
        "mode": spec.mode,
        "scenario": spec.run.get("scenario"),
        "status": "STOPPED",
        "restarts": 0,
        "margin": {"status": "unknown", **dict.fromkeys(figures)},
        "metrics": [],
        "alerts": [],
        "params": {},
        "signer": {"kind": spec.mode, "address": None},
        "sub_accounts": [{"id": spec.sub_account, "name": spec.name, "selected": True}],
    }


def resources() -> dict[str, Any]:
    """Return what this process has used: CPU seconds, and memory resident now."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return {"cpu_s": round(used.ru_utime + used.ru_stime, 3), "rss_bytes": _rss_bytes()}


def _rss_bytes() -> int | None:
    try:
        return int(_STATM.read_text().split()[1]) * resource.getpagesize()
    except OSError:
        return None
