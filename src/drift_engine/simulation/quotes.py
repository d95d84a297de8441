"""The market half of the simulated venue: what it publishes of prices, rates and status, from rows and seeded faults.

Nothing here knows the account, so a replay can re-make the same ``MarketUpdated`` stream from the data alone. Bid and
ask are half the modelled spread from the mark. ``oracle_twap_e6`` is the program's hourly oracle average
(``math/stats.rs`` calculate_weighted_average), without its bias of one unit.

Faults: a stale oracle keeps its price and slot while the mark goes on; a paused market says so; a venue that is away
publishes nothing, though its markets move.
"""

from collections.abc import Callable, Mapping
from typing import TypeVar

from msgspec import Struct

from drift_engine.clock import SIM_SLOT_NS
from drift_engine.core.types import MarketStatus, MarketUpdated, Spec
from drift_engine.core.units import E6
from drift_engine.simulation.faults import Faults
from drift_engine.simulation.models import Impact
from drift_engine.simulation.rows import Ints

Band = tuple[int, int]
Number = TypeVar("Number", int, Ints)
ANY: Band = (0, 1 << 62)
NONE: Band = (1, 0)

_TWAP_SLOTS = 9_000


def slot_at(ts_ns: Number) -> Number:
    """Return the simulated slot at a moment: 400 ms each since the epoch. Or those of a column of moments."""
    return ts_ns // SIM_SLOT_NS


def sides(mark_e6: Number, half_e6: Number, tick_e6: Number) -> tuple[Number, Number]:
    """Return bid and ask around a mark, on ticks: of one price, or of columns of them.

    ``half_e6`` is half the spread, as a fraction.
    """
    away_e6 = mark_e6 * half_e6 // E6
    bid_e6, ask_e6 = mark_e6 - away_e6, mark_e6 + away_e6
    return bid_e6 - bid_e6 % tick_e6, ask_e6 + -ask_e6 % tick_e6


class QuoteRecord(Struct, frozen=True):
    """A market's figures as they are kept on disk. ``ts_ns`` is when the oracle last moved."""

    ts_ns: int
    last: MarketUpdated
    funding_e9: int | None
    deposit_rate_e6: int | None
    borrow_rate_e6: int | None


