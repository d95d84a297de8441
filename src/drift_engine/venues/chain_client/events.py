"""What a venue's program logged of one account, in core's words, and what it means for our plans.

A transaction goes in, its events come out in the order they were logged. A plan ends when each order it opened has:
filled whole, cancelled or expired; a plan whose transaction failed is rejected, in the program's own words. The log
tells no mark price: ``Filled.mark_e6`` is the oracle's, so what a fill costs beside the oracle counts as slippage.

Sources: ``state/events.rs`` and, for what each figure means, ``controller/orders.rs``, ``controller/funding.rs``,
``controller/liquidation.rs`` of both programs.
"""

from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct, structs
from solders.pubkey import Pubkey

from drift_engine.core.types import (
    AccountEvent,
    Deposited,
    Filled,
    FundingPaid,
    InterestAccrued,
    Liquidated,
    PlanClosed,
    PlanStatus,
    PnlSettled,
    TradePlan,
    Withdrawn,
)
from drift_engine.core.units import SECOND_NS
from drift_engine.venues.chain_client.log import ClientLog, PlanOrder
from drift_engine.venues.translate import Names
from drift_engine.venues.wire.enums import DepositDirection, LiquidationType, OrderAction
from drift_engine.venues.wire.events.liquidation import LiquidationRecord
from drift_engine.venues.wire.events.markets import SpotInterestRecord
from drift_engine.venues.wire.events.trading import (
    FundingPaymentRecord,
    OrderActionRecord,
    OrderRecord,
    SettlePnlRecord,
)
from drift_engine.venues.wire.events.users import DepositRecord, SwapRecord
from drift_engine.venues.wire.order_enums import Direction, MarketType


class ReadTransaction(Struct, frozen=True):
    """A transaction that mentions the account: ``events`` of the venue's program, or ``refusal`` where it failed."""

    signature: str
    slot: int
    ts_ns: int
    events: tuple[Any, ...] = ()
    refusal: str = ""


def leg_order(plan: TradePlan) -> tuple[int, ...]:
    """Return a plan's legs in the order in which its transaction places them: those that rest, then those that take."""
    legs = range(len(plan.legs))
    return (*(leg for leg in legs if plan.legs[leg].post_only), *(leg for leg in legs if not plan.legs[leg].post_only))


