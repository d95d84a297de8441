"""``drift-engine data check``: the audit of a market-data directory, one line a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from drift_engine.cli import exits

if TYPE_CHECKING:
    from drift_engine.simulation.audit import FileReport

app = typer.Typer(help="Look after market data.", no_args_is_help=True)

_SHOWN = 3


@app.callback()
def data() -> None:
    """Look after market data."""


@app.command()
def check(
    directory: Annotated[
        Path, typer.Argument(metavar="DIR", help="Directory with drift/ and binance/: docs/market-data.md.")
    ],
    *,
    strict: Annotated[bool, typer.Option("--strict", help="Fail at gaps and manifest differences too.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Audit market data: rows, gaps, duplicates, disorder and unreadable rows, each with its place."""
    from drift_engine.simulation.audit import audit
    from drift_engine.simulation.csv_files import DataError

    try:
        report = audit(directory)
    except DataError as error:
        exits.complain(error)
        raise typer.Exit(exits.USAGE) from None
    ok = not report.faulty and (report.complete or not strict)
    if as_json:
        document = {"ok": ok, "strict": strict, **msgspec.to_builtins(report)}
        typer.echo(msgspec.json.encode(document).decode())
    else:
        for file in report.files:
            typer.echo(_line(file))
    raise typer.Exit(exits.OK if ok else exits.FAILED)


def _line(file: FileReport) -> str:
    if not file.sha256:
        return f"{file.file}  {_problems(file)}"
    span = f"{file.first} to {file.last}" if file.first else "nothing"
    return f"{file.file}  {file.rows} rows  {span}  {_problems(file) or 'complete'}"


def _problems(file: FileReport) -> str:
    parts = []
    if file.missing:
        gaps = [f"{gap.start} ({gap.count})" for gap in file.gaps]
        parts.append(f"{file.missing} missing in {len(gaps)} place{'s'[: len(gaps) > 1]}: {_few(gaps)}")
    for what in ("duplicates", "disorder", "unreadable"):
        found = [f"line {place.line} ({place.what})" for place in getattr(file, what)]
        if found:
            parts.append(f"{len(found)} {what}: {_few(found)}")
    return "; ".join((*parts, *file.notes))


def _few(places: list[str]) -> str:
    more = f" and {len(places) - _SHOWN} more" if len(places) > _SHOWN else ""
    return ", ".join(places[:_SHOWN]) + more
