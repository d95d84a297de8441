"""Who asked for what, when, and what came of it: a line each, on the disk before the answer goes out.

Each line carries ``chain = blake2b-16(previous chain + line)``, so that one that was changed or taken out shows. A
flood of refusals is counted, not written line by line: one line says how many there were. The page's server and the
commands of a terminal write to the same file: whoever writes holds its lock, and goes on from the last line.
"""

import errno
import fcntl
import json
import os
import time
from hashlib import blake2b
from pathlib import Path
from typing import Any

_REFUSALS_S = 10.0
_TAIL_BYTES = 256 * 1024
_TRIES, _WAIT_S = 50, 0.01


class Audit:
    """The audit of a state directory, ``audit.log``."""

    def __init__(self, state_dir: Path) -> None:
        self.path = state_dir / "audit.log"
        self._refused: dict[str, int] = {}
        self._told_s = -_REFUSALS_S
        self._chain, self._end = "", 0

    def write(self, who: str, what: str, outcome: str, **details: Any) -> None:
        """Write a line; it is on the disk when this returns. Raises ``OSError`` where it cannot be."""
        line: dict[str, Any] = {"ts_ns": time.time_ns(), "who": who, "what": what, "outcome": outcome, **details}
        file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            _lock(file)
            end = os.fstat(file).st_size
            chain = _link(self._chain if end == self._end else _last_chain(self.path), line)
            data = (json.dumps({**line, "chain": chain}) + "\n").encode()
            _append(file, data, end)
        finally:
            os.close(file)
        self._chain, self._end = chain, end + len(data)

    def refused(self, who: str, why: str) -> None:
        """Count a refusal; the first is written at once, the rest of a flood every ten seconds as a number."""
        self._refused[why] = self._refused.get(why, 0) + 1
        if time.monotonic() - self._told_s < _REFUSALS_S:
            return
        self.flush(who)

    def flush(self, who: str = "") -> None:
        """Write what was counted."""
        counted, self._refused = self._refused, {}
        self._told_s = time.monotonic()
        for why, count in counted.items():
            self.write(who, "request", why, count=count)

    def last(self, n: int) -> list[dict[str, Any]]:
        """Return the last lines, the latest first."""
        return [json.loads(line) for line in _lines(self.path)[: -n - 1 : -1]]

    def first_bad(self) -> int | None:
        """Return the number of the first line that does not fit its chain, ``None`` where all do."""
        chain = ""
        for number, text in enumerate(self.path.read_text().splitlines(), 1):
            line = json.loads(text)
            told = line.pop("chain", "")
            chain = _link(chain, line)
            if told != chain:
                return number
        return None


def _link(previous: str, line: dict[str, Any]) -> str:
    return blake2b(f"{previous}{json.dumps(line)}".encode(), digest_size=16).hexdigest()


def _lock(file: int) -> None:
    """Lock the file until it is closed. Raises ``BlockingIOError`` where another holds it for half a second."""
    for attempt in range(_TRIES):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if attempt == _TRIES - 1:
                raise
            time.sleep(_WAIT_S)
        else:
            return


def _append(file: int, data: bytes, end: int) -> None:
    """Write a whole line to the disk, or none of it."""
    if os.write(file, data) < len(data):
        os.ftruncate(file, end)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    os.fsync(file)


def _lines(path: Path) -> list[str]:
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - _TAIL_BYTES))
            text = file.read().decode(errors="replace")
    except FileNotFoundError:
        return []
    lines = text.splitlines()
    return lines[1:] if size > _TAIL_BYTES else lines


def _last_chain(path: Path) -> str:
    lines = _lines(path)
    return str(json.loads(lines[-1])["chain"]) if lines else ""
