"""Margin of an account: from scratch, and kept up to date tick by tick at the cost of what changed.

The account and every ``Market`` are frozen and replaced when they change, so identity says what has to be done again:
a new account is taken apart into holdings (``margin_parts``), a new market reprices its own holding, the rest is a sum.
What holds one plain perp position or nothing has a quicker way (``margin_lone``). ``check`` and ``margin_of`` are equal
to the last unit.

Sources: ``math/margin.rs`` (totals), the TypeScript SDK's ``user.ts`` getHealth (here unrounded), getFreeCollateral and
getLeverage. Unknown is a state of its own: a held market without a price gives no health, never a good one.
"""

from collections.abc import Mapping

from drift_engine.core.margin_lone import LonePerp, LoneQuote, margin_of_quote
from drift_engine.core.margin_parts import Part, PerpHolding, SpotHolding
from drift_engine.core.spot_balance import token_amount
from drift_engine.core.types import Account, EngineState, Margin, MarginKind, Market, PerpPosition, SpotBalance
from drift_engine.core.units import E4
from drift_engine.core.valuation import PriceUnknownError

Holding = PerpHolding | SpotHolding

_FOREVER = 1 << 63


def assess(account: Account, markets: Mapping[str, Market], kind: MarginKind) -> tuple[int, int]:
    """Return total collateral and margin requirement in quote 1e6: sound while the first is not below the second.

    Raises ``PriceUnknownError`` where a held market has no price.
    """
    margin = _from_scratch(account, markets, 0)
    if kind == "maintenance":
        return margin.collateral_e6, margin.maintenance_e6
    return margin.collateral_initial_e6, margin.initial_e6


def margin_of(account: Account, markets: Mapping[str, Market], now_ns: int) -> Margin:
    """Return the margin of any account, held or supposed, from scratch: status ``known`` or ``unknown``."""
    try:
        return _from_scratch(account, markets, now_ns)
    except PriceUnknownError:
        return _unknown(account, markets)


class MarginMonitor:
    """The margin of the engine's account, tick by tick.

    A held market whose oracle is older than ``max_age_slots`` or whose feed is older than ``max_age_ns`` makes it
    ``stale``; ``None`` sets no limit.
    """

    __slots__ = (
        "_account",
        "_held",
        "_known",
        "_lone",
        "_lone_market",
        "_lone_name",
        "_margin",
        "_max_age_ns",
        "_max_age_slots",
        "_now_ns",
        "_parts",
        "_quote",
        "_quote_market",
        "_ratio_e4",
        "_seen",
        "_slot",
        "_tokens",
    )

    def __init__(self, max_age_slots: int | None = None, max_age_ns: int | None = None) -> None:
        self._max_age_slots = _FOREVER if max_age_slots is None else max_age_slots
        self._max_age_ns = _FOREVER if max_age_ns is None else max_age_ns
        self._account: Account | None = None
        self._known: list[Holding] = []
        self._lone: LonePerp | LoneQuote | None = None
        self._now_ns = self._slot = self._ratio_e4 = -1
        self._margin: Margin
        self._lone_market: Market | None

    def check(self, state: EngineState) -> Margin:
        """Return the margin at the state's prices and time."""
        markets, now_ns, slot = state.markets, state.now_ns, state.slot
        lone = self._lone
        if lone is not None and state.account is self._account and markets.get(self._quote) is self._quote_market:
            market = markets.get(self._lone_name)
            if market is self._lone_market and now_ns == self._now_ns and slot == self._slot:
                return self._margin
            margin = lone.margin(market, now_ns, slot, self._max_age_ns, self._max_age_slots)
            if margin is not None:
                self._lone_market, self._now_ns, self._slot, self._margin = market, now_ns, slot, margin
                return margin
        return self._check(state.account, markets, now_ns, slot)

    def _check(self, account: Account, markets: Mapping[str, Market], now_ns: int, slot: int) -> Margin:
        """Go the whole way: do again what has changed, and sum."""
        moved, self._lone = False, None
        try:
            if account is not self._account:
                self._take_apart(account, markets)
                moved = True
            elif markets[self._quote] is not self._quote_market:
                self._count_quote(account, markets)
                moved = True
            seen = self._seen
            for index, holding in enumerate(self._held):
                market = markets[holding.name]
                if market is not seen[index]:
                    self._parts[index] = holding.part(market)
                    seen[index] = market
                    moved = True
        except (PriceUnknownError, KeyError):
            self._account = None
            return _unknown(account, markets)
        if moved or now_ns != self._now_ns or slot != self._slot:
            self._now_ns, self._slot = now_ns, slot
            self._margin = _summed(
                self._tokens, self._parts, now_ns, now_ns - self._max_age_ns, slot - self._max_age_slots
            )
            if len(self._held) <= 1:
                self._look_for_lone()
        return self._margin

    def _take_apart(self, account: Account, markets: Mapping[str, Market]) -> None:
        """Make a new account's holdings; those whose sizes and ratios have not changed are kept."""
        last, self._account = self._account, None
        if last is None or account.spots is not last.spots or markets.get(account.quote) is not self._quote_market:
            self._count_quote(account, markets)
        if account.max_margin_ratio_e4 != self._ratio_e4:
            self._ratio_e4, self._known = account.max_margin_ratio_e4, []
        self._held = held = _holdings(account, markets, self._known)
        self._seen, self._parts, self._known = [], [], held
        for holding in held:
            market = markets[holding.name]
            self._seen.append(market)
            self._parts.append(holding.part(market))
        self._account = account

    def _count_quote(self, account: Account, markets: Mapping[str, Market]) -> None:
        self._quote = account.quote
        self._quote_market = _market(markets, account.quote)
        self._tokens = token_amount(account.spot(account.quote).scaled_e9, self._quote_market)

    def _look_for_lone(self) -> None:
        """Note the quick way of an account that holds one thing or nothing, where there is one."""
        if not self._held:
            self._lone, self._lone_name, self._lone_market = LoneQuote(self._tokens), self._quote, self._quote_market
            return
        holding = self._held[0]
        if isinstance(holding, PerpHolding):
            self._lone, self._lone_name, self._lone_market = holding.alone(self._tokens), holding.name, self._seen[0]