class Teller:
    """Tells one transaction: ``tell`` fills ``events`` and ``orders``, numbered after what is in the log."""

    def __init__(self, log: ClientLog, user: Pubkey, names: Names, seen_ns: int) -> None:
        self._log, self._user, self._names, self._seen_ns = log, user, names, seen_ns
        self._cursor = log.cursor
        self._slot = 0
        self._unplaced: list[int] = []
        self._plan: TradePlan | None = None
        self._interest: dict[str, tuple[int, int]] = {}
        self.events: list[AccountEvent] = []
        self.orders: dict[int, PlanOrder] = {}

    def tell(self, read: ReadTransaction) -> None:
        """Take a transaction in."""
        self._slot, self._plan = read.slot, self._log.plan_of(read.signature)
        if read.refusal:
            if self._plan is not None:
                self.close(self._plan.plan_id, "rejected", read.ts_ns, read.refusal)
            return
        self._unplaced = list(leg_order(self._plan)) if self._plan is not None else []
        for event in read.events:
            handler = _HANDLERS.get(type(event))
            if handler is not None and getattr(event, "user", self._user) == self._user:
                handler(self, event)
        for plan_id in dict.fromkeys(order.plan_id for order in self.orders.values()):
            self._end_plan(plan_id, read.ts_ns)

    def close(self, plan_id: str, status: PlanStatus, ts_ns: int, reason: str = "") -> None:
        """Tell a plan's outcome, once."""
        if self._log.closed(plan_id) is None:
            self._emit(PlanClosed(ts_ns, 0, plan_id, status, self._seen_ns, reason))

    def _emit(self, event: AccountEvent) -> None:
        self._cursor += 1
        self.events.append(structs.replace(event, cursor=self._cursor))

    # ------------------------------------------------------------------- orders

    def placed(self, record: OrderRecord) -> None:
        """An order of ours was opened: the next leg of the plan, where the transaction is one."""
        if self._plan is None or not self._unplaced:
            return
        leg = self._unplaced.pop(0)
        self.orders[record.order.order_id] = PlanOrder(record.order.order_id, self._plan.plan_id, leg)

    def action(self, record: OrderActionRecord) -> None:
        """An order of ours was filled or has ended."""
        for side in ("taker", "maker"):
            if getattr(record, side) != self._user:
                continue
            order = self._order(getattr(record, f"{side}_order_id"))
            if record.action == OrderAction.FILL:
                self._filled(record, side, order)
            elif record.action == OrderAction.CANCEL:
                self._ended(order, "cancelled")
            elif record.action == OrderAction.EXPIRE:
                self._ended(order, "expired")

    def _order(self, order_id: int | None) -> PlanOrder | None:
        if order_id is None:
            return None
        return self.orders.get(order_id) or self._log.order(order_id)

    def _ended(self, order: PlanOrder | None, how: str) -> None:
        if order is not None and not order.ended:
            self.orders[order.order_id] = structs.replace(order, ended=how)

    def _filled(self, record: OrderActionRecord, side: str, order: PlanOrder | None) -> None:
        sign = 1 if getattr(record, f"{side}_order_direction") == Direction.LONG else -1
        perp = record.market_type == MarketType.PERP
        name_of = self._names.perp if perp else self._names.spot
        fee = record.taker_fee if side == "taker" else record.maker_fee
        self._emit(
            Filled(
                record.ts * SECOND_NS,
                0,
                order.plan_id if order else "",
                order.leg if order else 0,
                name_of(record.market_index),
                "perp" if perp else "spot",
                sign * (record.base_asset_amount_filled or 0),
                -sign * (record.quote_asset_amount_filled or 0),
                fee or 0,
                record.oracle_price,
                record.oracle_price,
                self._slot,
                self._seen_ns,
                side == "maker",
            )
        )
        whole = getattr(record, f"{side}_order_base_asset_amount")
        done = getattr(record, f"{side}_order_cumulative_base_asset_amount_filled")
        if whole is not None and done is not None and done >= whole:
            self._ended(order, "filled")

    def _end_plan(self, plan_id: str, ts_ns: int) -> None:
        plan = self._log.plan(plan_id) if self._plan is None or self._plan.plan_id != plan_id else self._plan
        orders = self._log.orders_of(plan_id) | {
            key: order for key, order in self.orders.items() if order.plan_id == plan_id
        }
        if len(orders) < len(plan.legs) or any(not order.ended for order in orders.values()):
            return
        fills = [*self._log.fills(plan_id), *self.events]
        filled = [0] * len(plan.legs)
        for each in fills:
            if isinstance(each, Filled) and each.plan_id == plan_id:
                filled[each.leg] += each.base_e9
        if all(base == leg.base_e9 for base, leg in zip(filled, plan.legs, strict=True)):
            self.close(plan_id, "filled", ts_ns)
        elif any(filled):
            self.close(plan_id, "partial", ts_ns)
        else:
            self.close(plan_id, "expired" if ts_ns >= plan.expires_ns else "cancelled", ts_ns)

    # ------------------------------------------------------------------- balances

    def moved(self, record: DepositRecord) -> None:
        """Tokens came in or went out, at the interest that the record tells."""
        ts_ns, market = record.ts * SECOND_NS, self._names.spot(record.market_index)
        self._accrue(ts_ns, market, record.market_cumulative_deposit_interest, record.market_cumulative_borrow_interest)
        kind = Deposited if record.direction == DepositDirection.DEPOSIT else Withdrawn
        self._emit(kind(ts_ns, 0, market, record.amount))

    def accrued(self, record: SpotInterestRecord) -> None:
        """A spot market's interest was brought up to date; of a market without a name the account has nothing."""
        if record.market_index not in self._names.spots:
            return
        market = self._names.spot(record.market_index)
        interest = record.cumulative_deposit_interest, record.cumulative_borrow_interest
        self._accrue(record.ts * SECOND_NS, market, *interest)

    def _accrue(self, ts_ns: int, market: str, deposit_e10: int, borrow_e10: int) -> None:
        now = deposit_e10, borrow_e10
        before = self._interest.get(market) or self._log.interest(market)
        self._interest[market] = now
        if before != now:
            self._emit(InterestAccrued(ts_ns, 0, market, *now))

    def settled(self, record: SettlePnlRecord) -> None:
        """PnL moved to the quote balance."""
        self._emit(PnlSettled(record.ts * SECOND_NS, 0, self._names.perp(record.market_index), record.pnl))

    def funded(self, record: FundingPaymentRecord) -> None:
        """Funding was settled; the side's cumulative rate, less what the position had seen, is the rate."""
        long = record.base_asset_amount > 0
        now_e9 = record.amm_cumulative_funding_long if long else record.amm_cumulative_funding_short
        self._emit(
            FundingPaid(
                record.ts * SECOND_NS,
                0,
                self._names.perp(record.market_index),
                now_e9 - record.user_last_cumulative_funding,
                now_e9,
                record.base_asset_amount,
                record.funding_payment,
            )
        )

    def swapped(self, record: SwapRecord) -> None:
        """Somebody swapped tokens through another program: what was given went out; what came, less the fee, came in.

        No plan says that, so it is not our trade, and outside PnL as all else that people move. The program books it
        so: what is given leaves the exchange (``handle_end_swap``, ``instructions/user.rs``).
        """
        ts_ns, names = record.ts * SECOND_NS, self._names
        self._emit(Withdrawn(ts_ns, 0, names.spot(record.in_market_index), record.amount_in))
        self._emit(Deposited(ts_ns, 0, names.spot(record.out_market_index), record.amount_out - record.fee))

    def liquidated(self, record: LiquidationRecord) -> None:
        """Part of the account was taken over."""
        self._emit(_liquidation(record, self._names))


