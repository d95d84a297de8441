"""What answers RPC: the chain as one node sees it, at the commitment asked for, faults included."""

from collections.abc import Callable
from typing import Any

from solders.account import Account
from solders.pubkey import Pubkey

from drift_engine.localnet.blocks import Block
from drift_engine.localnet.chain import Chain
from drift_engine.localnet.encoding import Read
from drift_engine.localnet.faults import Faults
from drift_engine.localnet.rpc_errors import MIN_CONTEXT_SLOT, RpcError
from drift_engine.localnet.rpc_params import commitment_of, number

VERSION = "3.0.0"
"""The Agave whose answers are imitated."""


class Node:
    """A chain, its faults, and how reads see it."""

    def __init__(self, chain: Chain, faults: Faults | None = None) -> None:
        self.chain, self.faults = chain, faults or Faults(chain.config.seed)

    def block(self, config: dict[str, Any]) -> Block:
        """Return the block a read is answered from."""
        block = self.chain.blocks.at(commitment_of(config))
        if (stale := self.faults.strike("stale")) is not None:
            block = self.chain.blocks.before(block, stale.slots)
        least = number(config, "minContextSlot")
        if least is not None and block.slot < least:
            raise RpcError(MIN_CONTEXT_SLOT, "Minimum context slot has not been reached", {"contextSlot": block.slot})
        return block

    def behind(self) -> int | None:
        """Return by how many slots the node says it is behind; None where it is not."""
        stale = self.faults.peek("stale")
        return stale.slots if stale is not None and (stale.next or stale.rate or stale.on) else None

    def reader(self, block: Block) -> Read:
        """Return how accounts are read as of a block."""
        return lambda address: self.chain.bank.get(address, block.slot)

    def accounts_of(self, owner: Pubkey, block: Block) -> dict[Pubkey, Account]:
        """Return a program's accounts as of a block."""
        return self.chain.bank.program_accounts(owner, block.slot)


Method = Callable[[Node, list[Any]], Any]


def in_context(block: Block, value: Any) -> dict[str, Any]:
    """Return a value with the slot it is true of."""
    return {"context": {"apiVersion": VERSION, "slot": block.slot}, "value": value}
