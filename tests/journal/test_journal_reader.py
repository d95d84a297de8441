import json
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from journal_events import STATE, append_all, decided, filled, plan, started, story

from drift_engine.core.types import MarketUpdated, Submitted
from drift_engine.journal import Journal, file
from drift_engine.journal.reader import (
    VerifyReport,
    decisions,
    export,
    find_decision,
    records,
    run_started,
    seal,
    tail,
    verify,
)
from drift_engine.journal.record import JournalError, decode


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "run.journal"
    with Journal.open(path) as journal:
        append_all(journal, story(30))
    return path


def files(path: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in path.parent.iterdir() if not file.name.endswith("-shm")}


def use_everything(path: Path) -> VerifyReport:
    report = verify(path)
    (
        tail(path, 3),
        list(export(path)),
        list(decisions(path)),
        find_decision(path),
        run_started(path),
        list(records(path)),
    )
    return report


def test_the_tools_agree_with_what_was_written(path: Path) -> None:
    events = list(story(30))
    assert [record.event for record in records(path)] == events
    assert [record.event for record in records(path, after=100)] == events[100:]
    assert [record.event for record in tail(path, 4)] == events[-4:]
    assert [record.seq for record in tail(path, 4)] == list(range(len(events) - 3, len(events) + 1))
    assert tail(path, 0) == []
    assert run_started(path) == started()
    assert verify(path).records == len(events)
    assert verify(path).rows == 30


