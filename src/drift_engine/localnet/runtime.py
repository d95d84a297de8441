"""One transaction sent to LiteSVM, and its answer as plain values."""

from dataclasses import dataclass
from typing import Any

import msgspec
from solders.transaction import VersionedTransaction
from solders.transaction_metadata import (
    FailedTransactionMetadata,
    SimulatedTransactionInfo,
    TransactionMetadata,
)

from drift_engine.localnet import base58
from drift_engine.localnet.bank import Bank
from drift_engine.localnet.outcomes import JsonError


@dataclass(slots=True)
class Ran:
    """What LiteSVM says of a transaction: error as RPC shows it, logs, compute units, fee in lamports."""

    err: JsonError | None
    logs: list[str]
    units: int
    fee: int
    inner: list[dict[str, Any]]
    return_data: tuple[str, bytes] | None

    def log_groups(self) -> list[list[str]]:
        """Return the log by top-level instruction."""
        groups: list[list[str]] = []
        for line in self.logs:
            if line.startswith("Program ") and line.endswith(" invoke [1]"):
                groups.append([])
            if groups:
                groups[-1].append(line)
        return groups


def send(bank: Bank, transaction: VersionedTransaction, *, verify: bool) -> Ran:
    """Run a transaction on the bank's accounts; its writable accounts have been touched before."""
    bank.svm.with_sigverify(sigverify=verify)
    return _read(bank.svm.send_transaction(transaction))


def rehearse(bank: Bank, transaction: VersionedTransaction, *, verify: bool) -> Ran:
    """Run a transaction and change nothing."""
    bank.svm.with_sigverify(sigverify=verify)
    return _read(bank.svm.simulate_transaction(transaction))


def _read(answer: TransactionMetadata | FailedTransactionMetadata | SimulatedTransactionInfo) -> Ran:
    if isinstance(answer, TransactionMetadata):
        return _told(None, answer)
    if isinstance(answer, SimulatedTransactionInfo):
        return _told(None, answer.meta())
    return _told(msgspec.json.decode(answer.to_json())["err"], answer.meta())


def _told(err: JsonError | None, meta: TransactionMetadata) -> Ran:
    return Ran(
        err=err,
        logs=meta.logs(),
        units=meta.compute_units_consumed(),
        fee=meta.fee(),
        inner=_inner(meta),
        return_data=_returned(meta),
    )


def _inner(meta: TransactionMetadata) -> list[dict[str, Any]]:
    """Return the inner instructions as ``getTransaction`` shows them."""
    return [
        {
            "index": index,
            "instructions": [
                {
                    "programIdIndex": call.instruction().program_id_index,
                    "accounts": list(call.instruction().accounts),
                    "data": base58.encode(bytes(call.instruction().data)),
                    "stackHeight": call.stack_height(),
                }
                for call in calls
            ],
        }
        for index, calls in enumerate(meta.inner_instructions())
        if calls
    ]


def _returned(meta: TransactionMetadata) -> tuple[str, bytes] | None:
    returned = meta.return_data()
    return (str(returned.program_id), bytes(returned.data)) if returned.data else None
