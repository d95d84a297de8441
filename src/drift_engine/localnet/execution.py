"""One transaction run on the bank, from its signatures to its balances.

LiteSVM runs it as it is, unless it addresses a played program; then it is rehearsed once as it is, with the no-op in
the program's place, which checks signatures, fee and accounts, and then run in pieces (``played``). Either way a
transaction that fails leaves only its fee.
"""

from collections.abc import Mapping
from typing import Any

from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction

from drift_engine.localnet import tokens
from drift_engine.localnet.bank import Bank
from drift_engine.localnet.messages import LookupRefusal, Resolved, resolve
from drift_engine.localnet.outcomes import JsonError, Outcome, truncated
from drift_engine.localnet.played import Halted, Pieces, give
from drift_engine.localnet.program import VenueProgram
from drift_engine.localnet.runtime import rehearse, send

Programs = Mapping[Pubkey, VenueProgram]


def execute(bank: Bank, programs: Programs, transaction: VersionedTransaction, *, verify: bool = True) -> Outcome:
    """Run a transaction; what it wrote stays, or its fee alone, or nothing where it does not land."""
    try:
        resolved = resolve(transaction, bank.get)
    except LookupRefusal as refusal:
        return Outcome(refusal.args[0], landed=False)
    outcome = Outcome(None, landed=True, pre_balances=_balances(bank, resolved))
    outcome.pre_tokens = _tokens(bank, resolved)
    bank.touch(resolved.written)
    if any(resolved.program(place) in programs for place in range(len(resolved.compiled))):
        _run_played(bank, programs, resolved, outcome, verify=verify)
    else:
        _run_plain(bank, resolved, outcome, verify=verify)
    outcome.logs = truncated(outcome.logs)
    outcome.post_balances, outcome.post_tokens = _balances(bank, resolved), _tokens(bank, resolved)
    outcome.keys, outcome.loaded = resolved.keys, (resolved.loaded_writable, resolved.loaded_readonly)
    return outcome


def _run_plain(bank: Bank, resolved: Resolved, outcome: Outcome, *, verify: bool) -> None:
    ran = send(bank, resolved.transaction, verify=verify)
    outcome.err, outcome.logs, outcome.units, outcome.inner = (
        _named(ran.err, bank, resolved),
        ran.logs,
        ran.units,
        ran.inner,
    )
    outcome.fee, outcome.return_data = ran.fee, ran.return_data
    paid = outcome.pre_balances[0] != _balance(bank, resolved.payer)
    outcome.landed = ran.err is None or _is_instruction(ran.err) or paid


def _run_played(bank: Bank, programs: Programs, resolved: Resolved, outcome: Outcome, *, verify: bool) -> None:
    rehearsed = rehearse(bank, resolved.transaction, verify=verify)
    outcome.fee = rehearsed.fee
    if rehearsed.err is not None and not _may_differ(rehearsed.err):
        outcome.err, outcome.landed = _named(rehearsed.err, bank, resolved), False
        return
    give(bank, resolved.payer, -outcome.fee)
    with bank.savepoint() as savepoint:
        try:
            Pieces(bank, programs, resolved, outcome).run()
            savepoint.keep()
        except Halted as halted:
            outcome.err = halted.err


def _is_instruction(err: JsonError) -> bool:
    return isinstance(err, dict) and "InstructionError" in err


def _may_differ(err: JsonError) -> bool:
    """Whether the played program's work may change the answer: errors of running, not of loading."""
    return isinstance(err, dict) and not err.keys().isdisjoint(("InstructionError", "InsufficientFundsForRent"))


def _named(err: JsonError | None, bank: Bank, resolved: Resolved) -> JsonError | None:
    """Return the error by Agave's name: LiteSVM has one for programs that are absent and that are none."""
    programs = (resolved.program(place) for place in range(len(resolved.compiled)))
    if err == "InvalidProgramForExecution" and any(bank.get(program) is None for program in programs):
        return "ProgramAccountNotFound"
    return err


def _balance(bank: Bank, address: Pubkey) -> int:
    account = bank.get(address)
    return account.lamports if account else 0


def _balances(bank: Bank, resolved: Resolved) -> list[int]:
    return [_balance(bank, key) for key in resolved.keys]


def _tokens(bank: Bank, resolved: Resolved) -> list[dict[str, Any]]:
    """Return the token balances as ``getTransaction`` shows them."""
    return [
        {"accountIndex": place, **shown}
        for place, key in enumerate(resolved.keys)
        if (shown := tokens.balance(bank.get(key), bank.get)) is not None
    ]
