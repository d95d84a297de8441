"""What time it is: the engine asks a clock, and nothing else does.

A live engine reads the wall clock; a simulated one is told the time of its market by whoever moves it.
"""

from typing import Protocol

SIM_SLOT_NS = 400_000_000


class Clock(Protocol):
    """Time as the engine sees it."""

    @property
    def now(self) -> tuple[int, int]:
        """Nanoseconds since the Unix epoch, UTC, and the chain's slot."""
        ...


class SimClock:
    """A clock that stands still until it is set. Slots that are not told are those of a simulated market: 400 ms."""

    def __init__(self, now_ns: int = 0) -> None:
        self.now = now_ns, now_ns // SIM_SLOT_NS

    def set(self, now_ns: int, slot: int | None = None) -> None:
        """Move to a time. It never goes back: an earlier one is ignored."""
        if now_ns > self.now[0]:
            self.now = now_ns, now_ns // SIM_SLOT_NS if slot is None else slot
