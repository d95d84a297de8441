"""The audit of a market-data directory: what each file holds, and what is wrong with it, with places.

It reads every known kind of file leniently, so that one broken row does not hide the next, and compares with
``MANIFEST.csv`` where there is one. It judges and mends nothing: gaps are facts of history; disorder, duplicates and
rows that cannot be read make a file unfit.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from drift_engine.core.units import SECOND_NS
from drift_engine.simulation.csv_files import DataError, Flaw, Table, packed_bytes, read_leniently, unpack
from drift_engine.simulation.gaps import missing_steps, places, show_time
from drift_engine.simulation.layouts import Layout, layout_of
from drift_engine.simulation.market_data import times_ns, value_flaws

Ints = NDArray[np.int64]

MANIFEST = "MANIFEST.csv"
_RAW = ".jsonl.gz"


class Gap(Struct, frozen=True):
    """Missing rows: where they begin, UTC, and how many they are."""

    start: str
    count: int


class Place(Struct, frozen=True):
    """A line of a file, the header being line 1, and what is wrong there."""

    line: int
    what: str


class FileReport(Struct, frozen=True, kw_only=True):
    """What one file holds. ``duplicates`` and ``disorder`` name the later line; ``notes`` are no faults of the rows."""

    file: str
    sha256: str = ""
    rows: int = 0
    first: str = ""
    last: str = ""
    interval_s: int = 0
    missing: int = 0
    gaps: tuple[Gap, ...] = ()
    duplicates: tuple[Place, ...] = ()
    disorder: tuple[Place, ...] = ()
    unreadable: tuple[Place, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def faulty(self) -> bool:
        """Whether the file has faults that gaps alone are not."""
        return bool(self.duplicates or self.disorder or self.unreadable)


class AuditReport(Struct, frozen=True):
    """The audit of a directory, file by file in order of name."""

    directory: str
    files: tuple[FileReport, ...]

    @property
    def faulty(self) -> bool:
        """Whether any file has disorder, duplicates or unreadable rows."""
        return any(file.faulty for file in self.files)

    @property
    def complete(self) -> bool:
        """Whether no row is missing and every file is as the manifest says."""
        return not any(file.missing or file.notes for file in self.files)


class Listed(Struct, frozen=True):
    """A file's line in the manifest."""

    rows: int | None
    sha256: str


def audit(directory: str | Path) -> AuditReport:
    """Audit a directory. Raises ``DataError`` where it does not exist or holds no market data."""
    root = Path(directory)
    if not root.is_dir():
        raise DataError(f"no directory {root}; give one that holds drift/ and binance/")
    listed = _manifest(root)
    found = {path.relative_to(root).as_posix() for path in root.glob("*/*.gz")}
    names = sorted(name for name in found | set(listed) if name in listed or _known(name))
    if not names:
        raise DataError(f"no market data in {root}; it should hold files as binance/SOL_spot_5m.csv.gz")
    return AuditReport(str(root), tuple(_with_manifest(audit_file(root, name), listed.get(name)) for name in names))


def audit_file(root: Path, name: str) -> FileReport:
    """Audit one file, named by its path below the directory."""
    path, layout = root / name, layout_of(name)
    if not path.is_file():
        return FileReport(file=name, notes=("missing",))
    try:
        if layout is not None:
            return _series(read_leniently(path, name, layout.columns), layout)
        return _raw(path, name)
    except DataError as error:
        what = str(error).removeprefix(f"{name}: ").removeprefix(f"{name}, line 1: ")
        return FileReport(file=name, unreadable=(Place(1, what),))


def _known(name: str) -> bool:
    return layout_of(name) is not None or name.endswith(_RAW)


