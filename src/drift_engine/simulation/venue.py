"""The simulated venue: one sub-account of Drift v2, played out over rows of market data.

``World`` feeds it rows and asks it to advance; an executor talks to it through ``DriftClient``, whose coroutines never
suspend. Time is the argument: what is sent arrives later, what happened is told later, and ``due_ns`` says when the
venue next has something of its own to do. Same seed, same rows and same orders give the same events.

The hot path is a price without orders: the market's quote takes it and compares the oracle with the market's margin
band (``watch``). Where an order waits, the venue looks too, once all prices of the moment are in (``moments``).

A ``VenueLog`` makes it durable: what changed is on disk before anyone is told.
"""

from collections.abc import Mapping
from functools import partial
from heapq import heappop, heappush

from drift_engine.core.client import VenueUnavailableError
from drift_engine.core.margin_monitor import margin_of
from drift_engine.core.types import (
    AccountEvent,
    AccountObserved,
    ApprovedPlan,
    Market,
    MarketUpdated,
    PlanClosed,
    Spec,
)
from drift_engine.simulation import watch
from drift_engine.simulation.books import Books
from drift_engine.simulation.facts import UnknownMarketError, venue_facts
from drift_engine.simulation.faults import NEVER_NS
from drift_engine.simulation.liquidation import Liquidator
from drift_engine.simulation.matching import Matcher
from drift_engine.simulation.models import VenueConfig
from drift_engine.simulation.moments import Moment
from drift_engine.simulation.orders import sent, settlement_refusal, withdrawal_refusal
from drift_engine.simulation.quotes import Quotes, slot_at
from drift_engine.simulation.reports import Reports
from drift_engine.simulation.venue_log import Action, VenueLog, VenueRecord


