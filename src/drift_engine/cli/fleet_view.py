"""A fleet in the terminal: a table that is redrawn, or a line a second for each engine where there is no screen.

The figures are the manager's; where there is none, the engines are asked themselves.
"""

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from drift_engine.cli import exits
from drift_engine.cli.figures import NARROW, UNKNOWN, amount, money, percent

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

Document = Mapping[str, Any]
_WITHIN_S, _PERIOD_S = 2.0, 1.0
_WIDE, _FOR_WIDE, _LEFT = 110, ("leverage", "seq", "restarts", "reason"), ("engine", "status", "trading", "reason")
_STYLES = {"RUNNING": "green", "STALE": "magenta", "EMERGENCY": "bold red", "ERROR": "bold red"}


def found(state_dir: Path, engine: str | None) -> list[dict[str, Any]] | None:
    """Return the documents of a living fleet, of one engine where it is named; ``None`` where nothing lives."""
    sockets = sorted(state_dir.glob("*.sock")) if engine is None else [state_dir / f"{engine}.sock"]
    return asyncio.run(_documents(state_dir / "manager.sock", sockets, engine)) or None


async def _documents(manager: Path, sockets: list[Path], engine: str | None) -> list[dict[str, Any]]:
    from drift_engine.control.client import ask

    answer = await ask(manager, "fleet", _WITHIN_S)
    if answer.ok:
        return [row for row in answer.data if engine in (None, row["engine"])]
    answers = await asyncio.gather(*(ask(path, "status", _WITHIN_S) for path in sockets if path != manager))
    return [answer.data for answer in answers if answer.ok]


def stopped(state_dir: Path) -> list[dict[str, Any]] | None:
    """Return what a stopped fleet's engines said last, ``None`` where a run of no fleet came after them.

    Where an engine was killed, or its journal went on since, its row knows nothing: the journal is there to be asked.
    """
    from drift_engine.cli.places import last_run_ns, with_journal

    names = with_journal(state_dir)
    written = [(state_dir / f"{name}.journal").stat().st_mtime_ns for name in names]
    if not names or max(written) <= last_run_ns(state_dir):
        return None
    return [_last_word(state_dir, name) for name in names]


def _last_word(state_dir: Path, name: str) -> dict[str, Any]:
    import msgspec

    from drift_engine.control.places import Places

    places = Places(state_dir, name)
    end = places.last_end()
    said = msgspec.json.decode(end.status) if end else None
    if said is None or places.end.stat().st_mtime_ns < places.journal.stat().st_mtime_ns:
        unknown = dict.fromkeys(("trading", "equity_e6", "pnl", "net_delta_e9", "seq"))
        margin = {"status": "unknown", "health": None, "leverage": None}
        reason = f"drift-engine status {name} reads its journal"
        return {"engine": name, "status": "STOPPED", "restarts": 0, "margin": margin, "reason": reason, **unknown}
    return {**said, "status": "STOPPED", "margin": {**said["margin"], "status": "stale"}}


def show(documents: list[dict[str, Any]], *, one: bool, as_json: bool) -> None:
    """Print documents once."""
    from drift_engine.cli.output import out, print_json

    if as_json:
        print_json(documents[0] if one else documents)
    else:
        console = out()
        console.print(picture(documents, console.width))
        for document in documents:
            if document["reason"] and NARROW <= console.width < _WIDE and not one:
                console.print(f"{document['engine']}: {document['reason']}", markup=False)


def watch(state_dir: Path, engine: str | None, length_s: float | None, *, as_json: bool) -> int:
    """Show a fleet once a second until the time is up or someone presses Ctrl-C."""
    began_s = time.monotonic()
    with shown(as_json=as_json) as show:
        for documents in _each_second(state_dir, engine, began_s, length_s):
            show(documents)
    return exits.OK


