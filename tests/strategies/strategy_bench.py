"""A tiny market and account for strategy tests: plans fill at the oracle, by the fraction a test asks for.

Positions and balances move by the same pure functions of ``core`` that the engine and the venue use.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from msgspec import structs

from drift_engine.core.funding import payment_e6
from drift_engine.core.perp_position import after_quote, after_trade
from drift_engine.core.spot_balance import accrue, add_tokens
from drift_engine.core.types import (
    Account,
    Leg,
    Margin,
    Market,
    MarketState,
    PerpPosition,
    PerpSpec,
    SpotBalance,
    SpotSpec,
    TradePlan,
    TradeResult,
    TradeSignal,
    Trading,
)
from drift_engine.core.units import E6, HOUR_NS, floor_to_step, notional_e6, rescale
from drift_engine.core.valuation import equity_e6, oracle_price_e6
from drift_engine.strategies.base import DriftStrategy, drive

START_NS = 1_744_588_800 * 10**9
PRICE_E6 = 150 * E6

SOL_PERP = PerpSpec(
    name="SOL-PERP",
    index=0,
    asset="SOL",
    quote="USDC",
    oracle="SOL",
    step_e9=10**7,
    tick_e6=100,
    min_order_e9=10**7,
    margin_initial_e4=500,
    margin_maintenance_e4=300,
    imf_e6=50,
    upnl_initial_e4=0,
    upnl_maintenance_e4=10_000,
    liquidator_fee_e6=7_500,
    insurance_fee_e6=7_500,
    taker_fee_e6=1_000,
    maker_fee_e6=-200,
    tier="B",
)
BTC_PERP = structs.replace(SOL_PERP, name="BTC-PERP", index=1, asset="BTC", step_e9=10**5, min_order_e9=10**5)
SOL = SpotSpec(
    name="SOL",
    index=1,
    asset="SOL",
    oracle="SOL",
    decimals=9,
    step_e9=10**7,
    tick_e6=100,
    min_order_e9=10**7,
    asset_initial_e4=8_000,
    asset_maintenance_e4=9_000,
    liability_initial_e4=12_000,
    liability_maintenance_e4=11_000,
    imf_e6=1_250,
    liquidator_fee_e6=7_500,
    insurance_fee_e6=22_500,
    taker_fee_e6=1_000,
    optimal_utilisation_e6=800_000,
    optimal_rate_e6=100_000,
    max_rate_e6=1_500_000,
)
WBTC = structs.replace(SOL, name="wBTC", index=3, asset="BTC", decimals=8, step_e9=10**5, min_order_e9=10**5)
USDC = structs.replace(SOL, name="USDC", index=0, asset="USDC", decimals=6, taker_fee_e6=0)


def venue() -> dict[str, Market]:
    """Return the markets, priced, with lending rates as they were on 2025-04-14 and no funding yet."""
    return {
        "SOL-PERP": Market(SOL_PERP, oracle_e6=PRICE_E6, mark_e6=PRICE_E6),
        "BTC-PERP": Market(BTC_PERP, oracle_e6=84_000 * E6, mark_e6=84_000 * E6),
        "USDC": Market(USDC, oracle_e6=E6, deposit_rate_e6=36_000, borrow_rate_e6=88_000),
        "SOL": Market(SOL, oracle_e6=PRICE_E6, deposit_rate_e6=45_000, borrow_rate_e6=98_000),
        "wBTC": Market(WBTC, oracle_e6=84_000 * E6),
    }


def rate_e9(yearly: float, price_e6: int = PRICE_E6) -> int:
    """Return the hourly funding rate that a fraction a year stands for."""
    return round(yearly * price_e6 * 1_000 / 8_760)


@dataclass
class Bench:
    """One account in front of one strategy. ``fraction`` says how much of a leg fills, 0 to 1."""

    strategy: DriftStrategy
    markets: dict[str, Market] = field(default_factory=venue)
    account: Account = field(default_factory=lambda: Account("USDC", (SpotBalance("USDC", 10_000 * 10**9),)))
    now_ns: int = START_NS
    last_fill_ns: int = 0
    trading: Trading = Trading.ACTIVE
    in_flight: tuple[str, ...] = ()
    margin_status: str = "known"
    fraction: Callable[[Leg], float] = field(default=lambda _leg: 1.0)
    plans: list[TradePlan] = field(default_factory=list)
    signals: list[tuple[int, TradeSignal]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.strategy.bind(self, self.markets)

    @property
    def state(self) -> MarketState:
        equity = equity_e6(self.account, self.markets)
        margin = Margin(equity, 0, equity, 0, equity, 0, self.now_ns, self.margin_status)  # type: ignore[arg-type]
        return MarketState(
            self.now_ns,
            0,
            self.markets,
            self.account,
            margin,
            self.trading,
            frozenset(self.in_flight),
            self.last_fill_ns,
        )

    def next_plan_id(self) -> str:
        return f"p{len(self.plans) + 1}"

    async def submit(self, plan: TradePlan, signal: TradeSignal) -> TradeResult:
        self.plans.append(plan)
        self.signals.append((self.now_ns, signal))
        for leg in plan.legs:
            self._fill(leg)
        return TradeResult(plan.plan_id, "submitted")

    def tick(self, seconds: int = 0) -> TradeSignal | None:
        """Let time pass, decide, and execute the signal."""
        self.now_ns += seconds * 10**9
        signal = drive(self.strategy.on_tick(self.state))
        if signal is not None:
            drive(self.strategy.on_execute(signal))
        return signal

    def decide(self, seconds: int = 0) -> TradeSignal | None:
        """Let time pass and decide; whatever is asked for is refused."""
        self.now_ns += seconds * 10**9
        return drive(self.strategy.on_tick(self.state))

    def run(self, hours: float, every_s: int = 300) -> list[TradeSignal]:
        """Tick for some hours and return the signals."""
        seen = [self.tick(every_s) for _ in range(int(hours * 3_600 / every_s))]
        return [signal for signal in seen if signal is not None]

    def set(self, name: str, **changes: object) -> None:
        """Change a market's figures."""
        self.markets = {**self.markets, name: structs.replace(self.markets[name], **changes)}

    def funding(self, yearly: float, market: str = "SOL-PERP") -> None:
        """Let the last settled rate be a fraction of the price a year."""
        self.set(market, funding_e9=rate_e9(yearly, oracle_price_e6(self.markets[market])))

    def settle(self, market: str, rate: int) -> int:
        """Settle one hour of funding on what is held, and one hour of interest; return the payment."""
        self.set(market, funding_e9=rate)
        position = self.account.perp(market)
        paid = payment_e6(rate, position.base_e9) if position.base_e9 else 0
        if paid:
            self._put_perp(after_quote(position, paid))
        for name, held in list(self.markets.items()):
            if held.kind == "spot":
                deposit = accrue(held.interest_deposit_e10, held.deposit_rate_e6 or 0, 3_600, borrow=False)
                borrow = accrue(held.interest_borrow_e10, held.borrow_rate_e6 or 0, 3_600, borrow=True)
                self.set(name, interest_deposit_e10=deposit, interest_borrow_e10=borrow)
        return paid

    def hold(self, legs: Mapping[str, int]) -> None:
        """Put base amounts on the books at the oracle, as if they had just been traded without a fee."""
        for name, base_e9 in legs.items():
            self._apply(name, base_e9, fee=False)

    def base_e9(self, name: str) -> int:
        """Return what is held in a market."""
        from drift_engine.strategies.base import held_base_e9

        return held_base_e9(self.state, name)

    @property
    def net_e9(self) -> int:
        """Net delta of SOL."""
        return self.base_e9("SOL") + self.base_e9("SOL-PERP")

    def _fill(self, leg: Leg) -> None:
        market = self.markets[leg.market]
        base_e9 = floor_to_step(int(leg.base_e9 * self.fraction(leg)), market.step_e9)
        if base_e9:
            self._apply(leg.market, base_e9, fee=True)
            self.last_fill_ns = self.now_ns

    def _apply(self, name: str, base_e9: int, *, fee: bool) -> None:
        market = self.markets[name]
        quote_e6 = -notional_e6(base_e9, oracle_price_e6(market))
        fee_e6 = abs(quote_e6) * market.spec.taker_fee_e6 // E6 if fee else 0
        if market.kind == "perp":
            self._put_perp(after_quote(after_trade(self.account.perp(name), base_e9, quote_e6), -fee_e6))
            return
        spec = market.spec
        assert isinstance(spec, SpotSpec)
        self._put_spot(name, rescale(base_e9, 9, spec.decimals))
        self._put_spot("USDC", quote_e6 - fee_e6)

    def _put_perp(self, position: PerpPosition) -> None:
        others = tuple(held for held in self.account.perps if held.market != position.market)
        self.account = structs.replace(self.account, perps=(*others, position))

    def _put_spot(self, name: str, tokens: int) -> None:
        scaled = add_tokens(self.account.spot(name).scaled_e9, tokens, self.markets[name])
        others = tuple(held for held in self.account.spots if held.market != name)
        self.account = structs.replace(self.account, spots=(*others, SpotBalance(name, scaled)))


def hours(count: int) -> int:
    """Return hours in nanoseconds."""
    return count * HOUR_NS
