"""The block engine: bundles by value, statuses in both spellings, limits kept, keys hidden."""

import asyncio
import base64
import hashlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st
from service_stage import Service, service
from solders.hash import Hash
from solders.keypair import Keypair
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.system_program import TransferParams, transfer
from solders.transaction import VersionedTransaction

from drift_engine.venues.http import InvalidRequestError, MalformedAnswerError, RateLimitedError, RefusedError
from drift_engine.venues.jito import MAINNET, TESTNET, BlockEngine, TipFloors
from drift_engine.venues.jito.messages import (
    TIP_ACCOUNTS,
    BundleFailed,
    BundleInvalid,
    BundleLanded,
    BundleStatus,
    BundleUnsettled,
    InflightState,
    InflightStatus,
    _id_of,
    bundle_id,
    outcome,
    signatures_of,
)
from drift_engine.venues.jito.pacing import Pacer

UUID = "0f7c1e52-9b1c-4c4e-8c39-aaaaaaaaaaaa"
SENDS = "POST /api/v1/bundles"
KEY = Keypair.from_seed(bytes(range(32)))


def signed(lamports: int) -> bytes:
    step = transfer(TransferParams(from_pubkey=KEY.pubkey(), to_pubkey=TIP_ACCOUNTS[0], lamports=lamports))
    message = MessageV0.try_compile(KEY.pubkey(), [step], [], Hash.default())
    return bytes(VersionedTransaction(message, [KEY]))


BUNDLE = [signed(lamports) for lamports in (1000, 1001)]


def rpc(result: object) -> dict[str, object]:
    return {"jsonrpc": "2.0", "result": result, "id": 1}


def failing(code: int, message: str) -> dict[str, object]:
    return {"jsonrpc": "2.0", "error": {"code": code, "message": message}, "id": 1}


@asynccontextmanager
async def engine(**kwargs: Any) -> AsyncIterator[tuple[Service, BlockEngine]]:
    async with service() as made, BlockEngine(made.url, pacer=Pacer(0.0), timeout_s=1, **kwargs) as client:
        yield made, client


def test_the_bundle_id_of_jitos_own_documentation() -> None:
    """``getBundleStatuses`` there shows a bundle with its two signatures."""
    signatures = [
        "3bC2M9fiACSjkTXZDgeNAuQ4ScTsdKGwR42ytFdhUvikqTmBheUxfsR1fDVsM5ADCMMspuwGkdm1uKbU246x5aE3",
        "8t9hKYEYNbLvNqiSzP96S13XF1C2f1ro271Kdf7bkZ6EpjPLuDff1ywRy4gfaGSTubsM2FeYGDoT64ZwPm1cQUt",
    ]
    told = "892b79ed49138bfb3aa5441f0df6e06ef34f9ee8f3976c15b323605bae0cf51d"
    assert _id_of([Signature.from_string(each) for each in signatures]) == told


async def test_a_bundle_is_sent_once_in_base64() -> None:
    own = bundle_id(BUNDLE)
    async with engine() as (made, client):
        made.reply(SENDS, rpc(own))
        ack = await client.send_bundle(BUNDLE)
        assert made.last.json == {
            "jsonrpc": "2.0",
            "id": 1,
            "method": "sendBundle",
            "params": [[base64.b64encode(raw).decode() for raw in BUNDLE], {"encoding": "base64"}],
        }
        assert "x-jito-auth" not in made.last.headers
        assert (ack.sent, ack.bundle_id, ack.reported_id, ack.reason) == ("accepted", own, None, None)
        assert ack.signatures == tuple(VersionedTransaction.from_bytes(raw).signatures[0] for raw in BUNDLE)
        made.reply(SENDS, rpc("another"))
        assert (await client.send_bundle(BUNDLE)).reported_id == "another"


