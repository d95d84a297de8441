"""The order book server's REST API, spoken by a server that answers in its documented shapes."""

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from service_stage import Service, service
from solders.pubkey import Pubkey

from drift_engine.core.client import VenueUnavailableError
from drift_engine.venues.dlob import Dlob
from drift_engine.venues.dlob.auction import AuctionQuery
from drift_engine.venues.dlob.messages import Book, Level
from drift_engine.venues.dlob.wire import whole
from drift_engine.venues.figures import FigureError
from drift_engine.venues.http import (
    FailedAnswerError,
    InvalidRequestError,
    MalformedAnswerError,
    NotFoundError,
    RateLimitedError,
    RefusedError,
)
from drift_engine.venues.market_id import MarketId

KEY = Pubkey.from_bytes(bytes(range(32)))
L2: dict[str, Any] = {
    "bids": [
        {"price": "149990000", "size": "2000000000", "sources": {"vamm": "2000000000"}},
        {"price": "150000000", "size": "16081910000000001", "sources": {"dlob": "16081910000000000", "vamm": "1"}},
    ],
    "asks": [{"price": "150010000", "size": "1", "sources": {"indicative": "1"}}],
    "marketName": "SOL-PERP",
    "marketType": "perp",
    "marketIndex": 0,
    "ts": 1_790_000_000_123,
    "slot": 400_000_000,
    "markPrice": "150005000",
    "bestBidPrice": "150000000",
    "bestAskPrice": "150010000",
    "spreadPct": "66",
    "spreadQuote": "10000",
    "oracle": 150_001_000,
    "oracleData": {
        "price": "150001000",
        "slot": "399999999",
        "confidence": "12345",
        "hasSufficientNumberOfDataPoints": True,
        "twap": "150000500",
    },
    "mmOracleData": {"price": "1"},
    "marketSlot": 399_999_998,
}
EMPTY = {
    "bids": [],
    "asks": [],
    "marketType": {"perp": {}},
    "marketIndex": 0,
    "slot": 5,
    "oracle": 1,
    "ts": 7,
    "marketSlot": 5,
    "oracleData": {"price": 1, "slot": 4, "confidence": 0, "hasSufficientNumberOfDataPoints": True},
}
FEES = {"min": 0.0, "low": 2.4, "medium": 10082.0, "high": 100000, "veryHigh": 1000000, "unsafeMax": 50000000.5}


@asynccontextmanager
async def dlob() -> AsyncIterator[tuple[Service, Dlob]]:
    async with service() as made, Dlob(made.url, timeout_s=2) as client:
        yield made, client


async def test_a_book_is_integers_from_the_best_price_on() -> None:
    async with dlob() as (made, client):
        made.reply("GET /l2", L2)
        book = await client.book(0, depth=20, indicative=True)
        assert made.last.query == {
            "marketIndex": "0",
            "marketType": "perp",
            "depth": "20",
            "includeIndicative": "true",
        }
    assert book.bids == (
        Level(150_000_000, 16_081_910_000_000_001, {"dlob": 16_081_910_000_000_000, "vamm": 1}),
        Level(149_990_000, 2_000_000_000, {"vamm": 2_000_000_000}),
    )
    assert book.asks == (Level(150_010_000, 1, {"indicative": 1}),)
    assert (book.market, book.name, book.slot, book.market_slot) == (0, "SOL-PERP", 400_000_000, 399_999_998)
    assert (book.ts_ms, book.mark_e6) == (1_790_000_000_123, 150_005_000)
    assert book.oracle is not None
    assert (book.oracle.price_e6, book.oracle.slot, book.oracle.confidence_e6) == (150_001_000, 399_999_999, 12_345)
    assert (book.oracle.twap_e6, book.oracle.enough_data) == (150_000_500, True)


async def test_a_book_nobody_has_cached_is_empty() -> None:
    async with dlob() as (made, client):
        made.reply("GET /l2", EMPTY)
        book = await client.book(0)
        assert (book.bids, book.asks, book.name, book.mark_e6) == ((), (), None, None)
        made.reply("GET /l2", {"bids": [], "asks": [], "marketIndex": 0, "ts": 7, "oracleData": {}})
        bare = await client.book(0)
        assert (bare.slot, bare.oracle) == (None, None)


