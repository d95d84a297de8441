"""What the server answers to reads: encodings, filters, commitments, batches, and errors by Agave's numbers."""

import asyncio
from base64 import b64decode
from time import time
from typing import Any

import pytest
from chain_desk import COUNTER, SOL, SYSTEM, Desk, desk, pays
from solders.account import Account
from solders.pubkey import Pubkey

from drift_engine.localnet import base58
from drift_engine.localnet.chain import ChainConfig

A, B, C = (Pubkey(bytes([place]) * 32) for place in (1, 2, 3))
NOW = {"commitment": "processed"}


def held(*data: bytes) -> tuple[tuple[Pubkey, Account], ...]:
    return tuple((key, Account(10_000_000, each, COUNTER)) for key, each in zip((A, B, C), data, strict=False))


async def addresses(at: Desk, **config: Any) -> list[str]:
    found = await at.call("getProgramAccounts", str(COUNTER), {"encoding": "base64", **NOW, **config})
    return sorted(entry["pubkey"] for entry in found)


async def test_an_account_is_shown_in_the_encoding_asked_for() -> None:
    async with desk(accounts=held(bytes(range(200)), b"\0\0abc")) as at:
        shown = await at.call("getAccountInfo", str(A), {"encoding": "base64", **NOW})
        assert shown["context"]["slot"] == at.chain.slot
        assert shown["value"] == {
            "data": [shown["value"]["data"][0], "base64"],
            "executable": False,
            "lamports": 10_000_000,
            "owner": str(COUNTER),
            "rentEpoch": 0,
            "space": 200,
        }
        assert b64decode(shown["value"]["data"][0]) == bytes(range(200))
        part = {"encoding": "base64", "dataSlice": {"offset": 3, "length": 2}}
        sliced = (await at.call("getAccountInfo", str(A), part))["value"]
        assert b64decode(sliced["data"][0]) == bytes([3, 4])
        assert (await at.call("getAccountInfo", str(B)))["value"]["data"] == base58.encode(b"\0\0abc")
        assert (await at.refusal("getAccountInfo", str(A))).code == -32600
        assert "ask for base64" in (await at.refusal("getAccountInfo", str(A), {"encoding": "base64+zstd"})).message
        assert (await at.call("getAccountInfo", str(Pubkey.new_unique())))["value"] is None


async def test_many_accounts_are_read_at_one_slot() -> None:
    async with desk(accounts=held(b"1", b"2")) as at:
        found = await at.call("getMultipleAccounts", [str(B), str(C), str(A)])
        assert [entry and b64decode(entry["data"][0]) for entry in found["value"]] == [b"2", None, b"1"]
        error = await at.refusal("getMultipleAccounts", [str(A)] * 101)
        assert (error.code, error.message) == (-32602, "Too many inputs provided; max 100")


async def test_a_programs_accounts_are_found_by_filters() -> None:
    async with desk(accounts=held(b"one+", b"+one+", b"one-")) as at:
        assert await addresses(at) == sorted(map(str, (A, B, C)))
        assert await addresses(at, filters=[{"dataSize": 5}]) == [str(B)]
        by58 = {"memcmp": {"offset": 0, "bytes": base58.encode(b"one")}}
        assert await addresses(at, filters=[by58]) == [str(A), str(C)]
        by64 = {"memcmp": {"offset": 3, "bytes": "LQ==", "encoding": "base64"}}
        assert await addresses(at, filters=[by58, by64]) == [str(C)]
        found = await at.call("getProgramAccounts", str(COUNTER), {"withContext": True, "encoding": "base64", **NOW})
        assert found["context"]["slot"] == at.chain.slot


async def test_reads_see_the_past_at_their_commitment() -> None:
    async with desk(accounts=held(b"old")) as at:
        at.chain.put(A, Account(10_000_000, b"new", COUNTER))
        at.chain.put(B, Account(10_000_000, b"late", COUNTER))
        at.slots(2)
        at.chain.put(A, None)
        seen = {}
        for commitment in ("processed", "confirmed", "finalized"):
            config = {"commitment": commitment, "encoding": "base64"}
            found = await at.call("getProgramAccounts", str(COUNTER), config)
            seen[commitment] = {entry["pubkey"]: b64decode(entry["account"]["data"][0]) for entry in found}
        assert seen == {
            "processed": {str(B): b"late"},
            "confirmed": {str(A): b"new", str(B): b"late"},
            "finalized": {str(A): b"old"},
        }


async def test_slots_heights_and_times_go_together() -> None:
    async with desk() as at:
        at.slots(40)
        slots = [await at.call("getSlot", {"commitment": name}) for name in ("processed", "confirmed", "finalized")]
        assert slots == [at.chain.slot, at.chain.slot - 1, at.chain.slot - 32]
        assert await at.call("getSlot") == slots[2]
        height = await at.call("getBlockHeight", NOW)
        assert height == at.chain.slot - 1_000
        latest = (await at.call("getLatestBlockhash", NOW))["value"]
        assert latest["lastValidBlockHeight"] == height - 1 + 150
        times = [await at.call("getBlockTime", slot) for slot in (slots[0], slots[0] - 5)]
        assert times[0] - times[1] == 2
        assert (await at.refusal("getBlockTime", at.chain.slot + 9)).code == -32004
        epoch = await at.call("getEpochInfo", NOW)
        assert (epoch["absoluteSlot"], epoch["blockHeight"]) == (at.chain.slot, height)
        assert await at.call("getHealth") == "ok"
        assert (await at.call("getVersion"))["solana-core"]
        assert base58.decode(await at.call("getGenesisHash"))


