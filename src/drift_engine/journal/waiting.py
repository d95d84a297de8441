"""Records that wait to be committed: encoded and hashed all in one go.

Events are frozen, so nothing is lost by leaving them as they are until then, and one warm loop over many costs a
fraction of as many single calls. A decision carries dictionaries that its strategy may still hold: it is encoded when
it is made.
"""

from drift_engine.core.types import Decided, Event
from drift_engine.journal.record import Digest, Unlinked, encode, hashed


class Waiting:
    """What was appended and not yet committed. ``since_ns`` is the time of the oldest event."""

    __slots__ = ("_digest", "_fresh", "_ready", "since_ns")

    def __init__(self, digest: Digest) -> None:
        self._digest = digest
        self._fresh: list[tuple[int, int, Event, bytes | None, bytes | None]] = []
        self._ready: list[Unlinked] = []
        self.since_ns = 0

    def __len__(self) -> int:
        return len(self._fresh) + len(self._ready)

    def add(self, seq: int, row: int, event: Event) -> int:
        """Take a record, and return how many wait."""
        fresh = self._fresh
        if not (fresh or self._ready):
            self.since_ns = event.ts_ns
        body = said = None
        if type(event) is Decided:
            body = encode(event)
            said = hashed(event, body)
        fresh.append((seq, row, event, body, said))
        return len(fresh)

    def settle(self) -> list[Unlinked]:
        """Hash what is not hashed yet, and return all that waits as it is to be written."""
        fresh, self._fresh = self._fresh, []
        update, ready = self._digest.update, self._ready
        for seq, row, event, encoded, said in fresh:
            body = encode(event) if encoded is None else encoded
            update(hashed(event, body) if said is None else said)
            ready.append((seq, row, event.ts_ns, type(event).__name__, body))
        return ready

    def clear(self) -> None:
        """Forget what was written."""
        self._ready.clear()
