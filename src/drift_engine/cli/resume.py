"""``drift-engine resume``: a human says that a halted run may trade again. It is written down, like everything."""

from pathlib import Path
from typing import TYPE_CHECKING

from drift_engine.cli import exits
from drift_engine.cli.fleet_options import OneEngine
from drift_engine.cli.options import Json, LastJournal, State

if TYPE_CHECKING:
    from drift_engine.control.protocol import Answer
    from drift_engine.core.types import StateChanged

REASON = "resumed by a human"


def resume(
    engine: OneEngine = None,
    *,
    journal: LastJournal = None,
    state: State = None,
    as_json: Json = False,
) -> int:
    """Let a halted engine trade again: at once where it runs, else from its next start on."""
    from shlex import quote

    from drift_engine.cli.fleet_options import noted, state_dir, tell
    from drift_engine.cli.output import print_json
    from drift_engine.cli.places import find_journal
    from drift_engine.journal import reader

    if engine is not None and journal is None:
        answer = _asked(state_dir(state), engine)
        if answer.code != "unreachable":
            return tell(noted(state, "resume", engine, answer), as_json=as_json)
        journal = state_dir(state) / f"{engine}.journal"
    path = find_journal(journal, state)
    started = reader.run_started(path)
    last = last_change(path)
    if started is None or last is None or not (last.latched or last.trading == "HALTED" or last.strategy_disabled):
        now = "has always been ACTIVE" if last is None else f"is {last.trading}, not latched"
        raise exits.FailedError(f"{path}: nothing to resume; the run {now}")
    if last.closing:
        raise exits.FailedError(f"{path}: an emergency close is under way (attempt {last.closing}); let it end first")
    seq = _append(path, reference=started.mode == "backtest")
    if as_json:
        before = {"trading": str(last.trading), "cause": last.cause, "reason": last.reason, "disputed": last.disputed}
        print_json({"journal": str(path), "seq": seq, "was": before, "trading": "ACTIVE", "reason": REASON})
        return exits.OK
    print(f"{path}: was {last.trading} ({last.reason})")
    if last.disputed:
        print("the books were in dispute: they are compared with the venue's again at the next start")
    print(f"record {seq}: ACTIVE, {REASON}; start the same run with --journal {quote(str(path))} to go on")
    return exits.OK


def _asked(state_dir: Path, engine: str) -> "Answer":
    from drift_engine.cli.fleet_options import who
    from drift_engine.control.client import ask_now
    from drift_engine.control.places import Places

    return ask_now(Places(state_dir, engine).socket, "resume", who=who())


def last_change(path: Path) -> "StateChanged | None":
    """Return the last change of a run's trading state, ``None`` where it never changed."""
    from drift_engine.core.types import StateChanged
    from drift_engine.journal import reader

    last = None
    for record in reader.records(path):
        if isinstance(record.event, StateChanged):
            last = record.event
    return last


def _append(path: Path, *, reference: bool) -> int:
    """Write the StateChanged after the last record, at its time: nothing happened since."""
    from collections import deque

    from drift_engine.core.types import StateChanged, Trading
    from drift_engine.journal import Journal

    with Journal.open(path, reference=reference) as journal:
        last = deque(journal.records(), maxlen=1)[0]
        journal.continue_after(last.seq)
        journal.append(StateChanged(last.ts_ns, Trading.ACTIVE, REASON, "resume"))
        return journal.seq
