"""Signing, sending, and finding out what became of it.

A transaction has its name, the signature, before it leaves, and it can land only while the block height is not above
the one its blockhash is good for. So an outcome can always be proven in the end: it is in a block, or the height is
past and it is in none. Until then it is ``Unknown``, whatever was answered or not answered to the send. The very same
bytes may go out again, since a signature lands once; nothing is ever signed anew here.

The proof of "never": one node is asked in one request for its finalized block height, then for the signature in its
whole history. All it looks through is then later than the height, so nothing can have come between the two answers.
Nodes forget after a day or two: where the height is past for longer than ``PROOF_BLOCKS``, one that knows nothing of a
signature proves nothing.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

from msgspec import Struct
from solders.instruction import Instruction
from solders.pubkey import Pubkey
from solders.signature import Signature

from drift_engine.core.client import VenueUnavailableError
from drift_engine.core.units import MILLISECOND_NS
from drift_engine.venues.keys import Key
from drift_engine.venues.program import Program
from drift_engine.venues.rpc import Rpc
from drift_engine.venues.rpc import calls as rpc_calls
from drift_engine.venues.rpc.errors import RpcError, RpcRateLimitedError, TransactionFault, transaction_fault
from drift_engine.venues.rpc.types import SignatureStatus
from drift_engine.venues.streams.subscriptions import Subscriptions
from drift_engine.venues.streams.watches import SignatureNote, SignatureWatch
from drift_engine.venues.transactions.blockhash import Warm
from drift_engine.venues.transactions.building import budget, signed
from drift_engine.venues.wire.logs import name_of, parse

_RANKS = {"processed": 0, "confirmed": 1, "finalized": 2}
PROOF_BLOCKS = 100_000
"""Half a day at 400 ms a block: no node that answers forgets sooner."""
_NAMES_KEPT = 4_096
_THERE_ALREADY = "AlreadyProcessed"


class Sent(Struct, frozen=True, gc=False):
    """A signed transaction: its name, the last block height that takes it, and its bytes (none where not kept)."""

    signature: Signature
    last_valid_block_height: int
    wire: bytes = b""


class Landed(Struct, frozen=True, gc=False):
    """It is in a block, and did what it says."""

    signature: Signature
    slot: int


class Failed(Struct, frozen=True, gc=False):
    """It did nothing. In a block it cost its fee; refused before (``slot`` is ``None``) it never was on its way.

    ``code`` is the program's error number, ``None`` where the chain itself refused; ``name`` the program's own.
    """

    signature: Signature
    code: int | None
    name: str
    detail: str = ""
    slot: int | None = None


class Expired(Struct, frozen=True, gc=False):
    """It is in no block, and its last block height is past: it can never land."""

    signature: Signature


class Unknown(Struct, frozen=True, gc=False):
    """It may still land, or has and nobody told. ``reason``: what kept it from being known."""

    signature: Signature
    reason: str


Outcome = Landed | Failed | Expired | Unknown


class Following(Struct, frozen=True):
    """How a transaction is followed, in milliseconds: poll every ``first_poll_ms`` until ``first_ms``, then every
    ``poll_ms`` until ``until_ms``. The same bytes go out again every ``again_ms`` (0: never).
    """

    first_ms: int = 30_000
    first_poll_ms: int = 2_000
    poll_ms: int = 5_000
    until_ms: int = 60_000
    again_ms: int = 2_000


class Sender:
    """Signs with one key, sends over one node's clients, and follows up. ``program`` names the errors.

    With ``subscriptions``, an outcome is told as soon as it is there; polling goes on beside it.
    """

    def __init__(
        self,
        program: Program,
        rpc: Rpc,
        warm: Warm,
        key: Key,
        *,
        subscriptions: Subscriptions | None = None,
        following: Following | None = None,
    ) -> None:
        self.program, self.rpc, self.warm, self.key = program, rpc, warm, key
        self.following = following or Following()
        self._stream = subscriptions
        self._names: dict[Signature, int] = {}

    def sign(
        self,
        instructions: Sequence[Instruction],
        *,
        compute_units: int = 800_000,
        price_micro_lamports: int = 0,
        tables: Sequence[Pubkey] = (),
    ) -> Sent:
        """Return the signed transaction, without asking anybody. Raises ``EncodeError`` and ``ColdError``.

        What says the same under the same blockhash would be the same transaction, which lands once: where a name was
        given before, the limit of compute units is one less than the least that such a transaction got.
        """
        held = self.warm.blockhash(self.rpc.clock())
        used = self.warm.tables(tables)
        same: list[Signature] = []
        while True:
            every = [*budget(compute_units, price_micro_lamports), *instructions]
            made = signed([self.key], every, held.blockhash, used)
            same.append(made.signature)
            if (least := self._names.get(made.signature)) is None:
                break
            compute_units = least - 1
        for name in same:
            self._names.pop(name, None)
            self._names[name] = compute_units
        if len(self._names) > _NAMES_KEPT:
            del self._names[next(iter(self._names))]
        return Sent(made.signature, held.last_valid_block_height, made.wire)

    async def send(self, sent: Sent, *, preflight: bool = True) -> Outcome:
        """Hand over a transaction and follow it to its outcome."""
        refused = await self.hand_over(sent, preflight=preflight)
        return refused if isinstance(refused, Failed) else await self.follow(sent, refused)

    async def hand_over(self, sent: Sent, *, preflight: bool = True) -> Failed | str:
        """Hand over a transaction once; return the node's refusal, else what is to be said of the send (or nothing).

        A refusal stands for the outcome only when these bytes never left before.
        """
        try:
            await self.rpc.send_transaction(sent.wire, skip_preflight=not preflight)
        except RpcRateLimitedError as error:
            return str(error)
        except RpcError as error:
            fault = error.fault
            if fault is None or fault.kind == _THERE_ALREADY:
                return str(error)
            return self._failed(sent.signature, fault, error.logs)
        except VenueUnavailableError as error:
            return str(error)
        return ""

    async def follow(self, sent: Sent, trouble: str = "") -> Outcome:
        """Wait for a transaction's outcome for as long as ``following`` says; then it is ``Unknown``."""
        told: asyncio.Queue[Outcome] = asyncio.Queue()
        watch = self._watch(sent.signature, told)
        try:
            return await self._followed(sent, told, trouble)
        finally:
            if watch is not None and self._stream is not None:
                self._stream.remove(watch)

    async def _followed(self, sent: Sent, told: "asyncio.Queue[Outcome]", trouble: str) -> Outcome:
        plan, begun_ns = self.following, self.rpc.clock()
        polled_ms = again_ms = 0
        while (now_ms := (self.rpc.clock() - begun_ns) // MILLISECOND_NS) < plan.until_ms:
            first = now_ms < plan.first_ms
            if now_ms - polled_ms >= (plan.first_poll_ms if first else plan.poll_ms):
                polled_ms = now_ms
                outcome = await self.outcome(sent)
                if not isinstance(outcome, Unknown):
                    return outcome
                trouble = outcome.reason
            if plan.again_ms and sent.wire and now_ms - again_ms >= plan.again_ms:
                again_ms = now_ms
                refused = await self.hand_over(sent, preflight=False)
                trouble = (refused if isinstance(refused, str) else refused.name) or trouble
            try:
                return await asyncio.wait_for(told.get(), min(plan.first_poll_ms, plan.again_ms or 1_000) / 2_000)
            except TimeoutError:
                continue
        return Unknown(sent.signature, trouble or "it was in no block yet")

    async def outcome(self, sent: Sent) -> Outcome:
        """Ask once what became of a transaction, also one of an earlier run."""
        height = rpc_calls.get_block_height("finalized")
        status = rpc_calls.get_signature_statuses([sent.signature], search_history=True)
        try:
            past, found = await self.rpc.batch([height, status])
        except (VenueUnavailableError, RpcError) as error:
            return Unknown(sent.signature, str(error))
        for answer in (past, found):
            if isinstance(answer, RpcError):
                return Unknown(sent.signature, str(answer))
        if found[0] is not None:
            return self._read(sent.signature, found[0])
        left = sent.last_valid_block_height - past
        if left < -PROOF_BLOCKS:
            return Unknown(sent.signature, f"expired {-left} blocks ago: nodes may have forgotten whether it landed")
        if left < 0:
            return Expired(sent.signature)
        return Unknown(
            sent.signature, f"in no block yet, and {left} more finalized ones to prove that it never will be"
        )

    def _read(self, signature: Signature, status: SignatureStatus) -> Outcome:
        if _RANKS.get(status.reached, 0) < _RANKS[self.rpc.commitment]:
            return Unknown(signature, f"in a block that is {status.reached} only")
        fault = transaction_fault(status.err)
        return Landed(signature, status.slot) if fault is None else self._failed(signature, fault, (), status.slot)

    def _watch(self, signature: Signature, told: "asyncio.Queue[Outcome]") -> Any:
        def on_note(note: SignatureNote) -> None:
            result = note.params.result
            if isinstance(result.value, str) or result.value is None:
                return
            fault = transaction_fault(result.value.err)
            slot = result.context.slot
            told.put_nowait(Landed(signature, slot) if fault is None else self._failed(signature, fault, (), slot))

        return None if self._stream is None else self._stream.add(SignatureWatch(signature), on_note)

    def _failed(
        self, signature: Signature, fault: TransactionFault, logs: Sequence[str], slot: int | None = None
    ) -> Failed:
        if fault.code is None:
            return Failed(
                signature, None, fault.detail if fault.instruction is not None else fault.kind, str(fault), slot
            )
        error = parse(logs).error
        if error is not None and error.code == fault.code:
            return Failed(signature, fault.code, error.name, f"{fault}: {error.message}", slot)
        return Failed(signature, fault.code, name_of(self.program, fault.code), str(fault), slot)
