"""Oracle accounts of every source, with random figures: read to the price that Drift's native code reads."""

import struct
from collections.abc import Callable
from random import Random

import pytest
from library import NativeError, oracle_price
from solders.pubkey import Pubkey

from drift_engine.venues.errors import DecodeError
from drift_engine.venues.programs import DRIFT_V2
from drift_engine.venues.wire.accounts import blank
from drift_engine.venues.wire.oracle_accounts import PrelaunchOracle, PythLazerOracle
from drift_engine.venues.wire.oracles import PRICE_UPDATE_HEAD, read_oracle

pytestmark = pytest.mark.no_cover  # tens of thousands of cases, and coverage comes from the unit tests

CASES = 4_000
SOURCES = (0, 3, 4, 5, 6, 7, 8, 9, 10, 12, 13, 14, 15)
RECEIVER = Pubkey.from_string("G6EoTTTgpkNBtVXo96EQp2m6uwwVh2Kt6YidjkmQqoha")
Figures = tuple[int, int, int, bool, int | None] | None


def test_oracles_of_every_source_are_read_alike(counted: Callable[[int], None]) -> None:
    random, refused = Random(5), 0
    for _ in range(CASES):
        source, slot = random.choice(SOURCES), random.getrandbits(40)
        data = account(random, source)
        native = by_the_program(source, data, slot)
        assert by_us(source, data, slot) == native
        refused += native is None
    assert 0.1 * CASES < refused < 0.6 * CASES
    counted(CASES)


def by_the_program(source: int, data: bytes, slot: int) -> Figures:
    """Return what the program reads, ``None`` where it refuses."""
    try:
        found = oracle_price(source, bytes(DRIFT_V2.program_id if source == 6 else RECEIVER), data, slot)
    except NativeError:
        return None
    return (
        found.price,
        found.confidence,
        found.delay,
        bool(found.sufficient),
        found.sequence if found.has_sequence else None,
    )


def by_us(source: int, data: bytes, slot: int) -> Figures:
    """Return what we read, ``None`` where we refuse."""
    try:
        found = read_oracle(DRIFT_V2, source, DRIFT_V2.program_id if source == 6 else RECEIVER, data, slot)
    except DecodeError:
        return None
    return found.price_e6, found.confidence_e6, found.delay_slots, found.has_sufficient_points, found.sequence_id


def account(random: Random, source: int) -> bytes:
    """Return an account of the source's kind: Lazer, pre-launch, pull, push."""
    price, conf, slot, published = (
        number(random) * random.choice((1, 1, -1)),
        number(random),
        random.getrandbits(40),
        number(random),
    )
    exponent = -random.randrange(1, 13)
    if source >= 12:
        lazer = blank(DRIFT_V2, PythLazerOracle)
        lazer.price, lazer.exponent, lazer.conf, lazer.posted_slot, lazer.publish_time = (
            price,
            exponent,
            conf,
            slot,
            published,
        )
        return bytes(lazer.data)
    if source == 6:
        early = blank(DRIFT_V2, PrelaunchOracle)
        early.price, early.confidence, early.amm_last_update_slot = price, conf, slot
        return bytes(early.data)
    if source >= 7:
        level = random.choice((b"\1", b"\0\5"))
        message = struct.pack("<32xqQiq24xQ", price, conf, exponent, published * random.choice((1, -1)), slot)
        return (PRICE_UPDATE_HEAD + bytes(32) + level + message).ljust(134, b"\0")
    data = bytearray(3312)
    struct.pack_into("<IIII", data, 0, 0xA1B2C3D4, 2, 3, 3312)
    struct.pack_into("<iII", data, 20, exponent, random.randrange(6), random.randrange(6))
    struct.pack_into("<Q", data, 40, slot)
    struct.pack_into("<qQ", data, 208, price, conf)
    return bytes(data)


def number(random: Random) -> int:
    """Return a figure of any size, often near one dollar's digits."""
    return random.choice(
        (
            0,
            1,
            random.getrandbits(62),
            random.getrandbits(random.randrange(1, 62)),
            random.randrange(990_000, 1_010_000),
        )
    )