async def test_books_in_one_request() -> None:
    async with dlob() as (made, client):
        made.reply("GET /batchL2", {"l2s": [L2 | {"marketIndex": 2}, L2]})
        books = await client.books([2, 0], depth=5)
        assert [book.market for book in books] == [2, 0]
        assert made.last.query == {"marketIndex": "2,0", "marketType": "perp,perp", "depth": "5,5"}
        with pytest.raises(MalformedAnswerError, match="asked for markets 0,2, got 2,0"):
            await client.books([0, 2])
        assert await client.books([]) == ()


@pytest.mark.parametrize(
    "change",
    [
        {"bids": None},
        {"ts": None},
        {"bids": [{"price": "1"}]},
        {"bids": [{"price": "1.5", "size": "1"}]},
        {"bids": [{"price": "-1", "size": "1"}]},
        {"asks": [{"price": "x", "size": "1"}]},
        {"asks": [{"price": "1", "size": "9" * 5000}]},
        {"asks": [{"price": "1", "size": "1", "sources": {"dlob": "1e400"}}]},
        {"marketType": "spot"},
        {"marketIndex": 1},
        {"slot": "x"},
    ],
)
async def test_a_book_of_the_wrong_shape_is_malformed(change: dict[str, object]) -> None:
    async with dlob() as (made, client):
        made.reply("GET /l2", L2 | change)
        with pytest.raises(MalformedAnswerError):
            await client.book(0)


@pytest.mark.parametrize(
    ("text", "units"), [("12", 12), (12, 12), (12.0, 12), (1e21, 10**21), ("-5", -5), ("1e3", 1000)]
)
def test_integers_come_as_text_or_numbers(text: str | float, units: int) -> None:
    assert whole(text) == units


@pytest.mark.parametrize("text", ["", "-", "abc", "1.5", 1.5, "NaN", "1." + "0" * 100 + "1", "--1", "٣"])
def test_anything_else_is_no_integer(text: str | float) -> None:
    with pytest.raises(FigureError):
        whole(text)


@given(st.integers(-(2**63), 2**64))
def test_every_integer_survives(units: int) -> None:
    assert whole(str(units)) == whole(units) == units


def test_a_book_says_why_it_is_too_old() -> None:
    book = Book(
        market=0,
        name=None,
        bids=(),
        asks=(),
        slot=100,
        market_slot=None,
        ts_ms=10_000,
        mark_e6=None,
        oracle=None,
    )
    assert book.stale(13_000) is None
    assert book.stale(13_001) == "the book of perp 0 is 3001 ms old (limit 3000)"
    assert book.stale(10_000, 120) is None
    assert book.stale(10_000, 121) == "the book of perp 0 is 21 slots behind (limit 20)"
    assert book.stale(10_000, 101, max_slots=0) is not None
    slotless = Book(
        market=0, name=None, bids=(), asks=(), slot=None, market_slot=None, ts_ms=10_000, mark_e6=None, oracle=None
    )
    assert slotless.stale(10_000) is None
    assert slotless.stale(10_000, 1) == "the book of perp 0 has no slot"


async def test_the_deep_book() -> None:
    row = {"price": "5", "size": "6", "maker": str(KEY), "orderId": 7}
    body = {"bids": [row], "asks": [row | {"orderId": "8"}], "marketIndex": 3, "ts": 1, "slot": 2}
    async with dlob() as (made, client):
        made.reply("GET /l3", body)
        book = await client.deep_book(3)
        assert made.last.query["includeIndicative"] == "false"
        assert (book.bids[0].maker, book.bids[0].order_id, book.asks[0].order_id) == (KEY, 7, 8)
        assert (book.bids[0].price_e6, book.bids[0].size_e9, book.slot, book.ts_ms) == (5, 6, 2, 1)
        made.reply("GET /l3", body | {"bids": [row | {"maker": "nobody"}]})
        with pytest.raises(MalformedAnswerError):
            await client.deep_book(3)
        made.reply("GET /l3", "No L3 found", 500)
        with pytest.raises(FailedAnswerError, match="No L3 found"):
            await client.deep_book(3)


