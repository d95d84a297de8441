"""What an engine that is being closed still holds: told from its own status, until it is halted or time is up."""

import time
from pathlib import Path
from typing import Any

_PAUSE_S = 0.1


def held(status: dict[str, Any]) -> dict[str, str]:
    """Return what is held besides the quote, exactly, by market; nothing where an engine is only starting."""
    from drift_engine.core.units import show_scaled

    rows = (row for row in status["positions"] or () if row["base_e9"] and not row["quote"])
    return {row["market"]: show_scaled(row["base_e9"], 9) for row in rows}


def is_open(status: dict[str, Any]) -> bool:
    """Whether a perp position or a borrow is left."""
    return any(row["base_e9"] for row in status["positions"] or () if row["kind"] == "perp" or row["side"] == "borrow")


def is_flat(status: dict[str, Any]) -> bool:
    """Whether the engine ended its close, says so, and holds nothing that has to be closed."""
    ended = status["trading"] == "HALTED" and not status["closing"]
    return ended and (status["reason"] or "").startswith("flat") and not is_open(status)


def words(amounts: dict[str, str]) -> str:
    """Return what is held in words."""
    return ", ".join(f"{amount} {market}" for market, amount in amounts.items()) or "nothing"


def watched(state_dir: Path, names: list[str], within_s: float) -> dict[str, dict[str, Any]]:
    """Return how the close of each engine went, by name, once all are halted or the time is up.

    An engine that does not answer, as while it is started, is waited for; of one that never does nothing is known.
    """
    by, ended, waiting = time.monotonic() + within_s, dict[str, dict[str, Any]](), names
    while waiting:
        ended |= {name: _asked(state_dir, name) for name in waiting}
        waiting = [name for name in waiting if not ended[name]["halted"]]
        if time.monotonic() >= by:
            break
        time.sleep(_PAUSE_S)
    return ended


def _asked(state_dir: Path, name: str) -> dict[str, Any]:
    from drift_engine.control.client import ask_now

    answer = ask_now(state_dir / f"{name}.sock", "status", 2.0)
    if not answer.ok:
        return {"halted": False, "flat": False, "left": None, "said": answer.message}
    status = answer.data
    halted = status["trading"] == "HALTED" and not status["closing"]
    return {"halted": halted, "flat": is_flat(status), "left": held(status), "said": status["reason"]}
