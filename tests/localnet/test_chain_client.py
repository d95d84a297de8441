"""The port over a served chain: plans as transactions, outcomes proven, events numbered once, kills in between."""

import asyncio
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from struct import pack
from typing import Any

import pytest
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from trader_stage import FAST, QUICK, Stage, folded, stage

from drift_engine.core.client import DriftClient, UnknownEventError, VenueUnavailableError
from drift_engine.core.reconcile import differences
from drift_engine.core.types import (
    ApprovedPlan,
    Deposited,
    Filled,
    InterestAccrued,
    Leg,
    PlanClosed,
    PnlSettled,
    Submitted,
    TradePlan,
    Withdrawn,
)
from drift_engine.localnet import tokens
from drift_engine.venues.chain_client import ChainClient
from drift_engine.venues.chain_client.events import ReadTransaction, Teller
from drift_engine.venues.chain_client.log import ClientLog, ForeignLogError
from drift_engine.venues.errors import DecodeError
from drift_engine.venues.instructions import funds, needs
from drift_engine.venues.instructions.tokens import token_account
from drift_engine.venues.program import Program
from drift_engine.venues.programs import DRIFT_V2, VELOCITY
from drift_engine.venues.rpc import calls as rpc_calls
from drift_engine.venues.rpc.errors import RpcError
from drift_engine.venues.trader import Trader
from drift_engine.venues.transactions.blockhash import Warm
from drift_engine.venues.transactions.sending import Landed, Sender, Sent
from drift_engine.venues.translate import Names
from drift_engine.venues.wire.events.markets import SpotInterestRecord

PROGRAMS = pytest.mark.parametrize("program", [VELOCITY, DRIFT_V2], ids=lambda program: program.name)
E6, E9 = 10**6, 10**9
MOVES = (Deposited, Withdrawn)


def plan(plan_id: str, *legs: Leg, atomic: bool = True, lasts_s: float = 60) -> ApprovedPlan:
    made = TradePlan(plan_id, legs, atomic, "test", None, time.time_ns() + int(lasts_s * E9))
    return ApprovedPlan(made, ())


def leg(market: str, base_e9: int, limit: int, **more: bool) -> Leg:
    return Leg(market, base_e9, limit * E6, "perp", **more)


@asynccontextmanager
async def opened(at: Stage, key: Keypair, log: Path) -> AsyncIterator[tuple[ChainClient, Trader]]:
    async with Trader.connect(at.program, at.running.url, key, settings=FAST, following=QUICK) as trader:
        if await trader.found() is None:
            assert isinstance(await trader.create_user(), Landed)
            assert isinstance(await trader.deposit(at.program.quote, 10_000), Landed)
        async with ChainClient.over(trader, log) as client:
            yield client, trader


async def closed(client: DriftClient, plan_id: str, limit_s: float = 30) -> PlanClosed:
    """Wait for a plan's outcome as the executor does."""
    async with asyncio.timeout(limit_s):
        while True:
            for event in await client.events_since(0, time.time_ns()):
                if isinstance(event, PlanClosed) and event.plan_id == plan_id:
                    return event
            if (outcome := await client.resolve(plan_id, time.time_ns())) is not None:
                return outcome
            await asyncio.sleep(0.05)


