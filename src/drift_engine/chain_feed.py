"""Paper trading on a live venue: its real markets, and a simulated account that nobody but us sees.

What the engine is told of prices, rates and status is the chain's own, dated by when it was surely current. While the
connection is cut or stalls, or a market cannot be read, nothing new is told, and the engine's own rules on stale data
hold; ``trouble`` says why. The simulated venue
takes the same prices to fill our orders, and the chain's funding as the difference of its cumulative rates, of the side
that is held. Interest runs by the chain's rates, hour by hour.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable

from drift_engine.clock import SimClock
from drift_engine.core.driving import drive
from drift_engine.core.types import Event, Market, MarketUpdated, PerpTotals, Spec, SpotSpec
from drift_engine.core.units import E9, HOUR_NS, SECOND_NS
from drift_engine.simulation.venue import SimVenue
from drift_engine.venues.errors import DecodeError
from drift_engine.venues.live.listed import Listed

PAUSE_S = 0.25
ASSUMPTIONS = (
    "prices, rates, funding and status are the chain's; orders are filled by the simulated venue and move nothing",
    "what funding and interest came while the run was not running is not booked",
    "an imbalance of profits, scaled initial weights and five-minute averages are left out of margin",
    "spot is swapped at the oracle in units of its token",
)


class ChainFeed:
    """Beats of a live venue: every ``pause_s`` what is new of ``names``, then a tick."""

    def __init__(
        self,
        markets: Listed,
        venue: SimVenue,
        names: Iterable[str],
        clock: SimClock,
        *,
        pause_s: float = PAUSE_S,
        wall: Callable[[], int] = time.time_ns,
    ) -> None:
        self._markets, self._venue, self._names, self._clock = markets, venue, tuple(names), clock
        self._pause_s, self._wall = pause_s, wall
        self._told_ns: dict[str, int] = {}
        self._rates_e9: dict[str, tuple[int, int]] = {}
        self._accrued_ns = 0

    async def beats(self, deliver: Callable[[Event], None]) -> AsyncIterator[int]:
        """Deliver what is new and yield the time of each tick."""
        while True:
            now_ns = self._wall()
            self._tell(now_ns, deliver)
            self._clock.set(now_ns, self._markets.slot)
            yield now_ns
            await asyncio.sleep(self._pause_s)

    @property
    def trouble(self) -> str | None:
        """Why what is told is old, ``None`` while nothing is wrong."""
        return self._markets.trouble_of(self._names)

    def open_interest_e9(self, name: str) -> int | None:
        """Return what a perp market's users hold, of the larger side; ``None`` where it is not known."""
        market = self._read(name)
        totals = market.totals if market is not None else None
        return max(totals.base_long_e9, abs(totals.base_short_e9)) if isinstance(totals, PerpTotals) else None

    def _tell(self, now_ns: int, deliver: Callable[[Event], None]) -> None:
        for name in self._names:
            market, age_ns = self._read(name), self._markets.age_ns(name)
            if market is not None and (market.oracle_e6 or 0) > 0 and age_ns is not None:
                self._price(market, now_ns - age_ns, deliver)
                self._fund(market, now_ns)
        self._venue.moment(now_ns)
        self._accrue(now_ns)
        for event in self._venue.advance(now_ns):
            deliver(event)

    def _read(self, name: str) -> Market | None:
        try:
            return self._markets.market(name)
        except DecodeError:  # ``trouble`` tells of it
            return None

    def _price(self, market: Market, as_of_ns: int, deliver: Callable[[Event], None]) -> None:
        """Tell a market's figures with the time they are of; the simulated venue takes the same price."""
        if as_of_ns <= self._told_ns.get(market.name, 0):
            return
        self._told_ns[market.name] = as_of_ns
        update = told(market, as_of_ns, self._markets.slot)
        self._venue.price(as_of_ns, market.name, update.oracle_e6, update.mark_e6 or update.oracle_e6, more=True)
        deliver(update)

    def _fund(self, market: Market, now_ns: int) -> None:
        """Settle what the cumulative rate moved by since the last look, of the side that is held."""
        if not isinstance(market.totals, PerpTotals):
            return
        now_e9 = market.funding_cumulative_e9, market.totals.funding_short_e9
        was_e9 = self._rates_e9.setdefault(market.name, now_e9)
        if now_e9 == was_e9:
            return
        self._rates_e9[market.name] = now_e9
        held_e9 = drive(self._venue.observe(now_ns)).account.perp(market.name).base_e9
        side = 1 if held_e9 < 0 else 0
        self._venue.funding(now_ns, market.name, now_e9[side] - was_e9[side])

    def _accrue(self, now_ns: int) -> None:
        """Let interest run for each whole hour, by the rates of its end."""
        self._accrued_ns = self._accrued_ns or now_ns
        if now_ns - self._accrued_ns < HOUR_NS:
            return
        self._accrued_ns += HOUR_NS
        for name in self._names:
            market = self._read(name)
            if market is None or market.kind != "spot":
                continue
            if market.deposit_rate_e6 is not None and market.borrow_rate_e6 is not None:
                self._venue.interest(now_ns, name, market.deposit_rate_e6, market.borrow_rate_e6, HOUR_NS // SECOND_NS)


def told(market: Market, as_of_ns: int, slot: int) -> MarketUpdated:
    """Return a market's public figures as the engine takes them; its oracle is known."""
    return MarketUpdated(
        as_of_ns,
        market.name,
        slot,
        market.oracle_e6 or 0,
        market.oracle_slot,
        market.mark_e6,
        market.bid_e6,
        market.ask_e6,
        market.oracle_twap_e6,
        market.oracle_confidence_e6,
        market.funding_e9,
        market.deposit_rate_e6,
        market.borrow_rate_e6,
        market.status,
    )


def paper_spec(spec: Spec) -> Spec:
    """Return a market's facts for a simulated account: without what needs the totals of all users."""
    from msgspec import structs

    if isinstance(spec, SpotSpec):
        unit_e9 = max(1, E9 // 10**spec.decimals)
        return structs.replace(spec, step_e9=unit_e9, tick_e6=1, min_order_e9=unit_e9, scale_initial_from_e6=0)
    return structs.replace(spec, upnl_max_imbalance_e6=0)
