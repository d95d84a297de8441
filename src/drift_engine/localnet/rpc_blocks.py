"""RPC methods that tell of blocks, epochs and the node."""

from base64 import b64decode
from binascii import Error as Base64Error
from typing import Any

from solders.hash import Hash
from solders.message import from_bytes_versioned
from solders.signature import Signature
from solders.transaction import VersionedTransaction

from drift_engine.localnet import rpc_params as given
from drift_engine.localnet.bank import SLOTS_PER_EPOCH
from drift_engine.localnet.blocks import BLOCKHASH_BLOCKS
from drift_engine.localnet.messages import LookupRefusal, resolve
from drift_engine.localnet.node import VERSION, Method, Node, in_context
from drift_engine.localnet.rpc_errors import BLOCK_NOT_AVAILABLE, NODE_UNHEALTHY, RpcError, bad_params
from drift_engine.localnet.runtime import rehearse

FEE_SLOTS = 150


def get_latest_blockhash(node: Node, params: list[Any]) -> Any:
    """Answer ``getLatestBlockhash``."""
    block = node.block(given.settings(params, 0))
    closed = node.chain.blocks.before(block, 1) if block is node.chain.blocks.open else block
    value = {"blockhash": str(closed.hash), "lastValidBlockHeight": closed.height + BLOCKHASH_BLOCKS}
    return in_context(block, value)


def is_blockhash_valid(node: Node, params: list[Any]) -> Any:
    """Answer ``isBlockhashValid``."""
    text, block = given.needed(params, 0, str), node.block(given.settings(params, 1))
    found = node.chain.blocks.of_hash(Hash(bytes(given.pubkey(text))))
    return in_context(block, found is not None and found.slot <= block.slot)


def get_slot(node: Node, params: list[Any]) -> Any:
    """Answer ``getSlot``."""
    return node.block(given.settings(params, 0)).slot


def get_block_height(node: Node, params: list[Any]) -> Any:
    """Answer ``getBlockHeight``."""
    return node.block(given.settings(params, 0)).height


def get_block_time(node: Node, params: list[Any]) -> Any:
    """Answer ``getBlockTime``, in Unix seconds."""
    slot = given.needed(params, 0, int)
    block = node.chain.blocks.find(slot)
    if block is None:
        raise RpcError(BLOCK_NOT_AVAILABLE, f"Block not available for slot {slot}")
    return block.time


def get_epoch_info(node: Node, params: list[Any]) -> Any:
    """Answer ``getEpochInfo``."""
    block = node.block(given.settings(params, 0))
    return {
        "absoluteSlot": block.slot,
        "blockHeight": block.height,
        "epoch": block.slot // SLOTS_PER_EPOCH,
        "slotIndex": block.slot % SLOTS_PER_EPOCH,
        "slotsInEpoch": SLOTS_PER_EPOCH,
        "transactionCount": node.chain.history.count,
    }


def get_health(node: Node, params: list[Any]) -> Any:
    """Answer ``getHealth``: behind while reads are stale."""
    if (slots := node.behind()) is not None:
        raise RpcError(NODE_UNHEALTHY, f"Node is behind by {slots} slots", {"numSlotsBehind": slots})
    return "ok"


def get_version(node: Node, params: list[Any]) -> Any:
    """Answer ``getVersion``."""
    return {"solana-core": VERSION, "feature-set": 0}


def get_genesis_hash(node: Node, params: list[Any]) -> Any:
    """Answer ``getGenesisHash``."""
    return str(node.chain.genesis_hash)


def get_fee_for_message(node: Node, params: list[Any]) -> Any:
    """Answer ``getFeeForMessage``, in lamports; null where its blockhash has expired."""
    text, block = given.needed(params, 0, str), node.block(given.settings(params, 1))
    try:
        message = from_bytes_versioned(b64decode(text, validate=True))
    except (ValueError, Base64Error) as error:
        raise bad_params(f"invalid transaction message: {error}") from error
    if node.chain.blocks.of_hash(message.recent_blockhash) is None:
        return in_context(block, None)
    signatures = [Signature.default()] * message.header.num_required_signatures
    unsigned = VersionedTransaction.populate(message, signatures)
    return in_context(block, rehearse(node.chain.bank, unsigned, verify=False).fee)


def get_recent_prioritization_fees(node: Node, params: list[Any]) -> Any:
    """Answer ``getRecentPrioritizationFees``: the least paid in each slot to write all the accounts named.

    In micro-lamports a compute unit.
    """
    keys = {given.pubkey(text) for text in (given.needed(params, 0, list) if params else [])}
    newest = node.chain.blocks.at("confirmed")
    oldest = node.chain.blocks.before(newest, FEE_SLOTS - 1)
    paid: dict[int, int] = {}
    for record in node.chain.history.since(oldest.slot):
        price = _price(node, record.transaction, keys)
        if price is not None:
            paid[record.slot] = min(price, paid.get(record.slot, price))
    slots = range(oldest.slot, newest.slot + 1)
    return [{"slot": slot, "prioritizationFee": paid.get(slot, 0)} for slot in slots]


def _price(node: Node, transaction: VersionedTransaction, keys: set[Any]) -> int | None:
    try:
        resolved = resolve(transaction, node.chain.bank.get)
    except LookupRefusal:
        return None
    return resolved.compute_price() if keys <= set(resolved.written) else None


METHODS: dict[str, Method] = {
    "getBlockHeight": get_block_height,
    "getBlockTime": get_block_time,
    "getEpochInfo": get_epoch_info,
    "getFeeForMessage": get_fee_for_message,
    "getGenesisHash": get_genesis_hash,
    "getHealth": get_health,
    "getLatestBlockhash": get_latest_blockhash,
    "getRecentPrioritizationFees": get_recent_prioritization_fees,
    "getSlot": get_slot,
    "getVersion": get_version,
    "isBlockhashValid": is_blockhash_valid,
}
