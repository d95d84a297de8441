"""One price moved and nothing else: the margin of a whole account at the cost of one position.

What all the rest adds is summed once, and with it what the position itself adds at any price. A new price then takes a
few multiplications and makes no part of its own. It is there in the plain case only: a perp without open bids or asks,
whose profit counts in full by maintenance, with quote at par and nothing isolated. In any other case, and where more
than the price is not what it was, ``margin_monitor`` goes the whole way; both ways give the same figures to the unit.

A generator answers, since its figures stay at hand from one question to the next, where a function would fetch some
thirty of them for each. Size and ratios are reduced to lowest terms: often nothing is left to divide or multiply by.
"""

from collections.abc import Callable, Generator, Mapping

from msgspec import Struct

from drift_engine.core.margin_parts import UPNL_INITIAL_CAP_E6, Part
from drift_engine.core.types import (
    Account,
    EngineState,
    Margin,
    Market,
    MarketState,
    MarketStatus,
    PerpSpec,
    PerpTotals,
    SpotTotals,
)
from drift_engine.core.units import E4, E9, lowest_terms

Totals = PerpTotals | SpotTotals | None

PerpFacts = tuple[int, int, int, int, PerpSpec, MarketStatus, Totals, bool, int, int, int, int, int, bool]
"""What changes while the size stays: cumulative funding, quote, unsettled funding, what open orders require. Then the
market's facts, status and account, whether long, size, both ratios, both weights of unrealised profit, and whether the
position is priced by the general way: in settlement, by a profit weight that falls with size, by a prediction contract.
"""

Moment = EngineState | MarketState

Move = Callable[[Moment], Margin | None]
"""The margin at a moment, ``None`` where more than one market's price has changed, or it has none."""


class Fixed(Struct, frozen=True, gc=False):
    """What may not change beside a price: the account, and the market or markets of its quote asset and of the rest.

    ``others`` takes them out of the books. A price older than the ages makes the margin stale.
    """

    account: Account
    others: Callable[[Mapping[str, Market]], Market | tuple[Market, ...]]
    markets: Market | tuple[Market, ...]
    max_age_ns: int
    max_age_slots: int


def margin_of_quote(tokens: int, now_ns: int) -> Margin:
    """Return the margin of an account with nothing but quote: it has no price and no age."""
    if tokens >= 0:
        return Margin(tokens, 0, tokens, 0, tokens, 0, now_ns, "known")
    return Margin(0, -tokens, 0, -tokens, tokens, -tokens, now_ns, "known")


def perp_move(name: str, facts: PerpFacts, rest: Part, fixed: Fixed) -> Move:
    """Return the margin of the position in market ``name`` and the ``rest``, quote in it, at any price to come."""
    margins = _margins(name, facts, rest, fixed)
    next(margins)
    return margins.send


def _margins(name: str, facts: PerpFacts, rest: Part, fixed: Fixed) -> Generator[Margin | None, Moment, None]:
    cumulative, quote, unsettled, open_e6, spec, status, totals, long, size, ratio, ratio_i, _, upnl_i, _ = facts
    without, asked, initial_without, asked_i, equity, owed, _, oldest_ns, oldest_slot = rest
    asked, asked_i = asked + open_e6, asked_i + open_e6
    start, behind = without + quote + unsettled, initial_without - without
    beyond = equity + quote - start
    account, others, markets = fixed.account, fixed.others, fixed.markets
    max_age_ns, max_age_slots = fixed.max_age_ns, fixed.max_age_slots
    size, unit = lowest_terms(size, E9)
    (ratio, whole), (ratio_i, whole_i) = lowest_terms(ratio, E4), lowest_terms(ratio_i, E4)
    seen: Market | None = None
    now_ns = slot = -1
    since_ns, since_slot = now_ns - max_age_ns, slot - max_age_slots
    last: Margin | None = None
    margin: Margin | None = None
    while True:
        moment = yield margin
        margin = None
        books = moment.markets
        try:
            if moment.account is not account or others(books) != markets:
                continue
            market = books[name]
        except KeyError:
            continue
        if moment.now_ns != now_ns or moment.slot != slot:
            seen, now_ns, slot = None, moment.now_ns, moment.slot
            since_ns, since_slot = now_ns - max_age_ns, slot - max_age_slots
        elif market is seen:
            margin = last
            continue
        price = market.oracle_e6
        if (
            price is None
            or price <= 0
            or market.spec is not spec
            or market.funding_cumulative_e9 != cumulative
            or market.totals is not totals
            or market.status != status
        ):
            continue
        seen = market
        value = size * price if unit == 1 else size * price // unit
        collateral = start + value if long else start - value
        if collateral <= without:
            initial = collateral + behind
        elif upnl_i:
            profit = (collateral - without) * upnl_i // E4
            initial = initial_without + (profit if profit < UPNL_INITIAL_CAP_E6 else UPNL_INITIAL_CAP_E6)
        else:
            initial = initial_without
        requirement = (value if ratio == 1 else value * ratio) // whole
        required = (value if ratio_i == 1 else value * ratio_i) // whole_i
        ts_ns, at_slot = market.ts_ns, market.oracle_slot
        ts_ns = oldest_ns if oldest_ns < ts_ns else ts_ns
        at_slot = oldest_slot if oldest_slot < at_slot else at_slot
        last = margin = Margin(
            collateral,
            requirement + asked,
            initial,
            required + asked_i,
            collateral + beyond,
            value + owed,
            ts_ns,
            "stale" if ts_ns < since_ns or at_slot < since_slot else "known",
        )
