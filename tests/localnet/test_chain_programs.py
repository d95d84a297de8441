"""A played program on the chain: its instructions between real ones, all or nothing, in order."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from struct import pack

import pytest
from chain_desk import COUNTER, SIGNER, SOL, SYSTEM, Desk, count_of, counter_call, desk, pays, readonly, wire, writable
from solders.compute_budget import set_compute_unit_limit
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from drift_engine.localnet import tokens
from drift_engine.localnet.noop_elf import noop_elf
from drift_engine.localnet.outcomes import LOG_BYTES

KEY, MINT, VAULT, PURSE, OTHER = (Pubkey.new_unique() for _ in range(5))
TOKEN_RENT = 2_039_280


@asynccontextmanager
async def counted() -> AsyncIterator[Desk]:
    """A desk with an open counter at KEY, a vault of the program's and a token account of the desk's own."""
    key = Keypair.from_seed(bytes([7]) * 32).pubkey()
    accounts = (
        (MINT, tokens.mint_of(6, 2_000_000, 10**9, key)),
        (VAULT, tokens.account_of(MINT, SIGNER, 1_000_000, TOKEN_RENT)),
        (PURSE, tokens.account_of(MINT, key, 0, TOKEN_RENT)),
        (OTHER, tokens.account_of(MINT, Pubkey.new_unique(), 0, TOKEN_RENT)),
    )
    async with desk(accounts=accounts) as at:
        await at.do(opening(at))
        yield at


def opening(at: Desk, key: Pubkey = KEY) -> Instruction:
    payer = AccountMeta(at.me, is_signer=True, is_writable=True)
    return counter_call("o", writable(key), payer, readonly(SYSTEM))


def adding(amount: int, key: Pubkey = KEY) -> Instruction:
    return counter_call("a", writable(key), amount=amount)


def paying_out(amount: int) -> Instruction:
    return counter_call("p", writable(VAULT), writable(PURSE), amount=amount)


def passing_on(at: Desk, amount: int) -> Instruction:
    metas = [writable(PURSE), writable(OTHER), AccountMeta(at.me, is_signer=True, is_writable=False)]
    return Instruction(tokens.TOKEN_PROGRAM, pack("<BQ", 3, amount), metas)


def amount_of(at: Desk, key: Pubkey) -> int:
    account = at.chain.bank.get(key)
    assert account is not None
    return tokens.held(account).amount


async def failed(at: Desk, *instructions: Instruction) -> tuple[object, list[str]]:
    """Send what has to fail, unchecked; return its error and log. Its check must have said the same."""
    transaction = await at.made(*instructions)
    error = await at.refusal("sendTransaction", wire(transaction), {"encoding": "base64"})
    assert error.code == -32002
    signature = await at.send(transaction, skip=True)
    assert (await at.status(signature))["err"] == error.data["err"]
    at.slots()
    config = {"maxSupportedTransactionVersion": 0, "commitment": "confirmed"}
    record = await at.call("getTransaction", signature, config)
    assert record["meta"]["logMessages"] == error.data["logs"]
    return error.data["err"], error.data["logs"]


def test_the_noop_program_is_a_small_elf() -> None:
    assert len(noop_elf()) < 400
    assert noop_elf()[:4] == b"\x7fELF"


async def test_the_program_writes_accounts_in_its_own_layout_and_logs_as_a_program() -> None:
    async with counted() as at:
        account = (await at.call("getAccountInfo", str(KEY), {"encoding": "base64", "commitment": "processed"}))[
            "value"
        ]
        assert account["owner"] == str(COUNTER)
        assert account["lamports"] == at.chain.bank.rent(8)
        assert await at.balance(at.me) == 100 * SOL - 5_000 - at.chain.bank.rent(8)
        signature = await at.do(set_compute_unit_limit(30_000), adding(5))
        at.slots()
        record = await at.call(
            "getTransaction", signature, {"maxSupportedTransactionVersion": 0, "commitment": "confirmed"}
        )
        budget = "Program ComputeBudget111111111111111111111111111111"
        assert record["meta"]["logMessages"] == [
            f"{budget} invoke [1]",
            f"{budget} success",
            f"Program {COUNTER} invoke [1]",
            "Program log: Instruction: a",
            "Program data: BQAAAAAAAAA=",
            f"Program {COUNTER} consumed 100 of 29850 compute units",
            f"Program {COUNTER} success",
        ]
        assert record["meta"]["computeUnitsConsumed"] == 250
        assert record["meta"]["fee"] == 5_000


async def test_its_instructions_run_between_real_ones_in_order() -> None:
    async with counted() as at:
        balance = await at.balance(at.me)
        to = Pubkey.new_unique()
        # the tokens passed on come from the program; what is added second comes after both
        await at.do(
            adding(1), paying_out(700), pays(at.me, to, SOL), passing_on(at, 600), adding(2), passing_on(at, 50)
        )
        assert count_of(at, KEY) == 3
        assert (amount_of(at, VAULT), amount_of(at, PURSE), amount_of(at, OTHER)) == (999_300, 50, 650)
        assert await at.balance(at.me) == balance - SOL - 5_000
        error, _ = await failed(at, passing_on(at, 100), paying_out(100))
        assert error == {"InstructionError": [0, {"Custom": 1}]}


async def test_a_refusal_of_the_program_undoes_everything_but_the_fee() -> None:
    async with counted() as at:
        balance, to = await at.balance(at.me), Pubkey.new_unique()
        error, logs = await failed(at, pays(at.me, to, SOL), adding(1), paying_out(5), counter_call("f"))
        assert error == {"InstructionError": [3, {"Custom": 6010}]}
        assert logs[-1] == f"Program {COUNTER} failed: custom program error: 0x177a"
        assert "Error Code: CounterBroken. Error Number: 6010. Error Message: the counter is broken." in logs[-3]
        assert await at.balance(at.me) == balance - 5_000
        assert await at.balance(to) == 0
        assert (count_of(at, KEY), amount_of(at, VAULT)) == (0, 1_000_000)


async def test_a_refusal_of_a_later_real_instruction_undoes_the_program_too() -> None:
    async with counted() as at:
        balance = await at.balance(at.me)
        error, logs = await failed(at, adding(1), pays(at.me, Pubkey.new_unique(), 1_000 * SOL), adding(1))
        assert error == {"InstructionError": [1, {"Custom": 1}]}
        assert sum("invoke [1]" in line for line in logs) == 2
        assert count_of(at, KEY) == 0
        assert await at.balance(at.me) == balance - 5_000


async def test_an_account_opened_in_the_transaction_is_there_for_the_next_instruction() -> None:
    async with counted() as at:
        fresh = Pubkey.new_unique()
        await at.do(opening(at, fresh), adding(4, fresh))
        assert count_of(at, fresh) == 4
        error, logs = await failed(at, opening(at, fresh))
        assert error == {"InstructionError": [0, {"Custom": 0}]}
        assert any("already in use" in line for line in logs)


@pytest.mark.parametrize(
    ("instruction", "error"),
    [
        (counter_call("a", readonly(KEY), amount=1), "ReadonlyDataModified"),
        (counter_call("m", writable(Pubkey.new_unique())), "UnbalancedInstruction"),
        (counter_call("c", amount=200_000), "ComputationalBudgetExceeded"),
        (paying_out(1_000_001), {"Custom": 1}),
        (counter_call("p", writable(OTHER), writable(PURSE), amount=0), {"Custom": 4}),
    ],
)
async def test_the_runtime_holds_the_program_to_its_rules(instruction: Instruction, error: object) -> None:
    async with counted() as at:
        assert (await failed(at, instruction))[0] == {"InstructionError": [0, error]}


async def test_compute_counts_over_all_pieces() -> None:
    async with counted() as at:
        burning = counter_call("c", amount=1_500)
        await at.do(set_compute_unit_limit(2_100), burning, pays(at.me, at.me, 0))
        error, _ = await failed(at, set_compute_unit_limit(1_890), burning, pays(at.me, at.me, 0))
        assert error == {"InstructionError": [2, "ComputationalBudgetExceeded"]}


async def test_a_payer_without_the_fee_and_a_bad_signature_do_not_reach_the_program() -> None:
    async with counted() as at:
        poor = Keypair()
        transaction = await at.made(adding(1), signers=[poor])
        error = await at.refusal("sendTransaction", wire(transaction), {"encoding": "base64"})
        assert error.data["err"] == "AccountNotFound"
        assert await at.status(await at.send(transaction, skip=True)) is None
        good = await at.made(adding(1))
        bad = type(good).populate(good.message, [poor.sign_message(bytes(good.message))])
        await at.send(bad, skip=True)
        assert count_of(at, KEY) == 0


async def test_an_associated_account_made_in_the_transaction_takes_what_the_program_pays() -> None:
    async with counted() as at:
        program = Pubkey.from_string("ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL")
        made, _ = Pubkey.find_program_address([bytes(at.me), bytes(tokens.TOKEN_PROGRAM), bytes(MINT)], program)
        payer = AccountMeta(at.me, is_signer=True, is_writable=True)
        rest = [readonly(key) for key in (at.me, MINT, SYSTEM, tokens.TOKEN_PROGRAM)]
        opened = Instruction(program, bytes([1]), [payer, writable(made), *rest])
        balance = await at.balance(at.me)
        await at.do(opened, counter_call("p", writable(VAULT), writable(made), amount=77), opened)
        assert amount_of(at, made) == 77
        assert await at.balance(at.me) == balance - 5_000 - TOKEN_RENT


def signature_check(message: bytes, signed: bytes) -> Instruction:
    """An instruction of the precompiled Ed25519 program (agave ``ed25519-program``)."""
    key = Keypair.from_seed(bytes([8]) * 32)
    offsets = pack("<BBHHHHHHH", 1, 0, 48, 0xFFFF, 16, 0xFFFF, 112, len(message), 0xFFFF)
    data = offsets + bytes(key.pubkey()) + bytes(key.sign_message(signed)) + message
    return Instruction(Pubkey.from_string("Ed25519SigVerify111111111111111111111111111"), data, [])


async def test_a_signature_checked_beside_the_program_costs_its_fee_and_has_to_be_true() -> None:
    async with counted() as at:
        balance = await at.balance(at.me)
        await at.do(signature_check(b"order", b"order"), adding(1), pays(at.me, at.me, 1))
        assert await at.balance(at.me) == balance - 10_000
        error, _ = await failed(at, adding(1), signature_check(b"order", b"other"))
        assert isinstance(error, dict)
        assert count_of(at, KEY) == 1


async def test_a_long_log_is_cut_where_a_validator_cuts_it() -> None:
    async with counted() as at:
        signature = await at.do(*(adding(1) for _ in range(45)))
        at.slots()
        record = await at.call(
            "getTransaction", signature, {"maxSupportedTransactionVersion": 0, "commitment": "confirmed"}
        )
        lines = record["meta"]["logMessages"]
        assert lines[-1] == "Log truncated"
        assert sum(map(len, lines[:-1])) < LOG_BYTES
        assert count_of(at, KEY) == 45


async def test_a_simulation_leaves_no_trace() -> None:
    async with counted() as at:
        transaction = await at.made(adding(3))
        config = {"encoding": "base64", "accounts": {"addresses": [str(KEY)]}}
        value = (await at.call("simulateTransaction", wire(transaction), config))["value"]
        assert value["accounts"][0]["data"][0] == "AwAAAAAAAAA="
        assert count_of(at, KEY) == 0
        assert await at.status(str(transaction.signatures[0])) is None


async def test_a_tick_is_the_keepers_transaction_and_can_be_followed() -> None:
    async with counted() as at, at.socket() as ears:
        number = await ears.call("logsSubscribe", {"mentions": [str(KEY)]}, {"commitment": "processed"})
        at.chain.bank.keep({"waiting": (KEY, KEY)})
        at.slots()
        assert count_of(at, KEY) == 2
        heard = [await ears.heard() for _ in range(2)]
        assert {told["subscription"] for told in heard} == {number}
        signatures = [told["result"]["value"]["signature"] for told in heard]
        assert len(set(signatures)) == 2
        assert "Program data: AgAAAAAAAAA=" in heard[1]["result"]["value"]["logs"]
        at.slots()
        listed = await at.call("getSignaturesForAddress", str(KEY), {"commitment": "confirmed", "limit": 2})
        assert [entry["signature"] for entry in listed] == signatures[::-1]
