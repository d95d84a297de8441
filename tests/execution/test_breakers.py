"""The breakers: what trips each, at the very unit, in which order, and that none tells the same twice."""

from dataclasses import replace
from typing import Any

import pytest
from gate_builders import NOW_NS, SOL, deposit, hedged_account, market, markets
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from drift_engine.core.margin_bands import slack_e6
from drift_engine.core.market_moves import apply_tick
from drift_engine.core.types import (
    Account,
    AccountObserved,
    EngineState,
    FundingPaid,
    Holding,
    Margin,
    MarketUpdated,
    SpotBalance,
    StateChanged,
    Trading,
)
from drift_engine.core.units import DAY_NS, E6, E9, HOUR_NS
from drift_engine.execution.breakers import breach, failure, has_exposure, recovery
from drift_engine.execution.limits import Limits
from drift_engine.execution.watch import Watch

CAPITAL_E6 = 10_000 * E6
OFF = Limits(
    emergency_health_e4=None, daily_drawdown_e4=None, strategy_drawdown_e4=None, account_drawdown_e4=None
)  # fmt: skip


def margin(health_e4: int | None = 9_000) -> Margin:
    asked_e6 = 0 if health_e4 is None else 10_000 - health_e4
    return Margin(10_000, asked_e6, 0, 0, 0, 0, NOW_NS, "unknown" if health_e4 is None else "known")


def state(equity_e6: int = CAPITAL_E6, **more: Any) -> EngineState:
    given: dict[str, Any] = {
        "now_ns": NOW_NS, "account": hedged_account(), "markets": markets(), "equity_e6": equity_e6,
        "net_deposits_e6": equity_e6, "high_water_e6": CAPITAL_E6, "day_equity_e6": CAPITAL_E6,
        "trough_e6": equity_e6, "next_day_ns": NOW_NS + 1,
    }  # fmt: skip
    return EngineState(**{**given, **more})


def told(at: EngineState, health_e4: int | None = 9_000, limits: Limits | None = None) -> StateChanged | None:
    return breach(at, margin(health_e4), limits or Limits(), CAPITAL_E6)


def test_nothing_trips_in_calm() -> None:
    assert told(state()) is None


def test_an_empty_account_has_lost_nothing() -> None:
    assert told(state(0, high_water_e6=0, day_equity_e6=0)) is None


@pytest.mark.parametrize(
    ("at", "just_above", "cause"),
    [
        (state(9_500 * E6), state(9_500 * E6 + 1), "daily"),
        (state(8_500 * E6, net_deposits_e6=CAPITAL_E6, high_water_e6=0),
         state(8_500 * E6 + 1, net_deposits_e6=CAPITAL_E6, high_water_e6=0, day_equity_e6=0), "strategy"),
        (state(9_000 * E6), state(9_000 * E6 + 1, day_equity_e6=0), "account"),
    ],
)  # fmt: skip
def test_each_drawdown_trips_at_its_very_unit(at: EngineState, just_above: EngineState, cause: str) -> None:
    change = told(at)
    assert change is not None
    assert change.cause == cause
    assert told(just_above) is None
    assert told(at, limits=OFF) is None


def test_health_trips_under_its_limit_and_not_at_it() -> None:
    change = told(state(), 1_499)
    assert change is not None
    assert (change.cause, change.trading, change.closing, change.latched) == ("health", Trading.REDUCING, 1, True)
    assert told(state(), 1_500) is None
    assert told(state(), 0, OFF) is None


def test_health_that_is_not_known_is_no_zero() -> None:
    assert told(state(), None) is None


@pytest.mark.parametrize("trading", list(Trading))
def test_health_trips_in_every_trading_state_unless_the_books_are_in_dispute(trading: Trading) -> None:
    change = told(state(trading=trading, latched=trading is Trading.HALTED), 0)
    assert change is not None
    assert change.cause == "health"
    assert told(state(trading=trading, disputed=True), 0) is None


