"""Where an engine of a fleet keeps its things, and the locks that say who lives.

All of it is in the state directory: ``NAME.journal``, ``NAME.sock``, ``NAME.log``, ``NAME.pid``, ``NAME.end`` (how the
last process ended), ``engines/NAME.json`` (what it runs), ``accounts/*.lock``. The kernel drops a lock with its
process, so a lock that is held means a process that lives, whatever became of pids meanwhile.
"""

import fcntl
import os
import re
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
from msgspec import Struct

from drift_engine.config import ConfigError

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}", re.IGNORECASE)
_TRIES = 20
_WAIT_S = 0.01
RESERVED = ("manager", "page")


class Ended(Struct, frozen=True):
    """How an engine's process ended: its exit code, why in one line, and its last status."""

    pid: int
    code: int
    reason: str
    status: msgspec.Raw = msgspec.Raw(b"null")


class Places(Struct, frozen=True):
    """The files of one process of a fleet, by its name."""

    state_dir: Path
    name: str

    def _file(self, ending: str) -> Path:
        return self.state_dir / f"{self.name}.{ending}"

    @property
    def journal(self) -> Path:
        """The engine's journal."""
        return self._file("journal")

    @property
    def socket(self) -> Path:
        """The control socket."""
        return self._file("sock")

    @property
    def log(self) -> Path:
        """What it printed."""
        return self._file("log")

    @property
    def pid(self) -> Path:
        """The pid, locked while the process lives."""
        return self._file("pid")

    @property
    def end(self) -> Path:
        """How the last process ended; absent where it was killed."""
        return self._file("end")

    @property
    def spec(self) -> Path:
        """What the engine runs."""
        return self.state_dir / "engines" / f"{self.name}.json"

    def account(self, venue: str, authority: str, sub_account: int) -> Path:
        """The lock of a sub-account."""
        return self.state_dir / "accounts" / f"{venue}-{authority}-{sub_account}.lock"

    def living_pid(self) -> int | None:
        """Return the pid of the process that holds the name, ``None`` where none does."""
        return holder(self.pid)

    def last_end(self) -> Ended | None:
        """Return how the last process ended, ``None`` where it left no word."""
        try:
            return msgspec.json.decode(self.end.read_bytes(), type=Ended)
        except (FileNotFoundError, msgspec.DecodeError):
            return None

    def note_end(self, ended: Ended) -> None:
        """Leave word of how the process ended."""
        write_whole(self.end, msgspec.json.encode(ended))


def checked_name(name: str) -> str:
    """Return an engine's name, which is also its files'. Raises ``ConfigError``."""
    if not _NAME.fullmatch(name):
        raise ConfigError(f"{name!r} is no name for an engine; use letters, digits, '-' and '_', 40 at most")
    if name in RESERVED:
        raise ConfigError(f"{name!r} is a name of the manager's own; choose another for the engine")
    return name


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that a crash leaves the old one or the new one; only its owner may read it.

    An engine's file names its node, and the addresses of nodes hold keys.
    """
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)
    fresh.replace(path)


def last_lines(path: Path, n: int) -> list[str]:
    """Return the last lines of a log."""
    try:
        with path.open(errors="replace") as file:
            return [line.rstrip("\n") for line in deque(file, maxlen=n)]
    except FileNotFoundError:
        return []


def holder(lock: Path) -> int | None:
    """Return the pid of the process that holds a lock, ``None`` where it is free."""
    try:
        file = os.open(lock, os.O_RDWR)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        text = os.pread(file, 32, 0).decode(errors="replace").strip()
        return int(text) if text.isdigit() else None
    else:
        return None
    finally:
        os.close(file)


@contextmanager
def held(lock: Path, what: str) -> Iterator[None]:
    """Hold a lock, with our pid in it, while the context lasts. Raises ``ConfigError`` where another holds it."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    file = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _take(file, lock, what)
        os.ftruncate(file, 0)
        os.pwrite(file, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(file)


def _take(file: int, lock: Path, what: str) -> None:
    """Take a lock; whoever only looks whether it is free lets it go in a moment."""
    for attempt in range(_TRIES):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if attempt == _TRIES - 1:
                raise ConfigError(f"{what} is in use by process {holder(lock) or '(unknown)'}; stop it first") from None
            time.sleep(_WAIT_S)
        else:
            return
