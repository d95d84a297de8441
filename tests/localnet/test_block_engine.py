"""The Jito block engine: every rule of its bundles, over its own port."""

from collections.abc import Sequence
from hashlib import sha256
from typing import Any

import pytest
from chain_desk import SOL, Desk, desk, pays, signed, wire
from solders.address_lookup_table_account import AddressLookupTableAccount
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction

from drift_engine.localnet import base58
from drift_engine.localnet.bundles import bundle_id
from drift_engine.venues.jito.messages import TIP_ACCOUNTS

A, B = (Pubkey(bytes([place]) * 32) for place in (1, 2))
TIP = TIP_ACCOUNTS[3]
BASE64 = {"encoding": "base64"}
FREE = {"jito_requests_per_s": 0.0}


async def send_bundle(at: Desk, *transactions: VersionedTransaction) -> str:
    url = f"{at.running.jito_url}/api/v1/bundles"
    return str(await at.call("sendBundle", [wire(each) for each in transactions], BASE64, url=url))


async def refused(at: Desk, *transactions: VersionedTransaction) -> str:
    url = f"{at.running.jito_url}/api/v1/bundles"
    error = await at.refusal("sendBundle", [wire(each) for each in transactions], BASE64, url=url)
    assert error.code == -32602
    return error.message


async def inflight(at: Desk, *names: str) -> list[tuple[str, int | None]]:
    url = f"{at.running.jito_url}/api/v1/getInflightBundleStatuses"
    found = await at.call("getInflightBundleStatuses", list(names), url=url)
    return [(entry["status"], entry["landed_slot"]) for entry in found["value"]]


async def statuses(at: Desk, *names: str) -> list[Any]:
    url = f"{at.running.jito_url}/api/v1/getBundleStatuses"
    return list((await at.call("getBundleStatuses", list(names), url=url))["value"])


async def tipping(at: Desk, lamports: int = 1_000) -> VersionedTransaction:
    return await at.made(pays(at.me, TIP, lamports))


async def test_a_bundle_lands_whole_in_order_in_one_slot() -> None:
    async with desk(**FREE) as at:
        first = await at.made(pays(at.me, A, SOL))
        second = await at.made(pays(at.me, B, SOL), pays(at.me, TIP, 5_000))
        name = await send_bundle(at, first, second)
        texts = [str(each.signatures[0]) for each in (first, second)]
        assert name == sha256(",".join(texts).encode()).hexdigest()
        assert await inflight(at, name, "0" * 64) == [("Pending", None), ("Invalid", None)]
        assert await statuses(at, name) == [None]
        at.slots()
        slot = at.chain.slot
        assert await inflight(at, name) == [("Landed", slot)]
        expected = {
            "bundle_id": name,
            "transactions": texts,
            "slot": slot,
            "confirmation_status": "processed",
            "err": {"Ok": None},
        }
        assert await statuses(at, name, "1" * 64) == [expected, None]
        assert [(await at.status(text))["slot"] for text in texts] == [slot, slot]
        assert [record.signature for record in at.chain.history.since(slot)] == [
            first.signatures[0],
            second.signatures[0],
        ]
        at.slots(32)
        assert (await statuses(at, name))[0]["confirmation_status"] == "finalized"


async def test_a_bundle_with_one_failure_does_nothing_at_all() -> None:
    async with desk(**FREE) as at:
        good, bad = await at.made(pays(at.me, A, SOL)), await at.made(pays(at.me, B, 1_000 * SOL))
        for bundle in ([good, bad, await tipping(at)], [await tipping(at, 2_000), good, bad]):
            name = await send_bundle(at, *bundle)
            at.slots()
            assert await inflight(at, name) == [("Failed", None)]
        assert await at.balance(at.me) == 100 * SOL
        assert await at.status(str(good.signatures[0])) is None
        await at.send(good)
        assert await at.balance(A) == SOL


@pytest.mark.parametrize(("lamports", "status"), [(999, "Failed"), (1_000, "Landed")])
async def test_a_bundle_has_to_tip_a_thousand_lamports(lamports: int, status: str) -> None:
    async with desk(**FREE) as at:
        name = await send_bundle(at, await tipping(at, lamports))
        at.slots()
        assert (await inflight(at, name))[0][0] == status


async def test_a_bundle_without_a_tip_account_is_refused_and_a_lookup_table_does_not_do() -> None:
    async with desk(**FREE) as at:
        words = "must write lock at least one tip account"
        assert words in await refused(at, await at.made(pays(at.me, A, SOL)))
        table = AddressLookupTableAccount(Pubkey.new_unique(), [TIP])
        hidden = signed([at.key], [pays(at.me, TIP, 5_000)], await at.blockhash(), [table])
        assert words in await refused(at, hidden)


