"""The review every plan passes: the only place where an ``ApprovedPlan`` is made.

One gate asks one question and answers with a ``Check``: its name, a verdict, a reason and the figures it saw. All gates
answer, in the order below, whatever the others said; one refusal refuses the plan.

=====================================  ===========  ==============  ==========================================
gate                                   increases    only reduces    emergency
=====================================  ===========  ==============  ==========================================
trading_state                          ACTIVE       not HALTED      any, but HALTED with the books in dispute
order_shape                            blocks       blocks          blocks
in_flight                              blocks       blocks          marks (it cancels first)
data_fresh, oracle_sane, latency       blocks       marks           marks
limit_near_oracle                      0.5 %        1 %             5 %, widening
gas_reserve                            blocks       marks           marks
those of ``_for_increases``            blocks       skipped         skipped
=====================================  ===========  ==============  ==========================================

A gate that cannot answer blocks an increase and marks a reduction. What a plan does, ``gate_context.purpose`` tells.
"""

from operator import attrgetter

from drift_engine.core.types import ApprovedPlan, Check, Refused, TradePlan
from drift_engine.execution.gate_context import Case, GateContext, case_of
from drift_engine.execution.gates.conduct import gas_reserve, in_flight, latency, plan_rate, trading_state
from drift_engine.execution.gates.market import (
    data_fresh,
    limit_near_oracle,
    oracle_sane,
    order_shape,
    protocol_integrity,
)
from drift_engine.execution.gates.risk import delta, edge, health_after, leverage, notional, position
from drift_engine.execution.gates.verdicts import skipped

_verdict = attrgetter("verdict")
_SKIPPED = tuple(
    skipped(gate.__name__, "the plan only reduces")
    for gate in (notional, position, leverage, health_after, delta, edge, plan_rate, protocol_integrity)
)


def review(plan: TradePlan, context: GateContext) -> ApprovedPlan | Refused:
    """Ask every gate about a plan: approved with all their figures, or refused with them."""
    case = case_of(plan, context)
    checks = (
        trading_state(case),
        order_shape(case),
        in_flight(case),
        data_fresh(case),
        oracle_sane(case),
        latency(case),
        limit_near_oracle(case),
        gas_reserve(case),
        *(_for_increases(case) if case.increases else _SKIPPED),
    )
    if "refuse" in map(_verdict, checks):
        return Refused(plan, checks)
    return ApprovedPlan(plan, checks, case.purpose == "emergency")


def _for_increases(case: Case) -> tuple[Check, ...]:
    """Ask what only plans that increase are asked; for others each of these is skipped."""
    return (
        notional(case),
        position(case),
        leverage(case),
        health_after(case),
        delta(case),
        edge(case),
        plan_rate(case),
        protocol_integrity(case),
    )
