"""The one mutable value: everything the engine knows.

What is mutable here is a dataclass with slots: its fields are written several times faster than a struct's, and encode
alike.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from msgspec import Struct

from drift_engine.core.vocabulary.account import Account
from drift_engine.core.vocabulary.markets import Market
from drift_engine.core.vocabulary.plans import TradePlan, Trading


@dataclass(slots=True)
class Pnl:
    """Profit and loss by cause, in quote. The eight always sum to the change in equity, net of deposits."""

    price_e6: int = 0
    basis_e6: int = 0
    funding_e6: int = 0
    interest_e6: int = 0
    fees_e6: int = 0
    tips_e6: int = 0
    slippage_e6: int = 0
    liquidation_e6: int = 0

    def total_e6(self) -> int:
        """Return the sum of the eight causes."""
        return (
            self.price_e6
            + self.basis_e6
            + self.funding_e6
            + self.interest_e6
            + self.fees_e6
            + self.tips_e6
            + self.slippage_e6
            + self.liquidation_e6
        )


@dataclass(slots=True)
class Holding:
    """What is held in one market: ``amount`` moves with the price, ``unit`` of it is worth one price, and it is worth
    ``worth_e6`` now; ``rest_e6`` is worth the same at any price. ``truncates``: the worth is a short's, negative, and
    rounds towards zero; any other rounds down.
    """

    amount: int
    unit: int
    worth_e6: int
    rest_e6: int
    truncates: bool = False


class InFlight(Struct, frozen=True, gc=False):
    """A plan that was submitted and not yet closed, and how much of each leg has filled."""

    plan: TradePlan
    submitted_ns: int
    filled_e9: tuple[int, ...]
    emergency: bool = False


@dataclass(slots=True)
class EngineState:
    """Everything the engine knows. ``position_manager.apply`` is its only writer; nobody else holds it mutable.

    ``equity_e6`` and ``net_deposits_e6`` are kept as events arrive: ``equity == net deposits + pnl.total_e6()``
    always. ``pnl_at_reset_e6`` is the total when a human last resumed: drawdowns count from there. ``marks`` counts the
    changes of the figures that drawdowns are measured from; ``trough_e6`` is the lowest equity since the high-water
    mark. ``held`` keeps what each market's holding is worth, so that a price move is attributed by difference.
    """

    seq: int = 0
    now_ns: int = 0
    slot: int = 0
    trading: Trading = Trading.ACTIVE
    reason: str = ""
    latched: bool = False
    disputed: bool = False
    until_ns: int = 0
    closing: int = 0
    retry_ns: int = 0
    strategy_disabled: bool = False
    account: Account = field(default_factory=lambda: Account(""))
    markets: dict[str, Market] = field(default_factory=dict)
    in_flight: dict[str, InFlight] = field(default_factory=dict)
    venue_cursor: int = 0
    plans: int = 0
    recent_plans_ns: tuple[int, ...] = ()
    last_fill_ns: int = 0
    first_fill_ns: int = 0
    equity_e6: int = 0
    net_deposits_e6: int = 0
    pnl_at_reset_e6: int = 0
    pnl: Pnl = field(default_factory=Pnl)
    held: dict[str, Holding] = field(default_factory=dict)
    ticks: int = 0
    next_day_ns: int = 0
    day_equity_e6: int = 0
    high_water_e6: int = 0
    trough_e6: int = 0
    max_drawdown_e6: int = 0
    marks: int = 0