def _from_scratch(account: Account, markets: Mapping[str, Market], now_ns: int) -> Margin:
    """Return an account's margin, ages aside. Raises ``PriceUnknownError`` where a held market has no price."""
    tokens = token_amount(account.spot(account.quote).scaled_e9, _market(markets, account.quote))
    ratio_e4 = account.max_margin_ratio_e4
    parts: list[Part] = []
    for spot in account.spots:
        if spot.market != account.quote and (spot.scaled_e9 or spot.open_orders):
            market = _market(markets, spot.market)
            parts.append(SpotHolding(spot, ratio_e4, market).part(market))
    for perp in account.perps:
        if perp.base_e9 or perp.quote_e6 or _has_order(perp):
            market = _market(markets, perp.market)
            parts.append(PerpHolding(perp, ratio_e4, market).part(market))
    return _summed(tokens, parts, now_ns, -_FOREVER, -_FOREVER)


def _summed(tokens: int, parts: list[Part], now_ns: int, since_ns: int, since_slot: int) -> Margin:
    """Return the margin of quote tokens and parts, stale where one of them is of a time or slot before ``since``."""
    if not parts:
        return margin_of_quote(tokens, now_ns)
    total = parts[0] if len(parts) == 1 else _joined(parts)
    collateral, requirement, initial, required, equity, owed, orders, as_of_ns, oldest_slot = total
    if tokens >= 0:
        collateral, initial = collateral + tokens, initial + tokens
    else:
        requirement, required = requirement - tokens, required - tokens
    equity += tokens
    if orders:
        tokens += orders
    if tokens < 0:
        owed -= tokens
    if collateral > requirement:
        health_e4 = (collateral - requirement) * E4 // collateral
    else:
        health_e4 = 0 if collateral or requirement else E4
    return Margin(
        collateral,
        requirement,
        initial,
        required,
        initial - required if initial > required else 0,
        equity,
        owed,
        health_e4,
        owed * E4 // equity if equity > 0 else None if owed or equity else 0,
        as_of_ns,
        "stale" if as_of_ns < since_ns or oldest_slot < since_slot else "known",
    )


def _joined(parts: list[Part]) -> Part:
    """Return the sum of parts and the age of the oldest."""
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


def _held(account: Account) -> tuple[list[SpotBalance], list[PerpPosition]]:
    """Return balances and positions that are not empty, the quote balance apart (``state/user.rs`` is_available)."""
    spots = [spot for spot in account.spots if spot.market != account.quote and (spot.scaled_e9 or spot.open_orders)]
    return spots, [perp for perp in account.perps if perp.base_e9 or perp.quote_e6 or _has_order(perp)]


def _has_order(perp: PerpPosition) -> bool:
    return bool(perp.open_orders or perp.open_bids_e9 or perp.open_asks_e9)


def _holdings(account: Account, markets: Mapping[str, Market], known: list[Holding]) -> list[Holding]:
    """Return what an account holds beside quote; a known holding stays where it still stands for what is held."""
    quote, ratio_e4 = account.quote, account.max_margin_ratio_e4
    held: list[Holding] = []
    for spot in account.spots:
        if spot.market != quote and (spot.scaled_e9 or spot.open_orders):
            old = known[len(held)] if len(held) < len(known) else None
            if isinstance(old, SpotHolding) and old.balance is spot:
                held.append(old)
            else:
                held.append(SpotHolding(spot, ratio_e4, _market(markets, spot.market)))
    for perp in account.perps:
        if perp.base_e9 or perp.quote_e6 or _has_order(perp):
            old = known[len(held)] if len(held) < len(known) else None
            market = _market(markets, perp.market)
            if isinstance(old, PerpHolding) and old.takes(perp, market):
                held.append(old)
            else:
                held.append(PerpHolding(perp, ratio_e4, market))
    return held


def _market(markets: Mapping[str, Market], name: str) -> Market:
    market = markets.get(name)
    if market is None:
        raise PriceUnknownError(f"the market {name} is not known")
    return market


def _unknown(account: Account, markets: Mapping[str, Market]) -> Margin:
    """Return the margin that says nothing but how old the oldest held price is: 0 where there never was one."""
    spots, perps = _held(account)
    names = [spot.market for spot in spots] + [perp.market for perp in perps]
    as_of_ns = min((markets[name].ts_ns if name in markets else 0 for name in names), default=0)
    return Margin(0, 0, 0, 0, 0, 0, 0, None, None, as_of_ns, "unknown")
