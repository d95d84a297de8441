"""Jito bundles and what became of them.

A bundle waits for the next slot whose leader runs Jito's client (one turn of four slots in ``leader_turns``) and runs
there as a whole, in order; if any of it fails, nothing of it has happened and it is ``Failed``, as it is when it tips
too little. It is known by the SHA-256 of its signatures, joined by commas.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from solders.transaction import VersionedTransaction

from drift_engine.localnet.chain import Event, SlotOpened
from drift_engine.localnet.node import Node
from drift_engine.localnet.rpc_errors import bad_params
from drift_engine.localnet.rpc_transactions import signed
from drift_engine.localnet.tips import TipFloor, locks_tip_account, paid
from drift_engine.venues.jito.messages import MIN_TIP_LAMPORTS

MAX_BUNDLE = 5
LEADER_TURN_SLOTS = 4
LOOK_BACK_S = 300
PENDING, FAILED, LANDED, INVALID = "Pending", "Failed", "Landed", "Invalid"


@dataclass(slots=True)
class Bundle:
    """A bundle and its fate; ``time`` is when it came, in the chain's Unix seconds."""

    name: str
    transactions: tuple[VersionedTransaction, ...]
    time: int
    status: str = PENDING
    slot: int | None = None


class Bundles:
    """The bundles of one block engine."""

    def __init__(self, node: Node, leader_turns: int = 1) -> None:
        self._node, self._leader_turns = node, leader_turns
        self._known: dict[str, Bundle] = {}
        self.floor = TipFloor()
        node.chain.listeners.append(self._hear)

    def take(self, transactions: Sequence[VersionedTransaction]) -> str:
        """Accept a bundle and return its id; raise ``RpcError`` where it breaks a rule that can be seen at once."""
        if not 1 <= len(transactions) <= MAX_BUNDLE:
            raise bad_params(f"Bundles must contain between 1 and {MAX_BUNDLE} transactions.")
        for transaction in transactions:
            self._check(transaction)
        if not any(locks_tip_account(transaction) for transaction in transactions):
            raise bad_params("Bundles must write lock at least one tip account to be eligible for the auction.")
        name = bundle_id(transactions)
        if name not in self._known:
            self._known[name] = Bundle(name, tuple(transactions), self._node.chain.bank.unix_timestamp)
        return name

    def _check(self, transaction: VersionedTransaction) -> None:
        if not signed(transaction):
            raise bad_params("bundle contains a transaction that failed signature verification")
        refusal = self._node.chain.refusal(transaction)
        if refusal is not None:
            stale = "an expired blockhash" if refusal == "BlockhashNotFound" else "an already processed transaction"
            raise bad_params(f"bundle contains {stale}")

    def _hear(self, event: Event) -> None:
        if isinstance(event, SlotOpened) and self._is_leader(event.block.slot):
            for bundle in [each for each in self._known.values() if each.status == PENDING]:
                self._land(bundle)

    def _is_leader(self, slot: int) -> bool:
        return slot // LEADER_TURN_SLOTS % self._leader_turns == 0

    def _land(self, bundle: Bundle) -> None:
        chain = self._node.chain
        if self._node.faults.strike("drop") is not None:
            bundle.status = FAILED
            return
        outcomes = chain.submit_bundle(bundle.transactions, lambda all_of: paid(all_of) >= MIN_TIP_LAMPORTS)
        if outcomes is None:
            bundle.status = FAILED
            return
        bundle.status, bundle.slot = LANDED, chain.slot
        self.floor.add(paid(outcomes))

    def status(self, name: str) -> dict[str, Any] | None:
        """Return what ``getBundleStatuses`` tells of a bundle; None for one that has not landed."""
        bundle, chain = self._known.get(name), self._node.chain
        if bundle is None or bundle.status != LANDED or bundle.slot is None:
            return None
        records = [chain.history.get(transaction.signatures[0]) for transaction in bundle.transactions]
        if None in records:
            return None
        return {
            "bundle_id": name,
            "transactions": [str(transaction.signatures[0]) for transaction in bundle.transactions],
            "slot": bundle.slot,
            "confirmation_status": chain.blocks.seen_by(bundle.slot),
            "err": {"Ok": None},
        }

    def inflight(self, name: str) -> dict[str, Any]:
        """Return what ``getInflightBundleStatuses`` tells of a bundle: five minutes back, and no further."""
        bundle = self._known.get(name)
        if bundle is None or self._node.chain.bank.unix_timestamp - bundle.time > LOOK_BACK_S:
            return {"bundle_id": name, "status": INVALID, "landed_slot": None}
        return {"bundle_id": name, "status": bundle.status, "landed_slot": bundle.slot}


def bundle_id(transactions: Sequence[VersionedTransaction]) -> str:
    """Return a bundle's id (jito-solana ``bundle``, ``derive_bundle_id``)."""
    return sha256(",".join(str(transaction.signatures[0]) for transaction in transactions).encode()).hexdigest()


def bundle_params(params: list[Any]) -> tuple[list[Any], str]:
    """Return the transactions' texts and their encoding from the parameters of ``sendBundle``."""
    if not params or not isinstance(params[0], list):
        raise bad_params("Invalid params: expected a list of transactions.")
    config = params[1] if len(params) > 1 and isinstance(params[1], dict) else {}
    return params[0], str(config.get("encoding") or "base58")
