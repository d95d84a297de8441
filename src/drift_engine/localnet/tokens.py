"""SPL token accounts, as far as a venue program moves tokens: the layout, and one transfer.

Layout: spl-token ``state.rs``, ``Account`` (165 bytes): mint 0, owner 32, amount u64 at 64, delegate option 72, state
at 108 (1 initialised, 2 frozen), native option 109, delegated amount 121, close authority option 129. Checks in the
order of ``processor.rs``, ``process_transfer``; codes from ``error.rs``. Only the owner may move, no delegate.
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from struct import pack, pack_into, unpack_from
from typing import Any

from solders.account import Account
from solders.pubkey import Pubkey

TOKEN_PROGRAM = Pubkey.from_string("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA")
NATIVE_MINT = Pubkey.from_string("So11111111111111111111111111111111111111112")
TRANSFER_UNITS = 4_645
"""What a transfer of the token program costs, in compute units."""
ACCOUNT_BYTES = 165
FROZEN = 2


class TokenRefusal(Exception):  # noqa: N818 - the token program's word, not a bug
    """A refusal of the token program, by its custom code and text."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code, self.text = code, text


@dataclass(frozen=True, slots=True)
class Held:
    """What a token account says: amount in the token's units, state 1 initialised or 2 frozen."""

    mint: Pubkey
    owner: Pubkey
    amount: int
    state: int
    native: bool


def token_account(account: Account | None) -> Account:
    """Return the account if it is an initialised token account; anything else is refused (code 9)."""
    if account is None or account.owner != TOKEN_PROGRAM or len(account.data) != ACCOUNT_BYTES or not account.data[108]:
        raise TokenRefusal(9, "State is unititialized")
    return account


def held(account: Account) -> Held:
    """Read a token account."""
    data = account.data
    (amount,), (native,) = unpack_from("<Q", data, 64), unpack_from("<I", data, 109)
    return Held(Pubkey(data[:32]), Pubkey(data[32:64]), amount, data[108], bool(native))


def account_of(mint: Pubkey, owner: Pubkey, amount: int, lamports: int) -> Account:
    """Return an initialised token account holding ``amount`` token units; wrapped SOL has lamports behind each."""
    data = bytearray(ACCOUNT_BYTES)
    data[:64] = bytes(mint) + bytes(owner)
    pack_into("<Q", data, 64, amount)
    data[108] = 1
    if mint == NATIVE_MINT:
        pack_into("<IQ", data, 109, 1, lamports)
        lamports += amount
    return Account(lamports, bytes(data), TOKEN_PROGRAM)


def mint_of(decimals: int, supply: int, lamports: int, authority: Pubkey | None = None) -> Account:
    """Return an initialised mint (spl-token ``Mint``: authority option 0, supply 36, decimals 44, initialised 45)."""
    option = pack("<I", 1) + bytes(authority) if authority else bytes(36)
    return Account(lamports, option + pack("<QBB", supply, decimals, 1) + bytes(36), TOKEN_PROGRAM)


def transfer(
    source: Account, destination: Account, authority: Pubkey, amount: int, *, same: bool
) -> tuple[Account, Account]:
    """Return both accounts after a transfer of ``amount`` token units; raise ``TokenRefusal`` where it is refused."""
    giver, taker = held(source), held(destination)
    if FROZEN in (giver.state, taker.state):
        raise TokenRefusal(17, "Account is frozen")
    if giver.amount < amount:
        raise TokenRefusal(1, "insufficient funds")
    if giver.mint != taker.mint:
        raise TokenRefusal(3, "Account not associated with this Mint")
    if giver.owner != authority:
        raise TokenRefusal(4, "owner does not match")
    if same:
        return source, destination
    return _shifted(source, giver, -amount), _shifted(destination, taker, amount)


def _shifted(account: Account, before: Held, amount: int) -> Account:
    data = bytearray(account.data)
    pack_into("<Q", data, 64, before.amount + amount)
    lamports = account.lamports + (amount if before.native else 0)
    return Account(lamports, bytes(data), account.owner, account.executable, account.rent_epoch)


def decimals_of(mint: Account | None) -> int:
    """Return a mint's decimals (spl-token ``Mint``: u8 at 44)."""
    return mint.data[44] if mint is not None and len(mint.data) > 44 else 0


def ui_amount(amount: int, decimals: int) -> dict[str, Any]:
    """Return an amount as RPC shows it: exact text, and a float beside it."""
    exact = Decimal(amount).scaleb(-decimals)
    text = f"{exact:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return {"amount": str(amount), "decimals": decimals, "uiAmount": float(exact), "uiAmountString": text}


def balance(account: Account | None, read: Callable[[Pubkey], Account | None]) -> dict[str, Any] | None:
    """Return a token account's balance as transaction records show it; None if it is no token account."""
    try:
        found = held(token_account(account))
    except TokenRefusal:
        return None
    amount = ui_amount(found.amount, decimals_of(read(found.mint)))
    return {
        "mint": str(found.mint),
        "owner": str(found.owner),
        "programId": str(TOKEN_PROGRAM),
        "uiTokenAmount": amount,
    }
