"""Accounts kept equal to the chain, with their age.

    async with Rpc([http]) as rpc, Subscriptions([ws]) as subscriptions:
        async with Mirror(rpc, subscriptions, keys, changed=decode) as mirror:
            mirror.add_program(program, [Memcmp(0, discriminator), Memcmp(8, bytes(authority))])
            await mirror.ready()
            mirror.get(key), mirror.age_ns(key), mirror.age_ns()

Every account is subscribed to and read; after a gap it is read again, and all of them are now and then.
``held_accounts`` decides what is newer and how old it is; here are only the clock, the wires and two tasks: one asks
the node for its slot, which dates what the stream tells, one reads what is due. An age is measured from a moment before
which nothing is missing; where the connection is cut or stalls, or the node does not answer, it grows. ``None`` is: not
known yet.

``changed`` is called for each new state in the reader of the stream, and must not wait. Bytes are handed over as they
came; nothing is decoded here. A closed account comes as one with no lamports.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Self, TypeVar

from solders.pubkey import Pubkey

from drift_engine.core.units import MILLISECOND_NS
from drift_engine.venues.mirror.held import Held, HeldProgram, closed
from drift_engine.venues.mirror.held_accounts import Changed, HeldAccounts
from drift_engine.venues.rpc import Rpc
from drift_engine.venues.rpc import calls as rpc_calls
from drift_engine.venues.rpc.calls import MAX_ACCOUNTS, account_info, address
from drift_engine.venues.rpc.errors import RpcError, RpcUnavailableError
from drift_engine.venues.rpc.types import AccountInfo, Memcmp, WireAccount
from drift_engine.venues.streams.kept_socket import LostError
from drift_engine.venues.streams.subscriptions import Subscription, Subscriptions
from drift_engine.venues.streams.watches import AccountNote, AccountWatch, ProgramNote, ProgramWatch, SlotInfo

T = TypeVar("T")
_SLOT = rpc_calls.get_slot("processed").method


@dataclass(frozen=True, slots=True)
class Pace:
    """How often to ask, in milliseconds: the slot, everything again, the same without a stream, and what is due.

    ``slot_ms`` bounds how fine ages are; ``all_ms`` how long a rolled-back or withheld change can stay unseen. What is
    due and came too old is asked for again after ``again_ms``.
    """

    slot_ms: int = 400
    all_ms: int = 10_000
    without_stream_ms: int = 2_000
    due_ms: int = 50
    again_ms: int = 400


class Mirror:
    """Accounts as the chain has them, at the commitment of ``rpc`` and ``subscriptions``; ``async with`` runs it.

    Times are nanoseconds of ``clock``, a monotonic one; it is the RPC client's where none is given.
    """

    def __init__(
        self,
        rpc: Rpc,
        subscriptions: Subscriptions,
        keys: Iterable[Pubkey] = (),
        *,
        changed: Changed = lambda key, info: None,
        pace: Pace | None = None,
        clock: Callable[[], int] | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        if rpc.commitment != subscriptions.commitment:
            raise ValueError(f"RPC at {rpc.commitment}, subscriptions at {subscriptions.commitment}: they must agree")
        self.held = HeldAccounts(changed)
        self._rpc, self._stream = rpc, subscriptions
        self._pace, self._clock, self._sleep = pace or Pace(), clock or rpc.clock, sleep
        self._watches: dict[Held, Subscription] = {}
        self._fault: str | None = None
        self._troubles: dict[str, str] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._all_again_ns = 0
        for key in keys:
            self.add(key)

    async def __aenter__(self) -> Self:
        self._stream.on_gap.append(self._on_gap)
        self._stream.on_slot.append(self._on_slot)
        self._tasks = [
            asyncio.create_task(self._keep_dating(), name="mirror: slots"),
            asyncio.create_task(self._keep_reading(), name="mirror: accounts"),
        ]
        for task in self._tasks:
            task.add_done_callback(self._on_end)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """End the tasks and the subscriptions; raises what ``changed`` raised, where that ended the mirror before."""
        if self._on_gap in self._stream.on_gap:
            self._stream.on_gap.remove(self._on_gap)
            self._stream.on_slot.remove(self._on_slot)
        for subscription in self._watches.values():
            self._stream.remove(subscription)
        self._watches.clear()
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        for end in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(end, Exception):
                raise end

    def add(self, key: Pubkey) -> None:
        """Mirror an account from now on."""
        self._watch(self.held.add(key))

    def add_program(self, program: Pubkey, wanted: Sequence[Memcmp]) -> HeldProgram:
        """Mirror a program's accounts that pass all filters, those to come included; they are the result's ``members``.

        Each member is subscribed to by itself too: a node does not tell a program's subscribers that an account closed.
        """
        held = self.held.add_program(program, tuple(wanted))

        def on_note(note: ProgramNote) -> None:
            value, slot = note.params.result.value, note.params.result.context.slot
            key = _told_key(value.pubkey)
            member = held.members.get(key) or self._join(held, key)
            self.held.noted(member, _told(member.key, value.account, slot))

        watch = ProgramWatch(program, held.wanted)
        self._watches[held] = self._stream.add(watch, on_note, lambda: self.held.in_force(held, self._clock()))
        return held

    def remove(self, key: Pubkey) -> None:
        """Mirror an account no more."""
        held = self.held.all.get(key)
        if held is not None:
            self.held.remove(key)
            self._stream.remove(self._watches.pop(held))

    def get(self, key: Pubkey) -> AccountInfo | None:
        """Return what is held; ``None`` where nothing was read yet. One the chain does not have has no lamports."""
        held = self.held.all.get(key)
        return held.info if held is not None else None

    def has(self, key: Pubkey, slot: int) -> bool:
        """Whether what is held of an account has all that happened in a slot."""
        held = self.held.all.get(key)
        return held is not None and held.has(slot)

    def acted_slot(self, key: Pubkey) -> int:
        """Return the slot of the last block in which a transaction of ours may have changed an account, 0 for none."""
        held = self.held.all.get(key)
        return held.acted_slot if held is not None else 0

    def happened(self, key: Pubkey, slot: int) -> None:
        """Note that a transaction of ours in a block of ``slot`` may have changed an account: it is read at once."""
        held = self.held.all.get(key)
        if held is not None:
            self.held.happened(held, slot)

    def as_of_ns(self, key: Pubkey) -> int | None:
        """Return a moment before which nothing is missing in what is held of an account."""
        held = self.held.all.get(key)
        return self.held.as_of_ns(held) if held is not None else None

    def age_ns(self, key: Pubkey | None = None) -> int | None:
        """Return how old what is held of an account may be, or of all there is; ``None`` where that is not known."""
        as_of_ns = self.held.oldest_ns() if key is None else self.as_of_ns(key)
        return None if as_of_ns is None else self._clock() - as_of_ns

    @property
    def trouble(self) -> str | None:
        """One line on why ages grow, until the question that got no answer gets one; ``None``: nothing is wrong."""
        return self._fault or next(iter(self._troubles.values()), None) or self._stream.trouble

    async def ready(self) -> None:
        """Wait until everything was read and has an age."""
        while self.held.due or self.age_ns() is None:
            for task in filter(asyncio.Task.done, self._tasks):
                self._on_end(task)
                raise RuntimeError(self._fault or "the mirror was closed before everything was read")
            await self._sleep(self._pace.due_ms / 1000)

    def _watch(self, held: Held) -> None:
        if held in self._watches:
            return
        key, noted = held.key, self.held.noted

        def on_note(note: AccountNote) -> None:
            result = note.params.result
            slot, wire = result.context.slot, result.value
            noted(held, _told(key, wire, slot) if wire is not None else closed(key, slot))

        watch = AccountWatch(key)
        self._watches[held] = self._stream.add(watch, on_note, lambda: self.held.in_force(held, self._clock()))

    def _join(self, program: HeldProgram, key: Pubkey) -> Held:
        member = self.held.member(program, key)
        self._watch(member)
        return member

    def _on_gap(self, why: str) -> None:
        del why
        self.held.gap()

    def _on_slot(self, info: SlotInfo) -> None:
        self.held.slot_began(info.slot, info.parent)

    def _on_end(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and task.exception() is not None:
            self._fault = f"{task.get_name()} ended by a fault: {task.exception()!r}"

    async def _keep_dating(self) -> None:
        while True:
            asked_ns, told = self._clock(), self._stream.tip
            named = await self._asked(rpc_calls.get_slot("processed"))
            if named is not None:
                self.held.anchor(asked_ns, named, told)
            await self._sleep(self._pace.slot_ms / 1000)

    async def _keep_reading(self) -> None:
        while True:
            now_ns = self._clock()
            if now_ns >= self._all_again_ns:
                self.held.due.update(self.held.all.values(), self.held.programs)
                self.held.look_back()
                period_ms = self._pace.all_ms if self._stream.connected else self._pace.without_stream_ms
                self._all_again_ns = now_ns + period_ms * MILLISECOND_NS
            await self._read_due()
            if not self.held.due:
                self._troubles = {what: why for what, why in self._troubles.items() if what == _SLOT}
            pause_ms = self._pace.again_ms if self.held.due else self._pace.due_ms
            await self._sleep(pause_ms / 1000)

    async def _read_due(self) -> None:
        programs = [held for held in self.held.due if isinstance(held, HeldProgram)]
        accounts = [held for held in self.held.due if not isinstance(held, HeldProgram)]
        for program in programs:
            await self._read_program(program)
        for at in range(0, len(accounts), MAX_ACCOUNTS):
            await self._read_accounts(accounts[at : at + MAX_ACCOUNTS])

    async def _read_accounts(self, helds: list[Held]) -> None:
        marks = [held.mark for held in helds]
        keys = [held.key for held in helds]
        answer = await self._asked(rpc_calls.get_multiple_accounts(keys, self._rpc.commitment))
        if answer is None:
            return
        slot, infos = answer
        for held, mark, info in zip(helds, marks, infos, strict=True):
            if held.key in self.held.all:
                self.held.read(held, mark, info or closed(held.key, slot))

    async def _read_program(self, program: HeldProgram) -> None:
        mark, marks = program.mark, self.held.marks()
        answer = await self._list(program, 0)
        if answer is not None and not answer[0]:  # the node does not tell slots: no lower one than it is at now
            slot = await self._asked(rpc_calls.get_slot(self._rpc.commitment))
            answer = await self._list(program, slot) if slot else None
        if answer is None:
            return
        slot, infos = answer
        self.held.listed(program, mark, marks, slot, infos)
        for member in program.members.values():
            self._watch(member)

    async def _list(self, program: HeldProgram, at_least: int) -> tuple[int, list[AccountInfo]] | None:
        commitment = self._rpc.commitment
        return await self._asked(
            rpc_calls.get_program_accounts(program.key, program.wanted, commitment, at_least=at_least)
        )

    async def _asked(self, call: rpc_calls.Call[T]) -> T | None:
        try:
            answer = await self._rpc.ask(call)
        except (RpcUnavailableError, RpcError) as error:
            self._troubles[call.method] = str(error)
            return None
        self._troubles.pop(call.method, None)
        return answer


def _told(key: Pubkey, wire: WireAccount, slot: int) -> AccountInfo:
    try:
        return account_info(key, wire, slot)
    except ValueError as error:
        raise LostError(f"a note of {key} with an owner that is no address: {error}") from None


def _told_key(text: str) -> Pubkey:
    try:
        return address(text)
    except ValueError as error:
        raise LostError(f"a note of an account that has no address: {error}") from None
