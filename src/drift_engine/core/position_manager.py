"""The ledger: ``apply(state, event)`` is the only code that changes an ``EngineState``.

It depends on nothing but its two arguments, so folding a journal gives the state back. Whatever moves equity names its
cause as it happens: each handler takes the value of what it touches before and after, books the parts whose formula is
known (fee, basis, tip), and leaves the rounding with the cause of the event. Hence, after every event::

    equity == net deposits + price + basis + funding + interest + fees + tips + slippage + liquidation

Events that carry a cursor arrive in its order, each once (the inbox sees to that); anything else is a bug and raises.
Open orders count from ``Submitted`` to ``PlanClosed``; spot legs are swaps and never rest.
"""

from bisect import bisect_right
from collections.abc import Callable
from typing import Any

from msgspec import structs

from drift_engine.core.funding import payment_e6
from drift_engine.core.holdings import close_order, move_tokens, open_order, opened, revalue_spot, set_perp, set_quote
from drift_engine.core.market_moves import market_updated, ticked
from drift_engine.core.perp_position import after_funding, after_settlement, after_trade, with_less_open
from drift_engine.core.types import (
    Account,
    AccountEvent,
    AccountObserved,
    Commanded,
    Decided,
    Deposited,
    Event,
    Filled,
    FundingPaid,
    InFlight,
    InterestAccrued,
    Liquidated,
    Market,
    MarketUpdated,
    PlanClosed,
    PnlSettled,
    RowsRead,
    RunStarted,
    StateChanged,
    Submitted,
    Ticked,
    Withdrawn,
)
from drift_engine.core.types import EngineState as State
from drift_engine.core.units import notional_e6, rescale
from drift_engine.core.valuation import oracle_price_e6

_MINUTE_NS = 60 * 10**9


class OutOfOrderError(RuntimeError):
    """An account event came twice or before its turn: whoever delivers events has a bug."""


def apply(state: State, event: Event) -> None:
    """Change the state by one event."""
    seq = state.seq + 1
    _HANDLERS[type(event)](state, event)
    state.seq = seq


# --------------------------------------------------------------------------- what the world tells


def _run_started(state: State, event: RunStarted) -> None:
    state.account = Account(event.quote)
    state.markets = {spec.name: Market(spec) for spec in event.specs}
    state.now_ns = event.ts_ns


# --------------------------------------------------------------------------- what we decide


def _decided(state: State, event: Decided) -> None:
    state.plans += 1


def _submitted(state: State, event: Submitted) -> None:
    plan = event.plan
    if plan.plan_id in state.in_flight:
        raise OutOfOrderError(f"plan {plan.plan_id} was submitted twice")
    state.in_flight[plan.plan_id] = InFlight(plan, event.ts_ns, (0,) * len(plan.legs), event.emergency)
    recent = state.recent_plans_ns
    first = bisect_right(recent, event.ts_ns - _MINUTE_NS)
    state.recent_plans_ns = (*recent[first:], event.ts_ns)
    for leg in plan.legs:
        open_order(state, leg)


def _state_changed(state: State, event: StateChanged) -> None:
    state.trading = event.trading
    state.reason = event.reason
    state.latched = event.latched
    state.disputed = event.disputed
    state.until_ns = event.until_ns
    state.closing = event.closing
    state.retry_ns = event.retry_ns
    state.strategy_disabled = event.strategy_disabled
    if event.cause == "resume":
        state.high_water_e6 = state.trough_e6 = state.day_equity_e6 = state.equity_e6
        state.marks += 1
        state.pnl_at_reset_e6 = state.pnl.total_e6()


# --------------------------------------------------------------------------- what the venue tells of the account


def _deposited(state: State, event: Deposited) -> None:
    _moved(state, move_tokens(state, event.market, event.amount))


def _withdrawn(state: State, event: Withdrawn) -> None:
    _moved(state, move_tokens(state, event.market, -event.amount, leaving=True))


def _moved(state: State, change_e6: int) -> None:
    """Book a transfer: outside PnL, and the marks that drawdowns are measured from move with it."""
    state.equity_e6 += change_e6
    state.net_deposits_e6 += change_e6
    state.high_water_e6 += change_e6
    state.trough_e6 += change_e6
    state.day_equity_e6 += change_e6
    state.marks += 1


def _filled(state: State, event: Filled) -> None:
    change_e6 = _trade(state, event, open_too=_count_fill(state, event))
    moved_e6 = notional_e6(event.base_e9, oracle_price_e6(state.markets[event.market]) - event.oracle_e6)
    basis_e6 = notional_e6(event.base_e9, event.oracle_e6 - event.mark_e6)
    pnl = state.pnl
    pnl.fees_e6 -= event.fee_e6
    pnl.price_e6 += moved_e6
    pnl.basis_e6 += basis_e6
    pnl.slippage_e6 += change_e6 + event.fee_e6 - moved_e6 - basis_e6
    state.equity_e6 += change_e6
    state.last_fill_ns = max(state.last_fill_ns, event.ts_ns)
    state.first_fill_ns = state.first_fill_ns or event.ts_ns


