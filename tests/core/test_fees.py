"""Fees of fills: the figures of ``math/fees/tests.rs``, and the rules that hold for every fill."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drift_engine.core.fees import (
    DRIFT_V2,
    RULES,
    VELOCITY,
    FeeTier,
    Filler,
    FillFees,
    builder_fee_e6,
    fill_fees,
    filler_reward_e6,
    maker_rebate_e6,
    resting_fees,
    split_e6,
    taker_fee_e6,
    tier_of,
)
from drift_engine.core.units import E6

TIER = FeeTier((100, 100_000), (60, 100_000), (10, 100), (10, 100))
FILLER = Filler(10, 100, 10_000)
QUOTE = 100 * E6


def test_no_filler() -> None:
    assert fill_fees(QUOTE, TIER, TIER) == FillFees(100_000, 60_000, 0, 0, 0, 0, 40_000)


def test_filler_size_reward() -> None:
    fees = fill_fees(QUOTE, TIER, TIER, filler=Filler(10, 100, 10**16), multiplier=1)
    assert (fees.filler_e6, fees.market_e6) == (10_000, 30_000)


@pytest.mark.parametrize(("age", "filler", "market"), [(0, 10_000, 30_000), (60, 27_800, 12_200)])
def test_time_reward(age: int, filler: int, market: int) -> None:
    fees = fill_fees(QUOTE, TIER, TIER, filler=Filler(1, 1, 10_000), age=age, multiplier=1)
    assert (fees.filler_e6, fees.market_e6) == (filler, market)


def test_referrer() -> None:
    assert fill_fees(QUOTE, TIER, TIER, referred=True) == FillFees(90_000, 60_000, 10_000, 10_000, 0, 0, 20_000)
    assert fill_fees(QUOTE, TIER, TIER, referred=True, referrer_left_e6=4_000).referrer_e6 == 4_000
    assert fill_fees(QUOTE, TIER, TIER, referred=True, referrer_left_e6=-1).referrer_e6 == 0


@pytest.mark.parametrize(
    ("adjustment", "referred", "expected"),
    [
        (-50, False, (50_000, 30_000, 20_000)),
        (50, False, (150_000, 90_000, 60_000)),
        (-50, True, (45_000, 30_000, 10_000)),
        (-100, False, (0, 0, 0)),
    ],
)
def test_fee_adjustment(adjustment: int, referred: bool, expected: tuple[int, int, int]) -> None:
    fees = fill_fees(QUOTE, TIER, TIER, adjustment_pct=adjustment, referred=referred)
    assert (fees.taker_e6, fees.maker_rebate_e6, fees.market_e6) == expected


def test_high_leverage_mode_doubles() -> None:
    """``high_leverage_mode``: an adjustment of -50 % and the doubling cancel out for the taker, not for the maker."""
    fees = fill_fees(QUOTE, TIER, TIER, adjustment_pct=-50, leveraged=True, filler=FILLER)
    assert (fees.taker_e6, fees.maker_rebate_e6, fees.market_e6) == (100_000, 30_000, 60_000)


def test_the_maker_of_the_market_adds_its_surplus() -> None:
    assert fill_fees(QUOTE, TIER, None, surplus_e6=700).market_e6 == 100_700
    assert resting_fees(QUOTE, TIER, 100_000) == FillFees(0, 60_000, 0, 0, 0, 0, 40_000)


def test_builder_and_addon() -> None:
    assert builder_fee_e6(QUOTE, 50) == 50_000
    assert fill_fees(QUOTE, TIER, TIER, builder_tenth_bps=50).builder_e6 == 50_000
    assert taker_fee_e6(QUOTE, TIER, 0, 15) == 115_000
    assert taker_fee_e6(QUOTE, TIER, 100, 15) == 230_000


def test_tiers_by_volume() -> None:
    tiers = [FeeTier((index, 1_000), (1, 1_000)) for index in range(6)]
    for volume, index in ((0, 0), (2 * 10**6 * E6 - 1, 0), (2 * 10**6 * E6, 1), (10**9 * E6, 5)):
        assert tier_of(tiers, DRIFT_V2, volume) is tiers[index]
    for volume, index in ((0, 0), (5 * 10**6 * E6, 1), (80 * 10**6 * E6, 2), (200 * 10**6 * E6, 3)):
        assert tier_of(tiers, VELOCITY, volume) is tiers[index]
    assert tier_of(tiers, VELOCITY, 0, promo=2) is tiers[2]
    assert tier_of(tiers, VELOCITY, 80 * 10**6 * E6, promo=1) is tiers[2]
    assert tier_of(tiers, VELOCITY, 0, promo=9) is tiers[3]
    assert tier_of(tiers, DRIFT_V2, 10**9 * E6, leveraged=True) is tiers[0]
    assert RULES == {"drift_v2": DRIFT_V2, "velocity": VELOCITY}


@pytest.mark.parametrize(
    ("stake", "fee", "rebate"), [(0, 35, 25), (1_000, 33, 26), (10_000, 31, 27), (50_000, 28, 30), (100_000, 25, 32),
                                 (250_000, 21, 35)],
)  # fmt: skip
def test_a_stake_makes_it_cheaper(stake: int, fee: int, rebate: int) -> None:
    """5, 10, 20, 30 and 40 % by ``determine_perp_fee_tier``: 35 less 5 % rounds to 33, 70 % of 35 rounds up to 25."""
    tier = tier_of([FeeTier((35, 100_000), (25, 1_000_000))], DRIFT_V2, 0, stake_e6=stake * E6)
    assert (tier.taker, tier.maker) == ((fee, 100_000), (rebate, 1_000_000))


def test_velocity_splits_the_rest() -> None:
    assert split_e6(101, 50, 25) == (50, 25, 26)


@given(st.integers(0, 10**12), st.integers(-100, 100), st.integers(0, 10**6), st.booleans())
def test_nothing_is_created(quote: int, adjustment: int, age: int, referred: bool) -> None:
    fees = fill_fees(quote, TIER, TIER, adjustment_pct=adjustment, filler=FILLER, age=age, referred=referred)
    paid = fees.maker_rebate_e6 + fees.filler_e6 + fees.referrer_e6 + fees.market_e6
    assert fees.taker_e6 == paid
    assert filler_reward_e6(fees.taker_e6, FILLER, age) == fees.filler_e6
    assert maker_rebate_e6(quote, TIER, adjustment) == fees.maker_rebate_e6 >= 0
