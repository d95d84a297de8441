"""Events: what happened, in the past tense, with flat fields.

``ts_ns`` is when it happened. ``cursor`` numbers what the venue tells of one account: 1, 2, 3, … without a hole; events
that carry one are applied in its order, each once.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from drift_engine.core.vocabulary.account import Account
from drift_engine.core.vocabulary.markets import Kind, MarketStatus, PerpSpec, SpotSpec
from drift_engine.core.vocabulary.plans import Check, PlanStatus, TradePlan, TradeSignal, Trading

Cause = Literal[
    "start", "health", "daily", "account", "strategy", "dispute", "liquidation", "close", "resume", "day", "kill"
]
Command = Literal["kill", "close", "settle", "resume", "deposit", "withdraw"]
LiquidationKind = Literal["perp", "spot", "perp_pnl", "bankruptcy"]


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


class Commanded(Struct, frozen=True, gc=False, tag=True):
    """A human asked for something: what, who, for which market, of how much. What the engine makes of it follows.

    ``amount_e6`` is what is to be paid in or out, in the quote asset.
    """

    ts_ns: int
    command: Command
    who: str
    market: str = ""
    amount_e6: int = 0


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
    | Commanded
)
