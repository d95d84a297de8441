"""What time it is: the engine asks a clock, and nothing else does.

A live engine reads the wall clock; a simulated one is told the time of its market by whoever moves it.
"""

from typing import Protocol

SIM_SLOT_NS = 400_000_000


class Clock(Protocol):
    """Time as the engine sees it."""

    def now_ns(self) -> int:
        """Return nanoseconds since the Unix epoch, UTC."""
        ...

    def slot(self) -> int:
        """Return the chain's slot now."""
        ...


class SimClock:
    """The clock of a simulated market: it stands still until it is set. Its slots are 400 ms long."""

    def __init__(self, now_ns: int = 0) -> None:
        self._now_ns = now_ns

    def set(self, now_ns: int) -> None:
        """Move to a time. It never goes back: an earlier one is ignored."""
        self._now_ns = max(now_ns, self._now_ns)

    def now_ns(self) -> int:
        """Return the time it was set to."""
        return self._now_ns

    def slot(self) -> int:
        """Return the slot at that time."""
        return self._now_ns // SIM_SLOT_NS
