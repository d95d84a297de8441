"""Accounts, clock and runtime of the chain: LiteSVM, with a memory of what each slot changed.

Every write is recorded with the value it replaced: in the innermost savepoint, and from there in its slot. So a failed
transaction, a simulation and a bundle are undone by their savepoint, a forked slot by its slot, and an account as it
was some slots ago is read by looking up which later slot replaced it first. A program's notes are written likewise.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256

from solders.account import Account
from solders.clock import Clock
from solders.hash import Hash
from solders.litesvm import LiteSVM
from solders.pubkey import Pubkey

SYSTEM_PROGRAM = Pubkey.default()
SLOTS_KEPT = 400
"""How many slots back accounts can be read and slots rolled back."""
SLOT_HASHES = 512
SLOTS_PER_EPOCH = 432_000
ABSENT = object()


class ForgottenSlotError(Exception):
    """A slot so old that what it changed is no longer kept."""


@dataclass(slots=True)
class Undo:
    """What stood before a slot or savepoint wrote: accounts (None: there was none) and notes.

    A savepoint is undone when its block ends, unless ``keep`` was called; what it kept then is what really changed.
    """

    accounts: dict[Pubkey, Account | None] = field(default_factory=dict)
    notes: dict[str, object] = field(default_factory=dict)
    kept: bool = False

    def keep(self) -> None:
        """Let what was written since the savepoint stand."""
        self.kept = True

    def hand_down(self, below: "Undo") -> None:
        """Hand what is remembered to the one below, which keeps what it already knows: it is older."""
        below.accounts = self.accounts | below.accounts
        below.notes = self.notes | below.notes


class Bank:
    """The accounts of the chain as of the open slot, and of the slots before it."""

    def __init__(self, slot: int, unix_timestamp: int, seed: int) -> None:
        self.svm = LiteSVM().with_blockhash_check(check=False).with_transaction_history(0).with_log_bytes_limit(None)
        self.slot, self.unix_timestamp = slot, unix_timestamp
        self.notes: dict[str, object] = {}
        self._seed = seed
        self._slots: dict[int, Undo] = {slot: Undo()}
        self._savepoints: list[Undo] = []
        self._hashes: list[tuple[int, Hash]] = []
        self._set_sysvars()

    def open_slot(self, slot: int, unix_timestamp: int) -> None:
        """Close the open slot and open the next; slot numbers may skip."""
        self._hashes.insert(0, (self.slot, self.hash_of(self.slot)))
        del self._hashes[SLOT_HASHES:]
        self.slot, self.unix_timestamp = slot, unix_timestamp
        self._slots[slot] = Undo()
        while len(self._slots) > SLOTS_KEPT:
            del self._slots[next(iter(self._slots))]
        self._set_sysvars()

    def _set_sysvars(self) -> None:
        epoch = self.slot // SLOTS_PER_EPOCH
        self.svm.set_clock(Clock(self.slot, 0, epoch, epoch + 1, self.unix_timestamp))
        self.svm.set_slot_hashes(self._hashes)

    def hash_of(self, slot: int) -> Hash:
        """Return the blockhash of a slot, the same for the same seed."""
        return Hash(sha256(b"%d/%d" % (self._seed, slot)).digest())

    def rent(self, size: int) -> int:
        """Return the lamports that make an account of ``size`` bytes rent-exempt."""
        return self.svm.minimum_balance_for_rent_exemption(size)

    def get(self, address: Pubkey, slot: int | None = None) -> Account | None:
        """Return the account as it stands now, or as it was at the end of a slot."""
        if slot is not None and slot < self.slot:
            for undo in self._since(slot):
                if address in undo.accounts:
                    return undo.accounts[address]
        return self.svm.get_account(address)

    def program_accounts(self, owner: Pubkey, slot: int | None = None) -> dict[Pubkey, Account]:
        """Return a program's accounts as they stand now, or as they were at the end of a slot."""
        found = dict(self.svm.get_program_accounts(owner))
        if slot is not None and slot < self.slot:
            past: dict[Pubkey, Account | None] = {}
            for undo in self._since(slot):
                past = undo.accounts | past
            found |= {key: was for key, was in past.items() if was is not None}
            gone = [key for key in found if (was := past.get(key, found[key])) is None or was.owner != owner]
            for key in gone:
                del found[key]
        return found

    def _since(self, slot: int) -> Iterator[Undo]:
        oldest = next(iter(self._slots))
        if slot < oldest - 1:
            raise ForgottenSlotError(f"slot {slot} is no longer kept, the oldest is {oldest - 1}")
        return (undo for later, undo in self._slots.items() if later > slot)

    def changed_in(self, slot: int) -> Iterable[Pubkey]:
        """Return the accounts a slot wrote."""
        undo = self._slots.get(slot)
        return undo.accounts if undo else ()

    def touch(self, addresses: Iterable[Pubkey]) -> None:
        """Remember accounts before the runtime may write them."""
        held = self._top().accounts
        for address in addresses:
            if address not in held:
                held[address] = self.svm.get_account(address)

    def put(self, address: Pubkey, account: Account | None) -> None:
        """Write an account; None, or one without lamports, closes it."""
        self.touch((address,))
        self._set(address, account)

    def keep(self, notes: dict[str, object]) -> None:
        """Write a program's notes."""
        held = self._top().notes
        for key, value in notes.items():
            held.setdefault(key, self.notes.get(key, ABSENT))
            self.notes[key] = value

    def _top(self) -> Undo:
        return self._savepoints[-1] if self._savepoints else self._slots[self.slot]

    def _set(self, address: Pubkey, account: Account | None) -> None:
        self.svm.set_account(address, account or Account(0, b"", SYSTEM_PROGRAM))

    @contextmanager
    def savepoint(self) -> Iterator[Undo]:
        """Undo what is written inside, unless the savepoint is told to keep it."""
        undo = Undo()
        self._savepoints.append(undo)
        try:
            yield undo
        finally:
            self._savepoints.pop()
            if undo.kept:
                self._drop_unchanged(undo)
                undo.hand_down(self._top())
            else:
                self._restore(undo)

    def _drop_unchanged(self, undo: Undo) -> None:
        same = [key for key, was in undo.accounts.items() if self.svm.get_account(key) == was]
        for key in same:
            del undo.accounts[key]

    def _restore(self, undo: Undo) -> None:
        for address, was in undo.accounts.items():
            if self.svm.get_account(address) != was:
                self._set(address, was)
        for key, value in undo.notes.items():
            if value is ABSENT:
                del self.notes[key]
            else:
                self.notes[key] = value

    def roll_back(self, slot: int) -> list[Pubkey]:
        """Undo every slot after the given one, which is open again; return the accounts that were put back."""
        self._since(slot)
        touched: dict[Pubkey, None] = {}
        for later in sorted((held for held in self._slots if held > slot), reverse=True):
            undo = self._slots.pop(later)
            self._restore(undo)
            touched |= dict.fromkeys(undo.accounts)
        self._hashes = [held for held in self._hashes if held[0] < slot]
        self.slot = slot
        return list(touched)
