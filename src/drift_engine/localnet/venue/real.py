"""What stands around Drift v2's real program: the venue's accounts as builds of 2024 read them, and oracles that post.

Those builds read no Pyth Lazer account that could be written from outside, so each market's oracle is a Pyth push
account (``Price`` of pyth-client 0.2: magic, version 2, kind 3; price at 208), and the quote asset is worth one.

They keep the vAMM from an order for ``min_perp_auction_duration`` slots, and refuse a limit order that nobody else can
fill by then (6252 ImpossibleFill; ``validate_perp_fill_possible``, ``math/orders.rs`` at v2.84.0). Later builds fill at
once where the oracle is fresh, as the played venue does; with that duration at 0 these do so too.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from struct import pack_into, unpack_from

from solders.account import Account
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from drift_engine.localnet.ledger import Ledger
from drift_engine.localnet.program import Invocation, ProgramError
from drift_engine.localnet.venue.listings import LISTINGS
from drift_engine.localnet.venue.path import Path
from drift_engine.venues.program import Program
from drift_engine.venues.wire.enums import OracleSource
from drift_engine.venues.wire.perp_market import PerpMarket
from drift_engine.venues.wire.spot_market import SpotMarket
from drift_engine.venues.wire.state import State

PYTH = Pubkey.from_string("FsJ3A3u2vn5cTVofAjvy6y5kwABJAqYWpe4975bi2epH")
POSTER = Keypair.from_seed(sha256(b"localnet oracle poster").digest()).pubkey()
_BYTES, _EXPONENT, _CONFIDENCE_E6 = 3_312, -8, 500
_PRICE = 208


def oracle_of(asset: str) -> Pubkey:
    """Return the address of an asset's push account on a local chain."""
    return Keypair.from_seed(sha256(f"localnet oracle {asset}".encode()).digest()).pubkey()


def with_push_oracles(
    program: Program, found: Mapping[Pubkey, Account], prices_e6: Mapping[str, int], slot: int
) -> dict[Pubkey, Account]:
    """Return a venue's accounts as those builds need them, their markets reading push accounts, and these."""
    made = {address: _rewritten(program, account) for address, account in found.items()}
    return made | {
        oracle_of(asset): Account(10**9, pushed(price_e6, slot), PYTH) for asset, price_e6 in prices_e6.items()
    }


def pushed(price_e6: int, slot: int) -> bytes:
    """Return a push account's bytes with a price posted in ``slot``."""
    data, scale = bytearray(_BYTES), 10 ** (-_EXPONENT - 6)
    pack_into("<IIIIIiIIQQ", data, 0, 0xA1B2C3D4, 2, 3, _BYTES, 1, _EXPONENT, 5, 5, slot, slot)
    pack_into("<qQIIQ", data, _PRICE, price_e6 * scale, _CONFIDENCE_E6 * scale, 1, 0, slot)
    return bytes(data)


@dataclass(frozen=True, slots=True)
class OraclePoster:
    """Posts the prices of a path, or again those that oracles have, beside a program that is not played."""

    program: Program
    path: Path | None = None

    @property
    def program_id(self) -> Pubkey:
        """An address of its own, to which nobody sends anything."""
        return POSTER

    def execute(self, instruction: Invocation, ledger: Ledger) -> None:
        """Refuse: it has no instructions."""
        del instruction, ledger
        raise ProgramError(101, "InstructionFallbackNotFound", "the oracle poster takes no instructions")

    def tick(self, ledger: Ledger) -> None:
        """Post every asset's price."""
        listing = LISTINGS[self.program.name]
        for asset in {spec.asset for spec in listing.specs.values()} - {listing.quote}:
            account = ledger.get(oracle_of(asset))
            if account is None:
                continue
            prices = self.path.at(asset, ledger.unix_timestamp) if self.path else None
            price_e6 = prices[0] if prices else unpack_from("<q", account.data, _PRICE)[0] // 10 ** (-_EXPONENT - 6)
            ledger.write(oracle_of(asset), pushed(price_e6, ledger.slot))


def _rewritten(program: Program, account: Account) -> Account:
    if account.owner != program.program_id:
        return account
    data, layouts = bytearray(account.data), program.layouts
    head = bytes(data[:8])
    if head == layouts.perp_market.head:
        perp = PerpMarket(data, layouts.perp_market)
        perp.oracle, perp.oracle_source = oracle_of(perp.name.removesuffix("-PERP")), OracleSource.PYTH
    elif head == layouts.spot_market.head:
        spot = SpotMarket(data, layouts.spot_market)
        quote = spot.market_index == 0
        spot.oracle = Pubkey.default() if quote else oracle_of(spot.name)
        spot.oracle_source = OracleSource.QUOTE_ASSET if quote else OracleSource.PYTH
    elif head == layouts.state.head:
        State(data, layouts.state).min_perp_auction_duration = 0
    return Account(account.lamports, bytes(data), account.owner)
