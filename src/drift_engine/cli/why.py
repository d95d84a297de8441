"""``drift-engine why [SEQ]``: a decision, the plan it became, and what each gate saw and said."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from drift_engine.cli import exits
from drift_engine.cli.options import Json, LastJournal, State

if TYPE_CHECKING:
    from drift_engine.core.types import Check, Decided
    from drift_engine.journal import Record

_VERDICTS = {"pass": "green", "mark": "yellow", "skip": "dim", "refuse": "bold red"}


def why(
    seq: Annotated[
        int | None,
        typer.Argument(
            metavar="[SEQ]", min=1, help="A record's number; the last decision if not given.", show_default=False
        ),
    ] = None,
    *,
    journal: LastJournal = None,
    state: State = None,
    as_json: Json = False,
) -> int:
    """Explain a decision: the signal, its legs, and each gate with its figures."""
    from drift_engine.cli.output import out, print_json
    from drift_engine.cli.places import find_journal
    from drift_engine.journal import reader

    path = find_journal(journal, state)
    record = reader.find_decision(path, seq)
    if record is None:
        upto = "" if seq is None else f" up to record {seq}"
        raise exits.FailedError(f"{path} holds no decision{upto}: the strategy has not asked for anything")
    if as_json:
        print_json(as_document(record))
    else:
        out().print(explanation(record))
    return exits.OK


def as_document(record: "Record") -> dict[str, Any]:
    """Return a decision as plain values."""
    from msgspec import to_builtins

    return {"seq": record.seq, "row": record.row, **to_builtins(record.event)}


def explanation(record: "Record") -> Any:
    """Return a decision as people read it."""
    from rich.console import Group
    from rich.text import Text

    from drift_engine.cli import panels
    from drift_engine.cli.figures import moment

    decided: Decided = record.event  # type: ignore[assignment]
    plan = decided.plan
    word, style = ("APPROVED", "bold green") if decided.approved else ("REFUSED", "bold red")
    head = Text(word, style=style).append(
        f"  plan {plan.plan_id}, record {record.seq}, {moment(decided.ts_ns)} UTC", style="default"
    )
    if decided.emergency:
        head.append("  EMERGENCY", style="bold red")
    return Group(
        head,
        Text(plan.reason),
        Text(f"it claims {_edge(plan.edge_e6)}", style="dim"),
        panels.section("Wanted" + (": all legs or none" if plan.atomic else "")),
        *_wanted(decided),
        panels.section("Gates"),
        _gates(decided.checks),
    )


def _edge(edge_e6: int | None) -> str:
    from drift_engine.cli.figures import money

    return "no edge" if edge_e6 is None else f"an edge of {money(edge_e6, 4)} before costs"


def _wanted(decided: "Decided") -> list[Any]:
    from msgspec import structs
    from rich.text import Text

    from drift_engine.cli import panels
    from drift_engine.cli.figures import amount

    targets = decided.signal.targets if decided.signal is not None else {}
    lines = [Text(f"to hold {amount(base_e9, sign=True)} {market}", style="dim") for market, base_e9 in targets.items()]
    return lines + [Text(panels.legs([structs.asdict(leg)])) for leg in decided.plan.legs]


def _gates(checks: "tuple[Check, ...]") -> Any:
    from rich.table import Table
    from rich.text import Text

    from drift_engine.cli.figures import by_name

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("gate", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    table.add_column("what it saw", overflow="fold")
    for check in checks:
        told = (item for item in check.figures.items() if item[1] is not None or not check.reason)
        shown = (by_name(name, value) for name, value in told)
        saw = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in shown)
        said = Text(check.reason, style=_VERDICTS[check.verdict])
        if saw:
            said.append(
                ("\n" if check.reason else "") + saw, style="not bold dim" if check.reason else "not bold default"
            )
        table.add_row(Text(check.gate), Text(check.verdict, style=_VERDICTS[check.verdict]), said)
    return table
