"""What the strategy asks for, in words and figures. Each function makes one signal; none decides whether to send it."""

from drift_engine.core.types import MarketState, TradeSignal, Trading
from drift_engine.core.units import E6, E9, notional_e6, tdiv
from drift_engine.core.valuation import oracle_price_e6
from drift_engine.strategies.delta_neutral.carry import Outlook
from drift_engine.strategies.delta_neutral.neutrality_monitor import Bounds, Reading, completion
from drift_engine.strategies.figures import human
from drift_engine.strategies.rates import expected_e6


def room_e9(state: MarketState, bounds: Bounds, size_e6: int) -> int:
    """Return the base each leg may hold now, at a fraction of equity; 0 where any gate is sure to refuse new risk."""
    perp, spot = state.markets[bounds.perp], state.markets[bounds.spot]
    tradable = perp.status == spot.status == "active" and perp.oracle_e6 and spot.oracle_e6
    if state.trading is not Trading.ACTIVE or state.margin.status != "known" or not tradable:
        return 0
    value_e6 = tdiv(max(state.margin.equity_e6, 0) * size_e6, E6)
    return bounds.whole(value_e6 * E9 // oracle_price_e6(perp))


def enter(state: MarketState, bounds: Bounds, held: Reading, seen: Outlook, target_e9: int) -> TradeSignal:
    """Both legs to their target; the edge is claimed for what is added."""
    spot_e9 = seen.side * target_e9
    word = "long spot, short perp" if spot_e9 > 0 else "short spot, long perp"
    reason = f"enter {word} {human(target_e9, 9)}: {_carry(seen)}"
    edge = _edge_e6(state, bounds, seen, target_e9 - held.hedge_e9)
    return TradeSignal({bounds.spot: spot_e9, bounds.perp: -spot_e9}, reason, edge)


def unwind(bounds: Bounds, seen: Outlook) -> TradeSignal:
    """Both legs to nothing."""
    return TradeSignal({bounds.perp: 0, bounds.spot: 0}, f"unwind: {_carry(seen)}", urgency="high")


def rebalance(state: MarketState, bounds: Bounds, held: Reading, seen: Outlook, target_e9: int) -> TradeSignal | None:
    """One leg: grow a lagging one towards a target, with the edge of what becomes hedged, or reduce."""
    order = completion(held, bounds, target_e9) if held.beyond_3x else ("", 0)
    if order[0]:
        return _one_leg(bounds, held, "complete", order, _edge_e6(state, bounds, seen, abs(order[1])))
    return None if held.pending else _one_leg(bounds, held, "reduce", (held.market, held.trade_e9), None)


def _one_leg(bounds: Bounds, held: Reading, word: str, order: tuple[str, int], edge_e6: int | None) -> TradeSignal:
    market, trade_e9 = order
    base_e9 = held.spot_e9 if market == bounds.spot else held.perp_e9
    figures = f"net delta {human(held.net_delta_e9, 9)}, tolerance {human(held.tolerance_e9, 9)}"
    reason = f"rebalance: {word} {market} by {human(trade_e9, 9)}, {figures}"
    return TradeSignal({market: base_e9 + trade_e9}, reason, edge_e6, "high" if held.beyond_3x else "normal")


def _edge_e6(state: MarketState, bounds: Bounds, seen: Outlook, base_e9: int) -> int:
    value_e6 = notional_e6(base_e9, oracle_price_e6(state.markets[bounds.perp]))
    return expected_e6(value_e6, seen.counted_e6 or 0, seen.horizon_h)


def _carry(outlook: Outlook) -> str:
    if outlook.counted_e6 is None or outlook.real_e6 is None:
        return "carry not known"
    return f"carry {human(outlook.real_e6, 4)} % a year, counted as {human(outlook.counted_e6, 4)} %"