async def test_a_context_that_is_not_reached_is_an_error() -> None:
    async with desk() as at:
        wanted = {"minContextSlot": at.chain.slot + 3, **NOW}
        error = await at.refusal("getAccountInfo", str(A), wanted)
        assert (error.code, error.data) == (-32016, {"contextSlot": at.chain.slot})
        at.slots(3)
        await at.call("getAccountInfo", str(A), wanted)


@pytest.mark.parametrize(
    ("method", "params", "code", "message"),
    [
        ("getNothing", [], -32601, "Method not found"),
        ("getAccountInfo", [], -32602, "`params` should have at least 1 argument(s)"),
        ("getAccountInfo", ["0OIl"], -32602, "Invalid param: Invalid"),
        ("getAccountInfo", ["abc"], -32602, "Invalid param: WrongSize"),
        ("getAccountInfo", [5], -32602, "Invalid params: invalid type: int, expected str."),
        ("getBalance", [str(A), {"commitment": "soon"}], -32602, "Invalid params: unknown variant `soon`"),
        ("getBalance", [str(A), 7], -32602, "Invalid params: invalid type: int"),
        ("getMinimumBalanceForRentExemption", [-1], -32602, "Invalid params"),
        (
            "getProgramAccounts",
            [str(A), {"filters": [{"dataSize": 1}] * 5}],
            -32602,
            "Too many filters provided; max 4",
        ),
        ("getProgramAccounts", [str(A), {"filters": [{"memcmp": {"offset": 0}}]}], -32602, "Invalid params: memcmp"),
        ("getSignatureStatuses", [["x"]], -32602, "Invalid param"),
        ("getTransaction", [str(A), NOW], -32602, "Invalid param: WrongSize"),
        ("getTokenAccountBalance", [str(A)], -32602, "Invalid param: could not find account"),
        ("getSignaturesForAddress", [str(A), NOW], -32602, "Method does not support commitment below `confirmed`"),
        ("sendTransaction", ["AQ", {"encoding": "hex"}], -32602, "unsupported encoding: hex"),
    ],
)
async def test_bad_calls_are_named(method: str, params: list[Any], code: int, message: str) -> None:
    async with desk() as at:
        error = await at.refusal(method, *params)
        assert error.code == code
        assert error.message.startswith(message)


async def test_batches_notifications_and_rubbish() -> None:
    async with desk() as at:
        calls = [{"jsonrpc": "2.0", "id": number, "method": "getSlot", "params": [NOW]} for number in (4, "x")]
        answers = await at.post([*calls, {"jsonrpc": "2.0", "method": "getSlot"}, {"id": 1}])
        assert [answer.get("result") for answer in answers] == [at.chain.slot, at.chain.slot, None]
        assert [answer["id"] for answer in answers] == [4, "x", None]
        async with at.session.post(at.running.url, data=b"{") as answer:
            assert (await answer.json())["error"]["code"] == -32700
        assert (await at.post([]))["error"]["code"] == -32600
        assert (await at.post({"jsonrpc": "2.0", "id": 1, "method": "getSlot", "params": {}}))["error"][
            "code"
        ] == -32602


async def test_signatures_of_an_address_are_paged_newest_first() -> None:
    async with desk() as at:
        sent = [await at.do(pays(at.me, A, SOL + place)) for place in range(4)][::-1]
        at.slots()
        config = {"commitment": "confirmed"}

        async def listed(**more: Any) -> list[str]:
            found = await at.call("getSignaturesForAddress", str(A), {**config, **more})
            return [entry["signature"] for entry in found]

        assert await listed() == sent
        assert await listed(limit=2) == sent[:2]
        assert await listed(before=sent[1]) == sent[2:]
        assert await listed(until=sent[2]) == sent[:2]
        assert await listed(before=sent[0], until=sent[3], limit=1) == [sent[1]]


async def test_old_statuses_are_found_in_history_only() -> None:
    async with desk() as at:
        signature = await at.do(pays(at.me, A, SOL))
        at.slots(151)
        assert await at.status(signature) is None
        found = await at.call("getSignatureStatuses", [signature], {"searchTransactionHistory": True})
        assert found["value"][0]["confirmationStatus"] == "finalized"


async def test_slots_open_by_themselves_in_real_time() -> None:
    async with desk(by_hand=False, clock_skew_s=3_600, chain=ChainConfig(slot_ms=20)) as at:
        before = at.chain.slot
        async with at.socket() as ears:
            await ears.call("slotSubscribe")
            heard = [(await ears.heard())["result"] for _ in range(5)]
        assert [told["slot"] - told["parent"] for told in heard] == [1] * 5
        await asyncio.sleep(0.1)
        assert at.chain.slot >= before + 8
        assert -2 <= await at.call("getBlockTime", at.chain.slot) - time() - 3_600 <= 2


@pytest.mark.parametrize("data", [b"", b"\0", b"\0\0\1", bytes(range(255))])
def test_base58_returns_what_it_was_given(data: bytes) -> None:
    assert base58.decode(base58.encode(data)) == data
    if len(data) == 32:
        assert base58.encode(data) == str(Pubkey(data))


def test_base58_writes_keys_as_solana_does() -> None:
    assert base58.encode(bytes(COUNTER)) == str(COUNTER)
    assert base58.encode(bytes(SYSTEM)) == "1" * 32
