"""Where runs live: the state directory, its journals, and which of them was the last.

An engine of a fleet keeps its journal under its name there, so its name stands for it wherever a journal is read.
"""

from datetime import datetime
from pathlib import Path
from tempfile import NamedTemporaryFile

from drift_engine.config import DEFAULT_STATE_DIR, ConfigError
from drift_engine.core.near_names import near

_LAST = "last"


def new_journal(state_dir: Path, mode: str, strategy: str, now: datetime) -> Path:
    """Take a place for a new run's journal: an empty file that no other process has. ``now`` is UTC."""
    make_dir(state_dir)
    stem = f"{mode}-{strategy}-{now:%Y%m%dT%H%M%S}"
    path, number = state_dir / f"{stem}.journal", 1
    while True:
        try:
            path.touch(exist_ok=False)
        except FileExistsError:
            number += 1
            path = state_dir / f"{stem}-{number}.journal"
        except OSError as error:
            raise ConfigError(f"--state {state_dir}: cannot be written: {error.strerror}") from None
        else:
            return path


def drop_unused(journal: Path | None) -> None:
    """Give back the place that ``new_journal`` took for a run that never began."""
    if journal is not None and journal.exists() and journal.stat().st_size == 0:
        journal.unlink()


def remember(state_dir: Path, journal: Path) -> None:
    """Note a journal as the last run's; a crash leaves the old note or the new one, never half of it."""
    make_dir(state_dir)
    try:
        with NamedTemporaryFile("w", dir=state_dir, prefix=f"{_LAST}-", suffix=".new", delete=False) as fresh:
            fresh.write(f"{journal.resolve()}\n")
        Path(fresh.name).replace(state_dir / _LAST)
    except OSError as error:
        raise ConfigError(f"--state {state_dir}: cannot be written: {error.strerror}") from None


def find_journal(journal: Path | None, state_dir: Path | None) -> Path:
    """Return the journal named, by its file or by its engine, or the last run's.

    Raises ``ConfigError`` where there is none.
    """
    directory = state_dir or DEFAULT_STATE_DIR
    if journal is not None:
        return _named(journal, directory)
    note = directory / _LAST
    try:
        last = Path(note.read_text().strip())
    except FileNotFoundError:
        raise ConfigError(_nothing_known(directory)) from None
    except OSError as error:
        raise ConfigError(f"{note}: cannot be read: {error.strerror}") from None
    return _named(last, directory)


def engines(state_dir: Path) -> list[str]:
    """Return the names of a fleet's engines that were ever started in a state directory."""
    return sorted(path.stem for path in state_dir.glob("engines/*.json"))


def with_journal(state_dir: Path) -> list[str]:
    """Return the names of those that have a journal there."""
    return [name for name in engines(state_dir) if (state_dir / f"{name}.journal").is_file()]


def last_run_ns(state_dir: Path) -> int:
    """Return when the last run outside of a fleet began, 0 where there was none."""
    try:
        return (state_dir / _LAST).stat().st_mtime_ns
    except FileNotFoundError:
        return 0


def _named(journal: Path, state_dir: Path) -> Path:
    if journal.is_file():
        return journal
    known = with_journal(state_dir)
    if str(journal) in known:
        return state_dir / f"{journal}.journal"
    meant = near(str(journal), known)
    perhaps = f"; did you mean {meant!r}?" if meant else ""
    here = f"; engines here are {', '.join(known)}" if known else ""
    raise ConfigError(f"there is no journal {journal}{perhaps or here}")


def _nothing_known(state_dir: Path) -> str:
    known = with_journal(state_dir)
    if not known:
        return f"no run is known in {state_dir}; run one, or name its journal or its --state"
    return f"{state_dir} holds a fleet: name one of its engines, {', '.join(known)}, in place of a journal"


def make_dir(directory: Path) -> None:
    """Make the state directory; what stands in the way is a ``ConfigError``."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"--state {directory}: cannot be made: {error.strerror}") from None
