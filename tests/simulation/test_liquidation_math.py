"""The formulas of liquidation against the figures of the program's unit tests (``math/liquidation/tests.rs``)."""

from drift_engine.core.units import E4, E6, E9
from drift_engine.simulation import liquidation_math as math
from drift_engine.simulation.liquidation_math import Side


def cover(shortage_e6: int, liquidator_e6: int, insurance_e6: int) -> int:
    return math.base_to_cover_shortage_e9(
        shortage_e6, 1_000, 100 * E6, liquidator_fee_e6=liquidator_e6, insurance_fee_e6=insurance_e6
    )


def test_base_to_cover_a_shortage() -> None:
    assert cover(10 * E6, 0, 0) == E9
    assert cover(10 * E6, 10_000, 0) == E9 * 10 // 9
    assert cover(10 * E6, 10_000, 10_000) == E9 * 10 // 8
    assert cover(10 * E6, 100_000, 0) == math.ALL
    assert cover(10 * E6, 50_000, 60_000) == math.ALL


def perp_fee(shortage_e6: int, liquidator_e6: int) -> int:
    return math.perp_insurance_fee_e6(
        shortage_e6, 10 * E9, 500, 100 * E6, liquidator_fee_e6=liquidator_e6, most_e6=50_000
    )


def test_perp_insurance_fee() -> None:
    assert perp_fee(20 * E6, 10_000) == 19_000
    assert perp_fee(E6, 10_000) == 37_050
    assert perp_fee(1_000 * E6, 10_000) == 0
    assert perp_fee(20 * E6, 100_000) == 0


def test_liquidator_fee_grows_after_ten_minutes() -> None:
    assert math.liquidator_fee_e6(20_000, 50_000, 10) == 20_000
    assert math.liquidator_fee_e6(20_000, 50_000, 10_000) == 30_000
    assert math.liquidator_fee_e6(20_000, 50_000, 100_000) == 50_000


def test_most_that_may_go_at_once() -> None:
    assert math.max_pct_e4(49 * E6, 0, 1, 1_000, 10) == E4
    assert math.max_pct_e4(100 * E6, 0, 0, 1_000, 150) == 1_000
    assert math.max_pct_e4(100 * E6, 0, 75, 1_000, 150) == 6_000
    assert math.max_pct_e4(50 * E6, 50 * E6, 0, 1_000, 150) == 0
    assert math.max_pct_e4(100 * E6, 20 * E6, 75, 1_000, 150) == 5_200  # 60 % of 120 less the 20 that are freed
    assert math.max_pct_e4(100 * E6, 0, 0, 0, 0) == E4


def test_spot_insurance_fee() -> None:
    asset = Side(0, 6, E6, 10_000, 1_010_000)
    liability = Side(10**9, 9, 100 * E6, 11_000, E6)
    assert math.spot_insurance_fee_e6(5 * E6, asset, liability, 50_000) == 36_363
    assert math.spot_insurance_fee_e6(100 * E6, asset, liability, 50_000) == 0
    assert math.spot_insurance_fee_e6(E6, asset, liability, 50_000) == 50_000
    assert math.spot_insurance_fee_e6(E6, Side(0, 6, E6, 20_000, 1_010_000), liability, 50_000) == 0
    assert math.spot_insurance_fee_e6(E6, asset, Side(0, 9, 100 * E6, 11_000, E6), 50_000) == 0


def liability_to_cover(asset_multiplier_e6: int, liability_multiplier_e6: int, insurance_fee_e6: int = 0) -> int:
    asset = Side(0, 6, E6, 8_000, asset_multiplier_e6)
    liability = Side(0, 9, 100 * E6, 12_000, liability_multiplier_e6)
    return math.liability_to_cover_shortage(10 * E6, asset, liability, insurance_fee_e6)


def test_liability_to_cover_a_shortage() -> None:
    assert liability_to_cover(E6, E6) == 250_000_000
    assert liability_to_cover(1_100_000, 900_000) == 449_984_250
    assert liability_to_cover(1_300_000, 800_000) == math.ALL
    # the fund's 5 % of 1.2 leave 0.34 of the 0.4 that each unit frees; 40 % would leave nothing
    assert liability_to_cover(E6, E6, 50_000) == 10 * 10**9 // 34
    assert liability_to_cover(E6, E6, 400_000) == math.ALL
    same = Side(0, 9, 100 * E6, 12_000, E6)
    assert math.liability_to_cover_shortage(10 * E6, same, same, 0) == math.ALL


def test_asset_for_a_liability_and_back() -> None:
    sol = Side(0, 9, 100 * E6, 11_000, E6)
    assert math.asset_for_liability(Side(100 * E6, 6, E6, 10_000, E6), sol, 10**9) == 100 * E6
    discounted = Side(0, 9, 100 * E6, 11_000, 990_000)
    premium = Side(200 * E6, 6, E6, 10_000, 1_010_000)
    assert math.asset_for_liability(premium, discounted, 10**9) == 102_020_202
    assert math.asset_for_liability(Side(103_020_201, 6, E6, 10_000, 1_010_000), discounted, 10**9) == 103_020_201
    assert math.asset_for_liability(Side(103_020_202, 6, E6, 10_000, 1_010_000), discounted, 10**9) == 102_020_202
    assert math.asset_for_liability(Side(10**9, 9, 100 * E6, 8_000, E6), Side(0, 6, E6, 10_000, E6), 99_900_000) == (
        999 * E6
    )
    ten = Side(10 * E6, 6, E6, 10_000, 1_010_000)
    assert math.liability_for_asset(ten, discounted) == 98_019_802
