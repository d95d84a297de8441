"""One account's transactions, read from the chain in their order, each once, into a client's log.

The node is asked for what mentions the account since what was read last. What it does not know to its end yet (a
transaction listed and not to be had, or had without its log) stops the reading there: an event's number follows from
the order on the chain. A node that does not know the transaction it is asked to begin at says so by an empty or a
longer list, never by an error: so the pages of one list are of nodes that have come as far as its first, and one that
knows no more what was read last is not believed that this was all since.
"""

import asyncio

from solders.pubkey import Pubkey
from solders.signature import Signature

from drift_engine.core.client import VenueUnavailableError
from drift_engine.core.units import SECOND_NS
from drift_engine.venues.chain_client.events import ReadTransaction, Teller
from drift_engine.venues.chain_client.log import ClientLog
from drift_engine.venues.live.listed import Listed
from drift_engine.venues.rpc import Rpc
from drift_engine.venues.rpc import calls as rpc_calls
from drift_engine.venues.rpc.calls import MAX_SIGNATURES, Commitment
from drift_engine.venues.rpc.errors import RpcError, transaction_fault
from drift_engine.venues.rpc.types import SignatureInfo, Transaction
from drift_engine.venues.wire.logs import name_of, parse


class AccountHistory:
    """Reads one account's transactions into its log. ``trouble``: one line on a transaction whose log was cut."""

    def __init__(self, rpc: Rpc, listed: Listed, user: Pubkey, log: ClientLog) -> None:
        self._rpc, self._listed, self._user, self._log = rpc, listed, user, log
        self._commitment: Commitment = "finalized" if rpc.commitment == "finalized" else "confirmed"
        self._reading = asyncio.Lock()
        self.trouble: str | None = None

    async def read(self, now_ns: int, min_slot: int | None = None) -> bool:
        """Read what is new, at ``min_slot`` or later; return whether that was all of it.

        Raises ``VenueUnavailableError`` where the node does not tell.
        """
        async with self._reading:
            for info in reversed(await self._new(min_slot)):
                if not await self._take(info, now_ns):
                    return False
            return True

    async def _new(self, min_slot: int | None) -> list[SignatureInfo]:
        """Return the transactions not read yet, newest first."""
        newest = self._log.newest
        until, before = newest[0] if newest else None, None
        found: list[SignatureInfo] = []
        while True:
            page = await self._ask(
                rpc_calls.get_signatures_for_address(
                    self._user, self._commitment, before=before, until=until, min_context_slot=min_slot
                )
            )
            known = next((at for at, info in enumerate(page) if self._log.was_read(info.signature)), len(page))
            found += page[:known]
            if known < len(page):
                return found
            if len(page) < MAX_SIGNATURES:
                if found and until is not None:
                    await self._require_known(until)
                return found
            before, min_slot = page[-1].signature, max(min_slot or 0, found[0].slot)

    async def _require_known(self, signature: str) -> None:
        """Raise ``VenueUnavailableError`` where the node has forgotten a transaction: others may be missing, too."""
        status = rpc_calls.get_signature_statuses([Signature.from_string(signature)], search_history=True)
        if (await self._ask(status))[0] is None:
            raise VenueUnavailableError(
                f"the node does not know {signature}, which was read last: what came since may be missing; "
                "name a node that keeps transactions for longer"
            )

    async def _take(self, info: SignatureInfo, now_ns: int) -> bool:
        """Read one transaction into the log; return whether the node had it."""
        found = await self._ask(rpc_calls.get_transaction(Signature.from_string(info.signature), self._commitment))
        if found is None:
            return False
        teller = Teller(self._log, self._user, self._listed.names, now_ns)
        teller.tell(self._told(info, found))
        self._log.append(teller.events, info.signature, info.slot, teller.orders.values())
        return True

    def _told(self, info: SignatureInfo, found: Transaction) -> ReadTransaction:
        ts_ns = (info.block_time or found.block_time or 0) * SECOND_NS
        fault = transaction_fault(info.err)
        program = self._listed.program
        if fault is not None:
            why = str(fault) if fault.code is None else f"{name_of(program, fault.code)} ({fault.code})"
            return ReadTransaction(info.signature, info.slot, ts_ns, refusal=why)
        if found.meta is None or found.meta.log_messages is None:
            raise VenueUnavailableError(f"the node kept no log of {info.signature}: name one that keeps them")
        told = parse(found.logs)
        if told.truncated:
            self.trouble = f"the node cut the log of {info.signature}: events may be missing"
        events = tuple(logged.event for logged in told.events if logged.program == program.name)
        return ReadTransaction(info.signature, info.slot, ts_ns, events)

    async def _ask(self, call: rpc_calls.Call[rpc_calls.T]) -> rpc_calls.T:
        try:
            return await self._rpc.ask(call)
        except RpcError as error:
            raise VenueUnavailableError(str(error)) from None
