"""``doctor`` against a well venue, and against each thing that can be wrong with one: one line each, and exit 1."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from chain_stage import ALICE, Stage, staged
from cli_runner import Cli, runner
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from drift_engine.localnet.serving import ServeConfig
from drift_engine.venues import addresses
from drift_engine.venues.instructions import accounts
from drift_engine.venues.programs import DRIFT_V2, VELOCITY

JUNE_STATE_BYTES = 1_680
"""What State takes by the interface description of June, where ``signer`` stands at 520."""
JUNE_SIGNER_AT = 520


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    monkeypatch.delenv("DRIFT_ENGINE_KEY", raising=False)
    return runner(tmp_path, monkeypatch, capsys)


@pytest.fixture(params=[VELOCITY, DRIFT_V2], ids=lambda program: program.name)
def stage(request: pytest.FixtureRequest) -> Iterator[Stage]:
    with staged(request.param, idle=True) as found:
        yield found


def examined(cli: Cli, stage: Stage, *more: str) -> tuple[int, list[str]]:
    code, out, err = cli("doctor", "--venue", stage.program.name, "--rpc", stage.url, *more)
    assert err == ""
    return code, out.splitlines()


def failures(cli: Cli, stage: Stage, *more: str) -> list[str]:
    code, lines = examined(cli, stage, *more)
    found = [line for line in lines if line.startswith("FAIL")]
    assert code == (1 if found else 0)
    assert all("Mend: " in line for line in found)
    return found


def test_a_well_venue_passes_and_says_what_was_checked(stage: Stage, cli: Cli) -> None:
    code, lines = examined(cli, stage)
    assert code == 0
    assert all(line.startswith("ok ") for line in lines), lines
    told = "\n".join(lines)
    size, signer_at, index_at = (1_752, 488, 640) if stage.program is VELOCITY else (992, 104, 1_160)
    assert f"State has {size} bytes, the derived signer at {signer_at}" in told
    assert f"market_index at {index_at}" in told
    for part in ("rpc http://", "ws ws://", "clock", "program", "exchange", "perp SOL-PERP", "spot SOL", "key"):
        assert part in told

    code, out, err = cli("doctor", "--venue", stage.program.name, "--rpc", stage.url, "--json")
    found = json.loads(out)
    assert (code, err, found["ok"], found["venue"]) == (0, "", True, stage.program.name)
    assert {check["verdict"] for check in found["checks"]} == {"ok"}


def test_a_wrong_program(stage: Stage, cli: Cli) -> None:
    other = DRIFT_V2 if stage.program is VELOCITY else VELOCITY
    code, out, _ = cli("doctor", "--venue", other.name, "--rpc", stage.url)
    (line,) = [line for line in out.splitlines() if line.startswith("FAIL")]
    assert code == 1
    assert f"{other.name} is not on this chain: --venue {stage.program.name} is on it" in line


def test_a_state_of_another_program(stage: Stage, cli: Cli) -> None:
    stranger = Keypair().pubkey()
    stage.put(stage.program.state, bytes(stage.account(stage.program.state).data), stranger)
    (line,) = failures(cli, stage)
    assert f"belongs to {stranger}, not to {stage.program.name}: wrong program" in line


def _june(state: bytes) -> bytes:
    moved = bytearray(JUNE_STATE_BYTES)
    moved[:8] = state[:8]
    moved[JUNE_SIGNER_AT : JUNE_SIGNER_AT + 32] = bytes(VELOCITY.signer)
    return bytes(moved)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_june, "State has 1680 bytes and not 1752: an older layout"),
        (lambda data: data + bytes(32), "State has 1784 bytes and not 1752: another layout"),
        (lambda data: data[:456] + bytes(32) + data[456:-32], "not the derived signer"),
        (lambda data: bytes(8) + data[8:], "which is no State"),
    ],
)
def test_another_layout_of_state(change: Callable[[bytes], bytes], said: str, cli: Cli) -> None:
    with staged(VELOCITY, idle=True) as stage:
        stage.put(VELOCITY.state, change(bytes(stage.account(VELOCITY.state).data)))
        (line,) = failures(cli, stage)
        assert said in line


def test_another_layout_of_a_market(stage: Stage, cli: Cli) -> None:
    at = stage.program.layouts.perp_market.offsets["market_index"]
    stage.patch(addresses.perp_market(stage.program.program_id, 2), at, b"\x07\x00")
    layout, market = failures(cli, stage)
    assert f"market 2 says index 7 at {at}: another layout" in layout
    assert "says that it is 7" in market


@pytest.mark.parametrize(
    ("status", "verdict", "said"),
    [
        (255, "FAIL", "the exchange is frozen"),
        (8, "FAIL", "paused: fill"),
        (2, "FAIL", "paused: withdraw"),
        (32, "warn", "paused: funding"),
    ],
)
def test_a_frozen_exchange(status: int, verdict: str, said: str, stage: Stage, cli: Cli) -> None:
    stage.patch(stage.program.state, stage.program.layouts.state.offsets["exchange_status"], bytes([status]))
    code, lines = examined(cli, stage)
    (line,) = [line for line in lines if " exchange: " in line]
    assert line.startswith(verdict)
    assert said in line
    assert code == (1 if verdict == "FAIL" else 0)


@pytest.mark.parametrize("skew_s", [60, -60])
def test_a_skewed_clock(skew_s: int, cli: Cli) -> None:
    with staged(VELOCITY, ServeConfig(clock_skew_s=skew_s), idle=True) as stage:
        (line,) = failures(cli, stage)
    assert "clock: this machine is " in line
    assert ("behind the chain" if skew_s > 0 else "ahead of the chain") in line
    assert any(f"{seconds} s" in line for seconds in (58, 59, 60, 61, 62))


def test_dead_endpoints_are_each_named(stage: Stage, cli: Cli) -> None:
    found = failures(cli, stage, "--rpc", "http://127.0.0.1:9/very-secret")
    assert [line.split()[1:3] for line in found] == [["rpc", "http://127.0.0.1:9/…:"], ["ws", "ws://127.0.0.1:10/…:"]]
    assert "secret" not in "".join(found)
    code, out, _ = cli("doctor", "--rpc", "http://127.0.0.1:9")
    assert code == 1
    assert "no node answers" in out
    (line,) = failures(cli, stage, "--ws", "ws://127.0.0.1:9")
    assert line.startswith("FAIL ws ws://127.0.0.1:9")


def test_a_stalled_stream_and_a_node_that_is_behind(cli: Cli) -> None:
    with staged(VELOCITY, idle=True) as stage:
        stage.fault("stall", on=True)
        (line,) = failures(cli, stage)
        assert line.startswith("FAIL ws ")
        stage.clear()
        stage.fault("stale", on=True, slots=2)
        _, lines = examined(cli, stage)
        assert "it is 2 slots behind" in lines[0]
        assert lines[0].startswith("warn")


def test_markets_and_oracles(cli: Cli) -> None:
    with staged(VELOCITY, idle=True) as stage:
        program_id, layouts = VELOCITY.program_id, VELOCITY.layouts
        stage.patch(addresses.perp_market(program_id, 1), layouts.perp_market.offsets["status"], b"\x02")
        stage.remove(stage.perp(2).oracle)
        short = bytes(stage.account(addresses.spot_market(program_id, 1)).data)[:600]
        stage.put(addresses.spot_market(program_id, 1), short)
        _, lines = examined(cli, stage)
        told = {line.split(":")[0]: line for line in lines}
        assert "ReduceOnly" in told["warn perp BTC-PERP"]
        assert "is not on the chain" in told["FAIL perp ETH-PERP"]
        assert "600 bytes" in told["FAIL spot #1"]
        stage.do(lambda: stage.running.chain.advance(150))
        _, lines = examined(cli, stage)
        assert any("stale for margin" in line for line in lines if line.startswith("FAIL perp SOL-PERP"))


def test_the_key_its_rights_and_its_gas(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def hold(key: Keypair) -> None:
        (tmp_path / "key.json").write_text(json.dumps(list(bytes(key))))
        monkeypatch.setenv("DRIFT_ENGINE_KEY", str(tmp_path / "key.json"))

    bob = Keypair()
    with staged(VELOCITY) as stage:

        def told(*more: str) -> str:
            _, lines = examined(cli, stage, *more)
            return "\n".join(line for line in lines if " key " in line or " gas" in line)

        hold(ALICE)
        assert "warn key" in told()
        stage.enrol()
        assert "sub-account 0: authority" in told()
        assert "ok   gas" in told()
        hold(bob)
        poor = told(stage.alice)
        assert "FAIL key" in poor
        assert "no rights" in poor
        assert "FAIL gas: 0.0000 SOL: less than 0.02 SOL" in poor
        stage.send(accounts.update_user_delegate(VELOCITY, stage.who, bob.pubkey()))
        assert "sub-account 0: delegate" in told(stage.alice)
        assert Pubkey.default() != bob.pubkey()
    monkeypatch.setenv("DRIFT_ENGINE_KEY", "nonsense")
    code, out, err = cli("doctor", "--rpc", "http://127.0.0.1:9")
    assert (code, out, err.count("\n")) == (2, "", 1)
