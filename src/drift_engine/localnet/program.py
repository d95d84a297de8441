"""The port through which a venue program is played on the local chain.

A ``VenueProgram`` is the program at one address. The chain calls ``execute`` for each instruction addressed to it, in
the transaction's order, between the system and token instructions that LiteSVM runs for real; and ``tick`` once a slot,
for what happens by itself: fills by the book, oracle moves. Whatever it does, it does to a ``Ledger``: if it raises
``ProgramError``, or another instruction of the transaction fails, or the transaction was only simulated, or its slot is
rolled back, the chain forgets the ledger. So a program keeps nothing of its own: state lives in accounts, and what no
account of the real program holds (the other side of the book, a random generator's state) lives in the ledger's notes.
"""

from dataclasses import dataclass
from typing import Protocol

from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey

from drift_engine.localnet.ledger import Ledger, RuntimeRefusal

__all__ = ["Invocation", "Ledger", "ProgramError", "RuntimeRefusal", "VenueProgram"]


class ProgramError(Exception):
    """A program's refusal: the transaction fails with ``InstructionError[index, Custom(code)]``.

    ``code`` is the program's error number (Anchor: 6000 and more for its own), ``name`` its name in the error table,
    ``message`` its text; ``account`` names the account at fault, as Anchor's constraint errors do; ``place`` the
    program's ``file:line`` where known. They are logged as Anchor logs them.
    """

    def __init__(self, code: int, name: str, message: str, *, account: str = "", place: str = "") -> None:
        super().__init__(f"{name} ({code}): {message}")
        self.code, self.name, self.message, self.account, self.place = code, name, message, account, place

    @property
    def log_line(self) -> str:
        """Return what Anchor logs for it (anchor ``lang/src/error.rs``, ``AnchorError::log``)."""
        origin = " occurred"
        if self.account:
            origin = f" caused by account: {self.account}"
        elif self.place:
            origin = f" thrown in {self.place}"
        return (
            f"AnchorError{origin}. Error Code: {self.name}. Error Number: {self.code}. Error Message: {self.message}."
        )


@dataclass(frozen=True, slots=True)
class Invocation:
    """One instruction of a transaction, as the program gets it.

    ``accounts`` carry the signer and writable flags of the message. ``instructions`` are the transaction's own, in
    order, as the instructions sysvar shows them; ``index`` is this one's place among them.
    """

    program_id: Pubkey
    accounts: tuple[AccountMeta, ...]
    data: bytes
    instructions: tuple[Instruction, ...]
    index: int


class VenueProgram(Protocol):
    """A program at ``program_id``, played in Python."""

    @property
    def program_id(self) -> Pubkey:
        """The address its instructions are sent to and its accounts are owned by."""
        ...

    def execute(self, instruction: Invocation, ledger: Ledger) -> None:
        """Apply one instruction to the ledger; raise ``ProgramError`` where the program refuses.

        ``RuntimeRefusal`` is for what Solana's own names say, such as ``"MissingRequiredSignature"``.
        It may write only what the instruction marks writable, and may not make or burn lamports: the chain fails the
        transaction with ``ReadonlyDataModified`` or ``UnbalancedInstruction``, as Solana does.
        """
        ...

    def tick(self, ledger: Ledger) -> bool | None:
        """Do what happens by itself in a new slot; return True to be called again in the same slot.

        It may write any account. Each call that wrote or logged something becomes one transaction of the chain's
        keeper, with its own signature, naming the accounts written: so a fill of one user is one call.
        """
        ...
