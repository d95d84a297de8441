"""The venue's orders: taking, filling, expiring and cancelling them.

Takers fill in an auction: from arrival on, at the modelled price, where the leg's limit allows it, else at a following
price, until the plan expires. Under ``next_open`` they wait for the next row of their market and fill at its open; the
plan cannot expire before that row. Post-only legs rest and fill as makers at their limit when the mark trades through
it. The legs of an atomic plan fill together or not at all. What only reduces is cut to what is held, and cancelled
where nothing is.
"""

from typing import Protocol

from drift_engine.core.margin_monitor import margin_of
from drift_engine.core.spot_balance import base_e9 as spot_base_e9
from drift_engine.core.types import Account, AccountEvent, Market, PlanStatus
from drift_engine.core.units import SECOND_NS
from drift_engine.simulation import dealing, orders
from drift_engine.simulation.books import Books, Trade
from drift_engine.simulation.models import VenueConfig, Volume
from drift_engine.simulation.orders import OpenLeg, OpenPlan
from drift_engine.simulation.quotes import Quotes
from drift_engine.simulation.watch import Watch

Fill = tuple[int, int, int]
"""A leg's index, the signed base that can fill now, and the price."""


class Teller(Protocol):
    """Where events go, and when they will be seen."""

    def seen_ns(self, due_ns: int, cursor: int) -> int:
        """Return when the report of an event is seen."""
        ...

    def put(self, event: AccountEvent, due_ns: int) -> None:
        """Take an event to be told at ``due_ns``."""
        ...


