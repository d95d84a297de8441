"""The order book server's socket: double-encoded data, heartbeats, silence, old slots, broken frames."""

import json
from typing import Any

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st
from service_stage import Sockets, sockets
from test_dlob import FEES, L2

from drift_engine.venues.dlob.stream import (
    Acknowledged,
    BookTold,
    Channel,
    ChannelRefused,
    DlobEvent,
    DlobStream,
    DlobUnknown,
    FeesTold,
    Heartbeat,
    TradeTold,
)
from drift_engine.venues.http import InvalidRequestError
from drift_engine.venues.market_id import MarketId
from drift_engine.venues.streams.live_socket import Gap, Patience

QUICK = Patience(first_wait_s=0.01, longest_wait_s=0.02, silence_s=5)
BOOKS, TRADES, PRICES = (
    Channel("orderbook", "SOL-PERP", 10),
    Channel("trades", "SOL-PERP"),
    Channel("priorityfees", "SOL-PERP"),
)
BOOK = "orderbook_perp_0_grouped_10"
TRADE = {
    "ts": 1_790_000_000,
    "marketIndex": 0,
    "marketType": "perp",
    "filler": "F",
    "takerFee": 0.5 + 0.02 / 10,
    "makerFee": -0.0125,
    "baseAssetAmountFilled": 0.1 + 0.2,
    "quoteAssetAmountFilled": 45.003,
    "taker": "T",
    "takerOrderId": 40,
    "takerOrderDirection": "long",
    "maker": None,
    "oraclePrice": 150.01,
    "txSig": "5x",
    "slot": 9,
    "fillRecordId": 12,
    "action": "fill",
    "actionExplanation": "orderFilledWithMatch",
}


def told(channel: str, data: object) -> str:
    return json.dumps({"channel": channel, "data": json.dumps(data)})


async def play_all(frames: list[str], count: int, **kwargs: Any) -> tuple[list[DlobEvent], DlobStream]:
    async def play(made: Sockets, socket: web.WebSocketResponse, number: int) -> None:
        for frame in frames:
            await socket.send_str(frame)
        await socket.receive()

    async with sockets(play) as made, DlobStream(made.url, patience=QUICK, **kwargs) as stream:
        events = [await anext(stream) for _ in range(count)]
    return events, stream


async def test_books_trades_fees_and_heartbeats() -> None:
    frames = [
        json.dumps({"message": "Subscribe received for channel: orderbook, market: SOL-PERP, marketType: perp"}),
        told(BOOK, L2),
        told("orderbook_perp_0_grouped_1_indicative", L2),
        told("orderbook_perp_0", L2),
        told("trades_perp_0", TRADE),
        told("priorityFees_perp_0", FEES),
        '{"channel":"heartbeat"}',
    ]
    (ack, book, indicative, plain, trade, fees, heartbeat), stream = await play_all(frames, 7)
    assert isinstance(ack, Acknowledged)
    assert isinstance(book, BookTold)
    assert (book.grouping, book.indicative, book.book.bids[0].price_e6) == (10, False, 150_000_000)
    assert isinstance(indicative, BookTold)
    assert (indicative.grouping, indicative.indicative) == (1, True)
    assert isinstance(plain, BookTold)
    assert plain.grouping == 1
    assert isinstance(trade, TradeTold)
    assert (trade.trade.base_e9, trade.trade.quote_e6, trade.trade.taker_fee_e6) == (300_000_000, 45_003_000, 502_000)
    assert (trade.trade.maker_fee_e6, trade.trade.oracle_e6, trade.trade.maker) == (-12_500, 150_010_000, None)
    assert (trade.trade.slot, trade.trade.ts, trade.trade.taker_direction) == (9, 1_790_000_000, "long")
    assert isinstance(fees, FeesTold)
    assert (fees.fees.market, fees.fees.medium) == (MarketId("perp", 0), 10_082)
    assert isinstance(heartbeat, Heartbeat)
    assert stream.dropped == 0


async def test_grouped_levels_are_numbers_and_data_may_be_encoded_once_or_thrice() -> None:
    grouped = L2 | {"bids": [{"price": 150_000_000, "size": 16_081_910_000_000_000.0, "sources": {"dlob": 3.0}}]}
    frames = [
        json.dumps({"channel": BOOK, "data": grouped}),
        json.dumps({"channel": BOOK, "data": json.dumps(grouped)}),
        json.dumps({"channel": BOOK, "data": json.dumps(json.dumps(grouped))}),
    ]
    events, _ = await play_all(frames, 3)
    for event in events:
        assert isinstance(event, BookTold)
        assert event.book.bids[0].size_e9 == 16_081_910_000_000_000


async def test_a_book_older_than_the_last_one_is_dropped() -> None:
    slots = [10, 12, 11, 12, 9, 13]
    frames = [told(BOOK, L2 | {"slot": slot}) for slot in slots] + [
        told("orderbook_perp_0_grouped_1", L2 | {"slot": 5})
    ]
    events, stream = await play_all(frames, 5)
    assert [event.book.slot for event in events if isinstance(event, BookTold)] == [10, 12, 12, 13, 5]
    assert stream.dropped == 2


