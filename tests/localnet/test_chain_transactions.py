"""Real transactions sent to the served chain: what lands, what is refused, and with which words."""

from base64 import b64decode, b64encode
from struct import pack

import pytest
from chain_desk import SOL, SYSTEM, desk, pays, readonly, signed, wire, writable
from solders.account import Account
from solders.address_lookup_table_account import AddressLookupTableAccount
from solders.compute_budget import set_compute_unit_limit, set_compute_unit_price
from solders.hash import Hash
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.message import Message, to_bytes_versioned
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.transaction import VersionedTransaction

TABLES = Pubkey.from_string("AddressLookupTab1e1111111111111111111111111")
RENT = Pubkey.from_string("SysvarRent111111111111111111111111111111111")


async def test_a_transfer_moves_lamports_and_is_seen_by_each_commitment_in_turn() -> None:
    async with desk() as at:
        to = Pubkey.new_unique()
        signature = await at.do(pays(at.me, to, SOL))
        assert await at.balance(to) == SOL
        assert await at.balance(at.me) == 99 * SOL - 5_000
        assert (await at.status(signature))["confirmationStatus"] == "processed"
        assert await at.balance(to, "confirmed") == 0
        at.slots()
        assert await at.balance(to, "confirmed") == SOL
        assert (await at.status(signature))["confirmations"] == 1
        at.slots(30)
        assert await at.balance(to, "finalized") == 0
        assert (await at.status(signature))["confirmationStatus"] == "confirmed"
        at.slots()
        assert await at.balance(to, "finalized") == SOL
        status = await at.status(signature)
        assert status["confirmationStatus"] == "finalized"
        assert status["confirmations"] is None


async def test_the_record_of_a_transfer_tells_fee_balances_and_logs() -> None:
    async with desk() as at:
        to = Pubkey.new_unique()
        price = set_compute_unit_price(1_000_001)
        signature = await at.do(set_compute_unit_limit(1_000), price, pays(at.me, to, SOL))
        config = {"encoding": "json", "maxSupportedTransactionVersion": 0, "commitment": "confirmed"}
        assert await at.call("getTransaction", signature, config) is None
        at.slots()
        found = await at.call("getTransaction", signature, config)
        meta, message = found["meta"], found["transaction"]["message"]
        assert meta["fee"] == 5_000 + 1_001  # ceil(1,000 units * 1,000,001 micro-lamports)
        assert meta["preBalances"][:2] == [100 * SOL, 0]
        assert meta["postBalances"][:2] == [99 * SOL - 6_001, SOL]
        assert meta["logMessages"][-2:] == [f"Program {SYSTEM} invoke [1]", f"Program {SYSTEM} success"]
        assert meta["computeUnitsConsumed"] == 450
        assert message["accountKeys"][:2] == [str(at.me), str(to)]
        assert found["version"] == 0
        assert (await at.refusal("getTransaction", signature, {"commitment": "confirmed"})).code == -32015
        listed = await at.call("getSignaturesForAddress", str(to), {"commitment": "confirmed"})
        assert [entry["signature"] for entry in listed] == [signature]
        fees = await at.call("getRecentPrioritizationFees", [str(to)])
        assert {entry["prioritizationFee"] for entry in fees} == {0, 1_000_001}


async def test_a_legacy_transaction_lands_too() -> None:
    async with desk() as at:
        to = Pubkey.new_unique()
        message = Message.new_with_blockhash([pays(at.me, to, SOL)], at.me, await at.blockhash())
        signature = await at.send(VersionedTransaction(message, [at.key]))
        at.slots()
        found = await at.call("getTransaction", signature, {"commitment": "confirmed", "encoding": "base64"})
        assert found["version"] == "legacy"
        assert VersionedTransaction.from_bytes(b64decode(found["transaction"][0])).message == message


