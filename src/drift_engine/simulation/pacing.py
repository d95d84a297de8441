"""The simulated world at the pace of a clock on the wall: what paper trading runs on.

It is the backtest's own generator with a sleep between its steps. What a step tells is handed over when its time has
come, not when it was computed. The wall is looked at here and nowhere else in the simulation.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator

from drift_engine.clock import SimClock
from drift_engine.core.types import Event
from drift_engine.core.units import SECOND_NS

_LONGEST_SLEEP_S = 0.25


class PacedFeed:
    """Steps of a simulated world, ``speed`` seconds of it in one second of ours."""

    def __init__(
        self, steps: Callable[[Callable[[Event], None]], Iterator[int]], clock: SimClock, speed: float
    ) -> None:
        self._waiting: list[Event] = []
        self._steps = steps(self._waiting.append)
        self._clock = clock
        self._speed = speed
        self._next_ns: int | None = None

    async def beats(self, deliver: Callable[[Event], None]) -> AsyncIterator[int]:
        """Deliver what happens when it happens, and yield each time the engine should tick. It may be taken up again."""
        began_s, began_ns = time.monotonic(), None
        while (now_ns := self._ahead()) is not None:
            began_ns = now_ns if began_ns is None else began_ns
            await self._until(began_s + (now_ns - began_ns) / SECOND_NS / self._speed)
            for event in self._waiting:
                deliver(event)
            self._waiting.clear()
            self._next_ns = None
            self._clock.set(now_ns)
            yield now_ns

    def _ahead(self) -> int | None:
        """Compute the next step once; a feed that was stopped while waiting for it still has it."""
        if self._next_ns is None:
            self._next_ns = next(self._steps, None)
        return self._next_ns

    async def _until(self, due_s: float) -> None:
        """Sleep to a moment; at least give way once, so that whoever wants to stop us can."""
        await asyncio.sleep(0)
        while (left_s := due_s - time.monotonic()) > 0:
            await asyncio.sleep(min(left_s, _LONGEST_SLEEP_S))
