"""What a plan does, and the figures behind the gates that count money: worked out here by hand."""

from typing import Any

import pytest
from gate_builders import (
    GATES_FOR_INCREASES,
    NOW_NS,
    PRICE_E6,
    SLOT,
    SPECS,
    Scene,
    deposit,
    leg,
    markets,
    plan_of,
    scene,
    short_sol,
)
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from drift_engine.core.margin_monitor import margin_of
from drift_engine.core.types import (
    Account,
    ApprovedPlan,
    Hedge,
    InFlight,
    Leg,
    Refused,
    SpotBalance,
    TradePlan,
    Trading,
)
from drift_engine.core.units import E6, E9
from drift_engine.execution.gate_context import held_base_e9, purpose

SPOT_9 = leg(-9 * E9, name="SOL")


@pytest.mark.parametrize(
    ("legs", "does"),
    [
        ((leg(10 * E9),), "reduce"),
        ((leg(10 * E9 + 10**7),), "increase"),
        ((leg(10 * E9 + 10**7, reduce_only=True),), "reduce"),
        ((leg(-E9, reduce_only=True),), "increase"),
        ((leg(-E9),), "increase"),
        ((leg(0),), "increase"),
        ((leg(E9, name="ETH-PERP"),), "increase"),
        ((leg(E9, name="ETH-PERP", reduce_only=True),), "increase"),
        ((leg(-10 * E9, name="SOL"),), "reduce"),
        ((leg(-10 * E9 - 10**7, name="SOL"),), "increase"),
        ((leg(-10 * E9 - 10**7, name="SOL", reduce_only=True),), "increase"),
        ((leg(E9, name="SOL"),), "increase"),
        ((leg(-E9, name="wBTC"),), "increase"),
        ((leg(E9), SPOT_9), "reduce"),
        ((leg(E9), leg(E9, name="SOL")), "increase"),
        ((leg(6 * E9), leg(6 * E9)), "increase"),
        ((leg(5 * E9), leg(5 * E9)), "reduce"),
        ((leg(6 * E9), leg(6 * E9, reduce_only=True)), "increase"),
        ((leg(6 * E9, reduce_only=True), leg(6 * E9, reduce_only=True)), "reduce"),
    ],
)
def test_a_plan_only_reduces_when_every_leg_goes_toward_zero_and_none_crosses(legs: tuple[Leg, ...], does: str) -> None:
    assert purpose(plan_of(*legs), Scene().state) == does


def test_buying_back_a_borrow_reduces_and_borrowing_more_does_not() -> None:
    state = Scene().with_state(account=Account("USDC", (deposit(9_000 * E6), SpotBalance("SOL", -2 * E9)))).state
    assert held_base_e9(leg(E9, name="SOL"), state) == -2 * E9
    assert purpose(plan_of(leg(2 * E9, name="SOL")), state) == "reduce"
    assert purpose(plan_of(leg(2 * E9 + 10**7, name="SOL")), state) == "increase"
    assert purpose(plan_of(leg(-E9, name="SOL")), state) == "increase"


def test_a_spot_leg_on_a_perp_market_holds_nothing_that_could_be_reduced() -> None:
    assert held_base_e9(structs.replace(leg(E9), kind="spot"), Scene().state) is None


def test_health_and_leverage_after_are_those_of_the_account_with_the_plan_filled_at_its_limit() -> None:
    limit_e6 = PRICE_E6 - E6
    checks = scene("increase").with_leg(limit_e6=limit_e6).checks()
    quote_e6 = 2_000 * E6 + limit_e6 - 199_000  # sold one more, fee 10 bp of 199
    filled = structs.replace(short_sol(11 * E9), quote_e6=quote_e6)
    then = Account("USDC", Scene().state.account.spots, (filled,))
    margin = margin_of(then, markets(), NOW_NS)
    assert checks["leverage"].figures["leverage_e4"] == margin.leverage_e4
    assert checks["health_after"].figures["health_after_e4"] == margin.health_e4
    assert checks["health_after"].figures["initial_spare_e6"] == margin.collateral_initial_e6 - margin.initial_e6


@pytest.mark.parametrize(("name", "below"), [("min_health_after_e4", 1), ("max_leverage_e4", -1)])
def test_a_limit_met_exactly_passes_and_one_unit_beyond_refuses(name: str, below: int) -> None:
    gate, figure = {"min": ("health_after", "health_after_e4"), "max": ("leverage", "leverage_e4")}[name[:3]]
    exact = scene("increase").checks()[gate].figures[figure]
    assert exact is not None
    assert scene("increase").with_limits(**{name: exact}).checks()[gate].verdict == "pass"
    assert scene("increase").with_limits(**{name: exact + below}).checks()[gate].verdict == "refuse"