async def test_a_blockhash_is_good_for_150_blocks_and_then_expired() -> None:
    async with desk() as at:
        at.slots(5)
        found = (await at.call("getLatestBlockhash", {"commitment": "confirmed"}))["value"]
        blockhash = Hash.from_string(found["blockhash"])
        height = await at.call("getBlockHeight", {"commitment": "processed"})
        at.slots(found["lastValidBlockHeight"] - height)
        assert (await at.call("isBlockhashValid", str(blockhash), {"commitment": "processed"}))["value"]
        await at.send(signed([at.key], [pays(at.me, Pubkey.new_unique(), SOL)], blockhash))
        at.slots()
        assert not (await at.call("isBlockhashValid", str(blockhash), {"commitment": "processed"}))["value"]
        late = signed([at.key], [pays(at.me, Pubkey.new_unique(), SOL)], blockhash)
        error = await at.refusal("sendTransaction", wire(late), {"encoding": "base64"})
        assert (error.code, error.data["err"]) == (-32002, "BlockhashNotFound")
        assert error.message == "Transaction simulation failed: Blockhash not found"
        assert await at.status(await at.send(late, skip=True)) is None


async def test_a_duplicate_is_named_and_changes_nothing() -> None:
    async with desk() as at:
        to = Pubkey.new_unique()
        transaction = await at.made(pays(at.me, to, SOL))
        await at.send(transaction)
        error = await at.refusal("sendTransaction", wire(transaction), {"encoding": "base64"})
        assert error.data["err"] == "AlreadyProcessed"
        assert error.message.endswith("This transaction has already been processed")
        await at.send(transaction, skip=True)
        assert await at.balance(to) == SOL


async def test_a_bad_signature_is_refused_and_does_not_land_unchecked_either() -> None:
    async with desk() as at:
        to = Pubkey.new_unique()
        good = await at.made(pays(at.me, to, SOL))
        bad = VersionedTransaction.populate(good.message, [at.key.sign_message(b"something else")])
        error = await at.refusal("sendTransaction", wire(bad), {"encoding": "base64"})
        assert (error.code, error.message) == (-32003, "Transaction signature verification failure")
        await at.send(bad, skip=True)
        assert await at.balance(to) == 0
        unsigned = VersionedTransaction.populate(good.message, [Signature.default()])
        simulated = await at.call("simulateTransaction", wire(unsigned), {"encoding": "base64"})
        assert simulated["value"]["err"] is None


async def test_a_payer_without_the_fee_is_refused() -> None:
    poor = Keypair()
    async with desk(accounts=((poor.pubkey(), Account(4_999, b"", SYSTEM)),)) as at:
        transaction = signed([poor], [pays(poor.pubkey(), at.me, 1)], await at.blockhash())
        error = await at.refusal("sendTransaction", wire(transaction), {"encoding": "base64"})
        assert error.data["err"] == "InsufficientFundsForFee"
        stranger = Keypair()
        transaction = signed([stranger], [pays(stranger.pubkey(), at.me, 1)], await at.blockhash())
        error = await at.refusal("sendTransaction", wire(transaction), {"encoding": "base64"})
        assert error.data["err"] == "AccountNotFound"


async def test_a_failed_instruction_lands_with_its_fee_when_the_check_is_skipped() -> None:
    async with desk() as at:
        transaction = await at.made(pays(at.me, Pubkey.new_unique(), SOL), pays(at.me, Pubkey.new_unique(), 200 * SOL))
        error = await at.refusal("sendTransaction", wire(transaction), {"encoding": "base64"})
        assert error.data["err"] == {"InstructionError": [1, {"Custom": 1}]}
        assert (
            error.message == "Transaction simulation failed: Error processing Instruction 1: custom program error: 0x1"
        )
        assert await at.balance(at.me) == 100 * SOL
        signature = await at.send(transaction, skip=True)
        assert (await at.status(signature))["err"] == {"InstructionError": [1, {"Custom": 1}]}
        assert await at.balance(at.me) == 100 * SOL - 5_000


async def test_too_little_compute_is_named() -> None:
    async with desk() as at:
        transaction = await at.made(set_compute_unit_limit(200), pays(at.me, Pubkey.new_unique(), SOL))
        error = await at.refusal("sendTransaction", wire(transaction), {"encoding": "base64"})
        assert error.data["err"] == {"InstructionError": [1, "ComputationalBudgetExceeded"]}
        assert error.message.endswith("Error processing Instruction 1: Computational budget exceeded")


