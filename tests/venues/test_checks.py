"""The doctor's questions, each at its bounds, without any node."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from solders.pubkey import Pubkey

from drift_engine.venues.checks import layout, nodes, trading
from drift_engine.venues.checks.nodes import Node
from drift_engine.venues.program import Program
from drift_engine.venues.programs import PROGRAMS, VELOCITY
from drift_engine.venues.rpc.types import AccountInfo
from drift_engine.venues.snapshot.market_reads import MarketRead
from drift_engine.venues.wire.perp_market import PerpMarket
from drift_engine.venues.wire.state import State

KEY = Pubkey.from_bytes(bytes(range(32)))
BOTH = pytest.mark.parametrize("program", PROGRAMS.values(), ids=lambda program: program.name)


def well(slot: int = 100, name: str = "http://node") -> Node:
    return Node(name, (10.0, 12.0, 11.0), slot, "3.0.0")


@pytest.mark.parametrize(
    ("skew_s", "verdict"),
    [(0, "ok"), (3.9, "ok"), (4.1, "warn"), (-5, "warn"), (9.9, "warn"), (10.1, "fail"), (-11, "fail")],
)
def test_the_clock(skew_s: float, verdict: str) -> None:
    block_s = 1_700_000_000
    age_s = 0.5 + 3 * 0.4
    assert nodes.clock(block_s + skew_s + age_s, block_s, 400).verdict == verdict


def test_a_clock_that_cannot_be_compared_is_not_called_right() -> None:
    assert nodes.clock(1.0, None, 400).verdict == "warn"


def test_nodes() -> None:
    assert nodes.http_node(well()).verdict == "ok"
    assert nodes.http_node(Node("n", trouble="refused")).verdict == "fail"
    assert nodes.http_node(Node("n", (900.0,), 1)).verdict == "warn"
    assert nodes.http_node(Node("n", (9.0,), 1, behind=5)).verdict == "warn"
    assert nodes.http_node(Node("n", (9.0,), 1, behind=500)).verdict == "fail"


@pytest.mark.parametrize(("lag", "verdict"), [(0, "ok"), (8, "ok"), (9, "warn"), (75, "warn"), (76, "fail")])
def test_lag_between_nodes_and_of_a_stream(lag: int, verdict: str) -> None:
    found = nodes.slot_lag([well(1_000), well(1_000 - lag, "http://other")])
    assert found is not None
    assert found.verdict == verdict
    assert nodes.ws_node("ws://n", 1_000 - lag, 5.0, "", 1_000).verdict == verdict
    assert nodes.slot_lag([well(), Node("dead")]) is None
    assert nodes.ws_node("ws://n", None, None, "refused", 1_000).verdict == "fail"


@BOTH
@given(status=st.integers(0, 255))
def test_no_pause_passes_as_well(program: Program, status: int) -> None:
    view = State.blank(program.layouts.state)
    view.exchange_status = status
    found = trading.exchange(program, view)
    assert (found.verdict == "ok") == (status == 0)
    assert (found.verdict == "fail") == bool(status & 0b0100_1111)


def test_solvency_repair_is_velocitys() -> None:
    view = State.blank(VELOCITY.layouts.state)
    view.solvency_status = 1
    assert trading.exchange(VELOCITY, view).verdict == "warn"


@BOTH
def test_program_and_state(program: Program) -> None:
    program_id = program.program_id
    there = AccountInfo(program_id, Pubkey.default(), 1, b"", 1, executable=True)
    assert layout.program_there(program, there).verdict == "ok"
    assert layout.program_there(program, None).verdict == "fail"
    assert layout.program_there(program, AccountInfo(program_id, Pubkey.default(), 1, b"", 1)).verdict == "fail"

    view = State.blank(program.layouts.state)
    view.signer = program.signer
    assert layout.state_layout(program, AccountInfo(program.state, program_id, 1, bytes(view.data), 1)).verdict == "ok"
    view.signer = KEY
    assert (
        "another layout"
        in layout.state_layout(program, AccountInfo(program.state, program_id, 1, bytes(view.data), 1)).found
    )
    assert layout.state_layout(program, None).verdict == "fail"


@given(data=st.binary(max_size=2_000))
def test_any_bytes_for_a_state_are_a_verdict(data: bytes) -> None:
    found = layout.state_layout(VELOCITY, AccountInfo(VELOCITY.state, VELOCITY.program_id, 1, data, 1))
    assert found.verdict == "fail"
    assert found.mend


def test_a_market_that_says_another_index() -> None:
    view = PerpMarket.blank(VELOCITY.layouts.perp_market)
    read = MarketRead(3, KEY, view)
    assert layout.market_layout(VELOCITY, [read], "perp").verdict == "fail"
    assert layout.market_layout(VELOCITY, [MarketRead[PerpMarket](3, KEY)], "perp").verdict == "fail"
    assert layout.market_layout(VELOCITY, [], "perp").verdict == "warn"


@pytest.mark.parametrize(("lamports", "verdict"), [(0, "fail"), (19_999_999, "fail"), (20_000_000, "ok")])
def test_gas(lamports: int, verdict: str) -> None:
    assert trading.gas(KEY, lamports).verdict == verdict


def test_rights() -> None:
    assert trading.key_rights([], KEY, KEY).verdict == "warn"
    assert trading.key_rights([(0, "none")], KEY, KEY).verdict == "fail"
    assert trading.key_rights([(0, "none"), (1, "delegate")], KEY, KEY).verdict == "warn"
    assert trading.key_rights([(0, "authority")], KEY, KEY).verdict == "ok"


def test_the_offsets_are_those_written_down() -> None:
    assert (VELOCITY.layouts.state.size, VELOCITY.layouts.state.offsets["signer"]) == (1_752, 488)
    assert VELOCITY.layouts.perp_market.offsets["market_index"] == 640
