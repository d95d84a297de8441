"""What becomes of one engine's process: started, stopped, started again when it dies, given up when it keeps dying.

An engine that ended by itself is not started again: its data ended (0), its configuration is wrong (2), or it ended
halted (3). Any other end is a crash: it starts again after a pause that doubles with each crash of the last ten
minutes, and after ``MOST_CRASHES`` of them it is left alone until a human starts it. Time is an argument, in seconds.
"""

import signal
from collections import deque

from drift_engine.control.places import Ended
from drift_engine.manager.process import Child

GRACE_S = 5.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 60.0
MOST_CRASHES, WINDOW_S = 6, 600.0
_CONFIG, _HALTED = 2, 3


class Supervisor:
    """Keeps one process as it is wanted. ``phase`` is STOPPED, STARTING, RUNNING, STOPPING or ERROR."""

    def __init__(self, child: Child) -> None:
        self.child = child
        self.phase, self.reason, self.restarts = "STOPPED", "", 0
        self._again = False
        self._stop_by_s: float | None = None
        self._start_at_s: float | None = None
        self._crashes: deque[float] = deque(maxlen=MOST_CRASHES)

    @property
    def alive(self) -> bool:
        """Whether there is a process."""
        return self.child.pid is not None

    @property
    def waiting(self) -> bool:
        """Whether it died and will be started again."""
        return self._start_at_s is not None

    def start(self) -> None:
        """Start it, from a human's hand: what crashed before is forgiven."""
        self._crashes.clear()
        self._spawn()

    def adopt(self) -> bool:
        """Take over a process that lives; false where there is none."""
        if not self.child.adopt():
            return False
        self.phase, self.reason = "STARTING", ""
        return True

    def stop(self, now_s: float, *, again: bool = False) -> None:
        """Ask it to end; it is killed when it has not within ``GRACE_S``. ``again``: then start it anew."""
        self._again, self._start_at_s = again, None
        if not self.alive:
            self.phase = "STOPPED"
            return
        if self.phase != "STOPPING":
            self.phase, self._stop_by_s = "STOPPING", now_s + GRACE_S
            self.child.send(signal.SIGTERM)

    def heard(self) -> None:
        """Take note that it answers."""
        if self.phase == "STARTING":
            self.phase, self.reason = "RUNNING", ""

    def look(self, now_s: float) -> None:
        """See what became of it, and do what is due."""
        code = self.child.ended()
        if code is not None:
            self._ended(code, now_s)
        elif self._stop_by_s is not None and now_s >= self._stop_by_s and self.alive:
            self._stop_by_s = None
            self.child.send(signal.SIGKILL)
        if self._start_at_s is not None and now_s >= self._start_at_s:
            self.restarts += 1
            self._spawn()

    def _spawn(self) -> None:
        self._stop_by_s = self._start_at_s = None
        self._again = False
        self.child.spawn()
        self.phase, self.reason = "STARTING", ""

    def _ended(self, code: int, now_s: float) -> None:
        stopping, self._stop_by_s = self.phase == "STOPPING", None
        end = self.child.last_end()
        if stopping:
            self.phase, self.reason = "STOPPED", "stopped" if code in (0, _HALTED) else f"stopped: {_how(code, end)}"
            if self._again:
                self._spawn()
        elif code == _CONFIG and self.child.adopt():
            self.phase = "STARTING"  # another manager's engine was there first
        elif code in (0, _HALTED):
            halted = "; it was halted and waits for a human" if code == _HALTED else ""
            self.phase, self.reason = "STOPPED", f"its market data came to an end{halted}"
        elif code == _CONFIG:
            self.phase, self.reason = "ERROR", _how(code, end)
        else:
            self._crashed(code, end, now_s)

    def _crashed(self, code: int, end: Ended | None, now_s: float) -> None:
        while self._crashes and now_s - self._crashes[0] > WINDOW_S:
            self._crashes.popleft()
        self._crashes.append(now_s)
        count, how = len(self._crashes), _how(code, end)
        self.phase = "ERROR"
        if count >= MOST_CRASHES:
            self.reason = f"died {count} times in {WINDOW_S / 60:g} minutes, left alone: {how}"
            return
        pause_s = min(FIRST_PAUSE_S * 2 ** (count - 1), LONGEST_PAUSE_S)
        self._start_at_s = now_s + pause_s
        self.reason = f"died: {how}; starting again in {pause_s:g} s"


def _how(code: int, end: Ended | None) -> str:
    """Say how a process ended, in its own last words where it had any."""
    if end is not None and end.code == code and end.reason:
        return end.reason
    if code < 0:
        try:
            return f"killed by {signal.Signals(-code).name}"
        except ValueError:
            return f"killed by signal {-code}"
    return f"exit code {code}"
