"""What the venue has to tell and when it tells it.

Reports come in the order of their numbers, each no earlier than the one before, unless a fault makes one late, repeats
it or loses it. While the venue is away nothing is told; what is due then is told on its return.
"""

from heapq import heappop, heappush

from drift_engine.core.client import UnknownEventError
from drift_engine.core.types import AccountEvent, Filled, FundingPaid, Liquidated, PlanClosed
from drift_engine.simulation.faults import NEVER_NS, ON_TIME, Faults

_FAULTY = frozenset([Filled, PlanClosed, FundingPaid, Liquidated])


class Reports:
    """The account's events: all that happened, in ``history``, and what of it is still on its way to us.

    ``due_ns`` is when the next one is told; ``closed`` has each closed plan's last word.
    """

    def __init__(self, faults: Faults) -> None:
        self.due_ns = NEVER_NS
        self.history: list[AccountEvent] = []
        self.closed: dict[str, PlanClosed] = {}
        self._faults, self._last_ns, self._count = faults, 0, 0
        self._waiting: list[tuple[int, int, AccountEvent]] = []

    def seen_ns(self, due_ns: int, cursor: int) -> int:
        """Return when the report of an event with this number is first told, if it is due at ``due_ns``."""
        delays = self._faults.reports(cursor)
        return max(due_ns, self._last_ns) + (delays[0] if delays else 0)

    def put(self, event: AccountEvent, due_ns: int) -> None:
        """Take an event to be told at ``due_ns`` or as soon after as order and faults let it."""
        self.history.append(event)
        if type(event) is PlanClosed:
            self.closed[event.plan_id] = event
        self._last_ns = max(self._last_ns, due_ns)
        for delay_ns in self._faults.reports(event.cursor) if type(event) in _FAULTY else ON_TIME:
            heappush(self._waiting, (self._last_ns + delay_ns, self._count, event))
            self._count += 1
        self._look()

    def take(self, now_ns: int) -> list[AccountEvent]:
        """Return what is told by now, and forget it."""
        if now_ns < self.due_ns:
            return []
        away, until_ns = self._faults.away(now_ns)
        if away:
            self.due_ns = until_ns
            return []
        told, waiting = [], self._waiting
        while waiting and waiting[0][0] <= now_ns:
            told.append(heappop(waiting)[2])
        self._look()
        return told

    def since(self, cursor: int) -> tuple[AccountEvent, ...]:
        """Return what happened after an event's number. Raises ``UnknownEventError`` where there is none such."""
        if cursor > len(self.history):
            known = f"the venue knows {len(self.history)} account events and was asked for those after {cursor}"
            raise UnknownEventError(f"{known}: its log is lost, or of another run; start anew with another journal")
        return tuple(self.history[cursor:])

    def restore(self, history: list[AccountEvent]) -> None:
        """Take what happened before; nothing of it is told again."""
        self.history = history
        self.closed = {event.plan_id: event for event in history if isinstance(event, PlanClosed)}

    def _look(self) -> None:
        self.due_ns = self._waiting[0][0] if self._waiting else NEVER_NS
