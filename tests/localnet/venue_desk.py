"""A local chain with a played venue on it, and the hands of somebody who uses it."""

from collections.abc import Mapping, Sequence
from hashlib import sha256

from solders.account import Account
from solders.compute_budget import set_compute_unit_limit
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction

from drift_engine.localnet import tokens
from drift_engine.localnet.chain import Chain, ChainConfig
from drift_engine.localnet.outcomes import Outcome
from drift_engine.localnet.venue import listings, world
from drift_engine.localnet.venue.filling import Book
from drift_engine.localnet.venue.path import Path
from drift_engine.localnet.venue.program import PlayedVenue
from drift_engine.venues import addresses
from drift_engine.venues.directory import Directory, PerpTerms, SpotTerms
from drift_engine.venues.instructions import accounts, funds
from drift_engine.venues.instructions.remaining import remaining_accounts
from drift_engine.venues.instructions.trader import Trader, trader
from drift_engine.venues.program import Program
from drift_engine.venues.wire.accounts import decode_as
from drift_engine.venues.wire.logs import parse
from drift_engine.venues.wire.oracle_accounts import PYTH_LAZER_ORACLE, PythLazerOracle
from drift_engine.venues.wire.perp_market import PerpMarket
from drift_engine.venues.wire.spot_market import SpotMarket
from drift_engine.venues.wire.state import State
from drift_engine.venues.wire.user import User
from drift_engine.venues.wire.user_stats import UserStats

SOL, E6, E9 = 10**9, 10**6, 10**9