def _series(table: Table, layout: Layout) -> FileReport:
    ts_ns, late_flaws = times_ns(table, layout)
    flaws = [*table.flaws, *late_flaws, *_field_flaws(table, layout)]
    unreadable = dict(sorted({flaw.line: flaw.what for flaw in reversed(flaws)}.items()))
    good = ~np.isin(table.lines, np.array([*unreadable], np.int64))
    ts_s, lines = ts_ns[good] // SECOND_NS, table.lines[good]
    report = FileReport(
        file=table.name,
        sha256=table.sha256,
        rows=len(ts_s) + len(unreadable),
        interval_s=layout.step_s,
        unreadable=tuple(Place(line, what) for line, what in unreadable.items()),
        notes=() if len(ts_s) else ("no rows",),
    )
    return replace(report, **_order(ts_s, lines, layout.step_s)) if len(ts_s) else report


def _field_flaws(table: Table, layout: Layout) -> Iterator[Flaw]:
    for field in layout.fields:
        values, bad = table.scaled_leniently(field.column, field.decimals, truncate=field.truncate)
        yield from bad
        told = {flaw.line for flaw in bad}
        yield from (flaw for flaw in value_flaws(table, field, values) if flaw.line not in told)


def _order(ts_s: Ints, lines: Ints, step_s: int) -> dict[str, Any]:
    """Return what the times of readable rows, in the file's order, tell: span, gaps, duplicates and disorder."""
    steps = ts_s // step_s
    late = np.flatnonzero(steps < np.maximum.accumulate(steps))
    order = np.argsort(steps, kind="stable")
    again = np.sort(order[1:][np.diff(steps[order]) == 0])
    first, last = int(ts_s.min()), int(ts_s.max())
    absent = missing_steps(ts_s, steps.min() * step_s, last, step_s)
    return {
        "first": show_time(first),
        "last": show_time(last),
        "missing": len(absent),
        "gaps": tuple(Gap(show_time(start), count) for start, count in places(absent, step_s)),
        "duplicates": _at(again, lines, ts_s, "stands twice"),
        "disorder": _at(np.setdiff1d(late, again), lines, ts_s, "comes late"),
    }


def _at(rows: Ints, lines: Ints, ts_s: Ints, what: str) -> tuple[Place, ...]:
    return tuple(Place(int(lines[row]), f"{show_time(int(ts_s[row]))} {what}") for row in rows.tolist())


def _raw(path: Path, name: str) -> FileReport:
    """Audit a recording of ``<local_ns> <json>`` lines: they count, and their times must not go back."""
    packed = packed_bytes(path, name)
    stamps = [line.split(b" ", 1)[0] for line in unpack(packed, name).splitlines()]
    flaws = tuple(Place(at, "no time in nanoseconds") for at, stamp in enumerate(stamps, 1) if not stamp.isdigit())
    times = [(at, int(stamp)) for at, stamp in enumerate(stamps, 1) if stamp.isdigit()]
    late = [at for (_, before), (at, ts) in pairwise(times) if ts < before]
    shown = [show_time(ts // SECOND_NS) for _, ts in (times[:1] + times[-1:])]
    return FileReport(
        file=name,
        sha256=sha256(packed).hexdigest(),
        rows=len(stamps),
        first=shown[0] if shown else "",
        last=shown[-1] if shown else "",
        disorder=tuple(Place(at, "comes late") for at in late),
        unreadable=flaws,
    )


def _manifest(root: Path) -> Mapping[str, Listed]:
    path = root / MANIFEST
    if not path.is_file():
        return {}
    try:
        with path.open(encoding="utf-8", newline="") as text:
            rows = list(csv.DictReader(text))
        return {row["file"]: Listed(int(row["rows"]) if row["rows"] else None, row["sha256"]) for row in rows}
    except (OSError, UnicodeDecodeError, csv.Error, KeyError, TypeError, ValueError) as error:
        raise DataError(f"{MANIFEST}: cannot be read ({error!r}); mend it or take it away") from None


def _with_manifest(report: FileReport, listed: Listed | None) -> FileReport:
    if listed is None or not report.sha256:
        return report
    notes = list(report.notes)
    if listed.sha256 and listed.sha256 != report.sha256:
        notes.append(f"is not the file of the manifest (sha256 {report.sha256[:12]}, not {listed.sha256[:12]})")
    if listed.rows is not None and listed.rows != report.rows:
        notes.append(f"has {report.rows} rows, not the {listed.rows} of the manifest")
    return replace(report, notes=tuple(notes))