@pytest.mark.parametrize(
    ("status", "body", "sent", "reason"),
    [
        (400, failing(-32602, "bundle contains an already processed transaction"), "refused", "already processed"),
        (200, failing(-32602, "Bundles must write lock at least one tip account"), "refused", "tip account"),
        (429, failing(-32097, "Rate limit exceeded"), "refused", "Rate limit exceeded"),
        (429, "slow down", "refused", "429"),
        (200, failing(-32097, "globally rate limited"), "refused", "globally rate limited"),
        (403, "forbidden", "refused", "forbidden"),
        (500, "oops", "unknown", "oops"),
        (503, failing(-1, "no leader"), "unknown", "no leader"),
        (200, "{", "unknown", "block engine: "),
        (200, {"jsonrpc": "2.0", "id": 1}, "unknown", "block engine: "),
        (200, rpc(None), "unknown", "Expected `str`"),
    ],
)
async def test_what_sending_came_to_is_a_value(status: int, body: object, sent: str, reason: str) -> None:
    async with engine() as (made, client):
        made.reply(SENDS, body, status)
        made.reply("POST /api/v1/transactions", body, status)
        for ack in (await client.send_bundle(BUNDLE), await client.send_transaction(BUNDLE[0])):
            assert ack.sent == sent
            assert ack.reason is not None
            assert reason in ack.reason
        assert len(made.heard) == 2


async def test_a_lost_answer_leaves_the_id_to_look_it_up_by() -> None:
    async def slow(_: web.Request) -> web.Response:
        await asyncio.sleep(5)
        return web.Response()

    async with engine() as (made, client):
        made.cut(SENDS)
        cut = await client.send_bundle(BUNDLE)
        made.on(SENDS, slow)
        silent = await client.send_bundle(BUNDLE)
        assert (cut.sent, silent.sent) == ("unknown", "unknown")
        assert cut.bundle_id == silent.bundle_id == bundle_id(BUNDLE)
        assert made.asked("POST", "/api/v1/bundles") == 2


async def test_a_transaction_with_revert_protection() -> None:
    async with engine() as (made, client):
        made.reply("POST /api/v1/transactions", rpc("sig"), headers={"x-bundle-id": "abc"})
        ack = await client.send_transaction(BUNDLE[0])
        assert made.last.query == {"bundleOnly": "true"}
        assert made.last.json["params"] == [base64.b64encode(BUNDLE[0]).decode(), {"encoding": "base64"}]
        assert (ack.sent, ack.bundle_id, ack.signature) == ("accepted", "abc", signatures_of(BUNDLE[:1])[0])
        made.reply("POST /api/v1/transactions", rpc("sig"))
        assert (await client.send_transaction(BUNDLE[0], bundle_only=False)).bundle_id is None
        assert made.last.query == {}


@pytest.mark.parametrize(
    ("transactions", "problem"),
    [
        ([], "1 to 5 transactions, not 0"),
        ([signed(n) for n in range(6)], "not 6"),
        ([BUNDLE[0], BUNDLE[0]], "twice"),
        ([b""], "transaction 0 cannot be read"),
        ([BUNDLE[0], bytes(300)], "transaction 1 is no transaction"),
        ([BUNDLE[0] + b"x"], "bytes behind its end"),
        ([bytes(1233)], "1233 bytes"),
        ([BUNDLE[0][:1] + bytes(64) + BUNDLE[0][65:]], "not signed by everybody"),
    ],
)
async def test_what_makes_no_bundle_stays_here(transactions: list[bytes], problem: str) -> None:
    async with engine() as (made, client):
        with pytest.raises(InvalidRequestError, match=problem):
            await client.send_bundle(transactions)
        assert made.heard == []


@given(st.binary(max_size=200))
def test_noise_makes_no_bundle(raw: bytes) -> None:
    with pytest.raises(InvalidRequestError):
        signatures_of([raw])


def test_the_id_follows_the_order() -> None:
    joined = ",".join(str(each) for each in signatures_of(BUNDLE)).encode()
    assert bundle_id(BUNDLE) == hashlib.sha256(joined).hexdigest()
    assert bundle_id(BUNDLE[::-1]) != bundle_id(BUNDLE)


async def test_bundle_statuses_in_both_spellings() -> None:
    rows: list[Any] = [
        {"bundle_id": "b", "transactions": ["x"], "slot": 5, "confirmation_status": "finalized", "err": {"Ok": None}},
        None,
        {"bundle_id": "a", "transactions": [], "slot": 6, "confirmationStatus": "confirmed", "err": None},
        {"bundle_id": "d", "slot": 7, "err": {"Err": "Timeout"}},
    ]
    async with engine() as (made, client):
        made.reply("POST /api/v1/getBundleStatuses", rpc({"context": {"slot": 9}, "value": rows}))
        a, b, c, d = await client.bundle_statuses(["a", "b", "c", "d"])
        assert made.last.json["params"] == [["a", "b", "c", "d"]]
        assert (a, b, c) == (
            BundleStatus("a", (), 6, "confirmed", None),
            BundleStatus("b", ("x",), 5, "finalized", None),
            None,
        )
        assert d is not None
        assert d.error == "{'Err': 'Timeout'}"
        made.reply("POST /api/v1/getBundleStatuses", rpc(None))
        assert await client.bundle_statuses(["a"]) == (None,)


