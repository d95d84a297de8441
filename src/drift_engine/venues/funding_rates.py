"""A perp market's funding: what was settled last, and what would be settled now, by the protocol's own rule.

Rates are quote per one base and hour, 1e9; longs pay when positive. The prediction takes the hour's means of mark and
oracle as the market last wrote them down, so it is as old as they are; what the vAMM cannot pay lowers the rate of the
side that receives, as it would at settlement.

Sources: ``controller/funding.rs`` update_funding_rate, ``math/funding.rs`` calculate_funding_rate_long_short,
``math/helpers.rs`` on_the_hour_update of both programs.
"""

from msgspec import Struct

from drift_engine.core.funding import Imbalance, rates_e9, spare_drift_e6, spare_velocity_e6
from drift_engine.core.twap import until_update_s
from drift_engine.venues.program import Program
from drift_engine.venues.wire.perp_market import PerpMarket


class Rates(Struct, frozen=True):
    """One hour's rates. ``oracle_e6`` is the price a share is taken of, ``at_s`` the unix time they are of."""

    rate_e9: int
    long_e9: int
    short_e9: int
    oracle_e6: int
    at_s: int


class Funding(Struct, frozen=True):
    """A market's funding.

    ``next_s`` is the unix time at which it may be settled again, ``None`` where no clock or no period says.
    """

    last: Rates
    predicted: Rates
    mark_twap_e6: int
    oracle_twap_e6: int
    average_24h_e9: int
    cumulative_long_e9: int
    cumulative_short_e9: int
    period_s: int
    next_s: int | None


def funding_of(program: Program, view: PerpMarket, now_s: int | None) -> Funding:
    """Return a market's funding. Raises ``DecodeError`` where its contract tier is not known."""
    mark_e6, oracle_e6 = view.last_mark_price_twap, view.historical_oracle_data.last_oracle_price_twap
    rate_e9 = program.rules.funding_rate_e9(view, mark_e6, oracle_e6)
    long_e9, short_e9 = rates_e9(rate_e9, imbalance(program, view))
    at_s = min(view.last_mark_price_twap_ts, view.historical_oracle_data.last_oracle_price_twap_ts)
    then_e6 = view.last_funding_oracle_twap if "last_funding_oracle_twap" in view.layout else 0
    return Funding(
        last=Rates(
            view.last_funding_rate,
            view.last_funding_rate_long,
            view.last_funding_rate_short,
            then_e6 or oracle_e6,
            view.last_funding_rate_ts,
        ),
        predicted=Rates(rate_e9, long_e9, short_e9, oracle_e6, at_s),
        mark_twap_e6=mark_e6,
        oracle_twap_e6=oracle_e6,
        average_24h_e9=view.last_24h_avg_funding_rate,
        cumulative_long_e9=view.cumulative_funding_rate_long,
        cumulative_short_e9=view.cumulative_funding_rate_short,
        period_s=view.funding_period,
        next_s=None if now_s is None else _next_s(view, now_s),
    )


def _next_s(view: PerpMarket, now_s: int) -> int | None:
    """Return when funding may be settled next; a market without a period has no such time."""
    if view.funding_period <= 0:
        return None
    return now_s + until_update_s(now_s, view.last_funding_rate_ts, view.funding_period)


def imbalance(program: Program, view: PerpMarket) -> Imbalance:
    """Return what decides whether both sides get one rate."""
    profit_e6 = view.total_fee_minus_distributions
    if program.name == "drift_v2":
        spare_e6 = spare_drift_e6(
            profit_e6, view.total_exchange_fee, view.total_liquidation_fee, view.total_fee_withdrawn
        )
    else:
        spare_e6 = spare_velocity_e6(profit_e6)
    return Imbalance(
        view.base_asset_amount_long, view.base_asset_amount_short, view.base_asset_amount_with_amm, spare_e6
    )
