"""What the journal keeps when its process is killed, its file is damaged, or the disk is full."""

import json
import os
import random
import resource
import select
import shutil
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest
from journal_events import MS, STATE, append_all, decided, filled, observed, plan, story

from drift_engine.core.types import Event, MarketUpdated, Submitted
from drift_engine.journal import Journal, JournalError
from drift_engine.journal.reader import decisions, export, find_decision, records, run_started, seal, tail, verify

KILLS = 10


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run.journal"


def in_child(work: Callable[[int], None]) -> tuple[int, int]:
    """Run ``work`` in a process of its own; it may write to the pipe it is given. Returns its id and our end."""
    ours, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.close(ours)
            work(theirs)
            code = 0
        finally:
            os._exit(code)
    os.close(theirs)
    return child, ours


def promised(pipe: int) -> list[int]:
    """Return the numbers a child wrote before it died."""
    with os.fdopen(pipe, "rb") as stream:
        text = stream.read()
    return [int(number) for number in text[: text.rfind(b"\n") + 1].split()]


def write_until_killed(path: Path, pipe: int) -> None:
    """Continue a journal; tell the number of each record that append promised to be on the disk."""
    with Journal.open(path) as journal:
        if last := tail(path, 1):
            journal.continue_after(last[0].seq)
        os.write(pipe, b"0\n")
        for number in count(journal.seq + 1):
            ts_ns = number * 7 * MS
            append_all(journal, (MarketUpdated(ts_ns, "SOL-PERP", number, 1, 1), decided(number, ts_ns)))
            journal.append(Submitted(ts_ns, plan(number)))
            os.write(pipe, f"{journal.seq}\n".encode())
            append_all(journal, (observed(ts_ns, number) for _ in range(number % 5)))
            journal.append(filled(number, ts_ns))
            os.write(pipe, f"{journal.seq}\n".encode())


@pytest.mark.parametrize("seed", range(4))
def test_what_append_promised_is_there_after_every_kill(path: Path, seed: int) -> None:
    chance = random.Random(seed)
    known = 0
    for _ in range(KILLS):
        child, pipe = in_child(lambda theirs: write_until_killed(path, theirs))
        select.select([pipe], [], [], 10)
        time.sleep(chance.uniform(0, 0.02))
        os.kill(child, signal.SIGKILL)
        assert os.waitpid(child, 0)[1] == signal.SIGKILL
        written = promised(pipe)
        assert written, "the child died before it began"
        report = verify(path)
        assert report.ok, report.reason
        assert report.records >= max(known, *written)
        known = report.records
    assert known > 1
    assert [record.seq for record in records(path)] == list(range(1, known + 1))


def test_a_kill_while_the_journal_is_made_leaves_a_journal_or_none(path: Path) -> None:
    chance = random.Random(2)
    for number in range(30):
        place = path.with_name(f"{number}.journal")
        child, pipe = in_child(lambda theirs, place=place: made(place, theirs))  # type: ignore[misc]
        os.read(pipe, 1)
        time.sleep(chance.uniform(0, 0.012))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        written = promised(pipe)
        with Journal.open(place, resume=True) as journal:
            append_all(journal, story(3))
            assert not journal.verifying
        report = verify(place)
        assert report.ok
        assert report.records >= max(written, default=0)


def made(path: Path, pipe: int) -> None:
    os.write(pipe, b" ")
    with Journal.open(path) as journal:
        for event in story(3):
            journal.append(event)
        journal.flush()
        os.write(pipe, f"{journal.seq}\n".encode())
        time.sleep(1)


