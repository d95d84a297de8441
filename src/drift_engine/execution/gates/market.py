"""Gates on the plan's markets: what they accept, and whether their figures can be trusted.

Where a plan has several legs, the figures are those of the worst.
"""

from drift_engine.core.types import Check, Leg, Market
from drift_engine.core.units import E4, ceil_div
from drift_engine.execution.gate_context import Case
from drift_engine.execution.gates.verdicts import Figures, objected, refused, unanswered

_MS = 1_000_000
_ONE_FITS = Check("order_shape", "pass", "", {"legs": 1})
_ONE_OPEN = Check("protocol_integrity", "pass", "", {"markets": 1})


def order_shape(case: Case) -> Check:
    """Ask whether the venue would take each order: market open, size on the step and not too small, limit on a tick.

    A reduce-only order may be smaller than the minimum.
    """
    legs = len(case.plan.legs)
    if not legs:
        return refused("order_shape", "the plan has no legs", {"legs": legs})
    for leg, market in case.orders:
        wrong = _misfit(leg, market, case)
        if wrong:
            return refused("order_shape", wrong, {"legs": legs})
    if len(case.orders) < legs:
        return unanswered(case, "order_shape", case.unknown, {"legs": legs})
    return _ONE_FITS if legs == 1 else Check("order_shape", "pass", "", {"legs": legs})


def _misfit(leg: Leg, market: Market, case: Case) -> str:
    """Return what is wrong with an order, nothing where it fits."""
    spec, size_e9 = market.spec, abs(leg.base_e9)
    name, limit_e6 = spec.name, leg.limit_e6
    if market.status != "active" and (case.increases or market.status != "reduce_only"):
        return f"{name} is {market.status}"
    if leg.kind != spec.kind:
        return f"{name} is no {leg.kind} market"
    if name == case.state.account.quote:
        return f"{name} is what accounts are kept in and cannot be traded"
    if size_e9 == 0 or size_e9 % spec.step_e9:
        return f"{name}: base {leg.base_e9} (1e9) is no multiple of the step {spec.step_e9}"
    if size_e9 < spec.min_order_e9 and not leg.reduce_only:
        return f"{name}: base {leg.base_e9} (1e9) is under the minimum {spec.min_order_e9}"
    if limit_e6 <= 0 or limit_e6 % spec.tick_e6:
        return f"{name}: limit {limit_e6} (1e6) is no multiple of the tick {spec.tick_e6}"
    return ""


def data_fresh(case: Case) -> Check:
    """Ask whether the oracle (in slots) and the feed (in ms) are young enough."""
    if case.unknown:
        return unanswered(case, "data_fresh", case.unknown)
    state, limits = case.state, case.limits
    age_slots = age_ns = 0
    for _, market, _ in case.priced:
        slots, ns = state.slot - market.oracle_slot, state.now_ns - market.ts_ns
        age_slots = slots if slots > age_slots else age_slots
        age_ns = ns if ns > age_ns else age_ns
    age_ms = age_ns // _MS
    figures: Figures = {"oracle_age_slots": age_slots, "feed_age_ms": age_ms}
    if limits.max_oracle_age_slots is not None and age_slots > limits.max_oracle_age_slots:
        reason = f"the oracle is {age_slots} slots old, {limits.max_oracle_age_slots} allowed"
        return objected(case, "data_fresh", reason, figures)
    if limits.max_feed_age_ms is not None and age_ms > limits.max_feed_age_ms:
        reason = f"the feed is {age_ms} ms old, {limits.max_feed_age_ms} allowed"
        return objected(case, "data_fresh", reason, figures)
    return Check("data_fresh", "pass", "", figures)


def oracle_sane(case: Case) -> Check:
    """Ask whether the oracle is sure of itself (confidence in 1e4 of the price) and near its own average."""
    if case.unknown:
        return unanswered(case, "oracle_sane", case.unknown)
    most_unsure_e4, farthest_e4 = case.limits.max_confidence_e4, case.limits.max_twap_distance_e4
    unsure_e4, distance_e4 = 0, 0
    for leg, market, oracle_e6 in case.priced:
        if market.oracle_confidence_e6:
            unsure_e4 = max(unsure_e4, ceil_div(market.oracle_confidence_e6 * E4, oracle_e6))
        twap_e6 = market.oracle_twap_e6
        if farthest_e4 is None:
            continue
        if twap_e6 is None or twap_e6 <= 0:
            return unanswered(case, "oracle_sane", f"the oracle average of {leg.market} is not known")
        if twap_e6 != oracle_e6:
            distance_e4 = max(distance_e4, ceil_div(abs(oracle_e6 - twap_e6) * E4, twap_e6))
    figures: Figures = {"confidence_e4": unsure_e4, "twap_distance_e4": distance_e4}
    if most_unsure_e4 is not None and unsure_e4 > most_unsure_e4:
        reason = f"the oracle's confidence is {unsure_e4} bps of its price, {most_unsure_e4} allowed"
        return objected(case, "oracle_sane", reason, figures)
    if farthest_e4 is not None and distance_e4 > farthest_e4:
        reason = f"the oracle is {distance_e4} bps from its average, {farthest_e4} allowed"
        return objected(case, "oracle_sane", reason, figures)
    return Check("oracle_sane", "pass", "", figures)


def limit_near_oracle(case: Case) -> Check:
    """Ask how much worse than the oracle each order may fill; a limit better than the oracle is near enough."""
    if case.unknown:
        return unanswered(case, "limit_near_oracle", case.unknown)
    most_e4 = _allowed_distance_e4(case)
    distance_e4 = 0
    for leg, _, oracle_e6 in case.priced:
        worse_e6 = leg.limit_e6 - oracle_e6 if leg.base_e9 > 0 else oracle_e6 - leg.limit_e6
        if worse_e6 > 0:
            distance_e4 = max(distance_e4, ceil_div(worse_e6 * E4, oracle_e6))
    figures: Figures = {"distance_e4": distance_e4, "limit_e4": most_e4}
    if most_e4 is not None and distance_e4 > most_e4:
        reason = f"the limit is {distance_e4} bps beyond the oracle, {most_e4} allowed"
        return refused("limit_near_oracle", reason, figures)
    return Check("limit_near_oracle", "pass", "", figures)


def _allowed_distance_e4(case: Case) -> int | None:
    if case.increases:
        return case.limits.limit_distance_e4
    if case.purpose == "reduce":
        return case.limits.limit_distance_reduce_e4
    widened_e4 = case.context.emergency_distance_e4
    return case.limits.limit_distance_emergency_e4 if widened_e4 is None else widened_e4


def protocol_integrity(case: Case) -> Check:
    """Ask whether the plan's markets are open and their facts are those the engine started with."""
    count = len(case.orders)
    if count < len(case.plan.legs):
        return unanswered(case, "protocol_integrity", case.unknown)
    for _, market in case.orders:
        spec = market.spec
        known = case.context.specs.get(spec.name)
        if known is not spec and known != spec:
            return refused(
                "protocol_integrity", f"the facts of {spec.name} are not those of the start", {"markets": count}
            )
        if market.status != "active":
            return refused("protocol_integrity", f"{spec.name} is {market.status}", {"markets": count})
    return _ONE_OPEN if count == 1 else Check("protocol_integrity", "pass", "", {"markets": count})