def _trade(state: State, event: Filled, *, open_too: bool) -> int:
    """Change position (what is open of it too) or balances by a fill, and return the change in equity."""
    if event.kind == "perp":
        position = opened(state.account.perp(event.market), state.markets[event.market])
        position = after_trade(position, event.base_e9, event.quote_e6, event.fee_e6)
        return set_perp(state, with_less_open(position, event.base_e9, 0) if open_too else position)
    tokens = rescale(event.base_e9, 9, state.markets[event.market].spec.decimals)  # type: ignore[union-attr]
    change_e6 = move_tokens(state, event.market, tokens)
    return change_e6 + move_tokens(state, state.account.quote, event.quote_e6 - event.fee_e6)


def _count_fill(state: State, event: Filled) -> bool:
    """Take note of what filled of its plan, and say whether that was open: of a closed plan nothing is."""
    flight = state.in_flight.get(event.plan_id)
    if flight is None:
        return False
    filled = list(flight.filled_e9)
    filled[event.leg] += event.base_e9
    state.in_flight[event.plan_id] = structs.replace(flight, filled_e9=tuple(filled))
    return True


def _plan_closed(state: State, event: PlanClosed) -> None:
    flight = state.in_flight.pop(event.plan_id, None)
    if flight is not None:
        for leg, filled_e9 in zip(flight.plan.legs, flight.filled_e9, strict=True):
            close_order(state, leg, filled_e9)
    if event.tip_e6:
        change_e6 = move_tokens(state, state.account.quote, -event.tip_e6)
        state.pnl.tips_e6 += change_e6
        state.equity_e6 += change_e6


def _funding_paid(state: State, event: FundingPaid) -> None:
    position = state.account.perp(event.market)
    paid_e6 = payment_e6(event.rate_e9, position.base_e9)
    change_e6 = set_quote(state, after_funding(position, paid_e6, event.cumulative_e9))
    market = state.markets[event.market]
    state.markets[event.market] = structs.replace(market, funding_cumulative_e9=event.cumulative_e9)
    state.pnl.funding_e6 += change_e6
    state.equity_e6 += change_e6


def _interest_accrued(state: State, event: InterestAccrued) -> None:
    market = state.markets[event.market]
    state.markets[event.market] = structs.replace(
        market, interest_deposit_e10=event.deposit_e10, interest_borrow_e10=event.borrow_e10
    )
    if event.market in state.held:
        _earned(state, revalue_spot(state, event.market))


def _pnl_settled(state: State, event: PnlSettled) -> None:
    position = after_settlement(state.account.perp(event.market), event.pnl_e6)
    change_e6 = set_perp(state, position) + move_tokens(state, state.account.quote, event.pnl_e6)
    _earned(state, change_e6)


def _earned(state: State, change_e6: int) -> None:
    """Book interest; the last unit that a scaled balance cannot hold is interest too."""
    state.pnl.interest_e6 += change_e6
    state.equity_e6 += change_e6


def _liquidated(state: State, event: Liquidated) -> None:
    change_e6 = 0
    if event.base_e9 or event.quote_e6:
        position = state.account.perp(event.market)
        change_e6 += set_perp(state, after_trade(position, event.base_e9, event.quote_e6))
    if event.asset_tokens:
        change_e6 += move_tokens(state, event.asset, event.asset_tokens)
    if event.liability_tokens:
        change_e6 += move_tokens(state, event.liability, event.liability_tokens)
    state.pnl.liquidation_e6 += change_e6
    state.equity_e6 += change_e6


def _nothing(state: State, event: object) -> None:
    """Rows read, books observed and words of humans are kept in the journal and change nothing."""


# --------------------------------------------------------------------------- dispatch


def _in_order(handler: Callable[[State, Any], None]) -> Callable[[State, Any], None]:
    """Guard a handler of account events: the next cursor, or it is a bug."""

    def ordered(state: State, event: AccountEvent) -> None:
        if event.cursor != state.venue_cursor + 1:
            raise OutOfOrderError(f"account event {event.cursor} came after {state.venue_cursor}")
        state.venue_cursor = event.cursor
        handler(state, event)

    return ordered


_HANDLERS: dict[type, Callable[[State, Any], None]] = {
    MarketUpdated: market_updated,
    Ticked: ticked,
    RunStarted: _run_started,
    **dict.fromkeys((RowsRead, AccountObserved, Commanded), _nothing),
    Decided: _decided,
    Submitted: _submitted,
    StateChanged: _state_changed,
    Deposited: _in_order(_deposited),
    Withdrawn: _in_order(_withdrawn),
    Filled: _in_order(_filled),
    PlanClosed: _in_order(_plan_closed),
    FundingPaid: _in_order(_funding_paid),
    InterestAccrued: _in_order(_interest_accrued),
    PnlSettled: _in_order(_pnl_settled),
    Liquidated: _in_order(_liquidated),
}
