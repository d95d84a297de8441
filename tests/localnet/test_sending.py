"""A transaction's outcome over a served chain: landed, failed, expired, unknown; and never two of one."""

import asyncio

import pytest
from msgspec import structs
from solders.pubkey import Pubkey
from solders.system_program import TransferParams, transfer
from trader_stage import FAST, QUICK, Stage, stage

from drift_engine.venues.errors import EncodeError
from drift_engine.venues.keys import Key
from drift_engine.venues.live.shared_client import Connection, shared
from drift_engine.venues.programs import VELOCITY
from drift_engine.venues.transactions.blockhash import ColdError, Warm
from drift_engine.venues.transactions.sending import Expired, Failed, Following, Landed, Sender, Sent, Unknown

A = Pubkey(bytes([9]) * 32)
SOL = 10**9
SHORT = Following(first_ms=100, first_poll_ms=30, poll_ms=50, until_ms=200, again_ms=0)


def sender_of(at: Stage, connection: Connection, following: Following = QUICK, *, streams: bool = True) -> Sender:
    key = Key(at.person("payer"))
    stream = connection.subscriptions if streams else None
    return Sender(VELOCITY, connection.rpc, connection.warm, key, subscriptions=stream, following=following)


def pays(sender: Sender, lamports: int) -> Sent:
    paid = transfer(TransferParams(from_pubkey=sender.key.address, to_pubkey=A, lamports=lamports))
    return sender.sign([paid])


@pytest.mark.parametrize("streams", [True, False])
async def test_it_lands_once_however_often_it_is_sent(streams: bool) -> None:
    async with stage(VELOCITY) as at, shared([at.running.url], settings=FAST) as connection:
        sender = sender_of(at, connection, streams=streams)
        await at.settled()
        sent = pays(sender, SOL)
        first = await sender.send(sent)
        assert isinstance(first, Landed)
        for _ in range(3):
            again = await sender.send(sent)
            assert isinstance(again, Landed)
            assert again.signature == first.signature
        assert await connection.rpc.get_balance(A) == SOL


async def test_a_failure_has_its_reason_in_a_block_and_before() -> None:
    async with stage(VELOCITY) as at, shared([at.running.url], settings=FAST) as connection:
        sender = sender_of(at, connection)
        await at.settled()
        before = await sender.send(pays(sender, 10**6 * SOL))
        assert isinstance(before, Failed)
        assert (before.code, before.slot) == (1, None)
        landed = await sender.send(pays(sender, 10**6 * SOL), preflight=False)
        assert isinstance(landed, Failed)
        assert landed.code == 1
        assert landed.slot is not None


async def test_a_lost_one_is_unknown_until_it_is_proven_expired() -> None:
    async with stage(VELOCITY, slot_ms=8) as at, shared([at.running.url], settings=FAST) as connection:
        sender = sender_of(at, connection, SHORT)
        await at.settled()
        at.fault("drop", next=1)
        sent = pays(sender, SOL)
        outcome = await sender.send(sent)
        assert isinstance(outcome, Unknown)
        assert "more finalized ones to prove that it never will be" in outcome.reason
        async with asyncio.timeout(30):
            while isinstance(outcome := await sender.outcome(structs.replace(sent, wire=b"")), Unknown):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        assert isinstance(outcome, Expired)
        assert at.chain.blocks.at("finalized").height > sent.last_valid_block_height


async def test_what_expired_too_long_ago_is_not_proven_by_a_node_that_forgot() -> None:
    async with stage(VELOCITY) as at, shared([at.running.url], settings=FAST) as connection:
        sender = sender_of(at, connection)
        await at.settled()
        old = structs.replace(pays(sender, SOL), last_valid_block_height=at.chain.blocks.open.height - 200_000)
        outcome = await sender.outcome(old)
        assert isinstance(outcome, Unknown)
        assert "nodes may have forgotten" in outcome.reason


async def test_a_late_one_is_no_expired_one() -> None:
    async with stage(VELOCITY, slot_ms=8) as at, shared([at.running.url], settings=FAST) as connection:
        sender = sender_of(at, connection, SHORT)
        await at.settled()
        at.fault("delay", next=1, slots=60)
        sent = pays(sender, SOL)
        assert isinstance(await sender.send(sent), Unknown)
        async with asyncio.timeout(30):
            while isinstance(outcome := await sender.outcome(sent), Unknown):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        assert isinstance(outcome, Landed)


async def test_a_cut_stream_and_refusals_hide_no_outcome() -> None:
    async with stage(VELOCITY) as at, shared([at.running.url], settings=FAST) as connection:
        sender = sender_of(at, connection)
        await at.settled()
        at.fault("stall", on=True)
        at.fault("too_many_requests", rate=0.3, retry_after_s=0)
        for lamports in range(1, 6):
            sent = pays(sender, SOL + lamports)
            task = asyncio.create_task(sender.send(sent))
            await asyncio.sleep(0)
            at.fault("disconnect")
            assert isinstance(await task, Landed)
        at.running.server.set_fault("clear", True)
        assert await connection.rpc.get_balance(A) == 5 * SOL + 15


async def test_nothing_is_signed_cold_or_for_another() -> None:
    async with stage(VELOCITY) as at, shared([at.running.url], settings=FAST) as connection:
        sender = sender_of(at, connection)
        sender.warm = Warm()
        with pytest.raises(ColdError, match="no blockhash was fetched yet"):
            pays(sender, 1)
        sender = sender_of(at, connection)
        foreign = transfer(TransferParams(from_pubkey=A, to_pubkey=A, lamports=1))
        with pytest.raises(EncodeError, match="no key to sign for"):
            sender.sign([foreign])
        one, other = pays(sender, 5), pays(sender, 5)
        assert one.signature != other.signature