@PROGRAMS
async def test_plans_fill_and_rest_and_the_books_are_the_venues(program: Program, tmp_path: Path) -> None:
    async with stage(program) as at, opened(at, at.person("ann"), tmp_path / "log") as (client, _):
        assert {market.name for market in await client.markets()} >= {"SOL-PERP", program.quote}
        both = plan("1", leg("SOL-PERP", 2 * E9, 151), leg("ETH-PERP", -E9, 2_980))
        rests = plan("2", leg("BTC-PERP", E9 // 100, 80_000, post_only=True))
        await client.place(both, time.time_ns())
        assert (await closed(client, "1")).status == "filled"
        await client.place(rests, time.time_ns())
        await asyncio.sleep(0.5)
        assert await client.resolve("2", time.time_ns()) is None
        await client.cancel_all(time.time_ns())
        assert (await closed(client, "2")).status == "cancelled"
        await client.place(plan("3", leg("SOL-PERP", -2 * E9, 149, reduce_only=True)), time.time_ns())
        assert (await closed(client, "3")).status == "filled"
        at.set_price("ETH", 2_900 * E6)
        assert await client.settle_pnl("SOL-PERP", time.time_ns()) is None

        observed = await client.observe(time.time_ns())
        events = await client.events_since(0, time.time_ns())
        assert [event.cursor for event in events] == list(range(1, len(events) + 1))
        assert {(fill.plan_id, fill.leg) for fill in events if isinstance(fill, Filled)} == {
            ("1", 0),
            ("1", 1),
            ("3", 0),
        }
        assert [event for event in events if isinstance(event, PnlSettled)]
        sent = [Submitted(0, each.plan) for each in (both, rests)]
        state = folded(await client.markets(), program.quote, [*sent, *events[: observed.cursor]])
        assert differences(state.account, observed.account) == ()
        with pytest.raises(UnknownEventError):
            await client.events_since(len(events) + 1, time.time_ns())


async def test_a_market_that_cannot_be_read_is_left_out_and_its_books_are_refused(tmp_path: Path) -> None:
    async with stage(VELOCITY, idle=True) as at:
        async with opened(at, key := at.person("hal"), tmp_path / "log") as (client, _):
            await client.place(plan("1", leg("ETH-PERP", -E9, 2_980)), time.time_ns())
            assert (await closed(client, "1")).status == "filled"
        at.damage_market(2, bytes(at.changed_market(2).data)[:-1])
        await at.settled()
        why = "perp market 2,? (which )?cannot be read: PerpMarket has"
        async with opened(at, at.person("ida"), tmp_path / "other") as (client, _):
            assert {market.name for market in await client.markets()} == {"SOL-PERP", "BTC-PERP", "USDT", "SOL"}
            await client.place(plan("1", leg("SOL-PERP", E9, 151)), time.time_ns())
            assert (await closed(client, "1")).status == "filled"
            assert (await client.observe(time.time_ns())).account.perp("SOL-PERP").base_e9 == E9
            await client.place(plan("2", leg("ETH-PERP", E9, 3_020)), time.time_ns())
            assert re.search(why, (await closed(client, "2")).reason)
        async with opened(at, key, tmp_path / "log") as (client, _):
            with pytest.raises(DecodeError, match=why):
                await client.observe(time.time_ns())
        async with opened(at, key, tmp_path / "anew") as (client, _):
            with pytest.raises(DecodeError, match=why):
                await client.events_since(0, time.time_ns())


def test_interest_of_a_market_that_was_not_read_is_not_ours(tmp_path: Path) -> None:
    def record(index: int) -> SpotInterestRecord:
        return SpotInterestRecord(
            ts=1,
            market_index=index,
            deposit_balance=0,
            cumulative_deposit_interest=11,
            borrow_balance=0,
            cumulative_borrow_interest=12,
            optimal_utilization=0,
            optimal_borrow_rate=0,
            max_borrow_rate=0,
        )

    user = Pubkey.new_unique()
    teller = Teller(ClientLog(tmp_path / "log", str(user)), user, Names({}, {0: "USDT"}), 0)
    teller.tell(ReadTransaction("signature", 1, 0, (record(7), record(0))))
    assert [(type(event), event.market) for event in teller.events if isinstance(event, InterestAccrued)] == [
        (InterestAccrued, "USDT")
    ]


async def test_what_the_program_refuses_or_cannot_be_signed_is_rejected(tmp_path: Path) -> None:
    async with stage(VELOCITY) as at, opened(at, at.person("ben"), tmp_path / "log") as (client, _):
        cases = {
            "big": (plan("big", leg("SOL-PERP", 9_000 * E9, 151)), "InsufficientCollateral"),
            "limit": (plan("limit", leg("SOL-PERP", E9, 140)), "PlaceAndTakeOrderSuccessConditionFailed"),
            "market": (plan("market", leg("DOGE-PERP", E9, 140)), "unknown velocity perp market 'DOGE-PERP'"),
            "step": (plan("step", leg("SOL-PERP", E9 + 1, 140)), "no multiple of"),
            "spot": (plan("spot", Leg("SOL", E9, 150 * E6, "spot")), "trades spot by swaps"),
            "late": (plan("late", leg("SOL-PERP", E9, 151), lasts_s=-1), "expired before it was sent"),
        }
        for name, (approved, reason) in cases.items():
            await client.place(approved, time.time_ns())
            outcome = await closed(client, name)
            assert outcome.status == "rejected"
            assert reason in outcome.reason
        with pytest.raises(ValueError, match="plan big was placed before"):
            await client.place(cases["big"][0], time.time_ns())


class Killed(BaseException):
    """The end of the process, at one line of it."""


async def killed(*_: object, **__: object) -> None:
    raise Killed


async def test_a_kill_between_keeping_and_sending_is_proven_never_landed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with stage(VELOCITY, slot_ms=8) as at:
        key, approved = at.person("cid"), plan("1", leg("SOL-PERP", E9, 151))
        async with opened(at, key, tmp_path / "log") as (client, _):
            monkeypatch.setattr(Sender, "hand_over", killed)
            with pytest.raises(Killed):
                await client.place(approved, time.time_ns())
            monkeypatch.undo()
            assert await client.resolve("1", time.time_ns()) is None
        async with opened(at, key, tmp_path / "log") as (client, _):
            outcome = await closed(client, "1")
            assert (outcome.status, outcome.cursor) == ("never_landed", 3)
            assert await client.resolve("1", time.time_ns()) == outcome
            assert (await client.observe(time.time_ns())).account.perps == ()


async def test_a_kill_after_sending_is_proven_landed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with stage(VELOCITY) as at:
        key, approved = at.person("dan"), plan("1", leg("SOL-PERP", E9, 151))
        async with opened(at, key, tmp_path / "log") as (client, trader):
            hand_over = trader.sender.hand_over

            async def sent_and_killed(sent: Sent, *, preflight: bool = True) -> None:
                await hand_over(sent, preflight=preflight)
                raise Killed

            monkeypatch.setattr(trader.sender, "hand_over", sent_and_killed)
            with pytest.raises(Killed):
                await client.place(approved, time.time_ns())
            monkeypatch.undo()
        async with opened(at, key, tmp_path / "log") as (client, _):
            assert (await closed(client, "1")).status == "filled"
            before = await client.events_since(0, time.time_ns())
        async with opened(at, key, tmp_path / "log") as (client, _):
            assert await client.events_since(0, time.time_ns()) == before
            assert (await client.observe(time.time_ns())).account.perp("SOL-PERP").base_e9 == E9


async def test_a_dropped_plan_is_unknown_until_its_blockhash_is_past(tmp_path: Path) -> None:
    async with stage(VELOCITY, slot_ms=8) as at, opened(at, at.person("eva"), tmp_path / "log") as (client, _):
        at.fault("drop", rate=1.0)
        await client.place(plan("1", leg("SOL-PERP", E9, 151)), time.time_ns())
        assert await client.resolve("1", time.time_ns()) is None
        assert (await closed(client, "1")).status == "never_landed"


async def test_a_dropped_send_goes_out_again_with_the_same_bytes(tmp_path: Path) -> None:
    async with stage(VELOCITY) as at, opened(at, at.person("fin"), tmp_path / "log") as (client, _):
        at.fault("drop", next=1)
        await client.place(plan("1", leg("SOL-PERP", E9, 151)), time.time_ns())
        assert (await closed(client, "1")).status == "filled"
        assert (await client.observe(time.time_ns())).account.perp("SOL-PERP").base_e9 == E9


async def test_two_plans_at_once_under_refusals_and_cuts(tmp_path: Path) -> None:
    async with stage(VELOCITY) as at, opened(at, at.person("gil"), tmp_path / "log") as (client, _):
        at.fault("too_many_requests", next=2, retry_after_s=0)
        now_ns = time.time_ns()
        await asyncio.gather(
            client.place(plan("1", leg("SOL-PERP", E9, 151)), now_ns),
            client.place(plan("2", leg("SOL-PERP", 2 * E9, 151)), now_ns),
        )
        at.fault("disconnect")
        assert (await closed(client, "1")).status == "filled"
        assert (await closed(client, "2")).status == "filled"
        assert (await client.observe(time.time_ns())).account.perp("SOL-PERP").base_e9 == 3 * E9


async def test_a_dead_node_leaves_everything_unknown(tmp_path: Path) -> None:
    async with stage(VELOCITY) as at, opened(at, at.person("hal"), tmp_path / "log") as (client, _):
        at.fault("too_many_requests", rate=1.0, retry_after_s=0)
        await client.place(plan("1", leg("SOL-PERP", E9, 151)), time.time_ns())
        with pytest.raises(VenueUnavailableError):
            await client.resolve("1", time.time_ns())
        at.running.server.set_fault("clear", True)
        assert (await closed(client, "1")).status == "filled"


@PROGRAMS
async def test_what_people_swap_leaves_the_books_equal(program: Program, tmp_path: Path) -> None:
    async with stage(program) as at, opened(at, key := at.person("sue"), tmp_path / "log") as (client, trader):
        owner, mints = trader.owner, [trader.directory.spot(index).mint for index in (0, 1)]
        ours, theirs = ([token_account(each, mint) for mint in mints] for each in (owner.authority, owner.user))
        for wallet, mint in zip([ours[1], *theirs], [mints[1], *mints], strict=True):
            at.chain.put(wallet, tokens.account_of(mint, key.pubkey(), 10**13, 2_039_280))
        await at.settled()
        for give, get, paid, got in ((0, 1, 1_000 * E6, 6 * E9), (1, 0, 2 * E9, 299 * E6 + 7)):
            rest = needs.for_swap(trader.directory, await trader.user(), give, get)
            sides = give, get, ours[give], ours[get]
            begin = funds.begin_swap(program, owner, give, get, paid, *sides[2:], remaining=rest)
            end = funds.end_swap(program, owner, *sides, remaining=rest)
            pay, take = moved(ours[give], theirs[give], key, paid), moved(theirs[get], ours[get], key, got)
            assert isinstance(await trader.act(begin, pay, take, end), Landed)
        observed = await client.observe(time.time_ns())
        events = await client.events_since(0, time.time_ns())
        assert [(type(each).__name__, each.market, each.amount) for each in events if isinstance(each, MOVES)] == [
            ("Deposited", program.quote, 10_000 * E6),
            ("Withdrawn", program.quote, 1_000 * E6),
            ("Deposited", "SOL", 6 * E9),
            ("Withdrawn", "SOL", 2 * E9),
            ("Deposited", program.quote, 299 * E6 + 7),
        ]
        state = folded(await client.markets(), program.quote, list(events[: observed.cursor]))
        assert differences(state.account, observed.account) == ()


def moved(source: Pubkey, target: Pubkey, key: Keypair, amount: int) -> Instruction:
    metas = [AccountMeta(each, is_signer=False, is_writable=True) for each in (source, target)]
    owner = AccountMeta(key.pubkey(), is_signer=True, is_writable=False)
    return Instruction(tokens.TOKEN_PROGRAM, pack("<BQ", 3, amount), [*metas, owner])


async def test_an_account_is_observed_with_all_its_events_or_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A node may list a transaction before it has it: what it did is on the account by then, and not in the events."""
    async with stage(VELOCITY) as at, opened(at, at.person("ann"), tmp_path / "log") as (client, trader):
        await client.place(plan("1", leg("SOL-PERP", E9, 151)), time.time_ns())
        assert (await closed(client, "1")).status == "filled"
        assert isinstance(await trader.deposit(VELOCITY.quote, 5), Landed)
        ask, hidden = client.history._ask, 3

        async def late(call: rpc_calls.Call[Any]) -> Any:
            nonlocal hidden
            if call.method == "getTransaction" and hidden:
                hidden -= 1
                return None
            return await ask(call)

        monkeypatch.setattr(client.history, "_ask", late)
        observed = await client.observe(time.time_ns())
        events = await client.events_since(0, time.time_ns())
        assert observed.cursor == len(events)
        state = folded(await client.markets(), VELOCITY.quote, [*events])
        assert differences(state.account, observed.account) == ()
        monkeypatch.setattr(client.history, "_ask", ask)
        assert isinstance(await trader.deposit(VELOCITY.quote, 5), Landed)
        hidden = 1_000
        monkeypatch.setattr(client.history, "_ask", late)
        with pytest.raises(VenueUnavailableError, match="does not tell it all"):
            await client.observe(time.time_ns())


async def test_a_plan_right_behind_another_brings_its_markets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The mirror hears a moment later of what a plan opened, and the program wants every market that is held."""
    async with stage(VELOCITY) as at, opened(at, at.person("ann"), tmp_path / "log") as (client, trader):
        mirror, user = trader.connection.mirror, trader.owner.user
        await at.settled()
        held, get = mirror.get(user), mirror.get
        monkeypatch.setattr(mirror, "get", lambda key: held if key == user else get(key))
        for plan_id, market, limit in (("1", "SOL-PERP", 151), ("2", "ETH-PERP", 3_020), ("3", "SOL-PERP", 151)):
            await client.place(plan(plan_id, leg(market, E9 // 2, limit)), time.time_ns())
            assert (await closed(client, plan_id)).status == "filled"
        await client.place(plan("4", leg("BTC-PERP", E9 // 1_000, 50_000, post_only=True)), time.time_ns())
        await at.settled()
        assert await client.resolve("4", time.time_ns()) is None
        await client.cancel_all(time.time_ns())
        assert (await closed(client, "4")).status == "cancelled"


async def test_cancelling_asks_the_node_what_is_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with stage(VELOCITY) as at, opened(at, at.person("ann"), tmp_path / "log") as (client, trader):
        mirror, user = trader.connection.mirror, trader.owner.user
        await at.settled()
        held, get = mirror.get(user), mirror.get
        await client.place(plan("1", leg("SOL-PERP", E9, 140, post_only=True)), time.time_ns())
        while not await trader.orders():  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        monkeypatch.setattr(mirror, "get", lambda key: held if key == user else get(key))
        await client.cancel_all(time.time_ns())
        monkeypatch.undo()
        assert (await closed(client, "1")).status == "cancelled"


async def test_orders_are_not_called_cancelled_by_the_word_of_a_node_that_is_behind(tmp_path: Path) -> None:
    async with stage(VELOCITY) as at, opened(at, at.person("ann"), tmp_path / "log") as (client, trader):
        await at.settled(60)
        before = at.chain.slot
        await client.place(plan("1", leg("SOL-PERP", E9, 140, post_only=True)), time.time_ns())
        while not await trader.orders():  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        at.fault("stale", on=True, slots=at.chain.slot - before + 30)
        with pytest.raises(VenueUnavailableError, match=r"the orders are not cancelled: .*has not been reached"):
            await client.cancel_all(time.time_ns())
        at.running.server.set_fault("clear", True)
        await client.cancel_all(time.time_ns())
        assert (await closed(client, "1")).status == "cancelled"


async def test_what_keeps_from_cancelling_or_observing_is_that_nobody_knows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refused(*_: object, **__: object) -> None:
        raise RpcError(-32005, "Node is behind by 60 slots")

    async with stage(VELOCITY) as at, opened(at, at.person("ann"), tmp_path / "log") as (client, trader):
        await client.place(plan("1", leg("SOL-PERP", E9, 140, post_only=True)), time.time_ns())
        while not await trader.orders():  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        monkeypatch.setattr(trader.sender, "warm", Warm())
        with pytest.raises(VenueUnavailableError, match="not cancelled: no blockhash was fetched yet"):
            await client.cancel_all(time.time_ns())
        monkeypatch.setattr(trader.connection.rpc, "get_account", refused)
        with pytest.raises(VenueUnavailableError, match="behind by 60 slots"):
            await client.observe(time.time_ns())


async def test_the_mirror_is_told_of_the_block_a_plan_is_in(tmp_path: Path) -> None:
    async with stage(VELOCITY) as at, opened(at, at.person("ann"), tmp_path / "log") as (client, trader):
        await client.place(plan("1", leg("SOL-PERP", E9, 151)), time.time_ns())
        assert (await closed(client, "1")).status == "filled"
        await asyncio.gather(*client._following)
        await asyncio.sleep(0)
        (slot,) = (each.slot for each in await client.events_since(0, time.time_ns()) if isinstance(each, Filled))
        assert trader.connection.mirror.acted_slot(trader.owner.user) >= slot


async def test_what_keeps_a_plan_from_being_followed_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(*_: object) -> None:
        raise KeyError("a bug")

    async with stage(VELOCITY) as at, opened(at, at.person("ann"), tmp_path / "log") as (client, trader):
        monkeypatch.setattr(trader.sender, "follow", broken)
        assert client.trouble is None
        await client.place(plan("1", leg("SOL-PERP", E9, 151)), time.time_ns())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert client.trouble == "plan 1 is followed no more: KeyError('a bug')"
        assert "plan 1 is followed no more" in caplog.text
        assert (await closed(client, "1")).status == "filled", "its outcome is proven all the same"


def test_a_log_is_of_one_account(tmp_path: Path) -> None:
    ClientLog(tmp_path / "log", "one").close()
    with pytest.raises(ForeignLogError, match="is the log of one, not of two"):
        ClientLog(tmp_path / "log", "two")
