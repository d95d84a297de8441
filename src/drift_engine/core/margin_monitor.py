"""Margin of an account: from scratch, and kept up to date tick by tick at the cost of what changed.

The account and every ``Market`` are frozen and replaced when they change, so identity says what has to be done again:
a new account is priced from scratch, and nothing is prepared for it. Asked of again, it is taken apart into holdings
(``margin_parts``), a new market reprices its own holding, the rest is a sum (``margin_sums``) in which one part is
replaced. While one market is all that moves, as it nearly always is, the rest is not even summed again
(``margin_move``). ``check`` and ``margin_of`` are equal to the last unit.

Unknown is a state of its own: a held market without a price gives no health, never a good one. Where the quote asset
does not stand at par, its price is one of those that have to be known, and its age counts.
"""

from collections.abc import Mapping, Sequence
from operator import itemgetter

from drift_engine.core.margin_direct import is_direct, perp_part, spot_part
from drift_engine.core.margin_move import Fixed, Moment, Move, perp_move
from drift_engine.core.margin_parts import Part, Terms, at_par, terms_of
from drift_engine.core.margin_perp import PerpHolding
from drift_engine.core.margin_spot import SpotHolding
from drift_engine.core.margin_sums import (
    Holding,
    held_in,
    holdings_of,
    joined,
    margin_from,
    market_of,
    quote_in,
    rejoined,
    unknown_margin,
    with_isolated,
    with_quote,
    with_quote_age,
)
from drift_engine.core.types import Account, Margin, MarginKind, Market
from drift_engine.core.units import E6
from drift_engine.core.valuation import PriceUnknownError

_FOREVER = 1 << 63
_OFTEN = 3


def assess(
    account: Account, markets: Mapping[str, Market], kind: MarginKind, *, strict: bool = False
) -> tuple[int, int]:
    """Return collateral and requirement of the cross margin, in quote 1e6: sound while the first covers the second.

    Raises ``PriceUnknownError`` where something it stands on is not known. Isolated positions: ``margin_scopes``.
    """
    second: MarginKind = "initial" if kind == "maintenance" else kind
    margin = _from_scratch(account, markets, terms_of(account, second, strict=strict), 0)
    if kind == "maintenance":
        return margin.collateral_e6, margin.maintenance_e6
    return margin.collateral_initial_e6, margin.initial_e6


def margin_of(
    account: Account, markets: Mapping[str, Market], now_ns: int, since_ns: int = -_FOREVER, since_slot: int = -_FOREVER
) -> Margin:
    """Return the margin of any account, held or supposed, from scratch: ``stale`` by prices from before ``since``."""
    try:
        return _from_scratch(account, markets, terms_of(account), now_ns, since_ns, since_slot)
    except PriceUnknownError:
        return unknown_margin(account, markets)


