"""What the gates look at: the context the engine gives, and the case made of it once for all gates.

A plan *only reduces* when each leg takes what is held toward zero without crossing it. A reduce-only perp leg does so
whatever its size, as the venue clamps it; one without anything to reduce does not. What cannot be told is an increase.
An emergency is the engine's word, and it excuses only plans that reduce: one that increases is reviewed as such.
"""

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct, structs

from drift_engine.core.margin_monitor import margin_of
from drift_engine.core.spot_balance import base_e9
from drift_engine.core.types import Account, EngineState, Hedge, Leg, Margin, Market, Spec, TradePlan
from drift_engine.execution.limits import Limits
from drift_engine.execution.what_if import account_after

Purpose = Literal["increase", "reduce", "emergency"]


class GateContext(Struct, frozen=True, gc=False):
    """All a review may look at; it changes nothing of it.

    ``specs`` are the markets' facts as they were at start. ``latency_ms`` is ``None`` before anything was measured.
    ``emergency`` is set by the engine alone; ``emergency_distance_e4`` is how far from the oracle the limits of this
    attempt may be (``None``: the configured distance). ``gas_e9`` is what the wallet holds where the venue takes gas.
    """

    state: EngineState
    margin: Margin
    limits: Limits
    specs: Mapping[str, Spec]
    latency_ms: int | None = None
    hedge: Hedge | None = None
    emergency: bool = False
    emergency_distance_e4: int | None = None
    needs_gas: bool = False
    gas_e9: int | None = None
    tip_e6: int = 0


class Case(Struct, frozen=True, gc=False):
    """A plan under review.

    ``orders`` are its legs with their markets, ``priced`` those whose oracle is known; ``unknown`` says what is missing
    of the others, and is empty when nothing is. ``after`` and ``margin_after`` are the account once every leg has
    filled at its limit, and every swap under way with it: ``None`` for a plan that does not increase, and where it
    cannot be told.
    """

    plan: TradePlan
    context: GateContext
    state: EngineState
    limits: Limits
    purpose: Purpose
    increases: bool
    orders: list[tuple[Leg, Market]]
    priced: list[tuple[Leg, Market, int]]
    unknown: str
    after: Account | None
    margin_after: Margin | None


def case_of(plan: TradePlan, context: GateContext) -> Case:
    """Return the case of a plan: its markets, what it does, and what the account would be after it."""
    state = context.state
    markets = state.markets
    orders: list[tuple[Leg, Market]] = []
    priced: list[tuple[Leg, Market, int]] = []
    unknown = ""
    for leg in plan.legs:
        market = markets.get(leg.market)
        if market is None:
            unknown = f"market {leg.market!r} is not known"
            continue
        orders.append((leg, market))
        oracle_e6 = market.oracle_e6
        if oracle_e6 is None or oracle_e6 <= 0:
            unknown = f"the price of {leg.market} is not known"
        else:
            priced.append((leg, market, oracle_e6))
    increases = purpose(plan, state) == "increase"
    after = margin_after = None
    if increases and not unknown:
        orders_after = [*swaps_under_way(state), *priced] if state.in_flight else priced
        after = account_after(state.account, orders_after, markets, context.tip_e6)
        margin_after = margin_of(after, markets, state.now_ns) if after is not None else None
    return Case(
        plan,
        context,
        state,
        context.limits,
        "increase" if increases else "emergency" if context.emergency else "reduce",
        increases,
        orders,
        priced,
        unknown,
        after,
        margin_after,
    )


def swaps_under_way(state: EngineState) -> list[tuple[Leg, Market, int]]:
    """Return what is left to fill of swaps in flight that add to what is held: they are in no account's open orders."""
    return [
        (structs.replace(leg, base_e9=leg.base_e9 - filled_e9), market, market.oracle_e6 or leg.limit_e6)
        for entry in state.in_flight.values()
        if purpose(entry.plan, state) == "increase"
        for leg, filled_e9 in zip(entry.plan.legs, entry.filled_e9, strict=True)
        if leg.kind == "spot" and (market := state.markets.get(leg.market))
    ]


def purpose(plan: TradePlan, state: EngineState) -> Literal["increase", "reduce"]:
    """Return whether a plan only reduces what is held, or does anything else."""
    for leg in plan.legs:
        held_e9 = held_base_e9(leg, state)
        if held_e9 is None or held_e9 * leg.base_e9 >= 0:
            return "increase"
        if leg.reduce_only and leg.kind == "perp":
            continue
        if abs(_asked_e9(leg, plan)) > abs(held_e9):
            return "increase"
    return "reduce"


def held_base_e9(leg: Leg, state: EngineState) -> int | None:
    """Return the signed base held in a leg's market, ``None`` where its market is not known."""
    if leg.kind == "perp":
        return state.account.perp(leg.market).base_e9
    market = state.markets.get(leg.market)
    if market is None or market.spec.kind != "spot":
        return None
    return base_e9(state.account.spot(leg.market), market)


def _asked_e9(leg: Leg, plan: TradePlan) -> int:
    """Return what the plan asks of a leg's market in all: its legs may fill in any order."""
    if len(plan.legs) == 1:
        return leg.base_e9
    return sum(other.base_e9 for other in plan.legs if other.market == leg.market)
