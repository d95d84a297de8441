"""What a perp position or a spot balance adds to margin, straight from its facts: for margin asked once.

Nothing is prepared for a next price, as ``margin_perp`` and ``margin_spot`` do it, so there are only the cases in which
that is short: ordinary leverage, maintenance beside initial, current prices, quote at par, no open spot orders, no
weight that depends on other users. For anything else the answer is ``None`` and a holding is made; where both answer,
they give the same figures to the unit.
"""

from drift_engine.core.margin_parts import OPEN_ORDER_E6, UPNL_INITIAL_CAP_E6, Part, Terms
from drift_engine.core.margin_perp import unsettled_e6, worst_case_e9
from drift_engine.core.margin_weights import perp_ratios_e4, spot_weights_e4
from drift_engine.core.spot_balance import token_amount
from drift_engine.core.types import Market, PerpPosition, PerpSpec, SpotBalance, SpotSpec
from drift_engine.core.units import E4, E9, TENS, ceil_div


def is_direct(terms: Terms) -> bool:
    """Return whether there is a direct way on these terms."""
    return terms.kind == "initial" and terms.leverage == "ordinary" and not terms.strict


def perp_part(position: PerpPosition, market: Market, account_ratio_e4: int) -> Part | None:
    """Return what a cross-margined position adds, ``None`` where it takes a ``PerpHolding`` to say."""
    spec, price, base = market.spec, market.oracle_e6, position.base_e9
    if (
        not isinstance(spec, PerpSpec)
        or price is None
        or price <= 0
        or position.isolated
        or market.status == "settlement"
        or spec.contract == "prediction"
    ):
        return None
    upnl_i = spec.upnl_initial_e4
    if upnl_i and (spec.upnl_imf_e6 or spec.upnl_max_imbalance_e6):
        return None
    custom_e4, size = position.max_margin_ratio_e4, base if base >= 0 else -base
    owed = size * price // E9
    collateral = initial = value = position.quote_e6 + owed if base >= 0 else position.quote_e6 - owed
    if position.open_bids_e9 or position.open_asks_e9:
        size = abs(worst_case_e9(position, market, price))
        owed = size * price // E9
    ratio, ratio_i = perp_ratios_e4(spec, size, custom_e4 if custom_e4 > account_ratio_e4 else account_ratio_e4)
    requirement, required = owed * ratio // E4, owed * ratio_i // E4
    if position.open_orders:
        open_e6 = position.open_orders * OPEN_ORDER_E6
        requirement, required = requirement + open_e6, required + open_e6
    if market.totals is not None or market.funding_cumulative_e9 != position.funding_cursor_e9:
        collateral = initial = value + unsettled_e6(position, market)
    if collateral > 0:
        initial = min(collateral * upnl_i // E4, UPNL_INITIAL_CAP_E6) if upnl_i else 0
        if spec.upnl_maintenance_e4 != E4:
            collateral = collateral * spec.upnl_maintenance_e4 // E4
    return collateral, requirement, initial, required, value, owed, 0, market.ts_ns, market.oracle_slot


def spot_part(balance: SpotBalance, market: Market, account_ratio_e4: int) -> Part | None:
    """Return what a balance other than the quote asset's adds, ``None`` where it takes a ``SpotHolding`` to say."""
    spec, price = market.spec, market.oracle_e6
    if (
        not isinstance(spec, SpotSpec)
        or price is None
        or price <= 0
        or balance.open_bids
        or balance.open_asks
        or spec.scale_initial_from_e6
    ):
        return None
    tokens, open_e6 = token_amount(balance.scaled_e9, market), balance.open_orders * OPEN_ORDER_E6
    weight, weight_i = spot_weights_e4(spec, tokens, account_ratio_e4)
    ts_ns, at_slot = market.ts_ns, market.oracle_slot
    if tokens >= 0:
        value = tokens * price // TENS[spec.decimals]
        return value * weight // E4, open_e6, value * weight_i // E4, open_e6, value, 0, 0, ts_ns, at_slot
    owed = ceil_div(-tokens * price, TENS[spec.decimals])
    return 0, owed * weight // E4 + open_e6, 0, owed * weight_i // E4 + open_e6, -owed, owed, 0, ts_ns, at_slot
