"""Two chains with the same accounts: on one the real Drift v2 program runs, on the other our venue plays it.

What the build of 2024 (2.84.0) does not know yet is left out of the comparison, and its oracles are Pyth's push
accounts, as it reads no others that can be written from outside.
"""

from collections.abc import Callable
from struct import pack_into

from msgspec import structs
from onchain import program_so
from solders.account import Account
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from venue_desk import E6, VenueDesk, code_of, rewritten

from drift_engine.localnet.chain import Chain, ChainConfig
from drift_engine.localnet.ledger import Ledger
from drift_engine.localnet.outcomes import Outcome
from drift_engine.localnet.venue import world
from drift_engine.localnet.venue.program import PlayedVenue
from drift_engine.venues.instructions.trader import Trader
from drift_engine.venues.programs import DRIFT_V2
from drift_engine.venues.wire.perp_market import PerpMarket
from drift_engine.venues.wire.spot_market import SpotMarket
from drift_engine.venues.wire.state import State
from drift_engine.venues.wire.user import User
from drift_engine.venues.wire.user_stats import UserStats

PYTH = Pubkey.from_string("FsJ3A3u2vn5cTVofAjvy6y5kwABJAqYWpe4975bi2epH")
_PUSH, _QUOTE = 0, 2
_SHARED = ("SOL", "BTC", "ETH")


class IdleVenue(PlayedVenue):
    """Our venue without what happens by itself: the real program has no keepers here either."""

    def tick(self, ledger: Ledger) -> bool | None:
        return None


class ParityDesk(VenueDesk):
    """Either chain; oracles are Pyth's."""

    def __init__(self, *, real: bool) -> None:
        config = ChainConfig(program_so=program_so()) if real else ChainConfig()
        self.real = real
        self.start(DRIFT_V2, Chain(config, () if real else [IdleVenue(DRIFT_V2)]))

    def genesis(self) -> dict[Pubkey, Account]:
        found = super().genesis()
        for address, account in list(found.items()):
            if account.owner != DRIFT_V2.program_id:
                continue
            data = bytearray(account.data)
            head = bytes(data[:8])
            if head == DRIFT_V2.layouts.perp_market.head:
                market = PerpMarket(data, DRIFT_V2.layouts.perp_market)
                market.oracle, market.oracle_source = oracle_of(market.name.removesuffix("-PERP")), _PUSH
            elif head == DRIFT_V2.layouts.spot_market.head:
                spot = SpotMarket(data, DRIFT_V2.layouts.spot_market)
                quote = spot.market_index == 0
                spot.oracle = Pubkey.default() if quote else oracle_of(spot.name)
                spot.oracle_source = _QUOTE if quote else _PUSH
            found[address] = rewritten(account, bytes(data))
        for asset in _SHARED:
            found[oracle_of(asset)] = self.pushed(world.PRICES_E6[asset])
        return found

    def pushed(self, price_e6: int) -> Account:
        """Return a Pyth push account with a price of this slot."""
        data, slot = bytearray(3312), self.chain.slot
        pack_into("<IIIIIiIIQQ", data, 0, 0xA1B2C3D4, 2, 3, 3312, 1, -8, 5, 5, slot, slot)
        pack_into("<qQIIQ", data, 208, price_e6 * 100, 500 * 100, 1, 0, slot)
        return Account(10**9, bytes(data), PYTH)


def oracle_of(asset: str) -> Pubkey:
    return Keypair.from_seed(asset.encode().ljust(32, b"o")).pubkey()


class Pair:
    """Both chains, and what is done on both."""

    def __init__(self) -> None:
        self.real, self.ours = ParityDesk(real=True), ParityDesk(real=False)
        self.prices = dict.fromkeys(_SHARED, 0) | {asset: world.PRICES_E6[asset] for asset in _SHARED}

    def advance(self, slots: int = 1, **prices_e6: int) -> None:
        """Go on by slots, and post prices."""
        self.prices |= prices_e6
        for desk in (self.real, self.ours):
            desk.chain.advance(slots)
            for asset, price_e6 in self.prices.items():
                desk.chain.put(oracle_of(asset), desk.pushed(price_e6))

    def person(self, name: str) -> tuple[Keypair, Trader]:
        self.real.person(name)
        return self.ours.person(name)

    def both(self, key: Keypair, build: Callable[[VenueDesk], list[Instruction]]) -> tuple[Outcome, Outcome]:
        """Send the same instructions to both chains."""
        return self.real.send(key, *build(self.real)), self.ours.send(key, *build(self.ours))

    def did(self, key: Keypair, who: Trader, build: Callable[[VenueDesk], list[Instruction]]) -> None:
        """Do what must succeed on both, and leave the same accounts."""
        real, ours = self.both(key, build)
        assert real.err is None, real.logs
        assert ours.err is None, ours.logs
        self.same(who)

    def refused(self, key: Keypair, build: Callable[[VenueDesk], list[Instruction]]) -> int:
        """Do what must fail on both, and return the number of the error they agree on."""
        real, ours = self.both(key, build)
        assert real.err is not None, real.logs
        assert (code_of(ours), ours.err) == (code_of(real), real.err), (real.logs, ours.logs)
        return code_of(real)

    def same(self, who: Trader) -> None:
        """Compare every account and vault."""
        real, ours = self.real, self.ours
        if real.chain.bank.get(who.user) is not None:
            assert known_user(ours.user(who)) == known_user(real.user(who))
        assert known(ours.stats(who), _STATS) == known(real.stats(who), _STATS)
        assert known(ours.state(), ()) == known(real.state(), ())
        for index in (0, 1):
            assert known(ours.spot(index), ()) == known(real.spot(index), ())
            assert ours.vault(index) == real.vault(index)
            assert ours.tokens(ours.wallet(who.authority, index)) == real.tokens(real.wallet(who.authority, index))
        assert known(ours.perp(0), _PERP) == known(real.perp(0), _PERP)


_STATS = ("last_fuel_if_bonus_update_ts",)
_PERP: tuple[str, ...] = ()


def known(view: UserStats | State | SpotMarket | PerpMarket, left_out: tuple[str, ...]) -> dict[str, object]:
    """Return an account's figures but for those that newer builds added."""
    return {name: value for name, value in view.values().items() if name not in left_out}


def known_user(user: User) -> dict[str, object]:
    left_out = ("last_fuel_bonus_update_ts", "orders")
    found = {name: value for name, value in user.values().items() if name not in left_out}
    orders = [structs.replace(order, posted_slot_tail=0, bit_flags=0) for order in user.order_slots()]
    return found | {"orders": orders}


__all__ = ["E6", "Pair"]
