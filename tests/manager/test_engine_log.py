"""What an engine writes to its log: each thing once, no flood, and never at the price of a tick."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterator

import pytest
from fleet_desk import HOLD, Fleet, made

from drift_engine.bus import Bus
from drift_engine.control.diary import BURST, Diary
from drift_engine.control.scribe import Scribe
from drift_engine.core.types import Filled, Liquidated, StateChanged, Trading

LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (INFO|WARNING|CRITICAL) drift_engine\.engine (.+)")


@pytest.fixture
def fleet() -> Iterator[Fleet]:
    yield from made()


def lines(fleet: Fleet) -> list[tuple[str, str]]:
    """Return level and message of each line, all of which must be of our form."""
    found = [LINE.fullmatch(line) for line in (fleet.state / "test.log").read_text().splitlines()]
    assert None not in found, fleet.log()
    return [(match[1], match[2]) for match in found if match]


def test_an_engine_tells_of_its_start_orders_states_and_stop(fleet: Fleet) -> None:
    fleet.spec("a", HOLD, sub_account=4)
    process = fleet.engine("a")
    fleet.until(lambda: fleet.status("a")["tally"]["trades"])
    fleet.ask("a", "kill", who="tester")
    fleet.until(lambda: fleet.status("a")["trading"] == "HALTED")
    process.kill()
    process.wait(30)
    process = fleet.engine("a")
    assert fleet.ask("a", "resume", who="tester").ok
    fleet.until(lambda: fleet.status("a")["tally"]["trades"] == 3)
    fleet.ask("a", "close", market="SOL-PERP", who="tester")
    fleet.ask("a", "close", market="SOL-PERP", who="tester")
    fleet.until(lambda: fleet.status("a")["tally"]["trades"] > 3)
    process.terminate()
    assert process.wait(30) == 0
    told = lines(fleet)
    text = "\n".join(" ".join(line) for line in told)
    starts = [message for _, message in told if message.startswith("started: ")]
    assert len(starts) == 2
    assert re.match(
        r"started: drift-engine \S+, Python \S+; hold on SOL-PERP, venue sim \(calm_carry\), mode paper", starts[0]
    )
    assert f"sub-account 4, journal {fleet.state}/a.journal, new" in starts[0]
    assert re.search(r"a\.journal, resumed after record \d+$", starts[1])
    for wanted in (
        "INFO placed p1: buy 1 SOL-PERP",
        "INFO bought 1 SOL-PERP at 150.",
        "INFO tester asked: kill",
        "WARNING REDUCING: killed by tester; cause kill, closing, attempt 1",
        "WARNING placed p2 (emergency): sell 1 SOL-PERP",
        "WARNING HALTED: flat: nothing left; killed by tester; cause close, latched until a human resumes",
        "INFO ACTIVE: resumed by a human; cause resume",
        "INFO tester asked: close SOL-PERP",
        "closed by tester: in_flight: in flight for the same market",
        "INFO sold 1 SOL-PERP at 15",
        "INFO stopped: asked by a signal; record ",
    ):
        assert wanted in text, text
    assert text.count("placed p1") == 1, "what a journal holds is not told again"


def fill(number: int) -> Filled:
    return Filled(
        10**18, number, "p", 0, "SOL-PERP", "perp", 10**9, -150_000_000, 0, 150_000_000, 150_000_000, 1, 10**18
    )


def test_a_flood_of_orders_is_cut_and_counted_and_what_matters_is_not(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "drift_engine.engine")
    bus, now_s = Bus(), [0.0]
    diary = Diary(bus, lambda: now_s[0])
    for number in range(1, 101):
        bus.publish(number, fill(number))
    bus.publish(101, StateChanged(10**18, Trading.HALTED, "a breaker", "daily", latched=True))
    bus.publish(102, Liquidated(10**18, 101, "perp", "SOL-PERP", -(10**9), 1, 1, 0))
    diary.catch_up()
    told = [record.getMessage() for record in caplog.records]
    assert len(told) == BURST + 3
    assert told[-3] == "80 lines about orders were left out; the journal has them all"
    assert told[-2].startswith("HALTED: a breaker")
    assert told[-1].startswith("liquidated (perp): -1 SOL-PERP")
    now_s[0] = 5.0
    for number in range(103, 200):
        bus.publish(number, fill(number))
    diary.close()
    more = [record.getMessage() for record in caplog.records][len(told) :]
    assert len(more) == 6
    assert more[-1] == "92 lines about orders were left out; the journal has them all"
    assert bus.subscriptions == []
    for number in range(200, 5_000):
        bus.publish(number, fill(number))


def test_events_that_came_too_fast_are_counted(caplog: pytest.LogCaptureFixture) -> None:
    bus = Bus()
    diary = Diary(bus)
    bus.publish(1, fill(1))
    diary.catch_up()
    for number in range(2, 5_002):
        bus.publish(number, fill(number))
    diary.catch_up()
    assert "1000 events came too fast to be read; the journal has them" in caplog.text


def record_of(message: str) -> logging.LogRecord:
    return logging.makeLogRecord({"name": "drift_engine.engine", "msg": message, "levelname": "INFO"})


def test_a_stderr_that_takes_nothing_holds_nobody_up() -> None:
    reading, writing = os.pipe()
    scribe = Scribe(writing, kept=100)
    for _ in range(500):
        scribe.handle(record_of("x" * 5_000))
    assert scribe.lost >= 350
    scribe.close()
    text = b""
    while b"lines were left out: stderr did not take them" not in text:
        text += os.read(reading, 65_536)
    os.close(reading)
    scribe.close()


def test_what_waits_is_written_at_the_end_and_a_disk_that_is_full_is_counted() -> None:
    reading, writing = os.pipe()
    scribe = Scribe(writing)
    for number in range(50):
        scribe.handle(record_of(f"line {number}"))
    scribe.close()
    os.close(writing)
    with os.fdopen(reading) as text:
        found = text.read().splitlines()
    assert len(found) == 50
    assert found[-1].endswith("Z INFO drift_engine.engine line 49")
    disk = os.open("/dev/full", os.O_WRONLY)
    full = Scribe(disk)
    full.handle(record_of("nowhere to go"))
    full.close()
    os.close(disk)
    assert full.lost >= 1


def test_a_record_that_cannot_be_put_into_words_is_told_and_the_next_one_is_written() -> None:
    reading, writing = os.pipe()
    scribe = Scribe(writing)
    wrong = logging.makeLogRecord(
        {"name": "drift_engine.engine", "msg": "%d fills", "args": ("many",), "levelname": "INFO", "lineno": 7}
    )
    scribe.handle(wrong)
    scribe.handle(record_of("and on"))
    scribe.close()
    os.close(writing)
    with os.fdopen(reading) as text:
        first, second = text.read().splitlines()
    assert "WARNING drift_engine.engine a line could not be written: TypeError in the message of" in first
    assert first.endswith(":7")
    assert second.endswith("and on")
