"""What happened, for those who watch: publishing never waits for a reader, and nothing a reader does comes back.

Each reader has a bounded queue of its own. When it is full the oldest goes, and the reader sees the hole in ``seq``.

``Bus`` carries one engine's events, numbered by the ledger. ``SignalBus`` carries messages of several typed topics,
each numbered from 1, and keeps the last one of each key for those who come late: a snapshot first, then the stream,
with nothing between them lost or told twice. Both belong to one event loop's thread.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from drift_engine.core.types import Event

T = TypeVar("T")


class Subscription:
    """One reader's queue of ``(seq, event)``. ``wake`` is called at each event; it must not fail."""

    def __init__(self, limit: int, wake: Callable[[], None] | None = None) -> None:
        self._queue: deque[tuple[int, Event]] = deque(maxlen=limit)
        self._wake = wake
        self._last_seq = 0
        self.lost = 0

    def take(self) -> list[tuple[int, Event]]:
        """Return what came since the last call and count in ``lost`` what fell out before it was read."""
        taken = []
        while self._queue:
            seq, event = self._queue.popleft()
            if self._last_seq:
                self.lost += seq - self._last_seq - 1
            self._last_seq = seq
            taken.append((seq, event))
        return taken

    def push(self, seq: int, event: Event) -> None:
        """Add an event; the oldest goes when the queue is full."""
        self._queue.append((seq, event))
        if self._wake is not None:
            self._wake()


class Bus:
    """Fan-out of applied events."""

    def __init__(self) -> None:
        self.subscriptions: list[Subscription] = []

    def subscribe(self, limit: int = 1_000, wake: Callable[[], None] | None = None) -> Subscription:
        """Return a new reader's queue; it starts with the next event."""
        subscription = Subscription(limit, wake)
        self.subscriptions.append(subscription)
        return subscription

    def unsubscribe(self, subscription: Subscription) -> None:
        """Forget a reader."""
        self.subscriptions.remove(subscription)

    def publish(self, seq: int, event: Event) -> None:
        """Hand an event to every reader's queue."""
        for subscription in self.subscriptions:
            subscription.push(seq, event)


# --------------------------------------------------------------------------- typed topics


class Topic(Generic[T]):
    """A kind of message. ``key`` says which earlier one a new one replaces in the snapshot; without it none is kept.

    Topics are told apart by identity; ``name`` is for people.
    """

    def __init__(self, name: str, kind: type[T], key: Callable[[T], object] | None = None) -> None:
        self.name, self.kind, self.key = name, kind, key

    def __repr__(self) -> str:
        return f"Topic({self.name})"


class Reader(Generic[T]):
    """One reader of one topic: ``snapshot`` is what was known when it came, up to ``last_seq``; then it takes."""

    def __init__(self, seq: int, snapshot: list[T], limit: int) -> None:
        self.snapshot, self.lost = snapshot, 0
        self._queue: deque[tuple[int, T]] = deque(maxlen=limit)
        self.last_seq, self._news = seq, asyncio.Event()

    def push(self, seq: int, message: T) -> None:
        """Add a message; the oldest goes when the queue is full."""
        self._queue.append((seq, message))
        self._news.set()

    def take(self) -> list[tuple[int, T]]:
        """Return what came since the last call and count in ``lost`` what fell out before it was read."""
        taken = []
        while self._queue:
            seq, message = self._queue.popleft()
            self.lost += seq - self.last_seq - 1
            self.last_seq = seq
            taken.append((seq, message))
        self._news.clear()
        return taken

    async def wait(self) -> list[tuple[int, T]]:
        """Wait until something came, and take it."""
        await self._news.wait()
        return self.take()


class SignalBus:
    """Fan-out of typed topics. ``failures`` holds the last errors of listeners: they reach nobody else."""

    def __init__(self) -> None:
        self._seq: dict[Topic[Any], int] = {}
        self._kept: dict[Topic[Any], dict[object, Any]] = {}
        self._readers: dict[Topic[Any], list[Reader[Any]]] = {}
        self._listeners: dict[Topic[Any], list[Callable[[Any], object]]] = {}
        self.failures: deque[tuple[Topic[Any], Exception]] = deque(maxlen=100)

    def publish(self, topic: Topic[T], message: T) -> int:
        """Hand a message to every reader and listener; return its number. Raises ``TypeError`` for a foreign one."""
        if not isinstance(message, topic.kind):
            raise TypeError(f"{topic} carries {topic.kind.__name__}, not {type(message).__name__}")
        seq = self._seq[topic] = self._seq.get(topic, 0) + 1
        if topic.key is not None:
            self._kept.setdefault(topic, {})[topic.key(message)] = message
        for reader in self._readers.get(topic, ()):
            reader.push(seq, message)
        for listener in tuple(self._listeners.get(topic, ())):
            try:
                listener(message)
            except Exception as error:  # noqa: BLE001 - a listener's fault is its own, and is kept to be looked at
                self.failures.append((topic, error))
        return seq

    def subscribe(self, topic: Topic[T], limit: int = 1_000) -> Reader[T]:
        """Return a new reader: what is known now, and a queue that starts with the next message."""
        reader: Reader[T] = Reader(self._seq.get(topic, 0), self.snapshot(topic), limit)
        self._readers.setdefault(topic, []).append(reader)
        return reader

    def unsubscribe(self, topic: Topic[T], reader: Reader[T]) -> None:
        """Forget a reader."""
        self._readers[topic].remove(reader)

    def listen(self, topic: Topic[T], listener: Callable[[T], object]) -> Callable[[], None]:
        """Call ``listener`` with each message, at once, so it must be quick. Return what ends that."""
        self._listeners.setdefault(topic, []).append(listener)
        return lambda: self._listeners[topic].remove(listener)

    def snapshot(self, topic: Topic[T]) -> list[T]:
        """Return the last message of each key."""
        return list(self._kept.get(topic, {}).values())
