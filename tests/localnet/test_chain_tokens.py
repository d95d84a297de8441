"""SPL tokens on the chain: the real program, and the one transfer a played program makes, byte for byte the same."""

from struct import pack
from typing import Any

from chain_desk import desk, readonly, writable
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.system_program import CreateAccountParams, create_account

from drift_engine.localnet import tokens


def mint_instructions(payer: Pubkey, mint: Pubkey, account: Pubkey, rent: dict[int, int]) -> list[Instruction]:
    """Instructions that make a mint of 6 decimals and an account with 1,000,000 units of it, both the payer's."""
    program, payer_meta = tokens.TOKEN_PROGRAM, AccountMeta(payer, True, False)

    def opened(key: Pubkey, space: int) -> Instruction:
        lamports = rent[space]
        params = CreateAccountParams(from_pubkey=payer, to_pubkey=key, lamports=lamports, space=space, owner=program)
        return create_account(params)

    return [
        opened(mint, 82),
        Instruction(program, bytes([20, 6]) + bytes(payer) + b"\0", [writable(mint)]),
        opened(account, 165),
        Instruction(program, bytes([18]) + bytes(payer), [writable(account), readonly(mint)]),
        Instruction(program, pack("<BQ", 7, 1_000_000), [writable(mint), writable(account), payer_meta]),
    ]


async def test_tokens_are_minted_moved_and_read_back() -> None:
    async with desk() as at:
        mint, source, target = Keypair(), Keypair(), Keypair()
        rent = {size: await at.call("getMinimumBalanceForRentExemption", size) for size in (82, 165)}
        made = mint_instructions(at.me, mint.pubkey(), source.pubkey(), rent)
        await at.do(*made, signers=[at.key, mint, source])
        opened = create_account(
            CreateAccountParams(
                from_pubkey=at.me, to_pubkey=target.pubkey(), lamports=rent[165], space=165, owner=tokens.TOKEN_PROGRAM
            )
        )
        init = Instruction(
            tokens.TOKEN_PROGRAM, bytes([18]) + bytes(at.me), [writable(target.pubkey()), readonly(mint.pubkey())]
        )
        me = AccountMeta(at.me, True, False)
        metas = [writable(source.pubkey()), writable(target.pubkey()), me]
        move = Instruction(tokens.TOKEN_PROGRAM, pack("<BQ", 3, 250_000), metas)
        signature = await at.do(opened, init, move, signers=[at.key, target])
        config = {"commitment": "processed"}
        value = (await at.call("getTokenAccountBalance", str(target.pubkey()), config))["value"]
        assert value == {"amount": "250000", "decimals": 6, "uiAmount": 0.25, "uiAmountString": "0.25"}
        held = await at.call(
            "getTokenAccountsByOwner", str(at.me), {"mint": str(mint.pubkey())}, {"encoding": "jsonParsed", **config}
        )
        amounts = {
            entry["pubkey"]: entry["account"]["data"]["parsed"]["info"]["tokenAmount"]["amount"]
            for entry in held["value"]
        }
        assert amounts == {str(source.pubkey()): "750000", str(target.pubkey()): "250000"}
        at.slots()
        found = await at.call(
            "getTransaction", signature, {"maxSupportedTransactionVersion": 0, "commitment": "confirmed"}
        )
        moved = {entry["mint"]: entry["uiTokenAmount"]["amount"] for entry in found["meta"]["postTokenBalances"][:1]}
        assert moved
        assert len(found["meta"]["preTokenBalances"]) == 1
        await _checks_our_own_transfer(at, source.pubkey(), target.pubkey())


async def _checks_our_own_transfer(at: Any, source: Pubkey, target: Pubkey) -> None:
    """The token program's transfer and ours leave the same bytes."""
    before = [at.chain.bank.get(key) for key in (source, target)]
    ours = tokens.transfer(before[0], before[1], at.me, 1_234, same=False)
    metas = [writable(source), writable(target), AccountMeta(at.me, True, False)]
    await at.do(Instruction(tokens.TOKEN_PROGRAM, pack("<BQ", 3, 1_234), metas))
    assert list(ours) == [at.chain.bank.get(key) for key in (source, target)]
