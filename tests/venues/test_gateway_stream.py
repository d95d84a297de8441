"""The gateway's event stream: every documented event, and what happens when the connection does not hold."""

import asyncio
import json
import time
from decimal import Decimal
from typing import Any

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st
from service_stage import Sockets, sockets

from drift_engine.venues.gateway.event_wire import read_event
from drift_engine.venues.gateway.events import (
    AccountEvent,
    Fill,
    FundingSettled,
    OrderCanceled,
    OrderCancelMissing,
    OrderCreated,
    OrderExpired,
    OrderTriggered,
    Swapped,
    Unknown,
)
from drift_engine.venues.gateway.messages import Scales
from drift_engine.venues.gateway.stream import GatewayStream, StreamRefused, Told
from drift_engine.venues.http import InvalidRequestError, UnreachableError
from drift_engine.venues.market_id import MarketId
from drift_engine.venues.streams.live_socket import Gap, Patience

SIG = "2Cdo5Xgxj6uWY6dnWmuU5a8tH5fKC2K6YUqzVYKgnm8KkMVhPczBZrNEs4VGwEBMhgosifmNjBXSjFMWbGKJiqSz"
SCALES = Scales({0: 6, 1: 9})
QUICK = Patience(first_wait_s=0.01, longest_wait_s=0.02)
ORDER = {
    "slot": 271243169,
    "price": "0",
    "amount": "0.1",
    "filled": "0",
    "triggerPrice": "0",
    "auctionStartPrice": "-1.5",
    "auctionEndPrice": "0",
    "maxTs": 0,
    "oraclePriceOffset": "2",
    "orderId": 157,
    "marketIndex": 0,
    "orderType": "triggerLimit",
    "marketType": "perp",
    "userOrderId": 102,
    "direction": "sell",
    "reduceOnly": False,
    "postOnly": False,
    "auctionDuration": 0,
}
FILL = {
    "side": "sell",
    "fee": "-0.100549",
    "amount": "0.0326",
    "price": "61687",
    "oraclePrice": "61335.477737",
    "orderId": 11198929,
    "marketIndex": 1,
    "marketType": "perp",
    "ts": 1709248100,
    "txIdx": 12,
    "signature": SIG,
    "maker": "B24N",
    "makerOrderId": 11198929,
    "makerFee": "-0.100549",
    "taker": "Fii4",
    "takerOrderId": 40,
    "takerFee": "0.502750",
}
TAIL = {"ts": 5, "signature": SIG, "txIdx": 15}

EVENTS: list[tuple[dict[str, Any], AccountEvent]] = [
    ({"orderCancel": {"orderId": 156, **TAIL}}, OrderCanceled(156, 5, SIG, 15)),
    ({"orderExpire": {"orderId": 156, "fee": "-0.0012", "ts": 5, "signature": SIG}}, OrderExpired(156, 1200, 5, SIG)),
    (
        {"orderCancelMissing": {"userOrderId": 5, "orderId": 0, "ts": 1, "signature": SIG}},
        OrderCancelMissing(0, 5, SIG),
    ),
    ({"trigger": {"orderId": 9, "oraclePrice": 150_000_000}}, OrderTriggered(9, 150_000_000)),
    ({"fundingPayment": {"amount": "-0.005558", "marketIndex": 0, **TAIL}}, FundingSettled(0, -5558, 5, SIG, 15)),
    (
        {"swap": {"amountIn": "2.000000", "amountOut": "0.013732454", "marketIn": 0, "marketOut": 1, **TAIL}},
        Swapped(sold_market=0, sold=2_000_000, bought_market=1, bought=13_732_454, ts=5, signature=SIG, tx_idx=15),
    ),
    (
        {"orderCreate": {"order": ORDER, **TAIL}},
        OrderCreated(
            order_id=157,
            user_order_id=102,
            market=MarketId("perp", 0),
            decimals=9,
            kind="trigger_limit",
            amount=-100_000_000,
            filled=0,
            price_e6=0,
            trigger_e6=0,
            auction_start_e6=-1_500_000,
            auction_end_e6=0,
            auction_duration=0,
            oracle_offset_e6=2_000_000,
            max_ts=0,
            reduce_only=False,
            post_only=False,
            immediate_or_cancel=None,
            slot=271243169,
            ts=5,
            signature=SIG,
            tx_idx=15,
        ),
    ),
    (
        {"fill": FILL},
        Fill(
            order_id=11198929,
            market=MarketId("perp", 1),
            decimals=9,
            amount=-32_600_000,
            quote_e6=2_010_996_200,
            price=Decimal(61687),
            oracle_e6=61_335_477_737,
            fee_e6=-100_549,
            ts=1709248100,
            signature=SIG,
            tx_idx=12,
            maker="B24N",
            maker_order_id=11198929,
            maker_fee_e6=-100_549,
            taker="Fii4",
            taker_order_id=40,
            taker_fee_e6=502_750,
        ),
    ),
]