class SimVenue:
    """A ``DriftClient`` with a market behind it."""

    def __init__(
        self, config: VenueConfig | None = None, specs: Mapping[str, Spec] | None = None, log: VenueLog | None = None
    ) -> None:
        self.config = config or VenueConfig()
        self.name, self.due_ns = "sim", 0
        specs, models, faults = specs or venue_facts(), self.config.models, self.config.faults
        self.quotes = Quotes(specs, self.config.quote, models.impact, faults)
        self._books = Books(self.config.quote, specs)
        self._reports = Reports(faults)
        self._watch = watch.Watch(self._books, self.quotes.of)
        self._matcher = Matcher(self._books, self.quotes, self.config, self._reports, self._watch)
        self._liquidator = Liquidator(self._books, models.liquidation)
        self.desks = {name: watch.Desk(quote) for name, quote in self.quotes.of.items()}
        self.prices = Moment(self.desks, self._matcher.opens if models.fills.taker == "next_open" else None)
        self._missed: dict[str, int] = {}
        self._actions: list[Action] = [(0, 0, "open", "")]
        self._count, self._logged, self._log = 1, 0, log

    @classmethod
    def restore(
        cls, log: VenueLog, config: VenueConfig | None = None, specs: Mapping[str, Spec] | None = None
    ) -> "SimVenue":
        """Return a log's venue as it was after its last event; what it had not told, ``events_since`` tells."""
        venue = cls(config, specs, log)
        if (record := log.state()) is not None:
            venue._take(record, log.events())
        return venue

    @property
    def assumptions(self) -> tuple[str, ...]:
        """What a reader of results must know of this venue, a line each."""
        return self.config.models.assumptions()

    # ------------------------------------------------------------------- rows

    def price(
        self, ts_ns: int, market: str, oracle_e6: int, mark_e6: int, open_e6: int = 0, *, more: bool = False
    ) -> MarketUpdated | None:
        """Take a price row, with ``more`` of its moment to come; return what is published, ``None`` while away."""
        desk = self.desks[market]
        update = desk.take(ts_ns, slot_at(ts_ns), oracle_e6, mark_e6, open_e6, *desk.quote.sides(mark_e6))
        if not more:
            self.moment(ts_ns)
        return update

    def moment(self, ts_ns: int) -> None:
        """Do what a moment's prices lead to: fill what fills, liquidate below maintenance."""
        priced, left = self.prices.end()
        for quote in priced:
            self._matcher.priced(ts_ns, quote.name)
        if priced:
            self._changed()
        if left or any(not quote.low_e6 <= quote.oracle_e6 <= quote.high_e6 for quote in priced):
            self._assess(ts_ns)

    def funding(self, ts_ns: int, market: str, rate_e9: int, mark_twap_e6: int = 0, oracle_twap_e6: int = 0) -> None:
        """Settle an hour's funding on what is held now; the next price tells the rate."""
        self.quotes.funding(market, rate_e9)
        self._tell(self._books.fund(ts_ns, market, rate_e9), ts_ns)

    def interest(
        self, ts_ns: int, market: str, deposit_rate_e6: int, borrow_rate_e6: int, seconds: int
    ) -> MarketUpdated | None:
        """Accrue interest for the seconds a row covers; return what is published at once, the quote asset's rates."""
        update = self.quotes.interest(ts_ns, market, deposit_rate_e6, borrow_rate_e6)
        self._tell(self._books.accrue(ts_ns, market, deposit_rate_e6, borrow_rate_e6, seconds), ts_ns)
        return update

    def advance(self, now_ns: int) -> list[AccountEvent]:
        """Do what was due by now, in order, and return the reports that reach us by now."""
        actions, plans = self._actions, self._matcher.plans
        if actions and actions[0][0] <= now_ns:
            while actions and actions[0][0] <= now_ns:
                due_ns, count, what, plan_id = heappop(actions)
                self._act(what, plan_id, due_ns or now_ns)
                if what == "arrive" and plan_id in plans:
                    heappush(actions, (max(due_ns, plans[plan_id].expires_ns), count + 1, "expire", plan_id))
            self._changed()
        told = self._reports.take(now_ns)
        self._schedule()
        return told

    # ------------------------------------------------------------------- DriftClient

    async def markets(self) -> tuple[Market, ...]:
        """Return every market with what is known of it now."""
        return tuple(self._matcher.markets().values())

    async def place(self, approved: ApprovedPlan, now_ns: int) -> None:
        """Send a plan's orders. While the venue is away this raises, and they may have arrived all the same."""
        plan = approved.plan
        if plan.plan_id in self._matcher.plans or plan.plan_id in self._reports.closed or plan.plan_id in self._missed:
            raise ValueError(f"plan {plan.plan_id} was sent before")
        unknown = [leg.market for leg in plan.legs if leg.market not in self.desks]
        if unknown:
            raise UnknownMarketError(f"unknown market {unknown[0]!r}; the venue has {', '.join(self.desks)}")
        if self.quotes.away(now_ns)[0] and not self.config.faults.arrives(plan.plan_id):
            self._missed[plan.plan_id] = plan.expires_ns
        else:
            arrive_ns = now_ns + self.config.models.latency.send_ns(self.config.seed, plan.plan_id)
            self._matcher.plans[plan.plan_id] = sent(plan, self._books.markets, arrive_ns)
            self._plan_action(arrive_ns, "arrive", plan.plan_id)
        self._commit(always=True)
        self._require_present(now_ns)

    async def cancel_all(self, now_ns: int) -> None:
        """Cancel every open order once the message has arrived; the plans close as events."""
        if not self.quotes.away(now_ns)[0] or self.config.faults.arrives(f"cancel:{now_ns}"):
            latency_ns = self.config.models.latency.send_ns(self.config.seed, f"cancel:{now_ns}")
            self._plan_action(now_ns + latency_ns, "cancel", "")
            self._commit(always=True)
        self._require_present(now_ns)

    async def settle_pnl(self, market: str, now_ns: int) -> str | None:
        """Move a position's PnL to the quote balance; return the program's refusal, ``None`` when it was done."""
        self._require_present(now_ns)
        refusal = settlement_refusal(self._matcher.account(), self._matcher.markets(), market, now_ns)
        if refusal is None:
            self._tell(self._books.settle(now_ns, market, self.quotes.of[market].oracle_e6), now_ns)
        return refusal

    async def observe(self, now_ns: int) -> AccountObserved:
        """Return the venue's own books, open orders left out, and the cursor they stand at."""
        self._require_present(now_ns)
        return AccountObserved(now_ns, self._books.cursor, self._books.account())

    async def events_since(self, cursor: int, now_ns: int) -> tuple[AccountEvent, ...]:
        """Return the account's events after ``cursor``, in order."""
        self._require_present(now_ns)
        return self._reports.since(cursor)

    async def resolve(self, plan_id: str, now_ns: int) -> PlanClosed | None:
        """Return a plan's proven outcome, ``None`` while it may still land; close what never can."""
        self._require_present(now_ns)
        if plan_id in self._reports.closed or plan_id in self._matcher.plans:
            return self._reports.closed.get(plan_id)
        if now_ns < self._missed.get(plan_id, 0):
            return None
        self._missed.pop(plan_id, None)
        self._tell(self._books.close(now_ns, now_ns, plan_id, "never_landed", "the venue never saw it"), now_ns)
        return self._reports.closed[plan_id]

    # ------------------------------------------------------------------- what else an owner does

    def deposit(self, market: str, amount: int, now_ns: int) -> None:
        """Pay tokens in, in the token's own decimals; nothing where there are none."""
        if amount > 0:
            self._tell(self._books.deposit(now_ns, market, amount), now_ns)

    def withdraw(self, market: str, amount: int, now_ns: int) -> str | None:
        """Take tokens out; return the program's refusal, ``None`` when it was done."""
        refusal = withdrawal_refusal(self._matcher.account(), self._matcher.markets(), market, amount, now_ns)
        if refusal is None:
            self._tell(self._books.withdraw(now_ns, market, amount), now_ns)
        return refusal

    # ------------------------------------------------------------------- after a change

    def _tell(self, event: AccountEvent | None, ts_ns: int) -> None:
        if event is not None:
            self._reports.put(event, ts_ns)
            self._changed()

    def _changed(self) -> None:
        """After the account changed: write it down, bring the bands up to date, look when something is due next."""
        self._watch.follow(self._reports.history)
        self._commit()
        self.prices.wait(self._matcher.waiting())
        self._schedule()

    def _commit(self, *, always: bool = False) -> None:
        if self._log is not None and (always or self._logged < len(self._reports.history)):
            self._log.append(self._reports.history[self._logged :], self._record())
            self._logged = len(self._reports.history)

    def _schedule(self) -> None:
        self.due_ns = min(self._actions[0][0] if self._actions else NEVER_NS, self._reports.due_ns)

    # ------------------------------------------------------------------- what the venue does

    def _plan_action(self, due_ns: int, what: str, plan_id: str) -> None:
        heappush(self._actions, (due_ns, self._count, what, plan_id))
        self._count += 2  # the one after belongs to a plan's end
        self.due_ns = min(self.due_ns, due_ns)

    def _act(self, what: str, plan_id: str, ts_ns: int) -> None:
        if what == "arrive":
            self._matcher.arrive(self._matcher.plans[plan_id], ts_ns, liquidated=self._liquidator.active)
        elif what == "expire":
            self._matcher.expire(plan_id, ts_ns)
        elif what == "cancel":
            self._matcher.cancel(ts_ns, "cancelled by the account")
        else:
            self.deposit(self.config.quote, self.config.deposit_e6, ts_ns)

    def _assess(self, ts_ns: int) -> None:
        """Work out margin afresh: liquidate below maintenance, else say how far prices may move."""
        account = self._matcher.account()
        markets = self._matcher.markets_of(account)
        margin = margin_of(account, markets, ts_ns)
        if margin.status == "unknown":
            return
        if margin.collateral_e6 < margin.maintenance_e6 or self._liquidator.active:
            self._liquidate(ts_ns, self._matcher.markets())
        else:
            self._watch.set(account, markets, margin)

    def _liquidate(self, ts_ns: int, markets: dict[str, Market]) -> None:
        cancel = partial(self._matcher.cancel, ts_ns, "liquidation")
        for event in self._liquidator.run(ts_ns, slot_at(ts_ns), markets, cancel):
            self._reports.put(event, ts_ns)
        self._changed()

    def _require_present(self, now_ns: int) -> None:
        if self.quotes.away(now_ns)[0]:
            raise VenueUnavailableError("the venue does not answer")

    # ------------------------------------------------------------------- memory

    def _record(self) -> VenueRecord:
        return VenueRecord(
            self._books.record(),
            list(self._matcher.plans.values()),
            self._actions,
            self._missed,
            self._matcher.taker,
            self._matcher.maker,
            self._liquidator.progress,
            {name: quote.record() for name, quote in self.quotes.of.items()},
        )

    def _take(self, record: VenueRecord, events: list[AccountEvent]) -> None:
        self._books.restore(record.books)
        self._matcher.plans = {plan.plan_id: plan for plan in record.plans}
        self._matcher.taker, self._matcher.maker = record.taker, record.maker
        self._liquidator.progress = record.progress
        for name, quote in record.quotes.items():
            self.quotes.of[name].restore(quote)
        self._actions, self._missed = record.actions, record.missed
        self._reports.restore(events)
        self._logged = len(events)
        self._count = 2 + max((count for _, count, _, _ in self._actions), default=0)
        self._changed()
