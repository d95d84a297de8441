"""Margin of an account: from scratch, and kept up to date tick by tick at the cost of what changed.

The account and every ``Market`` are frozen and replaced when they change, so identity says what has to be done again:
a new account is taken apart into holdings (``margin_parts``), a new market reprices its own holding, the rest is a sum.
``check`` and ``margin_of`` share every formula and are equal to the last unit.

Sources: ``math/margin.rs`` (totals), the TypeScript SDK's ``user.ts`` getHealth (here unrounded), getFreeCollateral and
getLeverage. Unknown is a state of its own: a held market without a price gives no health, never a good one.
"""

from collections.abc import Mapping

from drift_engine.core.margin_parts import Part, PerpHolding, SpotHolding
from drift_engine.core.spot_balance import token_amount
from drift_engine.core.types import Account, EngineState, Margin, MarginKind, Market, PerpPosition, SpotBalance
from drift_engine.core.units import E4
from drift_engine.core.valuation import PriceUnknownError

_FOREVER = 1 << 63


def assess(account: Account, markets: Mapping[str, Market], kind: MarginKind) -> tuple[int, int]:
    """Return total collateral and margin requirement in quote 1e6: sound while the first is not below the second.

    Raises ``PriceUnknownError`` where a held market has no price.
    """
    margin = MarginMonitor().from_scratch(account, markets, 0)
    if kind == "maintenance":
        return margin.collateral_e6, margin.maintenance_e6
    return margin.collateral_initial_e6, margin.initial_e6


def margin_of(account: Account, markets: Mapping[str, Market], now_ns: int) -> Margin:
    """Return the margin of any account, held or supposed, from scratch: status ``known`` or ``unknown``."""
    try:
        return MarginMonitor().from_scratch(account, markets, now_ns)
    except PriceUnknownError:
        return _unknown(account, markets)


class MarginMonitor:
    """The margin of the engine's account, tick by tick.

    A held market whose oracle is older than ``max_age_slots`` or whose feed is older than ``max_age_ns`` makes it
    ``stale``; ``None`` sets no limit.
    """

    __slots__ = (
        "_account",
        "_margin",
        "_max_age_ns",
        "_max_age_slots",
        "_names",
        "_now_ns",
        "_parts",
        "_pricers",
        "_quote",
        "_quote_market",
        "_quote_tokens",
        "_seen",
        "_slot",
    )

    def __init__(self, max_age_slots: int | None = None, max_age_ns: int | None = None) -> None:
        self._max_age_slots = _FOREVER if max_age_slots is None else max_age_slots
        self._max_age_ns = _FOREVER if max_age_ns is None else max_age_ns
        self._account: Account | None = None
        self._now_ns = self._slot = -1

    def check(self, state: EngineState) -> Margin:
        """Return the margin at the state's prices and time."""
        account, markets, now_ns, slot = state.account, state.markets, state.now_ns, state.slot
        moved = False
        try:
            if account is not self._account:
                self._take_apart(account, markets)
                moved = True
            elif markets[self._quote] is not self._quote_market:
                self._count_quote(account, markets)
                moved = True
            seen = self._seen
            for index, name in enumerate(self._names):
                market = markets[name]
                if market is not seen[index]:
                    self._parts[index] = self._pricers[index](market)
                    seen[index] = market
                    moved = True
        except (PriceUnknownError, KeyError):
            self._account = None
            return _unknown(account, markets)
        if moved or now_ns != self._now_ns or slot != self._slot:
            self._now_ns, self._slot = now_ns, slot
            self._margin = self._summed(now_ns, slot)
        return self._margin

    def from_scratch(self, account: Account, markets: Mapping[str, Market], now_ns: int) -> Margin:
        """Return an account's margin, ages aside. Raises ``PriceUnknownError`` where a held market has no price."""
        self._take_apart(account, markets)
        return self._summed(now_ns, 0)

    def _take_apart(self, account: Account, markets: Mapping[str, Market]) -> None:
        self._account = None
        self._count_quote(account, markets)
        held = _holdings(account, markets)
        self._names = [name for name, _ in held]
        self._pricers = [holding.part for _, holding in held]
        self._seen = [markets[name] for name in self._names]
        self._parts = [pricer(market) for pricer, market in zip(self._pricers, self._seen, strict=True)]
        self._account = account

    def _count_quote(self, account: Account, markets: Mapping[str, Market]) -> None:
        self._quote = account.quote
        self._quote_market = _market(markets, account.quote)
        self._quote_tokens = token_amount(account.spot(account.quote).scaled_e9, self._quote_market)

    def _summed(self, now_ns: int, slot: int) -> Margin:
        tokens, parts = self._quote_tokens, self._parts
        if not parts:
            return _margin_of_quote(tokens, now_ns)
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
        stale = now_ns - as_of_ns > self._max_age_ns or slot - oldest_slot > self._max_age_slots
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
            "stale" if stale else "known",
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


def _margin_of_quote(tokens: int, now_ns: int) -> Margin:
    """Return the margin of an account with nothing but quote, which has no price and no age."""
    if tokens >= 0:
        return Margin(tokens, 0, tokens, 0, tokens, tokens, 0, E4, 0, now_ns, "known")
    return Margin(0, -tokens, 0, -tokens, 0, tokens, -tokens, 0, None, now_ns, "known")


def _held(account: Account) -> tuple[list[SpotBalance], list[PerpPosition]]:
    """Return balances and positions that are not empty, the quote balance apart (``state/user.rs`` is_available)."""
    spots = [spot for spot in account.spots if spot.market != account.quote and (spot.scaled_e9 or spot.open_orders)]
    return spots, [perp for perp in account.perps if perp.base_e9 or perp.quote_e6 or _has_order(perp)]


def _has_order(perp: PerpPosition) -> bool:
    return bool(perp.open_orders or perp.open_bids_e9 or perp.open_asks_e9)


def _holdings(account: Account, markets: Mapping[str, Market]) -> list[tuple[str, PerpHolding | SpotHolding]]:
    ratio_e4 = account.max_margin_ratio_e4
    spots, perps = _held(account)
    return [(spot.market, SpotHolding(spot, ratio_e4, _market(markets, spot.market))) for spot in spots] + [
        (perp.market, PerpHolding(perp, ratio_e4, _market(markets, perp.market))) for perp in perps
    ]


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
