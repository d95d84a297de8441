"""Facts, fees, impact, partial fills and volumes: the figures of the tables and the program's rounding."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drift_engine.core.types import PerpSpec, SpotSpec
from drift_engine.core.units import E6, E9
from drift_engine.simulation.facts import SOL, SOL_PERP, UnknownMarketError, resolve, venue_facts
from drift_engine.simulation.models import (
    FREE_NEXT_OPEN,
    Fees,
    Impact,
    Latency,
    LiquidationRules,
    Models,
    PartialFills,
    Volume,
)

DAY_S = 86_400


def test_the_tables_hold_what_the_captures_say() -> None:
    perps = {
        spec.name: (
            spec.step_e9,
            spec.tick_e6,
            spec.imf_e6,
            spec.margin_initial_e4,
            spec.margin_maintenance_e4,
            spec.tier,
        )
        for spec in venue_facts().values()
        if isinstance(spec, PerpSpec)
    }
    assert perps == {
        "SOL-PERP": (10**7, 100, 50, 500, 300, "B"),
        "BTC-PERP": (10**5, 10**5, 4_000, 500, 300, "A"),
        "ETH-PERP": (10**6, 10**4, 250, 500, 200, "B"),
    }
    spots = {
        spec.name: (spec.index, spec.decimals, spec.imf_e6, spec.insurance_fee_e6, spec.step_e9)
        for spec in venue_facts().values()
        if isinstance(spec, SpotSpec)
    }
    assert spots == {
        "USDC": (0, 6, 0, 5_000, 1_000),
        "SOL": (1, 9, 1_250, 22_500, 1),
        "wBTC": (3, 8, 105_000, 32_500, 10),
        "wETH": (4, 8, 25_000, 32_500, 10),
    }


def test_markets_resolve_by_name_or_asset() -> None:
    assert [spec.name for spec in resolve("SOL")] == ["SOL"]
    assert [spec.name for spec in resolve("BTC")] == ["BTC-PERP", "wBTC"]
    with pytest.raises(UnknownMarketError, match="'DOGE-PERP'; the venue has SOL-PERP, BTC-PERP"):
        resolve("DOGE-PERP")


def test_takers_fees_round_up_and_rebates_down() -> None:
    fees = Fees()
    assert fees.fee_e6(SOL_PERP, -1_000_001, 0, maker=False) == 1_001
    assert fees.fee_e6(SOL_PERP, 1_004_999, 0, maker=True) == -200
    assert fees.fee_e6(SOL, 10**9, 0, maker=False) == 0
    assert Fees(()).fee_e6(SOL_PERP, 10**9, 0, maker=False) == 0


@pytest.mark.parametrize(
    ("volume", "rate"),
    [(0, 1_000), (2, 900), (9, 900), (10, 800), (20, 700), (80, 600), (199, 600), (200, 500), (10**4, 500)],
)
def test_the_fee_schedule(volume: int, rate: int) -> None:
    assert Fees().fee_e6(SOL_PERP, E6, volume * 10**12, maker=False) == rate


def test_volume_fades_over_thirty_days() -> None:
    volume = Volume().after(300 * E6, DAY_S * 1_000)
    assert volume.after(0, DAY_S * 1_010).volume_e6 == 200 * E6
    assert volume.after(-E6, DAY_S * 1_040).volume_e6 == E6


@given(st.integers(1, 10**12), st.integers(-(10**14), 10**14).filter(bool), st.integers(1, 10**5))
def test_a_taker_never_fills_better_than_the_reference(reference: int, base: int, tick: int) -> None:
    price = Impact(100, 10**12).price_e6(reference, base, tick)
    assert price % tick == 0
    assert price >= reference if base > 0 else price <= max(reference, tick)


def test_impact_grows_with_size() -> None:
    assert Impact(100, 5 * 10**12).slip_e6(5 * 10**12) == 100 + 10_000
    assert Impact(0, 0).slip_e6(10**15) == 0


@given(st.integers(-1_000, 1_000).filter(bool), st.integers(0, 50), st.booleans())
def test_parts_are_whole_steps_and_never_more_than_the_order(steps: int, seed: int, whole: bool) -> None:
    base = steps * 10**7
    parts = PartialFills(E6, 4, 500_000).split(seed, "p", base, 10**7, whole=whole)
    assert all(part % 10**7 == 0 and (part > 0) == (base > 0) for part in parts)
    assert abs(sum(parts)) <= abs(base)
    assert sum(parts) == base or not whole


def test_purchases_and_sales_fill_in_two_to_the_most_parts_and_leave_one_over_where_that_happens() -> None:
    for base_e9 in (90 * E9 + 7, -90 * E9 - 7):
        for leftover_e6 in (0, E6):
            counts = set()
            for seed in range(40):
                parts = PartialFills(E6, 4, leftover_e6).split(seed, "k", base_e9, E9 // 10, whole=False)
                assert all(part * base_e9 > 0 for part in parts)
                assert (sum(parts) == base_e9) is (leftover_e6 == 0)
                counts.add(len(parts))
            assert counts == ({1, 2, 3} if leftover_e6 else {2, 3, 4})
    assert PartialFills(E6, 3).split(0, "k", E9 // 10, E9 // 10, whole=False) == (E9 // 10,)
    halves = [len(PartialFills(E6 // 2, 2).split(seed, "k", E9, 1, whole=False)) for seed in range(200)]
    assert 60 < halves.count(1) < 140


def test_latency_stays_in_its_bounds() -> None:
    latency = Latency()
    drawn = {latency.send_ns(1, str(number)) for number in range(50)}
    assert len(drawn) > 40
    assert all(latency.send_min_ns <= ns <= latency.send_max_ns for ns in drawn)


def test_assumptions_are_plain_lines() -> None:
    lines = Models(liquidation=LiquidationRules(initial_pct_e4=2_000)).assumptions()
    assert any("no State account is on record" in line for line in lines)
    assert any("10 bp for takers" in line for line in lines)
    assert FREE_NEXT_OPEN.assumptions()[0] == "no fees"
    assert lines[1] == "orders land after 400-800 ms, reports take 200 ms"
    assert lines[2].endswith("half spread 1 bp, impact one per cent for 5000000.000000 USD")
