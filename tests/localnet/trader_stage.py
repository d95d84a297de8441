"""A served chain with the played venue, and somebody with tokens on it: what tests of the chain's clients stand on."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256
from time import time

from msgspec import structs
from solders.account import Account
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from drift_engine.core.position_manager import apply
from drift_engine.core.types import EngineState, Event, Market, RunStarted
from drift_engine.localnet import tokens
from drift_engine.localnet.chain import Chain, ChainConfig
from drift_engine.localnet.ledger import Ledger
from drift_engine.localnet.serving import Running, ServeConfig, served
from drift_engine.localnet.venue import listings, world
from drift_engine.localnet.venue.program import PlayedVenue
from drift_engine.venues import addresses
from drift_engine.venues.instructions.tokens import token_account
from drift_engine.venues.live.shared_client import Settings
from drift_engine.venues.mirror import Pace
from drift_engine.venues.program import Program
from drift_engine.venues.rpc.transport import Policy
from drift_engine.venues.transactions.sending import Following
from drift_engine.venues.wire.oracle_accounts import PYTH_LAZER_ORACLE, PythLazerOracle
from drift_engine.venues.wire.perp_market import PerpMarket

LAMPORTS = 10**9
FAST = Settings(
    commitment="confirmed",
    pace=Pace(slot_ms=50, all_ms=500, due_ms=10, again_ms=50),
    policy=Policy(backoff_ms=20),
    warm_ms=200,
)
QUICK = Following(first_ms=2_000, first_poll_ms=100, poll_ms=200, until_ms=4_000, again_ms=300)


class IdleVenue(PlayedVenue):
    """A venue in which nothing happens by itself, so that its accounts may be damaged."""

    def tick(self, ledger: Ledger) -> bool | None:
        return None


class Stage:
    """The chain, and hands to change it from outside."""

    def __init__(self, program: Program, running: Running) -> None:
        self.program, self.running, self.chain = program, running, running.chain
        self.listing = listings.LISTINGS[program.name]

    def person(self, name: str, quote_units: int = 100_000, lamports: int = 100 * LAMPORTS) -> Keypair:
        """Give somebody lamports, and tokens of market 0 in the associated account."""
        key = Keypair.from_seed(sha256(name.encode()).digest())
        self.chain.put(key.pubkey(), Account(lamports, b"", Pubkey.default()))
        mint = self.listing.mints[self.listing.quote]
        held = tokens.account_of(mint, key.pubkey(), quote_units * 10**6, 2_039_280)
        self.chain.put(token_account(key.pubkey(), mint), held)
        return key

    def tokens(self, key: Keypair) -> int:
        """Return what is in somebody's associated account of market 0's token."""
        found = self.chain.bank.get(token_account(key.pubkey(), self.listing.mints[self.listing.quote]))
        assert found is not None
        return tokens.held(found).amount

    def set_price(self, asset: str, price_e6: int) -> None:
        """Move an asset's oracle, and its perp's mark."""
        bank, program_id = self.chain.bank, self.program.program_id
        address = addresses.pyth_lazer_oracle(program_id, listings.feed_of(asset))
        account = self.held(address)
        oracle = PythLazerOracle(bytearray(account.data), PYTH_LAZER_ORACLE)
        world.post_price(oracle, price_e6, bank.slot, bank.unix_timestamp)
        self.rewrite(address, bytes(oracle.data))
        for spec in self.listing.perps():
            if spec.asset == asset:
                address = addresses.perp_market(program_id, spec.index)
                market = PerpMarket(bytearray(self.held(address).data), self.program.layouts.perp_market)
                market.peg_multiplier = price_e6
                self.rewrite(address, bytes(market.data))

    def changed_market(self, index: int, **figures: object) -> PerpMarket:
        """Return a perp market as it would be with other figures."""
        address = addresses.perp_market(self.program.program_id, index)
        market = PerpMarket(bytearray(self.held(address).data), self.program.layouts.perp_market)
        for name, value in figures.items():
            setattr(market, name, value)
        return market

    async def settled(self, slots: int = 4) -> None:
        """Wait until what was written is confirmed."""
        until = self.chain.slot + slots
        async with asyncio.timeout(30):
            while self.chain.slot < until:  # noqa: ASYNC110 - the chain has no event to wait for
                await asyncio.sleep(0.01)

    def damage_market(self, index: int, data: bytes) -> None:
        """Put bytes in a perp market's place that may be anything."""
        self.rewrite(addresses.perp_market(self.program.program_id, index), data)

    def fault(self, kind: str, **settings: object) -> None:
        """Set a fault of the server, or act with it."""
        self.running.server.set_fault(kind, settings)

    def held(self, address: Pubkey) -> Account:
        """Return an account that is there."""
        found = self.chain.bank.get(address)
        assert found is not None, address
        return found

    def rewrite(self, address: Pubkey, data: bytes) -> None:
        """Put other bytes into an account."""
        old = self.held(address)
        self.chain.put(address, Account(old.lamports, data, old.owner))


def folded(markets: tuple[Market, ...], quote: str, events: list[Event]) -> EngineState:
    """Return the books that the events make."""
    state = EngineState()
    specs = tuple(market.spec for market in markets)
    apply(state, RunStarted(0, "paper", "test", {}, {}, quote, specs, "test", {}, False, "0"))
    for market in markets:
        state.markets[market.name] = structs.replace(market, interest_deposit_e10=10**10, interest_borrow_e10=10**10)
    for event in events:
        apply(state, event)
    return state


@asynccontextmanager
async def stage(program: Program, *, slot_ms: int = 30, idle: bool = False) -> AsyncIterator[Stage]:
    """Serve a chain with the venue on it; its slots open by the clock. On an ``idle`` one nothing happens by itself."""
    chain = ChainConfig(slot_ms=slot_ms)
    genesis = world.genesis(program, Chain(chain).bank.rent, chain.start_slot, int(time()))
    config = ServeConfig(
        chain=chain, programs=((IdleVenue if idle else PlayedVenue)(program),), accounts=tuple(genesis.items())
    )
    async with served(config) as running:
        yield Stage(program, running)


__all__ = ["FAST", "LAMPORTS", "QUICK", "Stage", "folded", "stage"]
