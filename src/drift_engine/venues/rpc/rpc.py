"""Solana's JSON-RPC over kept connections, to one endpoint or several.

    async with Rpc(["https://one.example/KEY", "https://two.example"]) as rpc:
        account = await rpc.get_account(key)
        height, fees = await rpc.batch([get_block_height("confirmed"), get_recent_prioritization_fees()])

Reads are repeated and asked of the next endpoint; a send is handed over once, and whoever sent it finds out what became
of it (``transport`` has the rules, ``calls`` the questions). Answers are matched to questions by id. Account
data comes out as bytes, with the slot it was read at. Nothing is cached and nothing is guessed here.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Self, TypeVar

import msgspec
from solders.pubkey import Pubkey
from solders.signature import Signature

from drift_engine.venues.endpoints import Endpoint, Endpoints
from drift_engine.venues.rpc import calls as rpc_calls
from drift_engine.venues.rpc.calls import MAX_ACCOUNTS, MAX_STATUSES, Call, Commitment
from drift_engine.venues.rpc.errors import RpcError, RpcUnreadError
from drift_engine.venues.rpc.transport import MalformedError, Policy, Transport
from drift_engine.venues.rpc.types import (
    AccountInfo,
    Blockhash,
    Memcmp,
    PrioritizationFee,
    Reply,
    SignatureStatus,
    Simulation,
    Transaction,
    Version,
    WireFault,
)

T = TypeVar("T")
_reply = msgspec.json.Decoder(Reply).decode
_replies = msgspec.json.Decoder(list[Reply] | Reply).decode
_encode = msgspec.json.Encoder().encode


class Rpc:
    """A client of Solana nodes. Every method raises ``RpcUnavailableError`` or ``RpcError``, and nothing else."""

    def __init__(
        self,
        endpoints: Sequence[str],
        *,
        commitment: Commitment = "confirmed",
        policy: Policy | None = None,
        clock: Callable[[], int] = time.monotonic_ns,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        policy = policy or Policy()
        self.commitment: Commitment = commitment
        self.clock = clock
        self._endpoints = Endpoints(
            endpoints,
            ("http", "https"),
            rate_per_s=policy.rate_per_s,
            burst=policy.burst,
            cooldown_ms=policy.cooldown_ms,
            cooldown_max_ms=policy.cooldown_max_ms,
        )
        self._transport = Transport(self._endpoints, policy, clock, sleep, jitter)
        self._id = 0
        self._batches: bool | None = None

    def __repr__(self) -> str:
        return f"Rpc({', '.join(endpoint.name for endpoint in self._endpoints.all)})"

    async def __aenter__(self) -> Self:
        await self._transport.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._transport.close()

    async def ask(self, call: Call[T]) -> T:
        """Ask one question."""
        return await self._asked(call)

    async def _asked(self, call: Call[T], only: Endpoint | None = None) -> T:
        request = self._request(call)

        def decode(body: bytes) -> T:
            reply = _parsed(_reply, body)
            if reply.error is None and reply.id != request["id"]:
                raise MalformedError("the answer is to another question")
            return _result(reply, call)

        return await self._transport.ask(call.method, _encode(request), decode, safe=call.safe, only=only)

    async def batch(self, calls: Sequence[Call[Any]]) -> list[Any]:
        """Ask many in one request; return answers in the order of ``calls``, an ``RpcError`` in place of a refused one.

        It is repeated like a read where all of them are reads; a node that takes no batches is then asked one by one,
        in order. All answers are of one node.
        """
        if not calls:
            return []
        safe = all(call.safe for call in calls)
        if safe and self._batches is False:
            return await self._one_by_one(calls)
        try:
            return await self._all_at_once(calls, safe=safe)
        except (RpcUnreadError, RpcError):
            if not safe or self._batches:
                raise
        answers = await self._one_by_one(calls)
        self._batches = False
        return answers

    async def _all_at_once(self, calls: Sequence[Call[Any]], *, safe: bool) -> list[Any]:
        requests = [self._request(call) for call in calls]

        def decode(body: bytes) -> list[Any]:
            replies = _parsed(_replies, body)
            if isinstance(replies, Reply):
                raise _refusal(replies.error) if replies.error else MalformedError("one answer to a batch")
            by_id = {reply.id: reply for reply in replies}
            return [_in_place(by_id.get(request["id"]), call) for request, call in zip(requests, calls, strict=True)]

        what, known = f"batch of {len(calls)} ({calls[0].method} …)", self._batches is True
        ask = self._transport.ask
        answers = await ask(what, _encode(requests), decode, safe=safe, cost=len(calls), try_unread=known)
        self._batches = True
        return answers

    async def _one_by_one(self, calls: Sequence[Call[Any]]) -> list[Any]:
        endpoint, answers = self._endpoints.pick(self.clock()), []
        for call in calls:
            try:
                answers.append(await self._asked(call, endpoint))
            except RpcError as error:
                answers.append(error)
        return answers

    async def get_account(self, key: Pubkey, *, min_context_slot: int | None = None) -> AccountInfo | None:
        """Return an account; ``None`` where the chain has none."""
        return await self.ask(rpc_calls.get_account(key, self.commitment, min_context_slot))

    async def get_multiple_accounts(
        self, keys: Sequence[Pubkey], *, min_context_slot: int | None = None
    ) -> list[tuple[int, list[AccountInfo | None]]]:
        """Return accounts by hundreds: for each hundred the slot it was read at, and the accounts in order.

        What is in one hundred is of one slot; two hundreds may be of different ones.
        """
        parts = [keys[at : at + MAX_ACCOUNTS] for at in range(0, len(keys), MAX_ACCOUNTS)]
        calls = [rpc_calls.get_multiple_accounts(part, self.commitment, min_context_slot) for part in parts]
        return [await self.ask(call) for call in calls]

    async def get_program_accounts(
        self,
        program: Pubkey,
        filters: Sequence[Memcmp],
        *,
        data_slice: tuple[int, int] | None = None,
        min_context_slot: int | None = None,
    ) -> tuple[int, list[AccountInfo]]:
        """Return the slot, and the program's accounts that pass all filters; ``data_slice`` is offset and length."""
        return await self.ask(
            rpc_calls.get_program_accounts(
                program, filters, self.commitment, data_slice=data_slice, min_context_slot=min_context_slot
            )
        )

    async def get_slot(self, commitment: Commitment | None = None, *, min_context_slot: int | None = None) -> int:
        """Return the slot the node has come to."""
        return await self.ask(rpc_calls.get_slot(commitment or self.commitment, min_context_slot))

    async def get_block_height(self, *, min_context_slot: int | None = None) -> int:
        """Return the block height; blockhashes expire by it."""
        return await self.ask(rpc_calls.get_block_height(self.commitment, min_context_slot))

    async def get_block_time(self, slot: int) -> int | None:
        """Return when a block was made, in seconds since the Unix epoch."""
        return await self.ask(rpc_calls.get_block_time(slot))

    async def get_latest_blockhash(self, *, min_context_slot: int | None = None) -> Blockhash:
        """Return a blockhash with the last block height it is good for."""
        return await self.ask(rpc_calls.get_latest_blockhash(self.commitment, min_context_slot))

    async def get_signature_statuses(
        self, signatures: Sequence[Signature], *, search_history: bool = False
    ) -> tuple[SignatureStatus | None, ...]:
        """Return how far transactions have come, by 256 a question; ``None`` for one the node does not know."""
        parts = [signatures[at : at + MAX_STATUSES] for at in range(0, len(signatures), MAX_STATUSES)]
        calls = [rpc_calls.get_signature_statuses(part, search_history=search_history) for part in parts]
        found = [await self.ask(call) for call in calls]
        return tuple(status for part in found for status in part)

    async def get_transaction(self, signature: Signature) -> Transaction | None:
        """Return a transaction that landed, ``None`` where the node does not know it."""
        commitment: Commitment = "finalized" if self.commitment == "finalized" else "confirmed"
        return await self.ask(rpc_calls.get_transaction(signature, commitment))

    async def get_recent_prioritization_fees(self, writable: Sequence[Pubkey] = ()) -> tuple[PrioritizationFee, ...]:
        """Return what was paid of late, slot by slot, to write to all of these accounts."""
        return await self.ask(rpc_calls.get_recent_prioritization_fees(writable))

    async def get_balance(self, key: Pubkey, *, min_context_slot: int | None = None) -> int:
        """Return an account's lamports."""
        return await self.ask(rpc_calls.get_balance(key, self.commitment, min_context_slot))

    async def get_health(self) -> str:
        """Return ``ok``; raises ``RpcError`` with the slots it is behind in ``data`` where the node is not well."""
        return await self.ask(rpc_calls.get_health())

    async def get_version(self) -> Version:
        """Return the node's software."""
        return await self.ask(rpc_calls.get_version())

    async def simulate_transaction(
        self,
        raw_transaction: bytes,
        *,
        accounts: Sequence[Pubkey] = (),
        verify_signatures: bool = False,
        replace_blockhash: bool = True,
        min_context_slot: int | None = None,
    ) -> Simulation:
        """Return what a transaction would do. A transaction that would fail is an answer with ``err``, no exception."""
        return await self.ask(
            rpc_calls.simulate_transaction(
                raw_transaction,
                self.commitment,
                accounts=accounts,
                verify_signatures=verify_signatures,
                replace_blockhash=replace_blockhash,
                min_context_slot=min_context_slot,
            )
        )

    async def send_transaction(
        self, raw_transaction: bytes, *, skip_preflight: bool = False, min_context_slot: int | None = None
    ) -> Signature:
        """Hand over a signed transaction once, and return its signature.

        ``RpcUnavailableError`` means: nobody knows whether it was taken. ``RpcError`` means: it was refused.
        """
        return await self.ask(
            rpc_calls.send_transaction(
                raw_transaction, self.commitment, skip_preflight=skip_preflight, min_context_slot=min_context_slot
            )
        )

    def _request(self, call: Call[Any]) -> dict[str, Any]:
        self._id += 1
        return {"jsonrpc": "2.0", "id": self._id, "method": call.method, "params": call.params}


def _parsed(decode: Callable[[bytes], T], body: bytes) -> T:
    try:
        return decode(body)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise MalformedError(f"not JSON-RPC: {error}") from None


def _result(reply: Reply, call: Call[T]) -> T:
    if reply.error is not None:
        raise _refusal(reply.error)
    if isinstance(reply.result, msgspec.UnsetType):
        raise MalformedError("neither result nor error")
    try:
        return call.decode(reply.result)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise MalformedError(f"not an answer to {call.method}: {error}") from None


def _in_place(reply: Reply | None, call: Call[Any]) -> Any:
    if reply is None:
        raise MalformedError(f"a batch without the answer to {call.method}")
    try:
        return _result(reply, call)
    except RpcError as error:
        return error


def _refusal(fault: WireFault) -> RpcError:
    return RpcError(fault.code, fault.message, fault.data)