class VenueDesk:
    """The chain, the venue, and what a client would know of it."""

    def __init__(
        self, program: Program, *, slot_ms: int = 400, book: Book | None = None, path: Path | None = None
    ) -> None:
        self.start(program, Chain(ChainConfig(slot_ms=slot_ms), [PlayedVenue(program, book, path)]))

    def start(self, program: Program, chain: Chain) -> None:
        """Put the venue's accounts on a chain."""
        self.program, self.chain, self.sent = program, chain, 0
        self.listing = listings.LISTINGS[program.name]
        for address, account in self.genesis().items():
            chain.bank.put(address, account)
        chain.advance()
        self.directory = self._directory()

    def genesis(self) -> dict[Pubkey, Account]:
        bank = self.chain.bank
        return world.genesis(self.program, bank.rent, bank.slot, bank.unix_timestamp)

    def _directory(self) -> Directory:
        quote = self.spot(0)
        perps = [self.perp(spec.index) for spec in self.listing.perps()]
        spots = [quote, *(self.spot(spec.index) for spec in self.listing.spots() if spec.index)]
        return Directory(
            self.program.name,
            [
                PerpTerms(
                    m.market_index, m.name, m.pubkey, m.oracle, m.oracle_source, 0, m.order_step_size,
                    m.order_tick_size, m.min_order_size,
                )
                for m in perps
            ],
            [
                SpotTerms(
                    m.market_index, m.name, m.pubkey, m.oracle, m.oracle_source, m.mint, m.vault, tokens.TOKEN_PROGRAM,
                    m.decimals, m.order_step_size, m.order_tick_size, m.min_order_size,
                )
                for m in spots
            ],
        )  # fmt: skip

    # ------------------------------------------------------------------- reading

    def account(self, address: Pubkey) -> Account:
        found = self.chain.bank.get(address)
        assert found is not None, address
        return found

    def user(self, who: Trader) -> User:
        return decode_as(User, self.program.program_id, bytes(self.account(who.user).data))

    def stats(self, who: Trader) -> UserStats:
        return decode_as(UserStats, self.program.program_id, bytes(self.account(who.user_stats).data))

    def perp(self, index: int) -> PerpMarket:
        address = addresses.perp_market(self.program.program_id, index)
        return decode_as(PerpMarket, self.program.program_id, bytes(self.account(address).data))

    def spot(self, index: int) -> SpotMarket:
        address = addresses.spot_market(self.program.program_id, index)
        return decode_as(SpotMarket, self.program.program_id, bytes(self.account(address).data))

    def state(self) -> State:
        return decode_as(State, self.program.program_id, bytes(self.account(self.program.state).data))

    def tokens(self, address: Pubkey) -> int:
        return tokens.held(self.account(address)).amount

    def vault(self, index: int) -> int:
        return self.tokens(addresses.spot_market_vault(self.program.program_id, index))

    # ------------------------------------------------------------------- doing

    def person(self, name: str, funds_e6: int = 100_000 * E6, sols: int = 100) -> tuple[Keypair, Trader]:
        """Give somebody lamports and tokens."""
        key = Keypair.from_seed(sha256(name.encode()).digest())
        self.chain.bank.put(key.pubkey(), Account(100 * SOL, b"", Pubkey.default()))
        for index, amount in ((0, funds_e6), (1, sols * SOL)):
            mint = self.spot(index).mint
            held = tokens.account_of(mint, key.pubkey(), amount, 2_039_280)
            self.chain.bank.put(self.wallet(key.pubkey(), index), held)
        return key, trader(self.program, key.pubkey())

    def wallet(self, owner: Pubkey, index: int) -> Pubkey:
        """Return a token account of somebody's."""
        seed = sha256(bytes(owner) + bytes([index])).digest()
        return Keypair.from_seed(seed).pubkey()

    def send(self, key: Keypair, *instructions: Instruction, signers: Sequence[Keypair] = ()) -> Outcome:
        """Sign and submit a transaction."""
        blockhash = self.chain.blocks.latest_hash("processed").hash
        self.sent += 1
        budget = set_compute_unit_limit(1_400_000 - self.sent)
        message = MessageV0.try_compile(key.pubkey(), [budget, *instructions], [], blockhash)
        return self.chain.submit(VersionedTransaction(message, [key, *signers]))

    def did(self, key: Keypair, *instructions: Instruction) -> list[object]:
        """Submit what must succeed, and return the events it logged."""
        outcome = self.send(key, *instructions)
        assert outcome.err is None, (outcome.err, outcome.logs)
        return events_of(outcome)

    def refused(self, key: Keypair, *instructions: Instruction) -> int:
        """Submit what must fail, and return the error's number."""
        outcome = self.send(key, *instructions)
        return code_of(outcome)

    def enrolled(self, name: str, deposit_e6: int = 10_000 * E6) -> tuple[Keypair, Trader]:
        """Return somebody with an open sub-account and a deposit."""
        key, who = self.person(name)
        self.did(key, accounts.initialize_user_stats(self.program, who), accounts.initialize_user(self.program, who))
        if deposit_e6:
            self.did(key, self.deposit(who, 0, deposit_e6))
        self.chain.advance()
        return key, who

    def set_price(self, asset: str, oracle_e6: int, mark_e6: int = 0) -> None:
        """Move an asset's oracle, and its perp's mark, from outside."""
        program_id, bank = self.program.program_id, self.chain.bank
        address = addresses.pyth_lazer_oracle(program_id, listings.feed_of(asset))
        oracle = PythLazerOracle(bytearray(self.account(address).data), PYTH_LAZER_ORACLE)
        world.post_price(oracle, oracle_e6, bank.slot, bank.unix_timestamp)
        self.chain.put(address, rewritten(self.account(address), bytes(oracle.data)))
        for spec in self.listing.perps():
            if spec.asset == asset:
                address = addresses.perp_market(program_id, spec.index)
                market = PerpMarket(bytearray(self.account(address).data), self.program.layouts.perp_market)
                market.peg_multiplier = mark_e6 or oracle_e6
                self.chain.put(address, rewritten(self.account(address), bytes(market.data)))

    def deposit(self, who: Trader, index: int, amount: int, *, reduce_only: bool = False) -> Instruction:
        rest = self.rest(write_spots=[index])
        return funds.deposit(
            self.program, who, index, amount, self.wallet(who.signer, index), reduce_only=reduce_only, remaining=rest
        )

    def withdraw(self, who: Trader, index: int, amount: int, *, reduce_only: bool = False) -> Instruction:
        rest = self.rest(who, write_spots=[index])
        return funds.withdraw(
            self.program, who, index, amount, self.wallet(who.authority, index), reduce_only=reduce_only, remaining=rest
        )

    def rest(self, *users: Trader, **markets: Sequence[int]) -> list[AccountMeta]:
        """Return the remaining accounts of an instruction."""
        return remaining_accounts(self.directory, [self.user(who) for who in users], **markets)


def rewritten(account: Account, data: bytes) -> Account:
    return Account(account.lamports, data, account.owner)


def events_of(outcome: Outcome) -> list[object]:
    return [logged.event for logged in parse(outcome.logs).events]


def code_of(outcome: Outcome) -> int:
    """Return the custom error number of a failed transaction."""
    err = outcome.err
    assert isinstance(err, Mapping), (err, outcome.logs)
    _, what = err["InstructionError"]
    assert isinstance(what, Mapping), (what, outcome.logs)
    return int(what["Custom"])
