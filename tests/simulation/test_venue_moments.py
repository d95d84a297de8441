"""An asset's markets move together: between two rows of one moment nothing fills and nobody is liquidated."""

from collections.abc import Callable

from venue_stage import ONE, PLAIN, T0, S, perp, plan, spot, timeline

from drift_engine.core.driving import drive
from drift_engine.core.types import ApprovedPlan, Event, Filled, Liquidated
from drift_engine.core.units import E6
from drift_engine.simulation.models import VenueConfig
from drift_engine.simulation.venue import SimVenue
from drift_engine.simulation.world import World

P = 200 * E6
MARKETS = ("SOL-PERP", "USDC", "SOL")
INTEREST, PRICE = 1, 2


def lived(approved: ApprovedPlan, *prices_e6: int, deposit_e6: int = 10_000 * E6) -> list[Event]:
    """Return what is told where a plan is sent at the first of some prices that perp and spot share."""
    rows = [(T0 + at * S, PRICE, name, price, price, 0) for at, price in enumerate(prices_e6) for name in MARKETS[::2]]
    rates = [(T0, INTEREST, name, 0, 100_000, 0) for name in MARKETS[1:]]
    venue, told = SimVenue(VenueConfig(deposit_e6=deposit_e6, models=PLAIN)), list[Event]()
    for now_ns, _ in World(timeline(MARKETS, [*rates, *rows]), venue).run(told.append):
        if now_ns == T0:
            drive(venue.place(approved, now_ns))
    return told


def of(told: list[Event], kind: type[Event] | Callable[..., Event]) -> list[Event]:
    return [event for event in told if type(event) is kind]


def test_a_hedge_fills_no_leg_at_the_price_of_the_moment_before() -> None:
    """Sold at the new price against the old one, the hedge would earn what nobody can."""
    hedge = plan("hedge", spot(ONE, P), perp(-ONE, 210 * E6), atomic=True)
    assert of(lived(hedge, P, 220 * E6, 220 * E6), Filled) == []


def test_a_hedged_account_is_not_liquidated_for_a_price_that_only_one_leg_has_seen() -> None:
    carry = plan("carry", spot(120 * ONE, P), perp(-120 * ONE, P), atomic=True)
    told = lived(carry, P, P, 280 * E6, 280 * E6)
    assert len(of(told, Filled)) == 2
    assert of(told, Liquidated) == []
