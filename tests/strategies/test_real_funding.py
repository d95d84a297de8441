"""Delta neutral over seven months of real Drift funding, hour by hour. Skipped where the shared data is not there."""

import csv
import gzip
import os
from decimal import Decimal
from pathlib import Path

import pytest
from strategy_bench import Bench

from drift_engine.strategies.delta_neutral import DeltaNeutralStrategy

DATA = Path(os.environ.get("DRIFT_SHARED", Path(__file__).parents[2] / "../shared")) / "data/drift"


def rows(name: str) -> list[tuple[int, int, int]]:
    path = DATA / f"{name}_funding_1h.csv.gz"
    if not path.is_file():
        pytest.skip(f"no shared data: {path} is absent (set DRIFT_SHARED)")
    with gzip.open(path, "rt") as lines:
        return [
            (
                int(row["ts"]) * 10**9,
                int(Decimal(row["fundingRate"]).scaleb(9)),
                int(Decimal(row["oraclePriceTwap"]).scaleb(6)),
            )
            for row in csv.DictReader(lines)
        ]


def test_it_is_neither_dead_nor_churning_and_always_neutral() -> None:
    bench = Bench(DeltaNeutralStrategy())
    bench.set("USDC", deposit_rate_e6=66_000, borrow_rate_e6=93_000)
    bench.set("SOL", deposit_rate_e6=36_000, borrow_rate_e6=76_000)
    breaches = 0
    for ts_ns, rate, oracle_e6 in rows("SOL-PERP"):
        bench.now_ns = ts_ns
        for name in ("SOL", "SOL-PERP"):
            bench.set(name, oracle_e6=oracle_e6)
        bench.settle("SOL-PERP", rate)
        for _ in range(4):
            bench.tick(890)
        reading = bench.strategy.get_status()["neutrality"]
        breaches += reading["breach"] and not reading["pending"]
    entries = [signal for _, signal in bench.signals if signal.reason.startswith("enter")]
    unwinds = [signal for _, signal in bench.signals if signal.reason.startswith("unwind")]
    assert 2 <= len(entries) <= 12
    assert len(entries) - 1 <= len(unwinds) <= len(entries) + 2
    assert breaches <= len(bench.signals)
