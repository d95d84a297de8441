"""The vocabulary: markets, accounts, margin, plans, events, and the one mutable value, ``EngineState``.

Values are frozen and flat. Names say the unit (see ``units``). An amount signed by side is positive for long, deposit
or receipt and negative for short, borrow or payment. ``None`` means *not known*, never zero.

This file says nothing about how values change: that is ``position_manager.apply`` alone.
"""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar, Literal

from msgspec import Struct, field

Kind = Literal["perp", "spot"]
MarginKind = Literal["initial", "maintenance"]
Status = Literal["known", "stale", "unknown"]
MarketStatus = Literal["active", "reduce_only", "paused", "settlement", "delisted"]
Verdict = Literal["pass", "mark", "skip", "refuse"]
PlanStatus = Literal["filled", "partial", "expired", "rejected", "cancelled", "never_landed"]
ResultStatus = Literal["refused", "submitted", "filled", "unknown"]
Cause = Literal["start", "health", "daily", "account", "strategy", "dispute", "liquidation", "close", "resume", "day"]
LiquidationKind = Literal["perp", "spot", "perp_pnl", "bankruptcy"]


class Trading(StrEnum):
    """What the engine may do: everything, only reduce, or nothing but an emergency close."""

    ACTIVE = "ACTIVE"
    REDUCING = "REDUCING"
    HALTED = "HALTED"


# --------------------------------------------------------------------------- markets


class PerpSpec(Struct, frozen=True, gc=False, tag_field="kind", tag="perp"):
    """Facts of a perp market that only its admin changes. ``tier`` is the contract tier, ``"A"`` to ``"C"`` and beyond.

    Fees are fractions in 1e6 of the notional; a maker's fee is negative where it is a rebate.
    """

    name: str
    index: int
    asset: str
    quote: str
    oracle: str
    step_e9: int
    tick_e6: int
    min_order_e9: int
    margin_initial_e4: int
    margin_maintenance_e4: int
    imf_e6: int
    upnl_initial_e4: int
    upnl_maintenance_e4: int
    liquidator_fee_e6: int
    insurance_fee_e6: int
    taker_fee_e6: int
    maker_fee_e6: int
    tier: str
    kind: ClassVar[Literal["perp"]] = "perp"


class SpotSpec(Struct, frozen=True, gc=False, tag_field="kind", tag="spot"):
    """Facts of a spot market. Its token has ``decimals`` decimals; weights are in 1e4, rates in 1e6 a year."""

    name: str
    index: int
    asset: str
    oracle: str
    decimals: int
    step_e9: int
    tick_e6: int
    min_order_e9: int
    asset_initial_e4: int
    asset_maintenance_e4: int
    liability_initial_e4: int
    liability_maintenance_e4: int
    imf_e6: int
    liquidator_fee_e6: int
    insurance_fee_e6: int
    taker_fee_e6: int
    optimal_utilisation_e6: int
    optimal_rate_e6: int
    max_rate_e6: int
    kind: ClassVar[Literal["spot"]] = "spot"


Spec = PerpSpec | SpotSpec


class Market(Struct, frozen=True, gc=False):
    """All that is known of one market at one moment. A figure that is not known is ``None``.

    ``funding_e9`` is the last settled hourly rate, in quote per one base, positive when longs pay. ``deposit_rate_e6``
    and ``borrow_rate_e6`` are fractions a year. ``interest_*_e10`` are the cumulative interest of a spot market,
    ``funding_cumulative_e9`` the cumulative funding rate of a perp market.
    """

    spec: Spec
    ts_ns: int = 0
    oracle_e6: int | None = None
    oracle_slot: int = 0
    oracle_twap_e6: int | None = None
    oracle_confidence_e6: int = 0
    mark_e6: int | None = None
    bid_e6: int | None = None
    ask_e6: int | None = None
    funding_e9: int | None = None
    deposit_rate_e6: int | None = None
    borrow_rate_e6: int | None = None
    status: MarketStatus = "active"
    interest_deposit_e10: int = 10**10
    interest_borrow_e10: int = 10**10
    funding_cumulative_e9: int = 0

    @property
    def name(self) -> str:
        """The market's symbol, as ``SOL-PERP`` or ``SOL``."""
        return self.spec.name

    @property
    def kind(self) -> Kind:
        """Whether it is a perp or a spot market."""
        return self.spec.kind

    @property
    def step_e9(self) -> int:
        """Order sizes are multiples of this."""
        return self.spec.step_e9

    @property
    def tick_e6(self) -> int:
        """Prices are multiples of this."""
        return self.spec.tick_e6

    @property
    def min_order_e9(self) -> int:
        """The smallest order that is not reduce-only."""
        return self.spec.min_order_e9


