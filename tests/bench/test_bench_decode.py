"""The decoding benchmark: what it measures is right, and an absent peer is shown as absent."""

import pytest
from benchmarks import bench_decode
from benchmarks.peers.environments import AbsentError

from drift_engine.venues.programs import DRIFT_V2
from drift_engine.venues.wire.accounts import decode_as
from drift_engine.venues.wire.oracles import OraclePrice
from drift_engine.venues.wire.user import User


def test_users_hold_what_their_names_say() -> None:
    for name, (perps, spots, orders) in {bench_decode.FULL: (8, 8, 32), bench_decode.TYPICAL: (2, 2, 3)}.items():
        user = decode_as(User, DRIFT_V2.program_id, bench_decode.CASES[name])
        assert (len(user.perp_positions()), len(user.spot_positions()), len(user.orders())) == (perps, spots, orders)


def test_each_case_reads_what_was_written() -> None:
    found = {name: work() for name, work in bench_decode.ours_by_name().items()}
    assert set(bench_decode.CASES) <= set(found)
    full, perp, lazer, pull = (
        found[name] for name in (bench_decode.FULL, "perp market", "lazer oracle", "pull oracle")
    )
    assert (getattr(full, "name", ""), getattr(full, "next_order_id", 0)) == ("Main Account", 1_234)
    assert isinstance(perp, list)
    assert perp[bench_decode.NEEDED_OF_PERP.names.index("margin_ratio_initial")] == 500
    assert isinstance(lazer, OraclePrice)
    assert isinstance(pull, OraclePrice)
    assert (lazer.price_e6, lazer.confidence_e6, lazer.delay_slots) == (88_123_456, 12_345, 0)
    assert (pull.price_e6, pull.confidence_e6, pull.delay_slots) == (88_123_456, 12_345, 0)


def test_an_absent_sdk_is_shown_as_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BENCH_PEERS", "off")
    (line,) = bench_decode.peers({})
    assert (line.value, line.verdict, line.note) == (None, "absent", "BENCH_PEERS=off")


def test_a_ratio_under_its_aim_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    found = {"default": {"perp market": 100.0, "spot market": 70.0}, "fastest": {"pull oracle": 3.0}}
    monkeypatch.setattr(bench_decode, "sdk_us", lambda: found)
    notes = [line.note for line in bench_decode.peers({"perp market": 2.0, "spot market": 1.0, "pull oracle": 1.0})]
    assert notes == ["50 × ours, aim 60 × MISSED", "70 × ours, aim 60 ×", "3.0 × ours"]


def test_an_sdk_that_cannot_be_installed_is_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(peer: object) -> None:
        raise AbsentError("no such version")

    monkeypatch.delenv("BENCH_PEERS", raising=False)
    monkeypatch.setattr(bench_decode, "install", refuse)
    assert bench_decode.peers({})[0].note == "no such version"
