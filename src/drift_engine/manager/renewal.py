"""Parameters that were changed by hand: kept beside the fleet file's, and begun with a journal of their own.

A journal is of one run and no other, so an engine with changed parameters begins a new one, and a new paper account
with it. That must not make positions disappear: only an engine that is flat can be changed. The old journal is kept.
"""

from itertools import count
from pathlib import Path

import msgspec

from drift_engine.control.places import Places, write_whole
from drift_engine.control.spec import EngineSpec
from drift_engine.core.position_manager import apply
from drift_engine.core.types import EngineState
from drift_engine.core.units import show_base
from drift_engine.journal import reader

_PARTS = ("", "-wal", "-shm", "-lock", ".venue", ".venue-wal", ".venue-shm", ".venue-lock")


class NotFlatError(Exception):
    """An engine holds positions that a new account would make disappear."""


def with_changes(spec: EngineSpec, state_dir: Path) -> EngineSpec:
    """Return an engine with the parameters that were changed by hand."""
    try:
        changes = msgspec.json.decode(_changes(Places(state_dir, spec.name)).read_bytes(), type=dict[str, str])
    except FileNotFoundError:
        return spec
    return spec.with_params(changes)


def change(places: Places, spec: EngineSpec, params: dict[str, str]) -> str:
    """Keep changed parameters for the next start, and put the old journal aside; return what is to be told of it.

    Raises ``NotFlatError``.
    """
    held = _held(places.journal)
    if held:
        raise NotFlatError(f"{spec.name} holds {', '.join(held)}; kill it to flat first, then change its parameters")
    path = _changes(places)
    path.parent.mkdir(parents=True, exist_ok=True)
    known = msgspec.json.decode(path.read_bytes(), type=dict[str, str]) if path.exists() else {}
    write_whole(path, msgspec.json.encode({**known, **params}))
    return _aside(places)


def _changes(places: Places) -> Path:
    return places.spec.with_suffix(".set.json")


def _held(journal: Path) -> list[str]:
    """Return what a journal's account holds besides plain deposits."""
    if not journal.exists():
        return []
    state = EngineState()
    for record in reader.records(journal):
        apply(state, record.event)
    perps = [f"{show_base(position.base_e9)} {position.market}" for position in state.account.perps if position.base_e9]
    return perps + [f"a borrow of {balance.market}" for balance in state.account.spots if balance.scaled_e9 < 0]


def _aside(places: Places) -> str:
    """Rename a journal and what belongs to it; return how that is told."""
    journal = places.journal
    if not journal.exists():
        return ""
    free = next(n for n in count(1) if not (journal.parent / f"{places.name}.{n}.journal").exists())
    for part in _PARTS:
        old = Path(f"{journal}{part}")
        if old.exists():
            old.rename(journal.parent / f"{places.name}.{free}.journal{part}")
    places.end.unlink(missing_ok=True)
    return f"; it begins a new journal and account, the old one is {places.name}.{free}.journal"