class Matcher:
    """All plans that are not closed, and what happens to them."""

    def __init__(self, books: Books, quotes: Quotes, config: VenueConfig, teller: Teller, watch: Watch) -> None:
        self.plans: dict[str, OpenPlan] = {}
        self.taker, self.maker = Volume(), Volume()
        self._books, self._quotes, self._teller, self._watch = books, quotes, teller, watch
        self._models, self._faults, self._seed = config.models, config.faults, config.seed
        self._next_open = self._models.fills.taker == "next_open"

    def markets(self) -> dict[str, Market]:
        """Return every market with its price of this moment."""
        return self._books.priced(self._quotes.of, self._books.markets)

    def markets_of(self, account: Account) -> dict[str, Market]:
        """Return the markets an account's margin depends on, with their prices of this moment."""
        names = [holding.market for holdings in (account.spots, account.perps) for holding in holdings]
        markets = self._books.priced(self._quotes.of, names)
        markets.setdefault(account.quote, self._books.markets[account.quote])
        return markets

    def account(self) -> Account:
        """Return the account with its open orders."""
        legs, account = self._live(), self._books.account()
        return orders.with_orders(account, legs, self._books.markets) if legs else account

    def waiting(self) -> set[str]:
        """Return the markets in which an order is open."""
        return {leg.market for leg in self._live()} if self.plans else set()

    def _live(self, but: OpenPlan | None = None) -> list[OpenLeg]:
        plans = self.plans.values()
        return [leg for plan in plans if plan.arrived and plan is not but for leg in plan.legs if leg.status is None]

    # ------------------------------------------------------------------- what happens to a plan

    def arrive(self, plan: OpenPlan, ts_ns: int, *, liquidated: bool) -> None:
        """Take a plan's orders or refuse them, and fill what fills at once."""
        plan.arrived = True
        if ts_ns >= plan.expires_ns:
            self._end(plan, ts_ns, "expired", "InvalidOrderMaxTs")
            return
        self._review(plan, ts_ns, liquidated=liquidated)
        if not self._next_open:
            self._take(plan, ts_ns)
        self._settle(plan, ts_ns)

    def opens(self, ts_ns: int, market: str, open_e6: int) -> None:
        """Fill at a row's open what waited for it, before the row's own price is known."""
        for plan in self._with(market):
            for leg in plan.live():
                if leg.market == market and not leg.post_only:
                    leg.open_e6, leg.open_ns = open_e6 or self._quotes.of[market].mark_e6, ts_ns
            self._take(plan, ts_ns)
            if ts_ns >= plan.expires_ns and not self._awaits_open(plan):
                self._end(plan, ts_ns, "expired")
            else:
                self._settle(plan, ts_ns)

    def priced(self, ts_ns: int, market: str) -> None:
        """Fill what a new price lets fill."""
        for plan in self._with(market):
            if not self._next_open:
                self._take(plan, ts_ns)
            self._rest(plan, ts_ns, market)
            self._settle(plan, ts_ns)

    def expire(self, plan_id: str, ts_ns: int) -> None:
        """Close a plan whose time is over, unless it still waits for the next open."""
        plan = self.plans.get(plan_id)
        if plan is None or not plan.arrived:
            return
        if not self._awaits_open(plan):
            self._end(plan, ts_ns, "expired")

    def cancel(self, ts_ns: int, reason: str) -> bool:
        """Cancel every open order; return whether there was any."""
        open_plans = [plan for plan in self.plans.values() if plan.arrived]
        for plan in open_plans:
            self._end(plan, ts_ns, "cancelled", reason)
        return bool(open_plans)

    # ------------------------------------------------------------------- taking

    def _review(self, plan: OpenPlan, ts_ns: int, *, liquidated: bool) -> None:
        taken: list[OpenLeg] = []
        for index, leg in enumerate(plan.legs):
            fails = "RevertFill" if self._faults.leg_fails(plan.plan_id, index) else None
            reason = "UserIsBeingLiquidated" if liquidated else fails or self._refusal(leg)
            if reason is None and not plan.atomic:
                reason = self._margin(plan, [*taken, leg], ts_ns)
            if reason is None:
                taken.append(leg)
            else:
                leg.end("rejected", reason)
        if plan.atomic:
            failed = next((leg.reason for leg in plan.legs if leg.status), None)
            reason = failed or self._margin(plan, taken, ts_ns)
            for leg in plan.legs if reason else ():
                leg.end("rejected", reason or "")
        if self._faults.order_expires(plan.plan_id):
            for leg in plan.live():
                leg.stuck = True

    def _refusal(self, leg: OpenLeg) -> str | None:
        quote, books = self._quotes.of[leg.market], self._books
        refusal = orders.status_refusal(leg, quote) or orders.size_refusal(leg, books.markets[leg.market].spec)
        if refusal is None and leg.post_only:
            half_e6 = quote.mark_e6 * self._models.impact.half_spread_e6 // 10**6
            refusal = orders.post_only_refusal(leg, quote.mark_e6 - half_e6, quote.mark_e6 + half_e6)
        if refusal is None and leg.kind == "spot":
            refusal = orders.borrow_refusal(leg, books.account(), books.markets, self._quotes.of)
        return refusal

    def _margin(self, plan: OpenPlan, taken: list[OpenLeg], ts_ns: int) -> str | None:
        """Refuse orders that are too many or ask too much margin; the bands count those that are taken."""
        others = self._live(but=plan)
        if len(others) + len(taken) > orders.MAX_ORDERS:
            return "MaxNumberOfOrders"
        specs, account = self._books.markets, self._books.account()
        after = orders.with_orders(account, others, specs) if others else account
        increasing = False
        for leg in taken:
            increasing |= orders.increases_risk(leg, after, specs)
            after = orders.with_orders(after, [leg], specs)
        markets = self.markets_of(after)
        margin = margin_of(after, markets, ts_ns)
        refusal = orders.margin_refusal(margin, increasing=increasing)
        if refusal is None:
            self._watch.set(after, markets, margin)
        return refusal

    # ------------------------------------------------------------------- filling

    def _take(self, plan: OpenPlan, ts_ns: int) -> None:
        legs = [(index, leg) for index, leg in enumerate(plan.legs) if leg.status is None and not leg.post_only]
        fills: list[Fill] = []
        for index, leg in legs:
            ahead_e9 = sum(base_e9 for other, base_e9, _ in fills if plan.legs[other].market == leg.market)
            fill = self._taker_fill(index, leg, ahead_e9, ts_ns)
            if fill is not None and plan.atomic:
                fills.append(fill)
            elif fill is not None:
                self._fill(plan, *fill, ts_ns, maker=False)
        if plan.atomic and len(fills) < len(legs):
            for leg in plan.live() if any(leg.status for _, leg in legs) else ():
                leg.end("cancelled", "RevertFill")
            return
        for index, base_e9, price_e6 in fills:
            self._fill(plan, index, base_e9, price_e6, ts_ns, maker=False)

    def _taker_fill(self, index: int, leg: OpenLeg, ahead_e9: int, ts_ns: int) -> Fill | None:
        """Return what of a leg fills now, once the plan's legs before it filled ``ahead_e9`` in its market."""
        quote = self._quotes.of[leg.market]
        if leg.stuck or quote.status == "paused" or (self._next_open and leg.open_ns != ts_ns):
            return None
        base_e9 = self._reducible(leg, ahead_e9)
        if base_e9 == 0:
            return None
        reference_e6 = leg.open_e6
        if not self._next_open:
            reference_e6 = quote.mark_e6 if leg.kind == "perp" else quote.oracle_e6
        if not reference_e6:
            return None
        tick_e6 = self._books.markets[leg.market].spec.tick_e6
        price_e6 = dealing.taken_at_e6(self._models.impact, reference_e6, base_e9, leg.limit_e6, tick_e6)
        return None if price_e6 is None else (index, base_e9, price_e6)

    def _rest(self, plan: OpenPlan, ts_ns: int, market: str) -> None:
        quote = self._quotes.of[market]
        through_e6 = self._models.fills.through_ticks * self._books.markets[market].tick_e6
        for index, leg in enumerate(plan.legs):
            if leg.status is not None or not leg.post_only or leg.market != market or leg.stuck:
                continue
            base_e9 = self._reducible(leg)
            reached = dealing.is_reached(leg.limit_e6, leg.base_e9, quote.mark_e6, through_e6)
            if reached and quote.status != "paused" and base_e9:
                self._fill(plan, index, base_e9, leg.limit_e6, ts_ns, maker=True)

    def _reducible(self, leg: OpenLeg, ahead_e9: int = 0) -> int:
        """Return what of a leg may fill; cancel it where it would raise exposure."""
        if not leg.reduce_only:
            return leg.base_e9
        held_e9 = self._held(leg) + ahead_e9
        if held_e9 * leg.base_e9 >= 0:
            leg.end("cancelled", "ReduceOnlyOrderIncreasedRisk")
            return 0
        return dealing.reducible_e9(leg.base_e9, held_e9, self._books.markets[leg.market].step_e9)

    def _held(self, leg: OpenLeg) -> int:
        if leg.kind == "perp":
            position = self._books.perps.get(leg.market)
            return position.base_e9 if position else 0
        balance = self._books.spots.get(leg.market)
        return spot_base_e9(balance, self._books.markets[leg.market]) if balance else 0

    def _fill(self, plan: OpenPlan, index: int, base_e9: int, price_e6: int, ts_ns: int, *, maker: bool) -> None:
        leg = plan.legs[index]
        step_e9 = self._books.markets[leg.market].spec.step_e9
        key = f"{plan.plan_id}:{index}"
        parts = self._models.partial.split(self._seed, key, base_e9, step_e9, whole=plan.atomic)
        for part_e9 in parts:
            self._trade(plan, index, part_e9, price_e6, ts_ns, maker=maker)
        leg.stuck = sum(parts) != base_e9
        if leg.base_e9 == 0:
            leg.end("filled")
        elif leg.reduce_only and self._held(leg) == 0:
            leg.end("cancelled", "ReduceOnlyOrderIncreasedRisk")

    def _trade(self, plan: OpenPlan, index: int, base_e9: int, price_e6: int, ts_ns: int, *, maker: bool) -> None:
        leg = plan.legs[index]
        spec, quote = self._books.markets[leg.market].spec, self._quotes.of[leg.market]
        quote_e6 = dealing.exchanged_e6(base_e9, price_e6, maker=maker)
        volume_e6 = self.taker.volume_e6 + self.maker.volume_e6
        fee_e6 = self._models.fees.fee_e6(spec, quote_e6, volume_e6, maker=maker)
        if spec.kind == "perp":
            self._count(quote_e6, ts_ns // SECOND_NS, maker=maker)
        trade = Trade(leg.market, base_e9, quote_e6, fee_e6, quote.oracle_e6, quote.mark_e6, maker)
        leg.base_e9 -= base_e9
        leg.filled_e9 += base_e9
        due_ns = ts_ns + self._models.latency.report_ns
        seen_ns = self._teller.seen_ns(due_ns, self._books.cursor + 1)
        self._teller.put(self._books.fill(ts_ns, seen_ns, plan.plan_id, index, trade), due_ns)

    def _count(self, quote_e6: int, now_s: int, *, maker: bool) -> None:
        """Add a perp fill to the 30-day volume that decides the fee tier."""
        if maker:
            self.maker = self.maker.after(quote_e6, now_s)
        else:
            self.taker = self.taker.after(quote_e6, now_s)

    # ------------------------------------------------------------------- closing

    def _awaits_open(self, plan: OpenPlan) -> bool:
        """Return whether a taker's order has not yet seen the open it was to fill at."""
        return self._next_open and any(not (leg.open_e6 or leg.post_only or leg.stuck) for leg in plan.live())

    def _with(self, market: str) -> list[OpenPlan]:
        return [plan for plan in self.plans.values() if plan.arrived and plan.waits_in(market)]

    def _end(self, plan: OpenPlan, ts_ns: int, status: PlanStatus, reason: str = "") -> None:
        for leg in plan.live():
            leg.end(status, reason)
        self._settle(plan, ts_ns)

    def _settle(self, plan: OpenPlan, ts_ns: int) -> None:
        """Close a plan none of whose orders is open."""
        if not plan.ended:
            return
        status, reason = orders.outcome(plan)
        tip_e6 = self._models.tip_e6 if status in ("filled", "partial") else 0
        due_ns = ts_ns + self._models.latency.report_ns
        seen_ns = self._teller.seen_ns(due_ns, self._books.cursor + 1)
        event = self._books.close(ts_ns, seen_ns, plan.plan_id, status, reason, tip_e6=tip_e6)
        self.plans.pop(plan.plan_id, None)
        self._teller.put(event, due_ns)
