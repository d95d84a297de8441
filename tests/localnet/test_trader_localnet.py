"""A trader's whole life on a served chain: every act read back from the chain by the codec."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager

import pytest
from msgspec import structs
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from trader_stage import FAST, QUICK, Stage, stage

from drift_engine.localnet import tokens
from drift_engine.localnet.ledger import Ledger
from drift_engine.localnet.program import Invocation, ProgramError
from drift_engine.localnet.venue.program import PlayedVenue
from drift_engine.venues.errors import DecodeError, EncodeError
from drift_engine.venues.http import InvalidRequestError
from drift_engine.venues.instructions.tokens import token_account
from drift_engine.venues.live.sub_accounts import SubAccounts
from drift_engine.venues.mirror import Pace
from drift_engine.venues.program import Program
from drift_engine.venues.programs import DRIFT_V2, VELOCITY
from drift_engine.venues.rpc.types import AccountInfo
from drift_engine.venues.trader import Trader
from drift_engine.venues.transactions.sending import Failed, Landed, Outcome
from drift_engine.venues.wire.events.trading import OrderActionRecord, SettlePnlRecord
from drift_engine.venues.wire.order_enums import Direction, SuccessCondition
from drift_engine.venues.wire.order_params import OrderParams
from drift_engine.venues.wire.user import Order

PROGRAMS = pytest.mark.parametrize("program", [VELOCITY, DRIFT_V2], ids=lambda program: program.name)
E6, E9 = 10**6, 10**9


def landed(outcome: Outcome) -> Landed:
    assert isinstance(outcome, Landed), outcome
    return outcome


def connected(at: Stage, key: Keypair, authority: Pubkey | None = None) -> AbstractAsyncContextManager[Trader]:
    return Trader.connect(at.program, at.running.url, key, settings=FAST, following=QUICK, authority=authority)


@PROGRAMS
async def test_the_whole_life_of_a_sub_account(program: Program) -> None:
    async with stage(program) as at, connected(at, at.person("alice")) as trader:
        quote = program.quote
        landed(await trader.create_user("Alice"))
        assert (await trader.user()).name == "Alice"
        landed(await trader.deposit(quote, "10000"))
        assert (await trader.account()).spot(quote).scaled_e9 == 10_000 * E9
        landed(await trader.place(trader.order("SOL-PERP", "1.5", "140", user_order_id=7)))
        (order,) = await trader.orders()
        assert (order.base_asset_amount, order.price, order.user_order_id) == (15 * E9 // 10, 140 * E6, 7)
        landed(await trader.modify(order.order_id, price="141", base="2"))
        (order,) = await trader.orders()
        assert (order.base_asset_amount, order.price, order.order_id) == (2 * E9, 141 * E6, 2)
        landed(await trader.cancel(order.order_id))
        assert await trader.orders() == ()

        taken = landed(await trader.take("SOL-PERP", "2", condition=SuccessCondition.FULL_FILL))
        told = await trader.events(taken)
        assert [each for each in told if isinstance(each, OrderActionRecord) and each.action == 2]
        assert (await trader.account()).perp("SOL-PERP").base_e9 == 2 * E9
        at.set_price("SOL", 160 * E6)
        landed(await trader.take("SOL-PERP", "-2", condition=SuccessCondition.FULL_FILL, reduce_only=True))
        settled = landed(await trader.settle_pnl("SOL-PERP"))
        (record,) = [each for each in await trader.events(settled) if isinstance(each, SettlePnlRecord)]
        assert 15 * E6 < record.pnl < 20 * E6
        account = await trader.account()
        assert account.perps == ()
        tokens = account.spot(quote).scaled_e9 // 1_000
        assert tokens == 10_000 * E6 + record.pnl
        landed(await trader.withdraw(quote, f"{tokens // E6}.{tokens % E6:06d}"))
        landed(await trader.delete_user())
        assert await trader.found() is None
        assert at.tokens(at.person("nobody")) == 100_000 * E6


@PROGRAMS
async def test_a_market_that_cannot_be_read_stops_only_what_needs_it(program: Program) -> None:
    async with stage(program, idle=True) as at:
        async with connected(at, key := at.person("hal")) as trader:
            other = trader.at(1)
            for each in (trader, other):
                landed(await each.create_user())
                landed(await each.deposit(program.quote, 1_000))
            landed(await other.take("ETH-PERP", "0.1", condition=SuccessCondition.FULL_FILL))
        at.damage_market(2, bytes(at.changed_market(2).data)[:-1])
        await at.settled()
        async with connected(at, key) as trader:
            other = trader.at(1)
            landed(await trader.take("SOL-PERP", "1", condition=SuccessCondition.FULL_FILL))
            assert (await trader.account()).perp("SOL-PERP").base_e9 == E9
            why = r"perp market 2,? (which )?cannot be read: PerpMarket has \d+ bytes"
            with pytest.raises(EncodeError, match=why):
                await trader.place(OrderParams(market_index=2, base_asset_amount=E9, price=E6))
            with pytest.raises(DecodeError, match=f"the account holds something in {why}"):
                await other.account()
            with pytest.raises(EncodeError, match=why):
                await other.place(other.order("SOL-PERP", "1", "140"))
            accounts = SubAccounts(trader.connection, trader.listed, key.pubkey())
            await accounts.ready()
            first, second = accounts.all().values()
            assert first.account is not None
            assert (first.account.perp("SOL-PERP").base_e9, first.problem) == (E9, None)
            assert second.account is None
            assert re.search(why, second.problem or "")


@PROGRAMS
async def test_orders_in_every_form(program: Program) -> None:
    async with stage(program) as at, connected(at, at.person("bob")) as trader:
        landed(await trader.create_user())
        landed(await trader.deposit(program.quote, 10_000))
        bids = [trader.order("SOL-PERP", "1", str(130 + step), user_order_id=step) for step in (1, 2, 3)]
        landed(await trader.place(*bids))
        landed(await trader.place(trader.order("BTC-PERP", "-0.01", "99000")))
        assert [order.order_id for order in await trader.orders()] == [1, 2, 3, 4]
        landed(await trader.modify(user_order_id=2, price="132.5"))
        landed(await trader.cancel(user_order_id=1))
        landed(await trader.cancel([3]))
        assert sorted((order.price // 10**5, order.market_index) for order in await trader.orders()) == [
            (1325, 0),
            (990_000, 1),
        ]
        landed(await trader.cancel_all("SOL-PERP", Direction.LONG))
        assert [order.market_index for order in await trader.orders()] == [1]
        landed(await trader.cancel_all())
        assert await trader.orders() == ()


async def test_a_change_keeps_what_it_does_not_name_and_the_last_placed_is_the_one_meant() -> None:
    def told(order: Order) -> tuple[int, int, int, bool]:
        return order.direction, order.base_asset_amount, order.price // E6, bool(order.reduce_only)

    async with stage(VELOCITY) as at, connected(at, at.person("ivy")) as trader:
        landed(await trader.create_user())
        landed(await trader.deposit("USDT", 10_000))
        landed(await trader.place(trader.order("SOL-PERP", "1", "130")))
        landed(await trader.place(trader.order("SOL-PERP", "-1.5", "170")))
        landed(await trader.modify(2, price="171"))
        assert [told(order) for order in await trader.orders()][-1] == (Direction.SHORT, 15 * E9 // 10, 171, False)
        landed(await trader.modify(base="-2"))
        assert sorted(map(told, await trader.orders())) == [
            (Direction.LONG, E9, 130, False),
            (Direction.SHORT, 2 * E9, 171, False),
        ]
        landed(await trader.modify(1, base="-1", price="175"))
        assert {told(order)[:3] for order in await trader.orders()} == {
            (Direction.SHORT, 2 * E9, 171),
            (Direction.SHORT, E9, 175),
        }
        landed(await trader.cancel())
        assert [told(order) for order in await trader.orders()] == [(Direction.SHORT, 2 * E9, 171, False)]
        landed(await trader.place(trader.order("SOL-PERP", "1", "130"), trader.order("BTC-PERP", "0.01", "90000")))
        landed(await trader.cancel_all(direction=Direction.LONG))
        assert [told(order)[:1] for order in await trader.orders()] == [(Direction.SHORT,)]
        landed(await trader.place(trader.order("BTC-PERP", "0.01", "90000")))
        landed(await trader.cancel_all("SOL-PERP"))
        assert [order.market_index for order in await trader.orders()] == [1]


async def test_what_is_taken_at_a_worst_price_leaves_nothing_open() -> None:
    async with stage(VELOCITY) as at, connected(at, at.person("joe")) as trader:
        landed(await trader.create_user())
        landed(await trader.deposit("USDT", 10_000))
        landed(await trader.take("SOL-PERP", "1", "100"))
        assert await trader.orders() == ()
        assert (await trader.account()).perp("SOL-PERP").base_e9 == 0
        landed(await trader.take("SOL-PERP", "1", "200"))
        assert (await trader.account()).perp("SOL-PERP").base_e9 == E9


async def test_a_build_that_keeps_the_vamm_from_new_orders_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_venue: PlayedVenue, _invocation: Invocation, _ledger: Ledger) -> None:
        raise ProgramError(6252, "ImpossibleFill", "as builds of 2024 do")

    async with stage(DRIFT_V2) as at, connected(at, at.person("kay")) as trader:
        landed(await trader.create_user())
        landed(await trader.deposit("USDC", 1_000))
        monkeypatch.setattr(PlayedVenue, "execute", refuse)
        outcome = await trader.take("SOL-PERP", "1", "152")
        assert isinstance(outcome, Failed)
        assert (outcome.name, outcome.slot) == ("ImpossibleFill", None)
        assert "State.min_perp_auction_duration" in outcome.detail


async def test_the_same_act_twice_is_two_transactions() -> None:
    async with stage(VELOCITY, slot_ms=200) as at, connected(at, at.person("carol")) as trader:
        landed(await trader.create_user())
        first = landed(await trader.deposit("USDT", 5))
        second = landed(await trader.deposit("USDT", 5))
        assert first.signature != second.signature
        assert (await trader.account()).spot("USDT").scaled_e9 == 10 * E9


@PROGRAMS
async def test_a_delegate_trades_and_sub_accounts_transfer(program: Program) -> None:
    async with stage(program) as at:
        owner, helper = at.person("dora"), at.person("helper")
        async with connected(at, owner) as trader:
            landed(await trader.create_user())
            second = trader.at(1)
            landed(await second.create_user("Second"))
            landed(await trader.deposit(program.quote, 1_000))
            with pytest.raises(InvalidRequestError, match="cannot transfer to itself"):
                await trader.transfer(program.quote, 400, 0)
            with pytest.raises(InvalidRequestError, match="has no sub-account 7"):
                await trader.transfer(program.quote, 400, 7)
            landed(await trader.transfer(program.quote, 400, 1))
            assert (await second.account()).spot(program.quote).scaled_e9 == 400 * E9
            landed(await trader.set_delegate(helper.pubkey()))
            landed(await trader.set_margin_ratio("0.2"))
            assert (await trader.user()).max_margin_ratio == 2_000
        async with connected(at, helper, authority=owner.pubkey()) as trader:
            landed(await trader.place(trader.order("SOL-PERP", "-1", "170")))
            with pytest.raises(ValueError, match="withdrawing has to be signed by the authority"):
                await trader.withdraw(program.quote, 1)
            with pytest.raises(ValueError, match="closing a sub-account has to be signed by the authority"):
                await trader.delete_user()


@PROGRAMS
async def test_the_programs_refusal_has_its_own_name(program: Program) -> None:
    async with stage(program) as at, connected(at, at.person("erin")) as trader:
        landed(await trader.create_user())
        landed(await trader.deposit(program.quote, 10))
        outcome = await trader.place(trader.order("SOL-PERP", "100", "150"))
        assert isinstance(outcome, Failed)
        assert (outcome.code, outcome.name, outcome.slot) == (6003, "InsufficientCollateral", None)


async def test_sol_goes_in_and_out_as_lamports() -> None:
    async with stage(VELOCITY) as at:
        key = at.person("fay")
        async with connected(at, key) as trader:
            landed(await trader.create_user())
            landed(await trader.deposit("SOL", "2.5"))
            assert (await trader.account()).spot("SOL").scaled_e9 == 25 * 10**8
            landed(await trader.withdraw("SOL", "1"))
            balance = await trader.connection.rpc.get_balance(key.pubkey())
            assert 98 * E9 < balance < 99 * E9


async def test_what_cannot_be_right_is_refused_before_anything_is_signed() -> None:
    async with stage(VELOCITY) as at:
        key, stranger = at.person("gus"), at.person("stranger")
        async with connected(at, key) as trader:
            with pytest.raises(ValueError, match="has no sub-account 0 on velocity: create_user opens it"):
                await trader.place(trader.order("SOL-PERP", 1, 140))
            landed(await trader.create_user())
            landed(await trader.deposit("USDT", 100))
            height = len(list(at.chain.history.of_address(key.pubkey())))
            wrong = at.person("wrong")
            purse = _purse(at, wrong, at.listing.mints["SOL"])
            forms: list[tuple[Callable[[], object], str]] = [
                (lambda: trader.order("DOGE-PERP", 1, 1), "unknown velocity perp market 'DOGE-PERP'"),
                (lambda: trader.order("SOL-PERP", "1.0000000001", 140), "SOL-PERP size"),
                (
                    lambda: trader.order("SOL-PERP", "1", "140.00005"),
                    "no multiple of 0.000100; take 140.000000 or 140.000100",
                ),
                (lambda: trader.order("SOL-PERP", "18446744080", "140"), "does not fit u64"),
                (lambda: trader.order("SOL-PERP", "0.001", "140"), "no multiple of 0.010000000"),
            ]
            for what, says in forms:
                with pytest.raises(Exception, match=says):
                    what()
            await at.settled()
            acts: list[tuple[Callable[[], Awaitable[Outcome]], str]] = [
                (lambda: trader.deposit("USDT", "1", source=purse), "wrong mint"),
                (lambda: trader.deposit("USDT", "0.0000001"), "amount of USDT"),
                (lambda: trader.deposit("USDT", "18446744073709.551616"), "amount of USDT"),
                (
                    lambda: trader.deposit("USDT", "100000"),
                    "holds 99900.000000 USDT, and 100000.000000 are to leave it",
                ),
                (lambda: trader.deposit("DOGE", 1), "unknown velocity spot market 'DOGE'"),
                (lambda: trader.cancel(9), "there is no order 9 in sub-account 0; open are none"),
                (lambda: trader.set_margin_ratio("0.00001"), "margin ratio"),
                (trader.place, "no order given"),
                (
                    lambda: trader.place(
                        trader.order("SOL-PERP", 1, 140), structs.replace(trader.order("SOL-PERP", 1, 140), price=50)
                    ),
                    "SOL-PERP price = 0.000050 is no multiple",
                ),
                (
                    lambda: trader.place(structs.replace(trader.order("SOL-PERP", 1, 140), base_asset_amount=1)),
                    "SOL-PERP size = 0.000000001 is no multiple",
                ),
                (trader.delete_user, "still has balances"),
            ]
            for act, says in acts:
                with pytest.raises(Exception, match=says):
                    await act()
            trader.directory.read(at.changed_market(2, oracle=Pubkey.default()))
            with pytest.raises(Exception, match=r"ETH-PERP \(perp market 2\) has no oracle"):
                await trader.place(trader.order("ETH-PERP", 1, 3_000))
            assert len(list(at.chain.history.of_address(key.pubkey()))) == height
        async with connected(at, stranger, authority=key.pubkey()) as trader:
            with pytest.raises(ValueError, match="is neither authority nor delegate of sub-account 0"):
                await trader.place(trader.order("SOL-PERP", 1, 140))


def _purse(at: Stage, key: Keypair, mint: Pubkey) -> Pubkey:
    address = token_account(key.pubkey(), mint)
    at.chain.put(address, tokens.account_of(mint, key.pubkey(), 10**12, 2_039_280))
    return address


async def test_an_act_builds_on_what_the_last_one_left_also_where_the_stream_is_silent() -> None:
    slow = structs.replace(FAST, pace=Pace(slot_ms=50, all_ms=60_000, without_stream_ms=60_000))
    async with (
        stage(VELOCITY) as at,
        Trader.connect(VELOCITY, at.running.url, at.person("nan"), settings=slow, following=QUICK) as trader,
    ):
        landed(await trader.create_user())
        landed(await trader.deposit("USDT", 1_000))
        await trader.connection.mirror.ready()
        at.fault("stall", on=True)
        landed(await trader.place(trader.order("SOL-PERP", 1, 140)))
        assert len(await trader.orders()) == 1
        landed(await trader.cancel())
        assert await trader.orders() == ()


async def test_another_sub_account_knows_of_a_transfer_also_where_the_stream_is_silent() -> None:
    slow = structs.replace(FAST, pace=Pace(slot_ms=50, all_ms=60_000, without_stream_ms=60_000, due_ms=2_000))
    async with (
        stage(VELOCITY) as at,
        Trader.connect(VELOCITY, at.running.url, at.person("pam"), settings=slow, following=QUICK) as trader,
    ):
        other = trader.at(1)
        for each in (trader, other):
            landed(await each.create_user())
        landed(await trader.deposit("USDT", 1_000))
        await trader.connection.hold([other.owner.user])
        async with asyncio.timeout(30):
            while not trader.connection.mirror.has(other.owner.user, other._slot):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        at.fault("stall", on=True)
        landed(await trader.transfer("USDT", 400, 1))
        assert (await other.account()).spot("USDT").scaled_e9 == 400 * E9


@PROGRAMS
async def test_an_act_after_another_asks_for_no_account(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    """What an act left is read behind it, though its slot is the newest, and nothing else would be read for long."""
    slow = structs.replace(FAST, pace=Pace(slot_ms=50, all_ms=60_000, without_stream_ms=60_000, due_ms=10, again_ms=50))
    async with (
        stage(program, slot_ms=300) as at,
        Trader.connect(program, at.running.url, at.person("ola"), settings=slow, following=QUICK) as trader,
    ):
        landed(await trader.create_user())
        last = landed(await trader.deposit(program.quote, 1_000))
        rpc, user, asked = trader.connection.rpc, trader.owner.user, list[Pubkey]()
        get_account = rpc.get_account

        async def counted(key: Pubkey, *, min_context_slot: int | None = None) -> AccountInfo | None:
            asked.append(key)
            return await get_account(key, min_context_slot=min_context_slot)

        monkeypatch.setattr(rpc, "get_account", counted)
        acts: list[Callable[[], Awaitable[Outcome]]] = [
            lambda: trader.place(trader.order("SOL-PERP", 1, 140)),
            lambda: trader.modify(price=141),
            trader.cancel,
        ]
        for act in acts:
            async with asyncio.timeout(10):
                while not trader.connection.mirror.has(user, last.slot):  # noqa: ASYNC110 - the mirror has no event
                    await asyncio.sleep(0.01)
            refused = await trader.place(trader.order("SOL-PERP", 10_000, 140))
            assert isinstance(refused, Failed)
            last = landed(await act())
        assert user not in asked
        assert await trader.orders() == ()


@PROGRAMS
async def test_a_late_mirror_refuses_nothing(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    """Others act too: what the mirror does not know yet is asked of the node before it is refused."""
    async with stage(program) as at, connected(at, owner := at.person("erin")) as trader:
        landed(await trader.create_user())
        landed(await trader.deposit(program.quote, 1_000))
        await at.settled()
        helper, mirror, user = at.person("helper"), trader.connection.mirror, trader.owner.user
        held, get = mirror.get(user), mirror.get
        assert held is not None
        monkeypatch.setattr(mirror, "get", lambda key: held if key == user else get(key))
        landed(await trader.place(trader.order("SOL-PERP", "1", "140", user_order_id=5)))
        landed(await trader.set_delegate(helper.pubkey()))
        async with connected(at, helper, owner.pubkey()) as late:
            landed(await late.modify(user_order_id=5, price="141"))
        async with connected(at, helper, owner.pubkey()) as late:
            landed(await late.cancel())
        async with connected(at, helper, owner.pubkey()) as late:
            with pytest.raises(InvalidRequestError, match="there is no last order"):
                await late.cancel()
        landed(await trader.place(trader.order("BTC-PERP", "-0.01", "110000")))
        async with connected(at, owner) as late:
            landed(await late.cancel_all())
        assert await trader.orders() == ()
        async with connected(at, at.person("stranger"), owner.pubkey()) as stranger:
            with pytest.raises(InvalidRequestError, match="neither authority nor delegate"):
                await stranger.cancel_all()