@contextmanager
def shown(*, as_json: bool = False) -> Iterator[Callable[[list[dict[str, Any]]], None]]:
    """Yield what shows a fleet: a table drawn again in its place, or flushed lines where stdout is no terminal."""
    from drift_engine.cli.output import is_live, out

    console = out()
    if as_json or not is_live(console):
        yield lambda documents: _lines(documents, as_json=as_json)
        return
    from rich.live import Live

    with Live(console=console, auto_refresh=False) as live:
        yield lambda documents: live.update(picture(documents, console.width), refresh=True)


def _each_second(
    state_dir: Path, engine: str | None, began_s: float, length_s: float | None
) -> Iterator[list[dict[str, Any]]]:
    while length_s is None or time.monotonic() - began_s < length_s:
        documents = found(state_dir, engine)
        if documents is None:
            what = "no engine" if engine is None else f"no engine {engine!r}"
            raise exits.FailedError(f"{what} runs in {state_dir}; start a fleet with drift-engine serve")
        yield documents
        time.sleep(_PERIOD_S)


def _lines(documents: list[dict[str, Any]], *, as_json: bool) -> None:
    import msgspec

    for document in documents:
        print(msgspec.json.encode(document).decode() if as_json else line(document), flush=True)


def line(document: Document) -> str:
    """Return an engine in one line."""
    words = (
        str(document["engine"]),
        str(document["status"]),
        str(document["trading"] or UNKNOWN),
        f"health {_health(document)}",
        f"equity {money(document['equity_e6']).replace(',', '')}",
        f"pnl {_pnl(document).replace(',', '')}",
        f"delta {_delta(document)}",
        f"seq {document['seq'] or 0}",
        *([f"({document['reason']})"] if document["reason"] else []),
    )
    return "  ".join(words)


def picture(documents: list[dict[str, Any]], width: int) -> "Table | Text":
    """Return a row for each engine, or, where a row would be cut, all of them in words."""
    from rich.text import Text

    return table(documents, width) if width >= NARROW else Text("\n".join(map(line, documents)))


def table(documents: list[dict[str, Any]], width: int) -> "Table":
    """Return a row for each engine, less of it on a narrow screen. States are words: it reads without colour."""
    from rich.table import Table

    rows = [_cells(document) for document in documents]
    names = [name for name in rows[0] if width >= _WIDE or name not in _FOR_WIDE]
    grid = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for name in names:
        grid.add_column(name, justify="left" if name in _LEFT else "right", no_wrap=name != "reason")
    for row in rows:
        grid.add_row(*(row[name] for name in names))
    return grid


def _cells(document: Document) -> "dict[str, Text]":
    from rich.text import Text

    status, leverage = str(document["status"]), document["margin"]["leverage"]
    return {
        "engine": Text(str(document["engine"]), style="bold"),
        "status": Text(status, style=_STYLES.get(status, "yellow")),
        "trading": Text(str(document["trading"] or UNKNOWN)),
        "health": Text(_health(document)),
        "leverage": Text(UNKNOWN if leverage is None else f"{leverage:.2f}"),
        "equity": Text(money(document["equity_e6"])),
        "PnL": Text(_pnl(document)),
        "net delta": Text(_delta(document)),
        "seq": Text(f"{document['seq'] or 0}"),
        "restarts": Text(str(document["restarts"])),
        "reason": Text(str(document["reason"] or "")),
    }


def _health(document: Document) -> str:
    margin = document["margin"]
    if margin["status"] == "unknown" or margin["health"] is None:
        return UNKNOWN
    return f"{percent(margin['health'])}{' STALE' if margin['status'] == 'stale' else ''}"


def _pnl(document: Document) -> str:
    return UNKNOWN if document["pnl"] is None else money(document["pnl"]["total_e6"], 4, sign=True)


def _delta(document: Document) -> str:
    deltas = document["net_delta_e9"]
    return UNKNOWN if deltas is None else " ".join(f"{amount(v, sign=True)} {k}" for k, v in deltas.items()) or "0"
