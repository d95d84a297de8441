"""An overlay over the chain's accounts: what a program wrote, until it is applied as a whole or forgotten.

The rules at ``close`` are those of Solana's runtime between two instructions (agave ``program-runtime``,
``InstructionContext`` and ``transaction-context``): nothing read-only was modified, and lamports balance.
"""

from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from solders.account import Account
from solders.pubkey import Pubkey

from drift_engine.localnet import tokens

SYSTEM_PROGRAM = Pubkey.default()


class RuntimeRefusal(Exception):  # noqa: N818 - named for what it is: the runtime's word, not a bug
    """The runtime's or another program's refusal, by the name RPC gives it (``"ReadonlyDataModified"`` …).

    ``code`` is that of ``"Custom"``: what a program called by this one refused with.
    """

    def __init__(self, name: str, code: int | None = None) -> None:
        super().__init__(name if code is None else f"{name}({code})")
        self.name, self.code = name, code


@dataclass(slots=True)
class Ledger:
    """Accounts, clock, notes and log of one call of a program; all of it is applied, or nothing.

    ``slot`` and ``unix_timestamp`` (seconds) are those of the Clock sysvar. ``writable`` are the accounts that may be
    written, None meaning any. ``compute_left`` is the compute budget still there, in compute units.
    """

    slot: int
    unix_timestamp: int
    read: Callable[[Pubkey], Account | None]
    rent: Callable[[int], int]
    kept: Mapping[str, object] = field(default_factory=dict)
    writable: frozenset[Pubkey] | None = None
    compute_left: int = 1_400_000
    accounts: dict[Pubkey, Account] = field(default_factory=dict)
    notes: dict[str, object] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)

    def get(self, address: Pubkey) -> Account | None:
        """Return the account as it now stands, None where there is none (an account without lamports is none)."""
        found = self.accounts.get(address)
        if found is None:
            return self.read(address)
        return found if found.lamports else None

    def put(self, address: Pubkey, account: Account) -> None:
        """Write the account; one of 0 lamports closes it."""
        if self.writable is not None and address not in self.writable:
            raise RuntimeRefusal("ReadonlyDataModified")
        self.accounts[address] = account

    def write(self, address: Pubkey, data: bytes) -> None:
        """Write an existing account's data, keeping its lamports and owner."""
        found = self.get(address)
        if found is None:
            raise RuntimeRefusal("UninitializedAccount")
        self.put(address, Account(found.lamports, data, found.owner, found.executable, found.rent_epoch))

    def create(self, payer: Pubkey, address: Pubkey, owner: Pubkey, data: bytes) -> None:
        """Open an account, rent-exempt for its size, at the payer's cost (system program ``create_account``)."""
        found = self.get(address)
        if found is not None and (found.owner != SYSTEM_PROGRAM or found.data):
            self.lines.append(f"Allocate: account Address {{ address: {address}, base: None }} already in use")
            raise RuntimeRefusal("Custom", 0)
        held, needed = (found.lamports if found else 0), self.rent(len(data))
        self.move_lamports(payer, address, max(0, needed - held))
        self.put(address, Account(max(held, needed), data, owner))

    def close(self, address: Pubkey, receiver: Pubkey) -> None:
        """Close an account and give its lamports to the receiver (Anchor ``close``)."""
        found = self.get(address)
        if found is None:
            raise RuntimeRefusal("UninitializedAccount")
        self.move_lamports(address, receiver, found.lamports)
        self.put(address, Account(0, b"", SYSTEM_PROGRAM))

    def move_lamports(self, source: Pubkey, destination: Pubkey, lamports: int) -> None:
        """Move lamports between two accounts; the destination may be new."""
        giver = self.get(source)
        if giver is None or giver.lamports < lamports:
            self.lines.append(f"Transfer: insufficient lamports {giver.lamports if giver else 0}, need {lamports}")
            raise RuntimeRefusal("Custom", 1)
        self.put(source, _with_lamports(giver, giver.lamports - lamports))
        taker = self.get(destination) or Account(0, b"", SYSTEM_PROGRAM)
        self.put(destination, _with_lamports(taker, taker.lamports + lamports))

    def token_amount(self, address: Pubkey) -> int:
        """Return the amount of an SPL token account, in the token's units."""
        try:
            return tokens.held(tokens.token_account(self.get(address))).amount
        except tokens.TokenRefusal as refusal:
            raise RuntimeRefusal("InvalidAccountData") from refusal

    def move_tokens(self, source: Pubkey, destination: Pubkey, authority: Pubkey, amount: int) -> None:
        """Move tokens on the authority's word: a signer of the instruction or an address of the program itself.

        The caller answers for the signature; ownership, mint, state and amount are checked as the token program does.
        """
        left, name = self.compute_left, f"Program {tokens.TOKEN_PROGRAM}"
        self.consume(tokens.TRANSFER_UNITS)
        self.lines.extend((f"{name} invoke [2]", "Program log: Instruction: Transfer"))
        try:
            giver, taker = tokens.token_account(self.get(source)), tokens.token_account(self.get(destination))
            moved = tokens.transfer(giver, taker, authority, amount, same=source == destination)
        except tokens.TokenRefusal as refusal:
            self.lines.append(f"Program log: Error: {refusal.text}")
            self.lines.append(f"{name} failed: custom program error: {hex(refusal.code)}")
            raise RuntimeRefusal("Custom", refusal.code) from refusal
        self.put(source, moved[0])
        self.put(destination, moved[1])
        used = f"{name} consumed {tokens.TRANSFER_UNITS} of {left} compute units"
        self.lines.extend((used, f"{name} success"))

    def note(self, key: str) -> object | None:
        """Return what the program kept under the key; None if nothing."""
        return self.notes[key] if key in self.notes else self.kept.get(key)

    def keep(self, key: str, value: object) -> None:
        """Keep an immutable value that is in no account; it comes and goes with the accounts written beside it."""
        self.notes[key] = value

    def consume(self, units: int) -> None:
        """Spend compute units; the transaction fails when there are none left."""
        self.compute_left -= units
        if self.compute_left < 0:
            self.compute_left = 0
            raise RuntimeRefusal("ComputationalBudgetExceeded")

    def log(self, line: str) -> None:
        """Log a line, as a program does (``Program log: …``)."""
        self.lines.append(f"Program log: {line}")

    def program_data(self, data: bytes) -> None:
        """Log an event's bytes, as ``sol_log_data`` does (``Program data: …``)."""
        self.lines.append(f"Program data: {b64encode(data).decode()}")

    def settle(self) -> None:
        """Check what the runtime checks when an instruction ends: no lamports were made or burnt."""
        after = sum(account.lamports for account in self.accounts.values())
        if after != sum(_lamports(self.read(address)) for address in self.accounts):
            raise RuntimeRefusal("UnbalancedInstruction")


def _lamports(account: Account | None) -> int:
    return account.lamports if account else 0


def _with_lamports(account: Account, lamports: int) -> Account:
    return Account(lamports, account.data, account.owner, account.executable, account.rent_epoch)
