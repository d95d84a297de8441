"""The only way from a plan to a venue: review, write down, send.

Strategies get the desk through ``bind``; the emergency close uses the same one. A refusal is written down as well: the
journal can always say why nothing was traded. Nothing here waits: the executor takes the plan, the outcome comes back
through the inbox.
"""

from collections.abc import Callable, Mapping

from msgspec import structs

from drift_engine.core.types import (
    ApprovedPlan,
    Decided,
    EngineState,
    Event,
    Hedge,
    Margin,
    MarketState,
    Spec,
    Submitted,
    TradePlan,
    TradeResult,
    TradeSignal,
)
from drift_engine.execution.gate_context import GateContext
from drift_engine.execution.latency_monitor import LatencyMonitor
from drift_engine.execution.limits import Limits
from drift_engine.execution.ports import Executor
from drift_engine.execution.safety_gates import review


class ReviewDesk:
    """Reviews plans against the state of this tick, journals what was decided, and submits what was approved.

    ``abandoned`` tells that a replayed run ended between a decision and its order: then the order was never sent, and
    it is not sent now, as its moment is over.
    """

    def __init__(
        self,
        state: EngineState,
        process: Callable[[Event], None],
        executor: Executor,
        limits: Limits,
        latency: LatencyMonitor,
    ) -> None:
        self._state = state
        self._process = process
        self._executor = executor
        self._limits = limits
        self._latency = latency
        self.view: MarketState | None = None
        self.hedge: Hedge | None = None
        self.specs: Mapping[str, Spec] = {}
        self.abandoned: Callable[[], bool] = lambda: False

    @property
    def state(self) -> MarketState:
        """The view of the tick under way."""
        if self.view is None:
            raise RuntimeError("there is no tick under way")
        return self.view

    def next_plan_id(self) -> str:
        """Return the id of the next plan: they are counted, so a replay gives the same ones."""
        return f"p{self._state.plans + 1}"

    def is_free_for(self, signal: TradeSignal) -> bool:
        """Whether nothing is under way in the markets a signal names. Raises ``TypeError`` where it is no signal."""
        require_signal(signal)
        return self.state.in_flight.isdisjoint(signal.targets)

    async def submit(self, plan: TradePlan, signal: TradeSignal) -> TradeResult:
        """Review a strategy's plan, send it if every gate agrees. Raises ``TypeError`` where money is no ``int``.

        A plan goes under the desk's next id, whatever it calls itself: a venue that met an id before would never tell
        what became of it. The result names it.
        """
        require_integers(plan, signal)
        plan_id = self.next_plan_id()
        if plan.plan_id != plan_id:
            plan = structs.replace(plan, plan_id=plan_id)
        return self._decide(plan, signal, self.state.margin, distance_e4=None)

    def submit_by_hand(self, plan: TradePlan, signal: TradeSignal, margin: Margin) -> TradeResult:
        """Review what a human asked for, as strictly as a strategy's plan. Only ``Commands`` calls this."""
        return self._decide(plan, signal, margin, distance_e4=None)

    def submit_emergency(self, plan: TradePlan, margin: Margin, distance_e4: int) -> TradeResult:
        """Review an emergency close: the gates mark what they would otherwise refuse. Only the engine calls this."""
        return self._decide(plan, None, margin, distance_e4=distance_e4)

    def _decide(
        self, plan: TradePlan, signal: TradeSignal | None, margin: Margin, distance_e4: int | None
    ) -> TradeResult:
        now_ns, emergency = self._state.now_ns, distance_e4 is not None
        verdict = review(plan, self._context(margin, distance_e4, now_ns))
        approved = type(verdict) is ApprovedPlan
        self._process(Decided(now_ns, signal, plan, verdict.checks, approved, emergency))
        if not isinstance(verdict, ApprovedPlan):
            return TradeResult(plan.plan_id, "refused", verdict.reasons)
        if self.abandoned():
            return TradeResult(plan.plan_id, "unknown", ("the run ended between this decision and its order",))
        self._process(Submitted(now_ns, plan, emergency))
        self._executor.submit(verdict, now_ns)
        return TradeResult(plan.plan_id, "submitted")

    def _context(self, margin: Margin, distance_e4: int | None, now_ns: int) -> GateContext:
        return GateContext(
            self._state,
            margin,
            self._limits,
            self.specs,
            self._latency.average_ms(now_ns),
            self.hedge,
            distance_e4 is not None,
            distance_e4,
        )


def require_signal(answer: object) -> None:
    """Raise ``TypeError`` where what a strategy answered is no signal: types are not checked when one is made."""
    if not isinstance(answer, TradeSignal):
        raise TypeError(f"on_tick returned {type(answer).__name__}; it returns a TradeSignal or None")
    if not isinstance(answer.targets, Mapping):
        raise TypeError(f"a signal's targets are {type(answer.targets).__name__}; they map market names to targets")


def require_integers(plan: TradePlan, signal: TradeSignal) -> None:
    """Raise ``TypeError`` where a strategy counts in anything but ``int``: a journal could not tell it again."""
    for name, base_e9 in signal.targets.items():
        if type(base_e9) is not int:
            raise _no_integer(f"target of {name}", base_e9)
    for leg in plan.legs:
        if type(leg.base_e9) is not int:
            raise _no_integer(f"base of {leg.market}", leg.base_e9)
        if type(leg.limit_e6) is not int:
            raise _no_integer(f"limit of {leg.market}", leg.limit_e6)
    for edge_e6 in (plan.edge_e6, signal.edge_e6):
        if edge_e6 is not None and type(edge_e6) is not int:
            raise _no_integer("edge", edge_e6)


def _no_integer(what: str, figure: object) -> TypeError:
    return TypeError(f"the {what} is {figure!r}, which is {type(figure).__name__}; money is counted in int")
