"""The audit: every fault with its place, on injected faults; and the command that prints it."""

import csv
import gzip
import json
from hashlib import sha256
from pathlib import Path

import pytest
from market_files import (
    CANDLES,
    FUNDING,
    FUNDING_FILE,
    HOUR,
    PERP_FILE,
    SPOT_FILE,
    T0,
    candle,
    candles,
    funding,
    small_directory,
    write,
)
from typer.testing import CliRunner, Result

from drift_engine.cli.data import app
from drift_engine.simulation.audit import FileReport, Gap, Place, audit, audit_file
from drift_engine.simulation.csv_files import DataError

FILES = 5


def spot(root: Path, rows: list[str]) -> FileReport:
    write(root, SPOT_FILE, CANDLES, rows)
    return audit_file(root, SPOT_FILE)


def check(root: Path, *options: str) -> Result:
    return CliRunner().invoke(app, ["check", str(root), *options])


def manifest(root: Path, **changes: int) -> None:
    """Write a manifest of what lies there, with some rows' figures changed."""
    with (root / "MANIFEST.csv").open("w", newline="") as text:
        out = csv.writer(text)
        out.writerow(["file", "rows", "first_utc", "last_utc", "bytes", "sha256"])
        for path in sorted(root.glob("*/*.gz")):
            data = path.read_bytes()
            rows = gzip.decompress(data).count(b"\n") - 1
            name = path.relative_to(root).as_posix()
            out.writerow([name, changes.get(name, rows), "", "", len(data), sha256(data).hexdigest()])


def test_a_whole_file_is_complete(tmp_path: Path) -> None:
    report = spot(tmp_path, candles(10))
    assert (report.rows, report.first, report.last) == (10, "2025-06-15 23:55:00", "2025-06-16 00:40:00")
    assert (report.missing, report.gaps, report.faulty, report.notes) == (0, (), False, ())


def test_gaps_are_placed_and_counted(tmp_path: Path) -> None:
    rows = candles(10)
    report = spot(tmp_path, [*rows[:2], *rows[4:7], *rows[8:]])
    assert report.missing == 3
    assert report.gaps == (Gap("2025-06-16 00:05:00", 2), Gap("2025-06-16 00:30:00", 1))
    assert not report.faulty


def test_duplicates_name_the_later_line(tmp_path: Path) -> None:
    rows = candles(4)
    report = spot(tmp_path, [*rows[:2], rows[1], *rows[2:]])
    assert report.duplicates == (Place(4, "2025-06-16 00:00:00 stands twice"),)
    assert report.disorder == ()
    assert report.rows == 5


def test_disorder_names_the_row_that_comes_late(tmp_path: Path) -> None:
    rows = candles(5)
    report = spot(tmp_path, [rows[0], rows[3], rows[1], rows[2], rows[4]])
    assert [place.line for place in report.disorder] == [4, 5]
    assert (report.duplicates, report.missing) == ((), 0)


def test_unreadable_rows_are_all_named_and_the_rest_still_counts(tmp_path: Path) -> None:
    rows = candles(8)
    bad = [candle(T0, "1", "abc"), "1,2", "", candle(T0 + 7, "1", "1"), candle(T0 + 300, "0", "1")]
    report = spot(tmp_path, [*rows[:1], *bad, *rows[3:]])
    assert [place.line for place in report.unreadable] == [3, 4, 5, 6, 7]
    assert report.unreadable[0].what == "high is 'abc', which is no number"
    assert report.unreadable[1].what == "2 fields instead of 6"
    assert report.unreadable[2].what == "empty line"
    assert "grid of 300 s" in report.unreadable[3].what
    assert report.unreadable[4].what == "open is '0', not more than 0"
    assert (report.rows, report.missing) == (11, 2)


def test_two_settlements_in_one_hour_are_duplicates(tmp_path: Path) -> None:
    rows = [funding(T0 + late, "0.1", "100", "101") for late in (0, 40, HOUR + 5)]
    write(tmp_path, FUNDING_FILE, FUNDING, rows)
    report = audit_file(tmp_path, FUNDING_FILE)
    assert [place.line for place in report.duplicates] == [3]
    assert report.missing == 0


def test_a_damaged_file_is_one_unreadable_place(tmp_path: Path) -> None:
    path = write(tmp_path, SPOT_FILE, CANDLES, candles(500))
    path.write_bytes(path.read_bytes()[:-50])
    report = audit_file(tmp_path, SPOT_FILE)
    assert (report.rows, report.faulty) == (0, True)
    assert "no readable gzip file" in report.unreadable[0].what
    write(tmp_path, SPOT_FILE, "ts;open", ["1;2"])
    assert "no column ts" in audit_file(tmp_path, SPOT_FILE).unreadable[0].what


