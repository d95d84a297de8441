"""How long the venue takes to tell: the rolling average between what happened and when it was seen.

Fed by the timestamps that events carry, so a replay measures the same. ``None`` means that nothing was measured lately:
the gate lets plans pass then, as only a fill can measure anything. For the same reason measurements are forgotten after
ten minutes: a slow quarter of an hour must not block, for ever, the very plans that would show that it is over.
"""

from collections import deque

from drift_engine.core.types import Event, Filled, PlanClosed
from drift_engine.core.units import SECOND_NS

KEPT = 20
FORGOTTEN_AFTER_NS = 600 * SECOND_NS
_MS = 1_000_000


class LatencyMonitor:
    """The average latency of the last 20 reports of fills and outcomes."""

    def __init__(self) -> None:
        self._seen_ns: deque[int] = deque(maxlen=KEPT)
        self._took_ns: deque[int] = deque(maxlen=KEPT)

    def observe(self, event: Event) -> None:
        """Take the latency of a fill or of a plan's outcome; other events say nothing."""
        if type(event) is Filled or type(event) is PlanClosed:
            seen_ns, took_ns = event.seen_ns, event.seen_ns - event.ts_ns
            self._seen_ns.append(seen_ns)
            self._took_ns.append(took_ns if took_ns > 0 else 0)

    def average_ms(self, now_ns: int | None = None) -> int | None:
        """Return the average in whole milliseconds, ``None`` where nothing was measured.

        With ``now_ns``, reports seen more than ten minutes before it do not count.
        """
        since_ns = 0 if now_ns is None else now_ns - FORGOTTEN_AFTER_NS
        seen_ns, counted_ns = self._seen_ns, self._took_ns
        if seen_ns and min(seen_ns) < since_ns:
            counted_ns = deque(took_ns for at_ns, took_ns in zip(seen_ns, counted_ns, strict=True) if at_ns >= since_ns)
        return sum(counted_ns) // len(counted_ns) // _MS if counted_ns else None