class MarginMonitor:
    """The margin of the engine's account, tick by tick.

    A held market whose oracle is older than ``max_age_slots`` or whose feed is older than ``max_age_ns`` makes it
    ``stale``; ``None`` sets no limit.
    """

    __slots__ = (
        "_account",
        "_aged",
        "_bounds",
        "_held",
        "_isolated",
        "_known",
        "_margin",
        "_max_age_ns",
        "_max_age_slots",
        "_met",
        "_move",
        "_mover",
        "_moves",
        "_names",
        "_now_ns",
        "_parts",
        "_quote",
        "_quote_e6",
        "_quote_market",
        "_seen",
        "_slot",
        "_terms",
        "_total",
    )

    def __init__(self, max_age_slots: int | None = None, max_age_ns: int | None = None) -> None:
        self._max_age_slots = _FOREVER if max_age_slots is None else max_age_slots
        self._max_age_ns = _FOREVER if max_age_ns is None else max_age_ns
        self._account: Account | None = None
        self._met: Account | None = None
        self._known: list[Holding] = []
        self._held: list[Holding] = []
        self._names: list[str] = []
        self._move: Move | None = None
        self._mover, self._moves = -1, 0
        self._now_ns = self._slot = -1
        self._margin: Margin
        self._terms: Terms | None = None
        self._seen: list[Market | None] = []
        self._parts: list[Part] = []
        self._total: Part | None = None

    def check(self, moment: Moment) -> Margin:
        """Return the margin at this moment's prices and time."""
        if (move := self._move) is not None:
            margin = move(moment)
            if margin is not None:
                return margin
        if (account := moment.account) is self._met:
            return self._check(moment)
        self._met = account
        now_ns = moment.now_ns
        return margin_of(account, moment.markets, now_ns, now_ns - self._max_age_ns, moment.slot - self._max_age_slots)

    def _check(self, moment: Moment) -> Margin:
        """Go the whole way: do again what has changed, and sum."""
        account, markets, now_ns, slot = moment.account, moment.markets, moment.now_ns, moment.slot
        moved, mover, self._move = False, -1, None
        try:
            if account is not self._account:
                self._take_apart(account, markets)
                moved = True
            elif markets[self._quote] is not self._quote_market:
                self._account = None
                self._count_quote(account, markets)
                self._account = account
                moved = True
            seen = self._seen
            for index, name in enumerate(self._names):
                market = markets[name]
                if market is not seen[index]:
                    self._reprice(index, market)
                    moved, mover = True, index if mover < 0 else len(seen)
        except (PriceUnknownError, KeyError):
            self._account = None
            return unknown_margin(account, markets)
        if moved or now_ns != self._now_ns or slot != self._slot:
            self._now_ns, self._slot = now_ns, slot
            self._margin = margin_from(
                self._quote_e6, self._total, now_ns, now_ns - self._max_age_ns, slot - self._max_age_slots
            )
            if self._isolated or self._aged:
                self._margin = self._beyond_cross(self._margin, now_ns - self._max_age_ns, slot - self._max_age_slots)
            else:
                self._look_for_move(mover, moment)
        return self._margin

    def _reprice(self, index: int, market: Market) -> None:
        """Price a holding again and put its part in the old one's place."""
        parts, old, holding = self._parts, self._parts[index], self._held[index]
        low_e6, high_e6 = self._bounds
        self._parts[index] = part = holding.part(market, low_e6, high_e6)
        self._seen[index] = market
        total = self._total
        self._total = self._joined() if self._isolated or total is None else rejoined(total, old, part, parts)

    def _joined(self) -> Part | None:
        parts = [part for part, holding in zip(self._parts, self._held, strict=True) if not holding.isolated]
        return joined(parts) if parts else None

    def _take_apart(self, account: Account, markets: Mapping[str, Market]) -> None:
        """Make a new account's holdings; those whose sizes and ratios have not changed are kept."""
        last, self._account = self._account, None
        terms = self._terms
        if terms is None or account.max_margin_ratio_e4 != terms.ratio_e4 or account.leverage != terms.leverage:
            self._terms = terms = terms_of(account)
            self._known = []
        self._held = self._known = holdings_of(account, markets, terms, self._known)
        self._names = [holding.name for holding in self._held]
        self._isolated = any(holding.isolated for holding in self._held)
        self._seen, self._parts = [], []
        if last is None or account.spots is not last.spots or markets.get(account.quote) is not self._quote_market:
            self._count_quote(account, markets)
        else:
            self._price_all(markets)
        self._account = account

    def _count_quote(self, account: Account, markets: Mapping[str, Market]) -> None:
        """Value the quote balance; where the quote's price moved, every part moves with it."""
        market, self._quote_e6, *bounds = quote_in(account, markets)
        self._quote, self._quote_market, self._bounds = account.quote, market, bounds
        self._aged = not at_par(market)
        self._price_all(markets)

    def _price_all(self, markets: Mapping[str, Market]) -> None:
        seen = [market_of(markets, name) for name in self._names]
        self._parts = [holding.part(market, *self._bounds) for holding, market in zip(self._held, seen, strict=True)]
        self._seen = [*seen]
        self._total = self._joined()

    def _beyond_cross(self, margin: Margin, since_ns: int, since_slot: int) -> Margin:
        """Return the margin with isolated positions, and with the age of the quote's price."""
        deposits = _deposits(self._held, self._parts, self._quote_market, self._bounds[0])
        margin = with_isolated(margin, deposits, since_ns, since_slot) if deposits else margin
        return with_quote_age(margin, self._quote_market, since_ns, since_slot) if self._aged else margin

    def _look_for_move(self, mover: int, moment: Moment) -> None:
        """Note the quick way of what holds one thing, and of a market that alone moved some times in a row."""
        self._moves = self._moves + 1 if mover == self._mover else 0
        self._mover = mover
        if len(self._held) == 1:
            self._move = self._moving(0, moment.account, moment.markets)
        elif self._moves >= _OFTEN and 0 <= mover < len(self._held):
            self._move = self._moving(mover, moment.account, moment.markets)
        if self._move is not None:
            self._margin = self._move(moment) or self._margin

    def _moving(self, mover: int, account: Account, markets: Mapping[str, Market]) -> Move | None:
        """Return the margin at any price of one holding, where it is a plain perp."""
        holding = self._held[mover]
        facts = holding.plain_facts if isinstance(holding, PerpHolding) else None
        if facts is None:
            return None
        parts = self._parts[:mover] + self._parts[mover + 1 :]
        others = itemgetter(self._quote, *self._names[:mover], *self._names[mover + 1 :])
        fixed = Fixed(account, others, others(markets), self._max_age_ns, self._max_age_slots)
        return perp_move(holding.name, facts, with_quote(joined(parts) if parts else None, self._quote_e6), fixed)