def test_a_backtest_killed_anywhere_ends_in_the_digest_of_the_one_left_alone(path: Path) -> None:
    chance = random.Random(3)
    events = list(story(3000))
    alone = Journal(reference=True)
    append_all(alone, events)
    ends = []
    for _ in range(15):
        child, pipe = in_child(lambda theirs: slowly(path, events, theirs))
        for _ in range(chance.randrange(5)):
            os.read(pipe, 1)
        time.sleep(chance.uniform(0, 0.002))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(pipe)
        ends.append(len(tail(path, 10**6)) if path.exists() and verify(path).ok else 0)
    with Journal.open(path, reference=True, resume=True) as journal:
        append_all(journal, events)
        assert journal.digest_hex(STATE) == alone.digest_hex(STATE)
    assert verify(path).ok
    assert len(set(ends)) > 3, f"the kills all hit the same place: {ends}"
    assert ends == sorted(ends)


def slowly(path: Path, events: list[Event], pipe: int) -> None:
    """Write events, and say so every hundred of those that the journal does not hold yet."""
    with Journal.open(path, reference=True, resume=True) as journal:
        for number, event in enumerate(events):
            journal.append(event)
            if number % 100 == 0 and not journal.verifying:
                os.write(pipe, b" ")
                time.sleep(0.001)


# --------------------------------------------------------------------------- damage


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("whole") / "run.journal"
    with Journal.open(path) as journal:
        append_all(journal, story(120))
    return path


def suspicious(path: Path, before: list[object]) -> str:
    """Return how damage showed; empty when it did not, which is fine only if nothing that is read has changed."""
    try:
        report = verify(path)
    except JournalError as error:
        return str(error)
    if not report.ok:
        return report.reason
    assert list(records(path)) == before
    return ""


def test_no_flipped_bit_changes_a_record_unseen(whole: Path, tmp_path: Path) -> None:
    chance = random.Random(4)
    clean, before = whole.read_bytes(), list[object](records(whole))
    path = tmp_path / "flipped.journal"
    seen = 0
    for _ in range(150):
        dirty = bytearray(clean)
        dirty[chance.randrange(len(dirty))] ^= 1 << chance.randrange(8)
        path.write_bytes(dirty)
        seen += bool(suspicious(path, before))
    assert seen > 100


@pytest.mark.parametrize("changed", [1, 4, 200])
def test_damage_never_shows_as_anything_but_one_line(whole: Path, tmp_path: Path, changed: int) -> None:
    chance = random.Random(changed)
    clean = whole.read_bytes()
    path = tmp_path / "damaged.journal"
    said = set()
    for _ in range(20):
        dirty = bytearray(clean)
        for _ in range(changed):
            dirty[chance.randrange(len(dirty))] ^= chance.randrange(1, 256)
        path.write_bytes(dirty)
        for tool in (verify, tail, seal, run_started, find_decision, reading(export), reading(decisions), writing):
            try:
                tool(path)
            except JournalError as error:
                said.add(str(error))
    assert said
    assert not [line for line in said if "\n" in line]


def reading(tool: Callable[[Path], Iterator[object]]) -> Callable[[Path], object]:
    return lambda path: list(tool(path))


def writing(path: Path) -> None:
    for file in path.parent.glob(f"{path.name}-*"):
        file.unlink()
    with Journal.open(path, resume=True):
        pass


def test_a_damaged_seal_is_said_to_be(whole: Path, tmp_path: Path) -> None:
    path = tmp_path / "run.journal"
    path.write_bytes(whole.read_bytes())
    with sqlite3.connect(path) as db:
        db.execute("UPDATE meta SET value = 'x' || value WHERE name = 'sealed'")
    db.close()
    assert "its seal is damaged" in verify(path).reason
    with pytest.raises(JournalError, match="its seal is damaged"):
        seal(path)


def test_an_export_ends_at_the_record_that_is_damaged(whole: Path, tmp_path: Path) -> None:
    path = tmp_path / "run.journal"
    path.write_bytes(whole.read_bytes())
    with sqlite3.connect(path) as db:
        db.execute("UPDATE events SET body = x'7bff7d' WHERE seq = 5")
    db.close()
    lines = export(path)
    assert [json.loads(next(lines))["seq"] for _ in range(4)] == [1, 2, 3, 4]
    with pytest.raises(JournalError, match="record 5 is damaged"):
        next(lines)