def _liquidation(record: LiquidationRecord, names: Names) -> Liquidated:
    ts_ns, kind = record.ts * SECOND_NS, record.liquidation_type
    quote = names.spot(0)
    if kind == LiquidationType.LIQUIDATE_PERP:
        perp = record.liquidate_perp
        taken_e6 = perp.if_fee + perp.protocol_fee
        got_e6, fees_e6 = perp.quote_asset_amount - taken_e6, taken_e6 + perp.liquidator_fee
        name = names.perp(perp.market_index)
        return Liquidated(ts_ns, 0, "perp", name, perp.base_asset_amount, got_e6, perp.oracle_price, fees_e6)
    if kind == LiquidationType.LIQUIDATE_SPOT:
        spot = record.liquidate_spot
        asset, owed = names.spot(spot.asset_market_index), names.spot(spot.liability_market_index)
        given, repaid = -spot.asset_transfer, spot.liability_transfer
        return Liquidated(ts_ns, 0, "spot", "", 0, 0, 0, 0, 0, asset, given, owed, repaid)
    if kind == LiquidationType.LIQUIDATE_BORROW_FOR_PERP_PNL:
        borrow = record.liquidate_borrow_for_perp_pnl
        name, owed = names.perp(borrow.perp_market_index), names.spot(borrow.liability_market_index)
        oracle_e6, repaid = borrow.market_oracle_price, borrow.liability_transfer
        return Liquidated(ts_ns, 0, "perp_pnl", name, 0, -borrow.pnl_transfer, oracle_e6, 0, 0, "", 0, owed, repaid)
    if kind == LiquidationType.LIQUIDATE_PERP_PNL_FOR_DEPOSIT:
        pnl = record.liquidate_perp_pnl_for_deposit
        name, asset = names.perp(pnl.perp_market_index), names.spot(pnl.asset_market_index)
        oracle_e6, given = pnl.market_oracle_price, -pnl.asset_transfer
        return Liquidated(ts_ns, 0, "perp_pnl", name, 0, pnl.pnl_transfer, oracle_e6, 0, 0, asset, given)
    if kind == LiquidationType.PERP_BANKRUPTCY:
        lost = record.perp_bankruptcy
        return Liquidated(ts_ns, 0, "bankruptcy", names.perp(lost.market_index), 0, -lost.pnl, 0, 0, -lost.pnl)
    debt = record.spot_bankruptcy
    owed, repaid = names.spot(debt.market_index), debt.borrow_amount
    forgiven_e6 = repaid if owed == quote else 0
    return Liquidated(ts_ns, 0, "bankruptcy", "", 0, 0, 0, 0, forgiven_e6, "", 0, owed, repaid)


_HANDLERS: Mapping[type, Callable[[Teller, Any], None]] = {
    OrderRecord: Teller.placed,
    OrderActionRecord: Teller.action,
    DepositRecord: Teller.moved,
    SpotInterestRecord: Teller.accrued,
    SettlePnlRecord: Teller.settled,
    FundingPaymentRecord: Teller.funded,
    SwapRecord: Teller.swapped,
    LiquidationRecord: Teller.liquidated,
}
