"""Gates on what the account would become. Only plans that increase are asked: reducing is always allowed.

``case.after`` and ``case.margin_after`` are the account with every leg filled at its limit, fees and tip paid.
"""

from drift_engine.core.spot_balance import base_e9
from drift_engine.core.types import Account, Check, Hedge, Leg, Market
from drift_engine.core.units import E4, notional_e6
from drift_engine.execution.gate_context import Case
from drift_engine.execution.gates.verdicts import Figures, refused, skipped, unanswered
from drift_engine.execution.what_if import fee_of_e6

_NOTIONAL_OFF = skipped("notional", "off")
_POSITION_OFF = skipped("position", "off")
_LEVERAGE_OFF = skipped("leverage", "off")
_NOT_HEDGED = skipped("delta", "the strategy promises no hedge")
_EDGE_OFF = skipped("edge", "off")
_NOT_CLAIMED = Check("edge", "pass", "not claimed", {"edge_e6": None})
_AFTER = "the account after the plan is not known"


def notional(case: Case) -> Check:
    """Ask whether the plan's orders together, at their limits, are under the cap; off unless set."""
    most_e6 = case.limits.max_notional_e6
    if most_e6 is None:
        return _NOTIONAL_OFF
    size_e6 = sum(abs(notional_e6(leg.base_e9, leg.limit_e6)) for leg in case.plan.legs)
    figures: Figures = {"notional_e6": size_e6, "limit_e6": most_e6}
    if size_e6 > most_e6:
        return refused("notional", f"the plan is of {size_e6} (1e6), {most_e6} allowed", figures)
    return Check("notional", "pass", "", figures)


def position(case: Case) -> Check:
    """Ask whether what is held in each of the plan's markets after it, at the oracle, is under the cap."""
    most_e6 = case.limits.max_position_e6
    if most_e6 is None:
        return _POSITION_OFF
    if case.after is None:
        return unanswered(case, "position", case.unknown or _AFTER)
    held_e6 = 0
    for _, market, oracle_e6 in case.priced:
        held_e6 = max(held_e6, abs(notional_e6(_held_e9(case.after, market), oracle_e6)))
    figures: Figures = {"position_e6": held_e6, "limit_e6": most_e6}
    if held_e6 > most_e6:
        return refused("position", f"the position would be of {held_e6} (1e6), {most_e6} allowed", figures)
    return Check("position", "pass", "", figures)


def _held_e9(account: Account, market: Market) -> int:
    name = market.spec.name
    return account.perp(name).base_e9 if market.spec.kind == "perp" else base_e9(account.spot(name), market)


def leverage(case: Case) -> Check:
    """Ask whether leverage after the plan is under the cap."""
    most_e4, margin = case.limits.max_leverage_e4, case.margin_after
    if most_e4 is None:
        return _LEVERAGE_OFF
    if margin is None or margin.leverage_e4 is None:
        return unanswered(case, "leverage", case.unknown or "leverage after the plan is not known")
    leverage_e4 = margin.leverage_e4
    figures: Figures = {"leverage_e4": leverage_e4, "limit_e4": most_e4}
    if leverage_e4 > most_e4:
        return refused("leverage", f"leverage would be {leverage_e4} (1e4), {most_e4} allowed", figures)
    return Check("leverage", "pass", "", figures)


def health_after(case: Case) -> Check:
    """Ask whether the account stays healthy, and still meets the venue's initial margin, once every leg has filled.

    Stale or unknown margin, now or then, is no answer. Where the limit is off, the initial margin is still asked.
    """
    now, margin = case.context.margin, case.margin_after
    if margin is None or margin.health_e4 is None or margin.status != "known" or now.status != "known":
        return unanswered(case, "health_after", case.unknown or f"margin is {_worse_status(case)}")
    least_e4, spare_e6 = case.limits.min_health_after_e4, margin.collateral_initial_e6 - margin.initial_e6
    figures: Figures = {"health_after_e4": margin.health_e4, "limit_e4": least_e4, "initial_spare_e6": spare_e6}
    if spare_e6 < 0:
        return refused("health_after", f"initial margin would be short of {-spare_e6} (1e6)", figures)
    if least_e4 is not None and margin.health_e4 < least_e4:
        return refused("health_after", f"health would be {margin.health_e4} (1e4), {least_e4} required", figures)
    return Check("health_after", "pass", "", figures)


