"""Figures that can be added up by hand: funding on real history, PnL by cause on any run, the same digest each time."""

from __future__ import annotations

import csv
import gzip
import shutil
import sqlite3
from contextlib import closing
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from proof_stage import BREAKERS_OFF, CHURN, E6, wired

from drift_engine import backtest, wiring
from drift_engine.backtest import BacktestResult
from drift_engine.catalogue import builtin
from drift_engine.config import ConfigError, RunConfig, parse_date
from drift_engine.core.types import Filled
from drift_engine.execution.limits import Limits
from drift_engine.journal import Journal, JournalError
from drift_engine.replay import replay
from drift_engine.simulation.csv_files import DataError
from drift_engine.simulation.faults import FAULTS
from drift_engine.simulation.models import Models, PartialFills
from drift_engine.simulation.scenarios import SCENARIOS


def held(shared: Path, market: str, target: str, begin: str, end: str) -> BacktestResult:
    return backtest.run(
        RunConfig(
            strategy="hold",
            params={"target": target, "market": market},
            mode="backtest",
            data=shared / "data",
            capital_e6=1_000_000 * E6,
            limits=BREAKERS_OFF,
            from_ns=parse_date(begin, "from"),
            to_ns=parse_date(end, "to"),
        )
    )


def by_hand(shared: Path, market: str, base_e9: int, begin: str, end: str, first_fill_ts: str) -> tuple[int, int]:
    """Add up a window's settlements after a moment from the file itself, each truncated toward zero."""
    with gzip.open(shared / "data" / "drift" / f"{market}_funding_1h.csv.gz", "rt") as file:
        rows = list(csv.DictReader(file))
    first, last = parse_date(begin, "from") // 10**9, parse_date(end, "to") // 10**9
    fill = int(datetime.fromisoformat(first_fill_ts).timestamp())
    total = count = 0
    for row in rows:
        ts = int(row["ts"])
        if first <= ts < last and ts > fill:
            owed = -Decimal(row["fundingRate"]) * base_e9 / 1_000
            total += int(owed)
            count += 1
    return total, count


@pytest.mark.parametrize(("market", "funding_e6"), [("SOL-PERP", 2_453_931), ("BTC-PERP", -4_343_141_327)])
def test_hold_is_paid_the_sum_of_the_hours(shared: Path, market: str, funding_e6: int) -> None:
    found = held(shared, market, "1", "2025-04-14", "2025-11-01")
    assert found.pnl_e6["funding"] == funding_e6
    assert found.funding_settlements == 4_823
    assert sum(found.pnl_e6.values()) == found.equity_end_e6 - found.equity_start_e6
    assert not found.disputed


@pytest.mark.parametrize(
    ("market", "target", "begin", "end"),
    [
        ("SOL-PERP", "1", "2025-06-01", "2025-06-08"),
        ("SOL-PERP", "-3.07", "2025-10-01", "2025-10-20"),
        ("BTC-PERP", "-0.37", "2025-05-05", "2025-05-06T07:00"),
        ("BTC-PERP", "2.5", "2025-08-09T11:30", "2025-08-30"),
    ],
)
def test_other_windows_and_sizes_add_up_too(shared: Path, market: str, target: str, begin: str, end: str) -> None:
    found = held(shared, market, target, begin, end)
    assert found.first_fill_ts is not None
    base_e9 = int(Decimal(target) * 10**9)
    expected = by_hand(shared, market, base_e9, begin, end, found.first_fill_ts)
    assert (found.pnl_e6["funding"], found.funding_settlements) == expected
    assert sum(found.pnl_e6.values()) == found.equity_end_e6 - found.equity_start_e6


RUNS = st.fixed_dictionaries(
    {
        "strategy": st.sampled_from([CHURN, "delta_neutral", "funding_farm", "hold"]),
        "scenario": st.sampled_from(sorted(SCENARIOS)),
        "seed": st.integers(0, 10**6),
        "interval_s": st.sampled_from([60, 300, 900]),
        "faults": st.sets(st.sampled_from(FAULTS), max_size=3).map(lambda found: tuple(sorted(found))),
        "capital_e6": st.sampled_from([500 * E6, 10_000 * E6, 1_234_567_891]),
        "fill": st.sampled_from(["auction", "next_open"]),
        "limits": st.sampled_from([Limits(), BREAKERS_OFF]),
    }
)
PARAMS = {
    CHURN: st.fixed_dictionaries({"pair": st.sampled_from("01"), "size": st.sampled_from(["0.01", "1.37", "11"])}),
    "delta_neutral": st.fixed_dictionaries({"size": st.sampled_from(["0.1", "0.5"]), "min_hedge": st.just("0.01")}),
    "funding_farm": st.just({}),
    "hold": st.fixed_dictionaries({"target": st.sampled_from(["-20", "-0.33", "1", "40"])}),
}


