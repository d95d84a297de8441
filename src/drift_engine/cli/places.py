"""Where runs live: the state directory, its journals, and which of them was the last."""

from datetime import datetime
from pathlib import Path
from tempfile import NamedTemporaryFile

from drift_engine.config import DEFAULT_STATE_DIR, ConfigError

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
    """Return the journal named, or the last run's. Raises ``ConfigError`` where there is none."""
    if journal is not None:
        return existing(journal)
    note = (state_dir or DEFAULT_STATE_DIR) / _LAST
    try:
        last = Path(note.read_text().strip())
    except FileNotFoundError:
        raise ConfigError(f"no run is known in {note.parent}; run one, or name its journal or its --state") from None
    except OSError as error:
        raise ConfigError(f"{note}: cannot be read: {error.strerror}") from None
    return existing(last)


def existing(journal: Path) -> Path:
    """Return a journal's path if there is such a file."""
    if not journal.is_file():
        raise ConfigError(f"there is no journal {journal}")
    return journal


def make_dir(directory: Path) -> None:
    """Make the state directory; what stands in the way is a ``ConfigError``."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"--state {directory}: cannot be made: {error.strerror}") from None
