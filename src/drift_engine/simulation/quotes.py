"""The market half of the simulated venue: what it publishes of prices, rates and status, from rows and seeded faults.

Nothing here knows the account, so a replay can re-make the same ``MarketUpdated`` stream from the data alone. Bid and
ask are half the modelled spread from the mark. ``oracle_twap_e6`` is the program's hourly oracle average
(``math/stats.rs`` calculate_weighted_average), without its bias of one unit.

Faults: a stale oracle keeps its price and slot while the mark goes on; a paused market says so; a venue that is away
publishes nothing, though its markets move.
"""

from collections.abc import Mapping

from msgspec import Struct

from drift_engine.core.types import MarketStatus, MarketUpdated, Spec
from drift_engine.core.units import E6
from drift_engine.simulation.faults import Faults
from drift_engine.simulation.models import Impact

SLOT_NS = 400_000_000
_TWAP_SLOTS = 9_000


def slot_at(ts_ns: int) -> int:
    """Return the simulated slot at a moment: 400 ms each since the epoch."""
    return ts_ns // SLOT_NS


class QuoteRecord(Struct, frozen=True):
    """A market's figures as they are kept on disk."""

    oracle_e6: int
    oracle_slot: int
    mark_e6: int
    ts_ns: int
    twap_e6: int
    funding_e9: int | None
    deposit_rate_e6: int | None
    borrow_rate_e6: int | None


class MarketQuote:
    """One market's public figures, and how they change row by row."""

    __slots__ = (
        "_asset",
        "_check_ns",
        "_faults",
        "_half_e6",
        "_tick_e6",
        "away",
        "borrow_rate_e6",
        "deposit_rate_e6",
        "funding_e9",
        "mark_e6",
        "name",
        "oracle_e6",
        "oracle_slot",
        "stale",
        "status",
        "ts_ns",
        "twap_e6",
    )

    def __init__(self, spec: Spec, impact: Impact, faults: Faults) -> None:
        self.name = spec.name
        self.oracle_e6 = self.oracle_slot = self.mark_e6 = self.ts_ns = self.twap_e6 = 0
        self.funding_e9: int | None = None
        self.deposit_rate_e6: int | None = None
        self.borrow_rate_e6: int | None = None
        self.status: MarketStatus = "active"
        self.stale = self.away = False
        self._asset, self._tick_e6, self._half_e6 = spec.asset, spec.tick_e6, impact.half_spread_e6
        self._faults, self._check_ns = faults, 0

    def price(self, ts_ns: int, oracle_e6: int, mark_e6: int) -> MarketUpdated | None:
        """Take a price row; return what the venue publishes, ``None`` while it is away. A mark of 0 is the oracle."""
        if ts_ns >= self._check_ns:
            self._look(ts_ns)
        slot = ts_ns // SLOT_NS
        if self.stale:
            oracle_e6, oracle_slot, twap_e6 = self.oracle_e6, self.oracle_slot, self.twap_e6
        else:
            twap_e6 = self.twap_e6
            since = slot - self.oracle_slot
            twap_e6 = twap_e6 + (oracle_e6 - twap_e6) * since // _TWAP_SLOTS if since < _TWAP_SLOTS else oracle_e6
            oracle_slot = slot
            self.oracle_e6, self.oracle_slot, self.twap_e6, self.ts_ns = oracle_e6, slot, twap_e6, ts_ns
        mark_e6 = mark_e6 or oracle_e6
        self.mark_e6 = mark_e6
        if self.away:
            return None
        tick_e6 = self._tick_e6
        half_e6 = mark_e6 * self._half_e6 // E6
        bid_e6, ask_e6 = mark_e6 - half_e6, mark_e6 + half_e6
        return MarketUpdated(
            ts_ns,
            self.name,
            slot,
            oracle_e6,
            oracle_slot,
            mark_e6,
            bid_e6 - bid_e6 % tick_e6,
            ask_e6 + -ask_e6 % tick_e6,
            twap_e6,
            0,
            self.funding_e9,
            self.deposit_rate_e6,
            self.borrow_rate_e6,
            self.status,
        )

    def rates(self, deposit_rate_e6: int, borrow_rate_e6: int) -> None:
        """Take an interest row; a negative borrow rate is not known, and then deposits' is not either."""
        known = borrow_rate_e6 >= 0
        self.deposit_rate_e6 = deposit_rate_e6 if known else None
        self.borrow_rate_e6 = borrow_rate_e6 if known else None

    def record(self) -> QuoteRecord:
        """Return the figures for the disk."""
        return QuoteRecord(*(getattr(self, name) for name in QuoteRecord.__struct_fields__))

    def restore(self, record: QuoteRecord) -> None:
        """Take the figures from the disk."""
        for name in QuoteRecord.__struct_fields__:
            setattr(self, name, getattr(record, name))

    def _look(self, ts_ns: int) -> None:
        """Bring the faults up to date. An oracle cannot stand still before it had a price."""
        stale, stale_until = self._faults.stale(self._asset, ts_ns)
        paused, paused_until = self._faults.paused(self.name, ts_ns)
        self.away, away_until = self._faults.away(ts_ns)
        self.stale = stale and self.oracle_e6 > 0
        self.status = "paused" if paused else "active"
        self._check_ns = min(stale_until, paused_until, away_until)


class Quotes:
    """All markets' public figures."""

    def __init__(self, specs: Mapping[str, Spec], quote: str, impact: Impact, faults: Faults) -> None:
        self.of = {name: MarketQuote(spec, impact, faults) for name, spec in specs.items()}
        self._quote, self._faults = quote, faults

    def price(self, ts_ns: int, market: str, oracle_e6: int, mark_e6: int) -> MarketUpdated | None:
        """Take a price row of a market; return what the venue publishes of it."""
        return self.of[market].price(ts_ns, oracle_e6, mark_e6)

    def funding(self, market: str, rate_e9: int) -> None:
        """Take a funding row; the market's next price tells the rate."""
        self.of[market].funding_e9 = rate_e9

    def interest(self, ts_ns: int, market: str, deposit_rate_e6: int, borrow_rate_e6: int) -> MarketUpdated | None:
        """Take an interest row. The quote asset, which has no price rows, is published at once, at one."""
        quote = self.of[market]
        quote.rates(deposit_rate_e6, borrow_rate_e6)
        return quote.price(ts_ns, E6, E6) if market == self._quote else None

    def away(self, ts_ns: int) -> tuple[bool, int]:
        """Return whether the venue is away, and until when that answer holds."""
        return self._faults.away(ts_ns)