@given(RUNS, st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_pnl_by_cause_is_the_change_in_equity_and_a_run_is_the_same_twice(
    run: dict[str, Any], data: st.DataObject
) -> None:
    config = RunConfig(mode="backtest", days=1, params=data.draw(PARAMS[run["strategy"]]), **run)
    models = Models(partial=PartialFills(300_000, 4, 300_000), tip_e6=1_000) if run["seed"] % 2 else None
    ends = []
    for _ in range(2):
        proof = wired(wiring.make_strategy(config), config, venue=models)
        digest = proof.run().journal.digest_hex(proof.state)
        state = proof.state
        assert sum(proof.engine.get_status()["pnl"][f"{cause}_e6"] for cause in CAUSES) == state.pnl.total_e6()
        assert state.equity_e6 - state.net_deposits_e6 == state.pnl.total_e6()
        assert state.net_deposits_e6 == config.capital_e6
        ends.append((digest, state))
    assert ends[0] == ends[1]


CAUSES = ("price", "basis", "funding", "interest", "fees", "tips", "slippage", "liquidation")


@pytest.mark.parametrize("strategy", [CHURN, "delta_neutral"])
@pytest.mark.parametrize("mode", ["backtest", "paper"])
def test_a_replay_gives_the_digest_a_third_time(tmp_path: Path, mode: Any, strategy: str) -> None:
    ends = []
    for number in range(2):
        config = RunConfig(
            strategy=strategy,
            mode=mode,
            scenario="funding_flip",
            interval_s=300,
            days=1 if mode == "paper" else 4,
            faults=("report_lost", "leg_fails"),
            journal=tmp_path / f"run{number}",
        )
        proof = wired(wiring.make_strategy(config), config, path=config.journal)
        digest = proof.run().journal.digest_hex(proof.state)
        proof.engine.close()
        assert config.journal is not None
        report = replay(config.journal)
        assert report.difference is None
        assert report.same
        assert report.records == proof.journal.seq
        assert report.decisions == proof.engine.tally.decisions > 1
        ends += [digest, report.digest]
    assert len(set(ends)) == 1


def journaled(tmp_path: Path, **changes: Any) -> Path:
    config = RunConfig(**{"strategy": CHURN, "mode": "backtest", "scenario": "calm_carry", "days": 1, **changes})
    path = tmp_path / "run"
    backtest.run(RunConfig(**{**{name: getattr(config, name) for name in config.__struct_fields__}, "journal": path}))
    return path


def test_a_changed_record_is_named(tmp_path: Path) -> None:
    path = journaled(tmp_path)
    seq = next(record.seq for record in Journal.read(path) if isinstance(record.event, Filled))
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        tables = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        table = next(name for name in tables if "seq" in [row[1] for row in db.execute(f"PRAGMA table_info({name})")])
        (body,) = db.execute(f"SELECT body FROM {table} WHERE seq = ?", (seq,)).fetchone()
        db.execute(f"UPDATE {table} SET body = ? WHERE seq = ?", (body.replace(b'"fee_e6":', b'"fee_e6":1'), seq))
    with pytest.raises(JournalError, match=f"record {seq}"):
        replay(path)


def test_a_run_that_decides_otherwise_is_told_at_the_first_record_that_differs(tmp_path: Path) -> None:
    own = tmp_path / "mine.py"
    own.write_text(Path(CHURN).read_text())
    path = journaled(tmp_path, strategy=str(own))
    own.write_text(own.read_text().replace("% 7 - 3", "% 7 - 2"))
    report = replay(path)
    assert not report.same
    assert report.difference is not None
    assert "record" in report.difference
    assert "target" in report.difference or "legs" in report.difference


def test_other_data_is_told_by_its_name(shared: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    names = ("drift/SOL-PERP_funding_1h.csv.gz", "binance/SOL_spot_5m.csv.gz", "drift/spot_rates_USDC_1h.csv.gz")
    for name in names:
        (data / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(shared / "data" / name, data / name)
    window = {"from_ns": parse_date("2025-06-01", ""), "to_ns": parse_date("2025-06-02", "")}
    path = journaled(tmp_path, strategy="hold", scenario=None, data=data, **window)
    assert replay(path).same
    funding = data / names[0]
    text = gzip.decompress(funding.read_bytes())
    funding.write_bytes(gzip.compress(text, mtime=1))
    try:
        report = replay(path)
    except (ConfigError, DataError, JournalError) as error:
        difference: str | None = str(error)
    else:
        difference = report.difference
    assert difference is not None
    assert "SOL-PERP_funding_1h" in difference


def test_every_built_in_strategy_is_in_the_set_of_runs() -> None:
    assert {kind().name for kind in builtin()} <= set(PARAMS)
