"""A second margin, written straight from the program's rules, one kind at a time: slow, plain, and only for tests."""

from collections.abc import Mapping
from fractions import Fraction
from math import ceil, floor, isqrt, trunc

from drift_engine.core.types import Account, MarginKind, Market, PerpPosition, PerpSpec, SpotBalance, SpotSpec


def premium(size: int, imf: int, weight: int) -> int:
    if imf == 0:
        return weight
    return max(weight, weight - weight // 5 + isqrt(size * 10 + 1) * imf // 10_000_000)


def discount(size: int, imf: int, weight: int) -> int:
    if imf == 0:
        return weight
    return min(weight, 1_100_000 * 10_000 // (1_000_000 + isqrt(size * 10 + 1) * imf // 100_000))


def tokens_of(balance: SpotBalance, market: Market) -> int:
    assert isinstance(market.spec, SpotSpec)
    deposit = balance.scaled_e9 >= 0
    interest = market.interest_deposit_e10 if deposit else market.interest_borrow_e10
    exact = Fraction(abs(balance.scaled_e9) * interest, 10 ** (19 - market.spec.decimals))
    return floor(exact) if deposit else -ceil(exact)


def perp(position: PerpPosition, market: Market, kind: MarginKind, own: int) -> tuple[int, int, int]:
    """Collateral, requirement and worst liability of one perp position."""
    spec, price = market.spec, market.oracle_e6
    assert isinstance(spec, PerpSpec)
    assert price is not None
    moved = market.funding_cumulative_e9 - position.funding_cursor_e9
    paid = abs(moved) * abs(position.base_e9) // 10**6 // 10**3 // 1000
    paid = -paid if (position.base_e9 > 0) == (moved > 0) else paid
    pnl = position.quote_e6 + trunc(Fraction(position.base_e9 * price, 10**9)) + paid

    def owed(size: int) -> int:
        return abs(size) * price // 10**9

    asks, bids = position.base_e9 + position.open_asks_e9, position.base_e9 + position.open_bids_e9
    worst = asks if owed(asks) >= owed(bids) else bids
    default = spec.margin_initial_e4 if kind == "initial" else spec.margin_maintenance_e4
    ratio = premium(abs(worst), spec.imf_e6, default)
    weight = spec.upnl_initial_e4 if kind == "initial" else spec.upnl_maintenance_e4
    if kind == "initial":
        ratio = max(ratio, own, position.max_margin_ratio_e4)
    if market.status == "settlement":
        ratio = 0
    if pnl > 0:
        pnl = pnl * weight // 10_000
    if kind == "initial":
        pnl = min(pnl, 100_000_000)
    return pnl, owed(worst) * ratio // 10_000 + position.open_orders * 10_000, owed(worst)


def spot(balance: SpotBalance, market: Market, kind: MarginKind, own: int) -> tuple[int, int, int, int]:
    """Collateral, requirement, liability and orders' quote of one spot balance that is not the quote asset."""
    spec, price = market.spec, market.oracle_e6
    assert isinstance(spec, SpotSpec)
    assert price is not None
    asset, liability = spec.asset_maintenance_e4, spec.liability_maintenance_e4
    if kind == "initial":
        asset, liability = spec.asset_initial_e4, spec.liability_initial_e4

    def value(tokens: int) -> int:
        return floor(Fraction(tokens * price, 10**spec.decimals))

    def weighted(worth: int, tokens: int, ratio: int) -> int:
        size = trunc(Fraction(abs(tokens) * 10**9, 10**spec.decimals))
        up, down = premium(size, spec.imf_e6, liability), discount(size, spec.imf_e6, asset)
        if ratio and kind == "initial":
            up, down = max(up, 10_000 + ratio), min(down, max(0, 10_000 - ratio))
        return trunc(Fraction(worth * (up if worth < 0 else down), 10_000))

    held = tokens_of(balance, market)
    sides = []
    for order in (balance.open_asks, balance.open_bids):
        quote = value(-order)
        worth = value(held) - quote
        sides.append((weighted(worth, held + order, 0) + quote, worth, held + order, quote))
    _, worth, after, quote = sides[0] if sides[0][0] <= sides[1][0] else sides[1]
    counted = weighted(worth, after, own)
    requirement = balance.open_orders * 10_000 + max(0, -counted) + max(0, -quote)
    return max(0, counted) + max(0, quote), requirement, max(0, -worth), quote


def assess(account: Account, markets: Mapping[str, Market], kind: MarginKind) -> tuple[int, int, int]:
    """Total collateral, margin requirement and liabilities."""
    own = account.max_margin_ratio_e4
    collateral = requirement = liabilities = quote = 0
    for balance in account.spots:
        if balance.market == account.quote:
            tokens = tokens_of(balance, markets[balance.market])
            collateral, requirement, quote = collateral + max(0, tokens), requirement + max(0, -tokens), quote + tokens
            continue
        adds, asks, owes, change = spot(balance, markets[balance.market], kind, own)
        collateral, requirement, liabilities = collateral + adds, requirement + asks, liabilities + owes
        quote += change
    for position in account.perps:
        adds, asks, owes = perp(position, markets[position.market], kind, own)
        collateral, requirement, liabilities = collateral + adds, requirement + asks, liabilities + owes
    return collateral, requirement, liabilities + max(0, -quote)
