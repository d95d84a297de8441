import dataclasses
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest
from journal_events import MS, STATE, append_all, decided, filled, observed, plan, started, story
from msgspec.structs import replace

from drift_engine.core.types import Decided, Event, MarketUpdated, RowsRead, StateChanged, Submitted, Ticked, Trading
from drift_engine.journal import Journal, JournalError, JournalMismatchError
from drift_engine.journal.journal import LAST_DECISIONS, MAX_WAITING
from drift_engine.journal.reader import lines, records, seal, tail, verify
from drift_engine.journal.record import Columns

MODES = pytest.mark.parametrize("reference", [True, False], ids=["reference", "recorded"])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run.journal"


def write(path: Path, events: Iterable[Event], *, reference: bool = False) -> str:
    with Journal.open(path, reference=reference) as journal:
        append_all(journal, events)
        return journal.digest_hex(STATE)


def market(ts_ns: int) -> MarketUpdated:
    return MarketUpdated(ts_ns, "SOL-PERP", 1, 150_000_000, 1)


# --------------------------------------------------------------------------- what is on the disk, and when


@pytest.mark.parametrize(
    "event", [started(), Submitted(9, plan()), filled(ts_ns=9), StateChanged(9, Trading.HALTED, "", "health")]
)
def test_a_commit_point_is_on_the_disk_with_all_before_it_when_append_returns(path: Path, event: Event) -> None:
    with Journal.open(path) as journal:
        append_all(journal, (market(1), Ticked(1, 1), observed(2, 1), decided(1, 3)))
        with pytest.raises(StopIteration):
            next(records(path))
        journal.append(event)
        assert [record.event for record in records(path)] == [
            market(1),
            Ticked(1, 1),
            observed(2, 1),
            decided(1, 3),
            event,
        ]
        assert journal.seq == 5


