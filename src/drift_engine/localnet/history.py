"""The transactions that landed, by signature and by address, newest last."""

from collections import deque
from dataclasses import dataclass
from itertools import takewhile

from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.transaction import VersionedTransaction

from drift_engine.localnet.outcomes import Outcome

RECORDS_KEPT = 50_000


@dataclass(frozen=True, slots=True)
class Record:
    """A transaction in a block: its slot, the block's time (Unix seconds), and how it ended."""

    signature: Signature
    slot: int
    block_time: int
    transaction: VersionedTransaction
    digest: bytes
    outcome: Outcome


class History:
    """What landed, as far back as it is kept."""

    def __init__(self, capacity: int = RECORDS_KEPT) -> None:
        self._capacity = capacity
        self._records: deque[Record] = deque()
        self._by_signature: dict[Signature, Record] = {}
        self._digests: set[bytes] = set()
        self._by_address: dict[Pubkey, deque[Record]] = {}
        self.count = 0

    def add(self, record: Record) -> None:
        """Take a record in; the oldest is forgotten when there are too many."""
        self.count += 1
        self._records.append(record)
        self._by_signature[record.signature] = record
        self._digests.add(record.digest)
        for key in record.outcome.keys:
            self._by_address.setdefault(key, deque()).append(record)
        if len(self._records) > self._capacity:
            self._forget(self._records.popleft(), oldest=True)

    def drop_after(self, slot: int) -> list[Record]:
        """Forget what landed after a slot; return it, oldest first."""
        dropped: list[Record] = []
        while self._records and self._records[-1].slot > slot:
            record = self._records.pop()
            self._forget(record, oldest=False)
            dropped.append(record)
        return dropped[::-1]

    def _forget(self, record: Record, *, oldest: bool) -> None:
        del self._by_signature[record.signature]
        self._digests.discard(record.digest)
        for key in record.outcome.keys:
            known = self._by_address[key]
            if oldest:
                known.popleft()
            else:
                known.pop()
            if not known:
                del self._by_address[key]

    def get(self, signature: Signature) -> Record | None:
        """Return the record of a signature."""
        return self._by_signature.get(signature)

    def has(self, digest: bytes) -> bool:
        """Whether a transaction with this message has landed."""
        return digest in self._digests

    def since(self, slot: int) -> list[Record]:
        """Return what landed in a slot and after it, oldest first."""
        found = list(takewhile(lambda record: record.slot >= slot, reversed(self._records)))
        return found[::-1]

    def of_address(self, address: Pubkey) -> list[Record]:
        """Return the records that name an address, newest first."""
        return list(reversed(self._by_address.get(address, ())))
