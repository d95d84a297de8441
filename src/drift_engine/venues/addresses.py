"""Addresses that a program derives (PDAs). Seeds: ``programs/drift/src/instructions`` and the IDL's ``pda`` entries."""

from functools import cache

from solders.pubkey import Pubkey


@cache
def derived(program_id: Pubkey, *seeds: bytes) -> Pubkey:
    """Return the address that ``program_id`` derives from ``seeds``."""
    return Pubkey.find_program_address(list(seeds), program_id)[0]


def user(program_id: Pubkey, authority: Pubkey, sub_account_id: int = 0) -> Pubkey:
    """Return a sub-account's address."""
    return derived(program_id, b"user", bytes(authority), _u16(sub_account_id))


def user_stats(program_id: Pubkey, authority: Pubkey) -> Pubkey:
    """Return the address of an authority's statistics."""
    return derived(program_id, b"user_stats", bytes(authority))


def perp_market(program_id: Pubkey, index: int) -> Pubkey:
    """Return a perp market's address."""
    return derived(program_id, b"perp_market", _u16(index))


def spot_market(program_id: Pubkey, index: int) -> Pubkey:
    """Return a spot market's address."""
    return derived(program_id, b"spot_market", _u16(index))


def spot_market_vault(program_id: Pubkey, index: int) -> Pubkey:
    """Return the token account that holds a spot market's deposits."""
    return derived(program_id, b"spot_market_vault", _u16(index))


def insurance_fund_vault(program_id: Pubkey, index: int) -> Pubkey:
    """Return the token account of a spot market's insurance fund."""
    return derived(program_id, b"insurance_fund_vault", _u16(index))


def signed_msg_user_orders(program_id: Pubkey, authority: Pubkey) -> Pubkey:
    """Return the account that keeps an authority's signed-message orders."""
    return derived(program_id, b"SIGNED_MSG", bytes(authority))


def signed_msg_ws_delegates(program_id: Pubkey, authority: Pubkey) -> Pubkey:
    """Return the account that names who may stream signed messages for an authority."""
    return derived(program_id, b"SIGNED_MSG_WS", bytes(authority))


def pyth_lazer_oracle(program_id: Pubkey, feed: int) -> Pubkey:
    """Return the oracle account of a Pyth Lazer feed."""
    return derived(program_id, b"pyth_lazer", feed.to_bytes(4, "little"))


def prelaunch_oracle(program_id: Pubkey, index: int) -> Pubkey:
    """Return the oracle account of a perp market that trades before its launch."""
    return derived(program_id, b"prelaunch_oracle", _u16(index))


def revenue_share_escrow(program_id: Pubkey, authority: Pubkey) -> Pubkey:
    """Return the account that keeps what an authority owes builders and its referrer."""
    return derived(program_id, b"REV_ESCROW", bytes(authority))


def _u16(number: int) -> bytes:
    return number.to_bytes(2, "little")
