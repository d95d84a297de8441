"""A transaction with instructions of played programs: run in pieces, in order, as if by one runtime.

The runs of other instructions between played ones are each sent to LiteSVM as the same transaction in which all that is
not of the run does nothing: it goes to the no-op program. So every index, account and signature flag stays what it was.
What was charged for a piece is given back: the fee is paid once, before. The compute of all pieces and programs counts
against one limit; a "consumed … of …" line of a piece knows nothing of the pieces before it.
"""

from collections.abc import Mapping
from itertools import groupby

from solders.account import Account
from solders.compute_budget import ID as COMPUTE_BUDGET
from solders.instruction import CompiledInstruction
from solders.pubkey import Pubkey

from drift_engine.localnet.bank import Bank
from drift_engine.localnet.ledger import Ledger, RuntimeRefusal
from drift_engine.localnet.messages import Resolved, rebuilt
from drift_engine.localnet.outcomes import JsonError, Outcome, failure_text, instruction_error
from drift_engine.localnet.program import Invocation, ProgramError, VenueProgram
from drift_engine.localnet.runtime import Ran, send

BUILTIN_UNITS = 150


class Halted(Exception):  # noqa: N818 - an outcome, not a bug
    """The transaction ends here, with this error."""

    def __init__(self, err: JsonError) -> None:
        super().__init__(str(err))
        self.err = err


class Pieces:
    """One transaction with played instructions, being run."""

    def __init__(
        self, bank: Bank, programs: Mapping[Pubkey, VenueProgram], resolved: Resolved, outcome: Outcome
    ) -> None:
        self._bank, self._programs, self._resolved, self._outcome = bank, programs, resolved, outcome
        self._instructions = resolved.instructions()
        self._limit = resolved.compute_limit()
        self._silent = next(i for i, ix in enumerate(self._instructions) if ix.program_id in programs)

    def run(self) -> None:
        """Run all instructions; raise ``Halted`` at the first that fails. The caller undoes what was written."""
        for played, group in groupby(range(len(self._instructions)), self._is_played):
            places = list(group)
            if played:
                for place in places:
                    self._play(place)
            else:
                self._run_piece(places)
        self._check_rent()

    def _is_played(self, place: int) -> bool:
        return self._instructions[place].program_id in self._programs

    def _play(self, place: int) -> None:
        instruction = self._instructions[place]
        program, outcome = self._programs[instruction.program_id], self._outcome
        writable = frozenset(meta.pubkey for meta in instruction.accounts if meta.is_writable)
        ledger = ledger_of(self._bank, writable, self._limit - outcome.units)
        before = ledger.compute_left
        outcome.logs.append(f"Program {program.program_id} invoke [1]")
        invocation = Invocation(
            program.program_id, tuple(instruction.accounts), bytes(instruction.data), self._instructions, place
        )
        refused = _attempt(program, invocation, ledger)
        used = before - ledger.compute_left
        outcome.units += used
        outcome.logs += [*ledger.lines, f"Program {program.program_id} consumed {used} of {before} compute units"]
        if refused:
            outcome.logs.append(f"Program {program.program_id} failed: {failure_text(*refused)}")
            raise Halted(instruction_error(place, *refused))
        outcome.logs.append(f"Program {program.program_id} success")
        write(self._bank, ledger)

    def _run_piece(self, places: list[int]) -> None:
        if all(self._instructions[place].program_id == COMPUTE_BUDGET for place in places):
            self._budget_lines(len(places))
            return
        ran = self._send(places)
        outcome = self._outcome
        groups = ran.log_groups()
        outcome.logs += [line for place in places if place < len(groups) for line in groups[place]]
        outcome.inner += [inner for inner in ran.inner if inner["index"] in places]
        outcome.units += sum(units_of(groups[place]) for place in places if place < len(groups))
        if ran.err is not None:
            raise Halted(ran.err)
        if outcome.units > self._limit:
            raise Halted(instruction_error(places[-1], "ComputationalBudgetExceeded"))

    def _budget_lines(self, count: int) -> None:
        for _ in range(count):
            self._outcome.logs += [f"Program {COMPUTE_BUDGET} invoke [1]", f"Program {COMPUTE_BUDGET} success"]
        self._outcome.units += count * BUILTIN_UNITS

    def _send(self, places: list[int]) -> Ran:
        compiled = self._resolved.compiled
        noop = compiled[self._silent].program_id_index
        kept = [
            ix if place in places or self._instructions[place].program_id == COMPUTE_BUDGET else _silenced(ix, noop)
            for place, ix in enumerate(compiled)
        ]
        payer, fee = self._resolved.payer, self._outcome.fee
        self._bank.touch(self._resolved.written)
        give(self._bank, payer, fee)
        ran = send(self._bank, rebuilt(self._resolved.transaction, kept), verify=False)
        give(self._bank, payer, ran.fee - fee)
        return ran

    def _check_rent(self) -> None:
        """Refuse an account left with too little for its size (agave ``rent_state_manager``)."""
        for place in sorted(self._resolved.writable):
            account = self._bank.get(self._resolved.keys[place])
            if account and account.lamports < self._bank.rent(len(account.data)) and self._shrank(place, account):
                raise Halted({"InsufficientFundsForRent": {"account_index": place}})

    def _shrank(self, place: int, account: Account) -> bool:
        before = self._outcome.pre_balances[place]
        return before < account.lamports or before >= self._bank.rent(len(account.data))


def ledger_of(bank: Bank, writable: frozenset[Pubkey] | None = None, compute_left: int = 1_400_000) -> Ledger:
    """Return an empty ledger over the accounts as they stand."""
    return Ledger(
        slot=bank.slot,
        unix_timestamp=bank.unix_timestamp,
        read=bank.get,
        rent=bank.rent,
        kept=bank.notes,
        writable=writable,
        compute_left=compute_left,
    )


def write(bank: Bank, ledger: Ledger) -> None:
    """Write what a ledger holds."""
    for address, account in ledger.accounts.items():
        bank.put(address, account)
    bank.keep(ledger.notes)


def units_of(lines: list[str]) -> int:
    """Return the compute units an instruction's log tells of; builtin programs, which log none, take 150."""
    last = next((line for line in reversed(lines) if line.endswith(" compute units")), None)
    return int(last.split(" consumed ")[1].split(" ")[0]) if last else BUILTIN_UNITS


def _attempt(program: VenueProgram, invocation: Invocation, ledger: Ledger) -> tuple[str, int | None] | None:
    """Let the program execute; return the error's name and code where it, or the runtime, refuses."""
    try:
        program.execute(invocation, ledger)
        ledger.settle()
    except ProgramError as error:
        ledger.log(error.log_line)
        return "Custom", error.code
    except RuntimeRefusal as refusal:
        return refusal.name, refusal.code
    return None


def _silenced(instruction: CompiledInstruction, noop: int) -> CompiledInstruction:
    return CompiledInstruction(noop, b"", bytes(instruction.accounts))


def give(bank: Bank, address: Pubkey, lamports: int) -> None:
    """Add lamports to an account; a negative number takes them."""
    account = bank.get(address) or Account(0, b"", Pubkey.default())
    changed = account.lamports + lamports
    bank.put(address, Account(changed, account.data, account.owner, account.executable, account.rent_epoch))
