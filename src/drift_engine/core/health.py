"""Health as the TypeScript SDK shows it: 0 to 100, rounded, halves up.

Source: ``user.ts`` getHealth. ``Margin.health_e4`` is the same figure unrounded, of the worst scope; while a scope is
being liquidated its health is 0 whatever the figures say.
"""

from drift_engine.core.margin_scopes import CROSS, Scopes
from drift_engine.core.types import Account, ScopeMargin


def health_percent(collateral_e6: int, requirement_e6: int, *, being_liquidated: bool = False) -> int:
    """Return health in percent out of maintenance collateral and requirement."""
    if being_liquidated:
        return 0
    if requirement_e6 == 0 and collateral_e6 >= 0:
        return 100
    if collateral_e6 <= 0:
        return 0
    left_e6 = min(max(0, collateral_e6 - requirement_e6), collateral_e6)
    return (left_e6 * 200 + collateral_e6) // (2 * collateral_e6)


def health_of(account: Account, scopes: Scopes, scope: str = CROSS) -> int:
    """Return the health of a scope out of its maintenance margin: the cross margin's, or an isolated position's."""
    margin: ScopeMargin = scopes.scopes[scope]
    position = account.perp(scope)
    flagged = account.being_liquidated if scope == CROSS else position.being_liquidated or position.bankrupt
    return health_percent(margin.collateral_e6, margin.requirement_e6, being_liquidated=flagged)