@pytest.mark.parametrize("batch", [1, 2, 7])
def test_a_journal_of_many_batches_is_read_whole_and_in_order(
    path: Path, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    events, report = list(story(30)), verify(path)
    monkeypatch.setattr(file, "BATCH", batch)
    assert verify(path) == report
    assert [record.event for record in records(path)] == events
    assert [record.event for record in records(path, after=100)] == events[100:]
    assert [record.event for record in tail(path, 20)] == events[-20:]
    with Journal.open(path, resume=True) as journal:
        append_all(journal, events)
        assert not journal.verifying
        assert journal.seq == len(events)


def test_export_is_one_json_document_a_line_that_gives_the_event_back(path: Path) -> None:
    lines = [json.loads(line) for line in export(path)]
    assert [line["seq"] for line in lines] == list(range(1, len(lines) + 1))
    assert [decode(json.dumps(line["event"]).encode()) for line in lines] == list(story(30))
    assert lines[0]["event"]["type"] == "RunStarted"


def test_a_decision_is_found_by_itself_by_its_plan_and_by_what_came_after(path: Path) -> None:
    found = list(decisions(path))
    assert [record.ts_ns for record in found] == [3_000_000 * i for i in range(1, 11)]
    assert find_decision(path) == found[-1]
    for record in found:
        assert find_decision(path, record.seq) == record
        assert find_decision(path, record.seq + 1) == record
        assert find_decision(path, record.seq + 3) == record
    assert find_decision(path, 2) is None
    with pytest.raises(JournalError, match="has no record 100000"):
        find_decision(path, 100_000)


def test_a_late_fill_is_explained_by_the_decision_on_its_own_plan(tmp_path: Path) -> None:
    path = tmp_path / "late.journal"
    with Journal.open(path) as journal:
        append_all(journal, (decided(1, 1), Submitted(1, plan(1)), decided(2, 2), Submitted(2, plan(2)), filled(1, 3)))
    first, second = decisions(path)
    assert find_decision(path, 5) == first
    assert find_decision(path) == second


def test_reading_changes_and_creates_nothing(path: Path) -> None:
    before = files(path)
    assert use_everything(path).ok
    assert files(path) == before
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_reading_is_possible_while_another_process_writes(path: Path) -> None:
    total = verify(path).records
    with Journal.open(path) as journal:
        journal.continue_after(total)
        before = files(path)
        assert use_everything(path).records == total
        assert files(path) == before
        stream = records(path)
        next(stream)
        journal.append(filled(7, 1))
        assert tail(path, 1)[0].event == filled(7, 1)
        del stream
        journal.append(filled(8, 1))
    assert verify(path).records == total + 2


def test_a_copy_taken_while_the_journal_is_written_is_read_as_it_lies(path: Path, tmp_path: Path) -> None:
    (tmp_path / "copy").mkdir()
    copy = tmp_path / "copy" / path.name
    with Journal.open(path) as journal:
        journal.continue_after(verify(path).records)
        journal.append(filled(7, 1))
        for suffix in ("", "-wal"):
            shutil.copy(f"{path}{suffix}", f"{copy}{suffix}")
    before = files(copy)
    assert use_everything(copy) == verify(path)
    assert files(copy) == before


def test_a_journal_that_is_missing_empty_or_foreign_is_said_to_be(tmp_path: Path) -> None:
    missing = tmp_path / "missing"
    for tool in (tail, run_started, find_decision, lambda path: list(export(path))):
        with pytest.raises(JournalError, match="there is no journal at"):
            tool(missing)
    assert "there is no journal at" in verify(missing).reason
    assert not missing.exists()
    empty = tmp_path / "empty"
    empty.touch()
    assert "is empty" in verify(empty).reason
    foreign = tmp_path / "foreign"
    foreign.write_text("hello" * 100)
    with pytest.raises(JournalError, match="is not a journal"):
        verify(foreign)


# --------------------------------------------------------------------------- tampering


def tamper(path: Path, *statements: str) -> VerifyReport:
    db = sqlite3.connect(path)
    for statement in statements:
        db.execute(statement)
    db.commit()
    db.close()
    return verify(path)


@pytest.mark.parametrize(
    ("statements", "first_bad_seq", "said"),
    [
        (("UPDATE events SET body = (SELECT body FROM events WHERE seq = 2) WHERE seq = 3",), 3, "chain value"),
        (("UPDATE events SET row = row + 1 WHERE seq = 20",), 20, "chain value"),
        (("UPDATE events SET ts_ns = 0 WHERE seq = 20",), 20, "filed as"),
        (("UPDATE events SET type = 'Ticked' WHERE seq = 1",), 1, "filed as"),
        (("UPDATE events SET chain = zeroblob(16) WHERE seq = 9",), 9, "chain value"),
        (("DELETE FROM events WHERE seq = 12",), 12, "record 12 is missing"),
        (("DELETE FROM events WHERE seq = 1",), 1, "record 1 is missing"),
        (("DELETE FROM events WHERE seq > 100",), 101, "were there when it was closed"),
        (("DELETE FROM events",), 1, "were there when it was closed"),
        (("DELETE FROM events WHERE seq = 12", "UPDATE events SET seq = seq - 1 WHERE seq > 12"), 12, "chain value"),
        (
            (
                "UPDATE events SET seq = -1 WHERE seq = 5",
                "UPDATE events SET seq = 5 WHERE seq = 6",
                "UPDATE events SET seq = 6 WHERE seq = -1",
            ),
            5,
            "chain value",
        ),
    ],
)
def test_a_changed_missing_or_moved_record_is_found(
    path: Path, statements: tuple[str, ...], first_bad_seq: int, said: str
) -> None:
    report = tamper(path, *statements)
    assert not report.ok
    assert report.first_bad_seq == first_bad_seq
    assert report.records == first_bad_seq - 1
    assert said in report.reason
    with pytest.raises(JournalError), Journal.open(path, resume=True) as journal:
        append_all(journal, story(30))


def test_a_tail_that_was_replaced_with_a_sound_chain_is_found_by_the_seal(path: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.journal"
    with Journal.open(other) as journal:
        append_all(journal, story(29))
        append_all(journal, (MarketUpdated(1, "x", 1, 1, 1) for _ in range(40)))
    was = seal(path)
    assert was is not None
    db = sqlite3.connect(other)
    db.execute("UPDATE meta SET value = ? WHERE name = 'sealed'", (f"{was.seq}:{was.chain}",))
    db.commit()
    db.close()
    report = verify(other)
    assert "is not the one that was there" in report.reason


def test_the_digest_of_a_report_is_that_of_the_run_less_its_final_state(path: Path) -> None:
    journal = Journal()
    append_all(journal, story(30))
    assert verify(path).digest == journal._digest.hexdigest()
    assert verify(path).digest != journal.digest_hex(STATE)


def test_reading_in_the_writer_s_own_process_leaves_its_locks_alone(path: Path) -> None:
    """A database without its writer's lock would lose its WAL to whoever opens and closes it."""
    with Journal.open(path) as journal:
        journal.continue_after(verify(path).records)
        journal.append(filled(7, 1))
        use_everything(path)
        code = "import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute('SELECT count(*) FROM events').fetchone()"
        subprocess.run([sys.executable, "-c", code, str(path)], check=True)
        assert Path(f"{path}-wal").exists()
        journal.append(filled(8, 1))
    assert [record.event for record in tail(path, 2)] == [filled(7, 1), filled(8, 1)]
