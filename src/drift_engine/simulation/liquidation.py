"""Liquidation: what the program's liquidators do to an account below maintenance margin.

Source: ``controller/liquidation.rs`` liquidate_perp, liquidate_spot, liquidate_perp_pnl_for_deposit,
resolve_perp_bankruptcy, resolve_spot_bankruptcy. At each price: orders are cancelled first; perps go at the oracle less
the liquidator's and the insurance fund's fee; profits of closed perps are settled; then borrows and losses of closed
perps are paid with deposits at the markets' discounts. It ends when collateral covers the requirement with the buffer,
goes on at later prices where only a part may go at once, and ends in bankruptcy where nothing is left but a loss, which
others then bear.

As the program's limits on oracles that move too far are not applied, the venue liquidates in a crash when it would have
waited. Liquidators take all they may, of the largest holdings first.
"""

from collections.abc import Callable, Iterator, Mapping

from msgspec import Struct

from drift_engine.core.margin_monitor import assess
from drift_engine.core.margin_weights import perp_ratio_e4
from drift_engine.core.types import Account, AccountEvent, Liquidated, Market, PerpPosition, PerpSpec, SpotSpec
from drift_engine.core.units import E4, E6, E9, ceil_div, ceil_to_step
from drift_engine.core.valuation import spot_value_e6
from drift_engine.simulation import liquidation_math as math
from drift_engine.simulation.books import Books
from drift_engine.simulation.liquidation_math import Side
from drift_engine.simulation.models import LiquidationRules
from drift_engine.simulation.watch import shortage_e6, size_e6

_DUST_POSITION_E6 = 50 * E6
_DUST_LIABILITY_E6 = 10 * E6
_ROUNDS = 16
Cancel = Callable[[], object]
Done = Iterator[AccountEvent]


class Progress(Struct, frozen=True):
    """Where a liquidation stands: since which slot (-1 for none), and how much margin it has freed."""

    since_slot: int = -1
    freed_e6: int = 0


class Liability(Struct, frozen=True):
    """What is owed and for how much it is taken over: a borrow, or the loss of a closed perp (then in quote).

    The weight of its side includes the buffer.
    """

    market: str
    side: Side
    insurance_e6: int = 0
    perp: bool = False

    @property
    def value_e6(self) -> int:
        """What is owed, in quote."""
        return value_e6(self.side, self.side.amount)


