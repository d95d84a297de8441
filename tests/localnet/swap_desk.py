"""Somebody who swaps between two calls of the program, with the other side of it in his own hands."""

from struct import pack

from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from venue_desk import E6, E9, VenueDesk

from drift_engine.localnet import tokens
from drift_engine.localnet.venue.balances import tokens_of
from drift_engine.venues.instructions import funds
from drift_engine.venues.instructions.trader import Trader
from drift_engine.venues.wire.order_enums import SwapReduceOnly

MEMO = Pubkey.from_string("MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr")


class Swapper:
    """Somebody with two more token accounts, which stand for the other side of the swap."""

    def __init__(self, desk: VenueDesk, key: Keypair, who: Trader) -> None:
        self.desk, self.key, self.who = desk, key, who
        self.others = [desk.wallet(who.user, index) for index in range(2)]
        for index, address in enumerate(self.others):
            held = tokens.account_of(desk.spot(index).mint, key.pubkey(), 10**12, 2_039_280)
            desk.chain.bank.put(address, held)

    def begin(self, give: int, get: int, amount: int) -> Instruction:
        wallets = [self.desk.wallet(self.who.authority, index) for index in (give, get)]
        rest = self.desk.rest(self.who, write_spots=[give, get])
        return funds.begin_swap(self.desk.program, self.who, give, get, amount, *wallets, remaining=rest)

    def end(
        self, give: int, get: int, *, limit: int | None = None, reduce: int | None = None, short: int = 0
    ) -> Instruction:
        wallets = [self.desk.wallet(self.who.authority, index) for index in (give, get)]
        rest = self.desk.rest(self.who, write_spots=[give, get])
        return funds.end_swap(
            self.desk.program, self.who, give, get, *wallets, limit_price=limit, reduce_only=reduce,
            remaining=rest[short:],
        )  # fmt: skip

    def moved(self, index: int, amount: int) -> Instruction:
        """Move tokens between the swap's account and the other side's: out of ours where positive."""
        ours, theirs = self.desk.wallet(self.who.authority, index), self.others[index]
        source, to = (ours, theirs) if amount > 0 else (theirs, ours)
        owner = AccountMeta(self.key.pubkey(), is_signer=True, is_writable=False)
        metas = [*(AccountMeta(key, is_signer=False, is_writable=True) for key in (source, to)), owner]
        return Instruction(tokens.TOKEN_PROGRAM, pack("<BQ", 3, abs(amount)), metas)

    def swap(
        self, paid: int, got: int, *, lent: int = 0, limit: int | None = None, reduce: int | None = None
    ) -> list[Instruction]:
        """Give quote for SOL."""
        begin, end = self.begin(0, 1, lent or paid), self.end(0, 1, limit=limit, reduce=reduce)
        return [begin, self.moved(0, paid), self.moved(1, -got), end]

    def held(self, index: int) -> int:
        return tokens_of(self.desk.user(self.who).spot_slots()[index], self.desk.spot(index))


def refusals(at: Swapper) -> list[tuple[str, list[Instruction]]]:
    begin, pay, get, end = at.swap(1_000 * E6, 10 * E9)
    note = Instruction(MEMO, b"hello", [])
    return [
        ("no end", [begin, pay, get]),
        ("no begin", [end]),
        ("another call between", [begin, at.desk.deposit(at.who, 0, 1), end]),
        ("another call behind", [begin, pay, get, end, at.desk.deposit(at.who, 0, 1)]),
        ("a foreign program between", [begin, note, pay, get, end]),
        ("tokens moved behind", [begin, pay, get, end, at.moved(1, 1)]),
        ("nothing came back", [begin, pay, end]),
        ("other accounts at the end", [begin, pay, get, at.end(0, 1, short=1)]),
        ("another side at the end", [begin, pay, get, at.end(1, 0)]),
        ("nothing asked", [at.begin(0, 1, 0), get, end]),
        ("what must only shrink grows", at.swap(1_000 * E6, 10 * E9, reduce=SwapReduceOnly.OUT)),
    ]