def _from_scratch(
    account: Account,
    markets: Mapping[str, Market],
    terms: Terms,
    now_ns: int,
    since_ns: int = -_FOREVER,
    since_slot: int = -_FOREVER,
) -> Margin:
    """Return an account's margin. Raises ``PriceUnknownError`` where a held market has no price."""
    market, quote_e6, low_e6, high_e6 = quote_in(account, markets, strict=terms.strict)
    parts, deposits = _parts_of(account, markets, terms, low_e6, high_e6)
    margin = margin_from(quote_e6, joined(parts) if parts else None, now_ns, since_ns, since_slot)
    if deposits:
        alone = [(part, holding.deposit_e6(market, low_e6)) for part, holding in deposits]
        margin = with_isolated(margin, alone, since_ns, since_slot)
    return margin if at_par(market) else with_quote_age(margin, market, since_ns, since_slot)


def _parts_of(
    account: Account, markets: Mapping[str, Market], terms: Terms, low_e6: int, high_e6: int
) -> tuple[list[Part], list[tuple[Part, PerpHolding]]]:
    """Return what each thing held adds to the cross margin, and the parts of isolated positions apart.

    Nothing is prepared for a next price where a part has a direct way.
    """
    parts, isolated = [], []
    spots, perps = held_in(account)
    direct = is_direct(terms) and low_e6 == high_e6 == E6
    for spot in spots:
        market = market_of(markets, spot.market)
        part = spot_part(spot, market, terms.ratio_e4) if direct else None
        parts.append(part or SpotHolding(spot, market, terms).part(market))
    for perp in perps:
        market = market_of(markets, perp.market)
        part = perp_part(perp, market, terms.ratio_e4) if direct else None
        if part is None:
            holding = PerpHolding(perp, market, terms)
            part = holding.part(market, low_e6, high_e6)
            if perp.isolated:
                isolated.append((part, holding))
                continue
        parts.append(part)
    return parts, isolated


def _deposits(held: Sequence[Holding], parts: Sequence[Part], quote: Market, low_e6: int) -> list[tuple[Part, int]]:
    """Return the part of each isolated position and the value of the quote it holds of its own."""
    return [
        (part, holding.deposit_e6(quote, low_e6))
        for part, holding in zip(parts, held, strict=True)
        if isinstance(holding, PerpHolding) and holding.isolated
    ]
