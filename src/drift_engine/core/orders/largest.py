"""The largest order that margin allows: what an order of the size ``MAX_LEVERAGE`` becomes.

It first gives back what closing the worst case frees, then spends free collateral at the ratio of the size it comes to,
found in at most six steps.

Source: ``math/orders.rs`` calculate_max_perp_order_size.
"""

from collections.abc import Callable, Mapping

from drift_engine.core.margin_parts import OPEN_ORDER_E6, price_of, quote_bounds_of
from drift_engine.core.margin_perp import owed_e6, worst_case_e9
from drift_engine.core.margin_scopes import CROSS, every, scopes_of
from drift_engine.core.margin_weights import perp_ratio_e4
from drift_engine.core.orders.steps import size_on_step
from drift_engine.core.types import Account, Market, PerpSpec
from drift_engine.core.units import E4, E6, E9, tdiv

_STEPS = 6
U64_MAX = 2**64 - 1


def largest_order_e9(account: Account, markets: Mapping[str, Market], name: str, *, long: bool) -> int:
    """Return the size of the largest order of one side in a perp market, in base 1e9 and on the step; 0 for none.

    Raises ``PriceUnknownError`` where something that margin stands on is not known.
    """
    return whole_margin_e9(account, markets, name, long=long) or 0


def whole_margin_e9(account: Account, markets: Mapping[str, Market], name: str, *, long: bool) -> int | None:
    """Return the same as the program does: ``None`` where it fails, as the size is negative or not of 64 bits."""
    market, position = markets[name], account.perp(name)
    spec = market.spec
    if not isinstance(spec, PerpSpec):
        raise TypeError(f"{name} is not a perp market")
    scope = name if position.isolated else CROSS
    free_e6 = scopes_of(account, markets, every("initial", strict=True)).scopes[scope].free_e6
    oracle_e6, prediction = price_of(market), spec.contract == "prediction"
    worst_e9 = worst_case_e9(position, market, oracle_e6)
    own_e4 = max(account.max_margin_ratio_e4, position.max_margin_ratio_e4)

    def ratio_of(base_e9: int) -> int:
        return perp_ratio_e4(spec, base_e9, "initial", own_e4, leveraged=account.leverage == "high")

    ratio_e4, closing_e9, freed_e6 = ratio_of(worst_e9), 0, 0
    if worst_e9 and (worst_e9 < 0) == long:
        closing_e9 = max(0, -worst_e9 - position.open_bids_e9 if long else worst_e9 + position.open_asks_e9)
        freed_e6 = owed_e6(worst_e9, oracle_e6, prediction=prediction) * ratio_e4 // E4
    if free_e6 == 0:
        return size_on_step(closing_e9, spec.step_e9)
    price_e6 = E6 - oracle_e6 if prediction and not long else oracle_e6
    quote_e6 = quote_bounds_of(markets[account.quote], strict=True)[1]
    size_e9 = _spent(free_e6 + freed_e6 - OPEN_ORDER_E6, worst_e9, price_e6, quote_e6, ratio_e4, ratio_of)
    return None if size_e9 is None else size_on_step(size_e9 + closing_e9, spec.step_e9)


def _spent(
    budget_e6: int, worst_e9: int, price_e6: int, quote_e6: int, ratio_e4: int, ratio_of: Callable[[int], int]
) -> int | None:
    """Return the size that spends a budget beside a worst case, at the ratio of both together."""
    size_e9, used_e4 = 0, ratio_e4
    for _ in range(_STEPS):
        more_e6 = tdiv(tdiv(worst_e9 * price_e6, E9) * (used_e4 - ratio_e4), E4)
        size_e9 = tdiv((budget_e6 - more_e6) * E9 * E4, used_e4) * E6
        size_e9 = tdiv(tdiv(_over(size_e9, price_e6) * E6, quote_e6), E6)
        if not 0 <= size_e9 <= U64_MAX:
            return None
        found_e4 = ratio_of(worst_e9 + size_e9)
        if found_e4 == used_e4:
            break
        used_e4 = found_e4
    return size_e9


def _over(amount: int, price_e6: int) -> int:
    """Divide truncating toward zero by a price that may be negative (a prediction's that is beyond one)."""
    return tdiv(amount, price_e6) if price_e6 > 0 else tdiv(-amount, -price_e6)
