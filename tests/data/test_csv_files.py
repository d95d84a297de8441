"""Exact parsing, and errors that say file, line and what."""

import gzip
import tempfile
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from market_files import write

from drift_engine.simulation.csv_files import DataError, Table, read_leniently, read_table

NAME = "x/values.csv.gz"


def table(root: Path, figures: list[str]) -> Table:
    path = write(root, NAME, "ts,value", [f"{at},{figure}" for at, figure in enumerate(figures)])
    return read_table(path, NAME, ("ts", "value"))


PLAIN = st.decimals(min_value=-(10**8), max_value=10**8, places=6, allow_nan=False).map(lambda d: f"{d:f}")
SCIENTIFIC = st.tuples(st.integers(-(10**6), 10**6), st.integers(0, 6)).map(lambda p: f"{p[0]}e-{p[1]:02d}")


@given(st.lists(PLAIN | SCIENTIFIC | st.integers(-(10**9), 10**9).map(str), min_size=1, max_size=30))
def test_every_figure_is_what_decimal_says(figures: list[str]) -> None:
    with tempfile.TemporaryDirectory() as root:
        column = table(Path(root), figures).scaled("value", 6)
    assert column.tolist() == [int(Decimal(figure).scaleb(6)) for figure in figures]


@given(st.lists(st.decimals(-1_000, 1_000, places=12).map(lambda d: f"{d:f}"), min_size=1, max_size=30))
def test_truncation_is_toward_zero(figures: list[str]) -> None:
    with tempfile.TemporaryDirectory() as root:
        column = table(Path(root), figures).scaled("value", 4, truncate=True)
    assert column.tolist() == [int(Decimal(figure).scaleb(4)) for figure in figures]


@pytest.mark.parametrize(
    "figure", ["", "abc", "1.2.3", "-", ".", "1.", ".5", "1 ", "0x1", "1_0", "nan", "inf", "--1", "+1"]
)
def test_what_is_no_number_is_named_by_line(tmp_path: Path, figure: str) -> None:
    with pytest.raises(DataError, match=r"^x/values.csv.gz, line 3: value is '.*', which is no number; mend"):
        table(tmp_path, ["1", figure, "2"]).scaled("value", 6)


def test_lost_digits_are_an_error_unless_truncated(tmp_path: Path) -> None:
    read = table(tmp_path, ["1.0000000", "1.0000001"])
    with pytest.raises(DataError, match=r"line 3: value is '1\.0000001', which has more than 6 decimals"):
        read.scaled("value", 6)
    assert read.scaled("value", 6, truncate=True).tolist() == [1_000_000, 1_000_000]


def test_what_does_not_fit_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="out of range"):
        table(tmp_path, ["99999999999999"]).scaled("value", 6)


def test_a_figure_of_the_largest_size_is_exact(tmp_path: Path) -> None:
    assert table(tmp_path, ["9223372036854.775807"]).scaled("value", 6).tolist() == [2**63 - 1]


@pytest.mark.parametrize(
    ("row", "what"), [("1", "1 fields instead of 2"), ("1,2,3", "3 fields instead of 2"), ("", "empty line")]
)
def test_a_row_without_its_fields_is_named(tmp_path: Path, row: str, what: str) -> None:
    path = write(tmp_path, NAME, "ts,value", ["0,1", row, "2,3"])
    with pytest.raises(DataError, match=f"line 3: {what}"):
        read_table(path, NAME, ("ts",))
    kept = read_leniently(path, NAME, ("ts",))
    assert kept.scaled("ts", 0).tolist() == [0, 2]
    assert kept.lines.tolist() == [2, 4]


def test_windows_line_ends_and_a_missing_last_one(tmp_path: Path) -> None:
    path = tmp_path / "crlf.csv.gz"
    path.write_bytes(gzip.compress(b"ts,value\r\n1,2.5\r\n3,4.5"))
    assert read_table(path, "crlf.csv.gz", ("value",)).scaled("value", 1).tolist() == [25, 45]


def test_a_header_alone_is_a_table_of_no_rows(tmp_path: Path) -> None:
    assert table(tmp_path, []).scaled("value", 6).tolist() == []


def test_a_missing_file_a_broken_gzip_and_a_wrong_header(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"gone.csv.gz: missing in .*; put the file there"):
        read_table(tmp_path / "gone.csv.gz", "gone.csv.gz", ("ts",))
    whole = write(tmp_path, NAME, "ts,value", ["1,2"] * 1_000).read_bytes()
    for damage in (b"plain text", whole[:-20], whole[:30] + b"\x00\x01" + whole[32:]):
        (tmp_path / NAME).write_bytes(damage)
        with pytest.raises(DataError, match=r"x/values.csv.gz: no readable gzip file .*; fetch the file again"):
            read_table(tmp_path / NAME, NAME, ("ts",))
    path = write(tmp_path, NAME, "time,value", ["1,2"])
    with pytest.raises(DataError, match="line 1: no column ts in the header 'time,value'"):
        read_table(path, NAME, ("ts", "value"))
