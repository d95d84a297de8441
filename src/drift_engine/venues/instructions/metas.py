"""Accounts of an instruction with their flags, said in words."""

from solders.instruction import AccountMeta
from solders.pubkey import Pubkey


def read(key: Pubkey) -> AccountMeta:
    """Return an account that is only read."""
    return AccountMeta(key, is_signer=False, is_writable=False)


def write(key: Pubkey) -> AccountMeta:
    """Return an account that is written."""
    return AccountMeta(key, is_signer=False, is_writable=True)


def sign(key: Pubkey, *, writable: bool = False) -> AccountMeta:
    """Return an account that signs."""
    return AccountMeta(key, is_signer=True, is_writable=writable)
