"""Parts put together: the margin of an account out of what each thing it holds adds.

Sources: ``state/margin_calculation.rs`` (totals, scopes), the TypeScript SDK's ``user.ts`` getHealth (here unrounded),
getFreeCollateral and getLeverage.
"""

from collections.abc import Mapping, Sequence

from msgspec import structs

from drift_engine.core.margin_move import margin_of_quote
from drift_engine.core.margin_parts import Part, Terms, quote_bounds_of
from drift_engine.core.margin_perp import PerpHolding
from drift_engine.core.margin_spot import SpotHolding, strict_value_e6
from drift_engine.core.spot_balance import decimals_of, token_amount
from drift_engine.core.types import Account, Margin, Market, PerpPosition, SpotBalance, SpotSpec, Status, health_e4_of
from drift_engine.core.units import E6
from drift_engine.core.valuation import PriceUnknownError

Holding = PerpHolding | SpotHolding
_QUOTE_DECIMALS = 6

NOTHING: Part = (0, 0, 0, 0, 0, 0, 0, 1 << 63, 1 << 63)
"""The sum of no parts, whose age never counts."""


def market_of(markets: Mapping[str, Market], name: str) -> Market:
    """Return a market by name. Raises ``PriceUnknownError`` where it is not known."""
    market = markets.get(name)
    if market is None:
        raise PriceUnknownError(f"the market {name} is not known")
    return market


def quote_in(account: Account, markets: Mapping[str, Market], *, strict: bool = False) -> tuple[Market, int, int, int]:
    """Return the quote market, the value of the account's balance in it, and its price as owned and as owed.

    Raises ``PriceUnknownError``.
    """
    market = market_of(markets, account.quote)
    tokens, spec = token_amount(account.spot(account.quote).scaled_e9, market), market.spec
    if not strict and isinstance(spec, SpotSpec) and spec.at_par and spec.decimals == _QUOTE_DECIMALS:
        return market, tokens, E6, E6
    low_e6, high_e6 = quote_bounds_of(market, strict=strict)
    return market, strict_value_e6(tokens, decimals_of(market), low_e6, high_e6), low_e6, high_e6


def held_in(account: Account) -> tuple[list[SpotBalance], list[PerpPosition]]:
    """Return balances and positions that are not empty, the quote balance apart (``state/user.rs`` is_available)."""
    quote = account.quote
    spots = [spot for spot in account.spots if (spot.scaled_e9 or spot.open_orders) and spot.market != quote]
    return spots, [
        perp
        for perp in account.perps
        if perp.base_e9
        or perp.quote_e6
        or perp.open_orders
        or perp.open_bids_e9
        or perp.open_asks_e9
        or perp.isolated_scaled_e9
        or perp.being_liquidated
        or perp.bankrupt
    ]


def holdings_of(
    account: Account, markets: Mapping[str, Market], terms: Terms, known: Sequence[Holding] = ()
) -> list[Holding]:
    """Return what an account holds beside quote; a known holding stays where it still stands for what is held."""
    held: list[Holding] = []
    spots, perps = held_in(account)
    if not known:
        held += [SpotHolding(spot, market_of(markets, spot.market), terms) for spot in spots]
        held += [PerpHolding(perp, market_of(markets, perp.market), terms) for perp in perps]
        return held
    for spot in spots:
        old = known[len(held)] if len(held) < len(known) else None
        if isinstance(old, SpotHolding) and old.balance is spot:
            held.append(old)
        else:
            held.append(SpotHolding(spot, market_of(markets, spot.market), terms))
    for perp in perps:
        old = known[len(held)] if len(held) < len(known) else None
        market = market_of(markets, perp.market)
        if isinstance(old, PerpHolding) and old.takes(perp, market):
            held.append(old)
        else:
            held.append(PerpHolding(perp, market, terms))
    return held


def joined(parts: Sequence[Part]) -> Part:
    """Return the sum of parts, one at least, and the age of the oldest."""
    if len(parts) == 1:
        return parts[0]
    collateral, requirement, initial, required, value, owed, orders, as_of_ns, oldest_slot = parts[0]
    for c_m, r_m, c_i, r_i, worth, owes, change, ts_ns, at_slot in parts[1:]:
        collateral, initial, value = collateral + c_m, initial + c_i, value + worth
        if r_i or owes:
            requirement, required, owed = requirement + r_m, required + r_i, owed + owes
        if change:
            orders += change
        as_of_ns = ts_ns if ts_ns < as_of_ns else as_of_ns
        oldest_slot = at_slot if at_slot < oldest_slot else oldest_slot
    return collateral, requirement, initial, required, value, owed, orders, as_of_ns, oldest_slot


