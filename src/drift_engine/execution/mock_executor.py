"""Hands approved plans to a simulated venue, and finds out what became of them.

The venue answers at once or not at all, so its coroutines are driven here and now. A venue that does not answer is no
failure of the plan: what was sent may have arrived, so the plan stays in flight, nothing is sent again, and
``follow_up`` asks until the venue proves an outcome. Outages are never exceptions to the engine; ``trouble`` tells of
one while it lasts, ``outages`` counts the questions that got no answer.
"""

from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Protocol, TypeVar

from drift_engine.core.client import DriftClient, VenueUnavailableError
from drift_engine.core.driving import drive
from drift_engine.core.types import ApprovedPlan, Event, InFlight, PlanClosed, SpotSpec
from drift_engine.core.units import SECOND_NS, rescale

T = TypeVar("T")
ELSEWHERE = "money is paid in and out by the owner's wallet, outside this engine"


class Purse(Protocol):
    """An account that is paid in and out of here: a simulated one. ``amount`` is in the token's own decimals."""

    def deposit(self, market: str, amount: int, now_ns: int) -> None:
        """Pay in."""
        ...

    def withdraw(self, market: str, amount: int, now_ns: int) -> str | None:
        """Pay out; return the program's refusal, ``None`` when it was done."""
        ...


class MockExecutor:
    """The executor of backtests and paper runs, over any ``DriftClient`` that does not suspend.

    ``purse`` is the account and its quote asset where money can be paid in and out of it here.
    A plan is overdue ``grace_ns`` after it expired. The same question is asked once in ``retry_ns`` of engine time.
    """

    def __init__(
        self,
        client: DriftClient,
        deliver: Callable[[Event], None],
        *,
        grace_ns: int = 5 * SECOND_NS,
        retry_ns: int = 5 * SECOND_NS,
        purse: tuple[Purse, SpotSpec] | None = None,
    ) -> None:
        self._client, self._purse = client, purse
        self._deliver = deliver
        self._grace_ns = grace_ns
        self._retry_ns = retry_ns
        self._asked_ns: dict[str, int] = {}
        self._stream_asked: tuple[int, int] | None = None
        self._trouble: str | None = None
        self.outages = 0

    @property
    def trouble(self) -> str | None:
        """Why the venue did not answer when it was last asked; ``None`` where it did."""
        return self._trouble

    def submit(self, approved: ApprovedPlan, now_ns: int) -> None:
        """Send a plan, once. Whether it arrived or not, it is in flight until its ``PlanClosed``."""
        self._ask(self._client.place(approved, now_ns))

    def cancel_all(self, now_ns: int) -> None:
        """Cancel every open order; the plans close as events."""
        self._ask(self._client.cancel_all(now_ns))

    def settle_pnl(self, market: str, now_ns: int) -> None:
        """Ask that a position's PnL is moved to the quote balance; a refusal leaves it where it is."""
        self._ask(self._client.settle_pnl(market, now_ns))

    def transfer(self, amount_e6: int, now_ns: int) -> str | None:
        """Pay the quote asset in, or out where it is negative; the venue may refuse it."""
        if self._purse is None:
            return ELSEWHERE
        account, quote = self._purse
        tokens = rescale(abs(amount_e6), 6, quote.decimals)
        if amount_e6 < 0:
            return account.withdraw(quote.name, tokens, now_ns)
        account.deposit(quote.name, tokens, now_ns)
        return None

    def observe(self, now_ns: int) -> None:
        """Ask for the venue's own books and deliver them."""
        observed = self._ask(self._client.observe(now_ns))
        if observed is not None:
            self._deliver(observed)

    def follow_up(self, in_flight: Mapping[str, InFlight], cursor: int, now_ns: int) -> None:
        """Deliver the events after ``cursor``, and the outcome of each overdue plan that they do not tell.

        While all that is in flight is younger than ``retry_ns``, its reports are left to arrive by themselves; only the
        very first call, after a start, asks at once.
        """
        young = in_flight and all(now_ns < entry.submitted_ns + self._retry_ns for entry in in_flight.values())
        if young and self._stream_asked is not None:
            return
        closed = self._missing_events(cursor, now_ns)
        self._asked_ns = {plan_id: asked for plan_id, asked in self._asked_ns.items() if plan_id in in_flight}
        for plan_id, entry in in_flight.items():
            if plan_id not in closed and now_ns > entry.plan.expires_ns + self._grace_ns:
                self._resolve(plan_id, now_ns)

    def _missing_events(self, cursor: int, now_ns: int) -> set[str]:
        """Deliver what the venue told after ``cursor``; return the plans it closed."""
        if self._stream_asked is not None:
            asked_cursor, asked_ns = self._stream_asked
            if asked_cursor == cursor and now_ns < asked_ns + self._retry_ns:
                return set()
        self._stream_asked = (cursor, now_ns)
        events = self._ask(self._client.events_since(cursor, now_ns)) or ()
        for event in events:
            self._deliver(event)
        return {event.plan_id for event in events if isinstance(event, PlanClosed)}

    def _resolve(self, plan_id: str, now_ns: int) -> None:
        asked_ns = self._asked_ns.get(plan_id)
        if asked_ns is not None and now_ns < asked_ns + self._retry_ns:
            return
        self._asked_ns[plan_id] = now_ns
        outcome = self._ask(self._client.resolve(plan_id, now_ns))
        if outcome is not None:
            self._deliver(outcome)

    def _ask(self, question: Coroutine[Any, Any, T]) -> T | None:
        """Drive a question to the venue; ``None`` where it is away."""
        try:
            answer = drive(question)
        except VenueUnavailableError as error:
            self._trouble = str(error)
            self.outages += 1
            return None
        self._trouble = None
        return answer