class MarketQuote:
    """One market's public figures, and how they change row by row.

    ``last`` is the newest update, told or not, all zero before the first. While the oracle stays between ``low_e6`` and
    ``high_e6``, nobody needs to know of a price; ``left`` is called with the time of each that is not.
    """

    __slots__ = (
        "_asset",
        "_check_ns",
        "_faults",
        "_fresh_ns",
        "away",
        "borrow_rate_e6",
        "deposit_rate_e6",
        "funding_e9",
        "half_e6",
        "high_e6",
        "last",
        "left",
        "low_e6",
        "name",
        "stale",
        "status",
        "tick_e6",
    )

    def __init__(self, spec: Spec, impact: Impact, faults: Faults) -> None:
        self.name = spec.name
        self.last = MarketUpdated(0, spec.name, 0, 0, 0, 0, oracle_twap_e6=0)
        self.funding_e9: int | None = None
        self.deposit_rate_e6: int | None = None
        self.borrow_rate_e6: int | None = None
        self.status: MarketStatus = "active"
        self.stale = self.away = False
        self.low_e6, self.high_e6 = ANY
        self.left: Callable[[int], object] = int
        self._asset, self.tick_e6, self.half_e6 = spec.asset, spec.tick_e6, impact.half_spread_e6
        self._faults, self._check_ns, self._fresh_ns = faults, 0, 0

    @property
    def oracle_e6(self) -> int:
        """The oracle price, 0 before the first."""
        return self.last.oracle_e6

    @property
    def mark_e6(self) -> int:
        """The mark, 0 before the first."""
        return self.last.mark_e6 or 0

    @property
    def ts_ns(self) -> int:
        """When the oracle last moved."""
        return self._fresh_ns if self.stale else self.last.ts_ns

    def sides(self, mark_e6: int) -> tuple[int, int]:
        """Return bid and ask around a mark."""
        return sides(mark_e6, self.half_e6, self.tick_e6)

    def price(
        self, ts_ns: int, slot: int, oracle_e6: int, mark_e6: int, open_e6: int, bid_e6: int, ask_e6: int
    ) -> MarketUpdated | None:
        """Take a price row, the mark's sides worked out; return what is published, ``None`` while the venue is away.

        A mark of 0 is the oracle.
        """
        if ts_ns >= self._check_ns:
            self._look(ts_ns)
        last = self.last
        oracle_slot = slot
        twap_e6: int = last.oracle_twap_e6  # type: ignore[assignment]
        if self.stale:
            oracle_e6, oracle_slot = last.oracle_e6, last.oracle_slot
        else:
            since = slot - last.oracle_slot
            twap_e6 = twap_e6 + (oracle_e6 - twap_e6) * since // _TWAP_SLOTS if since < _TWAP_SLOTS else oracle_e6
        if not mark_e6:
            mark_e6 = oracle_e6
            bid_e6, ask_e6 = self.sides(mark_e6)
        self.last = update = MarketUpdated(
            ts_ns,
            self.name,
            slot,
            oracle_e6,
            oracle_slot,
            mark_e6,
            bid_e6,
            ask_e6,
            twap_e6,
            0,
            self.funding_e9,
            self.deposit_rate_e6,
            self.borrow_rate_e6,
            self.status,
        )
        if not self.low_e6 <= oracle_e6 <= self.high_e6:
            self.left(ts_ns)
        return None if self.away else update

    def rates(self, deposit_rate_e6: int, borrow_rate_e6: int) -> None:
        """Take an interest row; a negative borrow rate is not known, and then deposits' is not either."""
        known = borrow_rate_e6 >= 0
        self.deposit_rate_e6 = deposit_rate_e6 if known else None
        self.borrow_rate_e6 = borrow_rate_e6 if known else None

    def record(self) -> QuoteRecord:
        """Return the figures for the disk."""
        return QuoteRecord(self.ts_ns, self.last, self.funding_e9, self.deposit_rate_e6, self.borrow_rate_e6)

    def restore(self, record: QuoteRecord) -> None:
        """Take the figures from the disk."""
        self.last = record.last
        self.stale, self._fresh_ns = record.ts_ns != record.last.ts_ns, record.ts_ns
        self.funding_e9 = record.funding_e9
        self.deposit_rate_e6, self.borrow_rate_e6 = record.deposit_rate_e6, record.borrow_rate_e6

    def _look(self, ts_ns: int) -> None:
        """Bring the faults up to date. An oracle cannot stand still before it had a price."""
        stale, stale_until = self._faults.stale(self._asset, ts_ns)
        paused, paused_until = self._faults.paused(self.name, ts_ns)
        self.away, away_until = self._faults.away(ts_ns)
        self._fresh_ns = self.ts_ns
        self.stale = stale and self.last.oracle_e6 > 0
        self.status = "paused" if paused else "active"
        self._check_ns = min(stale_until, paused_until, away_until)


class Quotes:
    """All markets' public figures."""

    def __init__(self, specs: Mapping[str, Spec], quote: str, impact: Impact, faults: Faults) -> None:
        self.of = {name: MarketQuote(spec, impact, faults) for name, spec in specs.items()}
        self._quote, self._faults = quote, faults

    def price(self, ts_ns: int, market: str, oracle_e6: int, mark_e6: int) -> MarketUpdated | None:
        """Take a price row of a market; return what the venue publishes of it."""
        quote = self.of[market]
        return quote.price(ts_ns, slot_at(ts_ns), oracle_e6, mark_e6, 0, *quote.sides(mark_e6))

    def funding(self, market: str, rate_e9: int) -> None:
        """Take a funding row; the market's next price tells the rate."""
        self.of[market].funding_e9 = rate_e9

    def interest(self, ts_ns: int, market: str, deposit_rate_e6: int, borrow_rate_e6: int) -> MarketUpdated | None:
        """Take an interest row. The quote asset, which has no price rows, is published at once, at one."""
        quote = self.of[market]
        quote.rates(deposit_rate_e6, borrow_rate_e6)
        return self.price(ts_ns, market, E6, E6) if market == self._quote else None

    def away(self, ts_ns: int) -> tuple[bool, int]:
        """Return whether the venue is away, and until when that answer holds."""
        return self._faults.away(ts_ns)