async def test_inflight_statuses() -> None:
    rows = [
        {"bundle_id": "a", "status": "Landed", "landed_slot": 5},
        {"bundle_id": "b", "status": "Invalid", "landed_slot": None},
    ]
    path = "POST /api/v1/getInflightBundleStatuses"
    async with engine() as (made, client):
        made.reply(path, rpc({"context": {"slot": 9}, "value": rows}))
        found = await client.inflight_statuses(["b", "a", "z"])
        assert found == (InflightStatus("b", "Invalid", None), InflightStatus("a", "Landed", 5), None)
        made.reply(path, rpc(None))
        assert await client.inflight_statuses(["b"]) == (None,)
        made.reply(path, rpc({"value": [{"bundle_id": "a", "status": "Dancing"}]}))
        with pytest.raises(MalformedAnswerError):
            await client.inflight_statuses(["a"])
        for ids in ([], ["x"] * 6):
            for call in (client.inflight_statuses(ids), client.bundle_statuses(ids)):
                with pytest.raises(InvalidRequestError, match="1 to 5 bundle ids"):
                    await call


OK = BundleStatus("a", (), 6, "confirmed", None)
BAD = BundleStatus("a", (), 6, None, "Timeout")


@pytest.mark.parametrize(
    ("status", "state", "expected"),
    [
        (OK, None, BundleLanded("a", 6, "confirmed")),
        (OK, "Failed", BundleLanded("a", 6, "confirmed")),
        (None, "Landed", BundleLanded("a", 5, None)),
        (BAD, "Landed", BundleLanded("a", 5, None)),
        (BAD, "Failed", BundleUnsettled("a", "its status could not be looked up: Timeout", expired=False)),
        (None, "Failed", BundleFailed("a", expired=False)),
        (None, "Invalid", BundleInvalid("a", expired=False)),
        (None, "Pending", BundleUnsettled("a", "it is pending", expired=False)),
        (None, None, BundleUnsettled("a", "the block engine says nothing of it", expired=False)),
    ],
)
def test_what_is_proven(status: BundleStatus | None, state: InflightState | None, expected: object) -> None:
    inflight = None if state is None else InflightStatus("a", state, 5 if state == "Landed" else None)
    assert outcome("a", status, inflight, block_height=150, last_valid_block_height=150) == expected
    later = outcome("a", status, inflight, block_height=151, last_valid_block_height=150)
    assert type(later) is type(expected)
    assert isinstance(later, BundleLanded) or later.expired


def test_only_finalized_is_final() -> None:
    assert BundleLanded("a", 1, "finalized").final
    assert not BundleLanded("a", 1, "confirmed").final
    assert not BundleLanded("a", 1, None).final


async def test_tip_accounts() -> None:
    async with engine() as (made, client):
        made.reply("POST /api/v1/getTipAccounts", rpc([str(each) for each in TIP_ACCOUNTS]))
        assert await client.tip_accounts() == TIP_ACCOUNTS
        assert made.last.json["params"] == []
        made.reply("POST /api/v1/getTipAccounts", rpc(["nobody"]))
        with pytest.raises(MalformedAnswerError):
            await client.tip_accounts()


async def test_a_read_waits_and_asks_again_where_the_engine_says_too_many() -> None:
    async def twice(request: web.Request) -> web.Response:
        if len(made.heard) < 3:
            return web.Response(status=429, headers={"Retry-After": "0.05"}, text=json.dumps(failing(-32097, "limit")))
        return web.Response(text=json.dumps(rpc([])))

    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        await asyncio.sleep(seconds)

    async with service() as made, BlockEngine(made.url, pacer=Pacer(0.0, sleep=sleep)) as client:
        made.on("POST /api/v1/getTipAccounts", twice)
        assert await client.tip_accounts() == ()
        assert len(made.heard) == 3
        assert len(slept) == 2
        assert all(0.03 < each <= 0.05 for each in slept)
        made.reply("POST /api/v1/getTipAccounts", failing(-32097, "limit"), 429)
        with pytest.raises(RateLimitedError):
            await client.tip_accounts()
        assert len(made.heard) == 6
        made.reply("POST /api/v1/getTipAccounts", failing(-32600, "bad"))
        with pytest.raises(RefusedError, match="bad"):
            await client.tip_accounts()
        assert len(made.heard) == 7


