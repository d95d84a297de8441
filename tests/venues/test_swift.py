"""The swift server: a signed order goes once, and its reply is a value."""

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from service_stage import Service, service
from solders.keypair import Keypair
from solders.signature import Signature

from drift_engine.core.client import VenueUnavailableError
from drift_engine.venues.http import (
    FailedAnswerError,
    InvalidRequestError,
    MalformedAnswerError,
    NotFoundError,
    RateLimitedError,
    RefusedError,
)
from drift_engine.venues.market_id import MarketId
from drift_engine.venues.swift import SignedOrder, Swift, SwiftAccepted, SwiftHealth, SwiftRefused

OWNER, DELEGATE = Keypair.from_seed(bytes(32)), Keypair.from_seed(bytes(range(32)))
MESSAGE = bytes.fromhex("c8d5a65e2234f55d") + b"order"
ORDER = SignedOrder(
    message=MESSAGE,
    signature=DELEGATE.sign_message(MESSAGE.hex().encode()),
    authority=OWNER.pubkey(),
    signer=DELEGATE.pubkey(),
)


@asynccontextmanager
async def swift() -> AsyncIterator[tuple[Service, Swift]]:
    async with service() as made, Swift(made.url, timeout_s=1) as client:
        yield made, client


async def test_an_order_goes_as_documented() -> None:
    async with swift() as (made, client):
        made.reply("POST /orders", {"message": "Order processed"})
        assert await client.place(ORDER) == SwiftAccepted()
        body = made.last.json
        assert body == {
            "taker_authority": str(OWNER.pubkey()),
            "signing_authority": str(DELEGATE.pubkey()),
            "signature": base64.b64encode(bytes(ORDER.signature)).decode(),
            "message": MESSAGE.hex(),
        }
        signature = Signature.from_bytes(base64.b64decode(body["signature"]))
        assert signature.verify(DELEGATE.pubkey(), body["message"].encode())
        full = SignedOrder(
            message=MESSAGE,
            signature=ORDER.signature,
            authority=ORDER.authority,
            signer=ORDER.signer,
            market=MarketId("perp", 2),
            network="mainnet",
        )
        await client.place(full)
        assert {name: made.last.json[name] for name in ("market_type", "market_index", "network")} == {
            "market_type": "perp",
            "market_index": 2,
            "network": "mainnet",
        }


@pytest.mark.parametrize(
    ("status", "body", "refused"),
    [
        (
            400,
            {"message": "Order slot too old", "error": "Order slot too old"},
            ("Order slot too old", "Order slot too old"),
        ),
        (400, {"message": "Invalid order"}, ("Invalid order", None)),
        (422, "Failed to deserialize the JSON body", ("Failed to deserialize the JSON body", None)),
        (403, {"odd": 1}, ('{"odd": 1}', None)),
    ],
)
async def test_refusals_are_values(status: int, body: object, refused: tuple[str, str | None]) -> None:
    async with swift() as (made, client):
        made.reply("POST /orders", body, status)
        assert await client.place(ORDER) == SwiftRefused(*refused)


@pytest.mark.parametrize(
    ("status", "body", "kind", "text"),
    [
        (
            500,
            {"message": "Failed to deliver message", "error": "redis"},
            FailedAnswerError,
            "Failed to deliver message: redis",
        ),
        (503, "busy", FailedAnswerError, "busy"),
        (408, {"message": "late"}, FailedAnswerError, "late"),
        (404, "No route /orders", NotFoundError, "No route"),
        (429, "", RateLimitedError, "429"),
        (307, "", RefusedError, "redirect"),
        (200, {"message": "Something"}, MalformedAnswerError, "answered 200 with 'Something'"),
        (200, "{", MalformedAnswerError, "swift: "),
    ],
)
async def test_what_is_no_verdict_is_an_error(status: int, body: object, kind: type[Exception], text: str) -> None:
    async with swift() as (made, client):
        made.reply("POST /orders", body, status)
        with pytest.raises(kind) as raised:
            await client.place(ORDER)
        assert type(raised.value) is kind
        assert text in str(raised.value)
        assert made.asked("POST", "/orders") == 1


async def test_a_cut_order_is_unknown_and_goes_once() -> None:
    async with swift() as (made, client):
        made.reply("GET /health", "ok")
        await client.health()
        made.cut("POST /orders")
        with pytest.raises(VenueUnavailableError, match="connection lost"):
            await client.place(ORDER)
        assert made.asked("POST", "/orders") == 1


async def test_what_is_no_message_stays_here() -> None:
    async with swift() as (made, client):
        for message, market in ((b"12345678", None), (MESSAGE, MarketId("perp", 65_536))):
            order = SignedOrder(
                message=message,
                signature=ORDER.signature,
                authority=ORDER.authority,
                signer=ORDER.signer,
                market=market,
            )
            with pytest.raises(InvalidRequestError):
                await client.place(order)
        assert made.heard == []


async def test_health() -> None:
    async with swift() as (made, client):
        made.reply("GET /health", "ok")
        assert await client.health() == SwiftHealth(healthy=True, detail="ok")
        made.reply("GET /health", "slot_sub_healthy=false | \n ws_sub_healthy=true", 412)
        assert await client.health() == SwiftHealth(
            healthy=False, detail="slot_sub_healthy=false | ws_sub_healthy=true"
        )
        made.reply("GET /health", "", 502)
        with pytest.raises(FailedAnswerError):
            await client.health()
