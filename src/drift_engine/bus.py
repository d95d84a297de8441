"""What happened, for those who watch: the engine publishes, and never waits for a viewer.

Each subscriber has a bounded queue of its own. When it is full the oldest goes, and the reader sees the hole in
``seq``; a status read afterwards brings it up to date. Nothing a subscriber does reaches the publisher.
"""

from collections import deque

from drift_engine.core.types import Event


class Subscription:
    """One reader's queue of ``(seq, event)``."""

    def __init__(self, limit: int) -> None:
        self._queue: deque[tuple[int, Event]] = deque(maxlen=limit)
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


class Bus:
    """Fan-out of applied events."""

    def __init__(self) -> None:
        self.subscriptions: list[Subscription] = []

    def subscribe(self, limit: int = 1_000) -> Subscription:
        """Return a new reader's queue; it starts with the next event."""
        subscription = Subscription(limit)
        self.subscriptions.append(subscription)
        return subscription

    def unsubscribe(self, subscription: Subscription) -> None:
        """Forget a reader."""
        self.subscriptions.remove(subscription)

    def publish(self, seq: int, event: Event) -> None:
        """Hand an event to every reader's queue."""
        for subscription in self.subscriptions:
            subscription.push(seq, event)
