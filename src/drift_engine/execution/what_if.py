"""What an account would be if a plan's legs all filled, at the worst price they may.

A leg fills at its limit, or at the oracle where the limit is better: no gain is counted before it is made. Fees are
the taker's, rounded up; a post-only leg pays the maker's, and a rebate counts as nothing. Pure; nothing is booked here.
"""

from collections.abc import Iterable, Mapping

from msgspec import structs

from drift_engine.core.perp_position import after_trade
from drift_engine.core.spot_balance import add_tokens
from drift_engine.core.types import Account, Leg, Market, PerpSpec, Spec
from drift_engine.core.units import E6, notional_e6, rescale


def account_after(
    account: Account, orders: Iterable[tuple[Leg, Market, int]], markets: Mapping[str, Market], tip_e6: int = 0
) -> Account | None:
    """Return the account after every order (leg, market, oracle in 1e6) filled and the tip was paid.

    ``None`` where the quote market is needed and not known.
    """
    spent_e6 = tip_e6
    for leg, market, oracle_e6 in orders:
        price_e6, spec = worst_price_e6(leg, oracle_e6), market.spec
        if isinstance(spec, PerpSpec):
            account = _after_perp(account, leg, market, price_e6)
        else:
            value_e6 = notional_e6(leg.base_e9, price_e6)
            account = _with_tokens(account, market, rescale(leg.base_e9, 9, spec.decimals))
            spent_e6 += value_e6 + fee_of_e6(leg, spec, value_e6)
    if spent_e6 == 0:
        return account
    quote = markets.get(account.quote)
    return None if quote is None else _with_tokens(account, quote, -spent_e6)


def account_without(account: Account, market: Market, tokens: int) -> Account:
    """Return the account after tokens of a market were paid out; the rounding is against it."""
    held = account.spot(market.name)
    left = structs.replace(held, scaled_e9=add_tokens(held.scaled_e9, -tokens, market, leaving=True))
    return account.with_spot(left)


def worst_price_e6(leg: Leg, oracle_e6: int) -> int:
    """Return the price a leg is taken to fill at: its limit, or the oracle where the limit is better for us."""
    limit_e6 = leg.limit_e6
    if leg.base_e9 > 0:
        return limit_e6 if limit_e6 > oracle_e6 else oracle_e6
    return limit_e6 if limit_e6 < oracle_e6 else oracle_e6


def fee_e6(leg: Leg, market: Market, price_e6: int, base_e9: int) -> int:
    """Return the fee of a leg that fills ``base_e9`` at a price, rounded up; never a rebate."""
    return fee_of_e6(leg, market.spec, notional_e6(base_e9, price_e6))


def fee_of_e6(leg: Leg, spec: Spec, value_e6: int) -> int:
    """Return the fee of a leg that fills a signed value in quote, rounded up; never a rebate."""
    rate_e6 = max(spec.maker_fee_e6, 0) if leg.post_only and isinstance(spec, PerpSpec) else spec.taker_fee_e6
    return -(-abs(value_e6) * rate_e6 // E6)


def _after_perp(account: Account, leg: Leg, market: Market, price_e6: int) -> Account:
    held = account.perp(leg.market)
    base_e9 = _clamped_e9(leg, held.base_e9) if leg.reduce_only else leg.base_e9
    if base_e9 == 0:
        return account
    if held.base_e9 == 0:
        held = structs.replace(held, funding_cursor_e9=market.funding_cumulative_e9)
    value_e6 = notional_e6(base_e9, price_e6)
    position = after_trade(held, base_e9, -value_e6, fee_of_e6(leg, market.spec, value_e6))
    return account.with_perp(position)


def _with_tokens(account: Account, market: Market, tokens: int) -> Account:
    held = account.spot(market.spec.name)
    return account.with_spot(structs.replace(held, scaled_e9=add_tokens(held.scaled_e9, tokens, market)))


def _clamped_e9(leg: Leg, held_e9: int) -> int:
    """Return what of a reduce-only perp leg can fill: no more than takes the position to zero."""
    if held_e9 * leg.base_e9 >= 0:
        return 0
    return leg.base_e9 if abs(leg.base_e9) <= abs(held_e9) else -held_e9