def frame(data: object, channel: str = "orders", sub_account: int = 0) -> str:
    return json.dumps({"data": data, "channel": channel, "subAccountId": sub_account})


@pytest.mark.parametrize(("data", "event"), EVENTS, ids=lambda each: next(iter(each)) if isinstance(each, dict) else "")
def test_documented_events(data: dict[str, Any], event: AccountEvent) -> None:
    assert read_event(json.dumps(data).encode(), SCALES) == event


@pytest.mark.parametrize("data", [each for each, _ in EVENTS], ids=lambda each: next(iter(each)))
def test_an_event_without_a_field_is_surfaced_with_its_kind(data: dict[str, Any]) -> None:
    ((kind, fields),) = data.items()
    for name in fields:
        if name in {"maker", "makerFee", "makerOrderId", "taker", "takerFee", "takerOrderId"} or (kind, name) in {
            ("fill", "txIdx"),
            ("orderCancelMissing", "ts"),
        }:
            continue
        event = read_event(json.dumps({kind: {k: v for k, v in fields.items() if k != name}}).encode(), SCALES)
        assert isinstance(event, Unknown)
        assert event.kind == kind
        assert name in event.why


@pytest.mark.parametrize(
    ("data", "kind", "why"),
    [
        ({"liquidation": {}}, "liquidation", "no such kind"),
        ({}, "", "0 kinds"),
        ({"fill": {}, "swap": {}}, "", "2 kinds"),
        ([], "", "Expected"),
        ({"fill": FILL | {"fee": "0.0000001"}}, "fill", "more than 6 decimals"),
        ({"fill": FILL | {"marketType": "spot", "marketIndex": 7}}, "fill", "spot_decimals"),
        ({"fill": FILL | {"amount": "1e999999999"}}, "fill", "no amount"),
        ({"orderCreate": {"order": ORDER | {"orderType": "scale"}, **TAIL}}, "orderCreate", "no order type"),
    ],
)
def test_what_is_not_known_here_is_surfaced(data: object, kind: str, why: str) -> None:
    raw = json.dumps(data).encode()
    event = read_event(raw, SCALES)
    assert isinstance(event, Unknown)
    assert (event.kind, event.raw) == (kind, raw)
    assert why in event.why


@given(st.integers(1, 10**18), st.integers(1, 10**17))
def test_the_quote_amount_is_found_back_from_the_printed_price(base_e9: int, quote_e6: int) -> None:
    """The gateway prints quote / base with the 28 digits of rust_decimal."""
    price = (Decimal(quote_e6) / 10**6) / (Decimal(base_e9) / 10**9)  # Python's default context has 28 digits too
    text = f"{price:.28f}"
    data = {"fill": FILL | {"price": text, "amount": f"{Decimal(base_e9) / 10**9:f}"}}
    event = read_event(json.dumps(data).encode(), SCALES)
    assert isinstance(event, Fill)
    assert event.quote_e6 in {quote_e6, None}
    if quote_e6 < 10**15 and base_e9 < 10**15:
        assert event.quote_e6 == quote_e6


def test_a_price_too_short_to_find_the_quote_back_leaves_it_unknown() -> None:
    event = read_event(json.dumps({"fill": FILL | {"amount": "0.000000333", "price": "3"}}).encode(), SCALES)
    assert isinstance(event, Fill)
    assert event.quote_e6 == 1 or event.quote_e6 is None


@given(st.binary(max_size=200))
def test_noise_is_an_unknown_event_and_nothing_else(raw: bytes) -> None:
    assert isinstance(read_event(raw, SCALES), Unknown)


async def take(stream: GatewayStream, count: int) -> list[Told | StreamRefused]:
    taken = []
    async for told in stream:
        taken.append(told)
        if len(taken) == count:
            break
    return taken


