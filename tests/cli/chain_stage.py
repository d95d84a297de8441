"""A served venue in a thread of its own, so that commands can ask it from this one; and hands to change it."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from hashlib import sha256
from typing import TypeVar

from solders.account import Account
from solders.compute_budget import set_compute_unit_limit
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction

from drift_engine.localnet.ledger import Ledger
from drift_engine.localnet.serving import Running, ServeConfig, serve
from drift_engine.localnet.venue.program import PlayedVenue
from drift_engine.localnet.venue.serving import Person, enrol, with_venue
from drift_engine.venues import addresses
from drift_engine.venues.directory import Directory
from drift_engine.venues.instructions import fills, orders
from drift_engine.venues.instructions.remaining import remaining_accounts
from drift_engine.venues.instructions.trader import Trader, trader
from drift_engine.venues.program import Program
from drift_engine.venues.wire.accounts import decode_as
from drift_engine.venues.wire.order_params import OrderParams
from drift_engine.venues.wire.perp_market import PerpMarket
from drift_engine.venues.wire.spot_market import SpotMarket
from drift_engine.venues.wire.user import User

T = TypeVar("T")
E6 = 10**6
ALICE = Keypair.from_seed(sha256(b"alice").digest())
NOBODY = str(Keypair.from_seed(sha256(b"nobody").digest()).pubkey())


class Stage:
    """What is served, from another thread."""

    def __init__(self, program: Program, running: Running, loop: asyncio.AbstractEventLoop) -> None:
        self.program, self.running, self._loop = program, running, loop
        self.url, self.ws_url = running.url, running.ws_url
        self.alice = str(ALICE.pubkey())
        self.who = trader(program, ALICE.pubkey())
        self._sent = 0

    def do(self, work: Callable[[], T]) -> T:
        """Run something where the chain lives."""

        async def run() -> T:
            return work()

        return asyncio.run_coroutine_threadsafe(run(), self._loop).result(20)

    def fault(self, kind: str, **how: object) -> None:
        self.do(lambda: self.running.server.set_fault(kind, how))

    def clear(self) -> None:
        self.do(self.running.faults.clear)

    def account(self, address: Pubkey) -> Account:
        found = self.do(lambda: self.running.chain.bank.get(address))
        assert found is not None
        return found

    def put(self, address: Pubkey, data: bytes, owner: Pubkey | None = None) -> None:
        """Rewrite an account; a block later every commitment that commands ask for shows it."""
        old = self.account(address)
        self._put(address, Account(old.lamports, data, owner or old.owner))

    def remove(self, address: Pubkey) -> None:
        self._put(address, None)

    def _put(self, address: Pubkey, account: Account | None) -> None:
        def work() -> None:
            self.running.chain.put(address, account)
            self.running.chain.advance(2)

        self.do(work)

    def patch(self, address: Pubkey, at: int, piece: bytes) -> None:
        data = bytearray(self.account(address).data)
        data[at : at + len(piece)] = piece
        self.put(address, bytes(data))

    def enrol(self, deposit_e6: int = 1_000 * E6) -> Trader:
        def work() -> Trader:
            who = enrol(self.running.chain, self.program, ALICE, deposit_e6)
            self.running.chain.advance(2)
            return who

        return self.do(work)

    def send(self, *instructions: Instruction) -> None:
        """Land a transaction of Alice's."""

        def work() -> None:
            chain = self.running.chain
            self._sent += 1
            budget = set_compute_unit_limit(1_400_000 - self._sent)
            blockhash = chain.blocks.latest_hash("processed").hash
            message = MessageV0.try_compile(ALICE.pubkey(), [budget, *instructions], [], blockhash)
            outcome = chain.submit(VersionedTransaction(message, [ALICE]))
            assert outcome.err is None, outcome.logs
            chain.advance(2)

        self.do(work)

    def place(self, params: OrderParams) -> None:
        rest = remaining_accounts(self.directory(), [self.user()], read_perps=[params.market_index])
        self.send(orders.place_perp_order(self.program, self.who, params, rest))

    def take(self, params: OrderParams) -> None:
        rest = remaining_accounts(self.directory(), [self.user()], write_perps=[params.market_index])
        self.send(fills.place_and_take_perp_order(self.program, self.who, params, None, rest))

    def directory(self) -> Directory:
        found = Directory(self.program.name)
        for index in (0, 1):
            found.read(self.spot(index))
            found.read(self.perp(index))
        return found

    def user(self) -> User:
        return decode_as(User, self.program.program_id, bytes(self.account(self.who.user).data))

    def perp(self, index: int) -> PerpMarket:
        address = addresses.perp_market(self.program.program_id, index)
        return decode_as(PerpMarket, self.program.program_id, bytes(self.account(address).data))

    def spot(self, index: int) -> SpotMarket:
        address = addresses.spot_market(self.program.program_id, index)
        return decode_as(SpotMarket, self.program.program_id, bytes(self.account(address).data))


class IdleVenue(PlayedVenue):
    """A venue in which nothing happens by itself, so that its accounts may be damaged."""

    def tick(self, ledger: Ledger) -> bool | None:
        return None


def clear_of_the_hour(room_s: float = 20.0) -> None:
    """Wait where a full hour is near: the chain goes by the wall's time, and would settle funding in between."""
    left_s = 3_600 - time.time() % 3_600
    if left_s < room_s:
        time.sleep(left_s + 2)


@contextmanager
def staged(program: Program, config: ServeConfig | None = None, *, idle: bool = False) -> Iterator[Stage]:
    """Serve a venue on which Alice has money and no account."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def start() -> Running:
        alice = Person(ALICE.pubkey(), tokens={0: 100_000 * E6})
        ready = with_venue(config or ServeConfig(), program, people=[alice])
        return await serve(replace(ready, programs=(IdleVenue(program),)) if idle else ready)

    running = asyncio.run_coroutine_threadsafe(start(), loop).result(20)
    try:
        yield Stage(program, running, loop)
    finally:
        asyncio.run_coroutine_threadsafe(running.stop(), loop).result(20)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
