"""Subscriptions to a Solana node, in force on whatever connection there is.

The slots are always subscribed to: a connection is alive while new ones come (``kept_socket`` has the rules of giving
up and connecting again). A frame that cannot be read ends the connection, for what it said is lost; so does a
subscription that is not answered. Then everything is subscribed anew. The node does not tell again what happened in a
gap, so whoever needs it asks: ``on_gap`` says that a gap began; ``on_live`` of each subscription, that it is in force
again. State read at the next slot told, or at a later one, and the notes from then on leave no hole.

Notes below a slot already told of the same account are dropped. Callbacks run in the reader: they must not wait, and
one that raises ends the client (``close`` raises it again), save for ``LostError``, which ends the connection.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import msgspec

from drift_engine.core.units import MILLISECOND_NS
from drift_engine.venues.rpc.calls import Commitment
from drift_engine.venues.rpc.errors import RpcError
from drift_engine.venues.streams.kept_socket import KeptSocket, LostError, Patience
from drift_engine.venues.streams.watches import (
    AccountNote,
    Ack,
    BadFrameError,
    LogsNote,
    ProgramNote,
    SignatureNote,
    SlotInfo,
    SlotNote,
    SlotWatch,
    Watch,
    read_frame,
)

SLOTS_AHEAD = 100_000


@dataclass(slots=True)
class Counts:
    """What came: frames, and of these the late, those of no subscription, and those that could not be read."""

    frames: int = 0
    stale: int = 0
    unknown: int = 0
    bad: int = 0


@dataclass(slots=True, eq=False)
class Subscription:
    """A watch, who hears of it, and whether it is in force. ``error`` is the node's last refusal."""

    watch: Watch
    on_note: Callable[[Any], None]
    on_live: Callable[[], None] | None = None
    number: int | None = None
    error: RpcError | None = None
    slots: dict[str, int] = field(default_factory=dict)

    @property
    def live(self) -> bool:
        """Whether the node has confirmed it on the connection there is."""
        return self.number is not None

    def is_late(self, key: str, slot: int) -> bool:
        """Whether something newer was told of ``key``; where not, this is the newest now."""
        if slot < self.slots.get(key, 0):
            return True
        self.slots[key] = slot
        return False