async def test_top_makers_and_their_accounts() -> None:
    async with dlob() as (made, client):
        made.reply("GET /topMakers", [str(KEY)])
        assert await client.top_makers(0, "bid", limit=2) == (KEY,)
        assert made.last.query == {"marketIndex": "0", "marketType": "perp", "side": "bid", "limit": "2"}
        rows = [
            {"userAccountPubKey": str(KEY), "accountBase64": base64.b64encode(b"abc").decode()},
            {"userAccountPubKey": str(KEY), "accountBase64": None},
        ]
        made.reply("GET /topMakers", rows)
        makers = await client.top_maker_accounts(0, "ask")
        assert made.last.query["includeAccounts"] == "true"
        assert [(maker.user, maker.data) for maker in makers] == [(KEY, b"abc"), (KEY, None)]


async def test_priority_fees() -> None:
    sol = MarketId("perp", 0)
    async with dlob() as (made, client):
        made.reply("GET /priorityFees", FEES | {"marketType": "perp", "marketIndex": "0"})
        fees = await client.priority_fees(sol)
        assert fees is not None
        assert (fees.minimum, fees.low, fees.medium, fees.high) == (0, 3, 10_082, 100_000)
        assert (fees.very_high, fees.unsafe_max, fees.market) == (1_000_000, 50_000_001, sol)
        made.reply("GET /priorityFees", "Not found", 404)
        assert await client.priority_fees(sol) is None
        made.reply("GET /priorityFees", "Cannot GET /priorityFees", 404)
        with pytest.raises(NotFoundError):
            await client.priority_fees(sol)
        made.reply("GET /priorityFees", FEES | {"low": None, "marketType": "perp", "marketIndex": "0"})
        with pytest.raises(MalformedAnswerError, match="missing"):
            await client.priority_fees(sol)
        made.reply("GET /priorityFees", FEES | {"marketType": "perp", "marketIndex": "1"})
        with pytest.raises(MalformedAnswerError, match="asked for markets perp market 0, got perp market 1"):
            await client.priority_fees(sol)


async def test_priority_fees_of_several_markets() -> None:
    markets = [MarketId("perp", 0), MarketId("spot", 1)]
    rows = [FEES | {"marketType": "perp", "marketIndex": 0}, {"marketType": "spot", "marketIndex": 1}]
    async with dlob() as (made, client):
        made.reply("GET /batchPriorityFees", rows)
        known, absent = await client.priority_fees_of(markets)
        assert made.last.query == {"marketIndex": "0,1", "marketType": "perp,spot"}
        assert known is not None
        assert known.market == markets[0]
        assert absent is None
        assert await client.priority_fees_of([]) == ()


AUCTION = {
    "data": {
        "params": {
            "orderType": "oracle",
            "marketType": "perp",
            "marketIndex": 2,
            "direction": "long",
            "baseAssetAmount": "550000000",
            "price": "0",
            "reduceOnly": False,
            "auctionDuration": 20,
            "auctionStartPrice": "-1500000",
            "auctionEndPrice": "2500000",
            "oraclePriceOffset": "2600000",
            "userOrderId": 3,
            "postOnly": "none",
            "maxTs": None,
        },
        "entryPrice": "3000000000",
        "bestPrice": "2999000000",
        "worstPrice": "3001000000",
        "oraclePrice": "3000100000",
        "markPrice": "2999900000",
        "priceImpact": 0.000123,
        "slippageTolerance": "0.005",
        "generatedAt": 1_790_000_000_000,
    }
}