def rejoined(total: Part, old: Part, new: Part, parts: Sequence[Part]) -> Part:
    """Return a sum after one of its parts was replaced: equal to ``joined(parts)``, at the cost of one part."""
    collateral, requirement, initial, required, value, owed, orders, as_of_ns, oldest_slot = total
    c_old, r_old, ci_old, ri_old, v_old, o_old, q_old, ts_old, slot_old = old
    c_new, r_new, ci_new, ri_new, v_new, o_new, q_new, ts_new, slot_new = new
    if ts_old == as_of_ns != ts_new:
        as_of_ns = min([part[7] for part in parts])
    elif ts_new < as_of_ns:
        as_of_ns = ts_new
    if slot_old == oldest_slot != slot_new:
        oldest_slot = min([part[8] for part in parts])
    elif slot_new < oldest_slot:
        oldest_slot = slot_new
    return (
        collateral + c_new - c_old,
        requirement + r_new - r_old,
        initial + ci_new - ci_old,
        required + ri_new - ri_old,
        value + v_new - v_old,
        owed + o_new - o_old,
        orders + q_new - q_old,
        as_of_ns,
        oldest_slot,
    )


def with_quote(total: Part | None, quote_e6: int) -> Part:
    """Return the sum of parts, of none too, and the quote balance; there are no orders that could change it left."""
    collateral, requirement, initial, required, equity, owed, orders, as_of_ns, oldest_slot = total or NOTHING
    if quote_e6 >= 0:
        collateral, initial = collateral + quote_e6, initial + quote_e6
    else:
        requirement, required = requirement - quote_e6, required - quote_e6
    equity += quote_e6
    if orders:
        quote_e6 += orders
    if quote_e6 < 0:
        owed -= quote_e6
    return collateral, requirement, initial, required, equity, owed, 0, as_of_ns, oldest_slot


def margin_from(quote_e6: int, total: Part | None, now_ns: int, since_ns: int, since_slot: int) -> Margin:
    """Return the margin of quote and a sum of parts, stale where a price is of a time or slot before ``since``."""
    if total is None:
        return margin_of_quote(quote_e6, now_ns)
    collateral, requirement, initial, required, equity, owed, _, as_of_ns, oldest_slot = with_quote(total, quote_e6)
    status: Status = "stale" if as_of_ns < since_ns or oldest_slot < since_slot else "known"
    return Margin(collateral, requirement, initial, required, equity, owed, as_of_ns, status)


def with_isolated(margin: Margin, parts: Sequence[tuple[Part, int]], since_ns: int, since_slot: int) -> Margin:
    """Return a cross margin with isolated positions beside it: each one's part, and the value of its own deposit.

    Equity and liabilities count them, health is that of the worst scope, collateral and requirements stay the cross
    margin's.
    """
    equity, owed, as_of_ns = margin.equity_e6, margin.liabilities_e6, margin.as_of_ns
    worst_e4, status = margin.worst_isolated_e4, margin.status
    for part, deposit_e6 in parts:
        alone = margin_from(deposit_e6, part, 0, since_ns, since_slot)
        equity, owed = equity + alone.equity_e6, owed + alone.liabilities_e6
        as_of_ns = min(as_of_ns, alone.as_of_ns)
        worst_e4 = min(worst_e4, health_e4_of(alone.collateral_e6, alone.maintenance_e6))
        status = alone.status if status == "known" else status
    return structs.replace(
        margin,
        equity_e6=equity,
        liabilities_e6=owed,
        as_of_ns=as_of_ns,
        status=status,
        worst_isolated_e4=worst_e4,
    )


def with_quote_age(margin: Margin, quote: Market, since_ns: int, since_slot: int) -> Margin:
    """Return a margin with the age of the quote's price counted, which all of it stands on."""
    return structs.replace(
        margin,
        as_of_ns=min(margin.as_of_ns, quote.ts_ns),
        status="stale" if quote.ts_ns < since_ns or quote.oracle_slot < since_slot else margin.status,
    )


def unknown_margin(account: Account, markets: Mapping[str, Market]) -> Margin:
    """Return the margin that says nothing but how old the oldest held price is: 0 where there never was one."""
    spots, perps = held_in(account)
    names = [spot.market for spot in spots] + [perp.market for perp in perps]
    as_of_ns = min((markets[name].ts_ns if name in markets else 0 for name in names), default=0)
    return Margin(0, 0, 0, 0, 0, 0, as_of_ns, "unknown")
