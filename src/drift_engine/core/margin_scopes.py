"""The program's own question: does each scope of an account cover its requirement, on which terms, with which buffer?

A scope is the cross margin, or one isolated position, which answers for itself alone. The scope that an order enlarges
is asked for initial margin and all others for maintenance; a withdrawal asks for initial margin, a fill for the figures
half way between. Placing, withdrawing and settling a loss take strict prices.

Sources: ``math/margin.rs`` calculate_margin_requirement_and_total_collateral_and_liability_info,
meets_place_order_margin_requirement and validate_any_isolated_tier_requirements, ``state/margin_calculation.rs``.
"""

from collections.abc import Mapping

from msgspec import Struct

from drift_engine.core.margin_parts import Part, terms_of
from drift_engine.core.margin_spot import SpotHolding
from drift_engine.core.margin_sums import holdings_of, quote_in
from drift_engine.core.types import (
    Account,
    MarginKind,
    Market,
    PerpPosition,
    PerpSpec,
    ScopeMargin,
    SpotBalance,
    SpotSpec,
)
from drift_engine.core.units import E4, tdiv

CROSS = ""


class Ask(Struct, frozen=True, gc=False):
    """What kind of margin is asked of the cross margin, of isolated positions, and of those named apart."""

    cross: MarginKind = "maintenance"
    isolated: MarginKind = "maintenance"
    named: dict[str, MarginKind] = {}
    strict: bool = False
    buffer_e4: int = 0

    def kind_of(self, scope: str) -> MarginKind:
        """Return the kind asked of a scope: ``CROSS`` or an isolated position's market."""
        return self.cross if scope == CROSS else self.named.get(scope, self.isolated)


class Scopes(Struct, frozen=True, gc=False):
    """The margin of each scope, ``CROSS`` first, and how many liabilities there are."""

    scopes: dict[str, ScopeMargin]
    perp_liabilities: int
    spot_liabilities: int
    perp_tier_isolated: bool
    spot_tier_isolated: bool

    @property
    def cross(self) -> ScopeMargin:
        """The cross margin."""
        return self.scopes[CROSS]

    @property
    def sound(self) -> bool:
        """Whether every scope covers its requirement."""
        return all(scope.sound for scope in self.scopes.values())

    @property
    def sound_buffered(self) -> bool:
        """Whether every scope would end a liquidation."""
        return all(scope.sound_buffered for scope in self.scopes.values())


def every(kind: MarginKind, *, strict: bool = False, buffer_e4: int = 0) -> Ask:
    """Ask one kind of every scope."""
    return Ask(kind, kind, {}, strict, buffer_e4)


def to_place(*, risk_increasing: bool, isolated: str = CROSS) -> Ask:
    """Ask what placing an order asks; ``isolated`` names its market where it enlarges an isolated position."""
    if not risk_increasing:
        return Ask(strict=True)
    if isolated:
        return Ask(named={isolated: "initial"}, strict=True)
    return Ask(cross="initial", strict=True)


def scopes_of(account: Account, markets: Mapping[str, Market], ask: Ask) -> Scopes:
    """Return the margin of each scope. Raises ``PriceUnknownError`` where something it stands on is not known."""
    second: MarginKind = "fill" if "fill" in (ask.cross, ask.isolated, *ask.named.values()) else "initial"
    quote, quote_e6, low_e6, high_e6 = quote_in(account, markets, strict=ask.strict)
    cross = _Sum(ask.buffer_e4)
    cross.collateral(max(0, quote_e6))
    cross.requirement(max(0, -quote_e6), max(0, -quote_e6))
    scopes, owing = {CROSS: cross}, [account.quote] if quote_e6 < 0 else []
    for holding in holdings_of(account, markets, terms_of(account, second, strict=ask.strict)):
        market = markets[holding.name]
        if isinstance(holding, SpotHolding):
            owes = cross.add_spot(holding.side(market, ask.cross), holding.balance)
        else:
            part, position = holding.part(market, low_e6, high_e6), account.perp(holding.name)
            scope, owes = cross, _owes(position)
            if position.isolated:
                scope = scopes[holding.name] = _Sum(ask.buffer_e4, holding.deposit_e6(quote, low_e6))
            scope.add_perp(part, ask.kind_of(holding.name if position.isolated else CROSS))
        if owes:
            owing.append(holding.name)
    return _counted({name: scope.margin() for name, scope in scopes.items()}, [markets[name] for name in owing])


class _Sum:
    """One scope while it is summed: each contribution is buffered, and rounded, on its own."""

    def __init__(self, buffer_e4: int, deposit_e6: int = 0) -> None:
        self._buffer_e4 = buffer_e4
        self._collateral = self._buffered = deposit_e6
        self._requirement = self._required = 0

    def add_perp(self, part: Part, kind: MarginKind) -> None:
        maintenance = kind == "maintenance"
        self.collateral(part[0] if maintenance else part[2])
        self.requirement(part[1] if maintenance else part[3], part[5])

    def add_spot(self, side: tuple[int, int, int, int], balance: SpotBalance) -> bool:
        """Add the riskier side of a spot balance, and say whether it is a liability."""
        collateral, requirement, worth_e6, orders_e6 = side
        self.collateral(collateral)
        self.requirement(requirement, max(0, -worth_e6))
        self.requirement(0, max(0, -orders_e6))
        return worth_e6 < 0 or (worth_e6 == 0 and bool(balance.open_orders or balance.open_bids or balance.open_asks))

    def collateral(self, amount_e6: int) -> None:
        self._collateral += amount_e6
        self._buffered += amount_e6
        if amount_e6 < 0:
            self._buffered += tdiv(amount_e6 * self._buffer_e4, E4)

    def requirement(self, amount_e6: int, liability_e6: int) -> None:
        self._requirement += amount_e6
        self._required += amount_e6 + liability_e6 * self._buffer_e4 // E4

    def margin(self) -> ScopeMargin:
        return ScopeMargin(self._collateral, self._requirement, self._buffered, self._required)


def _counted(scopes: dict[str, ScopeMargin], owing: list[Market]) -> Scopes:
    perps = [market.spec for market in owing if isinstance(market.spec, PerpSpec)]
    spots = [market.spec for market in owing if isinstance(market.spec, SpotSpec)]
    return Scopes(
        scopes,
        len(perps),
        len(spots),
        any(spec.tier == "isolated" for spec in perps),
        any(spec.asset_tier == "isolated" for spec in spots),
    )


def _owes(position: PerpPosition) -> bool:
    return bool(
        position.base_e9
        or position.quote_e6 < 0
        or position.open_orders
        or position.open_bids_e9
        or position.open_asks_e9
    )
