"""Spot balances and interest against the program's tests (``math/spot_balance``, ``controller/spot_balance``)."""

from itertools import pairwise

import pytest
from core_books import perp, spot, spot_spec
from hypothesis import given
from hypothesis import strategies as st

from drift_engine.core.spot_balance import accrue, add_tokens, base_e9, borrow_rate_e6, token_amount
from drift_engine.core.types import SpotBalance
from drift_engine.core.units import E6, E9, E10

USDC = spot(E6, name="USDC")


def test_bonk() -> None:
    """A token of five decimals comes back whole."""
    bonk = spot(1, decimals=5)
    assert token_amount(add_tokens(0, 10**5, bonk), bonk) == 10**5


def test_deposits_round_down_and_borrows_up() -> None:
    market = spot(E6, name="USDC", deposit_e10=E10 + 1, borrow_e10=E10 + 1)
    assert token_amount(1_999, market) == 1
    assert token_amount(-1_001, market) == -2
    assert token_amount(0, market) == 0


@pytest.mark.parametrize(
    ("scaled", "tokens", "leaving", "after"),
    [
        (0, 0, False, 0),
        (7, 0, True, 7),
        (0, 100, False, 50_000),
        (0, -100, False, -33_334),
        (50_000, 100, False, 100_000),
        (-33_334, -100, False, -66_668),
        (50_000, -40, False, 30_000),
        (50_000, -40, True, 29_999),
        (-33_334, 40, False, -20_000),
        (50_000, -100, True, 0),
        (-33_334, 101, False, 0),
        (50_000, -130, False, -10_001),
        (-33_334, 151, False, 25_000),
        (499, -3, False, -1_500),
    ],
    ids=[
        "nothing", "nothing of something", "a deposit", "a borrow rounds up", "more deposit", "more borrow",
        "less deposit", "leaving rounds against the account", "less borrow", "all of a deposit", "all of a borrow",
        "beyond a deposit", "beyond a borrow", "dust worth nothing changes its side",
    ],
)  # fmt: skip
def test_add_tokens(scaled: int, tokens: int, leaving: bool, after: int) -> None:
    """One token is 500 of a deposit's scale and 333 1/3 of a borrow's."""
    market = spot(E6, name="USDC", deposit_e10=2 * E10, borrow_e10=3 * E10)
    assert add_tokens(scaled, tokens, market, leaving=leaving) == after


def test_a_token_too_small_for_the_scale_is_not_rounded_up() -> None:
    """get_spot_balance rounds up only what is not zero."""
    assert add_tokens(0, -1, spot(1, decimals=15, borrow_e10=10**14)) == 0


interest = st.integers(E10, 100 * E10)
moves = st.lists(st.integers(-(10**15), 10**15), max_size=10)


@given(moves, interest, interest)
def test_a_move_is_kept_to_two_units(moves: list[int], deposit_e10: int, borrow_e10: int) -> None:
    """Rounding costs, or in paying back a rounded-up borrow returns, two token units a move at the most."""
    market = spot(E6, name="USDC", deposit_e10=deposit_e10, borrow_e10=borrow_e10)
    scaled = 0
    for tokens in moves:
        before = token_amount(scaled, market)
        scaled = add_tokens(scaled, tokens, market)
        assert abs(before + tokens - token_amount(scaled, market)) <= 2


def test_base_is_nine_decimals() -> None:
    assert base_e9(SpotBalance("wBTC", E9), spot(1, name="wBTC", decimals=8)) == E9
    assert base_e9(SpotBalance("USDC", -5 * E9), USDC) == -5 * E9


def test_perp_markets_hold_no_balances() -> None:
    with pytest.raises(TypeError, match="SOL-PERP"):
        token_amount(1, perp(1))
    with pytest.raises(TypeError, match="SOL-PERP"):
        add_tokens(0, 1, perp(1))
    with pytest.raises(TypeError, match="SOL-PERP"):
        base_e9(SpotBalance("SOL-PERP", 1), perp(1))


@pytest.mark.parametrize(("utilisation", "rate"), [(0, 0), (845_000, 41_600), (985_000, 248_000), (1_000_000, 500_000)])
def test_borrow_rate_of_the_captured_sol_market(utilisation: int, rate: int) -> None:
    """test_multi_stage_borrow_rate_curve_sol: 2 % at 80 %, 50 % at most."""
    spec = spot_spec(optimal_utilisation_e6=800_000, optimal_rate_e6=20_000, max_rate_e6=500_000)
    assert borrow_rate_e6(utilisation, spec) == rate


def test_borrow_rate_rises_and_bends_five_times() -> None:
    """test_multi_stage_borrow_rate_curve: 10 % at 70 %, 500 % at most; rates never fall."""
    spec = spot_spec(optimal_utilisation_e6=700_000, optimal_rate_e6=100_000, max_rate_e6=5_000_000)
    rates = [borrow_rate_e6(5_000 * step, spec) for step in range(201)]
    steps = [after - before for before, after in pairwise(rates)]
    assert all(after >= before - 1 for before, after in pairwise(steps))
    assert sum(after > before + 1 for before, after in pairwise(steps)) == 5
    assert abs(rates[140] - 100_000) <= 1
    assert rates[200] == borrow_rate_e6(1_100_000, spec) == 5_000_000


def test_borrow_rate_has_a_floor() -> None:
    spec = spot_spec()
    assert borrow_rate_e6(0, spec, 5_000) == 5_000
    assert borrow_rate_e6(900_000, spec, 2_000_000) == 2_000_000


@pytest.mark.parametrize(
    ("rate", "seconds", "borrow", "deposit"),
    [(5_000, 10_030, 15_903, 159), (50_000, 10_030, 159_025, 1_590), (50_000, 1_000_030, 15_855_372, 158_553),
     (1_000_000, 1_000_030, 317_107_433, 3_171_074)],
)  # fmt: skip
def test_interest(rate: int, seconds: int, borrow: int, deposit: int) -> None:
    """check_spot_market_min_borrow_rate: one percent of the deposits is lent."""
    assert accrue(E10, rate, seconds, borrow=True) == E10 + borrow
    assert accrue(E10, rate // 100, seconds, borrow=False) == E10 + deposit
