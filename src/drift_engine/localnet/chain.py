"""The chain: transactions go into the open slot as they come, slots follow one another, and may be rolled back.

Time is the caller's: ``advance`` closes the slot and opens the next, whose time is ``slot_ms`` after. What comes of a
transaction is told to the listeners as it happens, in the same call. Durable nonces and calls of a played program by
another program are not played.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from solders.account import Account
from solders.compute_budget import set_compute_unit_limit
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.message import Message
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.system_program import TransferParams, transfer
from solders.transaction import VersionedTransaction

from drift_engine.localnet.bank import Bank
from drift_engine.localnet.blocks import HEIGHT_GAP, Block, Blocks
from drift_engine.localnet.execution import execute
from drift_engine.localnet.history import History, Record
from drift_engine.localnet.ledger import Ledger
from drift_engine.localnet.messages import rebuilt
from drift_engine.localnet.noop_elf import noop_elf
from drift_engine.localnet.outcomes import Outcome
from drift_engine.localnet.played import ledger_of, write
from drift_engine.localnet.program import VenueProgram

DRIFT_V2_PROGRAM = Pubkey.from_string("dRiftyHA39MWEi3m9aunc5MzRF1JYuBsbn6VPcn33UH")
LAMPORTS = 10**9
SOL_SUPPLY = 500_000_000 * LAMPORTS
TICKS_A_SLOT = 1_000
KEEPER_ACCOUNTS = 28
"""How many accounts a keeper's transaction can name and still fit into 1,232 bytes."""


@dataclass(frozen=True, slots=True)
class ChainConfig:
    """How the chain runs.

    ``start_unix`` is the first block's time in Unix seconds; lags are in blocks; ``program_so`` is the file of Drift
    v2's real program.
    """

    slot_ms: int = 400
    start_slot: int = 5_000
    start_unix: int = 1_760_000_000
    seed: int = 0
    confirm_blocks: int = 1
    finality_blocks: int = 32
    program_so: Path | None = None


@dataclass(frozen=True, slots=True)
class Landed:
    """A transaction has landed; ``changed`` are the accounts that are not what they were."""

    record: Record
    changed: tuple[Pubkey, ...]


@dataclass(frozen=True, slots=True)
class SlotOpened:
    """A slot has been opened, and so its parent closed."""

    block: Block
    root: int


@dataclass(frozen=True, slots=True)
class RolledBack:
    """The blocks after ``slot`` are gone, their transactions with them; ``changed`` accounts were put back."""

    slot: int
    dropped: tuple[Record, ...]
    changed: tuple[Pubkey, ...]


@dataclass(frozen=True, slots=True)
class Edited:
    """Accounts were written from outside, by no transaction."""

    changed: tuple[Pubkey, ...]


Event = Landed | SlotOpened | RolledBack | Edited