def test_swaps_under_way_count_as_filled_where_they_add_to_what_is_held() -> None:
    """Else each of two plans would be judged as if it were alone: no open order shows a swap."""

    def asked(plan: TradePlan, *flying: tuple[Leg, int]) -> tuple[int | None, int | None]:
        entries = {one.market: InFlight(plan_of(one), NOW_NS, (filled,)) for one, filled in flying}
        checks = scene("increase").with_plan(plan).with_state(in_flight=entries).checks()
        return checks["leverage"].figures["leverage_e4"], checks["health_after"].figures["health_after_e4"]

    perp, swap = leg(-E9), leg(60 * E9, name="SOL")
    together = asked(plan_of(leg(40 * E9, name="SOL"), perp))
    assert asked(plan_of(perp), (swap, 20 * E9)) == together != asked(plan_of(perp))
    assert asked(plan_of(perp), (leg(-5 * E9, name="SOL"), 0)) == asked(plan_of(perp)), "a reduction is not counted on"
    assert asked(plan_of(perp), (leg(E9, name="ETH-PERP"), 0)) == asked(plan_of(perp)), "orders are in the account"
    unknown = Leg("JUP", E9, PRICE_E6, "spot")
    assert asked(plan_of(perp), (unknown, 0)) == asked(plan_of(perp))
    unpriced = scene("increase").with_state(in_flight={"a": InFlight(plan_of(swap), NOW_NS, (0,))})
    refused = unpriced.with_market("SOL", oracle_e6=None).checks()
    assert (refused["health_after"].verdict, refused["leverage"].verdict) == ("refuse", "refuse")


def test_the_tip_and_spot_fees_are_paid_before_health_is_asked() -> None:
    buy = scene("increase").with_plan(plan_of(leg(E9, name="SOL")))
    spare = buy.checks()["health_after"].figures["initial_spare_e6"]
    tipped = buy.with_context(tip_e6=7 * E6).checks()["health_after"].figures["initial_spare_e6"]
    assert spare is not None
    assert tipped == spare - 7 * E6


def test_without_the_quote_market_a_spot_plan_cannot_be_judged() -> None:
    buy = scene("increase").with_plan(plan_of(leg(E9, name="SOL"))).without_market("USDC")
    checks = buy.with_limits(max_position_e6=E9).checks()
    for gate in ("health_after", "leverage", "position"):
        assert (checks[gate].verdict, checks[gate].reason[:11]) == ("refuse", "cannot tell")


HEDGE = Hedge("SOL-PERP", "SOL", 100, 10**7)


@pytest.mark.parametrize(
    ("legs", "spot_e9", "verdict", "net_after_e9"),
    [
        ((leg(-E9), leg(E9, name="SOL")), 10 * E9, "pass", 0),
        ((leg(-E9),), 10 * E9, "refuse", -E9),
        ((leg(-E9),), 11 * E9, "pass", 0),
        ((leg(-E9),), 12 * E9, "pass", E9),
        ((leg(-12 * E9),), 11 * E9, "refuse", -11 * E9),
        ((leg(-2 * E9),), 11 * E9, "pass", -E9),
        ((leg(-(10**8)),), 10 * E9, "pass", -(10**8)),
        ((leg(-110_000_000),), 10 * E9, "refuse", -110_000_000),
        ((leg(E9, name="ETH-PERP"),), 15 * E9, "pass", 5 * E9),
    ],
)
def test_a_hedged_plan_may_not_leave_the_net_delta_larger_than_it_is_or_than_the_tolerance(
    legs: tuple[Leg, ...], spot_e9: int, verdict: str, net_after_e9: int
) -> None:
    account = Account("USDC", (deposit(50_000 * E6), SpotBalance("SOL", spot_e9)), (short_sol(10 * E9),))
    check = scene("increase").with_state(account=account).with_plan(plan_of(*legs)).with_context(hedge=HEDGE)
    answer = check.checks()["delta"]
    assert (answer.verdict, answer.figures["net_after_e9"]) == (verdict, net_after_e9)
    assert answer.figures["net_before_e9"] == spot_e9 - 10 * E9


