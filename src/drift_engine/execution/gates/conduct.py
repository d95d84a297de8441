"""Gates on the engine's own conduct: its state, what it has under way, how fast and how often it acts.

They look at no price.
"""

from drift_engine.core.types import Check, InFlight, Leg, Trading
from drift_engine.core.units import SECOND_NS
from drift_engine.execution.gate_context import Case
from drift_engine.execution.gates.verdicts import Figures, objected, refused, skipped, unanswered

_MAY_ALL, _MAY_NOTHING = Trading.ACTIVE, Trading.HALTED
_NO_GAS = skipped("gas_reserve", "the venue takes no gas")
_GAS_OFF = skipped("gas_reserve", "off")
_RATE_OFF = skipped("plan_rate", "off")
_NOT_MEASURED = Check("latency", "pass", "not measured yet", {"latency_ms": None})
_NOTHING_IN_FLIGHT = Check("in_flight", "pass", "", {"plans_in_flight": 0})
_ACTIVE = Check("trading_state", "pass", "", {"disputed": 0, "strategy_disabled": 0})


def trading_state(case: Case) -> Check:
    """Ask whether the engine may do such a thing now: ACTIVE all, REDUCING reductions, HALTED an emergency close.

    Nothing goes while the books are in dispute and the engine is halted. A disabled strategy may only reduce.
    """
    state = case.state
    trading, disputed, disabled = state.trading, state.disputed, state.strategy_disabled
    if trading is _MAY_ALL and not disputed and not disabled:
        return _ACTIVE
    figures: Figures = {"disputed": int(disputed), "strategy_disabled": int(disabled)}
    halted = trading is _MAY_NOTHING
    blocked = halted and disputed if case.purpose == "emergency" else halted or case.increases
    if blocked:
        what = "the books are in dispute" if disputed else "the strategy is disabled" if disabled else "not all may go"
        return refused("trading_state", f"{trading}, {what}: {state.reason}", figures)
    return Check("trading_state", "pass", "", figures)


def in_flight(case: Case) -> Check:
    """Ask whether anything is under way in the plan's markets. An emergency has it cancelled first, so it marks."""
    flying = case.state.in_flight
    if not flying:
        return _NOTHING_IN_FLIGHT
    legs = case.plan.legs
    plans = [plan_id for plan_id, entry in flying.items() if _meets(entry, legs)]
    figures: Figures = {"plans_in_flight": len(plans)}
    if not plans:
        return Check("in_flight", "pass", "", figures)
    reason = f"in flight for the same market: {', '.join(plans)}"
    return Check("in_flight", "mark" if case.purpose == "emergency" else "refuse", reason, figures)


def _meets(entry: InFlight, legs: tuple[Leg, ...]) -> bool:
    return any(flying.market == leg.market for flying in entry.plan.legs for leg in legs)


def latency(case: Case) -> Check:
    """Ask whether reports come back fast enough to take on risk.

    Before the first measurement there is nothing to hold against a plan, and holding it back would mean that nothing
    could ever be measured: so it passes, and says that it was not measured.
    """
    measured_ms = case.context.latency_ms
    if measured_ms is None:
        return _NOT_MEASURED
    for limit_ms in (case.limits.latency_stop_ms, case.limits.latency_block_ms):
        if limit_ms is not None and measured_ms > limit_ms:
            figures: Figures = {"latency_ms": measured_ms, "limit_ms": limit_ms}
            return objected(case, "latency", f"reports take {measured_ms} ms, over {limit_ms} ms", figures)
    return Check("latency", "pass", "", {"latency_ms": measured_ms})


def plan_rate(case: Case) -> Check:
    """Ask whether fewer plans than allowed were made within the last minute."""
    most = case.limits.max_plans_per_minute_count
    if most is None:
        return _RATE_OFF
    since_ns = case.state.now_ns - 60 * SECOND_NS
    recent = 0
    for made_ns in case.state.recent_plans_ns:
        recent += made_ns > since_ns
    figures: Figures = {"plans": recent, "limit": most}
    if recent >= most:
        return refused("plan_rate", f"{recent} plans within a minute, {most} allowed", figures)
    return Check("plan_rate", "pass", "", figures)


def gas_reserve(case: Case) -> Check:
    """Ask whether the wallet keeps the gas that closing would take: a reduction may use it."""
    context, reserve_e9 = case.context, case.limits.gas_reserve_e9
    if not context.needs_gas:
        return _NO_GAS
    if reserve_e9 is None:
        return _GAS_OFF
    gas_e9 = context.gas_e9
    figures: Figures = {"gas_e9": gas_e9, "reserve_e9": reserve_e9}
    if gas_e9 is None:
        return unanswered(case, "gas_reserve", "the wallet's gas is not known", figures)
    if gas_e9 < reserve_e9:
        return objected(case, "gas_reserve", f"the wallet holds {gas_e9} lamports, reserve is {reserve_e9}", figures)
    return Check("gas_reserve", "pass", "", figures)
