"""The real Drift v2 program for tests: its file, named by the environment, and its first instructions."""

import os
from hashlib import sha256
from pathlib import Path

import pytest
from solders.account import Account
from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey

from drift_engine.localnet.chain import DRIFT_V2_PROGRAM
from drift_engine.localnet.tokens import TOKEN_PROGRAM, mint_of

RENT = Pubkey.from_string("SysvarRent111111111111111111111111111111111")
SYSTEM = Pubkey.default()
MINT = Pubkey(bytes([9]) * 32)


def program_so() -> Path:
    """Return the program's file; the test skips where none is named."""
    named = os.environ.get("DRIFT_PROGRAM_SO")
    if not named:
        pytest.skip("needs Drift v2's real program: set DRIFT_PROGRAM_SO=/path/to/drift.so")
    return Path(named)


def pda(*seeds: bytes) -> Pubkey:
    return Pubkey.find_program_address(list(seeds), DRIFT_V2_PROGRAM)[0]


def mint_account() -> tuple[Pubkey, Account]:
    """Return a mint of 6 decimals, as USDC has."""
    return MINT, mint_of(6, 0, 10**9)


def call(name: str, *accounts: tuple[Pubkey, str], data: bytes = b"") -> Instruction:
    """Return an instruction by its name; flags are ``w`` and ``s``."""
    metas = [AccountMeta(key, is_signer="s" in flags, is_writable="w" in flags) for key, flags in accounts]
    return Instruction(DRIFT_V2_PROGRAM, sha256(f"global:{name}".encode()).digest()[:8] + data, metas)


def initialize(admin: Pubkey) -> Instruction:
    state, signer = pda(b"drift_state"), pda(b"drift_signer")
    last = [(signer, ""), (RENT, ""), (SYSTEM, ""), (TOKEN_PROGRAM, "")]
    return call("initialize", (admin, "ws"), (state, "w"), (MINT, ""), *last)


def initialize_user_stats(authority: Pubkey) -> Instruction:
    stats, state = pda(b"user_stats", bytes(authority)), pda(b"drift_state")
    last = [(authority, "ws"), (RENT, ""), (SYSTEM, "")]
    return call("initialize_user_stats", (stats, "w"), (state, "w"), (authority, ""), *last)
