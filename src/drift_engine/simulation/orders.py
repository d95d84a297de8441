"""Orders as the venue keeps them, and the program's rules for taking them.

A plan is travelling, then open, then closed. Its legs stand for orders: sizes are floored to the step, prices
standardised to the tick in the trader's favour (``math/orders.rs`` standardize_price: a buy's limit down, a sell's up).
Every rule returns the program's name of the error (``error.rs``) or ``None``.
"""

from collections.abc import Iterable, Mapping

from msgspec import Struct, field, structs

from drift_engine.core.margin_monitor import margin_of
from drift_engine.core.perp_position import with_order
from drift_engine.core.spot_balance import add_tokens, token_amount
from drift_engine.core.spot_balance import base_e9 as spot_base_e9
from drift_engine.core.types import (
    Account,
    Kind,
    Leg,
    Margin,
    Market,
    PlanStatus,
    Spec,
    SpotBalance,
    SpotSpec,
    TradePlan,
)
from drift_engine.core.units import ceil_to_step, floor_to_step, notional_e6, rescale
from drift_engine.core.valuation import perp_value_e6
from drift_engine.simulation.quotes import MarketQuote

MAX_ORDERS = 32
_FILLED: set[PlanStatus | None] = {"filled"}
_WORST_FIRST: tuple[PlanStatus, ...] = ("rejected", "cancelled", "expired")


class OpenLeg(Struct):
    """One order: what is left of it, and how it ended. ``stuck``: finds no more fills.

    ``open_e6`` is the open it saw last, ``open_ns`` of when.
    """

    market: str
    kind: Kind
    base_e9: int
    limit_e6: int
    reduce_only: bool
    post_only: bool
    filled_e9: int = 0
    status: PlanStatus | None = None
    reason: str = ""
    stuck: bool = False
    open_e6: int = 0
    open_ns: int = 0

    def end(self, status: PlanStatus, reason: str = "") -> None:
        """Close the order."""
        self.status, self.reason = status, reason


class OpenPlan(Struct):
    """A plan on its way to the venue or open there."""

    plan_id: str
    atomic: bool
    arrive_ns: int
    expires_ns: int
    legs: list[OpenLeg] = field(default_factory=list)
    arrived: bool = False

    @property
    def ended(self) -> bool:
        """Whether none of its orders is open."""
        return None not in [leg.status for leg in self.legs]

    def live(self) -> list[OpenLeg]:
        """Return the orders still open."""
        return [leg for leg in self.legs if leg.status is None]

    def waits_in(self, market: str) -> bool:
        """Return whether one of its orders is open in a market."""
        return market in [leg.market for leg in self.legs if leg.status is None]


def sent(plan: TradePlan, specs: Mapping[str, Market], arrive_ns: int) -> OpenPlan:
    """Return a plan on its way, its legs standardised. Raises ``KeyError`` for a market the venue does not have."""
    legs = [_standard(leg, specs[leg.market]) for leg in plan.legs]
    return OpenPlan(plan.plan_id, plan.atomic, arrive_ns, plan.expires_ns, legs)


def _standard(leg: Leg, market: Market) -> OpenLeg:
    to_tick, spec = floor_to_step if leg.base_e9 > 0 else ceil_to_step, market.spec
    base_e9 = floor_to_step(leg.base_e9, spec.step_e9)
    limit_e6 = to_tick(leg.limit_e6, spec.tick_e6)
    return OpenLeg(leg.market, spec.kind, base_e9, limit_e6, leg.reduce_only, leg.post_only)


def size_refusal(leg: OpenLeg, spec: Spec) -> str | None:
    """Refuse what is under a step or, where it does not only reduce, under the minimum."""
    if leg.base_e9 == 0:
        return "OrderAmountTooSmall"
    if abs(leg.base_e9) < spec.min_order_e9 and not leg.reduce_only:
        return "InvalidOrderMinOrderSize"
    return "InvalidOrder" if leg.limit_e6 <= 0 else None


def status_refusal(leg: OpenLeg, quote: MarketQuote) -> str | None:
    """Refuse orders in a market that takes none, or has no price; a reduce-only market makes them reduce-only."""
    if quote.status == "reduce_only":
        leg.reduce_only = True
    elif quote.status != "active":
        return "MarketPlaceOrderPaused"
    return None if quote.last.oracle_e6 else "InvalidOracle"


def post_only_refusal(leg: OpenLeg, bid_e6: int, ask_e6: int) -> str | None:
    """Refuse a post-only order that would take; swaps cannot rest."""
    if not leg.post_only:
        return None
    if leg.kind == "spot":
        return "InvalidOrderPostOnly"
    crosses = leg.limit_e6 >= ask_e6 if leg.base_e9 > 0 else leg.limit_e6 <= bid_e6
    return "PlacePostOnlyLimitFailure" if crosses else None


