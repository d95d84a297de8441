"""One child process: started in a session of its own, so that it outlives us, or taken over from a manager that died.

What it prints is appended to its log. A process that is not our child is known by the lock it holds: the kernel drops
that with the process, so no pid is ever mistaken for another's.
"""

import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence

from drift_engine.control.places import Ended, Places

LOG_BYTES = 16 * 2**20
UNKNOWN_END = -signal.SIGKILL


class Child:
    """A process by its name. ``pid`` is ``None`` while there is none."""

    def __init__(self, places: Places, arguments: Sequence[str], *, lock: bool = False) -> None:
        self.places = places
        self.pid: int | None = None
        self.began_s = 0.0
        self._arguments, self._lock = tuple(arguments), lock
        self._process: subprocess.Popen[bytes] | None = None

    def spawn(self) -> None:
        """Start it. ``lock``: it takes no lock itself, so it inherits one that is held as long as it lives."""
        if self.places.log.exists() and self.places.log.stat().st_size > LOG_BYTES:
            self.places.log.replace(self.places.log.with_suffix(".log.1"))
        command = (sys.executable, "-m", "drift_engine", *self._arguments)
        lock = os.open(self.places.pid, os.O_RDWR | os.O_CREAT, 0o600) if self._lock else None
        try:
            if lock is not None:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with self.places.log.open("ab") as log:
                process = subprocess.Popen(  # noqa: S603 - our own program
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                    pass_fds=() if lock is None else (lock,),
                )
            if lock is not None:
                os.ftruncate(lock, 0)
                os.pwrite(lock, f"{process.pid}\n".encode(), 0)
        finally:
            if lock is not None:
                os.close(lock)
        self._process, self.pid, self.began_s = process, process.pid, time.monotonic()

    def adopt(self) -> bool:
        """Take over the process that holds the name, if there is one."""
        self.pid = self.places.living_pid()
        self._process, self.began_s = None, time.monotonic()
        return self.pid is not None

    def ended(self) -> int | None:
        """Return the exit code of a process that has ended, once, negative for a signal; ``None`` while it runs."""
        if self.pid is None:
            return None
        code = self._process.poll() if self._process is not None else self._adopted_end()
        if code is not None:
            self.pid, self._process = None, None
        return code

    def _adopted_end(self) -> int | None:
        if self.places.living_pid() == self.pid:
            return None
        end = self.places.last_end()
        return UNKNOWN_END if end is None or end.pid != self.pid else end.code

    def last_end(self) -> Ended | None:
        """Return the word its last process left."""
        return self.places.last_end()

    def send(self, number: signal.Signals) -> None:
        """Send it a signal, if it still runs."""
        if self._process is not None:
            self._process.send_signal(number)
        elif self.pid is not None and self.places.living_pid() == self.pid:
            os.kill(self.pid, number)
