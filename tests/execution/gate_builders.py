"""A small world for the gates: two assets with perp and spot, an account, and one plan of each sort."""

from dataclasses import dataclass, field, replace
from typing import Any

from msgspec import structs

from drift_engine.core.margin_monitor import margin_of
from drift_engine.core.types import (
    Account,
    ApprovedPlan,
    Check,
    EngineState,
    InFlight,
    Leg,
    Market,
    PerpPosition,
    PerpSpec,
    Refused,
    Spec,
    SpotBalance,
    SpotSpec,
    TradePlan,
)
from drift_engine.core.units import E6, E9
from drift_engine.execution.gate_context import GateContext
from drift_engine.execution.limits import Limits
from drift_engine.execution.safety_gates import review

NOW_NS = 1_760_000_000 * 10**9
SLOT = NOW_NS // 400_000_000
PRICE_E6 = 200 * E6
GATES_FOR_INCREASES = (
    "notional", "position", "leverage", "health_after", "delta", "edge", "plan_rate", "protocol_integrity",
)  # fmt: skip


def perp_spec(name: str, index: int, asset: str) -> PerpSpec:
    return PerpSpec(
        name, index, asset, "USDC", "o", 10**7, 100, 10**7, 500, 300, 50, 0, 10_000, 7_500, 7_500, 1_000, -200, "B"
    )


SOL_PERP = perp_spec("SOL-PERP", 0, "SOL")
ETH_PERP = perp_spec("ETH-PERP", 2, "ETH")
USDC = SpotSpec(
    "USDC", 0, "USDC", "o", 6, 1, 1, 1, 10_000, 10_000, 10_000, 10_000, 0, 0, 5_000, 0, 800_000, 52_500, 900_000
)
SOL = SpotSpec(
    "SOL", 1, "SOL", "o", 9, 10**7, 100, 10**7, 8_000, 9_000, 12_000, 11_000, 0, 7_500, 22_500, 1_000,
    800_000, 100_000, 1_500_000,
)  # fmt: skip
SPECS: dict[str, Spec] = {spec.name: spec for spec in (SOL_PERP, ETH_PERP, USDC, SOL)}


def market(spec: Spec, price_e6: int = PRICE_E6) -> Market:
    return Market(
        spec,
        ts_ns=NOW_NS,
        oracle_e6=price_e6,
        oracle_slot=SLOT,
        oracle_twap_e6=price_e6,
        mark_e6=price_e6,
        bid_e6=price_e6 - 10_000,
        ask_e6=price_e6 + 10_000,
    )


def markets() -> dict[str, Market]:
    return {name: market(spec, E6 if name == "USDC" else PRICE_E6) for name, spec in SPECS.items()}


def deposit(tokens_e6: int) -> SpotBalance:
    """Return a USDC balance before any interest: scaled in 1e9, tokens in 1e6."""
    return SpotBalance("USDC", tokens_e6 * 1_000)


def short_sol(base_e9: int) -> PerpPosition:
    quote_e6 = base_e9 * PRICE_E6 // E9
    return PerpPosition("SOL-PERP", -base_e9, quote_e6, quote_e6, quote_e6)


def hedged_account() -> Account:
    """10,000 USDC, 10 SOL, and a short of 10 SOL-PERP."""
    return Account("USDC", (deposit(10_000 * E6), SpotBalance("SOL", 10 * E9)), (short_sol(10 * E9),))


def leg(base_e9: int, limit_e6: int = PRICE_E6, name: str = "SOL-PERP", **more: Any) -> Leg:
    return Leg(name, base_e9, limit_e6, "perp" if name.endswith("PERP") else "spot", **more)


def plan_of(*legs: Leg, edge_e6: int | None = None, plan_id: str = "p1") -> TradePlan:
    return TradePlan(plan_id, legs, len(legs) > 1, "test", edge_e6, NOW_NS + 30 * E9)


INCREASE = plan_of(leg(-E9))
REDUCE = plan_of(leg(E9))
PLANS = {"increase": INCREASE, "reduce": REDUCE, "emergency": REDUCE}


@dataclass(frozen=True)
class Scene:
    """A state, a plan and the rest of a context; ``checks`` reviews it."""

    plan: TradePlan = INCREASE
    state: EngineState = field(
        default_factory=lambda: EngineState(now_ns=NOW_NS, slot=SLOT, account=hedged_account(), markets=markets())
    )
    limits: Limits = field(default_factory=Limits)
    more: dict[str, Any] = field(default_factory=dict)

    def with_state(self, **changes: Any) -> "Scene":
        return replace(self, state=replace(self.state, **changes))

    def with_limits(self, **changes: Any) -> "Scene":
        return replace(self, limits=structs.replace(self.limits, **changes))

    def with_context(self, **changes: Any) -> "Scene":
        return replace(self, more={**self.more, **changes})

    def with_market(self, name: str = "SOL-PERP", **changes: Any) -> "Scene":
        changed = structs.replace(self.state.markets[name], **changes)
        return self.with_state(markets={**self.state.markets, name: changed})

    def without_market(self, name: str) -> "Scene":
        """Take a market away; the margin is what it was while the market was known."""
        margin = margin_of(self.state.account, self.state.markets, NOW_NS)
        left = {key: value for key, value in self.state.markets.items() if key != name}
        return self.with_state(markets=left).with_context(margin=margin)

    def with_leg(self, **changes: Any) -> "Scene":
        legs = tuple(structs.replace(one, **changes) for one in self.plan.legs)
        return replace(self, plan=structs.replace(self.plan, legs=legs))

    def with_plan(self, plan: TradePlan) -> "Scene":
        return replace(self, plan=plan)

    def with_edge(self, edge_e6: int) -> "Scene":
        return replace(self, plan=structs.replace(self.plan, edge_e6=edge_e6))

    def flying(self, name: str) -> "Scene":
        entry = InFlight(plan_of(leg(E9, name=name), plan_id="p0"), NOW_NS, (0,))
        return self.with_state(in_flight={"p0": entry})

    def context(self) -> GateContext:
        given = dict(self.more)
        margin = given.pop("margin", None) or margin_of(self.state.account, self.state.markets, self.state.now_ns)
        specs = given.pop("specs", SPECS)
        return GateContext(self.state, margin, self.limits, specs, **given)

    def review(self) -> ApprovedPlan | Refused:
        return review(self.plan, self.context())

    def checks(self) -> dict[str, Check]:
        return {check.gate: check for check in self.review().checks}


def scene(purpose: str) -> Scene:
    """Return a scene where every gate is content, for a plan of the purpose."""
    return Scene(PLANS[purpose], more={"emergency": True} if purpose == "emergency" else {})