def test_a_commit_point_is_synced_and_market_rows_need_not_be(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    durable: list[tuple[int, bool, int]] = []
    with Journal.open(path) as journal:
        file = journal._file
        assert file is not None
        write_lines = file.write

        def note(lines: list[Columns], is_durable: bool) -> None:
            write_lines(lines, durable=is_durable)
            (level,) = file._db.execute("PRAGMA synchronous").fetchone()
            durable.append((len(lines), is_durable, level))

        monkeypatch.setattr(file, "write", lambda lines, *, durable: note(lines, durable))
        append_all(journal, (market(0), market(100 * MS), market(101 * MS), Submitted(102 * MS, plan())))
        assert durable == [(2, False, 1), (2, True, 2)]


def test_market_rows_wait_no_longer_than_100_ms_of_the_engine_s_time_nor_in_any_number(path: Path) -> None:
    with Journal.open(path) as journal:
        for i in range(100):
            journal.append(market(i * MS))
        assert len(list(records(path))) == 0
        journal.append(market(100 * MS))
        assert len(list(records(path))) == 101
        for _ in range(MAX_WAITING):
            journal.append(market(101 * MS))
        assert len(list(records(path))) == 101 + MAX_WAITING


def test_by_reference_rows_are_counted_ticks_left_out_and_chunks_committed(path: Path) -> None:
    with Journal.open(path, reference=True) as journal:
        append_all(journal, (market(1), Ticked(1, 1), market(2), Ticked(2, 1), filled(1, 2), market(3)))
        assert (journal.row, journal.seq) == (3, 1)
        assert len(list(records(path))) == 0
        journal.append(RowsRead(3, 0, 3, "digest"))
        assert [(record.seq, record.row, type(record.event)) for record in records(path)] == [
            (1, 2, type(filled())),
            (2, 3, RowsRead),
        ]


def test_flush_and_close_write_what_waits(path: Path) -> None:
    journal = Journal.open(path)
    journal.append(market(1))
    journal.flush()
    assert len(list(records(path))) == 1
    journal.append(market(2))
    journal.close()
    journal.close()
    assert len(list(records(path))) == 2
    assert [name.name for name in path.parent.iterdir()] == [path.name]
    with pytest.raises(JournalError, match="closed"):
        journal.append(Ticked(1, 1))


def test_a_durable_flush_syncs_what_was_only_written(path: Path) -> None:
    with Journal.open(path) as journal:
        journal.append(market(1))
        journal.flush(durable=False)
        assert seal(path) is None
        journal.flush()
        assert seal(path) == (1, next(lines(path)).chain.hex())


def test_after_a_write_failed_nothing_more_is_taken_or_written(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise JournalError("the disk is full")

    with Journal.open(path) as journal:
        append_all(journal, (started(), market(1)))
        with monkeypatch.context() as patched:
            patched.setattr(journal._file, "write", full)
            with pytest.raises(JournalError, match="the disk is full"):
                journal.append(Submitted(9, plan()))
        with pytest.raises(JournalError, match="the disk is full"):
            journal.flush()
        with pytest.raises(JournalError, match="the disk is full"):
            journal.append(market(2))
    assert [record.event for record in records(path)] == [started()]


# --------------------------------------------------------------------------- in memory


def test_in_memory_only_the_digest_and_the_last_decisions_are_kept() -> None:
    journal = Journal(reference=True)
    append_all(journal, (decided(i, i) for i in range(LAST_DECISIONS + 5)))
    assert journal.seq == LAST_DECISIONS + 5
    assert [record.ts_ns for record in journal.decisions] == list(range(5, LAST_DECISIONS + 5))
    assert list(journal.records()) == []


def test_in_memory_records_are_kept_on_request(path: Path) -> None:
    journal = Journal(reference=True, keep=True)
    append_all(journal, story(30))
    write(path, story(30), reference=True)
    assert list(journal.records()) == list(records(path))


@MODES
def test_the_digest_is_the_same_wherever_the_journal_lives(path: Path, reference: bool) -> None:
    journal = Journal(reference=not reference)
    append_all(journal, story(30))
    assert journal.digest_hex(STATE) == write(path, story(30), reference=reference)
    assert journal.digest_hex(dataclasses.replace(STATE, equity_e6=11)) != journal.digest_hex(STATE)


@MODES
def test_a_decision_is_written_as_it_was_made_whatever_becomes_of_its_dictionaries(path: Path, reference: bool) -> None:
    made, again = decided(1, 1), decided(1, 1)
    assert made.signal is not None
    with Journal.open(path, reference=reference) as journal:
        append_all(journal, [started(), made])
        made.signal.targets["SOL-PERP"] = 77
        made.checks[0].figures["later"] = 1
    assert next(record.event for record in records(path) if isinstance(record.event, Decided)) == again
    alone = Journal(reference=reference)
    append_all(alone, [started(), again])
    assert journal.digest_hex(STATE) == alone.digest_hex(STATE)


# --------------------------------------------------------------------------- taking up a run


@MODES
@pytest.mark.parametrize("held", [0, 1, 7, 40])
def test_a_run_taken_up_again_ends_as_the_run_that_was_left_alone(
    path: Path, tmp_path: Path, reference: bool, held: int
) -> None:
    whole = write(tmp_path / "whole.journal", story(40), reference=reference)
    write(path, list(story(40))[: held * 3], reference=reference)
    with Journal.open(path, reference=reference, resume=True) as journal:
        assert journal.verifying == (held > 0)
        append_all(journal, story(40))
        assert not journal.verifying
        assert journal.digest_hex(STATE) == whole
    assert list(records(path)) == list(records(tmp_path / "whole.journal"))
    assert verify(path) == verify(tmp_path / "whole.journal")


def test_verifying_ends_with_the_last_record_held(path: Path) -> None:
    write(path, list(story(9)), reference=True)
    count = len(list(records(path)))
    with Journal.open(path, reference=True, resume=True) as journal:
        seen = []
        for event in story(9):
            journal.append(event)
            seen.append((journal.seq, journal.verifying))
    assert all(verifying == (seq < count) for seq, verifying in seen)


def test_a_run_that_is_left_while_it_is_compared_leaves_the_journal_as_it_was(path: Path) -> None:
    write(path, story(9))
    held, sealed = list(records(path)), seal(path)
    with Journal.open(path, resume=True) as journal:
        append_all(journal, list(story(9))[:4])
    assert (list(records(path)), seal(path)) == (held, sealed)


def test_a_run_that_decides_otherwise_is_stopped_where_it_does(path: Path) -> None:
    events = list(story(9))
    write(path, events, reference=True)
    at = next(i for i, event in enumerate(events) if isinstance(event, Decided))
    events[at] = replace(events[at], approved=False)
    journal = Journal.open(path, reference=True, resume=True)
    append_all(journal, events[:at])
    with pytest.raises(JournalMismatchError, match="record 2 differs: approved was True, is now False") as caught:
        journal.append(events[at])
    assert (caught.value.seq, caught.value.expected) == (2, f"Decided at {3 * MS}")
    with pytest.raises(JournalError, match="record 2 differs"):
        journal.append(events[at + 1])
    before = path.read_bytes()
    journal.close()
    assert verify(path).ok
    assert path.read_bytes() == before


def test_a_run_that_does_something_else_or_at_another_row_is_stopped(path: Path) -> None:
    write(path, (market(1), decided(1, 1)), reference=True)
    for events, said in (
        ((market(1), Submitted(1, plan())), "the journal has Decided at 1, this run has Submitted at 1"),
        ((market(1), market(1), decided(1, 1)), "row was 1, is now 2"),
    ):
        with (
            Journal.open(path, reference=True, resume=True) as journal,
            pytest.raises(JournalMismatchError, match=said),
        ):
            append_all(journal, events)


def test_another_config_is_named_and_another_place_is_not_another_config(path: Path) -> None:
    write(path, (started(), filled()), reference=True)
    with Journal.open(path, resume=True, reference=True) as journal:
        journal.append(started(ts_ns=99, version="9", config={"capital": "10000", "data": "/elsewhere"}))
        journal.append(filled())
        journal.append(filled(2))
    assert verify(path).ok
    with (
        Journal.open(path, resume=True, reference=True) as journal,
        pytest.raises(JournalMismatchError, match=r"config\.capital was '10000', is now '1'") as caught,
    ):
        journal.append(started(config={"capital": "1", "data": "/somewhere"}))
    assert caught.value.differences == ("config.capital was '10000', is now '1'",)


def test_a_journal_with_a_run_in_it_is_not_written_over(path: Path) -> None:
    write(path, story(3))
    with Journal.open(path) as journal, pytest.raises(JournalError, match="already holds a run of 11 records"):
        journal.append(started())
    assert verify(path).records == 11


def test_recovery_reads_the_records_and_continues_after_the_last(path: Path, tmp_path: Path) -> None:
    events = list(story(20))
    write(path, events[:31])
    whole = write(tmp_path / "whole.journal", events)
    with Journal.open(path) as journal:
        held = list(journal.records())
        assert [record.event for record in held] == events[:31]
        assert (journal.seq, journal.row) == (31, held[-1].row)
        assert list(journal.decisions) == [record for record in held if isinstance(record.event, Decided)]
        journal.continue_after(31)
        append_all(journal, events[31:])
        assert journal.digest_hex(STATE) == whole
    assert verify(path) == verify(tmp_path / "whole.journal")


def test_only_a_run_that_was_read_to_its_end_can_be_continued(path: Path) -> None:
    write(path, story(5))
    with Journal.open(path) as journal:
        stream = journal.records()
        next(stream)
        with pytest.raises(JournalError, match="read up to record 1"):
            journal.continue_after(1)
        list(stream)
        journal.continue_after(journal.seq)
        with pytest.raises(JournalError, match="reading tools"):
            next(journal.records())
    with Journal.open(path.with_name("new")) as journal, pytest.raises(JournalError, match="with a run in it"):
        journal.continue_after(0)


def test_a_journal_may_be_continued_without_reading_it_by_hand(path: Path) -> None:
    write(path, story(5))
    with Journal.open(path) as journal:
        journal.continue_after(len(list(story(5))))
        journal.append(filled(99))
    assert verify(path).ok
    assert tail(path, 1)[0].event == filled(99)


# --------------------------------------------------------------------------- what is refused, in one clear line


def refusal(path: Path, **how: bool) -> str:
    with pytest.raises(JournalError) as caught:
        Journal.open(path, **how)
    assert "\n" not in str(caught.value)
    assert not path.with_name(f"{path.name}-lock").exists()
    return str(caught.value)


def test_what_is_no_journal_is_refused_and_left_as_it_is(path: Path) -> None:
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE events(seq INTEGER)")
    other.commit()
    other.close()
    database = path.read_bytes()
    assert "database of another program" in refusal(path)
    assert path.read_bytes() == database
    path.write_bytes(b"ts,open,high,low,close\n" * 20)
    assert "is not a journal; name another file" in refusal(path)
    path.write_bytes(database[:50])
    assert "is not a journal" in refusal(path)


def test_an_empty_file_becomes_a_journal(path: Path) -> None:
    path.touch()
    write(path, story(3))
    assert verify(path).ok


def test_a_journal_of_a_newer_format_is_refused(path: Path) -> None:
    write(path, story(3))
    newer = sqlite3.connect(path)
    newer.execute("PRAGMA user_version = 2")
    newer.close()
    assert "has journal format 2, this version reads up to 1; upgrade" in refusal(path, resume=True)


def test_a_directory_a_missing_one_and_a_torn_file_are_refused(path: Path, tmp_path: Path) -> None:
    assert "Is a directory" in refusal(tmp_path)
    assert "its directory does not exist; create it first" in refusal(tmp_path / "no" / "run.journal")
    write(path, story(200))
    path.write_bytes(path.read_bytes()[: 4096 * 2 + 10])
    with pytest.raises(JournalError, match="damaged"), Journal.open(path, resume=True) as journal:
        append_all(journal, story(200))


def test_a_journal_in_use_is_refused_here_and_in_another_process_until_it_is_closed(path: Path) -> None:
    code = (
        f"from pathlib import Path; from drift_engine.journal import Journal; Journal.open(Path({str(path)!r})).close()"
    )
    with Journal.open(path):
        with pytest.raises(JournalError, match=f"in use by process {os.getpid()}; stop it first"):
            Journal.open(path)
        result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        assert result.returncode == 1
        assert f"in use by process {os.getpid()}" in result.stderr
    Journal.open(path).close()


# --------------------------------------------------------------------------- replay


def test_a_replay_compares_and_writes_nothing_even_beside_a_writer(path: Path) -> None:
    with Journal.open(path, reference=True) as writer:
        append_all(writer, list(story(20))[:60])
        writer.flush()
        before = path.read_bytes(), Path(f"{path}-wal").read_bytes()
        with Journal.open(path, reference=True, replay=True) as journal:
            append_all(journal, story(20))
            assert not journal.verifying
            assert journal.digest_hex(STATE) == digest_of_story(20)
        assert (path.read_bytes(), Path(f"{path}-wal").read_bytes()) == before


def test_a_replay_that_does_less_or_otherwise_says_so(path: Path) -> None:
    write(path, story(9), reference=True)
    journal = Journal.open(path, reference=True, replay=True)
    append_all(journal, list(story(9))[:7])
    due = journal.peek()
    assert journal.verifying
    assert due is not None
    assert (due.seq, due.event) == (2, decided(3, 3 * MS))
    error = journal.unexpected(due)
    assert (error.seq, str(error)) == (
        2,
        "record 2 differs: the journal has Decided at 3000000, which this run does not make",
    )
    with pytest.raises(JournalMismatchError, match="approved was True"):
        journal.append(replace(decided(3, 3 * MS), approved=False))
    journal.close()
    assert list(Journal.read(path)) == list(records(path))


def test_the_engine_may_take_each_event_from_the_journal_and_give_it_back(path: Path) -> None:
    write(path, story(20))
    with Journal.open(path, resume=True) as journal:
        held = []
        while (due := journal.peek()) is not None:
            held.append(due.event)
            journal.append(due.event)
        journal.append(filled(99))
    assert held == list(story(20))
    assert verify(path).records == len(held) + 1


def test_there_is_nothing_to_replay_in_an_empty_or_missing_journal(path: Path) -> None:
    with pytest.raises(JournalError, match="there is no journal at"):
        Journal.open(path, replay=True)
    Journal.open(path).close()
    with pytest.raises(JournalError, match="nothing to replay"):
        Journal.open(path, replay=True)


def digest_of_story(n: int) -> str:
    journal = Journal()
    append_all(journal, story(n))
    return journal.digest_hex(STATE)
