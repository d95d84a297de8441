"""The ledger a played program writes to: what it sees of itself, and what it may not do."""

import pytest
from solders.account import Account
from solders.pubkey import Pubkey

from drift_engine.localnet import tokens
from drift_engine.localnet.ledger import Ledger
from drift_engine.localnet.program import ProgramError, RuntimeRefusal

A, B, MINT, OWNER, PROGRAM = (Pubkey(bytes([place]) * 32) for place in range(1, 6))
SYSTEM = Pubkey.default()


def ledger(**accounts: Account) -> Ledger:
    held = {A: accounts.get("a"), B: accounts.get("b")}
    return Ledger(slot=7, unix_timestamp=9, read=held.get, rent=lambda size: 100 + size)


def purse(amount: int, *, state: int = 1, mint: Pubkey = MINT, native: bool = False) -> Account:
    account = tokens.account_of(mint, OWNER, amount, 200)
    data = bytearray(account.data)
    data[108], data[109] = state, int(native)
    return Account(200, bytes(data), account.owner)


def test_what_is_put_is_read_and_the_chain_is_untouched() -> None:
    it = ledger(a=Account(5, b"x", PROGRAM))
    it.write(A, b"yy")
    assert it.get(A) == Account(5, b"yy", PROGRAM)
    assert it.read(A) == Account(5, b"x", PROGRAM)
    it.put(A, Account(0, b"", SYSTEM))
    assert it.get(A) is None
    with pytest.raises(RuntimeRefusal, match="UnbalancedInstruction"):
        it.settle()


def test_an_account_is_opened_at_the_payers_cost_and_closed_to_his_gain() -> None:
    it = ledger(a=Account(1_000, b"", SYSTEM), b=Account(30, b"", SYSTEM))
    it.create(A, B, PROGRAM, bytes(8))
    assert it.get(B) == Account(108, bytes(8), PROGRAM)
    assert it.get(A) == Account(1_000 - 78, b"", SYSTEM)  # what lay there already counts
    it.settle()
    with pytest.raises(RuntimeRefusal, match=r"Custom\(0\)"):
        it.create(A, B, PROGRAM, bytes(8))
    it.close(B, A)
    assert it.get(B) is None
    assert it.get(A) == Account(1_030, b"", SYSTEM)
    it.settle()


def test_a_payer_without_the_rent_is_refused_as_the_system_program_does() -> None:
    it = ledger(a=Account(50, b"", SYSTEM))
    with pytest.raises(RuntimeRefusal, match=r"Custom\(1\)"):
        it.create(A, B, PROGRAM, bytes(8))
    assert it.lines == ["Transfer: insufficient lamports 50, need 108"]


@pytest.mark.parametrize(
    ("source", "target", "authority", "code"),
    [
        (purse(5), Account(1, b"", SYSTEM), OWNER, 9),
        (purse(5, state=0), purse(0), OWNER, 9),
        (purse(5, state=2), purse(0), OWNER, 17),
        (purse(5), purse(0, state=2), OWNER, 17),
        (purse(4), purse(0), OWNER, 1),
        (purse(5), purse(0, mint=A), OWNER, 3),
        (purse(5), purse(0), A, 4),
    ],
)
def test_tokens_are_moved_by_the_token_programs_rules(
    source: Account, target: Account, authority: Pubkey, code: int
) -> None:
    it = ledger(a=source, b=target)
    with pytest.raises(RuntimeRefusal, match=rf"Custom\({code}\)"):
        it.move_tokens(A, B, authority, 5)
    assert not it.accounts
    assert it.lines[-1] == f"Program {tokens.TOKEN_PROGRAM} failed: custom program error: {hex(code)}"


def test_moved_tokens_are_seen_and_wrapped_sol_moves_its_lamports() -> None:
    it = ledger(a=purse(5, native=True), b=purse(1, native=True))
    it.move_tokens(A, B, OWNER, 3)
    assert (it.token_amount(A), it.token_amount(B)) == (2, 4)
    found = [it.get(key) for key in (A, B)]
    assert [account.lamports for account in found if account] == [197, 203]
    it.move_tokens(A, A, OWNER, 2)
    assert it.token_amount(A) == 2
    with pytest.raises(RuntimeRefusal, match="InvalidAccountData"):
        it.token_amount(MINT)


def test_compute_runs_out_and_notes_stay_in_the_ledger() -> None:
    it = ledger()
    it.keep("seed", 4)
    assert (it.note("seed"), it.note("other"), dict(it.kept)) == (4, None, {})
    it.compute_left = 10
    it.consume(10)
    with pytest.raises(RuntimeRefusal, match="ComputationalBudgetExceeded"):
        it.consume(1)


def test_errors_are_logged_in_anchors_words() -> None:
    end = " Error Code: Bad. Error Number: 6001. Error Message: it is bad."
    assert ProgramError(6001, "Bad", "it is bad").log_line == "AnchorError occurred." + end
    named = ProgramError(6001, "Bad", "it is bad", account="state")
    assert named.log_line == "AnchorError caused by account: state." + end
    placed = ProgramError(6001, "Bad", "it is bad", place="src/a.rs:3")
    assert placed.log_line == "AnchorError thrown in src/a.rs:3." + end
