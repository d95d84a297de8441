"""What prices and time do to the ledger: the part of it that every row of market data goes through.

Part of ``position_manager``, which alone calls it. What a price move is worth goes to equity and to its cause, price;
each tick the marks that drawdowns are measured from are looked at, and moved where equity passed one.
"""

from collections.abc import Collection

from drift_engine.core.types import EngineState as State
from drift_engine.core.types import Market, MarketUpdated, Ticked
from drift_engine.core.units import DAY_NS, E6


def market_updated(state: State, event: MarketUpdated) -> None:
    """Take one market's new figures."""
    apply_tick(state, (event,), None)


def ticked(state: State, event: Ticked) -> None:
    """Take the time of a tick."""
    apply_tick(state, (), (event.ts_ns, event.slot))


def apply_tick(state: State, prices: Collection[MarketUpdated], now: tuple[int, int] | None) -> None:
    """Change the state by prices and the tick that follows them: what ``apply`` does for each in turn, in one go.

    ``now`` is the tick's time and slot; without it none follows, and whoever called counts.
    """
    markets, held = state.markets, state.held
    for event in prices:
        name = event.market
        old = markets[name]
        price_e6 = event.oracle_e6
        markets[name] = Market(
            old.spec,
            event.ts_ns,
            price_e6,
            event.oracle_slot,
            event.oracle_twap_e6,
            event.oracle_confidence_e6,
            event.mark_e6,
            event.bid_e6,
            event.ask_e6,
            event.funding_e9,
            event.deposit_rate_e6,
            event.borrow_rate_e6,
            event.status,
            old.interest_deposit_e10,
            old.interest_borrow_e10,
            old.funding_cumulative_e9,
            old.totals,
        )
        holding = held.get(name)
        if holding is not None:
            value = holding.amount * price_e6
            worth_e6 = -(-value // holding.unit) if holding.truncates else value // holding.unit
            change_e6 = worth_e6 - holding.worth_e6
            holding.worth_e6 = worth_e6
            state.pnl.price_e6 += change_e6
            state.equity_e6 += change_e6
    if now is None:
        return
    now_ns, state.slot = now
    state.now_ns = now_ns
    state.seq += len(prices) + 1
    state.ticks += 1
    equity_e6 = state.equity_e6
    if now_ns >= state.next_day_ns or not state.trough_e6 <= equity_e6 <= state.high_water_e6:
        _move_marks(state, now_ns, equity_e6)


def _move_marks(state: State, now_ns: int, equity_e6: int) -> None:
    if now_ns >= state.next_day_ns:
        state.next_day_ns = now_ns // DAY_NS * DAY_NS + DAY_NS
        state.day_equity_e6 = equity_e6
        state.marks += 1
    if equity_e6 > state.high_water_e6:
        state.high_water_e6 = state.trough_e6 = equity_e6
        state.marks += 1
    elif equity_e6 < state.trough_e6 and state.high_water_e6 > 0:
        state.trough_e6 = equity_e6
        state.marks += 1
        drawdown_e6 = (state.high_water_e6 - equity_e6) * E6 // state.high_water_e6
        state.max_drawdown_e6 = max(state.max_drawdown_e6, drawdown_e6)
