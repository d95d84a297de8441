"""Between which prices an account cannot come below maintenance margin: the cheap check of every price row.

From the slack (collateral less requirement) and what each holding can lose at most for a price move, each held market
gets a band as wide, in per cent, as the others'. While every price is inside its band, slack cannot run out, whatever
the combination: holdings gain and lose at most their size, and requirements move at most by size times ratio. Outside,
margin is worked out afresh.

A sixteenth of the slack is kept in reserve. Open orders are in the bands at their worst, so that a perp's fill costs no
more than its fee and its distance from the oracle; that, funding and interest eat the reserve, and only when it is gone
are the bands empty. They are after anything else that changes the account, too.
"""

from collections.abc import Callable, Mapping, Sequence

from drift_engine.core.margin_monitor import assess
from drift_engine.core.margin_weights import liability_weight_e4, perp_ratios_e4
from drift_engine.core.spot_balance import token_amount
from drift_engine.core.types import (
    Account,
    AccountEvent,
    Deposited,
    Filled,
    FundingPaid,
    InterestAccrued,
    Margin,
    Market,
    MarketUpdated,
    PerpPosition,
    PerpSpec,
    PlanClosed,
    SpotBalance,
)
from drift_engine.core.units import E4, E9, ceil_div, notional_e6, rescale, tdiv
from drift_engine.core.valuation import perp_value_e6, spot_value_e6
from drift_engine.simulation.books import Books
from drift_engine.simulation.quotes import ANY, NONE, Band, MarketQuote

_ROUNDING_E6 = 1_000
_RESERVE = 16

Take = Callable[[int, int, int, int, int, int, int], MarketUpdated | None]
"""Takes a price row: time, slot, oracle, mark, open, bid, ask."""


class Desk:
    """One market as the world sees it. ``take`` is the quote itself, or the venue while an order waits there."""

    __slots__ = ("quote", "take")

    def __init__(self, quote: MarketQuote) -> None:
        self.quote = quote
        self.take: Take = quote.price


class Watch:
    """Keeps the bands of one account's markets as its events tell of it."""

    def __init__(self, books: Books, quotes: Mapping[str, MarketQuote]) -> None:
        self._books, self._quotes = books, quotes
        self._followed, self._reserve_e6 = 0, -1
        self._banded: Mapping[str, Band] = {}
        self._tokens: dict[str, int] = {}
        self._costs_e6: dict[str, tuple[int, int]] = {}

    def set(self, account: Account, markets: Mapping[str, Market], margin: Margin) -> None:
        """Set the bands by an account, its open orders counted, and its margin."""
        slack_e6 = margin.collateral_e6 - margin.maintenance_e6
        reserve_e6 = max(slack_e6, 0) // _RESERVE
        costs_e6 = _at_risk(account, markets)
        self._band(_bands(costs_e6, markets, slack_e6 - reserve_e6))
        self._reserve_e6 = reserve_e6
        self._tokens, self._costs_e6 = {}, {}
        for balance in account.spots:
            if balance.market in costs_e6 or balance.scaled_e9 < 0:
                self._tokens[balance.market] = token_amount(balance.scaled_e9, markets[balance.market])
                self._costs_e6[balance.market] = _cost_of_tokens(balance, markets, costs_e6, slack_e6)

    def empty(self) -> None:
        """Have margin worked out at the next price of any market held."""
        self._reserve_e6 = -1
        held = dict.fromkeys([*self._books.perps, *self._books.spots], NONE)
        held.pop(self._books.quote, None)
        self._band(held)

    def follow(self, history: Sequence[AccountEvent]) -> None:
        """Bring the bands up to date with the account's events; the books know them already."""
        for event in history[self._followed :]:
            self._take(event)
        self._followed = len(history)

    def _take(self, event: AccountEvent) -> None:
        if type(event) is FundingPaid:
            self._spend(-event.payment_e6)
        elif type(event) is Filled and event.kind == "perp":
            gained_e6 = event.quote_e6 + notional_e6(event.base_e9, event.oracle_e6)
            self._spend(event.fee_e6 - gained_e6)
        elif type(event) is PlanClosed:
            self._spend(event.tip_e6)
        elif isinstance(event, InterestAccrued):
            self._accrued(event.market)
        elif not isinstance(event, Deposited) or event.market != self._books.quote:
            self.empty()

    def _spend(self, cost_e6: int) -> None:
        """Take a cost and a unit or two of rounding from the reserve."""
        self._reserve_e6 -= max(cost_e6, 0) + 2
        if self._reserve_e6 < 0:
            self.empty()

    def _accrued(self, name: str) -> None:
        """Take what interest may cost from the reserve, wherever in the bands prices go."""
        balance = self._books.spots.get(name)
        if balance is None:
            return
        tokens = self._books.tokens(name)
        grown = abs(tokens - self._tokens.get(name, 0))
        self._tokens[name] = tokens
        if name != self._books.quote or tokens < 0:
            cost_e6, per_tokens = self._costs_e6.get(name, (1, 1))
            self._spend(ceil_div(grown * cost_e6, per_tokens))

    def _band(self, bands: dict[str, Band]) -> None:
        quotes = self._quotes
        for name in self._banded:
            quotes[name].low_e6, quotes[name].high_e6 = ANY
        for name, band in bands.items():
            quotes[name].low_e6, quotes[name].high_e6 = band
        self._banded = bands


