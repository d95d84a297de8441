"""What is concluded from a node's words about a transaction: never more than they prove, and nothing goes out twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Literal

import pytest
from chain_node import Chain, Node, Socket
from solders.keypair import Keypair
from solders.signature import Signature

from drift_engine.venues.keys import Key
from drift_engine.venues.programs import VELOCITY
from drift_engine.venues.rpc import Rpc
from drift_engine.venues.rpc.transport import Policy
from drift_engine.venues.streams.subscriptions import Subscriptions
from drift_engine.venues.transactions.blockhash import Warm
from drift_engine.venues.transactions.sending import (
    PROOF_BLOCKS,
    Expired,
    Failed,
    Following,
    Landed,
    Sender,
    Sent,
    Unknown,
)

NAME = Signature(bytes([5] * 64))
SENT = Sent(NAME, 1_000, b"wire")
ONCE = Policy(timeout_ms=800, attempt_ms=150, backoff_ms=4, backoff_max_ms=8, cooldown_ms=5, cooldown_max_ms=10)
LATE = Following(first_ms=60_000, first_poll_ms=4_000, until_ms=8_000, again_ms=0)
"""Asks no sooner than a stream would have told."""
CUSTOM = {"InstructionError": [2, {"Custom": 6010}]}


@asynccontextmanager
async def sending(
    status: dict[str, Any] | None = None,
    height: int = 900,
    commitment: Literal["confirmed", "finalized"] = "confirmed",
    **following: int,
) -> AsyncIterator[tuple[Node, Sender]]:
    """Open a sender over a node that says this of every signature, at this finalized height."""
    plan = {"first_ms": 60, "first_poll_ms": 20, "poll_ms": 20, "until_ms": 150, "again_ms": 0} | following
    async with Node(Chain()) as node, Rpc([node.http], policy=ONCE, commitment=commitment) as rpc:
        node.answers["getBlockHeight"] = height
        node.answers["getSignatureStatuses"] = {"context": {"slot": 7}, "value": [status]}
        node.answers["sendTransaction"] = str(NAME)
        yield node, Sender(VELOCITY, rpc, Warm(), Key(Keypair()), following=Following(**plan))


def seen(how_far: str, err: Any = None) -> dict[str, Any]:
    return {"slot": 70, "confirmations": 1, "err": err, "confirmationStatus": how_far}


def asked(node: Node, method: str) -> list[Any]:
    every = [call for body in node.requests for call in (body if isinstance(body, list) else [body])]
    return [call["params"] for call in every if call["method"] == method]


@pytest.mark.parametrize(
    ("past", "kind"), [(-1, Unknown), (0, Unknown), (1, Expired), (PROOF_BLOCKS, Expired), (PROOF_BLOCKS + 1, Unknown)]
)
async def test_never_is_proven_from_the_block_after_the_last_until_nodes_forget(past: int, kind: type) -> None:
    async with sending(height=SENT.last_valid_block_height + past) as (node, sender):
        assert type(await sender.outcome(SENT)) is kind
        assert asked(node, "getBlockHeight") == [[{"commitment": "finalized"}]]
        assert asked(node, "getSignatureStatuses") == [[[str(NAME)], {"searchTransactionHistory": True}]]


@pytest.mark.parametrize(
    ("commitment", "how_far", "kind"),
    [
        ("confirmed", "processed", Unknown),
        ("confirmed", "confirmed", Landed),
        ("confirmed", "finalized", Landed),
        ("finalized", "confirmed", Unknown),
        ("finalized", "finalized", Landed),
    ],
)
@pytest.mark.parametrize("err", [None, CUSTOM])
async def test_what_may_still_be_undone_is_no_outcome(
    commitment: Literal["confirmed", "finalized"], how_far: str, kind: type, err: Any
) -> None:
    """Also past its height: it is in a block, so it is not expired."""
    async with sending(seen(how_far, err), SENT.last_valid_block_height + 9, commitment) as (_, sender):
        outcome = await sender.outcome(SENT)
        assert type(outcome) is (Failed if kind is Landed and err else kind)
        if isinstance(outcome, Failed):
            assert (outcome.code, outcome.slot) == (6010, 70)


@pytest.mark.parametrize("silent", ["getBlockHeight", "getSignatureStatuses"])
async def test_half_an_answer_proves_nothing(silent: str) -> None:
    async with sending(height=SENT.last_valid_block_height + 9) as (node, sender):
        node.refusals[silent] = {"code": -32603, "message": "Internal error"}
        outcome = await sender.outcome(SENT)
        assert isinstance(outcome, Unknown)
        assert "Internal error" in outcome.reason
        node.http_faults.extend(["503"] * 50)
        outcome = await sender.outcome(SENT)
        assert isinstance(outcome, Unknown)
        assert "503" in outcome.reason


async def test_only_a_refusal_of_the_transaction_itself_ends_it() -> None:
    """A node that is unwell, or has it already, says nothing of what becomes of it."""
    async with sending() as (node, sender):
        for error in (
            {"code": -32603, "message": "Internal error"},
            {"code": -32002, "message": "simulation failed", "data": {"err": "AlreadyProcessed"}},
            {"code": 429, "message": "Too many requests"},
        ):
            node.refusals["sendTransaction"] = error
            outcome = await sender.send(SENT)
            assert isinstance(outcome, Unknown), error
        node.refusals["sendTransaction"] = {"code": -32002, "message": "no", "data": {"err": CUSTOM, "logs": []}}
        outcome = await sender.send(SENT)
        assert isinstance(outcome, Failed)
        assert (outcome.code, outcome.slot) == (6010, None)
        assert not any(config["skipPreflight"] for _, config in asked(node, "sendTransaction"))


async def test_the_same_bytes_go_out_again_at_their_pace_and_their_refusal_is_no_outcome() -> None:
    async with sending(again_ms=40, until_ms=220) as (node, sender):
        node.refusals["sendTransaction"] = {"code": -32002, "message": "no", "data": {"err": "BlockhashNotFound"}}
        outcome = await sender.follow(SENT)
        assert isinstance(outcome, Unknown), "one of them may have landed"
        sent = asked(node, "sendTransaction")
        assert 2 <= len(sent) <= 5
        assert {wire for wire, _ in sent} == {sent[0][0]}
        assert all(config["skipPreflight"] for _, config in sent)


@pytest.mark.parametrize(("sent", "again_ms"), [(SENT, 0), (Sent(NAME, 1_000), 20)])
async def test_what_is_not_to_go_out_again_does_not(sent: Sent, again_ms: int) -> None:
    async with sending(again_ms=again_ms) as (node, sender):
        assert isinstance(await sender.follow(sent), Unknown)
        assert asked(node, "sendTransaction") == []
        assert len(asked(node, "getSignatureStatuses")) >= 3


async def test_an_outcome_that_comes_late_is_found_by_asking() -> None:
    async with sending(until_ms=5_000, first_ms=0) as (node, sender):
        node.http_faults.extend(["503", "503"])
        node.answers["getSignatureStatuses"]["value"] = [seen("confirmed")]
        assert await sender.follow(SENT, "no answer") == Landed(NAME, 70)


@pytest.mark.parametrize(
    ("err", "code", "name"),
    [
        ("BlockhashNotFound", None, "BlockhashNotFound"),
        ({"InsufficientFundsForRent": {"account_index": 1}}, None, "InsufficientFundsForRent"),
        ({"InstructionError": [0, "InvalidAccountData"]}, None, "InvalidAccountData"),
        ({"InstructionError": [2, {"Custom": 6003}]}, 6003, "InsufficientCollateral"),
    ],
)
async def test_a_failure_is_named(err: Any, code: int | None, name: str) -> None:
    async with sending(seen("confirmed", err)) as (_, sender):
        outcome = await sender.outcome(SENT)
        assert isinstance(outcome, Failed)
        assert (outcome.code, outcome.name) == (code, name)


def signature_watches(node: Node) -> list[tuple[Socket, int]]:
    return [(at, key) for at in node.sockets for key, (topic, _) in at.subscriptions.items() if topic == "signature"]


@pytest.mark.parametrize(
    ("value", "kind"), [({"err": None}, Landed), ({"err": CUSTOM}, Failed), ("receivedSignature", None), (None, None)]
)
async def test_a_stream_tells_an_outcome_at_once_and_that_it_was_received_is_none(
    value: Any, kind: type | None
) -> None:
    async with sending() as (node, sender), Subscriptions([node.ws]) as stream:
        streamed = Sender(VELOCITY, sender.rpc, sender.warm, sender.key, subscriptions=stream, following=LATE)
        following = asyncio.create_task(streamed.follow(SENT))
        async with asyncio.timeout(30):
            while not (watched := signature_watches(node)):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            [(socket, number)] = watched
            socket.tell("signatureNotification", number, {"context": {"slot": 72}, "value": value})
            done, _ = await asyncio.wait([following], timeout=20 if kind else 0.2)
        assert bool(done) is bool(kind)
        if kind:
            outcome = following.result()
            assert isinstance(outcome, Landed | Failed)
            assert (type(outcome), outcome.slot) == (kind, 72)
        following.cancel()
        assert asked(node, "getSignatureStatuses") == []
