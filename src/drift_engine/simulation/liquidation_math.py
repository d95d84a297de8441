"""How much a liquidation takes, and at what fee: the program's formulas on plain integers.

Source: ``math/liquidation.rs``; each function names the program's. Everything is unsigned and truncates, unless it says
ceil. ``ALL`` stands for the program's largest integer: no finite amount covers the shortage.
"""

from msgspec import Struct

from drift_engine.core.units import E4, E6, E9, ceil_div

ALL = 1 << 127
_GRACE_SLOTS = 1_500
_SMALL_SHORTAGE_E6 = 50 * E6


class Side(Struct, frozen=True):
    """What one side of a take-over is: an amount of a token, its price and weight, and the liquidator's multiplier.

    The multiplier is above one for an asset (a premium) and below one for a liability (a discount).
    """

    amount: int
    decimals: int
    price_e6: int
    weight_e4: int
    multiplier_e6: int


def base_to_cover_shortage_e9(
    shortage_e6: int, ratio_e4: int, oracle_e6: int, *, liquidator_fee_e6: int, insurance_fee_e6: int
) -> int:
    """Return the base that must go for a shortage to be covered; ``ratio_e4`` includes the buffer.

    Source: calculate_base_asset_amount_to_cover_margin_shortage. Fees that eat up what is freed leave no finite amount.
    """
    ratio_e6 = ratio_e4 * 100
    if oracle_e6 == 0 or ratio_e6 <= liquidator_fee_e6:
        return ALL
    freed_e6 = oracle_e6 * (ratio_e6 - liquidator_fee_e6) // E6 - oracle_e6 * insurance_fee_e6 // E6
    return shortage_e6 * E9 // freed_e6 if freed_e6 > 0 else ALL


def perp_insurance_fee_e6(
    shortage_e6: int, base_e9: int, ratio_e4: int, oracle_e6: int, *, liquidator_fee_e6: int, most_e6: int
) -> int:
    """Return the insurance fund's fee: 95 % of what margin leaves for it, at most the market's.

    Source: calculate_perp_if_fee.
    """
    ratio_e6 = ratio_e4 * 100
    if oracle_e6 == 0 or ratio_e6 <= liquidator_fee_e6 or base_e9 == 0:
        return 0
    short_e6 = shortage_e6 * E9 // base_e9 * E6 // oracle_e6
    return min(most_e6, max(0, ratio_e6 - liquidator_fee_e6 - short_e6) * 19 // 20)


def liquidator_fee_e6(base_fee_e6: int, most_e6: int, slots_elapsed: int) -> int:
    """Return the liquidator's fee, which grows by 0.01 bp a slot after ten minutes (get_liquidation_fee)."""
    if slots_elapsed < _GRACE_SLOTS:
        return base_fee_e6
    return min(base_fee_e6 + slots_elapsed, most_e6)


def max_pct_e4(shortage_e6: int, freed_e6: int, slots_elapsed: int, initial_e4: int, duration_slots: int) -> int:
    """Return how much of what covers the shortage may go now (calculate_max_pct_to_liquidate)."""
    if shortage_e6 < _SMALL_SHORTAGE_E6:
        return E4
    grown_e4 = slots_elapsed * E4 // duration_slots if duration_slots else E4
    freeable_e6 = (shortage_e6 + freed_e6) * min(E4, grown_e4 + initial_e4) // E4
    return max(0, freeable_e6 - freed_e6) * E4 // shortage_e6


def spot_insurance_fee_e6(shortage_e6: int, asset: Side, liability: Side, most_e6: int) -> int:
    """Return the insurance fund's fee on a borrow taken over (calculate_spot_if_fee)."""
    nothing = 0 in (liability.price_e6, liability.amount, liability.multiplier_e6)
    if asset.weight_e4 >= liability.weight_e4 or nothing:
        return 0
    liability_e6, asset_e6 = liability.weight_e4 * 100, asset.weight_e4 * 100
    left_e6 = max(0, liability_e6 - asset_e6 * asset.multiplier_e6 // liability.multiplier_e6)
    short_e6 = shortage_e6 * E6 * 10**liability.decimals // liability.amount // liability.price_e6
    return int(min(most_e6, max(0, left_e6 - short_e6) * E6 // liability_e6))


def liability_to_cover_shortage(shortage_e6: int, asset: Side, liability: Side, insurance_fee_e6: int) -> int:
    """Return the tokens of a liability that must go (calculate_liability_transfer_to_cover_margin_shortage)."""
    asset_e5 = asset.weight_e4 * 10 * asset.multiplier_e6 // liability.multiplier_e6
    liability_e5 = liability.weight_e4 * 10
    if asset.weight_e4 >= liability.weight_e4 or asset_e5 >= liability_e5:
        return ALL
    fee = liability.price_e6 * insurance_fee_e6 // E6 * liability_e5
    freed = liability.price_e6 * (liability_e5 - asset_e5) - fee
    if freed <= 0:
        return ALL
    up, down = _scales(liability.decimals, 6)
    return max(1, shortage_e6 * up * E6 * E4 * 10 // freed // down)


def liability_for_asset(asset: Side, liability: Side) -> int:
    """Return the liability that all of an asset pays for, ceil.

    Source: calculate_liability_transfer_implied_by_asset_amount.
    """
    up, down = _scales(liability.decimals, asset.decimals)
    worth = asset.amount * up * asset.price_e6 * liability.multiplier_e6
    return ceil_div(ceil_div(worth, liability.price_e6 * asset.multiplier_e6), down)


def asset_for_liability(asset: Side, liability: Side, taken: int) -> int:
    """Return the asset that pays for ``taken`` of a liability, or all of it where the program sees little left over.

    Source: calculate_asset_transfer_for_liability_transfer, whose test of what is left scales by the token's decimals.
    """
    up, down = _scales(asset.decimals, liability.decimals)
    worth = taken * up * liability.price_e6 * asset.multiplier_e6
    transfer = max(1, worth // (asset.price_e6 * liability.multiplier_e6) // down)
    to_e6, from_e6 = _scales(asset.decimals, 6)
    left_e6 = abs(asset.amount - transfer) * asset.price_e6 // E6 * to_e6 // from_e6
    return asset.amount if left_e6 < E6 else transfer


def _scales(to_decimals: int, from_decimals: int) -> tuple[int, int]:
    """Return multiplier and divisor that change an amount's decimals; one of the two is 1."""
    if to_decimals > from_decimals:
        return int(10 ** (to_decimals - from_decimals)), 1
    return 1, int(10 ** (from_decimals - to_decimals))
