"""The venue over real history: the funding of seven months, and the liquidation of 2025-10-10."""

from pathlib import Path

import pytest
from venue_stage import perp, plan

from drift_engine.core.driving import drive
from drift_engine.core.types import Event, FundingPaid, Liquidated, MarketUpdated
from drift_engine.core.units import E6, E9
from drift_engine.simulation.models import VenueConfig
from drift_engine.simulation.timeline import load_timeline
from drift_engine.simulation.venue import SimVenue
from drift_engine.simulation.world import World

APRIL_14 = 1_744_588_800 * 10**9
NOVEMBER_1 = 1_761_955_200 * 10**9
OCTOBER_9 = 1_759_968_000 * 10**9
OCTOBER_12 = 1_760_227_200 * 10**9


def held(shared: Path, market: str, base_e9: int, capital_e6: int, window: tuple[int, int]) -> list[Event]:
    """Buy once at the first tick, hold to the end, and return all that was told."""
    venue = SimVenue(VenueConfig(deposit_e6=capital_e6))
    told: list[Event] = []
    bought = False
    for now_ns, _ in World(load_timeline(shared / "data", market, *window), venue).run(told.append):
        if not bought:
            drive(venue.place(plan("p", perp(base_e9, 10**12, market=market), now_ns=now_ns), now_ns))
            bought = True
    return told


@pytest.mark.parametrize(("market", "received"), [("SOL-PERP", 2_453_931), ("BTC-PERP", -4_343_141_327)])
def test_one_coin_held_receives_the_sum_of_the_hours(shared: Path, market: str, received: int) -> None:
    told = held(shared, market, E9, 10**12, (APRIL_14, NOVEMBER_1))
    paid = [event for event in told if isinstance(event, FundingPaid)]
    assert sum(event.payment_e6 for event in paid) == received
    assert paid[0].ts_ns > APRIL_14
    assert all(event.rate_e9 == event.cumulative_e9 for event in paid[:1])


def test_twenty_sol_fall_through_maintenance_on_the_tenth_of_october(shared: Path) -> None:
    told = held(shared, "SOL-PERP", 20 * E9, 1_000 * E6, (OCTOBER_9, OCTOBER_12))
    gone = [event for event in told if isinstance(event, Liquidated)]
    assert gone
    before = [
        event
        for event in told
        if isinstance(event, MarketUpdated) and event.market == "SOL-PERP" and event.ts_ns < gone[0].ts_ns
    ]
    assert gone[0].oracle_e6 < 184_600_000
    assert min(event.oracle_e6 for event in before) > 184_300_000
