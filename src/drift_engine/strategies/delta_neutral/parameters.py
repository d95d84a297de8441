"""The parameters of the delta-neutral strategy, and the parts they make, as integers."""

from decimal import Decimal
from typing import Annotated

from drift_engine.core.parameters import Parameters, Unit
from drift_engine.core.units import SECOND_NS
from drift_engine.strategies.delta_neutral.carry import Terms
from drift_engine.strategies.delta_neutral.neutrality_monitor import Bounds
from drift_engine.strategies.delta_neutral.watchdog import Watchdog
from drift_engine.strategies.figures import scaled
from drift_engine.strategies.funding_average import FundingAverage
from drift_engine.strategies.pairing import asset_of


class DeltaNeutralParams(Parameters, frozen=True):
    """What to hedge, how large, how tightly, and when the carry is worth it."""

    market: Annotated[str, Unit("perp market", "the perp leg")] = "SOL-PERP"
    spot: Annotated[str, Unit("spot market", "the spot leg, by name or asset; empty = the perp's asset")] = ""
    size: Annotated[Decimal, Unit("of equity", "value of each leg when spot is bought")] = Decimal("0.5")
    reverse_size: Annotated[Decimal, Unit("of equity", "value of each leg when spot is borrowed; 0 = never")] = Decimal(
        "0.4"
    )
    tolerance: Annotated[Decimal, Unit("of the hedge", "net delta beyond this is a breach")] = Decimal("0.01")
    cooldown_s: Annotated[int, Unit("s", "no rebalance sooner than this after the last fill")] = 1800
    min_hedge: Annotated[Decimal, Unit("base", "smallest rebalance, or the venue's minimum if larger")] = Decimal(
        "0.005"
    )
    horizon_h: Annotated[int, Unit("h", "how long the carry is expected to last")] = 504
    average_h: Annotated[int, Unit("h", "the funding average it is expected to last at")] = 48
    counted: Annotated[Decimal, Unit("of funding income", "how much of the funding income is counted on")] = Decimal(
        "0.5"
    )
    impact: Annotated[Decimal, Unit("of a leg", "price impact allowed for, beyond fee and half the spread")] = Decimal(
        "0.0001"
    )
    check_s: Annotated[int, Unit("s", "time between two checks of the watchdog")] = 900
    bad_checks: Annotated[int, Unit("checks", "bad ones in a row that unwind the hedge")] = 4
    good_checks: Annotated[int, Unit("checks", "good ones in a row after which it may come back")] = 2
    slippage: Annotated[Decimal, Unit("of the oracle", "limit of orders that add to a leg")] = Decimal("0.005")
    slippage_reduce: Annotated[Decimal, Unit("of the oracle", "limit of orders that reduce a leg")] = Decimal("0.01")
    retry_s: Annotated[int, Unit("s", "no new entry sooner than this after one was asked for")] = 10


def bounds(params: DeltaNeutralParams) -> Bounds:
    """Return the bounds of neutrality; the venue's facts are filled in later, by ``Bounds.at``."""
    return Bounds(
        perp=params.market,
        spot=params.spot or asset_of(params.market),
        tolerance_e4=scaled(params, "tolerance", 4, low="0.0001", high="0.5"),
        min_hedge_e9=scaled(params, "min_hedge", 9),
        cooldown_ns=scaled(params, "cooldown_s", 0) * SECOND_NS,
    )


def terms(params: DeltaNeutralParams) -> Terms:
    """Return the terms by which carry is judged."""
    return Terms(
        horizon_h=scaled(params, "horizon_h", 0, low="1"),
        counted_e4=scaled(params, "counted", 4, high="1"),
        impact_e6=scaled(params, "impact", 6, high="1"),
    )


def watchdog(params: DeltaNeutralParams) -> Watchdog:
    """Return a watchdog that has seen nothing yet."""
    return Watchdog(
        every_ns=scaled(params, "check_s", 0, low="1") * SECOND_NS,
        bad_limit=scaled(params, "bad_checks", 0, low="1"),
        good_limit=scaled(params, "good_checks", 0, low="1"),
    )


def average(params: DeltaNeutralParams) -> FundingAverage:
    """Return a funding average that has seen nothing yet."""
    return FundingAverage(scaled(params, "average_h", 0, low="1"))


def sizes_e6(params: DeltaNeutralParams) -> dict[int, int]:
    """Return the value of each leg as a fraction of equity in 1e6, by side; flat is side 0."""
    return {1: scaled(params, "size", 6, high="0.95"), -1: scaled(params, "reverse_size", 6, high="0.95"), 0: 0}


def slippage_e4(params: DeltaNeutralParams) -> tuple[int, int]:
    """Return the limit distances of orders that add and of orders that reduce."""
    low, high = "0.0001", "0.1"
    return scaled(params, "slippage", 4, low, high), scaled(params, "slippage_reduce", 4, low, high)
