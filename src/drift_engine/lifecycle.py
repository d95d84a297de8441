"""The lifecycle every engine shares: start is recovery, there is one loop only, stop leaves nothing running.

The loop is one task. It fills the inbox and drives one tick after another to its end: a tick never suspends, so a tick
by hand and the loop's cannot overlap. What ends the loop by error is raised to whoever waits.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable
from typing import Any, NoReturn


class Lacking:
    """Stands for a part of an engine that was not started: whatever is asked of it, it says so.

    A ``__getattr__`` of the engine would say so too, and make every use of any attribute slow, in every tick.
    """

    def __init__(self, engine: str, part: str) -> None:
        self.__dict__["told"] = f"{engine} has no {part!r} yet: await start(), or open() it"

    def __getattr__(self, name: str) -> NoReturn:
        raise AttributeError(self.__dict__["told"])

    def __call__(self, *_: object) -> NoReturn:
        """Say so."""
        raise AttributeError(self.__dict__["told"])


class BaseEngine(ABC):
    """The lifecycle every engine shares."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._task: asyncio.Task[None] | None = None
        self._ready = asyncio.Event()

    def _lack(self, *parts: str) -> None:
        """Put what says so in the place of each part that comes with the start."""
        for part in parts:
            setattr(self, part, Lacking(self.name, part))

    @property
    def running(self) -> bool:
        """Whether the loop task is alive."""
        return self._task is not None and not self._task.done()

    async def start(self) -> None:
        """Recover, start the one loop, and return once its first tick is done. A second start changes nothing."""
        if self.running:
            return
        self._ready = asyncio.Event()
        self.open()
        task = self._task = asyncio.create_task(self._loop(), name=self.name)
        first = asyncio.create_task(self._ready.wait())
        await asyncio.wait({task, first}, return_when=asyncio.FIRST_COMPLETED)
        first.cancel()
        if task.done() and not task.cancelled():
            task.result()

    async def wait(self) -> None:
        """Wait until the loop ends; what ended it by error is raised here."""
        if self._task is not None:
            await asyncio.shield(self._task)

    async def stop(self) -> None:
        """End the loop and close what was opened, unless it was started again meanwhile; safe to call twice."""
        task, self._task = self._task, None
        if task is not None and not task.done():
            task.cancel()
            await asyncio.wait({task})
        if self._task is None:
            self.close()

    async def restart(self) -> None:
        """Stop, then start again from the journal."""
        await self.stop()
        await self.start()

    async def _loop(self) -> None:
        async for _ in self.beats():
            self.tick()
            self._ready.set()
        self.finish()

    @abstractmethod
    def open(self) -> None:
        """Make ready to tick: recover what a journal holds."""

    @abstractmethod
    def close(self) -> None:
        """Write what is buffered and let go of files."""

    @abstractmethod
    def beats(self) -> AsyncIterator[int]:
        """Return an async iterator that fills the inbox and yields each time the engine should tick."""

    @abstractmethod
    def tick(self) -> Awaitable[None]:
        """Do one round of the five steps, at once; what it returns may be awaited, and never suspends."""

    @abstractmethod
    def finish(self) -> None:
        """Take what came after the last tick, where the feed has an end."""

    @abstractmethod
    def get_status(self) -> dict[str, Any]:
        """Return what the engine would tell a person."""
