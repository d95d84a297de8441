"""A perp market's own pools while a position is settled: what fees, PnL and the exchange's revenue owe each other.

Drift v2 moves fees from the PnL pool, where they arrive, to the fee pool and on to revenue, and gives a hundredth of a
settled loss to the fee pool. Velocity only sweeps fees that wait in its ledger, of which this venue keeps none.

Source: ``controller/amm.rs`` update_pool_balances, calculate_revenue_pool_transfer; Velocity
``controller/perp_pools.rs`` update_pool_balances.
"""

from msgspec import structs

from drift_engine.core.units import E6, tdiv
from drift_engine.localnet.venue.balances import pool_moved, pool_tokens
from drift_engine.venues.wire.perp_market import PerpMarket
from drift_engine.venues.wire.spot_market import SpotMarket

_THRESHOLD_E6 = 250 * E6
_REVENUE_PAUSED = 128
_AMM_SHARE = 100


def balanced(market: PerpMarket, quote: SpotMarket, now: int) -> bool:
    """Move what Drift v2's pools owe each other, and say whether the vAMM takes its share of a settled loss."""
    if not _sweeps(market):
        return False
    fees_e6 = pool_tokens(market.fee_pool, quote)
    most_e6 = market.total_fee_minus_distributions + market.total_liquidation_fee - market.total_fee_withdrawn
    shares = most_e6 > fees_e6
    if not shares:
        _to_fees(market, quote, max(0, most_e6) - fees_e6)
    least_e6 = market.total_exchange_fee // 2 + market.total_liquidation_fee - market.total_fee_withdrawn
    fees_e6 = pool_tokens(market.fee_pool, quote)
    if fees_e6 < least_e6:
        _to_fees(market, quote, min(least_e6 - fees_e6, pool_tokens(market.pnl_pool, quote)))
    _settle_revenue(market, quote, now)
    return shares


def paid_out(market: PerpMarket, quote: SpotMarket, pnl_e6: int, *, shares: bool) -> None:
    """Take a settled profit from the PnL pool, or put a loss there, less the vAMM's share of it."""
    share_e6 = tdiv(pnl_e6, _AMM_SHARE) if shares and pnl_e6 < 0 else 0
    market.fee_pool = pool_moved(market.fee_pool, quote, -share_e6)
    market.pnl_pool = pool_moved(market.pnl_pool, quote, share_e6 - pnl_e6)


def _sweeps(market: PerpMarket) -> bool:
    return "total_fee_withdrawn" in market.layout and "pending_protocol_fee" not in market.layout


def _to_fees(market: PerpMarket, quote: SpotMarket, tokens: int) -> None:
    """Move tokens from the PnL pool to the fee pool, back where they are negative."""
    for pool, change in (("pnl_pool", -tokens), ("fee_pool", tokens)):
        setattr(market, pool, pool_moved(getattr(market, pool), quote, change))


def _settle_revenue(market: PerpMarket, quote: SpotMarket, now: int) -> None:
    claim = market.insurance_claim
    if quote.insurance_fund.last_revenue_settle_ts > claim.last_revenue_withdraw_ts:
        claim = structs.replace(claim, revenue_withdraw_since_last_settle=0)
        market.insurance_claim = claim
    moved_e6 = _revenue_e6(market, quote)
    if moved_e6 == 0:
        return
    market.fee_pool = pool_moved(market.fee_pool, quote, -moved_e6)
    quote.revenue_pool = pool_moved(quote.revenue_pool, quote, moved_e6)
    market.total_fee_withdrawn += max(0, moved_e6)
    market.total_fee_minus_distributions -= moved_e6
    market.insurance_claim = structs.replace(
        claim,
        revenue_withdraw_since_last_settle=claim.revenue_withdraw_since_last_settle - moved_e6,
        last_revenue_withdraw_ts=now,
    )


def _revenue_e6(market: PerpMarket, quote: SpotMarket) -> int:
    """Return what goes to revenue; negative where the market draws on it."""
    if market.paused_operations & _REVENUE_PAUSED:
        return 0
    claim = market.insurance_claim
    surplus_e6 = market.total_fee_minus_distributions - market.total_fee_withdrawn - _THRESHOLD_E6
    if surplus_e6 < 0:
        allowed_e6 = claim.max_revenue_withdraw_per_period - claim.revenue_withdraw_since_last_settle
        held_e6 = pool_tokens(quote.revenue_pool, quote)
        return -min(-surplus_e6, max(0, min(allowed_e6, held_e6, claim.max_revenue_withdraw_per_period)))
    if surplus_e6 == 0:
        return 0
    spare_e6 = max(0, pool_tokens(market.fee_pool, quote) - _THRESHOLD_E6 - market.total_social_loss)
    due_e6 = market.total_exchange_fee // 2 + min(
        market.total_liquidation_fee, claim.quote_settled_insurance + claim.quote_max_insurance
    )
    period_e6 = claim.revenue_withdraw_since_last_settle + claim.max_revenue_withdraw_per_period
    most_e6 = max(0, min(period_e6, market.net_revenue_since_last_funding))
    return min(max(0, due_e6 - market.total_fee_withdrawn), spare_e6, most_e6)
