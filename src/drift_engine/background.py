"""Work that goes on for as long as its owner does: what ends by an error is said at once, and begun again.

A task that dies in silence leaves figures that look alive. Nothing here ends silently: the error is logged as critical,
kept in ``broken`` for whoever shows what is wrong, and told to the owner.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

log = logging.getLogger("drift_engine.background")
Work = Callable[[], Coroutine[Any, Any, None]]


class Background:
    """Tasks by name. ``told`` hears of each that ended by an error, with the error in words.

    ``again_s``: begin it anew after that many seconds; ``None`` leaves it ended, for work that cannot be taken up in
    the middle.
    """

    def __init__(self, told: Callable[[str, str], None] | None = None, again_s: float | None = None) -> None:
        self.broken: dict[str, str] = {}
        self._told, self._again_s = told, again_s
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def keep(self, name: str, work: Work) -> None:
        """Begin some work; what has the same name already goes on instead."""
        if name not in self._tasks:
            self._tasks[name] = asyncio.create_task(self._kept(name, work), name=name)

    async def close(self) -> None:
        """End all of it."""
        tasks = list(self._tasks.values())
        self._tasks.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _kept(self, name: str, work: Work) -> None:
        while True:
            try:
                await work()
            except Exception as error:  # noqa: BLE001 - whatever it is, it must not end in silence
                self._say(name, error)
            else:
                return
            if self._again_s is None:
                return
            await asyncio.sleep(self._again_s)

    def _say(self, name: str, error: Exception) -> None:
        self.broken[name] = f"{type(error).__name__}: {error}"
        log.critical("%s ended by an error", name, exc_info=error)
        if self._told is not None:
            self._told(name, self.broken[name])
