"""RPC methods that send, simulate and look up transactions.

A simulation, and so the check before a send, runs on the open slot whatever commitment is asked for.
"""

from typing import Any

from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction

from drift_engine.localnet import rpc_params as given
from drift_engine.localnet.blocks import BLOCKHASH_BLOCKS
from drift_engine.localnet.encoding import account_json
from drift_engine.localnet.history import Record
from drift_engine.localnet.node import Method, Node, in_context
from drift_engine.localnet.outcomes import Outcome, error_text
from drift_engine.localnet.rpc_errors import (
    PREFLIGHT_FAILURE,
    SIGNATURE_FAILURE,
    UNSUPPORTED_VERSION,
    RpcError,
    bad_params,
)
from drift_engine.localnet.transaction_json import return_data_json, transaction_json

MAX_STATUSES, MAX_SIGNATURES = 256, 1_000


def send_transaction(node: Node, params: list[Any]) -> Any:
    """Answer ``sendTransaction``: the signature, once the transaction has passed the check before sending."""
    text, config = given.needed(params, 0, str), given.settings(params, 1)
    transaction, _ = given.transaction(text, config.get("encoding") or "base58")
    given.commitment_of(config, "preflightCommitment")
    node.block({"commitment": "processed", "minContextSlot": config.get("minContextSlot")})
    if not config.get("skipPreflight"):
        preflight(node, transaction)
    dispatch(node, transaction)
    return str(transaction.signatures[0])


def preflight(node: Node, transaction: VersionedTransaction) -> None:
    """Raise the error a node answers for a transaction that fails its check before sending."""
    if not signed(transaction):
        raise RpcError(SIGNATURE_FAILURE, "Transaction signature verification failure")
    outcome, _ = node.chain.simulate(transaction)
    if outcome.err is not None:
        text = f"Transaction simulation failed: {error_text(outcome.err)}"
        raise RpcError(PREFLIGHT_FAILURE, text, {"accounts": None, **_simulated(outcome)})


def signed(transaction: VersionedTransaction) -> bool:
    """Whether every signature is there and true."""
    return all(transaction.verify_with_results())


def dispatch(node: Node, transaction: VersionedTransaction) -> None:
    """Put a transaction on its way into a block, unless a fault meets it."""
    if node.faults.strike("drop") is not None:
        return
    if (delay := node.faults.strike("delay")) is not None:
        node.chain.submit_at(node.chain.slot + delay.slots, transaction)
    else:
        node.chain.submit(transaction)


def simulate_transaction(node: Node, params: list[Any]) -> Any:
    """Answer ``simulateTransaction``."""
    text, config = given.needed(params, 0, str), given.settings(params, 1)
    transaction, _ = given.transaction(text, config.get("encoding") or "base58")
    verify, replace = bool(config.get("sigVerify")), bool(config.get("replaceRecentBlockhash"))
    if verify and replace:
        raise bad_params("sigVerify may not be used with replaceRecentBlockhash")
    if verify and not signed(transaction):
        raise RpcError(SIGNATURE_FAILURE, "Transaction signature verification failure")
    block = node.block({"commitment": "processed", "minContextSlot": config.get("minContextSlot")})
    outcome, written = node.chain.simulate(transaction, verify=verify, replace_blockhash=replace)
    value = {"accounts": _accounts_after(node, config, written, outcome), **_simulated(outcome)}
    if not config.get("innerInstructions"):
        value["innerInstructions"] = None
    if replace:
        latest = node.chain.blocks.latest_hash("processed")
        height = latest.height + BLOCKHASH_BLOCKS
        value["replacementBlockhash"] = {"blockhash": str(latest.hash), "lastValidBlockHeight": height}
    return in_context(block, value)


def _simulated(outcome: Outcome) -> dict[str, Any]:
    return {
        "err": outcome.err,
        "innerInstructions": outcome.inner or None,
        "logs": outcome.logs,
        "replacementBlockhash": None,
        "returnData": return_data_json(outcome),
        "unitsConsumed": outcome.units,
    }


def _accounts_after(node: Node, config: dict[str, Any], written: dict[Pubkey, Any], outcome: Outcome) -> Any:
    asked = config.get("accounts")
    if asked is None:
        return None
    if not isinstance(asked, dict) or not isinstance(asked.get("addresses"), list):
        raise bad_params("Invalid params: accounts must be an object with addresses.")
    keys = [given.pubkey(address) for address in asked["addresses"]]
    if outcome.err is not None:
        return [None] * len(keys)
    shown = {"encoding": asked.get("encoding") or "base64"}
    found = [written[key] if key in written else node.chain.bank.get(key) for key in keys]
    return [account_json(account, shown, node.chain.bank.get) if account else None for account in found]


