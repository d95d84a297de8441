"""A transaction that landed, as ``getTransaction`` shows it (``json``, ``base58`` or ``base64``)."""

from base64 import b64encode
from typing import Any

from solders.message import MessageV0
from solders.transaction import Legacy, VersionedTransaction

from drift_engine.localnet import base58
from drift_engine.localnet.history import Record
from drift_engine.localnet.outcomes import Outcome
from drift_engine.localnet.rpc_errors import bad_params


def transaction_json(record: Record, encoding: str) -> dict[str, Any]:
    """Return the whole answer."""
    version = record.transaction.version()
    return {
        "slot": record.slot,
        "blockTime": record.block_time,
        "version": "legacy" if isinstance(version, Legacy) else version,
        "transaction": _encoded(record.transaction, encoding),
        "meta": _meta(record.outcome),
    }


def _encoded(transaction: VersionedTransaction, encoding: str) -> Any:
    if encoding == "base64":
        return [b64encode(bytes(transaction)).decode(), "base64"]
    if encoding == "base58":
        return [base58.encode(bytes(transaction)), "base58"]
    if encoding != "json":
        raise bad_params(f"{encoding} is not offered by this node: ask for json, base58 or base64.")
    return {"signatures": [str(signature) for signature in transaction.signatures], "message": _message(transaction)}


def _message(transaction: VersionedTransaction) -> dict[str, Any]:
    message = transaction.message
    header = message.header
    shown: dict[str, Any] = {
        "accountKeys": [str(key) for key in message.account_keys],
        "header": {
            "numRequiredSignatures": header.num_required_signatures,
            "numReadonlySignedAccounts": header.num_readonly_signed_accounts,
            "numReadonlyUnsignedAccounts": header.num_readonly_unsigned_accounts,
        },
        "recentBlockhash": str(message.recent_blockhash),
        "instructions": [
            {
                "programIdIndex": ix.program_id_index,
                "accounts": list(ix.accounts),
                "data": base58.encode(bytes(ix.data)),
                "stackHeight": 1,
            }
            for ix in message.instructions
        ],
    }
    if isinstance(message, MessageV0):
        shown["addressTableLookups"] = [
            {
                "accountKey": str(lookup.account_key),
                "writableIndexes": list(lookup.writable_indexes),
                "readonlyIndexes": list(lookup.readonly_indexes),
            }
            for lookup in message.address_table_lookups
        ]
    return shown


def _meta(outcome: Outcome) -> dict[str, Any]:
    writable, readonly = outcome.loaded
    meta = {
        "err": outcome.err,
        "status": {"Ok": None} if outcome.err is None else {"Err": outcome.err},
        "fee": outcome.fee,
        "computeUnitsConsumed": outcome.units,
        "preBalances": outcome.pre_balances,
        "postBalances": outcome.post_balances,
        "preTokenBalances": outcome.pre_tokens,
        "postTokenBalances": outcome.post_tokens,
        "innerInstructions": outcome.inner,
        "logMessages": outcome.logs,
        "rewards": [],
        "loadedAddresses": {"writable": [str(key) for key in writable], "readonly": [str(key) for key in readonly]},
    }
    returned = return_data_json(outcome)
    return meta if returned is None else {**meta, "returnData": returned}


def return_data_json(outcome: Outcome) -> dict[str, Any] | None:
    """Return what the last program returned; None if nothing."""
    if outcome.return_data is None:
        return None
    program, data = outcome.return_data
    return {"programId": program, "data": [b64encode(data).decode(), "base64"]}
