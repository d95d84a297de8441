"""When a slot can have begun at the earliest, by our own clock.

A slot number that comes over a stream says nothing of when it began: the stream may be late by any time. But a node
that is asked over another way, and answers ``slot``, had come no further when the question left us. So every later slot
began after that moment. Those moments are kept, and nothing is extrapolated: a slot of which nothing is known has no
time. A node that answers less than was answered before lags, and shows nothing.

Pure: times are nanoseconds of whatever monotonic clock the caller uses.
"""

from bisect import bisect_left


class SlotTimes:
    """Moments at which the chain had come no further than a slot; the last ``keep`` of them.

    ``named`` is the highest slot that a node named.
    """

    def __init__(self, keep: int = 1024) -> None:
        self._keep = keep
        self.named = 0
        self._slots: list[int] = []
        self._times_ns: list[int] = []

    def anchor(self, asked_ns: int, named: int, told: int = 0) -> None:
        """Note that at ``asked_ns`` no slot above ``named`` had begun, or above ``told``, which was known then."""
        if named < self.named or (self._slots and asked_ns <= self._times_ns[-1]):
            return
        self.named = named
        slot = max(named, told, self._slots[-1] if self._slots else 0)
        if self._slots and slot == self._slots[-1]:
            self._times_ns[-1] = asked_ns
            return
        self._slots.append(slot)
        self._times_ns.append(asked_ns)
        if len(self._slots) > self._keep:
            del self._slots[: self._keep // 2], self._times_ns[: self._keep // 2]

    def not_before(self, slot: int) -> int | None:
        """Return the latest moment known to lie before the slot's begin, ``None`` where none is known."""
        at = bisect_left(self._slots, slot) - 1
        return self._times_ns[at] if at >= 0 else None