class Chain:
    """A chain of blocks over a bank, with what landed in them."""

    def __init__(self, config: ChainConfig | None = None, programs: Iterable[VenueProgram] = ()) -> None:
        self.config = config = config or ChainConfig()
        self.programs = {program.program_id: program for program in programs}
        self.bank = Bank(config.start_slot, config.start_unix, config.seed)
        start, first_hash = config.start_slot, self.bank.hash_of(config.start_slot)
        first = Block(start, start - 1, start - HEIGHT_GAP, first_hash, config.start_unix)
        self.blocks = Blocks(first, config.confirm_blocks, config.finality_blocks)
        self.history = History()
        self.listeners: list[Callable[[Event], None]] = []
        self.genesis_hash = self.bank.hash_of(0)
        self._later: list[tuple[int, VersionedTransaction]] = []
        self._faucet, self._keeper = (self._own_key(name) for name in (b"faucet", b"keeper"))
        self._serial = 0
        self._load_programs()

    def _own_key(self, name: bytes) -> Keypair:
        key = Keypair.from_seed(sha256(b"localnet/%d/%s" % (self.config.seed, name)).digest())
        self.bank.put(key.pubkey(), Account(SOL_SUPPLY, b"", Pubkey.default()))
        return key

    def _load_programs(self) -> None:
        for address in self.programs:
            self.bank.svm.add_program(address, noop_elf())
        if self.config.program_so is not None:
            self.bank.svm.add_program(DRIFT_V2_PROGRAM, self.config.program_so.read_bytes())

    @property
    def slot(self) -> int:
        """Return the open slot."""
        return self.bank.slot

    def advance(self, slots: int = 1) -> None:
        """Close the open slot and open the next, as often as asked."""
        for _ in range(slots):
            self._open(self.slot + 1)

    def _open(self, slot: int) -> None:
        config = self.config
        time = config.start_unix + (slot - config.start_slot) * config.slot_ms // 1_000
        self.bank.open_slot(slot, time)
        block = self.blocks.append(slot, self.bank.hash_of(slot), time)
        self._tell(SlotOpened(block, self.blocks.at("finalized").slot))
        due = [transaction for when, transaction in self._later if when <= slot]
        self._later = [held for held in self._later if held[0] > slot]
        for transaction in due:
            self.submit(transaction)
        for program in self.programs.values():
            self._tick(program)

    def put(self, address: Pubkey, account: Account | None) -> None:
        """Write an account from outside, as no real chain lets one; None closes it."""
        self.bank.put(address, account)
        self._tell(Edited((address,)))

    def submit(self, transaction: VersionedTransaction) -> Outcome:
        """Run a transaction in the open slot; it is in the history if it landed."""
        landed: list[Landed] = []
        outcome = self._run(transaction, landed)
        self._publish(landed)
        return outcome

    def submit_at(self, slot: int, transaction: VersionedTransaction) -> None:
        """Run a transaction when a slot opens; whether it lands, its sender has to find out."""
        self._later.append((slot, transaction))

    def submit_bundle(
        self, transactions: Sequence[VersionedTransaction], accept: Callable[[Sequence[Outcome]], bool]
    ) -> list[Outcome] | None:
        """Run transactions in order in the open slot: all, or none where one fails or the outcomes are not accepted."""
        landed: list[Landed] = []
        outcomes: list[Outcome] = []
        with self.bank.savepoint() as savepoint:
            for transaction in transactions:
                outcomes.append(self._run(transaction, landed))
                if outcomes[-1].err is not None:
                    return None
            if not accept(outcomes):
                return None
            savepoint.keep()
        self._publish(landed)
        return outcomes

    def simulate(
        self, transaction: VersionedTransaction, *, verify: bool = True, replace_blockhash: bool = False
    ) -> tuple[Outcome, dict[Pubkey, Account | None]]:
        """Run a transaction and undo it; return also the accounts it wrote, as they would have been."""
        if replace_blockhash:
            transaction = rebuilt(transaction, blockhash=self.blocks.latest_hash("processed").hash)
        elif (err := self.refusal(transaction)) is not None:
            return Outcome(err, landed=False), {}
        with self.bank.savepoint() as savepoint:
            outcome = execute(self.bank, self.programs, transaction, verify=verify and not replace_blockhash)
            return outcome, {address: self.bank.get(address) for address in savepoint.accounts}

    def refusal(self, transaction: VersionedTransaction) -> str | None:
        """Return why a transaction cannot be in the open block, whatever it does; None where it can."""
        if self.blocks.of_hash(transaction.message.recent_blockhash) is None:
            return "BlockhashNotFound"
        return "AlreadyProcessed" if self.history.has(_digest(transaction)) else None

    def _run(self, transaction: VersionedTransaction, landed: list[Landed]) -> Outcome:
        err = self.refusal(transaction)
        digest = _digest(transaction)
        if err is None and any(digest == before.record.digest for before in landed):
            err = "AlreadyProcessed"
        if err is not None:
            return Outcome(err, landed=False)
        with self.bank.savepoint() as savepoint:
            outcome = execute(self.bank, self.programs, transaction)
            savepoint.keep()
        if outcome.landed:
            landed.append(Landed(self._record(transaction, outcome), tuple(savepoint.accounts)))
        return outcome

    def _record(self, transaction: VersionedTransaction, outcome: Outcome) -> Record:
        block = self.blocks.open
        digest = _digest(transaction)
        return Record(transaction.signatures[0], block.slot, block.time, transaction, digest, outcome)

    def _publish(self, landed: list[Landed]) -> None:
        for event in landed:
            self.history.add(event.record)
            self._tell(event)

    def _tell(self, event: Event) -> None:
        for listener in self.listeners:
            listener(event)

    def roll_back(self, blocks: int = 1) -> RolledBack:
        """Drop the open block and ``blocks`` closed ones, and go on in a new slot after them.

        Raise ``FinalizedError`` where one of them is finalized.
        """
        slot = self.slot
        last = self.blocks.roll_back(blocks)
        changed = self.bank.roll_back(last.slot)
        event = RolledBack(last.slot, tuple(self.history.drop_after(last.slot)), tuple(changed))
        self._open(slot + 1)
        self._tell(event)
        return event

    def airdrop(self, address: Pubkey, lamports: int) -> Signature:
        """Give lamports by a transaction of the faucet's."""
        self._serial += 1
        gift = transfer(TransferParams(from_pubkey=self._faucet.pubkey(), to_pubkey=address, lamports=lamports))
        transaction = self._signed(self._faucet, [set_compute_unit_limit(1_000 + self._serial), gift])
        self.submit(transaction)
        return transaction.signatures[0]

    def _signed(self, key: Keypair, instructions: list[Instruction]) -> VersionedTransaction:
        blockhash = self.blocks.latest_hash("processed").hash
        return VersionedTransaction(Message.new_with_blockhash(instructions, key.pubkey(), blockhash), [key])

    def _tick(self, program: VenueProgram) -> None:
        for _ in range(TICKS_A_SLOT):
            ledger = ledger_of(self.bank)
            more = program.tick(ledger)
            if ledger.accounts or ledger.notes or ledger.lines:
                self._land_tick(program, ledger)
            if not more:
                return

    def _land_tick(self, program: VenueProgram, ledger: Ledger) -> None:
        """Record what a program did by itself as a transaction of the keeper's."""
        self._serial += 1
        with self.bank.savepoint() as savepoint:
            write(self.bank, ledger)
            savepoint.keep()
        metas = [AccountMeta(key, is_signer=False, is_writable=True) for key in list(ledger.accounts)[:KEEPER_ACCOUNTS]]
        told = Instruction(program.program_id, self._serial.to_bytes(8, "little"), metas)
        transaction = self._signed(self._keeper, [told])
        name = f"Program {program.program_id}"
        used = f"{name} consumed 0 of 200000 compute units"
        outcome = Outcome(None, landed=True, logs=[f"{name} invoke [1]", *ledger.lines, used, f"{name} success"])
        outcome.keys = tuple(transaction.message.account_keys)
        outcome.pre_balances = outcome.post_balances = [
            account.lamports if (account := self.bank.get(key)) else 0 for key in outcome.keys
        ]
        self._publish([Landed(self._record(transaction, outcome), tuple(savepoint.accounts))])


def _digest(transaction: VersionedTransaction) -> bytes:
    return sha256(bytes(transaction.message)).digest()
