"""How neutral a hedge is, and the one trade that makes it neutral again. A pure function of a market state.

Net delta is spot plus perp in base units; a borrow is a negative spot, so two legs of one sign are never neutral. The
hedge is the smaller leg of two with opposite signs, and the tolerance one part of it, but no less than one order of the
venue. A breach is traded back to zero, on one leg, by the imbalance:

* the larger leg is reduced by it, so that a rebalance never adds risk;
* of two legs of one sign the perp is closed first: what remains is a lone leg, and the next reading's matter;
* a lone or lagging leg may instead be completed up to a target (``completion``): the strategy knows whether it pays.

A breach is *pending* while the cool-down since the last fill runs or while it is smaller than the smallest hedge trade.
Beyond three times the tolerance neither waits: only the venue's own minimum does.
"""

from math import lcm
from typing import Any

from msgspec import Struct, structs

from drift_engine.core.types import MarketState, PerpSpec, SpotSpec
from drift_engine.core.units import E4, floor_to_step
from drift_engine.strategies.base import held_base_e9

FAR = 3


class Bounds(Struct, frozen=True):
    """The two markets, how far net delta may stray, and the venue's steps and minima once they are known."""

    perp: str
    spot: str
    tolerance_e4: int
    min_hedge_e9: int
    cooldown_ns: int
    perp_step_e9: int = 1
    spot_step_e9: int = 1
    perp_min_e9: int = 0
    spot_min_e9: int = 0

    @property
    def floor_e9(self) -> int:
        """One order of the venue: the larger of the two minima."""
        return max(self.perp_min_e9, self.spot_min_e9)

    def at(self, perp: PerpSpec, spot: SpotSpec) -> "Bounds":
        """Return the bounds with a venue's facts filled in."""
        steps = {"perp_step_e9": perp.step_e9, "spot_step_e9": spot.step_e9}
        return structs.replace(
            self, spot=spot.name, perp_min_e9=perp.min_order_e9, spot_min_e9=spot.min_order_e9, **steps
        )

    def whole(self, base_e9: int) -> int:
        """Return an amount both legs can hold, rounded down: on both steps, or nothing if under the venue's minimum."""
        size_e9 = floor_to_step(base_e9, lcm(self.perp_step_e9, self.spot_step_e9))
        return size_e9 if size_e9 >= self.floor_e9 else 0


class Reading(Struct, frozen=True):
    """What is held and what it lacks. ``market`` and ``trade_e9`` are the rebalance; an empty name means none."""

    spot_e9: int = 0
    perp_e9: int = 0
    net_delta_e9: int = 0
    hedge_e9: int = 0
    tolerance_e9: int = 0
    breach: bool = False
    beyond_3x: bool = False
    pending: bool = False
    market: str = ""
    trade_e9: int = 0

    def figures(self) -> dict[str, Any]:
        """Return all of it for people, who are told what the market is one of."""
        found = structs.asdict(self)
        market = found.pop("market")
        return {**found, "trade_in": market}

    @property
    def side(self) -> int:
        """1 for long spot and short perp, -1 for the reverse, 0 for flat."""
        if not self.breach and (self.hedge_e9 == 0 or self.hedge_e9 < self.tolerance_e9):
            return 0
        return 1 if self.spot_e9 > self.perp_e9 else -1

    @property
    def sides(self) -> tuple[int, ...]:
        """The side held, or both that may be entered."""
        return (self.side,) if self.side else (1, -1)

    @property
    def phase(self) -> str:
        """The side in words, or that a rebalance is pending."""
        if self.pending:
            return "pending rebalance"
        return {0: "flat", 1: "long spot, short perp", -1: "short spot, long perp"}[self.side]


def read(state: MarketState, bounds: Bounds) -> Reading:
    """Return the reading of a state: base amounts in 1e9, signed."""
    spot_e9, perp_e9 = held_base_e9(state, bounds.spot), held_base_e9(state, bounds.perp)
    net_e9 = spot_e9 + perp_e9
    hedge_e9 = min(abs(spot_e9), abs(perp_e9)) if spot_e9 * perp_e9 < 0 else 0
    tolerance_e9 = max(hedge_e9 * bounds.tolerance_e4 // E4, bounds.floor_e9)
    if abs(net_e9) <= tolerance_e9:
        return Reading(spot_e9, perp_e9, net_e9, hedge_e9, tolerance_e9)
    far = abs(net_e9) > FAR * tolerance_e9
    smallest_e9 = 0 if far else bounds.min_hedge_e9
    cooling = not far and state.now_ns - state.last_fill_ns < bounds.cooldown_ns
    market, trade_e9 = _reduction(spot_e9, perp_e9, smallest_e9, bounds)
    pending = cooling or market == ""
    figures = (spot_e9, perp_e9, net_e9, hedge_e9, tolerance_e9)
    return Reading(*figures, breach=True, beyond_3x=far, pending=pending, market=market, trade_e9=trade_e9)


def completion(reading: Reading, bounds: Bounds, target_e9: int) -> tuple[str, int]:
    """Return the trade that grows the lagging leg towards the other, up to ``target_e9``; none where there is no room.

    Legs of one sign are not completed.
    """
    if reading.spot_e9 * reading.perp_e9 > 0:
        return "", 0
    spot_lags = abs(reading.spot_e9) < abs(reading.perp_e9)
    lagging_e9 = reading.spot_e9 if spot_lags else reading.perp_e9
    room_e9 = max(target_e9 - abs(lagging_e9), 0)
    return _order(_leg(bounds, spot=spot_lags), -reading.net_delta_e9, room_e9, 0)


def _reduction(spot_e9: int, perp_e9: int, smallest_e9: int, bounds: Bounds) -> tuple[str, int]:
    net_e9 = spot_e9 + perp_e9
    perp, spot = _leg(bounds, spot=False), _leg(bounds, spot=True)
    if spot_e9 * perp_e9 > 0:
        closing = _order(perp, -net_e9, abs(perp_e9), smallest_e9)
        return closing if closing[0] else _order(spot, -net_e9, abs(spot_e9), smallest_e9)
    if abs(spot_e9) > abs(perp_e9):
        return _order(spot, -net_e9, abs(spot_e9), smallest_e9)
    return _order(perp, -net_e9, abs(perp_e9), smallest_e9)


def _leg(bounds: Bounds, *, spot: bool) -> tuple[str, int, int]:
    if spot:
        return bounds.spot, bounds.spot_step_e9, bounds.spot_min_e9
    return bounds.perp, bounds.perp_step_e9, bounds.perp_min_e9


def _order(leg: tuple[str, int, int], wanted_e9: int, most_e9: int, smallest_e9: int) -> tuple[str, int]:
    """Return a market and a signed amount on its step, not beyond ``most_e9``; none below the smallest order."""
    name, step_e9, least_e9 = leg
    size_e9 = floor_to_step(min(abs(wanted_e9), most_e9), step_e9)
    if size_e9 < max(least_e9, smallest_e9, step_e9):
        return "", 0
    return name, size_e9 if wanted_e9 > 0 else -size_e9
