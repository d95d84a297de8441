"""One sub-account: positions, balances, and the margin they make."""

from __future__ import annotations

from typing import Literal, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from drift_engine.core.units import E4

MarginKind = Literal["initial", "fill", "maintenance"]
Leverage = Literal["ordinary", "high", "high_maintenance"]
Status = Literal["known", "stale", "unknown"]


class PerpPosition(Struct, frozen=True, gc=False):
    """A perp position as the program keeps it (``state/user.rs``, PerpPosition).

    ``quote_e6`` is the running quote amount (entry, fees and funding, less what was settled); ``open_asks_e9`` is
    negative or zero. ``funding_cursor_e9`` is the market's cumulative rate when funding was last settled. An
    ``isolated`` position answers for itself alone, with ``isolated_scaled_e9`` of the quote asset, scaled.
    """

    market: str
    base_e9: int = 0
    quote_e6: int = 0
    quote_entry_e6: int = 0
    quote_break_even_e6: int = 0
    open_bids_e9: int = 0
    open_asks_e9: int = 0
    open_orders: int = 0
    funding_cursor_e9: int = 0
    settled_e6: int = 0
    max_margin_ratio_e4: int = 0
    isolated: bool = False
    isolated_scaled_e9: int = 0
    being_liquidated: bool = False
    bankrupt: bool = False


class SpotBalance(Struct, frozen=True, gc=False):
    """A spot balance as the program keeps it: scaled, so that interest accrues to it without a write.

    ``scaled_e9`` is positive for a deposit and negative for a borrow; the token amount follows from the market's
    cumulative interest (``spot_balance.token_amount``). Open bids and asks are in token units, asks negative or zero.
    """

    market: str
    scaled_e9: int = 0
    open_bids: int = 0
    open_asks: int = 0
    open_orders: int = 0


H = TypeVar("H", PerpPosition, SpotBalance)


class Account(Struct, frozen=True, gc=False):
    """One sub-account: its spot balances and perp positions, empty ones left out, in the order they were opened.

    ``leverage`` is Drift's margin mode; ``high_maintenance`` counts for maintenance only. ``equity_floor_e6`` and its
    buffer are Velocity's: what net equity the account will not open risk below, 0 for none.
    """

    quote: str
    spots: tuple[SpotBalance, ...] = ()
    perps: tuple[PerpPosition, ...] = ()
    max_margin_ratio_e4: int = 0
    leverage: Leverage = "ordinary"
    being_liquidated: bool = False
    bankrupt: bool = False
    reduce_only: bool = False
    margin_trading: bool = False
    equity_floor_e6: int = 0
    equity_floor_buffer_e6: int = 0
    pool: int = 0

    def perp(self, market: str) -> PerpPosition:
        """Return the position in a market, an empty one where there is none."""
        for position in self.perps:
            if position.market == market:
                return position
        return PerpPosition(market)

    def spot(self, market: str) -> SpotBalance:
        """Return the balance in a market, an empty one where there is none."""
        for balance in self.spots:
            if balance.market == market:
                return balance
        return SpotBalance(market)

    def with_perp(self, position: PerpPosition) -> Account:
        """Return the account with a position in its market's place, at the end where it is new."""
        return replace(self, perps=_put(self.perps, position))

    def with_spot(self, balance: SpotBalance) -> Account:
        """Return the account with a balance in its market's place, at the end where it is new."""
        return replace(self, spots=_put(self.spots, balance))


def _put(items: tuple[H, ...], item: H) -> tuple[H, ...]:
    kept = list(items)
    for place, old in enumerate(items):
        if old.market == item.market:
            kept[place] = item
            return tuple(kept)
    kept.append(item)
    return tuple(kept)


class ScopeMargin(Struct, frozen=True, gc=False):
    """Margin of one scope: the account's cross margin, or one isolated position (``state/margin_calculation.rs``).

    The buffered figures are those at which a liquidation ends; they equal the plain ones where no buffer was asked for.
    """

    collateral_e6: int
    requirement_e6: int
    collateral_buffered_e6: int
    requirement_buffered_e6: int

    @property
    def sound(self) -> bool:
        """Whether the collateral covers the requirement."""
        return self.collateral_e6 >= self.requirement_e6

    @property
    def sound_buffered(self) -> bool:
        """Whether a liquidation under way would end."""
        return self.collateral_buffered_e6 >= self.requirement_buffered_e6

    @property
    def free_e6(self) -> int:
        """Collateral beyond the requirement, 0 at least."""
        return max(0, self.collateral_e6 - self.requirement_e6)


def health_e4_of(collateral_e6: int, requirement_e6: int) -> int:
    """Return the share of collateral that maintenance leaves free, 1e4 (``getHealth`` of the SDK, unrounded)."""
    if collateral_e6 > requirement_e6:
        return (collateral_e6 - requirement_e6) * E4 // collateral_e6
    return 0 if collateral_e6 or requirement_e6 else E4


class Margin(Struct, frozen=True, gc=False):
    """Margin at one moment (``math/margin.rs``).

    ``collateral_e6`` and ``maintenance_e6`` are the maintenance figures of the cross margin, the other two the initial
    ones. ``as_of_ns`` is the age of the oldest price it stands on. ``worst_isolated_e4`` is the least health of the
    isolated positions, whole where there are none.
    """

    collateral_e6: int
    maintenance_e6: int
    collateral_initial_e6: int
    initial_e6: int
    equity_e6: int
    liabilities_e6: int
    as_of_ns: int
    status: Status
    worst_isolated_e4: int = E4

    @property
    def health_e4(self) -> int | None:
        """Health of the worst scope; ``None`` when it is not known."""
        if self.status == "unknown":
            return None
        health_e4 = health_e4_of(self.collateral_e6, self.maintenance_e6)
        return health_e4 if health_e4 < self.worst_isolated_e4 else self.worst_isolated_e4

    @property
    def free_e6(self) -> int:
        """Free collateral by the initial figures, 0 at least."""
        free_e6 = self.collateral_initial_e6 - self.initial_e6
        return free_e6 if free_e6 > 0 else 0

    @property
    def leverage_e4(self) -> int | None:
        """Liabilities over net equity; ``None`` where that is not positive (0 where nothing is held) or not known."""
        equity_e6, owed_e6 = self.equity_e6, self.liabilities_e6
        if equity_e6 > 0:
            return owed_e6 * E4 // equity_e6
        return None if self.status == "unknown" or owed_e6 or equity_e6 else 0

    @property
    def health_score(self) -> float | None:
        """Health on the scale 0..1, for people and strategies; ``None`` when it is not known."""
        health_e4 = self.health_e4
        return None if health_e4 is None else health_e4 / E4
