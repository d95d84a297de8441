"""Nodes of other manners than a validator's: no batches, no slots told, one port for all, methods missing."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any

import pytest
from chain_node import OWNER, Chain, Node
from solders.pubkey import Pubkey

from drift_engine.venues.checks.examine import Patient, examine
from drift_engine.venues.live.shared_client import Connection, Settings, shared
from drift_engine.venues.mirror import Mirror, Pace
from drift_engine.venues.programs import DRIFT_V2
from drift_engine.venues.rpc import Rpc
from drift_engine.venues.rpc import calls as rpc_calls
from drift_engine.venues.rpc.errors import RpcError, RpcUnavailableError
from drift_engine.venues.rpc.transport import Policy
from drift_engine.venues.rpc.types import Memcmp, SignatureStatus
from drift_engine.venues.streams.address import find_ws_url, find_ws_urls
from drift_engine.venues.streams.subscriptions import Subscriptions
from drift_engine.venues.streams.watches import SlotNote, read_frame

KEY = Pubkey.from_bytes(bytes([1] * 32))
QUICK = Policy(timeout_ms=800, attempt_ms=150, backoff_ms=4, backoff_max_ms=8, cooldown_ms=5, cooldown_max_ms=10)
REFUSED = '{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"Invalid request"}}'


@asynccontextmanager
async def nodes(count: int = 1) -> AsyncIterator[list[Node]]:
    chain = Chain()
    chain.write(KEY, b"first")
    made = [Node(chain) for _ in range(count)]
    for node in made:
        node.answers["getBlockHeight"] = 5
        blockhash = {"blockhash": "1" * 32, "lastValidBlockHeight": 155}
        node.answers["getLatestBlockhash"] = {"context": {"slot": 1000}, "value": blockhash}
        await node.__aenter__()
    try:
        yield made
    finally:
        for node in made:
            await node.__aexit__()


@asynccontextmanager
async def connected(node: Node) -> AsyncIterator[Connection]:
    pace = Pace(slot_ms=20, all_ms=60_000, due_ms=5, again_ms=5)
    async with shared([node.http], [node.ws], Settings(pace=pace, policy=QUICK)) as connection:
        yield connection


@pytest.mark.parametrize("fault", [REFUSED, "400", "500", "drop", "not json", '{"id":1,"result":[]}'])
async def test_a_node_without_batches_is_asked_one_by_one(fault: str) -> None:
    async with nodes() as [node], Rpc([node.http], policy=QUICK) as rpc:
        node.batch_fault = fault
        node.refusals["getBlockTime"] = {"code": -32004, "message": "Block not available"}
        calls: list[rpc_calls.Call[Any]] = [rpc_calls.get_slot("confirmed"), rpc_calls.get_block_time(3)]
        slot, refused = await rpc.batch(calls)
        assert slot == 1000
        assert isinstance(refused, RpcError)
        assert refused.code == -32004
        tried = [each for each in node.requests if isinstance(each, list)]
        node.requests.clear()
        assert await rpc.batch(calls[:1]) == [1000]
        assert [each["method"] for each in node.requests] == ["getSlot"], "what it cannot is asked of it once"
        assert len(tried) <= 2


async def test_one_node_answers_all_of_a_batch_that_was_taken_apart() -> None:
    """The proof that a transaction never landed stands on two answers of one node."""
    async with nodes(2) as [one, two], Rpc([one.http, two.http], policy=QUICK) as rpc:
        one.batch_fault = two.batch_fault = REFUSED
        calls = [rpc_calls.get_slot("confirmed")] * 2
        assert await rpc.batch(calls) == [1000, 1000]
        assert not two.requests
        one.http_faults.extend(["ok", "503"])
        await rpc.batch(calls)
        assert not two.requests, "the second answer is the first one's node's, or there is none"


async def test_a_batch_with_a_send_is_never_taken_apart() -> None:
    async with nodes() as [node], Rpc([node.http], policy=QUICK) as rpc:
        node.batch_fault = REFUSED
        with pytest.raises(RpcError):
            await rpc.batch([rpc_calls.send_transaction(b"x", "confirmed"), rpc_calls.get_slot("confirmed")])
        assert len(node.requests) == 1


async def test_a_node_that_is_down_is_no_node_without_batches() -> None:
    async with nodes() as [node], Rpc([node.http], policy=QUICK) as rpc:
        node.http_faults.extend(["503"] * 20)
        with pytest.raises(RpcUnavailableError):
            await rpc.batch([rpc_calls.get_slot("confirmed")])
        node.http_faults.clear()
        node.requests.clear()
        assert await rpc.batch([rpc_calls.get_slot("confirmed")]) == [1000]
        assert isinstance(node.requests[0], list)


async def test_a_programs_accounts_without_a_slot_are_read_as_of_the_nodes() -> None:
    async with (
        nodes() as [node],
        Rpc([node.http], policy=QUICK) as rpc,
        Subscriptions([node.ws]) as stream,
        Mirror(rpc, stream, pace=Pace(slot_ms=20, due_ms=5, again_ms=5)) as mirror,
    ):
        node.contexts = False
        held = mirror.add_program(OWNER, [Memcmp(8, b"first")])
        while not held.slot:  # noqa: ASYNC110
            await asyncio.sleep(0.005)
        assert held.slot == 1000
        found = mirror.get(KEY)
        assert found is not None
        assert found.slot == 1000


async def test_the_stream_is_beside_the_rpc_where_only_that_port_speaks_it() -> None:
    async with nodes() as [node]:
        assert await find_ws_url(node.http) == node.ws
        node.refuse_ws = True
        by_custom = f"ws://127.0.0.1:{node.port + 1}/"
        assert await find_ws_urls([node.http]) == (by_custom,), "neither speaks: it may come up there later"
        assert await find_ws_url("https://node.example/KEY") == "wss://node.example/KEY"
        assert await find_ws_url("http://127.0.0.1:65535") == "ws://127.0.0.1:65535", "there is none after the last"


async def test_the_port_after_the_rpcs_goes_first() -> None:
    for _ in range(20):
        async with nodes() as [node], AsyncExitStack() as stack:
            after = Node(node.chain)
            after.port = node.port + 1
            with suppress(OSError):  # somebody else has that port
                await stack.enter_async_context(after)
                assert await find_ws_url(node.http) == after.ws
                return
    pytest.fail("no two ports are free")


async def test_what_a_slot_did_last_is_not_hidden_by_what_it_did_before() -> None:
    """A small node executes at once: two acts are in one slot, and the mirror may hold what was between them."""
    async with nodes() as [node], connected(node) as connection:
        connection.mirror.add(KEY)
        while (held := connection.mirror.get(KEY)) is None:  # noqa: ASYNC110
            await asyncio.sleep(0.005)
        node.chain.write(KEY, b"second")
        assert await connection.newest(KEY) is held
        after = await connection.newest(KEY, held.slot)
        assert after is not None
        assert after.data.endswith(b"second")
        node.chain.write(KEY, lamports=0)
        assert await connection.newest(KEY, held.slot) is None


async def test_a_node_that_is_behind_what_is_mirrored_is_not_believed() -> None:
    async with nodes() as [node], connected(node) as connection:
        connection.mirror.add(KEY)
        while (held := connection.mirror.get(KEY)) is None:  # noqa: ASYNC110
            await asyncio.sleep(0.005)
        await connection.newest(KEY, anew=True)
        (asked,) = (each for each in node.requests if isinstance(each, dict) and each["method"] == "getAccountInfo")
        assert asked["params"][1]["minContextSlot"] == held.slot


async def test_a_chain_that_stands_still_is_not_waited_for_for_ever() -> None:
    async with nodes() as [node], connected(node) as connection:
        with pytest.raises(RpcUnavailableError, match="how old its answers are cannot be told"):
            await connection.hold([KEY], wait_s=0.2)


@pytest.mark.parametrize("data", [None, {}, {"err": None}, "said"])
def test_a_failed_simulation_told_in_words_is_a_failure_all_the_same(data: Any) -> None:
    words = "Transaction simulation failed: Error processing Instruction 2: custom program error: 0x1773"
    fault = RpcError(-32002, words, data).fault
    assert fault is not None
    assert (fault.instruction, fault.code, str(fault)) == (2, 6003, "instruction 2: program error 6003")
    assert RpcError(-32002, "Transaction simulation failed: Blockhash not found", data).fault is None
    assert RpcError(-32603, words, data).fault is None


def test_a_slot_without_its_root_is_a_slot() -> None:
    note = b'{"method":"slotNotification","params":{"result":{"slot":5,"parent":4},"subscription":0}}'
    read = read_frame(note)
    assert isinstance(read, SlotNote)
    assert (read.params.result.slot, read.params.result.parent) == (5, 4)


async def test_a_status_without_a_commitment_is_told_by_its_confirmations() -> None:
    assert SignatureStatus(5).reached == "finalized"
    assert SignatureStatus(5, confirmations=3).reached == "processed"
    assert SignatureStatus(5, confirmations=3, confirmation_status="confirmed").reached == "confirmed"


async def test_a_doctor_asks_no_more_of_a_small_node_than_it_has() -> None:
    async with nodes() as [node]:
        node.answers["getBlockTime"] = None
        found = [check async for check in examine(Patient(DRIFT_V2, (node.http,)))]
        rpc, stream = found[:2]
        assert rpc.verdict == "ok", rpc
        assert "software not known" in rpc.found
        assert str(node.port) in stream.name
        node.refusals["getHealth"] = {"code": -32005, "message": "behind", "data": {"numSlotsBehind": 200}}
        found = [check async for check in examine(Patient(DRIFT_V2, (node.http,)))]
        assert found[0].verdict == "fail"
