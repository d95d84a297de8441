"""The margin of quote and one perp position, priced and summed in one go: what nearly every tick asks.

It is made by ``PerpHolding.alone`` for the plain case only: a quote balance that is no borrow, no open bids or asks,
unrealised profit that counts in full by maintenance and not at all by initial, funding settled. Then maintenance
collateral is net equity, and there is no weight to apply. In any other case, and where a price or a fact is not what it
was, ``margin_monitor`` goes the whole way; both ways give the same figures to the unit.
"""

from drift_engine.core.types import Margin, Market, MarketStatus, PerpSpec, PerpTotals, SpotTotals
from drift_engine.core.units import E4, E9

Totals = PerpTotals | SpotTotals | None

LoneFacts = tuple[PerpSpec, int, MarketStatus, Totals, bool, int, int, int, int, int, int]
"""The market's facts, cumulative funding, status and account; whether long, and the size; quote of the position and
the balance together, and of the balance alone; maintenance and initial ratio; what open orders require.
"""


class LoneQuote:
    """Quote and nothing else: it has no price and no age."""

    __slots__ = ("_tokens",)

    def __init__(self, tokens: int) -> None:
        self._tokens = tokens

    def margin(self, _market: Market | None, now_ns: int, _slot: int, _age_ns: int, _age_slots: int) -> Margin:
        """Return the margin, as new as the clock."""
        return margin_of_quote(self._tokens, now_ns)


def margin_of_quote(tokens: int, now_ns: int) -> Margin:
    """Return the margin of an account with nothing but quote."""
    if tokens >= 0:
        return Margin(tokens, 0, tokens, 0, tokens, tokens, 0, E4, 0, now_ns, "known")
    return Margin(0, -tokens, 0, -tokens, 0, tokens, -tokens, 0, None, now_ns, "known")


class LonePerp:
    """One perp position and quote, ready to be priced. Ages beyond those given make the margin stale."""

    __slots__ = ("_facts",)

    def __init__(self, facts: LoneFacts) -> None:
        self._facts = facts

    def margin(
        self, market: Market | None, now_ns: int, slot: int, max_age_ns: int, max_age_slots: int
    ) -> Margin | None:
        """Return the margin at the market's price, ``None`` where it has none or its facts have changed."""
        spec, cumulative, status, totals, long, size, quotes, tokens, ratio, ratio_i, open_e6 = self._facts
        if (
            market is None
            or (price := market.oracle_e6) is None
            or price <= 0
            or market.spec is not spec
            or market.funding_cumulative_e9 != cumulative
            or market.totals is not totals
            or market.status != status
        ):
            return None
        owed = size * price // E9
        equity = quotes + owed if long else quotes - owed
        requirement, required = owed * ratio // E4, owed * ratio_i // E4
        if open_e6:
            requirement, required = requirement + open_e6, required + open_e6
        initial = tokens if equity > tokens else equity
        ts_ns, at_slot = market.ts_ns, market.oracle_slot
        return Margin(
            equity,
            requirement,
            initial,
            required,
            initial - required if initial > required else 0,
            equity,
            owed,
            (equity - requirement) * E4 // equity if equity > requirement else 0 if equity or requirement else E4,
            owed * E4 // equity if equity > 0 else None if owed or equity else 0,
            ts_ns,
            "stale" if now_ns - ts_ns > max_age_ns or slot - at_slot > max_age_slots else "known",
        )
