"""The bus: nobody who watches can hold up or break the engine."""

from __future__ import annotations

from drift_engine.bus import Bus
from drift_engine.core.types import Ticked


def test_each_reader_gets_every_event_in_order() -> None:
    bus = Bus()
    first, second = bus.subscribe(), bus.subscribe()
    bus.publish(1, Ticked(1, 0))
    assert first.take() == second.take() == [(1, Ticked(1, 0))]
    assert first.take() == []


def test_a_slow_reader_loses_the_oldest_and_sees_the_hole() -> None:
    bus = Bus()
    slow = bus.subscribe(limit=2)
    bus.publish(1, Ticked(1, 0))
    slow.take()
    for seq in range(2, 7):
        bus.publish(seq, Ticked(seq, 0))
    assert [seq for seq, _ in slow.take()] == [5, 6]
    assert slow.lost == 3


def test_who_left_gets_nothing_more() -> None:
    bus = Bus()
    reader = bus.subscribe()
    bus.unsubscribe(reader)
    bus.publish(1, Ticked(1, 0))
    assert reader.take() == []
    assert bus.subscriptions == []
