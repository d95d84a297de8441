"""A rolling average of the hourly funding rate, one sample an hour.

Funding settles once an hour, some seconds after it, and a strategy sees the last settled rate on every tick. So the
sample of an hour is the last rate seen in it: the first tick may still show the old one, and is corrected when the
new one settles. Hours without a tick have no sample: nothing is filled in. Time is an argument.
"""

from collections import deque

from drift_engine.core.units import HOUR_NS, tdiv


class FundingAverage:
    """The average over the last ``hours`` hours of what was seen; ``None`` before anything was."""

    __slots__ = ("_hours", "_last_e9", "_samples", "_total_e9", "next_ns")

    def __init__(self, hours: int) -> None:
        self._hours = hours
        self._samples: deque[tuple[int, int]] = deque()
        self._total_e9 = 0
        self._last_e9: int | None = None
        self.next_ns = 0

    def due(self, now_ns: int, rate_e9: int | None) -> bool:
        """Whether a new hour began or the rate changed, so that ``observe`` has something to do."""
        return now_ns >= self.next_ns or rate_e9 != self._last_e9

    def observe(self, now_ns: int, rate_e9: int | None) -> None:
        """Take the last settled rate (1e9, quote per base per hour) as this hour's sample; unknown adds nothing."""
        hour = now_ns // HOUR_NS
        self.next_ns = (hour + 1) * HOUR_NS
        self._last_e9 = rate_e9
        if rate_e9 is None:
            return
        if self._samples and self._samples[-1][0] == hour:
            self._total_e9 -= self._samples.pop()[1]
        self._samples.append((hour, rate_e9))
        self._total_e9 += rate_e9
        while self._samples[0][0] <= hour - self._hours:
            self._total_e9 -= self._samples.popleft()[1]

    @property
    def rate_e9(self) -> int | None:
        """The average hourly rate in 1e9, truncated toward zero."""
        return tdiv(self._total_e9, len(self._samples)) if self._samples else None

    @property
    def samples(self) -> int:
        """How many hours it stands on."""
        return len(self._samples)
