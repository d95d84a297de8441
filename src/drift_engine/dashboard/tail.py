"""The end of a journal, followed: new records go into a replica, and to whoever asked for them.

The file is opened for each look and closed again, read-only, so that nothing of ours stands in an engine's way. A
journal that was replaced by another run's is begun anew. Reading and decoding is done in a thread, in batches; what is
shared is touched by the event loop alone.
"""

import asyncio
import itertools
from collections.abc import Callable
from pathlib import Path

from drift_engine.dashboard.replica import Replica
from drift_engine.journal import JournalError, Record, reader

BATCH = 2_000
_SLICE = 250
_PAUSE_S = 0.25
Tell = Callable[[Record], None]


class Tail:
    """One engine's journal. ``replica`` is up to its end as of the last look; ``trouble`` says why it is not."""

    def __init__(self, path: Path, tell: Tell) -> None:
        self.path = path
        self.replica = Replica()
        self.trouble = ""
        self.caught_up = False
        self._tell = tell
        self._file: tuple[int, int] | None = None

    async def run(self) -> None:
        """Follow the journal until cancelled."""
        while True:
            if await self.look() < BATCH:
                await asyncio.sleep(_PAUSE_S)

    async def look(self) -> int:
        """Take what is new, a batch at most, and return how many records that was."""
        try:
            file = _identity(self.path)
            if file is None:
                return 0
            if file != self._file:
                self._begin(file)
            fresh = await asyncio.to_thread(_read, self.path, self.replica.seq)
        except (JournalError, OSError) as error:
            self.trouble = str(error)
            return 0
        await self._take(fresh)
        self.trouble = ""
        self.caught_up = self.caught_up or len(fresh) < BATCH
        return len(fresh)

    def _begin(self, file: tuple[int, int]) -> None:
        self._file, self.replica, self.caught_up = file, Replica(), False

    async def _take(self, fresh: list[Record]) -> None:
        for count, record in enumerate(fresh, 1):
            self.replica.take(record)
            if self.caught_up:
                self._tell(record)
            if count % _SLICE == 0:
                await asyncio.sleep(0)


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return (found.st_dev, found.st_ino) if found.st_size else None


def _read(path: Path, after: int) -> list[Record]:
    return list(itertools.islice(reader.records(path, after), BATCH))
