"""kill -9 at random moments, again and again on the same journal: the end is that of a run that was left alone."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from proof_stage import CHURN, folded

from drift_engine.core import reconcile
from drift_engine.core.types import AccountEvent, Filled, FundingPaid, InterestAccrued, Submitted, Ticked
from drift_engine.journal import Journal
from drift_engine.simulation.scenarios import START_NS
from drift_engine.simulation.venue_log import VenueLog

KILLS = 34
START_S = 0.05
RUNS = (
    {"scenario": "flash_crash", "params": {"pair": 1, "every_s": 900}, "interval_s": 30, "seed": 1},
    {"scenario": "funding_flip", "params": {"every_s": 300}, "faults": ["report_lost", "venue_away"], "seed": 2},
    {"scenario": "slow_bleed", "params": {"every_s": 300}, "faults": ["leg_fails", "report_twice"], "seed": 3},
)


class Victims:
    """A process that runs what it is given, one at a time, and says how each ended."""

    def __init__(self) -> None:
        command = [sys.executable, str(Path(__file__).with_name("victim.py"))]
        self._process = subprocess.Popen(command, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def run(self, run: dict[str, Any], out: Path, kill_after_s: float | None = None) -> int:
        """Run once; kill it after a while if it still lives. Return its exit status."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        line = {"run": run, "out": str(out), "kill_after_s": kill_after_s}
        self._process.stdin.write(json.dumps(line) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(30)
        assert self._process.stdout is not None
        self._process.stdout.close()


@pytest.fixture(scope="module")
def victims() -> Iterator[Victims]:
    found = Victims()
    yield found
    found.close()


@pytest.mark.parametrize("number", range(len(RUNS)))
def test_a_backtest_killed_anywhere_ends_in_the_digest_of_the_one_never_killed(
    victims: Victims, tmp_path: Path, number: int
) -> None:
    run = {"strategy": CHURN, "mode": "backtest", "interval_s": 8, "days": 1, **RUNS[number]}
    assert victims.run({**run, "journal": str(tmp_path / "whole")}, tmp_path / "whole.json") == 0
    whole = json.loads((tmp_path / "whole.json").read_text())
    assert whole["trades"] > 40
    random.seed(number)
    kills, length_s = 0, whole["wall_s"]
    for place in (tmp_path / f"run{round_}" for round_ in count()):
        out = place.with_suffix(".json")
        while not out.exists():
            after_s = random.uniform(0, 1.2 * length_s + START_S) if kills < KILLS else None
            status = victims.run({**run, "journal": str(place)}, out, after_s)
            assert status in (0, -signal.SIGKILL)
            kills += status != 0
        found = json.loads(out.read_text())
        length_s = min(length_s, found["wall_s"])
        assert told(found) == told(whole)
        if kills >= KILLS:
            return


def told(result: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in result.items() if name not in ("wall_s", "events_per_s")}


@pytest.mark.parametrize("seed", range(3))
def test_a_paper_run_killed_anywhere_goes_on_where_it_was(victims: Victims, tmp_path: Path, seed: int) -> None:
    """No hour is settled twice or left out, time never goes back, nothing is sent twice, and the books end equal."""
    run = {
        "strategy": CHURN, "mode": "paper", "scenario": "flash_crash", "interval_s": 120, "days": 1, "seed": seed,
        "speed": 1e9, "journal": str(tmp_path / "run"), "faults": [["report_lost"], ["venue_away"], []][seed],
        "params": {"pair": seed % 2, "until_s": START_NS // 10**9 + 80_000},
    }  # fmt: skip
    out, kills = tmp_path / "end.json", 0
    random.seed(seed)
    while not out.exists():
        after_s = None if kills >= 12 else random.uniform(0.02, 0.12 + kills * 0.02)
        assert victims.run(run, out, after_s) in (0, -signal.SIGKILL)
        kills += 1
    found = json.loads(out.read_text())
    assert kills > 5
    assert found["differences"] == []
    assert found["cursors"][0] == found["cursors"][1]
    assert found["in_flight"] == []
    check_journal(tmp_path / "run")


def check_journal(path: Path) -> None:
    events = [record.event for record in Journal.read(path)]
    told = [event for event in events if isinstance(event, AccountEvent)]
    log = VenueLog(f"{path}.venue")
    assert told == log.events()
    record = log.state()
    log.close()
    assert record is not None
    state = folded(events)
    assert reconcile.differences(state.account, record.books.account) == ()
    times = [event.ts_ns for event in events if isinstance(event, Ticked)]
    assert times == sorted(times)
    sent = [event.plan.plan_id for event in events if isinstance(event, Submitted)]
    assert len(sent) == len(set(sent)) > 20
    for kind in (FundingPaid, InterestAccrued):
        hours = [(event.market, event.ts_ns) for event in told if isinstance(event, kind)]
        assert len(hours) == len(set(hours))
    usdc = [e.ts_ns for e in told if isinstance(e, InterestAccrued) and e.market == "USDC"]
    assert len(usdc) == 24, "every hour of the day, and each once"
    assert sum(isinstance(event, Filled) for event in told) > 20
