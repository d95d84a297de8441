"""What a gate may say.

A gate names itself, and gives the figures it saw; a reason is written only where there is something to tell. A pass is
a plain ``Check``, made where it is given: it is what the fast path makes most of.
``objected`` is for gates that block an increase and mark a reduction; ``unanswered`` is the same for figures that are
not known: not knowing never lets an increase through, and never stops a reduction.
"""

from drift_engine.core.types import Check
from drift_engine.execution.gate_context import Case

Figures = dict[str, int | None]


def refused(gate: str, reason: str, figures: Figures) -> Check:
    """Return that the plan must not go, whatever it does."""
    return Check(gate, "refuse", reason, figures)


def objected(case: Case, gate: str, reason: str, figures: Figures) -> Check:
    """Return that an increase must not go; on a reduction the objection is only recorded."""
    return Check(gate, "refuse" if case.increases else "mark", reason, figures)


def unanswered(case: Case, gate: str, missing: str, figures: Figures | None = None) -> Check:
    """Return that the gate cannot tell, for want of ``missing``: blocks an increase, marks a reduction."""
    return Check(gate, "refuse" if case.increases else "mark", f"cannot tell: {missing}", figures or {})


def skipped(gate: str, why: str) -> Check:
    """Return that the question does not arise."""
    return Check(gate, "skip", why, {})
