"""Runs that are made to be killed: a process that forks one for each line it reads, so that a start costs nothing.

A line is JSON: ``run`` (a table of ``config.from_table``), ``out``, where the run's end is written, and
``kill_after_s``, when it is killed (null = never). The answer is its exit status, negative for a signal.
"""

import asyncio
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from drift_engine import backtest, wiring
from drift_engine.config import RunConfig, from_table
from drift_engine.core import reconcile
from drift_engine.core.driving import drive
from drift_engine.engine import DriftEngine
from drift_engine.journal import file, reader

LOADED = file, reader
"""What a run loads when it first needs it: here, before the forks."""


def lived_backtest(config: RunConfig) -> dict[str, Any]:
    return backtest.run(config).to_json()


async def lived_paper(config: RunConfig) -> dict[str, Any]:
    strategy = wiring.make_strategy(config)
    ports = wiring.build(config, strategy)
    engine = DriftEngine(strategy, config=config, ports=ports)
    await engine.start()
    await engine.wait()
    venue, state = ports.world.venue, engine.state
    books = drive(venue.observe(state.now_ns))
    found = {
        "now_ns": state.now_ns,
        "cursors": [state.venue_cursor, books.cursor],
        "differences": reconcile.differences(state.account, books.account),
        "in_flight": list(state.in_flight),
        "trading": state.trading,
        "reason": state.reason,
    }
    await engine.stop()
    return found


def live(line: str) -> None:
    order = json.loads(line)
    config = from_table(order["run"])
    found = lived_backtest(config) if config.mode == "backtest" else asyncio.run(lived_paper(config))
    out = Path(order["out"])
    out.with_suffix(".part").write_text(json.dumps(found))
    out.with_suffix(".part").rename(out)


def main() -> None:
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            live(line)
            os._exit(0)
        kill_after_s = json.loads(line)["kill_after_s"]
        if kill_after_s is not None:
            wait_for(pid, kill_after_s)
            os.kill(pid, signal.SIGKILL)
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)


def wait_for(pid: int, most_s: float) -> None:
    """Wait until a child ends, but not for long; it is not reaped yet, so its pid stays its own."""
    until = time.monotonic() + most_s
    while time.monotonic() < until and os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        time.sleep(min(0.002, max(0.0, until - time.monotonic())))


if __name__ == "__main__":
    main()