def test_a_lone_leg_hedges_nothing_so_only_the_floor_is_tolerated() -> None:
    bare = scene("increase").with_state(account=Account("USDC", (deposit(50_000 * E6),))).with_context(hedge=HEDGE)
    for base_e9, verdict in ((10**7, "pass"), (2 * 10**7, "refuse")):
        check = bare.with_plan(plan_of(leg(base_e9))).checks()["delta"]
        assert (check.verdict, check.figures["tolerance_e9"]) == (verdict, 10**7)


def test_a_borrow_counts_against_the_net_delta() -> None:
    account = Account("USDC", (deposit(50_000 * E6), SpotBalance("SOL", -5 * E9)))
    plan = plan_of(leg(5 * E9))
    check = scene("increase").with_state(account=account).with_plan(plan).with_context(hedge=HEDGE).checks()["delta"]
    assert (check.verdict, check.figures["net_before_e9"], check.figures["net_after_e9"]) == ("pass", -5 * E9, 0)


# selling 1 SOL at the bid 199.99: fee 199_990, half spread 10_000; buying 1 SOL spot at 200.01: fee 200_010 and 10_000
@pytest.mark.parametrize(
    ("legs", "tip_e6", "cost_e6"),
    [
        ((leg(-E9),), 0, 209_990),
        ((leg(-E9),), 5_000, 214_990),
        ((leg(-E9), leg(E9, name="SOL")), 0, 209_990 + 210_010),
        ((leg(-E9, post_only=True),), 0, 10_000),
    ],
)
def test_the_edge_must_be_worth_twice_fees_spread_and_tip(legs: tuple[Leg, ...], tip_e6: int, cost_e6: int) -> None:
    for edge_e6, verdict in ((2 * cost_e6, "pass"), (2 * cost_e6 - 1, "refuse")):
        plan = plan_of(*legs, edge_e6=edge_e6)
        check = scene("increase").with_plan(plan).with_context(tip_e6=tip_e6).checks()["edge"]
        assert (check.verdict, check.figures["cost_e6"]) == (verdict, cost_e6)


def test_without_a_quote_the_mark_is_the_price_expected_and_a_better_price_is_no_income() -> None:
    at_mark = scene("increase").with_edge(E9).with_market(bid_e6=None, mark_e6=PRICE_E6 - E6).checks()["edge"]
    assert at_mark.figures["cost_e6"] == 199_000 + E6
    better = scene("increase").with_edge(E9).with_market(bid_e6=PRICE_E6 + E6).checks()["edge"]
    assert better.figures["cost_e6"] == 201_000


def test_what_is_not_claimed_or_not_measured_is_recorded_as_such() -> None:
    checks = scene("increase").checks()
    assert (checks["edge"].verdict, checks["edge"].reason) == ("pass", "not claimed")
    assert (checks["latency"].verdict, checks["latency"].reason) == ("pass", "not measured yet")
    assert checks["latency"].figures == {"latency_ms": None}


def test_plans_older_than_a_minute_do_not_count() -> None:
    made = (NOW_NS - 60 * E9,) * 5 + (NOW_NS - 60 * E9 + 1,) * 9
    check = scene("increase").with_state(recent_plans_ns=made).checks()["plan_rate"]
    assert (check.verdict, check.figures) == ("pass", {"plans": 9, "limit": 10})