def bands(account: Account, markets: Mapping[str, Market], slack_e6: int) -> dict[str, Band]:
    """Return the band of oracle prices (quote 1e6, both ends inside) of each held market that has a price risk."""
    return _bands(_at_risk(account, markets), markets, slack_e6)


def _bands(costs_e6: Mapping[str, int], markets: Mapping[str, Market], room_e6: int) -> dict[str, Band]:
    total_e6 = sum(costs_e6.values())
    return {name: _band(markets[name].oracle_e6 or 0, room_e6 - _ROUNDING_E6, total_e6) for name in costs_e6}


def _cost_of_tokens(
    balance: SpotBalance, markets: Mapping[str, Market], costs_e6: Mapping[str, int], slack_e6: int
) -> tuple[int, int]:
    """Return what more tokens of a balance cost at most at any price inside the bands, as cost and tokens."""
    if balance.market not in costs_e6:
        return 1, 1
    total_e6 = sum(costs_e6.values())
    size = abs(token_amount(balance.scaled_e9, markets[balance.market])) + balance.open_bids - balance.open_asks
    return costs_e6[balance.market] * (total_e6 + max(slack_e6, 0)), total_e6 * size


def _band(price_e6: int, room_e6: int, total_e6: int) -> Band:
    if room_e6 <= 0:
        return NONE
    width_e6 = price_e6 * room_e6 // total_e6
    return price_e6 - width_e6, price_e6 + width_e6


def _at_risk(account: Account, markets: Mapping[str, Market]) -> dict[str, int]:
    """Return what a price move of 100 % could cost at most in each held market, in quote 1e6, rounded up."""
    costs_e6 = {}
    for position in account.perps:
        market = markets[position.market]
        size_e9 = abs(position.base_e9) + position.open_bids_e9 - position.open_asks_e9
        if size_e9 and isinstance(market.spec, PerpSpec):
            ratio_e4, _ = perp_ratios_e4(market.spec, size_e9)
            costs_e6[position.market] = _cost_e6(size_e9, market, E4 + ratio_e4)
    for balance in account.spots:
        market = markets[balance.market]
        spec = market.spec
        if balance.market == account.quote or isinstance(spec, PerpSpec):
            continue
        tokens = abs(token_amount(balance.scaled_e9, market)) + balance.open_bids - balance.open_asks
        if tokens:
            size_e9 = rescale(tokens, spec.decimals, 9)
            weight_e4 = liability_weight_e4(spec, tokens, "maintenance")
            costs_e6[balance.market] = _cost_e6(size_e9, market, E4 + weight_e4)
    return costs_e6


def _cost_e6(size_e9: int, market: Market, weight_e4: int) -> int:
    return ceil_div(size_e9 * (market.oracle_e6 or 0) * weight_e4, E9 * E4) + 1


def shortage_e6(account: Account, markets: Mapping[str, Market], buffer_e4: int) -> int:
    """Return what margin lacks with the buffer on liabilities and losses, 0 where nothing lacks.

    Source: ``state/margin_calculation.rs``; the account has no open orders.
    """
    have_e6, need_e6 = assess(account, markets, "maintenance")
    for position in account.perps:
        value_e6 = perp_value_e6(position, markets[position.market])
        have_e6 += tdiv(min(value_e6, 0) * buffer_e4, E4)
        need_e6 += size_e6(position, markets) * buffer_e4 // E4
    for balance in account.spots:
        value_e6 = spot_value_e6(balance, markets[balance.market], account.quote)
        need_e6 += max(-value_e6, 0) * buffer_e4 // E4
    return max(0, need_e6 - have_e6)


def size_e6(position: PerpPosition, markets: Mapping[str, Market]) -> int:
    """Return a position's size at the oracle, in quote 1e6."""
    return abs(position.base_e9) * (markets[position.market].oracle_e6 or 0) // E9
