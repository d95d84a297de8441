"""The venue's own books of one account, kept as the program keeps them and apart from the engine's.

Each method changes the books and returns the numbered event that tells of it. Every figure comes from the pure formulas
of ``core``; nothing here reads an event, so the engine's books and these meet only in ``AccountObserved``.

A market's cumulative funding starts at 0 and moves when the account is settled, which is at every funding row while it
holds something: then a new position's cursor is always the market's figure of the moment.
"""

from collections.abc import Iterable, Mapping

from msgspec import Struct, structs

from drift_engine.core.funding import payment_e6
from drift_engine.core.perp_position import after_settlement, after_trade
from drift_engine.core.spot_balance import accrue, add_tokens, token_amount
from drift_engine.core.types import (
    Account,
    Deposited,
    Filled,
    FundingPaid,
    InterestAccrued,
    Liquidated,
    Market,
    PerpPosition,
    PlanClosed,
    PlanStatus,
    PnlSettled,
    Spec,
    SpotBalance,
    SpotSpec,
    Withdrawn,
)
from drift_engine.core.units import rescale
from drift_engine.core.valuation import perp_value_e6
from drift_engine.simulation.quotes import MarketQuote, slot_at


class BooksRecord(Struct, frozen=True):
    """The books as they are kept on disk: the account, and each market's interest and cumulative funding."""

    cursor: int
    account: Account
    interest_e10: dict[str, tuple[int, int]]
    funding_e9: dict[str, int]


class Trade(Struct, frozen=True):
    """What one fill exchanged, and at which prices of the venue. Amounts are signed by what the account got."""

    market: str
    base_e9: int
    quote_e6: int
    fee_e6: int
    oracle_e6: int
    mark_e6: int
    maker: bool = False


