"""The strategy contract.

A strategy decides in ``on_tick`` and shapes its orders in ``plan``; it never reaches a venue. ``on_execute`` hands
plans to the desk, and the desk reviews before it sends. No clock, randomness, I/O or logging here: time is
``MarketState.now_ns``.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Protocol

from drift_engine.core.driving import drive as drive  # noqa: PLC0414 - strategies and their tests take it from here
from drift_engine.core.parameters import ParameterError, Parameters, parse
from drift_engine.core.spot_balance import base_e9
from drift_engine.core.types import Hedge, Leg, Market, MarketState, PerpSpec, TradePlan, TradeResult, TradeSignal
from drift_engine.core.units import E4, SECOND_NS, ceil_to_step, floor_to_step
from drift_engine.core.valuation import oracle_price_e6

DEFAULT_MARKET = "SOL-PERP"


class Desk(Protocol):
    """What the engine gives a strategy: the view of this tick, and the only way to trade, which reviews first."""

    @property
    def state(self) -> MarketState:
        """The view of the tick under way."""
        ...

    def next_plan_id(self) -> str:
        """Return the id of the next plan that is submitted; no other has it."""
        ...

    async def submit(self, plan: TradePlan, signal: TradeSignal) -> TradeResult:
        """Review a plan and send it if every gate agrees."""
        ...


class DriftStrategy(ABC):
    """A strategy: what we want, given what is true.

    Only ``name``, ``on_tick`` and ``get_status`` must be written. Subclasses declare ``Params`` and read
    ``self.params``. ``subscriptions`` names the markets it looks at; the engine asks nothing of it before all of them
    have prices. ``hedge`` is set by strategies that promise to be hedged.
    ``slippage_e4`` limits orders that add to a position, ``slippage_reduce_e4`` orders that reduce one.
    """

    Params: ClassVar[type[Parameters]] = Parameters
    slippage_e4: int = 50
    slippage_reduce_e4: int = 100
    plan_life_s: ClassVar[int] = 30
    params: Parameters = Parameters()
    _desk: Desk | None = None

    def __init__(self, config: Parameters | Mapping[str, Any] | None = None) -> None:
        self.params = parse(self.Params, config)

    @property
    @abstractmethod
    def name(self) -> str:
        """The strategy's short name."""

    @abstractmethod
    async def on_tick(self, state: MarketState) -> TradeSignal | None:
        """Decide. Must not suspend: the engine drives the coroutine itself."""

    @abstractmethod
    def get_status(self) -> dict[str, Any]:
        """Return what the strategy would tell a person, as plain JSON values."""

    @property
    def subscriptions(self) -> tuple[str, ...]:
        """The markets the strategy needs, by name or by asset: its parameter ``market``, or SOL-PERP without one."""
        return (getattr(self.params, "market", DEFAULT_MARKET),)

    @property
    def hedge(self) -> Hedge | None:
        """The bound a hedged strategy keeps, ``None`` for others."""
        return None

    def bind(self, desk: Desk, markets: Mapping[str, Market]) -> None:
        """Take the desk at start. Raises ``ParameterError`` where the markets do not fit the strategy.

        A strategy that subscribes by asset overrides this, resolves the name, and calls it.
        """
        for name in self.subscriptions:
            if name not in markets:
                known = ", ".join(sorted(markets))
                raise ParameterError(f"{self.name} needs market {name!r}, and the venue has {known}")
        self._desk = desk

    @property
    def desk(self) -> Desk:
        """The desk the engine gave. Raises ``RuntimeError`` before ``bind``."""
        if self._desk is None:
            raise RuntimeError(f"strategy {self.name} was not bound to an engine")
        return self._desk

    async def on_execute(self, signal: TradeSignal) -> TradeResult:
        """Turn a signal into a plan, have it reviewed, and send it."""
        desk = self.desk
        return await desk.submit(self.plan(signal, desk.state), signal)

    def plan(self, signal: TradeSignal, state: MarketState) -> TradePlan:
        """Turn targets into legs: the missing base in each market, on the step, limited near the market's price."""
        legs = [leg for name, target in signal.targets.items() if (leg := self._leg(name, target, state)) is not None]
        return TradePlan(
            self.desk.next_plan_id(),
            tuple(legs),
            len(legs) > 1,
            signal.reason,
            signal.edge_e6,
            state.now_ns + self.plan_life_s * SECOND_NS,
        )

    def _leg(self, name: str, target_e9: int, state: MarketState) -> Leg | None:
        market = state.markets.get(name)
        if market is None:  # the gates refuse it by name, and the refusal is on record
            return Leg(name, target_e9, 0, "perp")
        held_e9, spec = held_base_e9(state, name), market.spec
        base_e9 = floor_to_step(target_e9 - held_e9, spec.step_e9)
        if base_e9 == 0:
            return None
        reducing = held_e9 * base_e9 < 0 and abs(base_e9) <= abs(held_e9)
        slippage_e4 = self.slippage_reduce_e4 if reducing else self.slippage_e4
        return Leg(name, base_e9, limit_price_e6(market, base_e9, slippage_e4), spec.kind, reducing)


def held_base_e9(state: MarketState, name: str) -> int:
    """Return the signed base held in a market: the perp position, or the spot tokens in 1e9."""
    market = state.markets[name]
    if isinstance(market.spec, PerpSpec):
        return state.account.perp(name).base_e9
    return base_e9(state.account.spot(name), market)


def limit_price_e6(market: Market, base_e9: int, slippage_e4: int) -> int:
    """Return the worst acceptable price: ``slippage_e4`` from the oracle, on a tick and never beyond that distance.

    Raises ``PriceUnknownError`` where the market has no price.
    """
    oracle_e6, tick_e6 = oracle_price_e6(market), market.spec.tick_e6
    room_e6 = oracle_e6 * slippage_e4 // E4
    if base_e9 > 0:
        return (oracle_e6 + room_e6) // tick_e6 * tick_e6
    return ceil_to_step(oracle_e6 - room_e6, tick_e6)
