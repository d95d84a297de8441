"""How much of a holding counts: margin ratios and weights that grow worse with size.

Sources: ``math/margin.rs`` calculate_size_premium_liability_weight, calculate_size_discount_asset_weight and
calc_high_leverage_mode_initial_margin_ratio_from_size, ``state/perp_market.rs`` get_margin_ratio and
get_unrealized_asset_weight, ``state/spot_market.rs`` get_asset_weight, get_scaled_initial_asset_weight and
get_liability_weight. All are fractions in 1e4; sizes are in 1e9 whatever the token's decimals. Few depend on the price,
so an account's are worked out once and kept.

A market has two figures of everything, for initial and for maintenance; what a fill needs is half way between.
"""

from functools import lru_cache
from math import isqrt

from drift_engine.core.types import MarginKind, PerpSpec, PerpTotals, SpotSpec
from drift_engine.core.units import E4, E6, E9, ceil_div, floor_div, rescale, tdiv
from drift_engine.core.valuation import PriceUnknownError


def size_premium_e4(size_e9: int, imf_e6: int, weight_e4: int) -> int:
    """Return a liability's weight (or a perp's margin ratio) at a size: four fifths of it plus imf x sqrt(size)."""
    if imf_e6 == 0:
        return weight_e4
    return max(weight_e4, weight_e4 - weight_e4 // 5 + isqrt(size_e9 * 10 + 1) * imf_e6 // 10**7)


def size_discount_e4(size_e9: int, imf_e6: int, weight_e4: int) -> int:
    """Return an asset's weight at a size: 1.1 over (1 + imf x sqrt(size)), never above the weight itself."""
    if imf_e6 == 0:
        return weight_e4
    return min(weight_e4, _discounted_e4(size_e9, imf_e6))


def of_kind(kind: MarginKind, initial_e4: int, maintenance_e4: int) -> int:
    """Return which of a market's two figures counts, or for a fill the one half way between."""
    if kind == "fill":
        return (initial_e4 + maintenance_e4) // 2
    return initial_e4 if kind == "initial" else maintenance_e4


def perp_ratio_e4(
    spec: PerpSpec, base_e9: int, kind: MarginKind, custom_e4: int = 0, *, leveraged: bool = False
) -> int:
    """Return the margin ratio of a signed base amount. A custom ratio raises the initial one alone.

    ``leveraged`` is Drift's high-leverage mode; a market without such ratios takes no notice of it.
    """
    ordinary_e4 = of_kind(kind, spec.margin_initial_e4, spec.margin_maintenance_e4)
    if leveraged and spec.leverage_initial_e4 > 0 and spec.leverage_maintenance_e4 > 0:
        high_e4 = of_kind(kind, spec.leverage_initial_e4, spec.leverage_maintenance_e4)
        if kind == "maintenance":
            ratio_e4 = size_premium_e4(abs(base_e9), spec.imf_e6, high_e4)
        else:
            ratio_e4 = _leveraged_e4(abs(base_e9), spec.imf_e6, ordinary_e4, high_e4)
    else:
        ratio_e4 = size_premium_e4(abs(base_e9), spec.imf_e6, ordinary_e4)
    return max(custom_e4, ratio_e4) if kind == "initial" else ratio_e4


def _leveraged_e4(size_e9: int, imf_e6: int, ordinary_e4: int, high_e4: int) -> int:
    """Return a ratio of high-leverage mode: it meets the ordinary one at the size where that starts to grow."""
    grown_e4 = ordinary_e4
    if imf_e6:
        grown_e4 = ordinary_e4 - ordinary_e4 // 5 + isqrt(size_e9 * 10 + 1) * imf_e6 // 10**7
    if grown_e4 > ordinary_e4:
        return grown_e4
    if grown_e4 == ordinary_e4:
        return high_e4
    discount_e6 = max(0, E6 - (ordinary_e4 - grown_e4) * E6 // (ordinary_e4 // 5))
    return max(1, ordinary_e4 - high_e4) * discount_e6 // E6 + high_e4


def perp_ratios_e4(spec: PerpSpec, size_e9: int, custom_e4: int = 0) -> tuple[int, int]:
    """Return the maintenance and the initial margin ratio of a size, 0 or more: both for one square root."""
    maintenance, initial, imf_e6 = spec.margin_maintenance_e4, spec.margin_initial_e4, spec.imf_e6
    if imf_e6 and size_e9 >= _first_premium_e9(imf_e6, maintenance, initial):
        maintenance, initial = _with_premium(size_e9, imf_e6, maintenance, initial)
    return maintenance, initial if initial > custom_e4 else custom_e4


def spot_weights_e4(spec: SpotSpec, tokens: int, custom_e4: int = 0) -> tuple[int, int]:
    """Return the maintenance and the initial weight of a balance of ``tokens``: both for one square root."""
    size_e9, imf_e6 = rescale(abs(tokens), spec.decimals, 9), spec.imf_e6
    if tokens <= 0:
        maintenance, initial = spec.liability_maintenance_e4, spec.liability_initial_e4
        if imf_e6:
            maintenance, initial = _with_premium(size_e9, imf_e6, maintenance, initial)
        return maintenance, max(initial, E4 + custom_e4) if custom_e4 else initial
    maintenance, initial = spec.asset_maintenance_e4, spec.asset_initial_e4
    if imf_e6:
        most = _discounted_e4(size_e9, imf_e6)
        maintenance, initial = min(maintenance, most), min(initial, most)
    return maintenance, min(initial, max(0, E4 - custom_e4)) if custom_e4 else initial


def _with_premium(size_e9: int, imf_e6: int, maintenance_e4: int, initial_e4: int) -> tuple[int, int]:
    """Return both weights with ``size_premium_e4``."""
    grown_e4 = isqrt(size_e9 * 10 + 1) * imf_e6 // 10**7
    over_m, over_i = grown_e4 - maintenance_e4 // 5, grown_e4 - initial_e4 // 5
    return maintenance_e4 + over_m if over_m > 0 else maintenance_e4, initial_e4 + over_i if over_i > 0 else initial_e4


@lru_cache(maxsize=256)
def _first_premium_e9(imf_e6: int, maintenance_e4: int, initial_e4: int) -> int:
    """Return the smallest size at which one of two weights is raised: most positions are far below it."""
    root = ceil_div((min(maintenance_e4, initial_e4) // 5 + 1) * 10**7, imf_e6)
    return ceil_div(root * root - 1, 10)


def _discounted_e4(size_e9: int, imf_e6: int) -> int:
    return (E6 + E6 // 10) * E4 // (E6 + isqrt(size_e9 * 10 + 1) * imf_e6 // 10**5)


def asset_weight_e4(
    spec: SpotSpec, tokens: int, kind: MarginKind, custom_e4: int = 0, initial_e4: int | None = None
) -> int:
    """Return the weight of a deposit of ``tokens``. A custom ratio lowers the initial one to 1 - ratio at most.

    ``initial_e4`` is the market's initial weight where it is scaled (``scaled_initial_e4``).
    """
    size_e9 = rescale(abs(tokens), spec.decimals, 9)
    initial = spec.asset_initial_e4 if initial_e4 is None else initial_e4
    weight_e4 = size_discount_e4(size_e9, spec.imf_e6, of_kind(kind, initial, spec.asset_maintenance_e4))
    return min(weight_e4, max(0, E4 - custom_e4)) if custom_e4 and kind == "initial" else weight_e4


def scaled_initial_e4(spec: SpotSpec, deposits: int, price_e6: int) -> int:
    """Return a market's initial asset weight given all its deposits, in tokens: it falls as they grow too large."""
    value_e6 = floor_div(deposits * price_e6, 10**spec.decimals)
    if spec.scale_initial_from_e6 == 0 or value_e6 < spec.scale_initial_from_e6:
        return spec.asset_initial_e4
    return spec.asset_initial_e4 * spec.scale_initial_from_e6 // value_e6


def liability_weight_e4(spec: SpotSpec, tokens: int, kind: MarginKind, custom_e4: int = 0) -> int:
    """Return the weight of a borrow of ``tokens``. A custom ratio raises the initial one to 1 + ratio at least."""
    size_e9 = rescale(abs(tokens), spec.decimals, 9)
    default_e4 = of_kind(kind, spec.liability_initial_e4, spec.liability_maintenance_e4)
    weight_e4 = size_premium_e4(size_e9, spec.imf_e6, default_e4)
    return max(weight_e4, E4 + custom_e4) if custom_e4 and kind == "initial" else weight_e4


def net_user_pnl_e6(totals: PerpTotals, price_e6: int) -> int:
    """Return the PnL of all users of a perp market together (``math/amm.rs`` calculate_net_user_pnl)."""
    return tdiv(totals.base_users_e9 * price_e6, E9) + totals.cost_basis_e6


def profit_weight_e4(spec: PerpSpec, totals: PerpTotals | None) -> int:
    """Return what unrealised profit counts for initial margin and fills, before its size is looked at.

    Raises ``PriceUnknownError`` where the market limits an imbalance that nobody has read.
    """
    weight_e4 = spec.upnl_initial_e4
    if weight_e4 == 0 or spec.upnl_max_imbalance_e6 == 0:
        return weight_e4
    if totals is None or totals.oracle_last_e6 <= 0:
        raise PriceUnknownError(f"the profits of all users of {spec.name} are not known, and what its profits count")
    net_e6 = net_user_pnl_e6(totals, totals.oracle_last_e6)
    return weight_e4 * spec.upnl_max_imbalance_e6 // net_e6 if net_e6 > spec.upnl_max_imbalance_e6 else weight_e4


def weighted_e6(value_e6: int, asset_e4: int, liability_e4: int) -> int:
    """Return a signed value times the weight of its side, truncated toward zero (``state/user.rs``)."""
    return tdiv(value_e6 * (asset_e4 if value_e6 > 0 else liability_e4), E4)
