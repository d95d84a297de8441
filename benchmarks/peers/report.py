"""What a peer's script prints: CPU time an event, and its list of trades, as one JSON line."""

import json
import statistics
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks.candles import Rows, read
from benchmarks.ema import Trade
from benchmarks.measure import cpu_ns

Outcome = tuple[Callable[[], None], Callable[[], list[Trade]]]


def report(prepare: Callable[[Rows], Outcome]) -> None:
    """Run a peer some rounds on the candles of the file named in ``argv`` and print what came of it."""
    rows = read(Path(sys.argv[1]))
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    figures, found = [], []
    for _ in range(rounds):
        run, trades = prepare(rows)
        figures.append(cpu_ns(run) / len(rows))
        found = trades()
    sys.stdout.write(json.dumps({"cpu_ns_per_event": statistics.median(figures), "trades": found}) + "\n")