def test_the_worst_leg_speaks_for_the_plan() -> None:
    both = plan_of(leg(-E9), leg(E9, PRICE_E6 + E6 // 2, name="SOL"))
    old = scene("increase").with_plan(both).with_market("SOL", ts_ns=NOW_NS - 3 * E9, oracle_twap_e6=PRICE_E6 - E6)
    checks = old.checks()
    assert checks["data_fresh"].figures == {"oracle_age_slots": 0, "feed_age_ms": 3_000}
    assert checks["oracle_sane"].figures["twap_distance_e4"] == 51  # 1 of 199, rounded up
    assert checks["limit_near_oracle"].figures["distance_e4"] == 25
    assert isinstance(old.review(), ApprovedPlan)


def test_equal_facts_are_the_same_facts() -> None:
    copies = {name: structs.replace(spec) for name, spec in SPECS.items()}
    assert scene("increase").with_context(specs=copies).checks()["protocol_integrity"].verdict == "pass"


def test_market_figures_exactly_at_their_limits_pass() -> None:
    at_limit = scene("increase").with_market(
        oracle_slot=SLOT - 5, ts_ns=NOW_NS - 5_000 * E6, oracle_twap_e6=PRICE_E6 * 10 // 11 + 1
    )
    checks = at_limit.checks()
    assert checks["data_fresh"].figures == {"oracle_age_slots": 5, "feed_age_ms": 5_000}
    assert checks["oracle_sane"].figures["twap_distance_e4"] == 1_000
    assert isinstance(at_limit.review(), ApprovedPlan)


# ------------------------------------------------------------------ invariants

ODD = st.sampled_from([None, 0, 1, PRICE_E6 // 2, PRICE_E6, PRICE_E6 * 3])
ROUGH = st.fixed_dictionaries(
    {
        "oracle_e6": ODD, "oracle_twap_e6": ODD, "mark_e6": ODD, "bid_e6": ODD, "ask_e6": ODD,
        "oracle_confidence_e6": st.integers(0, PRICE_E6), "oracle_slot": st.integers(0, NOW_NS // 4 // 10**8),
        "ts_ns": st.integers(0, NOW_NS),
    }
)  # fmt: skip
AMOUNT = st.integers(1, 1_000).map(lambda steps: steps * 10**7)


@given(
    base_e9=AMOUNT,
    rough=ROUGH,
    deposited_e6=st.integers(0, 3_000 * E6),
    edge_e6=st.one_of(st.none(), st.integers(-E9, E9)),
    latency_ms=st.one_of(st.none(), st.integers(0, 9_999)),
    trading=st.sampled_from([Trading.ACTIVE, Trading.REDUCING]),
    plans=st.integers(0, 99),
    facts=st.booleans(),
)
def test_a_plan_that_only_reduces_is_held_up_by_nothing_but_its_shape_its_limit_and_what_is_in_flight(
    *,
    base_e9: int,
    rough: dict[str, Any],
    deposited_e6: int,
    edge_e6: int | None,
    latency_ms: int | None,
    trading: Trading,
    plans: int,
    facts: bool,
) -> None:
    account = Account("USDC", (deposit(deposited_e6),), (short_sol(10 * E9),))
    rough_scene = scene("reduce").with_market(**rough).with_plan(plan_of(leg(base_e9), edge_e6=edge_e6))
    rough_scene = rough_scene.with_state(account=account, trading=trading, recent_plans_ns=(NOW_NS,) * plans)
    rough_scene = rough_scene.with_limits(max_notional_e6=1, max_position_e6=1, max_leverage_e4=1)
    rough_scene = rough_scene.with_context(
        latency_ms=latency_ms, needs_gas=True, hedge=HEDGE, specs=SPECS if facts else {}
    )
    outcome = rough_scene.review()
    refusing = {check.gate for check in outcome.checks if check.verdict == "refuse"}
    assert refusing <= {"limit_near_oracle"}
    oracle_e6 = rough["oracle_e6"]
    if not oracle_e6 or oracle_e6 >= PRICE_E6:  # buying at 200 is then no worse than the oracle
        assert isinstance(outcome, ApprovedPlan)
    skipped = {check.gate for check in outcome.checks if check.verdict == "skip"}
    assert set(GATES_FOR_INCREASES) <= skipped


@given(
    hole=st.sampled_from(["oracle_e6", "oracle_twap_e6", "market", "quotes", "USDC", "margin", "gas", "old"]),
    name=st.sampled_from(["SOL-PERP", "SOL"]),
    base_e9=AMOUNT,
    edge_e6=st.integers(0, 10**15),
)
def test_what_is_not_known_never_lets_an_increase_through(hole: str, name: str, base_e9: int, edge_e6: int) -> None:
    side = -1 if name == "SOL-PERP" else 1
    whole = scene("increase").with_plan(plan_of(leg(side * base_e9, name=name), edge_e6=edge_e6 + E9))
    holed = {
        "oracle_e6": lambda: whole.with_market(name, oracle_e6=None),
        "oracle_twap_e6": lambda: whole.with_market(name, oracle_twap_e6=None),
        "market": lambda: whole.without_market(name),
        "quotes": lambda: whole.with_market(name, mark_e6=None, bid_e6=None, ask_e6=None),
        "USDC": lambda: whole.without_market("USDC").with_context(tip_e6=1),
        "margin": lambda: whole.with_context(margin=structs.replace(whole.context().margin, status="unknown")),
        "gas": lambda: whole.with_context(needs_gas=True),
        "old": lambda: whole.with_market(name, oracle_slot=0, ts_ns=0),
    }[hole]()
    assert isinstance(holed.review(), Refused)


def test_the_same_plans_pass_where_everything_is_known() -> None:
    for name, side in (("SOL-PERP", -1), ("SOL", 1)):
        plan = plan_of(leg(side * E9, name=name), edge_e6=E9)
        assert isinstance(scene("increase").with_plan(plan).review(), ApprovedPlan)