async def test_a_bundle_has_one_to_five_good_transactions() -> None:
    async with desk(**FREE) as at:
        six = [await tipping(at, 1_000 + place) for place in range(6)]
        assert "between 1 and 5" in await refused(at, *six)
        assert "between 1 and 5" in await refused(at)
        await send_bundle(at, *six[:5])
        bad = VersionedTransaction.populate(six[5].message, [at.key.sign_message(b"no")])
        assert "signature verification" in await refused(at, bad)
        at.slots()
        assert "already processed" in await refused(at, six[0])
        at.slots(151)
        assert "expired blockhash" in await refused(at, six[5])


async def test_old_style_base58_is_still_taken() -> None:
    async with desk(**FREE) as at:
        text = base58.encode(bytes(await tipping(at)))
        name = await at.call("sendBundle", [text], url=f"{at.running.jito_url}/api/v1/bundles")
        at.slots()
        assert (await inflight(at, str(name)))[0][0] == "Landed"


async def test_the_second_request_of_a_second_is_one_too_many() -> None:
    async with desk() as at:
        body = {"jsonrpc": "2.0", "id": 1, "method": "getTipAccounts", "params": []}
        url = f"{at.running.jito_url}/api/v1/getTipAccounts"
        async with at.session.post(url, json=body) as answer:
            assert answer.status == 200
            assert sorted((await answer.json())["result"]) == sorted(map(str, TIP_ACCOUNTS))
        async with at.session.post(url, json=body) as answer:
            assert (answer.status, answer.headers["Retry-After"]) == (429, "1")
            assert (await answer.json())["error"]["code"] == -32097


async def test_a_single_transaction_goes_alone_or_as_a_bundle() -> None:
    async with desk(**FREE) as at:
        url = f"{at.running.jito_url}/api/v1/transactions"

        async def sent(transaction: VersionedTransaction, query: str) -> tuple[Any, str | None]:
            body = {"jsonrpc": "2.0", "id": 1, "method": "sendTransaction", "params": [wire(transaction), BASE64]}
            async with at.session.post(url + query, json=body) as answer:
                return await answer.json(), answer.headers.get("x-bundle-id")

        plain = await at.made(pays(at.me, A, SOL))
        answer, name = await sent(plain, "")
        assert (answer["result"], name) == (str(plain.signatures[0]), bundle_id([plain]))
        assert await at.balance(A) == SOL
        protected = await at.made(pays(at.me, TIP, 1_000), pays(at.me, B, 1_000 * SOL))
        answer, name = await sent(protected, "?bundleOnly=true")
        assert name is not None
        at.slots()
        assert await inflight(at, name) == [("Failed", None)]
        assert await at.balance(at.me) == 99 * SOL - 5_000  # a revert costs nothing
        untipped = await at.made(pays(at.me, B, SOL))
        assert "tip account" in (await sent(untipped, "?bundleOnly=true"))[0]["error"]["message"]


async def test_a_bundle_waits_for_a_leader_that_runs_it() -> None:
    async with desk(**FREE, jito_leader_turns=2) as at:
        while at.chain.slot // 4 % 2 == 0:
            at.slots()
        name = await send_bundle(at, await tipping(at))
        waited = 0
        while (await inflight(at, name))[0][0] == "Pending":
            at.slots()
            waited += 1
        assert waited == 4
        assert at.chain.slot // 4 % 2 == 0


async def test_a_dropped_bundle_fails_and_old_ones_are_forgotten() -> None:
    async with desk(**FREE) as at:
        await at.faults(drop={"next": 1})
        name = await send_bundle(at, await tipping(at))
        at.slots()
        assert await inflight(at, name) == [("Failed", None)]
        at.slots(300 * 5 // 2 + 3)
        assert await inflight(at, name) == [("Invalid", None)]
        url = f"{at.running.jito_url}/api/v1/getInflightBundleStatuses"
        assert "at most 5" in (await at.refusal("getInflightBundleStatuses", [name] * 6, url=url)).message


async def test_the_tip_floor_follows_what_landed() -> None:
    async def floor(at: Desk) -> Sequence[Any]:
        async with at.session.get(f"{at.running.jito_url}/api/v1/bundles/tip_floor") as answer:
            return list(await answer.json())

    async with desk(**FREE) as at:
        (before,) = await floor(at)
        assert before["landed_tips_50th_percentile"] == 1e-6
        for lamports in (2_000, 4_000, 8_000):
            await send_bundle(at, await tipping(at, lamports))
        at.slots()
        (after,) = await floor(at)
        assert (after["landed_tips_25th_percentile"], after["landed_tips_50th_percentile"]) == (2e-6, 4e-6)
        assert after["ema_landed_tips_50th_percentile"] > before["ema_landed_tips_50th_percentile"]
        assert after["time"].endswith("Z")
