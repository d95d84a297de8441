"""Oracle prices against the figures of the programs' own tests, and against the rules of their source."""

import struct
from pathlib import Path

import pytest
from account_values import captured
from hypothesis import example, given
from hypothesis import strategies as st
from solders.pubkey import Pubkey

from drift_engine.venues.errors import DecodeError
from drift_engine.venues.program import Program
from drift_engine.venues.programs import DRIFT_V2, VELOCITY
from drift_engine.venues.wire.accounts import blank
from drift_engine.venues.wire.enums import OracleSource
from drift_engine.venues.wire.oracle_accounts import PrelaunchOracle, PythLazerOracle
from drift_engine.venues.wire.oracles import PRICE_UPDATE_HEAD, OraclePrice, read_oracle

PYTH = Pubkey.from_string("FsJ3A3u2vn5cTVofAjvy6y5kwABJAqYWpe4975bi2epH")
RECEIVER = Pubkey.from_string("G6EoTTTgpkNBtVXo96EQp2m6uwwVh2Kt6YidjkmQqoha")
BOTH = pytest.mark.parametrize("program", [VELOCITY, DRIFT_V2], ids=lambda program: program.name)


def lazer(price: int, exponent: int, conf: int = 0, slot: int = 0) -> bytes:
    oracle = blank(VELOCITY, PythLazerOracle)
    oracle.price, oracle.exponent, oracle.conf, oracle.posted_slot, oracle.publish_time = (
        price,
        exponent,
        conf,
        slot,
        77,
    )
    return bytes(oracle.data)


def push(price: int, exponent: int, *, feeds: int = 3, quoters: int = 3, kind: int = 3) -> bytes:
    """A Pyth price account as ``get_hardcoded_pyth_price`` of the program's tests makes it."""
    data = bytearray(3312)
    struct.pack_into("<IIII", data, 0, 0xA1B2C3D4, 2, kind, 3312)
    struct.pack_into("<iII", data, 20, exponent, feeds, quoters)
    struct.pack_into("<Q", data, 40, 55)
    struct.pack_into("<qQ", data, 208, price, 9)
    return bytes(data)


def read(source: OracleSource, data: bytes, program: Program = DRIFT_V2, slot: int = 100) -> OraclePrice:
    owner = RECEIVER if "PULL" in source.name else PYTH if "LAZER" not in source.name else program.program_id
    return read_oracle(program, source, owner, data, slot)


@BOTH
def test_multiples_scale_as_the_program_s_tests_assert(program: Program) -> None:
    assert read(OracleSource.PYTH_1K, push(8394, 10), program).price_e6 == 839
    assert read(OracleSource.PYTH_1M, push(8394, 10), program).price_e6 == 839400


def test_a_captured_pull_account_reads_as_the_program_s_test_asserts(shared: Path) -> None:
    ((_, bonk),) = captured(shared, "PriceUpdateV2_f32ad0aa")
    assert read(OracleSource.PYTH_1M_PULL, bonk, slot=234919073).price_e6 == 34552600
    assert read(OracleSource.PYTH_PULL, bonk).price_e6 == 34


def test_the_captured_portfolio_s_bitcoin_price(shared: Path) -> None:
    ((_, data),) = captured(shared, "PythLazerOracle_35MbvS1")
    found = read(OracleSource.PYTH_LAZER, data, slot=348_900_700)
    assert found == OraclePrice(104_966_773_750, 2_391_981, 38, True, 1750772064499000, 348_900_662)


def test_captured_oracles_read_as_prices(shared: Path) -> None:
    for _, data in captured(shared, "PythLazerOracle"):
        found = read(OracleSource.PYTH_LAZER, data, slot=349_000_000)
        assert 0 < found.price_e6 < 200_000 * 10**6
        assert 0 < found.delay_slots < 200_000
    for _, data in captured(shared, "PriceUpdateV2"):
        assert read(OracleSource.PYTH_PULL, data).price_e6 >= 0
    for _, data in captured(shared, "PythV1"):
        assert read(OracleSource.PYTH, data).price_e6 > 0
    assert {
        read_oracle(DRIFT_V2, 6, DRIFT_V2.program_id, data, 0).price_e6
        for _, data in captured(shared, "PrelaunchOracle")
    }


def test_a_truncated_price_rounds_toward_zero() -> None:
    assert read(OracleSource.PYTH_LAZER, lazer(-1_999, -9, conf=1_999)).price_e6 == -1
    assert read(OracleSource.PYTH_LAZER, lazer(1_999, -9, conf=1_999)).confidence_e6 == 1
    assert read(OracleSource.PYTH_LAZER, lazer(7, -2)).price_e6 == 70_000


