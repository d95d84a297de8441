"""From signal to approval, and the view a strategy decides on."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Literal

from msgspec import Struct

from drift_engine.core.vocabulary.account import Account, Margin
from drift_engine.core.vocabulary.markets import Kind, Market

Verdict = Literal["pass", "mark", "skip", "refuse"]
PlanStatus = Literal["filled", "partial", "expired", "rejected", "cancelled", "never_landed"]
ResultStatus = Literal["refused", "submitted", "filled", "unknown"]


class Trading(StrEnum):
    """What the engine may do: everything, only reduce, or nothing but an emergency close."""

    ACTIVE = "ACTIVE"
    REDUCING = "REDUCING"
    HALTED = "HALTED"


class TradeSignal(Struct, frozen=True, gc=False):
    """What a strategy wants to be true: the signed base it wants to hold in each market it names.

    ``edge_e6`` is the profit it expects of the change, in quote, before costs; ``None`` claims no edge.
    """

    targets: dict[str, int]
    reason: str
    edge_e6: int | None = None
    urgency: Literal["normal", "high"] = "normal"


class Leg(Struct, frozen=True, gc=False):
    """One order of a plan: signed base, and the worst price it may fill at."""

    market: str
    base_e9: int
    limit_e6: int
    kind: Kind
    reduce_only: bool = False
    post_only: bool = False


class TradePlan(Struct, frozen=True, gc=False):
    """How a signal becomes true. ``atomic``: all legs fill in one transaction, or none does."""

    plan_id: str
    legs: tuple[Leg, ...]
    atomic: bool
    reason: str
    edge_e6: int | None
    expires_ns: int


class Check(Struct, frozen=True, gc=False):
    """What one gate saw and said. ``figures`` name their units; ``reason`` is empty unless it marks or refuses."""

    gate: str
    verdict: Verdict
    reason: str
    figures: dict[str, int | None]


class ApprovedPlan(Struct, frozen=True, gc=False):
    """A plan that passed every gate. Only ``execution.safety_gates.review`` makes one; executors take nothing else."""

    plan: TradePlan
    checks: tuple[Check, ...]
    emergency: bool = False


class Refused(Struct, frozen=True, gc=False):
    """A plan that a gate refused, with every gate's figures."""

    plan: TradePlan
    checks: tuple[Check, ...]

    @property
    def reasons(self) -> tuple[str, ...]:
        """One line for each gate that refused: ``gate: reason``."""
        return tuple(f"{check.gate}: {check.reason}" for check in self.checks if check.verdict == "refuse")


class TradeResult(Struct, frozen=True, gc=False):
    """What is known of a plan when ``on_execute`` returns; the final outcome arrives as ``PlanClosed``."""

    plan_id: str
    status: ResultStatus
    reasons: tuple[str, ...] = ()
    fills: int = 0
    fees_e6: int = 0
    pnl_e6: int = 0


class Hedge(Struct, frozen=True, gc=False):
    """The bound a hedged strategy keeps: spot and perp of one asset, and how far the sum may stray from zero."""

    perp: str
    spot: str
    tolerance_e4: int
    floor_e9: int


class MarketState(Struct, frozen=True, gc=False):
    """The frozen view of one tick: all a strategy ever sees.

    ``in_flight`` names the markets of plans not yet closed; ``last_fill_ns`` is when anything last filled, 0 for never.
    ``margins`` is the margin, or what works it out from this very view when it is read.
    """

    now_ns: int
    slot: int
    markets: dict[str, Market]
    account: Account
    margins: Margin | Callable[[MarketState], Margin]
    trading: Trading
    in_flight: frozenset[str] = frozenset()
    last_fill_ns: int = 0
    pnl_e6: int = 0

    @property
    def margin(self) -> Margin:
        """The account's margin at this view's prices and time."""
        found = self.margins
        return found if isinstance(found, Margin) else found(self)