class Liquidator:
    """Liquidates one account. ``progress`` outlives a price row."""

    def __init__(self, books: Books, rules: LiquidationRules) -> None:
        self.progress = Progress()
        self._books, self._rules = books, rules

    @property
    def active(self) -> bool:
        """Whether the account is flagged as being liquidated; it can place no orders then."""
        return self.progress.since_slot >= 0

    def run(self, ts_ns: int, slot: int, markets: Mapping[str, Market], cancel: Cancel) -> list[AccountEvent]:
        """Liquidate what may be liquidated at this price, and return the events; prices do not change meanwhile."""
        if self.active and self._shortage_e6(markets) == 0:
            self.progress = Progress()
            return []
        if not self.active:
            self.progress = Progress(slot)
        cancel()
        return list(self._steps(ts_ns, slot, dict(markets)))

    def _steps(self, ts_ns: int, slot: int, markets: dict[str, Market]) -> Done:
        for _ in range(_ROUNDS):
            if self._out(markets):
                return
            before_e6 = self._shortage_e6(markets)
            done = list(self._step(ts_ns, slot, markets))
            yield from done
            self._freed(before_e6, markets)
            if not done:
                return

    def _step(self, ts_ns: int, slot: int, markets: dict[str, Market]) -> Done:
        """Take the next step: a perp, a profit to settle, a liability to pay, or the bankruptcy."""
        account = self._books.account()
        held = sorted((p for p in account.perps if p.base_e9), key=lambda p: -size_e6(p, markets))
        for position in held:
            event = self._perp(ts_ns, slot, position, markets)
            if event is not None:
                yield event
                return
        profits = [p.market for p in account.perps if p.base_e9 == 0 and p.quote_e6 > 0]
        if profits:
            settled = self._books.settle(ts_ns, profits[0], 0)
            yield from [settled] if settled else []
            return
        if held:
            return
        yield from self._liabilities(ts_ns, slot, account, markets)

    def _liabilities(self, ts_ns: int, slot: int, account: Account, markets: dict[str, Market]) -> Done:
        """Pay the largest liability that may be paid with the largest deposit, or forgive all where none is left."""
        asset = self._largest_deposit(account, markets)
        for owed in sorted(self._owed(account, markets), key=lambda one: -one.value_e6):
            if asset is None:
                yield self._bankrupt(ts_ns, owed, markets)
                continue
            event = self._pay(ts_ns, slot, owed, asset, markets)
            if event is not None:
                yield event
                return

    # ------------------------------------------------------------------- one step each

    def _perp(self, ts_ns: int, slot: int, position: PerpPosition, markets: dict[str, Market]) -> Liquidated | None:
        """Take over a part of a position at the oracle, less fees (liquidate_perp)."""
        market = markets[position.market]
        spec, oracle_e6 = market.spec, market.oracle_e6 or 0
        if not isinstance(spec, PerpSpec):
            raise TypeError(f"{spec.name} is no perp market")
        held_e9 = abs(position.base_e9)
        ratio_e4 = perp_ratio_e4(spec, held_e9, "maintenance") + self._rules.buffer_e4
        short_e6 = self._shortage_e6(markets)
        most_e6 = min(spec.liquidator_fee_e6 * 3, spec.margin_maintenance_e4 * 100)
        fee_e6 = math.liquidator_fee_e6(spec.liquidator_fee_e6, most_e6, slot - self.progress.since_slot)
        tracked_e6 = self._tracked_e6(Account(self._books.quote, (), (position,)), short_e6, markets)
        insurance_e6 = math.perp_insurance_fee_e6(
            tracked_e6, held_e9, ratio_e4, oracle_e6, liquidator_fee_e6=fee_e6, most_e6=spec.insurance_fee_e6
        )
        cover_e9 = math.base_to_cover_shortage_e9(
            short_e6, ratio_e4, oracle_e6, liquidator_fee_e6=fee_e6, insurance_fee_e6=insurance_e6
        )
        if cover_e9 != math.ALL:
            cover_e9 = ceil_to_step(cover_e9, spec.step_e9)
        allowed_e9 = cover_e9 * self._pct_e4(short_e6, slot) // E4
        if allowed_e9 == 0:
            return None
        least_e9 = held_e9 if held_e9 * oracle_e6 // E9 <= _DUST_POSITION_E6 else 0
        base_e9 = ceil_to_step(min(held_e9, max(allowed_e9, least_e9)), spec.step_e9)
        worth_e6 = base_e9 * oracle_e6 // E9
        fees_e6 = worth_e6 * fee_e6 // E6 + worth_e6 * insurance_e6 // E6
        side = -1 if position.base_e9 > 0 else 1
        event = Liquidated(
            ts_ns=ts_ns,
            cursor=0,
            liquidation="perp",
            market=spec.name,
            base_e9=side * base_e9,
            quote_e6=-side * worth_e6 - fees_e6,
            oracle_e6=oracle_e6,
            fees_e6=fees_e6,
        )
        return self._books.liquidate(event)

    def _pay(self, ts_ns: int, slot: int, owed: Liability, asset: str, markets: dict[str, Market]) -> Liquidated | None:
        """Pay a liability with a deposit (liquidate_spot, liquidate_perp_pnl_for_deposit)."""
        short_e6, held, debt = self._shortage_e6(markets), self._asset(asset, markets), owed.side
        insurance_e6 = 0 if owed.perp else self._spot_insurance_e6(owed, held, short_e6, markets)
        cover = math.liability_to_cover_shortage(short_e6, held, debt, insurance_e6)
        allowed = cover * self._pct_e4(short_e6, slot) // E4
        if allowed == 0:
            return None
        least = debt.amount if owed.value_e6 <= _DUST_LIABILITY_E6 else 0
        taken = min(debt.amount, max(allowed, least), math.liability_for_asset(held, debt))
        paid = math.asset_for_liability(held, debt, taken)
        insured = taken * insurance_e6 // E6
        event = Liquidated(
            ts_ns=ts_ns,
            cursor=0,
            liquidation="perp_pnl" if owed.perp else "spot",
            market=owed.market,
            base_e9=0,
            quote_e6=taken if owed.perp else 0,
            oracle_e6=self._price_e6(owed.market, markets),
            fees_e6=value_e6(held, paid) - value_e6(debt, taken) + value_e6(debt, insured),
            asset=asset,
            asset_tokens=-min(paid, held.amount),
            liability="" if owed.perp else owed.market,
            liability_tokens=0 if owed.perp else taken - insured,
        )
        return self._books.liquidate(event)

    def _spot_insurance_e6(self, owed: Liability, held: Side, short_e6: int, markets: dict[str, Market]) -> int:
        balance = self._books.account().spot(owed.market)
        tracked_e6 = self._tracked_e6(Account(self._books.quote, (balance,)), short_e6, markets)
        return math.spot_insurance_fee_e6(tracked_e6, held, owed.side, owed.insurance_e6)

    def _bankrupt(self, ts_ns: int, owed: Liability, markets: dict[str, Market]) -> Liquidated:
        """Forgive a loss nothing is left to pay for (resolve_perp_bankruptcy, resolve_spot_bankruptcy)."""
        debt = owed.side
        event = Liquidated(
            ts_ns=ts_ns,
            cursor=0,
            liquidation="bankruptcy",
            market=owed.market,
            base_e9=0,
            quote_e6=debt.amount if owed.perp else 0,
            oracle_e6=self._price_e6(owed.market, markets),
            fees_e6=0,
            forgiven_e6=ceil_div(debt.amount * debt.price_e6, 10**debt.decimals),
            liability="" if owed.perp else owed.market,
            liability_tokens=0 if owed.perp else debt.amount,
        )
        return self._books.liquidate(event)

    # ------------------------------------------------------------------- what it looks at

    def _owed(self, account: Account, markets: dict[str, Market]) -> Iterator[Liability]:
        buffer_e4 = self._rules.buffer_e4
        for balance in account.spots:
            tokens, spec = self._books.tokens(balance.market), markets[balance.market].spec
            if tokens < 0 and isinstance(spec, SpotSpec):
                weight_e4 = spec.liability_maintenance_e4 + buffer_e4
                price_e6 = self._price_e6(spec.name, markets)
                side = Side(-tokens, spec.decimals, price_e6, weight_e4, E6 - spec.liquidator_fee_e6)
                yield Liability(spec.name, side, spec.insurance_fee_e6)
        for position in account.perps:
            perp = markets[position.market].spec
            if position.base_e9 == 0 and position.quote_e6 < 0 and isinstance(perp, PerpSpec):
                side = Side(-position.quote_e6, 6, E6, E4 + buffer_e4, E6 - perp.liquidator_fee_e6)
                yield Liability(perp.name, side, perp=True)

    def _asset(self, market: str, markets: dict[str, Market]) -> Side:
        spec, price_e6 = markets[market].spec, self._price_e6(market, markets)
        if not isinstance(spec, SpotSpec):
            raise TypeError(f"{spec.name} is no spot market")
        multiplier_e6 = E6 + spec.liquidator_fee_e6
        return Side(self._books.tokens(market), spec.decimals, price_e6, spec.asset_maintenance_e4, multiplier_e6)

    def _largest_deposit(self, account: Account, markets: dict[str, Market]) -> str | None:
        values = {
            balance.market: spot_value_e6(balance, markets[balance.market], account.quote)
            for balance in account.spots
            if self._books.tokens(balance.market) > 0
        }
        return max(values, key=lambda name: values[name]) if values else None

    def _price_e6(self, market: str, markets: dict[str, Market]) -> int:
        return E6 if market == self._books.quote else markets[market].oracle_e6 or 0

    def _pct_e4(self, short_e6: int, slot: int) -> int:
        elapsed = slot - self.progress.since_slot
        rules = self._rules
        return math.max_pct_e4(short_e6, self.progress.freed_e6, elapsed, rules.initial_pct_e4, rules.duration_slots)

    def _tracked_e6(self, part: Account, short_e6: int, markets: dict[str, Market]) -> int:
        """Return a part's share of the shortage, by requirement (tracked_market_margin_shortage)."""
        _, own_e6 = assess(part, markets, "maintenance")
        _, all_e6 = assess(self._books.account(), markets, "maintenance")
        return short_e6 * own_e6 // all_e6 if all_e6 else 0

    def _shortage_e6(self, markets: Mapping[str, Market]) -> int:
        return shortage_e6(self._books.account(), markets, self._rules.buffer_e4)

    def _out(self, markets: Mapping[str, Market]) -> bool:
        if self._shortage_e6(markets):
            return False
        self.progress = Progress()
        return True

    def _freed(self, before_e6: int, markets: Mapping[str, Market]) -> None:
        freed_e6 = max(0, before_e6 - self._shortage_e6(markets))
        self.progress = Progress(self.progress.since_slot, self.progress.freed_e6 + freed_e6)


def value_e6(side: Side, amount: int) -> int:
    """Return the quote value of an amount of a side's token."""
    return amount * side.price_e6 // int(10**side.decimals)
