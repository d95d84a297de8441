"""``watch`` on a served venue: each step shows, and a cut or stalled stream shows as an age that grows."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from chain_stage import E6, Stage, staged

from drift_engine.core.units import E9
from drift_engine.localnet.chain import ChainConfig
from drift_engine.localnet.serving import ServeConfig
from drift_engine.venues.instructions import accounts
from drift_engine.venues.instructions.trader import trader
from drift_engine.venues.programs import VELOCITY
from drift_engine.venues.wire.order_enums import Direction, OrderType
from drift_engine.venues.wire.order_params import OrderParams

PROGRAM = str(Path(sys.executable).with_name("drift-engine"))
AGE = re.compile(r"age (\d+\.\d) s")


@pytest.fixture
def stage() -> Iterator[Stage]:
    with staged(VELOCITY, ServeConfig(chain=ChainConfig(slot_ms=100))) as found:
        yield found


def watching(stage: Stage, place: Path, length: str, *more: str) -> subprocess.Popen[str]:
    command = [PROGRAM, "watch", stage.alice, "--rpc", stage.url, "--for", length, *more]
    return subprocess.Popen(command, cwd=place, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def until(run: subprocess.Popen[str], wanted: str) -> str:
    """Read lines until one holds what is wanted."""
    assert run.stdout is not None
    for line in run.stdout:
        if wanted in line:
            return line
    raise AssertionError(f"it ended without {wanted!r}")


def test_each_step_shows_as_it_happens(stage: Stage, tmp_path: Path) -> None:
    with watching(stage, tmp_path, "60s") as run:
        assert "health unknown" in until(run, "no sub-account yet")
        stage.enrol(1_000 * E6)
        assert "health 100 %" in until(run, "equity 1000.00")
        stage.take(OrderParams(order_type=OrderType.MARKET, base_asset_amount=20 * E9, direction=Direction.LONG))
        assert re.search(r"health 90 %.*leverage 3\.0.*SOL-PERP 20 ", until(run, "leverage 3"))
        stage.place(OrderParams(price=140 * E6, base_asset_amount=E9, direction=Direction.LONG))
        until(run, "orders 1")
        stage.take(OrderParams(order_type=OrderType.MARKET, base_asset_amount=20 * E9, direction=1, reduce_only=True))
        run.terminate()
        out, err = run.communicate(timeout=20)
        assert (run.returncode, err) == (0, ""), out


def test_a_closed_sub_account_is_gone(stage: Stage, tmp_path: Path) -> None:
    stage.enrol(E6)
    second = trader(VELOCITY, stage.who.authority, 1)
    stage.send(accounts.initialize_user(VELOCITY, second, "two"))
    with watching(stage, tmp_path, "60s") as run:
        until(run, "[1] equity 0.00")
        stage.send(accounts.delete_user(VELOCITY, second))
        assert run.stdout is not None
        assert any("[1]" not in line for line, _ in zip(run.stdout, range(5), strict=False))
        run.terminate()
        run.communicate(timeout=20)


def test_a_cut_and_a_stalled_stream_show_as_age(stage: Stage, tmp_path: Path) -> None:
    stage.enrol()
    with watching(stage, tmp_path, "60s") as run:
        until(run, "health 100 %")
        stage.fault("disconnect")
        line = until(run, "health")
        stage.fault("too_many_requests", rate=1.0, retry_after_s=0)
        stage.fault("stall", on=True)
        line = until(run, "STALE")
        (age,) = AGE.findall(line)
        assert float(age) >= 5
        assert "health 100 % STALE" in line
        until(run, "trouble: ")
        stage.clear()
        for line in run.stdout or ():
            if "STALE" not in line and "trouble" not in line:
                break
        (age,) = AGE.findall(line)
        assert float(age) < 3
        assert "health 100 %" in line
        run.terminate()
        run.communicate(timeout=20)


def test_one_document_at_the_end(stage: Stage, tmp_path: Path) -> None:
    stage.enrol()
    with watching(stage, tmp_path, "1s", "--json") as run:
        out, err = run.communicate(timeout=20)
    found = json.loads(out)
    assert (run.returncode, err) == (0, "")
    assert found["sub_accounts"][0]["health_percent"] == 100
    assert 0 <= found["age_ms"] < 20_000
    assert (found["trouble"], found["connections"]) == (None, 1)
