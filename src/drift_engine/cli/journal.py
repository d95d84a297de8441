"""``drift-engine journal verify|tail|export``: read a journal, also while a run writes it. Nothing here writes."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from drift_engine.cli import exits
from drift_engine.cli.options import Json, State

if TYPE_CHECKING:
    from drift_engine.journal import Record

app = typer.Typer(help="Read journals: verify, tail, export.")

Journal = Annotated[
    Path | None,
    typer.Argument(
        metavar="[JOURNAL]", help="A file, or an engine's name; the last run's if not given.", show_default=False
    ),
]


Types = Annotated[
    list[str] | None,
    typer.Option("--type", metavar="NAME", help="Only these, as Filled, Decided or StateChanged; repeatable."),
]


@app.callback()
def journal() -> None:
    """Read journals; the last run's where none is named."""


@app.command()
def verify(file: Journal = None, *, state: State = None, as_json: Json = False) -> int:
    """Check every record, the chain that ties them together, and the file itself."""
    from drift_engine.cli.output import print_json
    from drift_engine.cli.places import find_journal
    from drift_engine.journal import reader

    path = find_journal(file, state)
    report = reader.verify(path)
    if as_json:
        print_json({"journal": str(path), **{name: getattr(report, name) for name in report.__struct_fields__}})
    elif report.ok:
        counted = f"{report.records} records, {report.rows} market rows"
        print(f"{path}: {counted}, whole; digest of the records {report.digest}")
    else:
        print(f"{path}: damaged at record {report.first_bad_seq}: {report.reason}; {report.records} records are good")
    return exits.OK if report.ok else exits.FAILED


@app.command()
def tail(
    file: Journal = None,
    *,
    number: Annotated[int, typer.Option("-n", "--lines", min=1, help="How many records.")] = 10,
    types: Types = None,
    state: State = None,
    as_json: Json = False,
) -> int:
    """Show the last records, all or of one type."""
    from drift_engine.cli.output import print_json
    from drift_engine.cli.places import find_journal
    from drift_engine.journal import reader

    found = reader.tail(find_journal(file, state), number, _known(types or []))
    if as_json:
        print_json(found)
    else:
        for record in found:
            print(line(record))
    return exits.OK


@app.command()
def export(
    file: Journal = None,
    *,
    to: Annotated[Path | None, typer.Option("--to", metavar="FILE", help="Write here instead of stdout.")] = None,
    state: State = None,
    as_json: Json = False,
) -> int:
    """Write every record as one line of JSON; with --json as one array."""
    from drift_engine.cli.places import find_journal
    from drift_engine.journal import reader

    lines = reader.export(find_journal(file, state))
    texts = _as_array(lines) if as_json else (f"{text}\n" for text in lines)
    if to is not None:
        _write_new(to, texts)
    elif as_json:
        print("".join(texts), end="")
    else:
        sys.stdout.writelines(texts)
    return exits.OK


def _known(types: list[str]) -> list[str]:
    """Return the types. Raises ``ConfigError`` at one that no record has."""
    from typing import get_args

    from drift_engine.config import ConfigError
    from drift_engine.core.near_names import hint
    from drift_engine.core.types import Event

    known = [kind.__name__ for kind in get_args(Event)]
    for name in types:
        if name not in known:
            raise ConfigError(f"no record is of type {name!r}; {hint(name, known)}")
    return types


def _write_new(to: Path, texts: Iterator[str]) -> None:
    """Write a new file, all of it or none."""
    from drift_engine.config import ConfigError

    try:
        with to.open("x") as target:
            try:
                target.writelines(texts)
                target.flush()
            except BaseException:
                to.unlink()
                raise
    except OSError as error:
        raise ConfigError(f"--to {to}: {error.strerror}") from None


def _as_array(lines: Iterator[str]) -> Iterator[str]:
    before = "[\n"
    for text in lines:
        yield f"{before}{text}"
        before = ",\n"
    yield "\n]\n" if before != "[\n" else "[]\n"


def line(record: "Record") -> str:
    """Return a record as one line: number, time, type, and what it says."""
    from msgspec import to_builtins

    from drift_engine.cli.figures import moment

    event = record.event
    said = to_builtins(event)
    figures = " ".join(f"{name}={_brief(value)}" for name, value in said.items() if name not in ("type", "ts_ns"))
    return f"{record.seq:>7}  {moment(record.ts_ns)}  {type(event).__name__:<15} {figures}"


def _brief(value: object) -> str:
    if isinstance(value, dict):
        return value.get("plan_id") or f"{{{len(value)}}}"
    if isinstance(value, list):
        return f"[{len(value)}]"
    return f"{value!r}" if isinstance(value, str) and " " in value else str(value)
