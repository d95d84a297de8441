"""The matrix of the gates, each broken in turn, for a plan that increases, one that reduces, and an emergency."""

from collections.abc import Callable

import pytest
from gate_builders import GATES_FOR_INCREASES, NOW_NS, PRICE_E6, SLOT, SPECS, Scene, leg, plan_of, scene
from msgspec import structs

from drift_engine.core.margin_monitor import margin_of
from drift_engine.core.types import Account, ApprovedPlan, Hedge, Margin, Refused, Spec, Trading
from drift_engine.core.units import E6, E9

GATES = (
    "trading_state", "order_shape", "in_flight", "data_fresh", "oracle_sane", "latency", "limit_near_oracle",
    "gas_reserve", *GATES_FOR_INCREASES,
)  # fmt: skip
PURPOSES = ("increase", "reduce", "emergency")
ALWAYS = ("refuse", "refuse", "refuse")
MARKS = ("refuse", "mark", "mark")
SKIPS = ("refuse", "skip", "skip")
Change = Callable[[Scene], Scene]

# gate, what is wrong, the change, the verdict for (increase, reduce, emergency)
BROKEN: list[tuple[str, str, Change, tuple[str, str, str]]] = [
    ("trading_state", "reducing", lambda s: s.with_state(trading=Trading.REDUCING), ("refuse", "pass", "pass")),
    ("trading_state", "halted", lambda s: s.with_state(trading=Trading.HALTED), ("refuse", "refuse", "pass")),
    ("trading_state", "disputed", lambda s: s.with_state(trading=Trading.HALTED, disputed=True), ALWAYS),
    ("trading_state", "disabled", lambda s: s.with_state(strategy_disabled=True), ("refuse", "pass", "pass")),
    ("trading_state", "disputed, active", lambda s: s.with_state(disputed=True), ("refuse", "pass", "pass")),
    ("order_shape", "no legs", lambda s: s.with_plan(plan_of()), ALWAYS),
    ("order_shape", "nothing", lambda s: s.with_leg(base_e9=0), ALWAYS),
    ("order_shape", "off the step", lambda s: s.with_leg(base_e9=s.plan.legs[0].base_e9 // 10**7 * 10**7 + 1), ALWAYS),
    ("order_shape", "off the tick", lambda s: s.with_leg(limit_e6=PRICE_E6 + 1), ALWAYS),
    ("order_shape", "no price", lambda s: s.with_leg(limit_e6=0), ALWAYS),
    ("order_shape", "paused", lambda s: s.with_market(status="paused"), ALWAYS),
    ("order_shape", "delisted", lambda s: s.with_market(status="delisted"), ALWAYS),
    ("order_shape", "settlement", lambda s: s.with_market(status="settlement"), ALWAYS),
    ("order_shape", "closing only", lambda s: s.with_market(status="reduce_only"), ("refuse", "pass", "pass")),
    ("order_shape", "wrong kind", lambda s: s.with_leg(kind="spot"), ALWAYS),
    ("order_shape", "the quote", lambda s: s.with_plan(plan_of(leg(-E9, E6, name="USDC"))), ALWAYS),
    ("in_flight", "same market", lambda s: s.flying("SOL-PERP"), ("refuse", "refuse", "mark")),
    ("data_fresh", "old oracle", lambda s: s.with_market(oracle_slot=SLOT - 6), MARKS),
    ("data_fresh", "old feed", lambda s: s.with_market(ts_ns=NOW_NS - 5_001 * E6), MARKS),
    ("oracle_sane", "unsure", lambda s: s.with_market(oracle_confidence_e6=PRICE_E6 // 50 + 1), MARKS),
    ("oracle_sane", "far under twap", lambda s: s.with_market(oracle_twap_e6=PRICE_E6 * 10 // 9 + 1), MARKS),
    ("oracle_sane", "far over twap", lambda s: s.with_market(oracle_twap_e6=PRICE_E6 * 10 // 11 - 1), MARKS),
    ("latency", "blocked", lambda s: s.with_context(latency_ms=301), MARKS),
    ("latency", "stopped", lambda s: s.with_context(latency_ms=501), MARKS),
    ("gas_reserve", "low", lambda s: s.with_context(needs_gas=True, gas_e9=19_999_999), MARKS),
    ("notional", "over", lambda s: s.with_limits(max_notional_e6=200 * E6 - 1), SKIPS),
    ("position", "over", lambda s: s.with_limits(max_position_e6=2_200 * E6 - 1), SKIPS),
    ("leverage", "over", lambda s: s.with_limits(max_leverage_e4=1_000), SKIPS),
    ("health_after", "low", lambda s: s.with_limits(min_health_after_e4=9_990), SKIPS),
    ("health_after", "stale now", lambda s: s.with_context(margin=_stale(s)), SKIPS),
    ("delta", "over", lambda s: s.with_context(hedge=Hedge("SOL-PERP", "SOL", 100, 10**7)), SKIPS),
    ("edge", "not worth it", lambda s: s.with_edge(1), SKIPS),
    ("plan_rate", "too many", lambda s: s.with_state(recent_plans_ns=(NOW_NS - 1,) * 10), SKIPS),
    ("protocol_integrity", "other facts", lambda s: s.with_context(specs=_other_specs()), SKIPS),
    ("protocol_integrity", "a new market", lambda s: s.with_context(specs={}), SKIPS),
    ("protocol_integrity", "paused", lambda s: s.with_market(status="paused"), SKIPS),
    # what cannot be told
    ("order_shape", "no market", lambda s: s.without_market("SOL-PERP"), MARKS),
    ("data_fresh", "no market", lambda s: s.without_market("SOL-PERP"), MARKS),
    ("data_fresh", "no price", lambda s: s.with_market(oracle_e6=None), MARKS),
    ("oracle_sane", "no price", lambda s: s.with_market(oracle_e6=0), MARKS),
    ("oracle_sane", "no twap", lambda s: s.with_market(oracle_twap_e6=None), MARKS),
    ("oracle_sane", "a twap of nothing", lambda s: s.with_market(oracle_twap_e6=0), MARKS),
    ("limit_near_oracle", "no price", lambda s: s.with_market(oracle_e6=None), MARKS),
    ("gas_reserve", "not known", lambda s: s.with_context(needs_gas=True), MARKS),
    ("position", "no price", lambda s: s.with_limits(max_position_e6=1).with_market(oracle_e6=None), SKIPS),
    ("leverage", "no price", lambda s: s.with_market(oracle_e6=None), SKIPS),
    ("health_after", "no price", lambda s: s.with_market(oracle_e6=None), SKIPS),
    ("health_after", "other price", lambda s: s.with_market("SOL", oracle_e6=None), SKIPS),
    ("delta", "no market", lambda s: s.with_context(hedge=Hedge("SOL-PERP", "BTC", 100, E9)), SKIPS),
    ("delta", "no price", lambda s: _hedged(s).with_market(oracle_e6=None), SKIPS),
    ("edge", "no price", lambda s: s.with_edge(E9).with_market(oracle_e6=None), SKIPS),
    ("edge", "no quotes", lambda s: s.with_edge(E9).with_market(mark_e6=None, bid_e6=None, ask_e6=None), SKIPS),
    ("protocol_integrity", "no market", lambda s: s.without_market("SOL-PERP"), SKIPS),
]


def _hedged(s: Scene) -> Scene:
    return s.with_context(hedge=Hedge("SOL-PERP", "SOL", 100, 2 * E9))


def _stale(s: Scene) -> Margin:
    return structs.replace(margin_of(s.state.account, s.state.markets, NOW_NS), status="stale")


def _other_specs() -> dict[str, Spec]:
    return {**SPECS, "SOL-PERP": structs.replace(SPECS["SOL-PERP"], margin_maintenance_e4=301)}


@pytest.mark.parametrize("purpose", PURPOSES)
def test_a_plan_nothing_is_wrong_with_is_approved_with_every_gate_in_order(purpose: str) -> None:
    outcome = scene(purpose).review()
    assert isinstance(outcome, ApprovedPlan)
    assert outcome.emergency is (purpose == "emergency")
    assert tuple(check.gate for check in outcome.checks) == GATES
    assert {check.verdict for check in outcome.checks} <= {"pass", "skip"}


@pytest.mark.parametrize(("gate", "wrong", "change", "verdicts"), BROKEN, ids=[f"{b[0]}-{b[1]}" for b in BROKEN])
def test_each_gate_blocks_marks_or_skips_as_the_matrix_says(
    gate: str, wrong: str, change: Change, verdicts: tuple[str, str, str]
) -> None:
    for purpose, verdict in zip(PURPOSES, verdicts, strict=True):
        if wrong in {"no legs", "wrong kind", "nothing", "the quote"} and purpose != "increase":
            continue  # such a plan reduces nothing: see the tests of purpose
        outcome = change(scene(purpose)).review()
        checks = {check.gate: check for check in outcome.checks}
        assert checks[gate].verdict == verdict, (purpose, checks[gate])
        assert tuple(checks) == GATES, "all gates answer, whatever one says"
        if verdict == "refuse":
            assert isinstance(outcome, Refused)
            assert any(line.startswith(f"{gate}: ") for line in outcome.reasons)
        if verdict in {"refuse", "mark"}:
            assert checks[gate].reason.removeprefix("cannot tell: ")


def test_every_gate_is_broken_somewhere() -> None:
    assert {gate for gate, *_ in BROKEN} == set(GATES)


@pytest.mark.parametrize(("purpose", "side", "allowed_e4"), [
    ("increase", -1, 50), ("reduce", 1, 100), ("emergency", 1, 500),
])  # fmt: skip
def test_limits_may_be_as_far_from_the_oracle_as_the_purpose_allows(purpose: str, side: int, allowed_e4: int) -> None:
    edge_e6 = PRICE_E6 + side * PRICE_E6 * allowed_e4 // 10_000
    at = scene(purpose).with_leg(limit_e6=edge_e6).checks()["limit_near_oracle"]
    beyond = scene(purpose).with_leg(limit_e6=edge_e6 + side * 100).checks()["limit_near_oracle"]
    assert (at.verdict, at.figures) == ("pass", {"distance_e4": allowed_e4, "limit_e4": allowed_e4})
    assert (beyond.verdict, beyond.figures["distance_e4"]) == ("refuse", allowed_e4 + 1)


def test_an_emergency_widens_its_limit_by_attempts_and_no_plan_else_does() -> None:
    far = PRICE_E6 * 108 // 100
    assert scene("emergency").with_leg(limit_e6=far).checks()["limit_near_oracle"].verdict == "refuse"
    for purpose, verdict in (("emergency", "pass"), ("reduce", "refuse")):
        widened = scene(purpose).with_leg(limit_e6=far).with_context(emergency_distance_e4=800)
        assert widened.checks()["limit_near_oracle"].verdict == verdict


def test_a_limit_better_than_the_oracle_is_near_enough() -> None:
    check = scene("increase").with_leg(limit_e6=PRICE_E6 * 2).checks()["limit_near_oracle"]
    assert (check.verdict, check.figures["distance_e4"]) == ("pass", 0)


@pytest.mark.parametrize("name", ["no_legs", "quote"])
def test_a_plan_without_substance_is_refused_whatever_the_purpose(name: str) -> None:
    plan = plan_of() if name == "no_legs" else plan_of(leg(-E9, E6, name="USDC"))
    for purpose in PURPOSES:
        assert scene(purpose).with_plan(plan).checks()["order_shape"].verdict == "refuse"


def test_an_emergency_does_not_excuse_a_plan_that_increases() -> None:
    outcome = scene("increase").with_context(emergency=True).with_state(trading=Trading.REDUCING).review()
    assert isinstance(outcome, Refused)
    assert outcome.reasons == ("trading_state: REDUCING, not all may go: ",)
    approved = scene("increase").with_context(emergency=True).review()
    assert isinstance(approved, ApprovedPlan)
    assert not approved.emergency


def test_a_reduce_only_order_may_be_under_the_minimum() -> None:
    specs = {**SPECS, "SOL-PERP": structs.replace(SPECS["SOL-PERP"], min_order_e9=10**8)}
    small = scene("reduce").with_market(spec=specs["SOL-PERP"]).with_leg(base_e9=10**7)
    assert small.checks()["order_shape"].verdict == "refuse"
    assert small.with_leg(reduce_only=True).checks()["order_shape"].verdict == "pass"


def test_a_plan_in_flight_elsewhere_is_no_obstacle() -> None:
    check = scene("increase").flying("ETH-PERP").checks()["in_flight"]
    assert (check.verdict, check.figures) == ("pass", {"plans_in_flight": 0})


def test_limits_switched_off_are_not_asked() -> None:
    off = Scene(more={"needs_gas": True}).with_limits(
        max_leverage_e4=None, min_health_after_e4=None, edge_multiple_e4=None, max_plans_per_minute_count=None,
        gas_reserve_e9=None, max_oracle_age_slots=None, max_feed_age_ms=None, max_confidence_e4=None,
        max_twap_distance_e4=None, latency_block_ms=None, latency_stop_ms=None, limit_distance_e4=None,
    )  # fmt: skip
    bad = off.with_edge(0).with_leg(limit_e6=PRICE_E6 // 2).with_context(latency_ms=9_999)
    bad = bad.with_market(oracle_slot=0, ts_ns=0, oracle_twap_e6=None, oracle_confidence_e6=PRICE_E6)
    bad = bad.with_state(recent_plans_ns=(NOW_NS,) * 99)
    outcome = bad.review()
    assert isinstance(outcome, ApprovedPlan), outcome
    skips = {check.gate for check in outcome.checks if check.verdict == "skip"}
    assert skips == {"gas_reserve", "notional", "position", "leverage", "delta", "edge", "plan_rate"}


def test_the_venues_initial_margin_is_asked_even_where_the_health_limit_is_off() -> None:
    poor = Account("USDC", (), Scene().state.account.perps)
    check = scene("increase").with_state(account=poor).with_limits(min_health_after_e4=None).checks()["health_after"]
    assert check.verdict == "refuse"
    assert "initial margin" in check.reason


def test_generous_limits_pass_with_their_figures() -> None:
    generous = scene("increase").with_limits(max_notional_e6=200 * E6, max_position_e6=2_200 * E6)
    generous = generous.with_context(needs_gas=True, gas_e9=20_000_000, latency_ms=300)
    checks = generous.with_market(oracle_confidence_e6=PRICE_E6 // 50).with_leg(limit_e6=PRICE_E6).checks()
    assert checks["notional"].figures == {"notional_e6": 200 * E6, "limit_e6": 200 * E6}
    assert checks["position"].figures == {"position_e6": 2_200 * E6, "limit_e6": 2_200 * E6}
    assert checks["gas_reserve"].figures == {"gas_e9": 20_000_000, "reserve_e9": 20_000_000}
    assert checks["latency"].figures == {"latency_ms": 300}
    assert checks["oracle_sane"].figures == {"confidence_e4": 200, "twap_distance_e4": 0}
    assert {check.verdict for check in checks.values()} <= {"pass", "skip"}
