"""Each fault, set through the control, as a client meets it."""

import asyncio

import aiohttp
import pytest
from aiohttp import WSMsgType
from chain_desk import (
    COUNTER,
    SOL,
    SYSTEM,
    CounterProgram,
    count_of,
    counter_call,
    desk,
    pays,
    readonly,
    wire,
    writable,
)
from solders.account import Account
from solders.instruction import AccountMeta
from solders.pubkey import Pubkey

from drift_engine.localnet.chain import ChainConfig
from drift_engine.localnet.faults import Fault, Faults
from drift_engine.localnet.program import Ledger
from drift_engine.localnet.serving import PortTakenError, ServeConfig, serve

A = Pubkey(bytes([1]) * 32)
NOW = {"commitment": "processed"}
STREAM = {"commitment": "processed", "encoding": "base64"}


def account(data: bytes) -> Account:
    return Account(10_000_000, data, COUNTER)


async def test_a_dropped_transaction_is_accepted_and_never_lands() -> None:
    async with desk() as at:
        await at.faults(drop={"next": 1})
        signature = await at.send(await at.made(pays(at.me, A, SOL)))
        at.slots(5)
        assert await at.status(signature) is None
        await at.do(pays(at.me, A, 2 * SOL))
        assert await at.balance(A) == 2 * SOL
        assert (await at.faults())["struck"] == {"drop": 1}


async def test_a_delayed_transaction_lands_later_or_finds_its_blockhash_expired() -> None:
    async with desk() as at:
        await at.faults(delay={"next": 2, "slots": 3})
        signature = await at.send(await at.made(pays(at.me, A, SOL)))
        at.slots(2)
        assert await at.status(signature) is None
        at.slots()
        assert (await at.status(signature))["slot"] == at.chain.slot
        blockhash_late = await at.made(pays(at.me, A, 3 * SOL))
        at.slots(149)
        late = await at.send(blockhash_late)
        at.slots(3)
        assert await at.status(late) is None


async def test_notifications_are_doubled_and_swapped() -> None:
    async with desk() as at, at.socket() as ears:
        await ears.call("accountSubscribe", str(A), STREAM)
        await at.faults(duplicate={"next": 1})
        for data in (b"1", b"2"):
            at.chain.put(A, account(data))
        heard = [(await ears.heard())["result"]["value"]["data"][0] for _ in range(3)]
        assert heard == ["MQ==", "MQ==", "Mg=="]
        await at.faults(reorder={"next": 1})
        for data in (b"3", b"4", b"5"):
            at.chain.put(A, account(data))
        heard = [(await ears.heard())["result"]["value"]["data"][0] for _ in range(3)]
        assert heard == ["NA==", "Mw==", "NQ=="]
        await at.faults(replay={"next": 1})
        at.chain.put(A, account(b"7"))
        heard = [(await ears.heard())["result"]["value"]["data"][0] for _ in range(2)]
        assert heard == ["Nw==", "NQ=="]
        await at.faults(reorder={"next": 1})
        at.chain.put(A, account(b"6"))
        await ears.silence()
        at.slots(2)
        assert (await ears.heard())["result"]["value"]["data"][0] == "Ng=="


async def test_requests_are_refused_by_count_and_by_rate() -> None:
    async with desk() as at:
        await at.faults(too_many_requests={"next": 2, "retry_after_s": 7})
        call = {"jsonrpc": "2.0", "id": 1, "method": "getSlot"}
        answers = []
        for _ in range(3):
            async with at.session.post(at.running.url, json=call) as answer:
                answers.append((answer.status, answer.headers.get("Retry-After"), "error" in await answer.json()))
        assert answers == [(429, "7", True), (429, "7", True), (200, None, False)]
        await at.faults(too_many_requests={"per_s": 3})
        statuses = []
        for _ in range(12):
            async with at.session.post(at.running.url, json=call) as answer:
                statuses.append(answer.status)
        assert statuses.count(200) in {3, 6}  # one second, or two if it turned in between
        assert statuses.count(429) == 12 - statuses.count(200)


async def test_a_disconnect_cuts_every_socket_and_leaves_the_chain() -> None:
    async with desk() as at, at.socket() as ears, at.socket() as others:
        await ears.call("slotSubscribe")
        await at.faults(disconnect={})
        for client in (ears, others):
            message = await client.socket.receive(timeout=30)
            assert message.type in (WSMsgType.CLOSED, WSMsgType.ERROR, WSMsgType.CLOSE)
        at.slots()
        async with at.socket() as again:
            await again.silence()


async def test_a_fork_takes_back_blocks_and_their_transactions() -> None:
    async with desk() as at, at.socket() as ears:
        first = await at.do(pays(at.me, A, SOL))
        at.slots(2)
        opening = counter_call("o", writable(Pubkey.new_unique()), *_payer(at.me))
        blockhash_forked = await at.blockhash()
        second = await at.do(pays(at.me, A, SOL), opening)
        at.slots(2)
        assert (await at.status(second))["confirmationStatus"] == "confirmed"
        await ears.call("accountSubscribe", str(A), STREAM)
        slot, height = at.chain.slot, await at.call("getBlockHeight", NOW)
        await at.faults(fork={"slots": 2})
        assert at.chain.slot == slot + 1
        assert await at.call("getBlockHeight", NOW) == height - 2
        assert await at.status(second) is None
        assert (await at.status(first))["confirmationStatus"] == "confirmed"
        assert await at.balance(A) == SOL
        told = (await ears.heard())["result"]
        assert (told["context"]["slot"], told["value"]["lamports"]) == (slot + 1, SOL)
        assert not at.chain.bank.program_accounts(COUNTER)
        assert await at.blockhash() == blockhash_forked
        again = await at.send(await at.made(pays(at.me, A, SOL), opening))
        assert again == second  # the same message: it is no duplicate, for it never was
        at.slots()
        assert await at.balance(A, "confirmed") == 2 * SOL