@given(st.integers(-(1 << 63), (1 << 63) - 1), st.integers(0, (1 << 64) - 1), st.integers(-12, 12))
@example(price=-(1 << 63), conf=0, exponent=-6)
def test_a_price_is_its_fraction_in_1e6(price: int, conf: int, exponent: int) -> None:
    precision = 10 ** abs(exponent)
    expected = abs(price) * 10**6 // precision if precision <= 10**6 else abs(price) // (precision // 10**6)
    most = 1 << 63 if price < 0 else (1 << 63) - 1
    if precision <= 1 or expected > most or (conf * 10**6 // precision if precision <= 10**6 else 0) >= 1 << 64:
        with pytest.raises(DecodeError):
            read(OracleSource.PYTH_LAZER, lazer(price, exponent, conf))
        return
    assert read(OracleSource.PYTH_LAZER, lazer(price, exponent, conf)).price_e6 == (
        -expected if price < 0 else expected
    )


@pytest.mark.parametrize(
    ("price", "conf", "expected"),
    [(999_500, 500, 1_000_000), (999_499, 5_000, 999_499), (1_000_100, 99, 1_000_100), (1_000_100, 100, 1_000_000)],
)
def test_a_stablecoin_is_1_within_5_bp_and_its_confidence(price: int, conf: int, expected: int) -> None:
    assert read(OracleSource.PYTH_LAZER_STABLE_COIN, lazer(price, -6, conf)).price_e6 == expected
    assert read(OracleSource.PYTH_LAZER, lazer(price, -6, conf)).price_e6 == price


def test_age_and_sequence_come_from_the_feed() -> None:
    found = read(OracleSource.PYTH_LAZER, lazer(1, -6, slot=90))
    assert (found.delay_slots, found.posted_slot, found.sequence_id) == (10, 90, 77)
    assert read(OracleSource.PYTH_LAZER, lazer(1, -6, slot=101)).delay_slots == -1
    assert read(OracleSource.PYTH, push(1, -8)).sequence_id is None


@pytest.mark.parametrize(("feeds", "quoters", "enough"), [(30, 3, True), (30, 2, False), (2, 2, True), (0, 0, True)])
def test_a_push_price_needs_three_publishers_or_all(feeds: int, quoters: int, enough: bool) -> None:
    assert read(OracleSource.PYTH, push(1, -8, feeds=feeds, quoters=quoters)).has_sufficient_points is enough


def test_a_partly_verified_pull_account_has_one_byte_more() -> None:
    message = struct.pack("<32xqQiq24xQ", 5_000_000, 3, -6, -9, 88)
    for level in (b"\x01", b"\x00\x05"):
        found = read(OracleSource.PYTH_PULL, PRICE_UPDATE_HEAD + bytes(32) + level + message)
        assert (found.price_e6, found.confidence_e6, found.posted_slot, found.sequence_id) == (5_000_000, 3, 88, 0)


def test_a_pre_launch_price_ages_the_way_each_program_counts() -> None:
    ages = {}
    for program in (VELOCITY, DRIFT_V2):
        oracle = blank(program, PrelaunchOracle)
        oracle.price, oracle.confidence, oracle.amm_last_update_slot = 5, 6, 90
        found = read_oracle(program, OracleSource.PRELAUNCH, program.program_id, bytes(oracle.data), 100)
        assert (found.price_e6, found.confidence_e6) == (5, 6)
        ages[program.name] = found.delay_slots
    assert ages == {"velocity": 10, "drift_v2": 0}


@BOTH
def test_the_quote_asset_is_1(program: Program) -> None:
    assert read_oracle(program, OracleSource.QUOTE_ASSET, Pubkey.default(), b"", 5) == OraclePrice(1_000_000, 1, 0)


@pytest.mark.parametrize("source", [OracleSource.SWITCHBOARD, OracleSource.SWITCHBOARD_ON_DEMAND])
@BOTH
def test_switchboard_is_said_not_to_be_supported(program: Program, source: OracleSource) -> None:
    with pytest.raises(DecodeError, match=f"oracle source {source.name} is not supported"):
        read_oracle(program, source, PYTH, bytes(3208), 0)


def test_velocity_reads_no_pull_accounts() -> None:
    with pytest.raises(DecodeError, match="PYTH_PULL is not supported: velocity"):
        read_oracle(VELOCITY, OracleSource.PYTH_PULL, RECEIVER, bytes(134), 0)
    with pytest.raises(DecodeError, match=r"belongs to G6Eo.*velocity does not read"):
        read_oracle(VELOCITY, OracleSource.PYTH, RECEIVER, push(1, -8), 0)


@pytest.mark.parametrize(
    ("source", "data", "why"),
    [
        (99, b"", "99 is no OracleSource: this build knows 0 to 15"),
        (12, lazer(1, -39), "exponent -39 is out of the program's range"),
        (12, lazer(1, 2_000_000_000), "exponent 2000000000 is out"),
        (14, lazer(1, -6), "precision 1000000 is not above its source's multiple 1000000"),
        (12, lazer(1 << 62, -1), "price 4611686018427387904 at -1 is out"),
        (15, lazer(1_000_000, -6, 1 << 63), "confidence 9223372036854775808 is out"),
        (12, lazer(1, -6)[:40], "an oracle account of 40 bytes is too short for PYTH_LAZER"),
        (12, lazer(1, -6, slot=1 << 63), "the oracle's price 1 at -6 is out of the program's range"),
        (12, bytes(40), "no PythLazerOracle: the account starts with 0000000000000000"),
        (12, bytes(48), "no PythLazerOracle"),
        (0, push(1, -8, kind=2), "no Pyth price account: magic 0xa1b2c3d4, version 2, kind 2"),
        (0, push(1, -8)[:-1], "a Pyth price account has 3312 bytes, this one 3311"),
        (7, PRICE_UPDATE_HEAD + bytes(32) + b"\x02", "does not say how it was verified"),
        (7, PRICE_UPDATE_HEAD + bytes(32) + b"\x01" + bytes(9), "too short for PYTH_PULL"),
        (6, bytes(120), "no PrelaunchOracle"),
    ],
)
def test_what_is_no_oracle_is_refused_in_one_line(source: int, data: bytes, why: str) -> None:
    with pytest.raises(DecodeError, match=why) as refused:
        read_oracle(DRIFT_V2, source, PYTH, data, 0)
    assert "\n" not in str(refused.value)
