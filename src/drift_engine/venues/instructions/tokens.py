"""Token accounts beside a venue: the associated address, opening it, wrapping and unwrapping SOL.

Source: SPL associated-token-account (``instruction.rs``: 1 is CreateIdempotent) and token (``instruction.rs``: 9 is
CloseAccount, 17 is SyncNative).
"""

from solders.instruction import Instruction
from solders.pubkey import Pubkey
from solders.system_program import ID as SYSTEM
from solders.system_program import TransferParams, transfer
from solders.token import ID as TOKEN
from solders.token.associated import get_associated_token_address

from drift_engine.venues.instructions.metas import read, sign, write

TOKEN_2022 = Pubkey.from_string("TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb")
ASSOCIATED_TOKEN = Pubkey.from_string("ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL")
WRAPPED_SOL = Pubkey.from_string("So11111111111111111111111111111111111111112")
_CREATE_IDEMPOTENT, _CLOSE, _SYNC_NATIVE = b"\x01", b"\x09", b"\x11"


def token_account(owner: Pubkey, mint: Pubkey, token_program: Pubkey = TOKEN) -> Pubkey:
    """Return the owner's associated token account."""
    return get_associated_token_address(owner, mint, token_program)


def create_token_account(payer: Pubkey, owner: Pubkey, mint: Pubkey, token_program: Pubkey = TOKEN) -> Instruction:
    """Open the owner's associated token account, unless it is open."""
    address = token_account(owner, mint, token_program)
    metas = [
        sign(payer, writable=True),
        write(address),
        *(read(key) for key in (owner, mint, SYSTEM, token_program)),
    ]
    return Instruction(ASSOCIATED_TOKEN, _CREATE_IDEMPOTENT, metas)


def wrap_sol(owner: Pubkey, lamports: int) -> list[Instruction]:
    """Open the owner's account of wrapped SOL, fund it, and have the token program count the funds."""
    address = token_account(owner, WRAPPED_SOL)
    fund = transfer(TransferParams(from_pubkey=owner, to_pubkey=address, lamports=lamports))
    sync = Instruction(TOKEN, _SYNC_NATIVE, [write(address)])
    return [create_token_account(owner, owner, WRAPPED_SOL), fund, sync]


def unwrap_sol(owner: Pubkey) -> Instruction:
    """Close the owner's account of wrapped SOL; everything in it becomes lamports again."""
    address = token_account(owner, WRAPPED_SOL)
    metas = [write(address), write(owner), sign(owner)]
    return Instruction(TOKEN, _CLOSE, metas)
