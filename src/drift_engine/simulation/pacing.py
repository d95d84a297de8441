"""The simulated world at the pace of a clock on the wall: what paper trading runs on.

It is the backtest's own generator with a sleep between its steps. A step is computed when its time has come, no sooner:
whoever commands the engine between two ticks meets a venue of the same time, and its reports take as long as they do.
The wall is looked at here and nowhere else in the simulation.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable

from drift_engine.clock import SimClock
from drift_engine.core.types import Event
from drift_engine.core.units import SECOND_NS
from drift_engine.simulation.world import World


class PacedFeed:
    """Steps of a simulated world, ``speed`` seconds of it in one second of ours. There is no ``trouble`` with it."""

    trouble: str | None = None

    def __init__(self, world: World, clock: SimClock, speed: float) -> None:
        self._told: list[Event] = []
        self._steps, self._times = world.run(self._told.append), world.times()
        self._clock = clock
        self._speed = speed
        self._next_ns: int | None = None

    async def beats(self, deliver: Callable[[Event], None]) -> AsyncIterator[int]:
        """Deliver what happens when it happens and yield the time of each tick. It may be taken up again.

        What lies before the clock was lived through before a restart: it is told at once, and no tick follows.
        """
        began_s, began_ns = time.monotonic(), None
        while (now_ns := self._ahead()) is not None:
            news = now_ns >= self._clock.now[0]
            if news:
                began_ns = now_ns if began_ns is None else began_ns
                await self._until(began_s + (now_ns - began_ns) / SECOND_NS / self._speed)
            self._step(deliver)
            if news:
                self._clock.set(now_ns)
                yield now_ns
        self._step(deliver)

    def _step(self, deliver: Callable[[Event], None]) -> None:
        """Live through what was waited for, or through what comes after the last tick."""
        next(self._steps, None)
        self._next_ns = None
        for event in self._told:
            deliver(event)
        self._told.clear()

    def _ahead(self) -> int | None:
        """Return the next step's time; a feed that was stopped while waiting for it still waits for it."""
        if self._next_ns is None:
            self._next_ns = next(self._times, None)
        return self._next_ns

    async def _until(self, due_s: float) -> None:
        """Sleep to a moment; give way at least once, so that whoever wants to stop us can."""
        await asyncio.sleep(max(0.0, due_s - time.monotonic()))
