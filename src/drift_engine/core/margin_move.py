"""One price moved and nothing else: the margin of a whole account at the cost of one position.

What all the rest adds is summed once, and with it what the position itself adds at any price. A new price then takes a
few multiplications and makes no part of its own. It is there in the plain case only: a perp without open bids or asks,
whose profit counts in full by maintenance, with quote at par and nothing isolated. In any other case, and where more
than the price is not what it was, ``margin_monitor`` goes the whole way; both ways give the same figures to the unit.
"""

from collections.abc import Callable, Mapping

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
from drift_engine.core.units import E4, E9

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
    """What may not change beside a price: the account, and the other markets that its margin stands on, by name.

    ``others`` asks for two at least. A price older than the ages makes the margin stale.
    """

    account: Account
    others: Callable[[Mapping[str, Market]], tuple[Market, ...]]
    markets: tuple[Market, ...]
    max_age_ns: int
    max_age_slots: int


def margin_of_quote(tokens: int, now_ns: int) -> Margin:
    """Return the margin of an account with nothing but quote: it has no price and no age."""
    if tokens >= 0:
        return Margin(tokens, 0, tokens, 0, tokens, 0, E4, now_ns, "known")
    return Margin(0, -tokens, 0, -tokens, tokens, -tokens, 0, now_ns, "known")


def perp_move(name: str, facts: PerpFacts, rest: Part, fixed: Fixed) -> Move:
    """Return the margin of the position in market ``name`` and the ``rest``, quote in it, at any price to come."""
    cumulative, quote, unsettled, open_e6, spec, status, totals, long, size, ratio, ratio_i, _, upnl_i, _ = facts
    without, asked, initial_without, asked_i, equity, owed, _, oldest_ns, oldest_slot = rest
    asked, asked_i = asked + open_e6, asked_i + open_e6
    start = without + quote + unsettled
    beyond = equity + quote - start
    account, others, markets = fixed.account, fixed.others, fixed.markets
    max_age_ns, max_age_slots = fixed.max_age_ns, fixed.max_age_slots
    seen: Market | None = None
    now_ns = slot = 0
    margin: Margin | None = None

    def move(moment: Moment) -> Margin | None:
        nonlocal seen, now_ns, slot, margin
        books = moment.markets
        try:
            if moment.account is not account or others(books) != markets:
                return None
            market = books[name]
        except KeyError:
            return None
        if market is seen and moment.now_ns == now_ns and moment.slot == slot:
            return margin
        price = market.oracle_e6
        if (
            price is None
            or price <= 0
            or market.spec is not spec
            or market.funding_cumulative_e9 != cumulative
            or market.totals is not totals
            or market.status != status
        ):
            return None
        seen, now_ns, slot = market, moment.now_ns, moment.slot
        value = size * price // E9
        collateral = start + value if long else start - value
        initial = initial_without
        if collateral <= without:
            initial += collateral - without
        elif upnl_i:
            initial += min((collateral - without) * upnl_i // E4, UPNL_INITIAL_CAP_E6)
        requirement = value * ratio // E4 + asked
        ts_ns, at_slot = market.ts_ns, market.oracle_slot
        ts_ns = ts_ns if ts_ns < oldest_ns else oldest_ns
        at_slot = at_slot if at_slot < oldest_slot else oldest_slot
        margin = Margin(
            collateral,
            requirement,
            initial,
            value * ratio_i // E4 + asked_i,
            collateral + beyond if beyond else collateral,
            value + owed if owed else value,
            (collateral - requirement) * E4 // collateral
            if collateral > requirement
            else (0 if collateral or requirement else E4),
            ts_ns,
            "stale" if now_ns - ts_ns > max_age_ns or slot - at_slot > max_age_slots else "known",
        )
        return margin

    return move