async def test_turns_are_one_interval_apart() -> None:
    clock = [100.0]
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(round(seconds, 6))
        clock[0] += seconds

    pacer = Pacer(1.0, now_s=lambda: clock[0], sleep=sleep)
    for _ in range(3):
        await pacer.turn()
    assert slept == [1.0, 1.0]
    clock[0] += 10
    assert pacer.wait_s == 0
    await pacer.turn()
    pacer.rest(5)
    pacer.rest(2)
    assert pacer.wait_s == 5
    await pacer.turn()
    assert slept == [1.0, 1.0, 5.0]


async def test_requests_at_once_take_turns() -> None:
    async with service() as made, BlockEngine(made.url, pacer=Pacer(0.05)) as client:
        made.reply("POST /api/v1/getTipAccounts", rpc([]))
        started = asyncio.get_running_loop().time()
        await asyncio.gather(*(client.tip_accounts() for _ in range(4)))
        assert asyncio.get_running_loop().time() - started >= 0.15


async def test_the_key_goes_in_a_header_and_is_never_shown() -> None:
    async with engine(uuid=UUID) as (made, client):
        made.reply(SENDS, failing(-32600, f"key {UUID} has no rights"), 401)
        ack = await client.send_bundle(BUNDLE)
        assert made.last.headers["x-jito-auth"] == UUID
        made.reply("POST /api/v1/getTipAccounts", f"key {UUID} has no rights", 403)
        with pytest.raises(RefusedError) as raised:
            await client.tip_accounts()
        shown = [str(ack), repr(client), str(raised.value), raised.value.reason]
        assert not any(UUID in text for text in shown)
        assert "has no rights" in str(ack)
    with pytest.raises(InvalidRequestError) as refused:
        BlockEngine(f"https://h?uuid={UUID}")
    assert UUID not in str(refused.value)


FLOOR = """[{"time": "2024-09-01T12:58:00Z", "landed_tips_25th_percentile": 6.001000000000001e-06,
"landed_tips_50th_percentile": 1e-05, "landed_tips_75th_percentile": 3.6196500000000005e-05,
"landed_tips_95th_percentile": 0.0014479055000000002, "landed_tips_99th_percentile": 0.010007999,
"ema_landed_tips_50th_percentile": 9.836078125000002e-06}]"""


async def test_the_tip_floor_in_lamports() -> None:
    async with service() as made, TipFloors(made.url) as tips:
        made.reply("GET /api/v1/bundles/tip_floor", FLOOR)
        floor = await tips.now()
        assert (floor.p25, floor.p50, floor.p75, floor.p95) == (6_001, 10_000, 36_197, 1_447_906)
        assert (floor.p99, floor.ema_p50, floor.time) == (10_007_999, 9_837, "2024-09-01T12:58:00Z")
        for body in ("[]", "{}", FLOOR.replace("1e-05", "-1e-05"), FLOOR.replace("1e-05", "null")):
            made.reply("GET /api/v1/bundles/tip_floor", body)
            with pytest.raises(MalformedAnswerError):
                await tips.now()
        made.reply("GET /api/v1/bundles/tip_floor", "", 429)
        with pytest.raises(RateLimitedError):
            await tips.now()


def test_regions_have_addresses() -> None:
    assert MAINNET["frankfurt"] == "https://frankfurt.mainnet.block-engine.jito.wtf"
    assert MAINNET["mainnet"] == "https://mainnet.block-engine.jito.wtf"
    assert len(MAINNET) == 9
    assert TESTNET["dallas"] == "https://dallas.testnet.block-engine.jito.wtf"
    assert BlockEngine().shown_url == MAINNET["mainnet"]
    assert BlockEngine().pacer.interval_s == 1.0
    assert len({*TIP_ACCOUNTS}) == 8
    assert all(isinstance(each, Pubkey) for each in TIP_ACCOUNTS)
