"""WebSocket subscriptions: what is told, at which commitment, and when it ends."""

from base64 import b64decode
from typing import Any

import pytest
from chain_desk import COUNTER, SOL, RpcAnswerError, desk, pays, wire
from solders.account import Account
from solders.pubkey import Pubkey

from drift_engine.localnet import base58

A, B = (Pubkey(bytes([place]) * 32) for place in (1, 2))
BASE64 = {"encoding": "base64"}


def account(data: bytes) -> Account:
    return Account(10_000_000, data, COUNTER)


def told_data(told: Any) -> tuple[int, bytes]:
    value = told["result"]["value"]
    shown = value.get("account", value)
    return told["result"]["context"]["slot"], b64decode(shown["data"][0])


async def test_an_account_is_told_at_each_commitment() -> None:
    async with desk(accounts=((A, account(b"0")),)) as at, at.socket() as ears:
        numbers = {
            name: await ears.call("accountSubscribe", str(A), {"commitment": name, **BASE64})
            for name in ("processed", "confirmed", "finalized")
        }
        slot = at.chain.slot
        for data in (b"1", b"2"):
            at.chain.put(A, account(data))
        heard = [await ears.heard() for _ in range(2)]
        assert [told["subscription"] for told in heard] == [numbers["processed"]] * 2
        assert [told_data(told) for told in heard] == [(slot, b"1"), (slot, b"2")]
        at.slots()
        told = await ears.heard()
        assert (told["subscription"], told_data(told)) == (numbers["confirmed"], (slot, b"2"))
        at.slots(30)
        await ears.silence()
        at.slots()
        told = await ears.heard()
        assert (told["subscription"], told_data(told)) == (numbers["finalized"], (slot, b"2"))
        at.chain.put(A, None)
        assert (await ears.heard())["result"]["value"]["lamports"] == 0


async def test_a_program_is_told_of_accounts_that_pass_the_filters() -> None:
    async with desk() as at, at.socket() as ears:
        config = {
            "commitment": "processed",
            **BASE64,
            "filters": [{"memcmp": {"offset": 0, "bytes": base58.encode(b"x")}}],
        }
        await ears.call("programSubscribe", str(COUNTER), config)
        for key, data in ((A, b"y"), (B, b"x1"), (A, b"x2")):
            at.chain.put(key, account(data))
        heard = [await ears.heard() for _ in range(2)]
        assert [told["result"]["value"]["pubkey"] for told in heard] == [str(B), str(A)]
        await ears.silence()


async def test_a_signature_is_told_once_and_at_once_if_it_is_late() -> None:
    async with desk() as at, at.socket() as ears:
        transaction = await at.made(pays(at.me, A, SOL))
        signature = str(transaction.signatures[0])
        early = await ears.call("signatureSubscribe", signature, {"commitment": "confirmed"})
        await at.send(transaction)
        await ears.silence()
        at.slots()
        told = await ears.heard()
        assert (told["subscription"], told["result"]["value"]) == (early, {"err": None})
        late = await ears.call("signatureSubscribe", signature, {"commitment": "processed"})
        assert (await ears.heard())["subscription"] == late
        at.slots(40)
        await ears.silence()
        with pytest.raises(RpcAnswerError, match="Invalid subscription id"):
            await ears.call("signatureUnsubscribe", late)


async def test_logs_are_told_of_failures_too_and_by_mention() -> None:
    async with desk() as at, at.socket() as ears:
        config = {"commitment": "processed"}
        everything = await ears.call("logsSubscribe", "all", config)
        mention = await ears.call("logsSubscribe", {"mentions": [str(B)]}, config)
        await at.do(pays(at.me, A, SOL))
        bad = await at.made(pays(at.me, B, 1_000 * SOL))
        await at.send(bad, skip=True)
        heard = [await ears.heard() for _ in range(3)]
        assert [told["subscription"] for told in heard] == [everything, everything, mention]
        value = heard[2]["result"]["value"]
        assert value["err"] == {"InstructionError": [0, {"Custom": 1}]}
        assert value["signature"] == str(bad.signatures[0])
        assert value["logs"][-1].endswith("custom program error: 0x1")


async def test_subscriptions_end_when_told_to_and_are_each_sockets_own() -> None:
    async with desk() as at, at.socket() as ears, at.socket() as others:
        number = await ears.call("accountSubscribe", str(A), {"commitment": "processed", **BASE64})
        for method, client in (("slotUnsubscribe", ears), ("accountUnsubscribe", others)):
            with pytest.raises(RpcAnswerError, match=r"-32602.*Invalid subscription id"):
                await client.call(method, number)
        assert await ears.call("accountUnsubscribe", number) is True
        at.chain.put(A, account(b"1"))
        await ears.silence()


async def test_either_port_takes_calls_and_sockets() -> None:
    async with desk() as at:
        ws_port_by_http = at.running.ws_url.replace("ws:", "http:")
        assert await at.call("getHealth", url=ws_port_by_http) == "ok"
        async with at.session.ws_connect(at.running.url) as socket:
            await socket.send_json({"jsonrpc": "2.0", "id": 1, "method": "getSlot", "params": []})
            assert "result" in await socket.receive_json(timeout=30)
        assert int(at.running.ws_url.rsplit(":", 1)[1]) == int(at.running.url.rsplit(":", 1)[1]) + 1


async def test_a_call_on_a_socket_may_send_a_transaction_and_hear_of_it() -> None:
    async with desk() as at, at.socket() as ears:
        await ears.call("accountSubscribe", str(A), {"commitment": "processed", **BASE64})
        transaction = await at.made(pays(at.me, A, SOL))
        await ears.call("sendTransaction", wire(transaction), BASE64)
        assert (await ears.heard())["result"]["value"]["lamports"] == SOL