def get_signature_statuses(node: Node, params: list[Any]) -> Any:
    """Answer ``getSignatureStatuses``: of the last 150 blocks, or of all with ``searchTransactionHistory``."""
    texts, config = given.needed(params, 0, list), given.settings(params, 1)
    if len(texts) > MAX_STATUSES:
        raise bad_params(f"Too many inputs provided; max {MAX_STATUSES}")
    signatures = [given.signature(text) for text in texts]
    block = node.block({"commitment": "processed"})
    oldest = 0 if config.get("searchTransactionHistory") else node.chain.blocks.before(block, BLOCKHASH_BLOCKS).slot
    found = [node.chain.history.get(signature) for signature in signatures]
    known = [record if record and oldest <= record.slot <= block.slot else None for record in found]
    return in_context(block, [record and _status(node, record) for record in known])


def _status(node: Node, record: Record) -> dict[str, Any]:
    seen, err = node.chain.blocks.seen_by(record.slot), record.outcome.err
    return {
        "slot": record.slot,
        "confirmations": None if seen == "finalized" else node.chain.blocks.above(record.slot),
        "err": err,
        "status": {"Ok": None} if err is None else {"Err": err},
        "confirmationStatus": seen,
    }


def get_signatures_for_address(node: Node, params: list[Any]) -> Any:
    """Answer ``getSignaturesForAddress``, newest first, between ``until`` and ``before``."""
    address, config = given.pubkey(given.needed(params, 0, str)), given.settings(params, 1)
    limit = given.number(config, "limit")
    limit = MAX_SIGNATURES if limit is None else limit
    if not 1 <= limit <= MAX_SIGNATURES:
        raise bad_params(f"Invalid limit; max {MAX_SIGNATURES}")
    newest = _settled(node, config)
    before, until = (config.get(key) and given.signature(config[key]) for key in ("before", "until"))
    found: list[dict[str, Any]] = []
    waiting = before is not None
    for record in node.chain.history.of_address(address):
        if record.signature == until or len(found) == limit:
            break
        if not waiting and record.slot <= newest:
            found.append(_listed(node, record))
        waiting = waiting and record.signature != before
    return found


def _settled(node: Node, config: dict[str, Any]) -> int:
    """Return the newest slot history answers for; it is not asked for what is only processed."""
    if given.commitment_of(config) == "processed":
        raise bad_params("Method does not support commitment below `confirmed`")
    return node.block(config).slot


def _listed(node: Node, record: Record) -> dict[str, Any]:
    return {
        "signature": str(record.signature),
        "slot": record.slot,
        "err": record.outcome.err,
        "memo": None,
        "blockTime": record.block_time,
        "confirmationStatus": node.chain.blocks.seen_by(record.slot),
    }


def get_transaction(node: Node, params: list[Any]) -> Any:
    """Answer ``getTransaction``; null while its block is not settled at the commitment asked for."""
    signature = given.signature(given.needed(params, 0, str))
    config = given.settings(params, 1)
    newest, record = _settled(node, config), node.chain.history.get(signature)
    if record is None or record.slot > newest:
        return None
    if record.transaction.version() == 0 and config.get("maxSupportedTransactionVersion") is None:
        raise RpcError(
            UNSUPPORTED_VERSION,
            "Transaction version (0) is not supported by the requesting client. Please try the request again with "
            'the following configuration parameter: "maxSupportedTransactionVersion": 0',
        )
    return transaction_json(record, config.get("encoding") or "json")


def request_airdrop(node: Node, params: list[Any]) -> Any:
    """Answer ``requestAirdrop``: lamports from the faucet, by a transaction of its own."""
    address = given.pubkey(given.needed(params, 0, str))
    return str(node.chain.airdrop(address, given.needed(params, 1, int)))


METHODS: dict[str, Method] = {
    "getSignatureStatuses": get_signature_statuses,
    "getSignaturesForAddress": get_signatures_for_address,
    "getTransaction": get_transaction,
    "requestAirdrop": request_airdrop,
    "sendTransaction": send_transaction,
    "simulateTransaction": simulate_transaction,
}