class Books:
    """One account's balances and positions. ``markets`` holds what amounts depend on, without prices."""

    def __init__(self, quote: str, specs: Mapping[str, Spec]) -> None:
        self.quote = quote
        self.markets: dict[str, Market] = {name: Market(spec) for name, spec in specs.items()}
        self.perps: dict[str, PerpPosition] = {}
        self.spots: dict[str, SpotBalance] = {}
        self.cursor = 0
        self._account: Account | None = None

    def account(self) -> Account:
        """Return the account without open orders: the same one until something in it changed."""
        if self._account is None:
            self._account = Account(self.quote, tuple(self.spots.values()), tuple(self.perps.values()))
        return self._account

    def tokens(self, market: str) -> int:
        """Return the signed token amount held in a spot market."""
        balance = self.spots.get(market)
        return token_amount(balance.scaled_e9, self.markets[market]) if balance else 0

    def priced(self, quotes: Mapping[str, MarketQuote], names: Iterable[str]) -> dict[str, Market]:
        """Return markets with the prices, rates and status their quotes stand at."""
        return {name: _priced(self.markets[name], quotes[name]) for name in names}

    def record(self) -> BooksRecord:
        """Return the books for the disk."""
        return BooksRecord(
            self.cursor,
            self.account(),
            {name: (market.interest_deposit_e10, market.interest_borrow_e10) for name, market in self.markets.items()},
            {name: market.funding_cumulative_e9 for name, market in self.markets.items()},
        )

    def restore(self, record: BooksRecord) -> None:
        """Take the books from the disk."""
        self.cursor = record.cursor
        self.perps = {position.market: position for position in record.account.perps}
        self.spots = {balance.market: balance for balance in record.account.spots}
        self._account = None
        for name, (deposit_e10, borrow_e10) in record.interest_e10.items():
            self.markets[name] = structs.replace(
                self.markets[name],
                interest_deposit_e10=deposit_e10,
                interest_borrow_e10=borrow_e10,
                funding_cumulative_e9=record.funding_e9[name],
            )

    # ------------------------------------------------------------------- what moves the books

    def deposit(self, ts_ns: int, market: str, amount: int) -> Deposited:
        """Take in tokens, in the token's own decimals."""
        self._add(market, amount)
        return Deposited(ts_ns, self._next(), market, amount)

    def withdraw(self, ts_ns: int, market: str, amount: int) -> Withdrawn:
        """Give out tokens; the rounding is against the account."""
        self._add(market, -amount, leaving=True)
        return Withdrawn(ts_ns, self._next(), market, amount)

    def fill(self, ts_ns: int, seen_ns: int, plan_id: str, leg: int, trade: Trade) -> Filled:
        """Book a fill of a leg."""
        spec = self.markets[trade.market].spec
        if isinstance(spec, SpotSpec):
            self._add(trade.market, rescale(trade.base_e9, 9, spec.decimals))
            self._add(self.quote, trade.quote_e6 - trade.fee_e6)
        else:
            self._put(after_trade(self._perp(trade.market), trade.base_e9, trade.quote_e6, trade.fee_e6))
        return Filled(
            ts_ns,
            self._next(),
            plan_id,
            leg,
            trade.market,
            spec.kind,
            trade.base_e9,
            trade.quote_e6,
            trade.fee_e6,
            trade.oracle_e6,
            trade.mark_e6,
            slot_at(ts_ns),
            seen_ns,
            trade.maker,
        )

    def close(
        self, ts_ns: int, seen_ns: int, plan_id: str, status: PlanStatus, reason: str = "", *, tip_e6: int = 0
    ) -> PlanClosed:
        """Close a plan; a tip leaves the quote balance."""
        self._add(self.quote, -tip_e6)
        return PlanClosed(ts_ns, self._next(), plan_id, status, seen_ns, reason, tip_e6)

    def fund(self, ts_ns: int, market: str, rate_e9: int) -> FundingPaid | None:
        """Settle an hour's funding on what is held now; ``None`` where nothing is."""
        position = self.perps.get(market)
        if position is None or position.base_e9 == 0:
            return None
        cumulative_e9 = self.markets[market].funding_cumulative_e9 + rate_e9
        self.markets[market] = structs.replace(self.markets[market], funding_cumulative_e9=cumulative_e9)
        paid_e6 = payment_e6(cumulative_e9 - position.funding_cursor_e9, position.base_e9)
        self._put(
            structs.replace(
                position,
                quote_e6=position.quote_e6 + paid_e6,
                quote_break_even_e6=position.quote_break_even_e6 + paid_e6,
                funding_cursor_e9=cumulative_e9,
            )
        )
        return FundingPaid(ts_ns, self._next(), market, rate_e9, cumulative_e9, position.base_e9, paid_e6)

    def accrue(
        self, ts_ns: int, market: str, deposit_rate_e6: int, borrow_rate_e6: int, seconds: int
    ) -> InterestAccrued | None:
        """Let interest run for some seconds; ``None`` where the rates are not known (a borrow rate below 0)."""
        if borrow_rate_e6 < 0:
            return None
        before = self.markets[market]
        deposit_e10 = accrue(before.interest_deposit_e10, deposit_rate_e6, seconds, borrow=False)
        borrow_e10 = accrue(before.interest_borrow_e10, borrow_rate_e6, seconds, borrow=True)
        self.markets[market] = structs.replace(before, interest_deposit_e10=deposit_e10, interest_borrow_e10=borrow_e10)
        return InterestAccrued(ts_ns, self._next(), market, deposit_e10, borrow_e10)

    def settle(self, ts_ns: int, market: str, oracle_e6: int) -> PnlSettled | None:
        """Move a position's whole unrealised PnL to the quote balance; ``None`` where there is none."""
        position = self.perps.get(market)
        if position is None:
            return None
        pnl_e6 = perp_value_e6(position, structs.replace(self.markets[market], oracle_e6=oracle_e6))
        if pnl_e6 == 0:
            return None
        self._put(after_settlement(position, pnl_e6))
        self._add(self.quote, pnl_e6)
        return PnlSettled(ts_ns, self._next(), market, pnl_e6)

    def liquidate(self, event: Liquidated) -> Liquidated:
        """Move what a liquidation takes and gives, and number it."""
        if event.base_e9 or event.quote_e6:
            self._put(after_trade(self._perp(event.market), event.base_e9, event.quote_e6))
        if event.asset_tokens:
            self._add(event.asset, event.asset_tokens)
        if event.liability_tokens:
            self._add(event.liability, event.liability_tokens)
        return structs.replace(event, cursor=self._next())

    # ------------------------------------------------------------------- parts

    def _perp(self, market: str) -> PerpPosition:
        """Return a position, or a new one whose cursor is the market's."""
        cumulative_e9 = self.markets[market].funding_cumulative_e9
        return self.perps.get(market) or PerpPosition(market, funding_cursor_e9=cumulative_e9)

    def _put(self, position: PerpPosition) -> None:
        self._account = None
        if position.base_e9 or position.quote_e6:
            self.perps[position.market] = position
        else:
            self.perps.pop(position.market, None)

    def _add(self, market: str, tokens: int, *, leaving: bool = False) -> None:
        if tokens == 0:
            return
        self._account = None
        balance = self.spots.get(market) or SpotBalance(market)
        scaled_e9 = add_tokens(balance.scaled_e9, tokens, self.markets[market], leaving=leaving)
        if scaled_e9:
            self.spots[market] = SpotBalance(market, scaled_e9)
        else:
            self.spots.pop(market, None)

    def _next(self) -> int:
        self.cursor += 1
        return self.cursor


def _priced(market: Market, quote: MarketQuote) -> Market:
    last = quote.last
    return Market(
        market.spec,
        quote.ts_ns,
        last.oracle_e6 or None,
        last.oracle_slot,
        last.oracle_twap_e6 or None,
        0,
        last.mark_e6 or None,
        None,
        None,
        quote.funding_e9,
        quote.deposit_rate_e6,
        quote.borrow_rate_e6,
        quote.status,
        market.interest_deposit_e10,
        market.interest_borrow_e10,
        market.funding_cumulative_e9,
    )