async def test_subscribing_hearing_and_leaving() -> None:
    async def play(made: Sockets, socket: web.WebSocketResponse, number: int) -> None:
        assert await made.hear(socket, number) == {"method": "subscribe", "subAccountId": 0}
        for data, _ in EVENTS:
            await socket.send_str(frame(data))
        assert await made.hear(socket, number) == {"method": "subscribe", "subAccountId": 3}
        await socket.send_str(frame({"fill": FILL}, "fills", 3))
        assert await made.hear(socket, number) == {"method": "unsubscribe", "subAccountId": 0}
        await socket.send_str('{"error":"bad request","reason":"unknown field"}')
        await socket.send_str('{"error":"bad request"}')
        await socket.send_str("not json")
        await socket.send_bytes(b'{"subAccountId":4}')
        await socket.receive()

    async with sockets(play) as made, GatewayStream(made.url, spot_decimals={0: 6, 1: 9}) as stream:
        await stream.subscribe(0)
        assert not stream.connected
        assert await take(stream, len(EVENTS)) == [Told(0, event) for _, event in EVENTS]
        assert stream.connected
        await stream.subscribe(3)
        await stream.subscribe(3)
        (told,) = await take(stream, 1)
        assert isinstance(told, Told)
        assert told.sub_account == 3
        await stream.unsubscribe(0)
        await stream.unsubscribe(0)
        assert await take(stream, 2) == [StreamRefused("bad request: unknown field"), StreamRefused("bad request")]
        noise, empty = await take(stream, 2)
        assert isinstance(noise, Told)
        assert isinstance(noise.event, Unknown)
        assert noise.event.raw == b"not json"
        assert empty == Told(4, Unknown("", "a frame without data", b'{"subAccountId":4}'))


async def test_fifty_cuts_lose_nothing_that_was_told_and_every_gap_is_called_first() -> None:
    order: list[str] = []

    async def play(made: Sockets, socket: web.WebSocketResponse, number: int) -> None:
        for _ in range(2):
            await made.hear(socket, number)
        await socket.send_str(frame({"orderCancel": {"orderId": number, **TAIL}}))
        if number % 2:
            await socket.close(code=1011, message=b"restart")

    async def on_gap(gap: Gap) -> None:
        order.append(f"gap {gap.why}")
        assert gap.lost_ns <= gap.back_ns
        assert (gap.service, gap.attempts) == ("gateway stream", 1)

    async with sockets(play) as made, GatewayStream(made.url, on_gap=on_gap, patience=QUICK) as stream:
        await stream.subscribe(0)
        await stream.subscribe(1)
        async for told in stream:
            assert isinstance(told, Told)
            assert isinstance(told.event, OrderCanceled)
            order.append(f"event {told.event.order_id}")
            if told.event.order_id == 50:
                break
        assert made.heard == [[{"method": "subscribe", "subAccountId": each} for each in (0, 1)]] * 51
    assert [each.split()[0] for each in order] == ["event", "gap"] * 50 + ["event"]
    assert "gap closed by the other side (code 1011: restart)" in order


async def test_a_service_that_accepts_and_closes_is_not_hammered() -> None:
    async def play(made: Sockets, socket: web.WebSocketResponse, number: int) -> None:
        await socket.close()

    gaps: list[Gap] = []

    async def on_gap(gap: Gap) -> None:
        gaps.append(gap)

    patience = Patience(first_wait_s=0.05, longest_wait_s=0.1)
    async with sockets(play) as made, GatewayStream(made.url, on_gap=on_gap, patience=patience) as stream:
        began_s = time.monotonic()
        waiting = asyncio.create_task(anext(stream))
        async with asyncio.timeout(20):
            while len(gaps) < 5:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        assert time.monotonic() - began_s > 0.15, "it waits before each new attempt"
        assert len(made.heard) >= 5
        waiting.cancel()


async def test_a_service_that_comes_back_later_is_found_again() -> None:
    ports: list[int] = []

    async def first(made: Sockets, socket: web.WebSocketResponse, number: int) -> None:
        await socket.send_str(frame({"orderCancel": {"orderId": 1, **TAIL}}))

    async def again(made: Sockets, socket: web.WebSocketResponse, number: int) -> None:
        await socket.send_str(frame({"orderCancel": {"orderId": 2, **TAIL}}))
        await socket.receive()

    async with sockets(first) as made:
        stream = GatewayStream(made.url, patience=QUICK)
        ports.append(int(made.url.rpartition(":")[2]))
        await anext(stream)
    waiting = asyncio.create_task(anext(stream))
    await asyncio.sleep(0.1)
    back = Sockets(again)
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", back.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", ports[0], reuse_address=True).start()
    told = await asyncio.wait_for(waiting, 20)
    assert told == Told(0, OrderCanceled(2, 5, SIG, 15))
    await stream.close()
    await runner.cleanup()


async def test_a_dead_address_is_an_error_at_once() -> None:
    async with GatewayStream("ws://127.0.0.1:1", patience=QUICK) as stream:
        with pytest.raises(UnreachableError, match=r"gateway stream at ws://127.0.0.1:1 is not reachable"):
            await anext(stream)


async def test_a_sub_account_beyond_the_gateways_byte_is_refused() -> None:
    async with GatewayStream("ws://127.0.0.1:1") as stream:
        with pytest.raises(InvalidRequestError, match="sub-account 256"):
            await stream.subscribe(256)