def test_the_worst_is_told_first() -> None:
    ruin = state(1, net_deposits_e6=CAPITAL_E6)
    causes = []
    limits: dict[str, Any] = {}
    for name in ("emergency_health_e4", "account_drawdown_e4", "strategy_drawdown_e4", "daily_drawdown_e4"):
        change = told(ruin, 0, Limits(**limits))
        assert change is not None
        causes.append(change.cause)
        limits[name] = None
    assert causes == ["health", "account", "strategy", "daily"]
    assert told(ruin, 0, Limits(**limits)) is None


@pytest.mark.parametrize("cause", ["health", "account", "strategy"])
def test_what_must_close_starts_the_close_latched(cause: str) -> None:
    limits = {"health": Limits(), "account": Limits(), "strategy": Limits(account_drawdown_e4=None)}[cause]
    change = told(state(1, net_deposits_e6=CAPITAL_E6), 0 if cause == "health" else 9_000, limits)
    assert change == StateChanged(
        NOW_NS, Trading.REDUCING, change.reason if change else "", cause,  # type: ignore[arg-type]
        latched=True, closing=1, strategy_disabled=cause == "strategy",
    )  # fmt: skip


def test_the_daily_breaker_keeps_positions_and_ends_at_midnight() -> None:
    change = told(state(9_400 * E6))
    assert change is not None
    assert (change.trading, change.closing, change.latched) == (Trading.REDUCING, 0, False)
    assert change.until_ns % DAY_NS == 0
    assert 0 < change.until_ns - NOW_NS <= DAY_NS
    at_midnight = told(state(9_400 * E6, now_ns=NOW_NS // DAY_NS * DAY_NS))
    assert at_midnight is not None
    assert at_midnight.until_ns == NOW_NS // DAY_NS * DAY_NS + DAY_NS


@pytest.mark.parametrize(
    "already",
    [
        {"closing": 1, "trading": Trading.REDUCING, "latched": True},
        {"closing": 3, "trading": Trading.HALTED, "latched": True},
        {"disputed": True, "trading": Trading.HALTED},
    ],
)
def test_nothing_is_told_while_a_close_is_under_way_or_the_books_are_in_dispute(already: dict[str, Any]) -> None:
    assert told(state(1, net_deposits_e6=CAPITAL_E6, **already), 0) is None


def test_a_latch_silences_all_but_failing_health_with_something_left_to_close() -> None:
    latched: dict[str, Any] = {"trading": Trading.HALTED, "latched": True, "net_deposits_e6": CAPITAL_E6}
    assert told(state(1, **latched), 9_000) is None
    change = told(state(1, **latched), 0)
    assert change is not None
    assert change.cause == "health"
    assert told(state(1, account=Account("USDC", (deposit(1),)), **latched), 0) is None


def test_a_disabled_strategy_trips_its_breaker_once_and_stays_disabled_through_others() -> None:
    disabled = state(9_400 * E6, net_deposits_e6=2 * CAPITAL_E6, strategy_disabled=True)
    change = told(disabled)
    assert change is not None
    assert (change.cause, change.strategy_disabled) == ("daily", True)


@pytest.mark.parametrize(
    ("limits", "cause"), [(Limits(), "account"), (structs.replace(OFF, strategy_drawdown_e4=1_500), "strategy")]
)
def test_what_a_failed_strategy_left_open_is_still_closed_by_a_drawdown(limits: Limits, cause: str) -> None:
    failed = failure(state(), "ZeroDivisionError")
    assert failed is not None
    more: dict[str, Any] = {"trading": failed.trading, "latched": failed.latched, "strategy_disabled": True}
    change = told(state(8_500 * E6, net_deposits_e6=CAPITAL_E6, **more), limits=limits)
    assert change is not None
    assert (change.cause, change.closing, change.strategy_disabled) == (cause, 1, True)
    assert told(state(8_500 * E6, net_deposits_e6=CAPITAL_E6, account=Account("USDC", (deposit(1),)), **more)) is None


@pytest.mark.parametrize("trading", [Trading.REDUCING, Trading.HALTED])
def test_the_daily_breaker_trips_only_while_active(trading: Trading) -> None:
    assert told(state(9_400 * E6, trading=trading)) is None


def test_a_strategy_without_capital_has_no_share_to_lose() -> None:
    lost = state(CAPITAL_E6, net_deposits_e6=2 * CAPITAL_E6)
    assert breach(lost, margin(), Limits(), 0) is None


def test_only_what_an_emergency_close_could_close_counts_as_exposure() -> None:
    def exposed(*spots: SpotBalance) -> bool:
        return has_exposure(state(account=Account("USDC", spots)))

    assert has_exposure(state())
    assert not exposed(deposit(5), SpotBalance("SOL"))
    assert not exposed(SpotBalance("SOL", -(10**7) + 1)), "what is under the venue's minimum cannot be bought"
    assert exposed(SpotBalance("SOL", -(10**7)))
    coarse = structs.replace(SOL, min_order_e9=10**8)
    known = {**markets(), "SOL": market(coarse)}
    borrow = Account("USDC", (SpotBalance("SOL", -(10**8) + 1),))
    assert not has_exposure(state(account=borrow, markets=known))
    assert not exposed(deposit(-5), SpotBalance("SOL", 10**9)), "a deposit may stay"


def test_what_was_lost_before_a_human_resumed_does_not_count() -> None:
    lost = {"net_deposits_e6": 2 * CAPITAL_E6, "high_water_e6": CAPITAL_E6}
    change = told(state(CAPITAL_E6, **lost))
    assert change is not None
    assert change.cause == "strategy"
    assert told(state(CAPITAL_E6, pnl_at_reset_e6=-CAPITAL_E6, **lost)) is None
    again = told(state(CAPITAL_E6, pnl_at_reset_e6=-CAPITAL_E6 * 85 // 100, **lost))
    assert again is not None


UNTIL_NS = NOW_NS // DAY_NS * DAY_NS + DAY_NS


def test_recovery_comes_at_the_end_of_the_day_and_not_before() -> None:
    reducing: dict[str, Any] = {"trading": Trading.REDUCING, "until_ns": UNTIL_NS}
    assert recovery(state(now_ns=UNTIL_NS - 1, **reducing)) is None
    change = recovery(state(now_ns=UNTIL_NS, strategy_disabled=True, **reducing))
    assert change is not None
    assert (change.trading, change.cause, change.until_ns, change.strategy_disabled) == (Trading.ACTIVE, "day", 0, True)
    assert recovery(state(now_ns=UNTIL_NS)) is None


@pytest.mark.parametrize("held", [{"latched": True}, {"disputed": True}, {"closing": 1}, {"trading": Trading.HALTED}])
def test_recovery_lifts_nothing_but_the_daily_breaker(held: dict[str, Any]) -> None:
    assert recovery(state(now_ns=UNTIL_NS, **{"trading": Trading.REDUCING, "until_ns": UNTIL_NS, **held})) is None


@given(
    equity_e6=st.integers(-CAPITAL_E6, 2 * CAPITAL_E6),
    high_e6=st.integers(0, 2 * CAPITAL_E6),
    day_e6=st.integers(-E9, 2 * CAPITAL_E6),
    deposits_e6=st.integers(0, 2 * CAPITAL_E6),
    health_e4=st.one_of(st.none(), st.integers(0, 10_000)),
    disabled=st.booleans(),
)
def test_a_state_that_was_changed_as_told_is_not_told_again(
    *, equity_e6: int, high_e6: int, day_e6: int, deposits_e6: int, health_e4: int | None, disabled: bool
) -> None:
    before = state(
        equity_e6, high_water_e6=high_e6, day_equity_e6=day_e6, net_deposits_e6=deposits_e6, strategy_disabled=disabled
    )
    change = told(before, health_e4)
    if change is None:
        return
    after = state(
        equity_e6, high_water_e6=high_e6, day_equity_e6=day_e6, net_deposits_e6=deposits_e6,
        trading=change.trading, latched=change.latched, closing=change.closing, until_ns=change.until_ns,
        strategy_disabled=change.strategy_disabled,
    )  # fmt: skip
    assert told(after, health_e4) is None
    assert change.strategy_disabled >= disabled


@given(
    st.integers(8_400 * E6, 10_100 * E6),
    st.integers(9_000 * E6, 11_000 * E6),
    st.integers(9_000 * E6, 11_000 * E6),
    st.integers(-1_000 * E6, 1_000 * E6),
    st.one_of(st.none(), st.integers(0, 10_000)),
    st.sampled_from(list(Trading)),
    st.booleans(),
    st.sampled_from([Limits(), OFF, structs.replace(Limits(), daily_drawdown_e4=None)]),
)
def test_a_calm_watch_is_never_wrong(
    equity_e6: int,
    high_e6: int,
    day_e6: int,
    reset_e6: int,
    health_e4: int | None,
    trading: Trading,
    latched: bool,
    limits: Limits,
) -> None:
    watch = Watch(limits, CAPITAL_E6)
    watch.stay_calm_until(NOW_NS + 1)
    at = state(
        equity_e6,
        net_deposits_e6=CAPITAL_E6,
        high_water_e6=high_e6,
        day_equity_e6=day_e6,
        pnl_at_reset_e6=reset_e6,
        trading=trading,
        latched=latched,
    )
    if watch.is_calm(at, margin(health_e4)):
        assert breach(at, margin(health_e4), limits, CAPITAL_E6) is None
        assert recovery(at) is None
        assert trading is Trading.ACTIVE
    assert watch.lowest_e4 == health_e4


def test_a_watch_looks_again_when_a_mark_moved_and_when_its_time_is_up() -> None:
    watch, at = Watch(Limits(), CAPITAL_E6), state()
    assert not watch.is_calm(at, margin())
    watch.stay_calm_until(NOW_NS + 1)
    assert watch.is_calm(at, margin())
    at.high_water_e6, at.marks = 20_000 * E6, 1
    assert not watch.is_calm(at, margin())
    watch.stay_calm_until(NOW_NS)
    assert not watch.is_calm(state(), margin())


def test_what_holds_ends_with_its_time_an_alarm_a_price_outside_or_any_event() -> None:
    watch, at = Watch(Limits(), CAPITAL_E6), state()
    price_e6 = at.markets["SOL-PERP"].oracle_e6 or 0
    bands = (("SOL-PERP", price_e6, price_e6),)
    watch.stay_calm_until(NOW_NS + 1)
    assert not watch.holds(at)
    watch.hold(bands)
    assert watch.holds(at)
    for low_e6, high_e6 in ((price_e6 + 1, price_e6 + 2), (price_e6 - 2, price_e6 - 1)):
        watch.hold((*bands, ("SOL", 0, 1 << 62), ("SOL-PERP", low_e6, high_e6)))
        assert not watch.holds(at)
    watch.hold(bands)
    settling = at.markets | {"SOL-PERP": structs.replace(at.markets["SOL-PERP"], status="settlement")}
    assert not watch.holds(replace(at, markets=settling))
    at.trough_e6, at.marks = CAPITAL_E6 * 19 // 20, 1
    assert not watch.holds(at)
    at.trough_e6, at.marks = at.trough_e6 + 1, 2
    assert watch.holds(at)
    at.day_equity_e6, at.marks = CAPITAL_E6 * 2, 3
    assert not watch.holds(at)
    at.day_equity_e6, at.marks = CAPITAL_E6, 4
    assert watch.holds(at)
    at.next_day_ns, at.marks = NOW_NS + 2, 5
    assert not watch.holds(at), "something is due before the next mark"
    at.next_day_ns = NOW_NS + 1
    assert watch.holds(at)
    watch.take(StateChanged(NOW_NS, Trading.ACTIVE, "", "day"), 0)
    assert not watch.holds(at)
    watch.hold(bands)
    watch.stay_calm_until(NOW_NS)
    assert not watch.holds(at)


@given(
    st.lists(
        st.tuples(st.sampled_from((-40 * E6, -20 * E6, -E6, 0, E6, 30 * E6)), st.integers(0, 9 * HOUR_NS)),
        min_size=20,
        max_size=60,
    ),
    st.integers(0, 5 * DAY_NS),
)
@settings(max_examples=300)
def test_what_holds_is_never_due_and_never_trips(moves: list[tuple[int, int]], due_in_ns: int) -> None:
    """Prices and time alone, through the ledger: whenever it holds, the breakers asked in full say nothing either."""
    watch, at, limits = Watch(Limits(), CAPITAL_E6), state(trough_e6=CAPITAL_E6, next_day_ns=0), Limits()
    spec, price_e6, due_ns = at.markets["SOL-PERP"].spec, 1_000 * E6, NOW_NS + due_in_ns
    at.held["SOL-PERP"] = Holding(10 * E9, E9, CAPITAL_E6, 0)
    watch.stay_calm_until(due_ns)
    watch.hold(())
    now_ns = NOW_NS
    for change_e6, later_ns in moves:
        now_ns, price_e6 = now_ns + later_ns, max(price_e6 + change_e6, 1)
        apply_tick(at, (MarketUpdated(now_ns, spec.name, 1, price_e6, 1),), (now_ns, 1))
        if watch.holds(at):
            assert now_ns < due_ns
            assert breach(at, margin(), limits, CAPITAL_E6) is None
        elif now_ns < due_ns // DAY_NS * DAY_NS:
            assert at.trough_e6 <= max(at.day_equity_e6, at.high_water_e6) * 19 // 20, "it holds where it can"


def test_nothing_holds_where_no_low_is_kept() -> None:
    """Without a high-water mark above zero the ledger keeps no low, so equity may fall without moving a mark."""
    watch = Watch(structs.replace(OFF, strategy_drawdown_e4=1_000), CAPITAL_E6)
    watch.stay_calm_until(NOW_NS + 1)
    watch.hold(())
    assert watch.holds(state(1, high_water_e6=1))
    assert not watch.holds(state(0, high_water_e6=0, marks=1))


def test_what_funding_costs_comes_out_of_the_reserve_until_it_is_gone() -> None:
    watch, at = Watch(Limits(), CAPITAL_E6), state()
    watch.stay_calm_until(NOW_NS + 1)
    funding = FundingPaid(NOW_NS, 1, "SOL-PERP", 0, 0, 0, 0)
    watch.hold((), 100)
    watch.take(funding, -1_000)
    watch.take(AccountObserved(NOW_NS, 1, at.account), 0)
    watch.take(funding, 94)
    assert watch.holds(at)
    watch.take(funding, 0)
    assert not watch.holds(at)
    watch.hold((), 100)
    watch.take(funding, 99)
    assert not watch.holds(at)


def test_a_sixteenth_of_the_slack_is_kept_in_reserve() -> None:
    watch, found = Watch(Limits(), CAPITAL_E6), margin(6_000)
    assert watch.is_calm(state(), found) is False
    assert watch.reserve_e6(found) == 0
    sound = structs.replace(found, collateral_e6=10_000 * E6, maintenance_e6=1_000 * E6)
    assert watch.reserve_e6(sound) == slack_e6(sound, 6_000) // 16 == (3_000 * E6 - 1_000) // 16


def test_bands_are_asked_for_at_the_lowest_health_or_the_emergency_limit() -> None:
    watch, at = Watch(Limits(), CAPITAL_E6), state()
    watch.is_calm(at, margin(6_000))
    watch.is_calm(at, margin(7_000))
    assert watch.bound_e4 == 6_000
    watch.is_calm(at, margin(1_000))
    assert watch.bound_e4 == Limits().emergency_health_e4
