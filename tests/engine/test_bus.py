"""The bus: nobody who watches can hold up or break the engine."""

from __future__ import annotations

import pytest

from drift_engine.bus import Bus, SignalBus, Topic
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


def test_a_reader_is_woken_by_each_event() -> None:
    bus, woken = Bus(), []
    bus.subscribe(wake=lambda: woken.append(1))
    bus.publish(1, Ticked(1, 0))
    assert woken == [1]


# --------------------------------------------------------------------------- typed topics

PRICES: Topic[dict[str, int]] = Topic("price", dict, key=lambda row: row["market"])
WORDS: Topic[str] = Topic("word", str)


def test_a_late_reader_gets_the_last_of_each_key_and_then_the_stream_without_a_seam() -> None:
    bus = SignalBus()
    for market, price in ((1, 10), (2, 20), (1, 11)):
        bus.publish(PRICES, {"market": market, "price": price})
    late = bus.subscribe(PRICES)
    assert late.snapshot == [{"market": 1, "price": 11}, {"market": 2, "price": 20}]
    assert late.last_seq == 3
    bus.publish(PRICES, {"market": 2, "price": 21})
    assert late.take() == [(4, {"market": 2, "price": 21})]
    assert late.lost == 0


def test_topics_are_numbered_apart_and_carry_one_type() -> None:
    bus = SignalBus()
    words = bus.subscribe(WORDS)
    assert (bus.publish(WORDS, "a"), bus.publish(PRICES, {"market": 1}), bus.publish(WORDS, "b")) == (1, 1, 2)
    assert words.take() == [(1, "a"), (2, "b")]
    assert words.snapshot == bus.snapshot(WORDS) == []
    with pytest.raises(TypeError, match=r"word.*str, not dict"):
        bus.publish(WORDS, {})  # type: ignore[misc]


def test_a_slow_reader_of_a_topic_loses_the_oldest_and_sees_the_hole() -> None:
    bus = SignalBus()
    slow = bus.subscribe(WORDS, limit=2)
    for word in "abcde":
        bus.publish(WORDS, word)
    assert slow.take() == [(4, "d"), (5, "e")]
    assert slow.lost == 3


def test_a_listener_that_fails_harms_nobody() -> None:
    bus = SignalBus()
    heard: list[str] = []

    def broken(_word: str) -> None:
        raise RuntimeError("broken")

    bus.listen(WORDS, broken)
    end = bus.listen(WORDS, heard.append)
    reader = bus.subscribe(WORDS)
    bus.publish(WORDS, "a")
    end()
    bus.publish(WORDS, "b")
    assert heard == ["a"]
    assert [seq for seq, _ in reader.take()] == [1, 2]
    assert [str(error) for _, error in bus.failures] == ["broken", "broken"]
    bus.unsubscribe(WORDS, reader)
    bus.publish(WORDS, "c")
    assert reader.take() == []


async def test_a_reader_waits_for_news() -> None:
    bus = SignalBus()
    reader = bus.subscribe(WORDS)
    bus.publish(WORDS, "a")
    bus.publish(WORDS, "b")
    assert await reader.wait() == [(1, "a"), (2, "b")]
