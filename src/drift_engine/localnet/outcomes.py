"""How a transaction ended, and the words Solana has for it.

Errors are kept as RPC shows them, serde's form of ``TransactionError``: ``"BlockhashNotFound"``, or
``{"InstructionError": [2, {"Custom": 6036}]}``. Texts: ``solana-transaction-error`` and ``solana-instruction-error``.
"""

from dataclasses import dataclass, field
from typing import Any

from solders.pubkey import Pubkey

JsonError = str | dict[str, Any]
LOG_BYTES = 10_000
"""What a validator keeps of a transaction's log (agave ``LOG_MESSAGES_BYTES_LIMIT``)."""

TRANSACTION_TEXTS = {
    "AccountInUse": "Account in use",
    "AccountNotFound": "Attempt to debit an account but found no record of a prior credit.",
    "ProgramAccountNotFound": "Attempt to load a program that does not exist",
    "InsufficientFundsForFee": "Insufficient funds for fee",
    "InvalidAccountForFee": "This account may not be used to pay transaction fees",
    "AlreadyProcessed": "This transaction has already been processed",
    "BlockhashNotFound": "Blockhash not found",
    "SignatureFailure": "Transaction did not pass signature verification",
    "InvalidProgramForExecution": "This program may not be used for executing instructions",
    "SanitizeFailure": "Transaction failed to sanitize accounts offsets correctly",
    "AddressLookupTableNotFound": "Transaction loads an address table account that doesn't exist",
    "InvalidAddressLookupTableOwner": "Transaction loads an address table account with an invalid owner",
    "InvalidAddressLookupTableData": "Transaction loads an address table account with invalid data",
    "InvalidAddressLookupTableIndex": "Transaction address table lookup uses an invalid index",
    "TooManyAccountLocks": "Transaction locked too many accounts",
    "AccountLoadedTwice": "Account loaded twice",
}
INSTRUCTION_TEXTS = {
    "ComputationalBudgetExceeded": "Computational budget exceeded",
    "InsufficientFunds": "insufficient funds for instruction",
    "InvalidAccountData": "invalid account data for instruction",
    "InvalidInstructionData": "invalid instruction data",
    "MissingRequiredSignature": "missing required signature for instruction",
    "ReadonlyDataModified": "instruction modified data of a read-only account",
    "UnbalancedInstruction": "sum of account balances before and after instruction do not match",
    "UninitializedAccount": "attempt to operate on an account that hasn't been initialized",
    "ProgramFailedToComplete": "Program failed to complete",
}


@dataclass(slots=True)
class Outcome:
    """How one transaction ended.

    ``err`` is None on success. ``landed`` says that it stands in a block: a failed instruction lands and pays its fee,
    a transaction refused before does not. ``fee`` in lamports, ``units`` in compute units. ``inner`` are the inner
    instructions by index. Balances are those of all ``keys``, in order, before and after (lamports); ``loaded`` are the
    keys that came from lookup tables, writable and read-only.
    """

    err: JsonError | None
    landed: bool
    logs: list[str] = field(default_factory=list)
    units: int = 0
    fee: int = 0
    inner: list[dict[str, Any]] = field(default_factory=list)
    return_data: tuple[str, bytes] | None = None
    pre_balances: list[int] = field(default_factory=list)
    post_balances: list[int] = field(default_factory=list)
    pre_tokens: list[dict[str, Any]] = field(default_factory=list)
    post_tokens: list[dict[str, Any]] = field(default_factory=list)
    keys: tuple[Pubkey, ...] = ()
    loaded: tuple[tuple[Pubkey, ...], tuple[Pubkey, ...]] = ((), ())


def instruction_error(index: int, name: str, code: int | None = None) -> dict[str, Any]:
    """Return the error of an instruction: by name, or the program's own by code (``name`` is ``"Custom"``)."""
    return {"InstructionError": [index, name if code is None else {name: code}]}


def failure_text(name: str, code: int | None = None) -> str:
    """Return how a program's failure is logged after ``Program … failed:``."""
    return f"custom program error: {hex(code)}" if code is not None else INSTRUCTION_TEXTS.get(name, name)


def error_text(err: JsonError) -> str:
    """Return the text of a transaction's error."""
    if isinstance(err, str):
        return TRANSACTION_TEXTS.get(err, err)
    kind, detail = next(iter(err.items()))
    if kind == "InstructionError":
        index, inner = detail
        name, code = next(iter(inner.items())) if isinstance(inner, dict) else (inner, None)
        return f"Error processing Instruction {index}: {failure_text(name, code)}"
    if kind == "InsufficientFundsForRent":
        return f"Transaction results in an account ({detail['account_index']}) with insufficient funds for rent"
    return kind


def truncated(lines: list[str]) -> list[str]:
    """Return the log as far as a validator keeps it: up to 10,000 bytes, then ``Log truncated``."""
    size = 0
    for place, line in enumerate(lines):
        size += len(line)
        if size >= LOG_BYTES:
            return [*lines[:place], "Log truncated"]
    return lines
