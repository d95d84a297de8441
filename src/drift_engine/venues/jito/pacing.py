"""A service's limit of requests per time, kept by waiting: one request every so often, longer after a complaint.

Whoever takes a turn is given the next free moment and sleeps until then; requests keep their order. One ``Pacer`` is
shared by all that talk to the same limit.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable


class Pacer:
    """Turns at least ``interval_s`` apart."""

    def __init__(
        self,
        interval_s: float,
        *,
        now_s: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.interval_s = interval_s
        self._now_s = now_s
        self._sleep = sleep
        self._free_s = now_s()

    @property
    def wait_s(self) -> float:
        """How long whoever asked now would wait for a turn."""
        return max(0.0, self._free_s - self._now_s())

    async def turn(self) -> None:
        """Wait for the next free turn and take it."""
        wait_s = self.wait_s
        self._free_s = self._now_s() + wait_s + self.interval_s
        if wait_s:
            await self._sleep(wait_s)

    def rest(self, seconds: float) -> None:
        """Give no turn for a while: the service complained."""
        self._free_s = max(self._free_s, self._now_s() + seconds)