async def test_an_unknown_program_is_named() -> None:
    async with desk() as at:
        transaction = await at.made(Instruction(Pubkey.new_unique(), b"", []))
        error = await at.refusal("sendTransaction", wire(transaction), {"encoding": "base64"})
        assert error.data["err"] == "ProgramAccountNotFound"


async def test_a_lookup_table_is_made_extended_and_used() -> None:
    async with desk() as at:
        at.slots(2)
        recent = at.chain.slot - 1
        table, bump = Pubkey.find_program_address([bytes(at.me), pack("<Q", recent)], TABLES)
        payer, authority = AccountMeta(at.me, is_signer=True, is_writable=True), AccountMeta(at.me, True, False)
        held = [Pubkey.new_unique() for _ in range(3)]
        create = Instruction(
            TABLES, pack("<IQB", 0, recent, bump), [writable(table), authority, payer, readonly(SYSTEM)]
        )
        listed = pack("<IQ", 2, len(held)) + b"".join(map(bytes, held))
        extend = Instruction(TABLES, listed, [writable(table), authority, payer, readonly(SYSTEM)])
        await at.do(create, extend)
        at.slots()
        found = AddressLookupTableAccount(table, held)
        transaction = signed([at.key], [pays(at.me, held[1], SOL)], await at.blockhash(), [found])
        assert held[1] not in transaction.message.account_keys
        signature = await at.send(transaction)
        assert await at.balance(held[1]) == SOL
        at.slots()
        config = {"maxSupportedTransactionVersion": 0, "commitment": "confirmed"}
        meta = (await at.call("getTransaction", signature, config))["meta"]
        assert meta["loadedAddresses"] == {"writable": [str(held[1])], "readonly": []}
        assert len(meta["postBalances"]) == len(transaction.message.account_keys) + 1
        absent = AddressLookupTableAccount(Pubkey.new_unique(), held)
        transaction = signed([at.key], [pays(at.me, held[2], SOL)], await at.blockhash(), [absent])
        error = await at.refusal("sendTransaction", wire(transaction), {"encoding": "base64"})
        assert error.data["err"] == "AddressLookupTableNotFound"


async def test_simulation_changes_nothing_and_shows_accounts_after() -> None:
    async with desk() as at:
        to = Pubkey.new_unique()
        stale = signed([at.key], [pays(at.me, to, SOL)], Hash.default())
        config = {"encoding": "base64", "replaceRecentBlockhash": True, "accounts": {"addresses": [str(to)]}}
        value = (await at.call("simulateTransaction", wire(stale), config))["value"]
        assert value["err"] is None
        assert value["accounts"][0]["lamports"] == SOL
        assert value["unitsConsumed"] == 150
        assert value["replacementBlockhash"]["blockhash"] == str(await at.blockhash())
        assert await at.balance(to) == 0
        refused = (await at.call("simulateTransaction", wire(stale), {"encoding": "base64"}))["value"]
        assert refused["err"] == "BlockhashNotFound"
        both = {"encoding": "base64", "replaceRecentBlockhash": True, "sigVerify": True}
        assert (await at.refusal("simulateTransaction", wire(stale), both)).code == -32602


async def test_an_airdrop_is_a_transaction_and_two_alike_are_two() -> None:
    async with desk() as at:
        to = Pubkey.new_unique()
        first, second = [await at.call("requestAirdrop", str(to), SOL) for _ in range(2)]
        assert first != second
        assert await at.balance(to) == 2 * SOL


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("AAAA", "failed to"),
        ("!", "invalid base64 encoding"),
        ("A" * 2000, "too large: 1500 bytes"),
    ],
)
async def test_what_is_no_transaction_is_refused(text: str, message: str) -> None:
    async with desk() as at:
        error = await at.refusal("sendTransaction", text, {"encoding": "base64"})
        assert error.code == -32602
        assert message in error.message or message == "failed to"


async def test_the_fee_of_a_message_is_told_before_it_is_sent() -> None:
    async with desk() as at:
        instructions = [
            set_compute_unit_limit(200_000),
            set_compute_unit_price(500),
            pays(at.me, Pubkey.new_unique(), SOL),
        ]
        transaction = await at.made(*instructions)
        text = b64encode(to_bytes_versioned(transaction.message)).decode()
        assert (await at.call("getFeeForMessage", text))["value"] == 5_100
