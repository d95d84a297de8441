"""Margin by kind, terms and scope: figures of ``math/margin/tests.rs``, and what holds between the kinds."""

import pytest
from core_books import USDC, account, markets, perp, spot
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from drift_engine.core.equity import below_floor, user_equity_e6
from drift_engine.core.health import health_of, health_percent
from drift_engine.core.margin_monitor import MarginMonitor, assess, margin_of
from drift_engine.core.margin_scopes import CROSS, Ask, every, scopes_of, to_place
from drift_engine.core.margin_weights import perp_ratio_e4, profit_weight_e4, scaled_initial_e4
from drift_engine.core.types import (
    Account,
    EngineState,
    MarginKind,
    Market,
    PerpPosition,
    PerpSpec,
    PerpTotals,
    SpotBalance,
    SpotSpec,
    SpotTotals,
)
from drift_engine.core.units import E6, E9
from drift_engine.core.valuation import PriceUnknownError
from drift_engine.core.withdrawable import UNLIMITED, withdrawable

SOL = spot(100 * E6, imf_e6=0)
SOL_PERP = perp(100 * E6, margin_initial_e4=1_000, margin_maintenance_e4=500, imf_e6=0)


def test_isolated_position_margin_requirement() -> None:
    """``isolated_position_margin_requirement``: both scopes, plain and with a buffer of 10 %."""
    long = PerpPosition("SOL-PERP", 100 * E9, -11_000 * E6, isolated=True, isolated_scaled_e9=100 * E9)
    held = account(20_000, SpotBalance("SOL", -100 * E9), long)
    books = markets(SOL, SOL_PERP)
    scopes = scopes_of(held, books, every("initial"))
    assert (scopes.cross.requirement_e6, scopes.cross.collateral_e6) == (12_000 * E6, 20_000 * E6)
    alone = scopes.scopes["SOL-PERP"]
    assert (alone.requirement_e6, alone.collateral_e6) == (1_000 * E6, -900 * E6)
    assert scopes.cross.sound
    assert not alone.sound
    assert not scopes.sound
    assert (alone.free_e6, scopes.cross.free_e6) == (0, 8_000 * E6)
    buffered = scopes_of(held, books, every("initial", buffer_e4=1_000))
    assert buffered.cross.requirement_buffered_e6 == 13_000 * E6
    assert buffered.cross.collateral_buffered_e6 == 20_000 * E6
    assert buffered.scopes["SOL-PERP"].requirement_buffered_e6 == 2_000 * E6
    assert buffered.scopes["SOL-PERP"].collateral_buffered_e6 == -1_000 * E6
    assert not buffered.sound_buffered
    assert buffered.cross.sound_buffered
    assert (health_of(held, scopes), health_of(held, scopes, "SOL-PERP")) == (40, 0)


def test_the_worst_scope_is_the_accounts_health() -> None:
    long = PerpPosition("SOL-PERP", 100 * E9, -11_000 * E6, isolated=True, isolated_scaled_e9=2_000 * E9)
    held = account(20_000, long)
    margin = margin_of(held, markets(SOL_PERP), 3)
    assert (margin.collateral_e6, margin.maintenance_e6) == (20_000 * E6, 0)
    assert margin.health_e4 == 5_000
    assert margin.equity_e6 == 21_000 * E6
    assert (margin.liabilities_e6, margin.leverage_e4) == (10_000 * E6, 4_761)
    state = EngineState(now_ns=3, account=held, markets=markets(SOL_PERP))
    monitor = MarginMonitor(max_age_slots=10)
    assert monitor.check(state) == margin
    state.markets["SOL-PERP"] = structs.replace(SOL_PERP, oracle_e6=110 * E6)
    assert monitor.check(state) == margin_of(held, state.markets, 3)
    state.slot = 100
    assert monitor.check(state).status == "stale"