# --------------------------------------------------------------------------- the account


class PerpPosition(Struct, frozen=True, gc=False):
    """A perp position as the program keeps it (``state/user.rs``, PerpPosition).

    ``quote_e6`` is the running quote amount (entry, fees and funding, less what was settled); ``open_asks_e9`` is
    negative or zero. ``funding_cursor_e9`` is the market's cumulative rate when funding was last settled.
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


class Account(Struct, frozen=True, gc=False):
    """One sub-account: its spot balances and perp positions, empty ones left out, in the order they were opened."""

    quote: str
    spots: tuple[SpotBalance, ...] = ()
    perps: tuple[PerpPosition, ...] = ()
    max_margin_ratio_e4: int = 0

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


class Margin(Struct, frozen=True, gc=False):
    """Margin at one moment (``math/margin.rs``; health as the TypeScript SDK's ``getHealth``, unrounded).

    ``collateral_e6`` and ``maintenance_e6`` are the maintenance figures, ``free_e6`` is free collateral by the initial
    ones. ``health_e4`` is ``None`` when it is not known. ``leverage_e4`` is liabilities over net equity, ``None`` when
    net equity is not positive (but 0 where nothing is held) or nothing is known. ``as_of_ns`` is the age of the oldest
    price it stands on.
    """

    collateral_e6: int
    maintenance_e6: int
    collateral_initial_e6: int
    initial_e6: int
    free_e6: int
    equity_e6: int
    liabilities_e6: int
    health_e4: int | None
    leverage_e4: int | None
    as_of_ns: int
    status: Status

    @property
    def health_score(self) -> float | None:
        """Health on the scale 0..1, for people and strategies; ``None`` when it is not known."""
        return None if self.health_e4 is None else self.health_e4 / 10_000


# --------------------------------------------------------------------------- signal, plan, approval


class TradeSignal(Struct, frozen=True, gc=False):
    """What a strategy wants to be true: the signed base it wants to hold in each market it names.

    ``edge_e6`` is the profit it expects of the change, in quote, before costs; ``None`` claims no edge.
    """

    targets: dict[str, int]
    reason: str
    edge_e6: int | None = None
    urgency: Literal["normal", "high"] = "normal"


class Leg(Struct, frozen=True, gc=False):
    """One order of a plan: signed base, and the worst price it may fill at."""

    market: str
    base_e9: int
    limit_e6: int
    kind: Kind
    reduce_only: bool = False
    post_only: bool = False


class TradePlan(Struct, frozen=True, gc=False):
    """How a signal becomes true. ``atomic``: all legs fill in one transaction, or none does."""

    plan_id: str
    legs: tuple[Leg, ...]
    atomic: bool
    reason: str
    edge_e6: int | None
    expires_ns: int


class Check(Struct, frozen=True, gc=False):
    """What one gate saw and said. ``figures`` name their units; ``reason`` is empty unless it marks or refuses."""

    gate: str
    verdict: Verdict
    reason: str
    figures: dict[str, int | None]


class ApprovedPlan(Struct, frozen=True, gc=False):
    """A plan that passed every gate. Only ``execution.safety_gates.review`` makes one; executors take nothing else."""

    plan: TradePlan
    checks: tuple[Check, ...]
    emergency: bool = False


class Refused(Struct, frozen=True, gc=False):
    """A plan that a gate refused, with every gate's figures."""

    plan: TradePlan
    checks: tuple[Check, ...]

    @property
    def reasons(self) -> tuple[str, ...]:
        """One line for each gate that refused: ``gate: reason``."""
        return tuple(f"{check.gate}: {check.reason}" for check in self.checks if check.verdict == "refuse")


class TradeResult(Struct, frozen=True, gc=False):
    """What is known of a plan when ``on_execute`` returns; the final outcome arrives as ``PlanClosed``."""

    plan_id: str
    status: ResultStatus
    reasons: tuple[str, ...] = ()
    fills: int = 0
    fees_e6: int = 0
    pnl_e6: int = 0


class Hedge(Struct, frozen=True, gc=False):
    """The bound a hedged strategy keeps: spot and perp of one asset, and how far the sum may stray from zero."""

    perp: str
    spot: str
    tolerance_e4: int
    floor_e9: int


class MarketState(Struct, frozen=True):
    """The frozen view of one tick: all a strategy ever sees.

    ``in_flight`` names the markets of plans not yet closed; ``last_fill_ns`` is when anything last filled, 0 for never.
    """

    now_ns: int
    slot: int
    markets: dict[str, Market]
    account: Account
    margin: Margin
    trading: Trading
    in_flight: frozenset[str] = frozenset()
    last_fill_ns: int = 0
    pnl_e6: int = 0


# --------------------------------------------------------------------------- events
# Flat, past tense. ``ts_ns`` is when it happened. ``cursor`` numbers what the venue tells of one account: 1, 2, 3, …
# without a hole; events that carry one are applied in its order, each once.


class RunStarted(Struct, frozen=True, gc=False, tag=True):
    """The first record of a journal: what runs, on what, with which facts. Never part of a digest."""

    ts_ns: int
    mode: str
    strategy: str
    params: dict[str, str]
    config: dict[str, str]
    quote: str
    specs: tuple[PerpSpec | SpotSpec, ...]
    venue: str
    sources: dict[str, str]
    simulated: bool
    version: str


class RowsRead(Struct, frozen=True, gc=False, tag=True):
    """A chunk of market rows, journaled by reference: rows ``[first, last)`` of the run's data and their digest."""

    ts_ns: int
    first: int
    last: int
    digest: str


class MarketUpdated(Struct, frozen=True, gc=False, tag=True):
    """A market's public figures, all of them: they replace what was known before, ``None`` where it is not known."""

    ts_ns: int
    market: str
    slot: int
    oracle_e6: int
    oracle_slot: int
    mark_e6: int | None = None
    bid_e6: int | None = None
    ask_e6: int | None = None
    oracle_twap_e6: int | None = None
    oracle_confidence_e6: int = 0
    funding_e9: int | None = None
    deposit_rate_e6: int | None = None
    borrow_rate_e6: int | None = None
    status: MarketStatus = "active"


class Ticked(Struct, frozen=True, gc=False, tag=True):
    """The clock moved and the engine is about to decide."""

    ts_ns: int
    slot: int


class Deposited(Struct, frozen=True, gc=False, tag=True):
    """Tokens came in. ``amount`` is in the token's own decimals."""

    ts_ns: int
    cursor: int
    market: str
    amount: int


class Withdrawn(Struct, frozen=True, gc=False, tag=True):
    """Tokens went out. ``amount`` is in the token's own decimals, positive."""

    ts_ns: int
    cursor: int
    market: str
    amount: int


class Decided(Struct, frozen=True, gc=False, tag=True):
    """A strategy's signal, the plan it became, and what each gate said of it."""

    ts_ns: int
    signal: TradeSignal | None
    plan: TradePlan
    checks: tuple[Check, ...]
    approved: bool
    emergency: bool = False


class Submitted(Struct, frozen=True, gc=False, tag=True):
    """An approved plan is about to leave for the venue; written before it does."""

    ts_ns: int
    plan: TradePlan
    emergency: bool = False


class Filled(Struct, frozen=True, gc=False, tag=True):
    """Part of a leg was executed.

    ``base_e9`` and ``quote_e6`` are signed by what the account got (a buy has positive base and negative quote) and the
    quote excludes the fee. ``fee_e6`` is positive when paid. ``oracle_e6`` and ``mark_e6`` are the venue's at the
    fill; ``seen_ns`` is when the report reached us.
    """

    ts_ns: int
    cursor: int
    plan_id: str
    leg: int
    market: str
    kind: Kind
    base_e9: int
    quote_e6: int
    fee_e6: int
    oracle_e6: int
    mark_e6: int
    slot: int
    seen_ns: int
    maker: bool = False


class PlanClosed(Struct, frozen=True, gc=False, tag=True):
    """The venue proved a plan's outcome; the report came at ``seen_ns``. ``tip_e6`` left the quote balance."""

    ts_ns: int
    cursor: int
    plan_id: str
    status: PlanStatus
    seen_ns: int
    reason: str = ""
    tip_e6: int = 0


class FundingPaid(Struct, frozen=True, gc=False, tag=True):
    """Funding was settled on what was held then; ``payment_e6`` is what the venue booked, positive when received.

    ``rate_e9`` is the change of the cumulative rate since the last settlement: one hour's rate when settled hourly.
    """

    ts_ns: int
    cursor: int
    market: str
    rate_e9: int
    cumulative_e9: int
    base_e9: int
    payment_e6: int


class InterestAccrued(Struct, frozen=True, gc=False, tag=True):
    """A spot market's cumulative interest moved."""

    ts_ns: int
    cursor: int
    market: str
    deposit_e10: int
    borrow_e10: int


class PnlSettled(Struct, frozen=True, gc=False, tag=True):
    """A perp position's profit or loss moved to the quote balance. ``pnl_e6`` is positive when the balance grew."""

    ts_ns: int
    cursor: int
    market: str
    pnl_e6: int


class Liquidated(Struct, frozen=True, gc=False, tag=True):
    """The venue took over part of the account.

    What the account got, signed: ``base_e9`` of perp base and ``quote_e6`` of the perp position's quote in
    ``market``; ``asset_tokens`` of the spot market ``asset`` and ``liability_tokens`` of the spot market
    ``liability`` (both in token units). ``fees_e6`` went to the liquidator and the insurance fund, ``forgiven_e6`` is
    the loss a bankruptcy left to others; both are inside the amounts above and stand here to be shown.
    """

    ts_ns: int
    cursor: int
    liquidation: LiquidationKind
    market: str
    base_e9: int
    quote_e6: int
    oracle_e6: int
    fees_e6: int
    forgiven_e6: int = 0
    asset: str = ""
    asset_tokens: int = 0
    liability: str = ""
    liability_tokens: int = 0


class AccountObserved(Struct, frozen=True, gc=False, tag=True):
    """The venue's own books after its event number ``cursor``, for comparison."""

    ts_ns: int
    cursor: int
    account: Account


class StateChanged(Struct, frozen=True, gc=False, tag=True):
    """The trading state, a latch or a step of an emergency close changed.

    ``until_ns`` ends a REDUCING of the daily breaker (0 = no end). ``latched`` holds until a human resumes;
    ``disputed`` says that the books are not trusted. ``closing`` is the number of the emergency attempt under way,
    0 for none, and ``retry_ns`` when the next may start.
    """

    ts_ns: int
    trading: Trading
    reason: str
    cause: Cause
    latched: bool = False
    disputed: bool = False
    until_ns: int = 0
    closing: int = 0
    retry_ns: int = 0
    strategy_disabled: bool = False


AccountEvent = Deposited | Withdrawn | Filled | PlanClosed | FundingPaid | InterestAccrued | PnlSettled | Liquidated
Event = (
    RunStarted
    | RowsRead
    | MarketUpdated
    | Ticked
    | Deposited
    | Withdrawn
    | Decided
    | Submitted
    | Filled
    | PlanClosed
    | FundingPaid
    | InterestAccrued
    | PnlSettled
    | Liquidated
    | AccountObserved
    | StateChanged
)


# --------------------------------------------------------------------------- the one mutable value


class Pnl(Struct):
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


class Holding(Struct):
    """What is held in one market: ``amount`` moves with the price, ``unit`` of it is worth one price, and it is worth
    ``worth_e6`` now; ``rest_e6`` is worth the same at any price. ``truncates`` says how a negative worth rounds.
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


class EngineState(Struct):
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