def borrow_refusal(
    leg: OpenLeg, account: Account, markets: Mapping[str, Market], quotes: Mapping[str, MarketQuote]
) -> str | None:
    """Refuse a swap that would borrow a token whose rate is not known: its cost could not be counted."""
    if leg.kind != "spot" or leg.reduce_only:
        return None
    name = account.quote if leg.base_e9 > 0 else leg.market
    change_e9 = -notional_e6(leg.base_e9, leg.limit_e6) * 1_000 if leg.base_e9 > 0 else leg.base_e9
    left_e9 = spot_base_e9(account.spot(name), markets[name]) + change_e9
    unknown = left_e9 < 0 and quotes[name].borrow_rate_e6 is None
    return f"BorrowRateUnknown: {name} cannot be borrowed" if unknown else None


def margin_refusal(margin: Margin, *, increasing: bool) -> str | None:
    """Refuse what leaves too little margin: initial where risk grows, maintenance otherwise (``math/margin.rs``)."""
    if margin.status == "unknown":
        return "InvalidOracle"
    have, need = margin.collateral_e6, margin.maintenance_e6
    if increasing:
        have, need = margin.collateral_initial_e6, margin.initial_e6
    return None if have >= need else f"InsufficientCollateral: {have} < {need}"


def withdrawal_refusal(
    account: Account, markets: Mapping[str, Market], market: str, amount: int, now_ns: int
) -> str | None:
    """Refuse to give out more tokens than are held, or what leaves too little initial margin."""
    held = account.spot(market)
    if amount > token_amount(held.scaled_e9, markets[market]):
        return "InsufficientDeposit"
    left = structs.replace(held, scaled_e9=add_tokens(held.scaled_e9, -amount, markets[market], leaving=True))
    others = tuple(balance for balance in account.spots if balance.market != market)
    after = structs.replace(account, spots=(*others, left))
    return margin_refusal(margin_of(after, markets, now_ns), increasing=True)


def settlement_refusal(account: Account, markets: Mapping[str, Market], market: str, now_ns: int) -> str | None:
    """Refuse to settle nothing, or a loss below maintenance margin (``controller/pnl.rs``)."""
    position = account.perp(market)
    if not position.base_e9 and not position.quote_e6:
        return "UserHasNoPositionInMarket"
    pnl_e6 = perp_value_e6(position, markets[market])
    if pnl_e6 < 0 and margin_refusal(margin_of(account, markets, now_ns), increasing=False):
        return "InsufficientCollateralForSettlingPNL"
    return None if pnl_e6 else "NoUnsettledPnl"


def increases_risk(leg: OpenLeg, account: Account, markets: Mapping[str, Market]) -> bool:
    """Return whether an order can raise exposure, the account's open orders counted (``math/orders.rs``)."""
    if leg.reduce_only:
        return False
    market = markets[leg.market]
    if isinstance(market.spec, SpotSpec):
        balance, decimals = account.spot(leg.market), market.spec.decimals
        held = spot_base_e9(balance, market)
        bids, asks = rescale(balance.open_bids, decimals, 9), rescale(balance.open_asks, decimals, 9)
    else:
        position = account.perp(leg.market)
        held, bids, asks = position.base_e9, position.open_bids_e9, position.open_asks_e9
    if leg.base_e9 > 0:
        return held >= 0 or bids + leg.base_e9 > -held
    return held <= 0 or asks + leg.base_e9 < -held


def with_orders(account: Account, legs: Iterable[OpenLeg], markets: Mapping[str, Market]) -> Account:
    """Return an account with orders counted as open bids and asks."""
    for leg in legs:
        name, base_e9 = leg.market, leg.base_e9
        spec = markets[name].spec
        if isinstance(spec, SpotSpec):
            account = account.with_spot(_with_tokens(account.spot(name), rescale(base_e9, 9, spec.decimals)))
        else:
            account = account.with_perp(with_order(account.perp(name), base_e9))
    return account


def _with_tokens(balance: SpotBalance, tokens: int) -> SpotBalance:
    return structs.replace(
        balance,
        open_bids=balance.open_bids + max(tokens, 0),
        open_asks=balance.open_asks + min(tokens, 0),
        open_orders=balance.open_orders + 1,
    )


def outcome(plan: OpenPlan) -> tuple[PlanStatus, str]:
    """Return how a plan ended once none of its orders is open, and why."""
    reason, filled_e9 = "", 0
    for leg in plan.legs:
        reason = reason or leg.reason
        filled_e9 += abs(leg.filled_e9)
    ended = {leg.status for leg in plan.legs}
    if ended <= _FILLED:
        return "filled", reason
    if filled_e9:
        return "partial", reason
    return next((status for status in _WORST_FIRST if status in ended), "rejected"), reason