def _payer(me: Pubkey) -> tuple[AccountMeta, AccountMeta]:
    return AccountMeta(me, is_signer=True, is_writable=True), readonly(SYSTEM)


async def test_what_is_finalized_is_not_rolled_back() -> None:
    async with desk() as at:
        at.slots(40)
        slot = at.chain.slot
        assert "finalized" in (await at.faults(fork={"slots": 32}))["error"]
        assert at.chain.slot == slot
        assert (await at.faults(fork={"slots": 31}))["struck"] == {"fork": 1}
        seen = [await at.call("getSlot", {"commitment": name}) for name in ("finalized", "confirmed", "processed")]
        assert seen == [slot - 32, slot - 32, slot + 1]


async def test_a_fork_puts_back_what_a_program_noted() -> None:
    key = Pubkey.new_unique()
    counter = (key, Account(10_000_000, bytes(8), COUNTER))
    async with desk(accounts=(counter,)) as at:
        at.slots()
        at.chain.bank.keep({"waiting": (key,)})
        at.slots(2)
        assert count_of(at, key) == 1
        await at.faults(fork={"slots": 1})
        assert count_of(at, key) == 1  # rolled back, and ticked again by the note put back
        assert at.chain.bank.notes == {"waiting": ()}


async def test_stale_reads_are_answered_from_an_older_context() -> None:
    async with desk() as at:
        at.slots(4)
        at.chain.put(A, account(b"1"))
        at.slots(4)
        at.chain.put(A, account(b"2"))
        await at.faults(stale={"next": 2, "slots": 3})
        assert (await at.refusal("getHealth")).data == {"numSlotsBehind": 3}
        assert await at.call("getSlot", NOW) == at.chain.slot - 3
        shown = await at.call("getAccountInfo", str(A), STREAM)
        assert (shown["context"]["slot"], shown["value"]["data"][0]) == (at.chain.slot - 3, "MQ==")
        shown = await at.call("getAccountInfo", str(A), STREAM)
        assert (shown["context"]["slot"], shown["value"]["data"][0]) == (at.chain.slot, "Mg==")
        assert await at.call("getHealth") == "ok"


async def test_a_stalled_stream_is_open_and_silent_even_to_pings() -> None:
    async with desk() as at, at.socket() as ears:
        await ears.call("accountSubscribe", str(A), STREAM)
        await at.faults(stall={"on": True})
        at.chain.put(A, account(b"1"))
        await ears.socket.ping()
        assert await ears.pause(0.1)
        await at.faults(stall=None)
        at.chain.put(A, account(b"2"))
        assert (await ears.heard())["result"]["value"]["data"][0] == "Mg=="


def test_the_same_seed_strikes_the_same() -> None:
    def struck(seed: int) -> list[bool]:
        faults = Faults(seed)
        faults.set("drop", Fault(rate=0.3))
        return [faults.strike("drop") is not None for _ in range(200)]

    assert struck(1) == struck(1)
    assert struck(1) != struck(2)
    assert 30 < sum(struck(1)) < 90


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"dorp": {}}, "no fault is called 'dorp'"),
        ({"drop": {"nxt": 1}}, "unknown field `nxt`"),
        ({"drop": {"rate": 2}}, "a rate from 0 to 1"),
        ({"drop": 3}, "Expected `object`"),
        ([1], "one JSON object"),
    ],
)
async def test_a_bad_fault_is_named(body: object, words: str) -> None:
    async with desk() as at, at.session.post(f"{at.running.url}/faults", json=body) as answer:
        assert answer.status == 400
        assert words in (await answer.json())["error"]


async def test_slots_are_opened_by_the_control() -> None:
    async with desk() as at:
        slot = at.chain.slot
        assert await at.post({"advance": 3}, f"{at.running.url}/slots") == {"slot": slot + 3}
        assert "whole number" in (await at.post({"advance": 0}, f"{at.running.url}/slots"))["error"]


async def test_cut_sockets_leave_nothing_behind() -> None:
    async with desk() as at:
        for turn in range(20):
            async with at.socket() as ears:
                await ears.call("accountSubscribe", str(A), STREAM)
                at.chain.put(A, account(bytes([turn])))
                await at.faults(disconnect={})
        at.chain.put(A, account(b"last"))
        await asyncio.sleep(0.05)
        assert at.running.server.listeners == (0, 0)


class BrokenProgram(CounterProgram):
    def tick(self, ledger: Ledger) -> bool:
        raise ZeroDivisionError(f"in slot {ledger.slot}")


async def test_a_program_that_breaks_in_a_tick_is_heard_of() -> None:
    running = await serve(ServeConfig(chain=ChainConfig(slot_ms=10)))
    running.chain.programs[COUNTER] = BrokenProgram()
    with pytest.raises(ZeroDivisionError, match="in slot"):
        await asyncio.wait_for(running.wait(), 30)
    with pytest.raises(ZeroDivisionError):
        await running.stop()


async def test_a_taken_port_is_named() -> None:
    async with desk() as at:
        port = int(at.running.url.rsplit(":", 1)[1])
        with pytest.raises(PortTakenError, match=str(port)):
            await serve(ServeConfig(port=port))
        jito_port = int(at.running.jito_url.rsplit(":", 1)[1])
        with pytest.raises(PortTakenError, match=str(jito_port)):
            await serve(ServeConfig(jito_port=jito_port))
        async with aiohttp.ClientSession() as session, session.get(f"{at.running.url}/health") as answer:
            assert await answer.text() == "ok"
        assert wire(await at.made(pays(at.me, A, SOL)))
