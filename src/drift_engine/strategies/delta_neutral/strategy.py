"""Delta neutral: earn the carry between spot and perp, holding one against the other so that the price does not matter.

A tick on which nothing changed since the last thought costs a few comparisons. Otherwise: a breach of neutrality is
traded back on one leg (``neutrality_monitor``); a hedge the watchdog turned against is unwound, both legs at once; one
whose expected carry outlasts its costs (``carry``) is entered, both legs at once, also where an entry filled by less
than half. The account and the markets decide: no position is remembered, so none can be remembered wrongly. A lone leg
is completed where the hedge pays; if that was tried and nothing filled, it is reduced.
"""

from collections.abc import Mapping
from typing import Any

from msgspec import structs

from drift_engine.core.types import Account, Hedge, Market, MarketState, TradeSignal, Trading
from drift_engine.core.units import SECOND_NS
from drift_engine.strategies.base import Desk, DriftStrategy
from drift_engine.strategies.delta_neutral import parameters as make
from drift_engine.strategies.delta_neutral import signals
from drift_engine.strategies.delta_neutral.carry import Legs, Outlook, outlook
from drift_engine.strategies.delta_neutral.neutrality_monitor import Reading, read
from drift_engine.strategies.pairing import perp_spec, spot_spec


class DeltaNeutralStrategy(DriftStrategy):
    """Holds spot against a short perp, or the reverse, while that is the paid side."""

    Params = make.DeltaNeutralParams
    params: make.DeltaNeutralParams

    def __init__(self, config: make.DeltaNeutralParams | Mapping[str, Any] | None = None) -> None:
        super().__init__(config)
        self._bounds, self._terms = make.bounds(self.params), make.terms(self.params)
        self._watch, self._average = make.watchdog(self.params), make.average(self.params)
        self._sizes_e6 = make.sizes_e6(self.params)
        self._perp, self._spot = self._bounds.perp, self._bounds.spot
        self.slippage_e4, self.slippage_reduce_e4 = make.slippage_e4(self.params)
        self._seen: tuple[Account | None, int, int] = (None, 0, 0)
        self._reading, self._outlook, self._wants, self._unwinding = Reading(), Outlook(), False, False
        self._target_e9, self._tried, self._next_entry_ns = 0, (0, 0), 0

    @property
    def name(self) -> str:
        """``delta_neutral``."""
        return "delta_neutral"

    @property
    def subscriptions(self) -> tuple[str, ...]:
        """The perp and the spot market, the latter by its asset until bound."""
        return self._perp, self._spot

    @property
    def hedge(self) -> Hedge:
        """The bound it keeps; the floor, one order of the venue, is known once it is bound."""
        return Hedge(self._perp, self._spot, self._bounds.tolerance_e4, self._bounds.floor_e9)

    def bind(self, desk: Desk, markets: Mapping[str, Market]) -> None:
        """Take the desk. Raises ``ParameterError`` where the spot market has no exposure to the perp's asset."""
        perp = perp_spec(markets, self._perp)
        self._bounds = self._bounds.at(perp, spot_spec(markets, perp, self.params.spot))
        self._spot = self._bounds.spot
        super().bind(desk, markets)

    async def on_tick(self, state: MarketState) -> TradeSignal | None:
        """Rebalance, unwind or enter; nothing where nothing changed since the last thought."""
        legs = perp, spot = state.markets[self._perp], state.markets[self._spot]
        account, deposit_e10, borrow_e10 = self._seen
        if (
            not self._wants
            and state.account is account
            and state.now_ns < self._watch.next_ns
            and not self._average.due(state.now_ns, perp.funding_e9)
            and spot.interest_deposit_e10 == deposit_e10
            and spot.interest_borrow_e10 == borrow_e10
        ):
            return None
        self._think(state, legs)
        busy = self._perp in state.in_flight or self._spot in state.in_flight
        return None if busy or not self._wants or state.trading is Trading.HALTED else self._act(state)

    def get_status(self) -> dict[str, Any]:
        """Return how neutral it is, what the carry looks like, and what the watchdog has counted."""
        return {
            "phase": "unwinding" if self._unwinding else self._reading.phase,
            "neutrality": self._reading.figures(),
            "carry": structs.asdict(self._outlook),
            "funding_average_e9": self._average.rate_e9,
            "funding_samples": self._average.samples,
            "watchdog": self._watch.figures(),
        }

    def _think(self, state: MarketState, legs: Legs) -> None:
        perp, spot = legs
        self._seen = state.account, spot.interest_deposit_e10, spot.interest_borrow_e10
        self._reading = held = read(state, self._bounds)
        self._average.observe(state.now_ns, perp.funding_e9)
        self._outlook = seen = outlook(state, legs, self._average.rate_e9, held.sides, self._terms)
        if state.now_ns >= self._watch.next_ns:
            self._watch.check(state.now_ns, holding=held.side != 0, carry_e6=seen.real_e6)
        entering = seen.pays and not self._watch.blocked
        self._target_e9 = signals.room_e9(state, self._bounds, self._sizes_e6[seen.side]) if entering else 0
        self._unwinding = self._watch.blocked and held.side != 0
        small = held.side == 0 or held.hedge_e9 * 2 < self._target_e9
        self._wants = held.breach or self._unwinding or (entering and small)

    def _act(self, state: MarketState) -> TradeSignal | None:
        held = self._reading
        if held.breach and (held.beyond_3x or not self._unwinding):
            fresh = self._tried != (held.spot_e9, held.perp_e9)
            self._tried = held.spot_e9, held.perp_e9
            return signals.rebalance(state, self._bounds, held, self._outlook, self._target_e9 if fresh else 0)
        if self._unwinding:
            return signals.unwind(self._bounds, self._outlook)
        if self._target_e9 == 0 or state.now_ns < self._next_entry_ns:
            return None
        self._next_entry_ns = state.now_ns + self.params.retry_s * SECOND_NS
        return signals.enter(state, self._bounds, held, self._outlook, self._target_e9)