async def test_a_book_without_slot_is_told() -> None:
    (event,), _ = await play_all([told(BOOK, {name: value for name, value in L2.items() if name != "slot"})], 1)
    assert isinstance(event, BookTold)
    assert event.book.slot is None


@pytest.mark.parametrize(
    ("frame", "channel", "why"),
    [
        ("{", "", "truncated"),
        ("[]", "", "Expected"),
        ('{"data":"{}"}', "", "no such channel"),
        (told("liquidations_perp_0", {}), "liquidations_perp_0", "no such channel"),
        (told(BOOK, {}), BOOK, "missing required field"),
        (json.dumps({"channel": BOOK}), BOOK, ""),
        (json.dumps({"channel": BOOK, "data": "{"}), BOOK, "truncated"),
        (told("orderbook_perp_1_grouped_1", L2), "orderbook_perp_1_grouped_1", "in the channel of perp market 1"),
        (told("orderbook_spot_0_grouped_1", L2), "orderbook_spot_0_grouped_1", "in the channel of spot market 0"),
        (told("trades_spot_0", TRADE | {"marketType": "spot"}), "trades_spot_0", "spot trade"),
        (told("trades_perp_0", TRADE | {"baseAssetAmountFilled": 0.00000000051}), "trades_perp_0", "more than 9"),
        (told("trades_perp_0", TRADE | {"quoteAssetAmountFilled": None}), "trades_perp_0", "Expected"),
        (told("priorityFees_perp_0", {}), "priorityFees_perp_0", "without a level"),
    ],
)
async def test_what_cannot_be_read_is_surfaced(frame: str, channel: str, why: str) -> None:
    (event,), _ = await play_all([frame], 1)
    assert isinstance(event, DlobUnknown)
    assert (event.channel, event.raw) == (channel, frame.encode())
    assert why in event.why


async def test_a_refused_subscription_is_told() -> None:
    frame = json.dumps({"channel": "orderbook", "error": "Error subscribing to channel"})
    (event,), _ = await play_all([frame], 1)
    assert event == ChannelRefused("orderbook", "Error subscribing to channel")


@given(
    st.text(max_size=100) | st.builds(lambda text: json.dumps({"channel": BOOK, "data": text}), st.text(max_size=50))
)
def test_noise_becomes_an_event_and_nothing_else(text: str) -> None:
    event = DlobStream("ws://h")._read(text)
    assert event is not None


async def test_subscriptions_are_made_on_every_connection() -> None:
    async def play(made: Sockets, socket: web.WebSocketResponse, number: int) -> None:
        for _ in range(3 if number == 0 else 2):
            await made.hear(socket, number)
        await socket.send_str('{"channel":"heartbeat"}')
        if number == 0:
            assert (await made.hear(socket, number))["type"] == "unsubscribe"
            await socket.send_str('{"channel":"heartbeat"}')
        else:
            await socket.receive()

    gaps: list[Gap] = []

    async def on_gap(gap: Gap) -> None:
        gaps.append(gap)

    async with sockets(play) as made, DlobStream(made.url, on_gap=on_gap, patience=QUICK) as stream:
        for channel in (BOOKS, TRADES, PRICES, BOOKS):
            await stream.subscribe(channel)
        assert stream.silent_ms is None
        await anext(stream)
        await stream.unsubscribe(TRADES)
        await stream.unsubscribe(TRADES)
        assert [await anext(stream), await anext(stream)] == [Heartbeat()] * 2
        assert stream.connected
        assert stream.silent_ms is not None
        assert stream.silent_ms >= 0
    base = {"type": "subscribe", "marketType": "perp", "market": "SOL-PERP"}
    book, trades, fees = (
        base | {"channel": "orderbook", "grouping": 10},
        base | {"channel": "trades"},
        base | {"channel": "priorityfees"},
    )
    assert made.heard == [[book, trades, fees, trades | {"type": "unsubscribe"}], [book, fees]]
    assert len(gaps) == 1


async def test_missing_heartbeats_are_a_lost_connection() -> None:
    async def play(made: Sockets, socket: web.WebSocketResponse, number: int) -> None:
        await socket.send_str('{"channel":"heartbeat"}')
        await socket.receive()

    gaps: list[Gap] = []

    async def on_gap(gap: Gap) -> None:
        gaps.append(gap)

    patience = Patience(first_wait_s=0.01, longest_wait_s=0.02, silence_s=0.1)
    async with sockets(play) as made, DlobStream(made.url, on_gap=on_gap, patience=patience) as stream:
        for _ in range(3):
            assert await anext(stream) == Heartbeat()
    assert [gap.why for gap in gaps] == ["nothing heard for 0.1 s"] * 2
    assert all(gap.back_ns - gap.lost_ns >= 90_000_000 for gap in gaps)


async def test_a_grouping_the_server_would_ignore_is_refused() -> None:
    async with DlobStream("ws://127.0.0.1:1") as stream:
        with pytest.raises(InvalidRequestError, match="grouping 5 is none of 1, 10, 100, 500, 1000"):
            await stream.subscribe(Channel("orderbook", "SOL-PERP", 5))