class Subscriptions:
    """A client of a node's WebSocket interface; ``async with`` opens and closes it.

    ``on_gap`` and ``on_slot`` are lists of callbacks: the reason of a gap, and each new slot. ``slot`` is the newest
    slot told, ``tip`` the highest in any note. ``trouble`` is one line on what is wrong, ``None`` while nothing is.
    """

    def __init__(
        self,
        endpoints: Sequence[str],
        *,
        commitment: Commitment = "confirmed",
        patience: Patience | None = None,
        clock: Callable[[], int] = time.monotonic_ns,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.commitment: Commitment = commitment
        self.on_gap: list[Callable[[str], None]] = []
        self.on_slot: list[Callable[[SlotInfo], None]] = []
        self.slot = self.tip = 0
        self.trouble: str | None = "not connected yet"
        self.counts = Counts()
        self._patience, self._clock = patience or Patience(), clock
        self._socket = KeptSocket(endpoints, self, patience=self._patience, clock=clock, sleep=sleep, jitter=jitter)
        self._wanted: list[Subscription] = []
        self._by_number: dict[int, list[Subscription]] = {}
        self._unanswered: dict[int, tuple[Subscription, int]] = {}
        self._ask_again_ns: int | None = None
        self._id = 0
        self.add(SlotWatch(), self._on_slot)

    def __repr__(self) -> str:
        return f"Subscriptions({', '.join(endpoint.name for endpoint in self._socket.endpoints.all)})"

    async def __aenter__(self) -> Self:
        self._socket.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """End the connection and the client."""
        await self._socket.close()

    @property
    def connected(self) -> bool:
        """Whether there is a connection. Whether it is alive, the slots tell."""
        return self._socket.connected

    @property
    def connections(self) -> int:
        """How many connections there have been."""
        return self._socket.connections

    def add(
        self, watch: Watch, on_note: Callable[[Any], None], on_live: Callable[[], None] | None = None
    ) -> Subscription:
        """Subscribe, now and on every connection to come.

        ``on_note`` gets ``AccountNote``, ``ProgramNote``, ``LogsNote`` or ``SignatureNote`` by the kind of watch, and
        ``SlotInfo`` for slots. A ``SignatureWatch`` ends with its note.
        """
        subscription = Subscription(watch, on_note, on_live)
        self._wanted.append(subscription)
        if self.connected:
            self._subscribe(subscription)
        return subscription

    def remove(self, subscription: Subscription) -> None:
        """Unsubscribe; nothing more is told of it."""
        if subscription in self._wanted:
            self._wanted.remove(subscription)
        number, subscription.number = subscription.number, None
        if number is None:
            return
        sharing = self._by_number[number]
        sharing.remove(subscription)
        if not sharing:
            del self._by_number[number]
            self._request(f"{subscription.watch.topic}Unsubscribe", [number])

    def opened(self) -> None:
        """Subscribe to everything on a new connection."""
        for subscription in self._wanted:
            self._subscribe(subscription)

    def lost(self, why: str) -> None:
        """Mark everything as not in force, and tell of the gap."""
        self.trouble = why
        self._by_number.clear()
        self._unanswered.clear()
        self._ask_again_ns = None
        for subscription in self._wanted:
            subscription.number = None
        for tell in self.on_gap:
            tell(why)

    def frame(self, frame: bytes) -> None:
        """Read a frame and hand on what it says."""
        self.counts.frames += 1
        try:
            note = read_frame(frame)
        except BadFrameError as error:
            self.counts.bad += 1
            raise LostError(str(error)) from None
        if isinstance(note, Ack):
            self._answered(note)
            return
        told = self._by_number.get(note.params.subscription, ())
        if not told:
            self.counts.unknown += 1
        if isinstance(note, SlotNote):
            for subscription in told:
                subscription.on_note(note.params.result)
        else:
            self._deliver(note, tuple(told))

    def _deliver(
        self, note: AccountNote | ProgramNote | LogsNote | SignatureNote, told: tuple[Subscription, ...]
    ) -> None:
        slot = note.params.result.context.slot
        if slot > self.tip and self.slot:
            self.tip = self._within_reason(slot)
        for subscription in told:
            if isinstance(note, AccountNote):
                late = subscription.is_late("", slot)
            elif isinstance(note, ProgramNote):
                late = subscription.is_late(note.params.result.value.pubkey, slot)
            else:
                late = False
                if isinstance(note, SignatureNote):
                    self._end(subscription)
            if late:
                self.counts.stale += 1
            else:
                subscription.on_note(note)

    def _within_reason(self, slot: int) -> int:
        if self.slot and slot > self.slot + SLOTS_AHEAD:
            raise LostError(f"told of slot {slot}, when the chain is at {self.slot}")
        return slot

    def _end(self, subscription: Subscription) -> None:
        """Forget a subscription that the node has ended."""
        self._by_number.pop(subscription.number or 0, None)
        self._wanted.remove(subscription)
        subscription.number = None

    def _on_slot(self, info: SlotInfo) -> None:
        if info.slot <= self.slot:
            self.counts.stale += 1
            return
        self.slot = self._within_reason(info.slot)
        self.tip = max(self.tip, info.slot)
        self._socket.alive()
        self._check_answers()
        for tell in self.on_slot:
            tell(info)

    def _check_answers(self) -> None:
        now_ns = self._clock()
        for subscription, asked_ns in self._unanswered.values():
            if now_ns - asked_ns > self._patience.answer_ms * MILLISECOND_NS:
                raise LostError(f"{subscription.watch.topic}Subscribe was not answered")
            break
        refused = [each for each in self._wanted if each.error is not None and not each.live]
        self.trouble = str(refused[0].error) if refused else None
        if refused and self._ask_again_ns is not None and now_ns >= self._ask_again_ns:
            self._ask_again_ns = None
            for subscription in refused:
                self._subscribe(subscription)

    def _subscribe(self, subscription: Subscription) -> None:
        number = self._request(f"{subscription.watch.topic}Subscribe", subscription.watch.params(self.commitment))
        self._unanswered[number] = subscription, self._clock()

    def _request(self, method: str, params: list[Any]) -> int:
        self._id += 1
        request = {"jsonrpc": "2.0", "id": self._id, "method": method, "params": params}
        self._socket.send(msgspec.json.encode(request).decode())
        return self._id

    def _answered(self, ack: Ack) -> None:
        subscription, _ = self._unanswered.pop(ack.id, (None, 0)) if isinstance(ack.id, int) else (None, 0)
        if subscription is None:
            self.counts.unknown += 1
        elif ack.error is not None or type(ack.result) is not int:
            fault = ack.error
            subscription.error = RpcError(fault.code, fault.message, fault.data) if fault else RpcError(0, "no number")
            self._ask_again_ns = self._ask_again_ns or self._clock() + self._patience.answer_ms * MILLISECOND_NS
        elif subscription in self._wanted:
            self._in_force(subscription, ack.result)
        elif ack.result not in self._by_number:
            self._request(f"{subscription.watch.topic}Unsubscribe", [ack.result])

    def _in_force(self, subscription: Subscription, number: int) -> None:
        subscription.number, subscription.error = number, None
        self._by_number.setdefault(number, []).append(subscription)
        if subscription.on_live is not None:
            subscription.on_live()
