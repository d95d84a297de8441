"""What a Solana node can answer with instead of a result, and what it means when none answers.

``RpcUnavailableError``: nothing came back that can be understood; what was asked may or may not have happened.
``RpcError``: the node answered, and refused. A refused transaction says why in a nest of names and numbers; here that
is read into a ``TransactionFault``, one line with the instruction and the program's own code.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from drift_engine.core.client import VenueUnavailableError
from drift_engine.venues.errors import VenueError

METHOD_NOT_FOUND = -32601
PREFLIGHT_FAILED = -32002
NODE_BEHIND = -32005
CONTEXT_SLOT_NOT_REACHED = -32016
_TOO_MANY = (429, -32429)
_WORDED = re.compile(r"Error processing Instruction (\d{1,3}): custom program error: 0x([0-9a-fA-F]{1,8})")


class RpcUnavailableError(VenueUnavailableError):
    """No endpoint gave an answer that can be understood, in the time there was."""


class RpcUnreadError(RpcUnavailableError):
    """An endpoint took the request, and what came back was no answer to it: nonsense, or the end of the connection."""


class RpcRateLimitedError(RpcUnavailableError):
    """The endpoint refused for now: too many requests. Nothing was done. It asks to wait ``retry_after_ns``."""

    def __init__(self, message: str, retry_after_ns: int) -> None:
        super().__init__(message)
        self.retry_after_ns = retry_after_ns


class RpcError(VenueError):
    """A node answered with an error of JSON-RPC: ``code``, ``message`` and, mostly, ``data``."""

    def __init__(self, code: int, message: str, data: Any = None) -> None:
        self.code, self.message, self.data = code, message, data
        fault = self.fault
        why = f": {fault}" if fault is not None else ""
        super().__init__(f"the node refused: {' '.join(message.split())} (code {code}){why}")

    @property
    def fault(self) -> "TransactionFault | None":
        """Why a transaction was refused, ``None`` where the error is of another kind.

        Some nodes tell a failed simulation in words alone.
        """
        told = transaction_fault(self.data.get("err")) if isinstance(self.data, Mapping) else None
        return told or (_worded_fault(self.message) if self.code == PREFLIGHT_FAILED else None)

    @property
    def logs(self) -> tuple[str, ...]:
        """The log lines of the simulation that failed before a send."""
        logs = self.data.get("logs") if isinstance(self.data, Mapping) else None
        return tuple(line for line in logs if isinstance(line, str)) if isinstance(logs, list) else ()

    @property
    def limited(self) -> bool:
        """Whether the node means: too many requests."""
        return self.code in _TOO_MANY

    @property
    def behind(self) -> bool:
        """Whether the node means: I have not come that far; another one, or this one later, can answer."""
        return self.code in (NODE_BEHIND, CONTEXT_SLOT_NOT_REACHED)


@dataclass(frozen=True, slots=True)
class TransactionFault:
    """Why a transaction failed: ``kind`` as the chain names it, the failing instruction's index, the program's code."""

    kind: str
    instruction: int | None = None
    code: int | None = None
    detail: str = ""

    def __str__(self) -> str:
        if self.instruction is None:
            return f"{self.kind} {self.detail}".rstrip()
        what = self.detail if self.code is None else f"program error {self.code}"
        return f"instruction {self.instruction}: {what}"


def _worded_fault(message: str) -> TransactionFault | None:
    found = _WORDED.search(message)
    return found and TransactionFault("InstructionError", int(found[1]), int(found[2], 16), "Custom")


def transaction_fault(err: Any) -> TransactionFault | None:
    """Read the ``err`` of a status, a simulation or a log notification; ``None`` for ``null`` (and Jito's Ok).

    The shapes are those of Solana's ``TransactionError`` as its RPC writes it: ``"BlockhashNotFound"``,
    ``{"InstructionError": [2, {"Custom": 6010}]}``, ``{"InstructionError": [0, "InvalidAccountData"]}``,
    ``{"InsufficientFundsForRent": {"account_index": 1}}``.
    """
    if err is None or (isinstance(err, Mapping) and set(err) == {"Ok"}):
        return None
    if not isinstance(err, Mapping) or len(err) != 1:
        return TransactionFault(
            err if isinstance(err, str) else "unknown", detail="" if isinstance(err, str) else str(err)
        )
    [(kind, inner)] = err.items()
    if kind == "InstructionError" and isinstance(inner, list) and len(inner) == 2 and isinstance(inner[0], int):
        return _instruction_fault(inner[0], inner[1])
    return TransactionFault(str(kind), detail=str(inner))


def _instruction_fault(index: int, why: Any) -> TransactionFault:
    if isinstance(why, Mapping) and isinstance(why.get("Custom"), int):
        return TransactionFault("InstructionError", index, why["Custom"], "Custom")
    return TransactionFault("InstructionError", index, None, why if isinstance(why, str) else str(why))
