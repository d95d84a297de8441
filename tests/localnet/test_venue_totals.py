"""Whatever several users do, a market's totals are the sums over its users, and what fails leaves nothing behind."""

from collections.abc import Callable, Mapping

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from solders.account import Account
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from swap_desk import Swapper
from venue_desk import E6, E9, VenueDesk

from drift_engine.localnet.outcomes import Outcome
from drift_engine.localnet.venue.balances import pool_tokens, scaled_e9, totals
from drift_engine.venues.instructions import accounts, fills, funds, orders, settling
from drift_engine.venues.instructions.trader import Trader, trader
from drift_engine.venues.program import Program
from drift_engine.venues.programs import by_name
from drift_engine.venues.wire.order_enums import Direction, OrderType, PostOnly
from drift_engine.venues.wire.order_params import OrderParams
from drift_engine.venues.wire.user import User

Step = tuple[str, int, int, int]
WHAT = ("deposit", "withdraw", "transfer", "take", "rest", "trigger", "cancel", "settle", "swap", "price", "wait")
STEPS = st.tuples(st.sampled_from(WHAT), st.integers(0, 1), st.integers(-1_000, 1_000), st.integers(0, 1))


class Crowd:
    """Two users, one with two sub-accounts, and what they do."""

    def __init__(self, program: Program) -> None:
        self.desk, self.price_e6, self.failures = VenueDesk(program, slot_ms=60_000), 150 * E6, 0
        self.desk.set_price("SOL", self.price_e6)
        self.people = [self.desk.enrolled(name, 20_000 * E6) for name in ("alice", "bob")]
        self.swappers = [Swapper(self.desk, key, who) for key, who in self.people]
        key, first = self.people[0]
        self.owed, self.paid_back = {0: [0] * 3, 1: [0] * 3}, {0: 0, 1: 0}
        self.second = trader(program, first.authority, 1)
        self.desk.did(key, accounts.initialize_user(program, self.second))
        for key, who in self.people:
            self.desk.did(
                key,
                self.desk.deposit(who, 1, 50 * E9),
                accounts.update_user_margin_trading_enabled(
                    program, who, enabled=True, remaining=self.desk.rest(who, read_spots=[0, 1])
                ),
            )

    def play(self, step: Step) -> None:
        what, person, amount, index = step
        key, who = self.people[person]
        desk, size = self.desk, abs(amount) + 1
        tokens = size * (20 * E6 if index == 0 else E9 // 10)
        calls: Mapping[str, Callable[[], Instruction | list[Instruction]]] = {
            "deposit": lambda: desk.deposit(who, index, tokens),
            "withdraw": lambda: desk.withdraw(who, index, tokens),
            "transfer": lambda: self.transfer(index, tokens, back=person == 1),
            "take": lambda: self.take(who, amount, size),
            "rest": lambda: self.place(who, amount, size, post_only=PostOnly.SLIDE),
            "trigger": lambda: self.place(
                who, amount, size, order_type=OrderType.TRIGGER_MARKET, price=0,
                trigger_price=self.price_e6 * (98 + 4 * index) // 100, trigger_condition=1 - index,
            ),
            "cancel": lambda: orders.cancel_orders(desk.program, who, remaining=desk.rest(who)),
            "settle": lambda: settling.settle_pnl(
                desk.program, who, 0, who.authority, desk.rest(who, write_perps=[0], write_spots=[0])
            ),
            "swap": lambda: self.swappers[person].swap(tokens, tokens * 1_000 * E6 // self.price_e6)
            if index == 0
            else self.swappers[person].swap(size * E6, size * E9 * E6 // self.price_e6, lent=2 * size * E6),
        }  # fmt: skip
        if what == "price":
            self.price_e6 = self.price_e6 * (10_000 + amount // 2) // 10_000
            desk.set_price("SOL", self.price_e6)
        elif what == "wait":
            desk.chain.advance(1 + size // 20)
        else:
            made = calls[what]()
            self.sent(self.people[0][0] if what == "transfer" else key, made if isinstance(made, list) else [made])
        desk.chain.advance()

    def transfer(self, index: int, amount: int, *, back: bool) -> Instruction:
        giver, taker = (self.second, self.people[0][1]) if back else (self.people[0][1], self.second)
        rest = self.desk.rest(giver, taker, write_spots=[index])
        return funds.transfer_deposit(self.desk.program, giver, taker, index, amount, rest)

    def take(self, who: Trader, amount: int, size: int) -> Instruction:
        params = self.params(amount, size, price=self.price_e6 * (110 if amount > 0 else 90) // 100)
        rest = self.desk.rest(who, write_perps=[0])
        return fills.place_and_take_perp_order(self.desk.program, who, params, None, rest)

    def place(self, who: Trader, amount: int, size: int, **more: int) -> Instruction:
        away_e6 = self.price_e6 * (99 if amount > 0 else 101) // 100
        params = self.params(amount, size, **{"price": away_e6} | more)
        return orders.place_perp_order(self.desk.program, who, params, self.desk.rest(who, read_perps=[0]))

    def params(self, amount: int, size: int, **more: int) -> OrderParams:
        direction = Direction.LONG if amount > 0 else Direction.SHORT
        return OrderParams(base_asset_amount=size * E9 // 10, direction=direction, **more)  # type: ignore[arg-type]

    def sent(self, key: Keypair, instructions: list[Instruction]) -> Outcome:
        """Send a transaction; what fails changes nothing but the payer's lamports."""
        before = self.everything()
        outcome = self.desk.send(key, *instructions)
        if outcome.err is not None:
            self.failures += 1
            after = self.everything()
            changed = {address for address in before if before[address].data != after[address].data}
            assert not changed, outcome.logs
        return outcome

    def everything(self) -> dict[Pubkey, Account]:
        desk, people = self.desk, [who for _, who in self.people]
        keys = [desk.perp(0).pubkey, *(each for i in (0, 1) for each in (desk.spot(i).pubkey, desk.spot(i).vault))]
        keys += [key for who in people for key in (who.user, who.user_stats)] + [self.second.user, desk.program.state]
        keys += [desk.wallet(who.authority, index) for who in people for index in (0, 1)]
        return {key: desk.account(key) for key in keys}

    def check(self) -> None:
        desk = self.desk
        users = [desk.user(who) for who in (*(who for _, who in self.people), self.second)]
        held = [position for user in users for position in user.perp_positions() if position.market_index == 0]
        longs = [each for each in held if each.base_asset_amount > 0]
        shorts = [each for each in held if each.base_asset_amount < 0]
        market = desk.perp(0)
        for total, one in (
            ("base_asset_amount", "base_asset_amount"),
            ("quote_entry_amount", "quote_entry_amount"),
            ("quote_break_even_amount", "quote_break_even_amount"),
        ):
            assert getattr(market, f"{total}_long") == sum(getattr(each, one) for each in longs), total
            assert getattr(market, f"{total}_short") == sum(getattr(each, one) for each in shorts), total
        assert market.base_asset_amount_with_amm == sum(each.base_asset_amount for each in held)
        assert market.quote_asset_amount == sum(each.quote_asset_amount for each in held)
        assert market.number_of_users_with_base == len(longs) + len(shorts)
        assert market.number_of_users == sum(bool(each.base_asset_amount or each.quote_asset_amount) for each in held)
        for index in (0, 1):
            self.check_spot(index)
        for user in users:
            self.check_orders(user)

    def check_spot(self, index: int) -> None:
        desk, market = self.desk, self.desk.spot(index)
        users = [desk.user(who) for who in (*(who for _, who in self.people), self.second)]
        balances = [scaled_e9(each) for user in users for each in user.spot_positions() if each.market_index == index]
        pools = [market.revenue_pool.scaled_balance]
        if index == 0:
            perps = [desk.perp(each) for each in range(3)]
            pools += [pool.scaled_balance for each in perps for pool in (each.pnl_pool, each.fee_pool)]
        assert market.deposit_balance == sum(max(0, each) for each in balances) + sum(pools)
        assert market.borrow_balance == sum(max(0, -each) for each in balances)
        deposits, borrows = totals(market)
        assert desk.vault(index) >= deposits - borrows - self.forgiven(index, users)
        assert pool_tokens(market.revenue_pool, market) >= 0

    def forgiven(self, index: int, users: list[User]) -> int:
        """Return how often part of a borrow was paid back: each time the program takes a unit more off the borrow.

        Source: ``controller/spot_balance.rs`` update_spot_balances (``round_up`` where the balance is a borrow).
        """
        owed = [max(0, -sum(scaled_e9(e) for e in u.spot_positions() if e.market_index == index)) for u in users]
        self.paid_back[index] += sum(0 < now < before for now, before in zip(owed, self.owed[index], strict=True))
        self.owed[index] = owed
        return self.paid_back[index]

    def check_orders(self, user: User) -> None:
        """A position's open bids and asks are what is left of its orders, those that still wait left out."""
        for position in user.perp_positions():
            own = [each for each in user.orders() if each.market_index == position.market_index]
            live = [each for each in own if each.order_type != OrderType.TRIGGER_MARKET or each.trigger_condition > 1]
            left = [(each.direction, each.base_asset_amount - each.base_asset_amount_filled) for each in live]
            assert position.open_orders == len(own)
            assert position.open_bids == sum(base for side, base in left if side == Direction.LONG)
            assert position.open_asks == -sum(base for side, base in left if side == Direction.SHORT)


@pytest.mark.parametrize("name", ["drift_v2", "velocity"])
@settings(max_examples=40, deadline=None)
@example(steps=[("withdraw", 1, 502, 1), ("swap", 1, 0, 0), ("deposit", 1, 0, 1)])
@given(steps=st.lists(STEPS, min_size=8, max_size=20))
def test_totals_are_sums_over_users(name: str, steps: list[Step]) -> None:
    crowd = Crowd(by_name(name))
    crowd.check()
    for step in steps:
        crowd.play(step)
        crowd.check()