async def test_auction_params() -> None:
    asked = AuctionQuery(
        market=2,
        direction="long",
        amount=550_000_000,
        reduce_only=False,
        any_slippage=False,
        slippage="dynamic",
        oracle_order=True,
        duration=20,
        start_offset="-0.1",
        end_offset="0.1",
        start_from="marketBased",
        end_from="worst",
        end_buffer="1",
        user_order_id=3,
        force_up_to_slippage=False,
        version=3,
    )
    async with dlob() as (made, client):
        made.reply("GET /auctionParams", AUCTION)
        answer = await client.auction_params(asked)
        assert made.last.query == {
            "marketIndex": "2",
            "marketType": "perp",
            "direction": "long",
            "amount": "550000000",
            "assetType": "base",
            "reduceOnly": "false",
            "allowInfSlippage": "false",
            "slippageTolerance": "dynamic",
            "isOracleOrder": "true",
            "auctionDuration": "20",
            "auctionStartPriceOffset": "-0.1",
            "auctionEndPriceOffset": "0.1",
            "auctionStartPriceOffsetFrom": "marketBased",
            "auctionEndPriceOffsetFrom": "worst",
            "additionalEndPriceBuffer": "1",
            "userOrderId": "3",
            "forceUpToSlippage": "false",
            "version": "3",
        }
        params = answer.params
        assert (params.kind, params.base_e9, params.duration) == ("oracle", 550_000_000, 20)
        assert (params.start_e6, params.end_e6, params.oracle_offset_e6) == (-1_500_000, 2_500_000, 2_600_000)
        assert (params.price_e6, params.reduce_only, params.user_order_id) == (0, False, 3)
        assert (answer.entry_e6, answer.best_e6, answer.worst_e6) == (3_000_000_000, 2_999_000_000, 3_001_000_000)
        assert (answer.oracle_e6, answer.mark_e6, answer.impact) == (3_000_100_000, 2_999_900_000, "0.000123")
        assert (answer.slippage, answer.generated_at) == ("0.005", "1790000000000")
        with pytest.raises(MalformedAnswerError, match="asked for a short, got a long"):
            await client.auction_params(AuctionQuery(market=2, direction="short", amount=1))
        made.reply("GET /auctionParams", {"error": "no book"}, 400)
        with pytest.raises(RefusedError, match=r"dlob refused \(400\): no book"):
            await client.auction_params(AuctionQuery(market=2, direction="long", amount=1))
        for bad in (
            AuctionQuery(market=2, direction="long", amount=0),
            AuctionQuery(market=65_536, direction="long", amount=1),
            AuctionQuery(market=2, direction="long", amount=1, duration=256),
            AuctionQuery(market=2, direction="long", amount=1, user_order_id=-1),
        ):
            sent = len(made.heard)
            with pytest.raises(InvalidRequestError):
                await client.auction_params(bad)
            assert len(made.heard) == sent


async def test_health() -> None:
    async with dlob() as (made, client):
        made.reply("GET /health", "OK")
        assert await client.health()
        made.reply("GET /health", "NOK", 500)
        assert not await client.health()
        made.reply("GET /health", "proxy", 502)
        with pytest.raises(FailedAnswerError):
            await client.health()


@pytest.mark.parametrize(
    ("status", "body", "kind", "reason"),
    [
        (400, "Bad Request: invalid marketIndex", RefusedError, "invalid marketIndex"),
        (429, "", RateLimitedError, "no reason given"),
        (500, "Internal error", FailedAnswerError, "Internal error"),
    ],
)
async def test_refusals(status: int, body: str, kind: type[Exception], reason: str) -> None:
    async with dlob() as (made, client):
        made.reply("GET /l2", body, status)
        with pytest.raises(kind) as raised:
            await client.book(0)
        assert str(raised.value).endswith(f": {reason}")


async def test_a_cut_read_is_not_repeated_behind_ones_back() -> None:
    async with dlob() as (made, client):
        made.reply("GET /health", "OK")
        await client.health()
        made.cut("GET /l2")
        with pytest.raises(VenueUnavailableError):
            await client.book(0)
        assert made.asked("GET", "/l2") == 1


@pytest.mark.parametrize("depth", [0, 101])
async def test_depth_has_bounds(depth: int) -> None:
    async with dlob() as (made, client):
        for call in (client.book(0, depth=depth), client.books([0], depth=depth)):
            with pytest.raises(InvalidRequestError, match="depth"):
                await call
        assert made.heard == []