def test_a_flipped_bit_in_a_record_is_always_seen(whole: Path, tmp_path: Path) -> None:
    clean, before = whole.read_bytes(), list[object](records(whole))
    path = tmp_path / "flipped.journal"
    start = clean.index(b'"plan_id":"p60"')
    for offset in range(0, 120, 3):
        dirty = bytearray(clean)
        dirty[start + offset] ^= 1 << offset % 8
        path.write_bytes(dirty)
        assert suspicious(path, before)


def test_a_file_cut_anywhere_is_seen(whole: Path, tmp_path: Path) -> None:
    chance = random.Random(5)
    clean = whole.read_bytes()
    path = tmp_path / "cut.journal"
    for size in [1, 50, 99, 100, 4095, 4096, 8192, len(clean) - 1, *(chance.randrange(len(clean)) for _ in range(30))]:
        path.write_bytes(clean[:size])
        assert suspicious(path, []), size


def test_a_cut_wal_loses_whole_transactions_from_the_end_and_nothing_else(path: Path, tmp_path: Path) -> None:
    events = list(story(60))
    (tmp_path / "copies").mkdir()
    copy = tmp_path / "copies" / "run.journal"
    with Journal.open(path) as journal:
        append_all(journal, events)
        journal.flush()
        shutil.copy(path, copy)
        wal = Path(f"{path}-wal").read_bytes()
    lengths = set()
    for size in range(0, 300_000, 20_011):
        Path(f"{copy}-wal").write_bytes(wal[:size])
        report = verify(copy)
        lengths.add(report.records)
        if report.records:
            assert [record.event for record in records(copy)] == events[: report.records]
    assert len(lengths) > 3


# --------------------------------------------------------------------------- no space


def full_disk(path: Path, pipe: int, *, reference: bool) -> None:
    """Write with a limit on the size of files until the journal says that it cannot; tell what it promised."""
    with Journal.open(path, reference=reference) as journal:
        resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
        said = ""
        for event in endless():
            try:
                journal.append(event)
            except JournalError as error:
                said = str(error)
                break
            if isinstance(event, Submitted) and not reference:
                os.write(pipe, f"{journal.seq}\n".encode())
        assert "cannot write" in said
        assert "free space on the disk" in said
        assert "\n" not in said
        again = ""
        try:
            journal.append(filled())
        except JournalError as error:
            again = str(error)
        assert again == said
    os.write(pipe, b"1000000\n")


def endless() -> Iterator[Submitted]:
    for number in count(1):
        yield Submitted(number, plan(number))


@pytest.mark.parametrize("reference", [False, True], ids=["recorded", "reference"])
def test_a_full_disk_is_said_to_be_and_nothing_is_half_written(path: Path, reference: bool) -> None:
    child, pipe = in_child(lambda theirs: full_disk(path, theirs, reference=reference))
    *written, end = promised(pipe)
    assert os.waitpid(child, 0)[1] == 0
    assert end == 1_000_000
    report = verify(path)
    assert report.ok, report.reason
    assert report.records == (written[-1] if written else report.records)
    with Journal.open(path, reference=reference) as journal:
        journal.continue_after(report.records)
        journal.append(filled(1, 1))
    assert verify(path).records == report.records + 1


def test_no_space_for_a_new_journal_is_said_at_once(path: Path) -> None:
    def work(pipe: int) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
        try:
            Journal.open(path)
        except JournalError as error:
            assert "File too large" in str(error)  # noqa: PT017 the child has no other way to look
            os.write(pipe, b"7\n")

    child, pipe = in_child(work)
    assert promised(pipe) == [7]
    assert os.waitpid(child, 0)[1] == 0
    Journal.open(path).close()
