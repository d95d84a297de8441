"""A scale order as the orders it stands for: prices evenly spread, sizes flat or growing by half of the first.

Source: ``state/scale_order_params.rs`` validate, calculate_price_distribution, calculate_size_distribution. What cannot
be spread is refused as InvalidOrder, as the instruction does with every refusal of these rules.
"""

from drift_engine.localnet.venue.refusals import require
from drift_engine.venues.wire.order_enums import Direction, OrderType, SizeDistribution
from drift_engine.venues.wire.order_params import OrderParams, ScaleOrderParams

_FEWEST, _MOST = 2, 32


def expanded(params: ScaleOrderParams, step_e9: int) -> tuple[OrderParams, ...]:
    """Return the orders; the flags go with the first."""
    falls = params.start_price > params.end_price
    fits = _FEWEST <= params.order_count <= _MOST and params.total_base_asset_amount >= step_e9 * params.order_count
    rightly = params.start_price != params.end_price and falls == (params.direction == Direction.LONG)
    require(fits and rightly, "InvalidOrder", "Failed to expand scale order params")
    return tuple(
        OrderParams(
            order_type=OrderType.LIMIT,
            market_type=params.market_type,
            direction=params.direction,
            base_asset_amount=base_e9,
            price=price_e6,
            market_index=params.market_index,
            reduce_only=params.reduce_only,
            post_only=params.post_only,
            bit_flags=0 if index else params.bit_flags,
            max_ts=params.max_ts,
        )
        for index, (price_e6, base_e9) in enumerate(zip(_prices(params), _sizes(params, step_e9), strict=True))
    )


def _prices(params: ScaleOrderParams) -> list[int]:
    gap_e6 = abs(params.start_price - params.end_price) // (params.order_count - 1)
    sign = 1 if params.start_price < params.end_price else -1
    return [*(params.start_price + sign * gap_e6 * i for i in range(params.order_count - 1)), params.end_price]


def _sizes(params: ScaleOrderParams, step_e9: int) -> list[int]:
    total, count = params.total_base_asset_amount, params.order_count
    if params.size_distribution == SizeDistribution.FLAT:
        sizes = [total // count // step_e9 * step_e9] * count
        sizes[-1] += total - sum(sizes)
        return sizes
    unit = total * 2 // (count * (count + 3) // 2)
    sizes = [max(step_e9, unit * (2 + i) // 2 // step_e9 * step_e9) for i in range(count)]
    sizes[-1] = max(step_e9 if sum(sizes) > total else 0, sizes[-1] + total - sum(sizes))
    return sizes[::-1] if params.size_distribution == SizeDistribution.DESCENDING else sizes
