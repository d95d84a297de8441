"""Drift v2's real program on the chain: it answers as itself, with the same errors, logs and accounts over RPC."""

from base64 import b64decode

import pytest
from chain_desk import desk, wire
from onchain import MINT, initialize, initialize_user_stats, mint_account, pda, program_so

from drift_engine.localnet.chain import DRIFT_V2_PROGRAM, ChainConfig

USER_STATS_BYTES = 240
USER_STATS_DISCRIMINATOR = bytes.fromhex("b0df881b7a4f20e3")


@pytest.mark.onchain
async def test_the_real_program_refuses_and_accepts_as_it_does() -> None:
    config = ChainConfig(program_so=program_so())
    async with desk(chain=config, programs=(), accounts=(mint_account(),)) as at:
        too_early = await at.made(initialize_user_stats(at.me))
        error = await at.refusal("sendTransaction", wire(too_early), {"encoding": "base64"})
        assert error.data["err"] == {"InstructionError": [0, {"Custom": 3012}]}
        assert any("Error Code: AccountNotInitialized. Error Number: 3012" in line for line in error.data["logs"])
        await at.do(initialize(at.me))
        await at.do(initialize_user_stats(at.me))
        stats = pda(b"user_stats", bytes(at.me))
        found = await at.call("getAccountInfo", str(stats), {"encoding": "base64", "commitment": "processed"})
        data = b64decode(found["value"]["data"][0])
        assert (len(data), data[:8], data[8:40]) == (USER_STATS_BYTES, USER_STATS_DISCRIMINATOR, bytes(at.me))
        assert found["value"]["owner"] == str(DRIFT_V2_PROGRAM)
        assert at.chain.bank.get(MINT) is not None