def test_a_quote_with_a_price_of_its_own() -> None:
    """At 0.99 a profit and a deposit are worth less; a borrow and a liability are too."""
    quote = spot(990_000, name="USDC", at_par=False)
    books = {**markets(SOL_PERP), "USDC": quote}
    held = account(1_000, PerpPosition("SOL-PERP", E9, -90 * E6))
    margin = margin_of(held, books, 9)
    assert margin.collateral_e6 == 990 * E6 + 9_900_000
    assert margin.maintenance_e6 == 99 * E6 * 5 // 100
    assert margin.as_of_ns == 5
    state = EngineState(now_ns=9, account=held, markets=dict(books))
    monitor = MarginMonitor(max_age_ns=3)
    assert monitor.check(state) == structs.replace(margin, status="stale")
    state.markets["USDC"] = structs.replace(quote, oracle_e6=None)
    assert monitor.check(state).status == "unknown"
    state.markets["USDC"] = structs.replace(quote, ts_ns=8, oracle_e6=E6)
    assert monitor.check(state) == structs.replace(margin_of(held, state.markets, 9), status="stale")
    assert margin_of(held, state.markets, 9).collateral_e6 == 1_010 * E6
    loss = account(-1_000, PerpPosition("SOL-PERP", E9, -110 * E6))
    assert assess(loss, books, "maintenance") == (-9_900_000, 990 * E6 + 99 * E6 * 5 // 100)


def test_strict_prices_take_the_worse() -> None:
    totals = SpotTotals(110 * E6)
    books = markets(structs.replace(SOL, totals=totals), SOL_PERP)
    deposit, borrow = account(0, SpotBalance("SOL", E9)), account(1_000, SpotBalance("SOL", -E9))
    assert assess(deposit, books, "initial", strict=True) == assess(deposit, books, "initial") == (80 * E6, 0)
    assert assess(borrow, books, "initial", strict=True)[1] == 132 * E6
    quoted = {**books, "USDC": structs.replace(USDC, totals=SpotTotals(1_010_000))}
    held = account(100, PerpPosition("SOL-PERP", E9, -101 * E6))
    assert assess(held, quoted, "maintenance", strict=True) == (100 * E6 - 1_010_000, 5_050_000)
    with pytest.raises(PriceUnknownError, match="5-minute mean"):
        assess(borrow, markets(SOL), "initial", strict=True)


def test_a_fill_asks_for_what_lies_between() -> None:
    books = markets(SOL, SOL_PERP)
    held = account(0, SpotBalance("SOL", 10 * E9), PerpPosition("SOL-PERP", E9, -100 * E6))
    assert assess(held, books, "fill") == (850 * E6, 7_500_000)
    assert assess(account(900, SpotBalance("SOL", -E9)), books, "fill") == (900 * E6, 115 * E6)
    profit = perp(100 * E6, upnl_initial_e4=10_000, imf_e6=0)
    big = account(0, PerpPosition("SOL-PERP", 10 * E9, 0))
    assert assess(big, markets(profit), "initial")[0] == 100 * E6
    assert assess(big, markets(profit), "fill")[0] == 1_000 * E6


def test_high_leverage_ratios() -> None:
    spec = perp(1, leverage_initial_e4=100, leverage_maintenance_e4=66, margin_initial_e4=1_000).spec
    assert isinstance(spec, PerpSpec)
    plain = structs.replace(spec, imf_e6=0)
    kinds: tuple[MarginKind, ...] = ("initial", "maintenance", "fill")
    assert [perp_ratio_e4(plain, E9, kind, leveraged=True) for kind in kinds] == [100, 66, 83]
    steep = structs.replace(spec, imf_e6=1_000)
    sizes = [0, 10**9, 4 * 10**12, 10**13, 10**15]
    ratios = [perp_ratio_e4(steep, size, "initial", leveraged=True) for size in sizes]
    assert ratios == sorted(ratios)
    assert (ratios[0], ratios[-1]) == (100, perp_ratio_e4(steep, 10**15, "initial"))
    held = account(100, PerpPosition("SOL-PERP", E9, -100 * E6))
    book = markets(structs.replace(SOL_PERP, spec=plain))
    by_mode = [
        (margin.initial_e6, margin.maintenance_e6)
        for margin in (
            margin_of(structs.replace(held, leverage=mode), book, 0)
            for mode in ("ordinary", "high", "high_maintenance")
        )
    ]
    assert by_mode == [(10 * E6, 3 * E6), (E6, 660_000), (10 * E6, 660_000)]


def test_profits_count_less_when_all_users_win() -> None:
    """Users are up 400 where 200 is the limit: half of the weight. Up to the limit, or unknown, is another matter."""
    market = perp(100 * E6, upnl_initial_e4=8_000, upnl_max_imbalance_e6=200 * E6)
    spec = market.spec
    assert isinstance(spec, PerpSpec)
    winning = PerpTotals(0, 10 * E9, -600 * E6, 100 * E6)
    assert profit_weight_e4(spec, winning) == 4_000
    assert profit_weight_e4(spec, structs.replace(winning, cost_basis_e6=-800 * E6)) == 8_000
    held = account(0, PerpPosition("SOL-PERP", E9, -50 * E6))
    assert assess(held, markets(structs.replace(market, totals=winning)), "initial")[0] == 20 * E6
    assert margin_of(held, markets(market), 0).status == "unknown"
    with pytest.raises(PriceUnknownError, match="profits of all users"):
        profit_weight_e4(spec, structs.replace(winning, oracle_last_e6=0))
    assert profit_weight_e4(structs.replace(spec, upnl_initial_e4=0), None) == 0


def test_unrealised_profit_is_discounted_by_size() -> None:
    held = account(0, PerpPosition("SOL-PERP", E9, 0))
    flat, steep = (perp(100 * E6, upnl_initial_e4=10_000, upnl_imf_e6=imf) for imf in (0, 100_000))
    assert assess(held, markets(flat), "initial")[0] == 100 * E6
    assert assess(held, markets(steep), "initial")[0] == 55 * E6
    huge = account(0, PerpPosition("SOL-PERP", 100 * E9, -9_950 * E6))
    assert assess(huge, markets(steep), "initial")[0] < 50 * E6


def test_shorts_have_a_funding_rate_of_their_own() -> None:
    market = structs.replace(SOL_PERP, funding_cumulative_e9=5 * E9, totals=PerpTotals(3 * E9))
    long, short = (account(0, PerpPosition("SOL-PERP", base, 0)) for base in (E9, -E9))
    assert assess(long, markets(market), "maintenance")[0] == 95 * E6
    assert assess(short, markets(market), "maintenance")[0] == -97 * E6


def test_a_prediction_owes_what_is_missing_to_one() -> None:
    market = perp(300_000, contract="prediction", margin_maintenance_e4=10_000, imf_e6=0)
    for base, owed in ((E9, 300_000), (-E9, 700_000)):
        assert assess(account(0, PerpPosition("SOL-PERP", base)), markets(market), "maintenance")[1] == owed


def test_a_deposit_counts_less_where_there_are_too_many() -> None:
    market = structs.replace(spot(100 * E6, imf_e6=0, scale_initial_from_e6=1_000 * E6), totals=SpotTotals(1, 20 * E9))
    assert isinstance(market.spec, SpotSpec)
    assert scaled_initial_e4(market.spec, 20 * E9, 100 * E6) == 4_000
    assert scaled_initial_e4(market.spec, 9 * E9, 100 * E6) == 8_000
    held = account(0, SpotBalance("SOL", E9))
    assert assess(held, markets(market), "initial") == (40 * E6, 0)
    assert assess(held, markets(market), "maintenance") == (90 * E6, 0)
    assert margin_of(held, markets(structs.replace(market, totals=None)), 0).status == "unknown"
    borrowed = account(0, SpotBalance("SOL", E9), PerpPosition("SOL-PERP", 1, 0))
    assert withdrawable(borrowed, markets(market, SOL_PERP), "SOL") == 999_999_000
    with pytest.raises(PriceUnknownError, match="deposits of SOL"):
        withdrawable(borrowed, markets(structs.replace(market, totals=None), SOL_PERP), "SOL")


def test_what_settles_without_a_price_is_not_known() -> None:
    market = structs.replace(SOL_PERP, status="settlement")
    held = account(0, PerpPosition("SOL-PERP", E9))
    assert margin_of(held, markets(market), 0).status == "unknown"
    with pytest.raises(PriceUnknownError, match="settles"):
        user_equity_e6(held, markets(market))
    settled = markets(structs.replace(market, totals=PerpTotals(0, expiry_e6=-5)))
    assert assess(held, settled, "maintenance") == (0, 0)
    assert user_equity_e6(held, settled) == 0


def test_withdrawals() -> None:
    """``usdc_withdraw`` and ``sol_withdraw``."""
    bid = account(10_000, SpotBalance("SOL", open_bids=100 * E9, open_orders=1))
    assert withdrawable(bid, markets(SOL), "USDC") == 10_000 * E6
    assert withdrawable(account(-10_000, SpotBalance("SOL", 200 * E9)), markets(SOL), "SOL") == 74_999_999_000
    worthless = spot(100 * E6, asset_initial_e4=0)
    assert withdrawable(account(0, SpotBalance("SOL", E9)), markets(worthless), "SOL") == UNLIMITED
    with pytest.raises(TypeError, match="holds no balances"):
        withdrawable(bid, markets(SOL, SOL_PERP), "SOL-PERP")
    scaled = spot(100 * E6, scale_initial_from_e6=5)
    with pytest.raises(PriceUnknownError, match="deposits of SOL"):
        withdrawable(account(5), markets(scaled), "SOL")


def test_equity_counts_everything_unweighted() -> None:
    long = PerpPosition("SOL-PERP", E9, -90 * E6, isolated=True, isolated_scaled_e9=7 * E9)
    cross = PerpPosition("ETH-PERP", -E9, 100 * E6)
    eth = perp(99 * E6, name="ETH-PERP")
    held = account(1_000, SpotBalance("SOL", -E9), long, cross)
    books = markets(SOL, SOL_PERP, eth)
    assert user_equity_e6(held, books) == (1_000 - 100 + 10 + 7 + 1) * E6
    assert not below_floor(held, books)
    floored = structs.replace(held, equity_floor_e6=900 * E6, equity_floor_buffer_e6=18 * E6)
    assert not below_floor(floored, books)
    assert below_floor(structs.replace(floored, equity_floor_buffer_e6=18 * E6 + 1), books)


@pytest.mark.parametrize(
    ("collateral", "requirement", "health"),
    [(0, 0, 100), (5, 0, 100), (-1, 0, 0), (0, 5, 0), (100, 100, 0), (100, 101, 0), (200, 1, 100), (1_000, 5, 100),
     (1_000, 6, 99), (8, 7, 13), (200, 199, 1), (201, 200, 0)],
)  # fmt: skip
def test_health_rounds_halves_up(collateral: int, requirement: int, health: int) -> None:
    assert health_percent(collateral, requirement) == health
    assert health_percent(collateral, requirement, being_liquidated=True) == 0


def test_what_is_asked_of_which_scope() -> None:
    assert to_place(risk_increasing=False) == Ask(strict=True)
    assert to_place(risk_increasing=True).kind_of(CROSS) == "initial"
    assert to_place(risk_increasing=True).kind_of("SOL-PERP") == "maintenance"
    alone = to_place(risk_increasing=True, isolated="SOL-PERP")
    assert [alone.kind_of(name) for name in (CROSS, "SOL-PERP", "ETH-PERP")] == [
        "maintenance",
        "initial",
        "maintenance",
    ]


def test_liabilities_are_counted() -> None:
    held = account(
        -10,
        SpotBalance("SOL", open_orders=1),
        PerpPosition("SOL-PERP", quote_e6=5),
        PerpPosition("ETH-PERP", quote_e6=-5),
    )
    isolated = perp(9 * E6, name="ETH-PERP", tier="isolated")
    scopes = scopes_of(held, markets(SOL, SOL_PERP, isolated), every("maintenance"))
    assert (scopes.perp_liabilities, scopes.spot_liabilities) == (1, 2)
    assert scopes.perp_tier_isolated
    assert not scopes.spot_tier_isolated


sizes = st.integers(-(10**13), 10**13)


@given(sizes, sizes, st.integers(0, 10**12), st.integers(1, 10**6))
def test_kinds_are_ordered(base: int, quote: int, usdc: int, twap: int) -> None:
    """A fill never asks more than initial margin, nor less than maintenance; strict prices never help."""
    book = markets(perp(100 * E6), structs.replace(spot(100 * E6), totals=SpotTotals(twap * 100)))
    held: Account = structs.replace(
        account(0, SpotBalance("SOL", base // 1_000), PerpPosition("SOL-PERP", base, quote)),
        spots=(SpotBalance("USDC", usdc), SpotBalance("SOL", base // 1_000)),
    )
    free = [
        scopes_of(held, book, every(kind, strict=strict)).cross
        for kind in ("initial", "fill", "maintenance")
        for strict in (True, False)
    ]
    spare = [scope.collateral_e6 - scope.requirement_e6 for scope in free]
    assert spare[1] <= spare[3] <= spare[5]
    assert all(strict <= current for strict, current in zip(spare[::2], spare[1::2], strict=True))


def test_a_market_of_the_wrong_kind_is_a_bug() -> None:
    books: dict[str, Market] = markets(SOL, SOL_PERP)
    with pytest.raises(TypeError):
        assess(account(0, SpotBalance("SOL-PERP", 1)), books, "initial")
    with pytest.raises(PriceUnknownError, match="the market ETH"):
        scopes_of(account(0, SpotBalance("ETH", 1)), books, every("fill"))


def test_only_quote_and_an_isolated_position() -> None:
    """With nothing in the cross margin but quote, a new price moves the isolated position's scope alone."""
    alone = PerpPosition("SOL-PERP", E9, -100 * E6, isolated=True, isolated_scaled_e9=50 * E9)
    other = PerpPosition("ETH-PERP", E9, -100 * E6)
    eth = perp(100 * E6, name="ETH-PERP")
    for perps in ((alone,), (alone, other)):
        state = EngineState(account=account(10, *perps), markets=markets(SOL_PERP, eth))
        monitor = MarginMonitor()
        for price in (100, 90, 130):
            state.markets["SOL-PERP"] = structs.replace(SOL_PERP, oracle_e6=price * E6)
            assert monitor.check(state) == margin_of(state.account, state.markets, 0)


def test_the_oldest_price_is_followed() -> None:
    """Ages move as markets move, one at a time: back, on, and where the oldest itself moves."""
    eth = perp(100 * E6, name="ETH-PERP")
    held = account(1_000, PerpPosition("SOL-PERP", E9, -100 * E6), PerpPosition("ETH-PERP", -E9, 100 * E6))
    state = EngineState(account=held, markets=markets(SOL_PERP, eth))
    monitor = MarginMonitor(max_age_slots=1)
    assert monitor.check(state).as_of_ns == 5
    for name, ts, slot in (("SOL-PERP", 9, 9), ("ETH-PERP", 3, 3), ("SOL-PERP", 2, 2), ("SOL-PERP", 8, 8)):
        state.markets[name] = structs.replace(state.markets[name], ts_ns=ts, oracle_slot=slot)
        state.slot = slot
        margin = monitor.check(state)
        oldest = min(market.oracle_slot for market in (state.markets["SOL-PERP"], state.markets["ETH-PERP"]))
        assert margin.as_of_ns == min(state.markets["SOL-PERP"].ts_ns, state.markets["ETH-PERP"].ts_ns)
        assert margin.status == ("stale" if slot - oldest > 1 else "known")


def test_a_market_without_a_price() -> None:
    with pytest.raises(PriceUnknownError, match="price of SOL"):
        assess(account(0, SpotBalance("SOL", E9)), markets(spot(None)), "initial", strict=True)
    with pytest.raises(PriceUnknownError, match="price of USDC"):
        assess(account(1), {"USDC": spot(0, name="USDC", at_par=False)}, "initial")


def test_a_fill_weighs_profits_as_initial_margin() -> None:
    assert assess(account(0, PerpPosition("SOL-PERP", E9)), markets(perp(9 * E6)), "fill")[0] == 0
