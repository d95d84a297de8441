"""The WebSocket client against a node on loopback: what is told, what is dropped, what ends a connection."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from chain_node import OWNER, Chain, Node, Written, wire
from hypothesis import given, settings
from hypothesis import strategies as st
from solders.pubkey import Pubkey
from solders.signature import Signature

from drift_engine.venues.rpc.types import Memcmp
from drift_engine.venues.streams.kept_socket import Patience
from drift_engine.venues.streams.subscriptions import Subscriptions
from drift_engine.venues.streams.watches import (
    AccountNote,
    AccountWatch,
    Ack,
    BadFrameError,
    LogsNote,
    LogsWatch,
    ProgramNote,
    ProgramWatch,
    SignatureWatch,
    SlotInfo,
    read_frame,
)

KEY = Pubkey.from_bytes(bytes([1] * 32))
SIGNATURE = Signature.from_bytes(bytes([5] * 64))
FAST = Patience(connect_ms=300, stall_ms=150, answer_ms=80, close_ms=20, backoff_ms=5, backoff_max_ms=20, ping_ms=60)


@contextlib.asynccontextmanager
async def stage(patience: Patience = FAST) -> AsyncIterator[tuple[Node, Subscriptions]]:
    chain = Chain()
    chain.write(KEY, b"0")
    async with Node(chain) as node, Subscriptions([node.ws], patience=patience, jitter=lambda: 0.0) as stream:
        yield node, stream


@contextlib.asynccontextmanager
async def ticking(node: Node) -> AsyncIterator[None]:
    async def tick() -> None:
        while True:
            node.begin_slot()
            await asyncio.sleep(0.02)

    task = asyncio.create_task(tick())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(what: Callable[[], Any], limit_s: float = 20) -> None:
    deadline = time.monotonic() + limit_s
    while not what():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.003)


def number(node: Node, topic: str) -> int:
    [socket] = node.sockets
    return next(number for number, (each, _) in socket.subscriptions.items() if each == topic)


def say(node: Node, method: str, topic: str, result: Any) -> None:
    params = {"subscription": number(node, topic), "result": result}
    node.say(json.dumps({"jsonrpc": "2.0", "method": method, "params": params}))


async def test_tells_of_accounts_programs_logs_signatures_and_slots() -> None:
    async with stage() as (node, stream), ticking(node):
        notes: list[Any] = []
        slots: list[SlotInfo] = []
        stream.on_slot.append(slots.append)
        account = stream.add(AccountWatch(KEY), notes.append)
        program = stream.add(ProgramWatch(OWNER, (Memcmp(8, b"1"),)), notes.append)
        logs = stream.add(LogsWatch(OWNER), notes.append)
        signature = stream.add(SignatureWatch(SIGNATURE), notes.append)
        await until(lambda: all(each.live for each in (account, program, logs, signature)))
        node.write(KEY, b"1")
        await until(lambda: len(notes) == 2)
        assert isinstance(notes[0], AccountNote)
        assert notes[0].params.result.value is not None
        assert notes[0].params.result.value.data[0] == b"\1" + bytes(7) + b"1"
        assert isinstance(notes[1], ProgramNote)
        assert notes[1].params.result.value.pubkey == str(KEY)
        told = {"context": {"slot": 5}, "value": {"signature": str(SIGNATURE), "err": None, "logs": ["a", "b"]}}
        say(node, "logsNotification", "logs", told)
        await until(lambda: len(notes) == 3)
        assert isinstance(notes[2], LogsNote)
        assert notes[2].params.result.value.logs == ("a", "b")
        done = {"context": {"slot": 5}, "value": {"err": {"InstructionError": [0, {"Custom": 1}]}}}
        say(node, "signatureNotification", "signature", done)
        await until(lambda: len(notes) == 4)
        assert notes[3].params.result.value.err == {"InstructionError": [0, {"Custom": 1}]}
        assert not signature.live
        node.cut()
        await until(lambda: stream.connections == 2 and account.live and program.live)
        assert [call["method"] for call in node.requests].count("signatureSubscribe") == 1
        assert [slot.slot for slot in slots] == sorted({slot.slot for slot in slots})


async def test_late_slots_are_dropped() -> None:
    async with stage() as (node, stream), ticking(node):
        seen: list[int] = []
        account = stream.add(AccountWatch(KEY), lambda note: seen.append(note.params.result.context.slot))
        await until(lambda: account.live and stream.slot)
        state = node.chain.now(KEY)
        for slot in (2000, 1500, 2000, 2001, 1999, 2002):
            node.notify(KEY, state, slot)
        await until(lambda: seen and seen[-1] == 2002)
        assert seen == [2000, 2000, 2001, 2002]
        before = stream.slot
        say(node, "slotNotification", "slot", {"slot": 3, "parent": 2, "root": 1})
        await until(lambda: stream.counts.stale == 3)
        assert stream.slot >= before


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('{"jsonrpc":"2.0","method":"accountNoti', "no notification"),
        ("\x00", "no notification"),
        ('{"method":"accountNotification","params":{"subscription":1}}', "broken accountNotification"),
        ('{"method":"slotNotification","params":{"subscription":1,"result":{"slot":"5"}}}', "broken slotNotification"),
        ("[" * 5000, "no notification"),
    ],
)
async def test_what_cannot_be_read_is_a_gap(text: str, why: str) -> None:
    async with stage() as (node, stream), ticking(node):
        gaps: list[str] = []
        stream.on_gap.append(gaps.append)
        await until(lambda: stream.slot)
        node.say(text)
        await until(lambda: stream.connections == 2 and stream.trouble is None)
        assert [why in gap for gap in gaps] == [True]


async def test_what_is_not_for_us_is_no_gap() -> None:
    async with stage() as (node, stream), ticking(node):
        await until(lambda: stream.slot)
        node.say('{"jsonrpc":"2.0","method":"voteNotification","params":{"result":{},"subscription":9}}')
        node.say('{"jsonrpc":"2.0","result":true,"id":77}')
        node.say(json.dumps(_note(9999, wire(node.chain.history[KEY][0]))))
        await until(lambda: stream.counts.unknown == 3)
        assert stream.connections == 1


async def test_a_slot_out_of_all_reason_is_not_believed() -> None:
    async with stage() as (node, stream), ticking(node):
        await until(lambda: stream.slot)
        node.say(json.dumps(_note(10**15, wire(node.chain.history[KEY][0]))))
        await until(lambda: stream.connections == 2)
        assert stream.tip < 10**6


def _note(slot: int, value: Any) -> dict[str, Any]:
    result = {"context": {"slot": slot}, "value": value}
    return {"jsonrpc": "2.0", "method": "accountNotification", "params": {"result": result, "subscription": 999}}


@settings(max_examples=500)
@given(st.binary(max_size=60), st.integers(0, 400), st.integers(1, 40))
def test_any_frame_is_read_or_refused(noise: bytes, at: int, cut: int) -> None:
    frame = json.dumps(_note(5, {**wire(Written(0, 5, 7, b"data")), "owner": str(OWNER)})).encode()
    for each in (noise, frame[:at] + noise + frame[at + cut :]):
        with contextlib.suppress(BadFrameError):
            assert isinstance(read_frame(each), Ack | AccountNote)


async def test_a_connection_on_which_slots_come_is_kept() -> None:
    async with stage() as (node, stream), ticking(node):
        await until(lambda: stream.slot)
        await asyncio.sleep(3 * FAST.stall_ms / 1000)
        assert stream.connections == 1


async def test_a_stall_is_given_up_though_other_notes_come() -> None:
    async with stage() as (node, stream):
        async with ticking(node):
            account = stream.add(AccountWatch(KEY), lambda note: None)
            await until(lambda: account.live and stream.slot)
        began = time.monotonic()
        while stream.connections == 1:
            node.notify(KEY)
            await asyncio.sleep(0.01)
            assert time.monotonic() - began < 20, "it is never given up"
        assert time.monotonic() - began > 0.1
        assert stream.trouble is not None
        assert "stalled: nothing new for 150 ms" in stream.trouble


async def test_an_unanswered_subscription_is_given_up() -> None:
    async with stage() as (node, stream), ticking(node):
        await until(lambda: stream.slot)
        node.silent_acks = True
        stream.add(AccountWatch(KEY), lambda note: None)
        await until(lambda: stream.connections > 1)
        node.silent_acks = False
        await until(lambda: stream.trouble is None)


async def test_a_refused_subscription_says_so_and_is_asked_again() -> None:
    async with stage() as (node, stream), ticking(node):
        await until(lambda: stream.slot)
        node.refusals["accountSubscribe"] = {"code": -32602, "message": "Invalid Request: too many"}
        account = stream.add(AccountWatch(KEY), lambda note: None)
        await until(lambda: stream.trouble is not None)
        assert account.error is not None
        assert "too many" in str(stream.trouble)
        node.refusals.clear()
        await until(lambda: account.live and stream.trouble is None)
        assert stream.connections == 1


async def test_goes_on_to_the_next_endpoint_and_hides_keys() -> None:
    async with Node(Chain()) as bad, Node(Chain()) as good, ticking(good):
        bad.refuse_ws = True
        gaps: list[str] = []
        stream = Subscriptions([f"{bad.ws}SECRET?key=SECRET", good.ws], patience=FAST)
        stream.on_gap.append(gaps.append)
        async with stream:
            await until(lambda: stream.slot)
        assert gaps == [f"ws://127.0.0.1:{bad.port}/…: HTTP 503 instead of a WebSocket"]
        assert "SECRET" not in repr(stream)


async def test_the_same_watch_twice_and_removal() -> None:
    async with stage() as (node, stream), ticking(node):
        one: list[Any] = []
        two: list[Any] = []
        first, second = stream.add(AccountWatch(KEY), one.append), stream.add(AccountWatch(KEY), two.append)
        await until(lambda: first.live and second.live)
        stream.remove(first)
        node.write(KEY, b"2")
        await until(lambda: two)
        assert one == []
        [socket] = node.sockets
        await until(lambda: [topic for topic, _ in socket.subscriptions.values()].count("account") == 1)
        gone = stream.add(AccountWatch(OWNER), one.append)
        stream.remove(gone)
        await until(lambda: "accountUnsubscribe" in node.requests[-1]["method"])
        await until(lambda: [topic for topic, _ in socket.subscriptions.values()].count("account") == 1)


async def test_a_callback_that_raises_ends_it_and_comes_to_light() -> None:
    def fail(info: SlotInfo) -> None:
        raise KeyError(info.slot)

    async with Node(Chain()) as node, ticking(node):
        stream = Subscriptions([node.ws], patience=FAST)
        stream.on_slot.append(fail)
        await stream.__aenter__()
        await until(lambda: stream.slot and not stream.connected)
        with pytest.raises(KeyError):
            await stream.close()


async def test_closes_while_stalled_and_leaves_nothing() -> None:
    before = asyncio.all_tasks()
    async with stage() as (node, stream):
        await until(lambda: stream.connected)
        node.stalled = True
        async with asyncio.timeout(5):  # a closing handshake would wait longer for an answer
            await stream.close()
        await stream.close()
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == before
