"""Two chains with the same accounts: on one the real Drift v2 program runs, on the other our venue plays it.

What the build of 2024 (2.84.0) does not know yet is left out of the comparison, and its oracles are Pyth's push
accounts, as it reads no others that can be written from outside.
"""

from collections.abc import Callable, Collection
from struct import pack_into

from msgspec import structs
from msgspec.structs import asdict
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
from drift_engine.venues.wire.user import ORDER_OPEN, User
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
            elif head == DRIFT_V2.layouts.state.head:
                State(data, DRIFT_V2.layouts.state).min_perp_auction_duration = 0  # the vAMM may fill at once
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

    def did(
        self, key: Keypair, who: Trader, build: Callable[[VenueDesk], list[Instruction]], but: Collection[str] = ()
    ) -> None:
        """Do what must succeed on both, and leave the same accounts; ``but`` names what newer builds do otherwise."""
        real, ours = self.both(key, build)
        assert real.err is None, real.logs
        assert ours.err is None, ours.logs
        self.same(who, but=but)

    def refused(self, key: Keypair, build: Callable[[VenueDesk], list[Instruction]]) -> int:
        """Do what must fail on both, and return the number of the error they agree on."""
        real, ours = self.both(key, build)
        assert real.err is not None, real.logs
        assert ours.err == real.err, (real.logs, ours.logs)
        return code_of(real)

    def level_market(self, peg_e6: int = 0) -> None:
        """Give our perp market the vAMM that the real program's fills have moved, or both a new peg."""
        market = self.real.perp(0)
        account = self.real.account(market.pubkey)
        changed = PerpMarket(bytearray(account.data), DRIFT_V2.layouts.perp_market)
        changed.peg_multiplier = peg_e6 or market.peg_multiplier
        for desk in (self.real, self.ours):
            desk.chain.put(market.pubkey, rewritten(account, bytes(changed.data)))

    def same(self, who: Trader, perp: Collection[str] | None = None, but: Collection[str] = ()) -> None:
        """Compare every account and vault; ``perp`` names what of the perp market is compared."""
        found = [each for each in self.differences(who) if each[0] not in but]
        if perp is not None:
            found = [each for each in found if not each[0].startswith("perp.") or each[0][5:] in perp]
        assert not found, found

    def differences(self, who: Trader) -> list[tuple[str, object, object]]:
        """Return what is not the same: its name, our figure, the real one."""
        real, ours = self.accounts(self.real, who), self.accounts(self.ours, who)
        return [(name, ours.get(name), real.get(name)) for name in real | ours if ours.get(name) != real.get(name)]

    def accounts(self, desk: ParityDesk, who: Trader) -> dict[str, object]:
        found = {f"state.{name}": value for name, value in asdict(desk.state().snapshot()).items()}
        found |= {f"stats.{name}": value for name, value in known(desk.stats(who), _STATS).items()}
        if desk.chain.bank.get(who.user) is not None:
            found |= {f"user.{name}": value for name, value in known_user(desk.user(who)).items()}
        for index in (0, 1):
            found |= {f"spot{index}.{name}": value for name, value in asdict(desk.spot(index).snapshot()).items()}
            found |= {
                f"vault{index}": desk.vault(index),
                f"wallet{index}": desk.tokens(desk.wallet(who.authority, index)),
            }
        return found | {f"perp.{name}": value for name, value in known(desk.perp(0), _PERP).items()}


BOOKED = (
    *("base_asset_amount_long", "base_asset_amount_short", "base_asset_amount_with_amm", "quote_asset_amount"),
    *("quote_entry_amount_long", "quote_entry_amount_short", "quote_break_even_amount_long"),
    *("quote_break_even_amount_short", "number_of_users", "number_of_users_with_base", "total_exchange_fee"),
    *("volume_24h", "last_trade_ts", "next_fill_record_id", "net_unsettled_funding_pnl"),
    *("cumulative_funding_rate_long", "cumulative_funding_rate_short", "last_funding_rate", "pnl_pool"),
)
"""What of a perp market a fill moves alike, whoever's the price was: all but the vAMM's own curve and earnings."""
_STATS = ("last_fuel_if_bonus_update_ts",)
_PERP = ("last_funding_oracle_twap", "mark_std", "oracle_std")  # newer builds look at the 5-minute mean too


def known(view: UserStats | State | SpotMarket | PerpMarket, left_out: tuple[str, ...]) -> dict[str, object]:
    """Return an account's figures but for those that newer builds added."""
    return {name: value for name, value in asdict(view.snapshot()).items() if name not in left_out}


def known_user(user: User) -> dict[str, object]:
    left_out = ("last_fuel_bonus_update_ts", "orders", "perp_positions", "spot_positions")
    found = {name: value for name, value in asdict(user.snapshot()).items() if name not in left_out}
    for slot, order in enumerate(user.order_slots()):
        left = order.status == ORDER_OPEN  # that build blanks a closed order, newer ones keep it with its status
        found[f"order{slot}"] = structs.replace(order, posted_slot_tail=0, bit_flags=0) if left else None
    found |= {f"position{slot}": held for slot, held in enumerate(user.perp_slots())}
    return found | {f"balance{slot}": held for slot, held in enumerate(user.spot_slots())}


__all__ = ["BOOKED", "E6", "Pair"]
