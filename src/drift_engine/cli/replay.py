"""``drift-engine replay JOURNAL``: tell a run again, and say whether each decision came out the same."""

from pathlib import Path
from typing import Annotated

import typer

from drift_engine.cli import exits, streams
from drift_engine.cli.options import Json, State


def replay(
    journal: Annotated[
        Path | None,
        typer.Argument(
            metavar="[JOURNAL]", help="A file, or an engine's name; the last run's if not given.", show_default=False
        ),
    ] = None,
    *,
    data: Annotated[Path | None, typer.Option("--data", metavar="DIR", help="The data, if it moved.")] = None,
    state: State = None,
    as_json: Json = False,
) -> int:
    """Fold a journal and decide again: what it came to, and exit 1 where anything comes out otherwise."""
    from msgspec import structs

    from drift_engine import replay as replaying
    from drift_engine.cli.figures import counted
    from drift_engine.cli.output import print_json
    from drift_engine.cli.places import find_journal
    from drift_engine.cli.view import came_to

    path = find_journal(journal, state)
    with streams.only_json(as_json):
        report = replaying.replay(path, data)
    if as_json:
        print_json({"journal": str(path), **structs.asdict(report)})
    else:
        print(f"{path}: {counted(report.records, 'record')}, {counted(report.decisions, 'decision')}")
        for line in came_to(report.status):
            print(line)
        print("every decision came out the same" if report.same else f"NOT the same: {report.difference}")
        print(f"digest {report.digest}")
    return exits.OK if report.same else exits.FAILED