def test_a_file_without_rows_is_noted(tmp_path: Path) -> None:
    report = spot(tmp_path, [])
    assert (report.rows, report.notes, report.faulty) == (0, ("no rows",), False)


def test_recordings_are_counted_and_their_time_must_not_go_back(tmp_path: Path) -> None:
    path = tmp_path / "l2_raw_ws" / "tape.jsonl.gz"
    path.parent.mkdir()
    lines = [f'{T0}000000001 {{"a":1}}', f"{T0}000000003 {{}}", f"{T0}000000002 {{}}", "x {}"]
    path.write_bytes(gzip.compress("\n".join(lines).encode()))
    report = audit(tmp_path).files[0]
    assert (report.rows, report.first) == (4, "2025-06-16 00:00:00")
    assert [place.line for place in report.disorder] == [3]
    assert [place.line for place in report.unreadable] == [4]


def test_the_manifest_is_compared_and_differences_are_notes(tmp_path: Path) -> None:
    manifest(small_directory(tmp_path), **{FUNDING_FILE: 99})
    write(tmp_path, SPOT_FILE, CANDLES, candles(36))
    (tmp_path / PERP_FILE).unlink()
    reports = {file.file: file for file in audit(tmp_path).files}
    assert reports[FUNDING_FILE].notes == ("has 3 rows, not the 99 of the manifest",)
    assert reports[SPOT_FILE].notes[0].startswith("is not the file of the manifest (sha256 ")
    assert reports[SPOT_FILE].notes[1] == "has 36 rows, not the 37 of the manifest"
    assert reports[PERP_FILE].notes == ("missing",)
    assert len(reports) == FILES
    assert not audit(tmp_path).faulty
    assert not audit(tmp_path).complete


def test_a_broken_manifest_and_an_empty_directory_are_errors(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no market data in"):
        audit(tmp_path)
    (small_directory(tmp_path) / "MANIFEST.csv").write_text("name,count\nx,1\n")
    with pytest.raises(DataError, match=r"MANIFEST\.csv: cannot be read"):
        audit(tmp_path)


def test_the_command_prints_a_line_a_file_and_passes_gaps(tmp_path: Path) -> None:
    rows = candles(37)
    write(small_directory(tmp_path), SPOT_FILE, CANDLES, [*rows[:5], *rows[6:]])
    done = check(tmp_path)
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert len(lines) == FILES
    assert lines[1].split("  ") == [
        SPOT_FILE,
        "36 rows",
        "2025-06-15 23:55:00 to 2025-06-16 02:55:00",
        "1 missing in 1 place: 2025-06-16 00:20:00 (1)",
    ]
    assert lines[0].endswith("complete")
    assert check(tmp_path, "--strict").exit_code == 1


def test_strict_passes_what_is_complete(tmp_path: Path) -> None:
    assert check(small_directory(tmp_path), "--strict").exit_code == 0


@pytest.mark.parametrize("fault", ["duplicate", "disorder", "unreadable"])
def test_the_command_fails_at_faults(tmp_path: Path, fault: str) -> None:
    rows = candles(37)
    broken = {
        "duplicate": [*rows[:5], rows[4], *rows[5:]],
        "disorder": [*rows[:5], rows[6], rows[5], *rows[7:]],
        "unreadable": [*rows[:5], "what,is,this,row,of,all", *rows[5:]],
    }[fault]
    write(small_directory(tmp_path), SPOT_FILE, CANDLES, broken)
    done = check(tmp_path)
    assert done.exit_code == 1
    assert fault in done.stdout
    assert "line " in done.stdout


def test_json_is_one_document_and_nothing_else(tmp_path: Path) -> None:
    rows = candles(37)
    write(small_directory(tmp_path), SPOT_FILE, CANDLES, [*rows[:5], *rows[7:], rows[0]])
    done = check(tmp_path, "--json")
    document = json.loads(done.stdout)
    assert (done.exit_code, done.stderr, document["ok"]) == (1, "", False)
    found = next(file for file in document["files"] if file["file"] == SPOT_FILE)
    assert found["gaps"] == [{"start": "2025-06-16 00:20:00", "count": 2}]
    assert found["disorder"] == []
    assert found["duplicates"] == [{"line": 37, "what": "2025-06-15 23:55:00 stands twice"}]


@pytest.mark.parametrize("options", [(), ("--json",), ("--strict",)])
def test_a_missing_directory_is_one_line_on_stderr(tmp_path: Path, options: tuple[str, ...]) -> None:
    done = check(tmp_path / "nowhere", *options)
    assert (done.exit_code, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("drift-engine: no directory")