def _worse_status(case: Case) -> str:
    return case.context.margin.status if case.context.margin.status != "known" else "not known after the plan"


def delta(case: Case) -> Check:
    """Ask a hedged strategy's plan to leave the net delta within tolerance, or at least no larger than it is."""
    hedge = case.context.hedge
    if hedge is None:
        return _NOT_HEDGED
    spot = case.state.markets.get(hedge.spot)
    if spot is None or case.after is None:
        return unanswered(case, "delta", case.unknown or f"what is held of {hedge.spot} is not known")
    account, after = case.state.account, case.after
    spot_e9 = base_e9(account.spot(hedge.spot), spot)
    before_e9 = account.perp(hedge.perp).base_e9 + spot_e9
    if after.spots is not account.spots:
        spot_e9 = base_e9(after.spot(hedge.spot), spot)
    perp_e9 = after.perp(hedge.perp).base_e9
    net_e9, bound_e9 = perp_e9 + spot_e9, tolerance_e9(hedge, perp_e9, spot_e9)
    figures: Figures = {"net_before_e9": before_e9, "net_after_e9": net_e9, "tolerance_e9": bound_e9}
    if abs(net_e9) > bound_e9 and abs(net_e9) > abs(before_e9):
        return refused("delta", f"net delta would be {net_e9} (1e9), {bound_e9} allowed", figures)
    return Check("delta", "pass", "", figures)


def tolerance_e9(hedge: Hedge, perp_e9: int, spot_e9: int) -> int:
    """Return how far from zero perp and spot together may be: a share of the hedge, or the floor.

    The hedge is the smaller of two legs with opposite signs; legs of one sign, or a lone leg, hedge nothing.
    """
    hedged_e9 = min(abs(perp_e9), abs(spot_e9)) if perp_e9 * spot_e9 < 0 else 0
    share_e9 = hedged_e9 * hedge.tolerance_e4 // E4
    return share_e9 if share_e9 > hedge.floor_e9 else hedge.floor_e9


def edge(case: Case) -> Check:
    """Ask whether the profit the plan claims is worth a multiple of its expected cost: fees, tip and half the spread.

    A plan that claims none is not asked; it is recorded as such.
    """
    claimed_e6, multiple_e4 = case.plan.edge_e6, case.limits.edge_multiple_e4
    if claimed_e6 is None:
        return _NOT_CLAIMED
    if multiple_e4 is None:
        return _EDGE_OFF
    if case.unknown:
        return unanswered(case, "edge", case.unknown)
    cost_e6 = case.context.tip_e6
    for leg, market, oracle_e6 in case.priced:
        price_e6 = expected_price_e6(leg, market)
        if price_e6 is None:
            return unanswered(case, "edge", f"neither quote nor mark of {leg.market} is known")
        value_e6 = notional_e6(leg.base_e9, price_e6)
        spread_e6 = value_e6 - notional_e6(leg.base_e9, oracle_e6)
        cost_e6 += fee_of_e6(leg, market.spec, value_e6) + (spread_e6 if spread_e6 > 0 else 0)
    figures: Figures = {"edge_e6": claimed_e6, "cost_e6": cost_e6, "multiple_e4": multiple_e4}
    if claimed_e6 * E4 < cost_e6 * multiple_e4:
        return refused(
            "edge", f"claims {claimed_e6} (1e6), costs {cost_e6}, {multiple_e4} (1e4) times required", figures
        )
    return Check("edge", "pass", "", figures)


def expected_price_e6(leg: Leg, market: Market) -> int | None:
    """Return the price a leg is expected to fill at now: the other side's quote, else the mark; ``None``: not known."""
    quote_e6 = market.ask_e6 if leg.base_e9 > 0 else market.bid_e6
    return market.mark_e6 if quote_e6 is None else quote_e6
