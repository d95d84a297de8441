"""The remaining accounts of a call: oracles, then spot markets, then perp markets, each where the program looks for it.

The program reads oracles while what comes is one, then spot markets, then perp markets, and leaves the rest to others
(``instructions/optional_accounts.rs`` load_maps, ``state/oracle_map.rs``, ``state/spot_market_map.rs``,
``state/perp_market_map.rs``). So an account in the wrong place is one that is missing.
"""

from collections.abc import Collection, Iterable, Iterator

from solders.account import Account
from solders.instruction import AccountMeta
from solders.pubkey import Pubkey

from drift_engine.localnet.venue.frame import Frame
from drift_engine.localnet.venue.refusals import refuse, require
from drift_engine.venues.errors import DecodeError
from drift_engine.venues.wire.layout import Layout
from drift_engine.venues.wire.oracle_accounts import PRELAUNCH_ORACLE, PYTH_LAZER_ORACLE
from drift_engine.venues.wire.oracles import OraclePrice, read_oracle
from drift_engine.venues.wire.perp_market import PerpMarket
from drift_engine.venues.wire.spot_market import SpotMarket

_NO_ORACLE = Pubkey.default()
_NO_ACCOUNT = Account(0, b"", _NO_ORACLE)
QUOTE = 0
Market = PerpMarket | SpotMarket


class Maps:
    """Markets by index and oracles by address, as the call gave them."""

    def __init__(self, frame: Frame, oracles: Iterable[Pubkey] = ()) -> None:
        self.frame = frame
        self.oracles = set(oracles)
        self.spots: dict[int, SpotMarket] = {}
        self.perps: dict[int, PerpMarket] = {}
        self.read_only: set[int] = set()

    def perp_to_change(self, index: int) -> PerpMarket:
        """Return a perp market that is going to change, outside the sets that are checked at once (``get_ref_mut``)."""
        market = self.perp(index)
        require(index not in self.read_only, "UnableToLoadPerpMarketAccount", f"Could not load perp market {index}")
        return market

    def perp(self, index: int) -> PerpMarket:
        """Return a perp market."""
        if index not in self.perps:
            self.frame.say(f"Could not find perp market {index}")
            refuse("PerpMarketNotFound")
        return self.perps[index]

    def spot(self, index: int) -> SpotMarket:
        """Return a spot market."""
        if index not in self.spots:
            self.frame.say(f"Could not find spot market {index}")
            refuse("SpotMarketNotFound")
        return self.spots[index]

    def price(self, market: Market) -> OraclePrice:
        """Return what a market's oracle says."""
        address = market.oracle
        if address != _NO_ORACLE and address not in self.oracles:
            self.frame.say(f"oracle pubkey not found in oracle_map: {address}")
            refuse("OracleNotFound")
        account, slot = self.frame.ledger.get(address) or _NO_ACCOUNT, self.frame.slot
        try:
            return read_oracle(self.frame.program, market.oracle_source, account.owner, bytes(account.data), slot)
        except DecodeError as wrong:
            refuse("UnableToLoadOracle", str(wrong))


def load_maps(frame: Frame, writable_perps: Collection[int] = (), writable_spots: Collection[int] = ()) -> Maps:
    """Return the maps of a call; markets that are going to change must be writable."""
    rest = iter([*frame.rest, None])
    meta, oracles = _oracles(frame, next(rest), rest)
    maps = Maps(frame, oracles)
    layouts = frame.program.layouts
    while meta is not None and _is(frame, meta, layouts.spot_market):
        spot = frame.accounts.spot(meta.pubkey)
        require(spot.market_index not in maps.spots, "InvalidSpotMarketAccount")
        writable = meta.is_writable or spot.market_index not in writable_spots
        require(writable, "SpotMarketWrongMutability", f"Spot market {spot.market_index} is not writable")
        maps.spots[spot.market_index] = spot
        meta = next(rest)
    while meta is not None and _is(frame, meta, layouts.perp_market):
        perp = frame.accounts.perp(meta.pubkey)
        require(perp.market_index not in maps.perps, "InvalidMarketAccount")
        writable = meta.is_writable or perp.market_index not in writable_perps
        require(writable, "MarketWrongMutability", f"Market {perp.market_index} is not writable")
        maps.perps[perp.market_index] = perp
        if not meta.is_writable:
            maps.read_only.add(perp.market_index)
        meta = next(rest)
    return maps


def one_oracle(frame: Frame, address: Pubkey) -> Maps:
    """Return maps that know one oracle (``OracleMap::load_one``)."""
    return Maps(frame, {address})


def _oracles(
    frame: Frame, meta: AccountMeta | None, rest: Iterator[AccountMeta | None]
) -> tuple[AccountMeta | None, set[Pubkey]]:
    found: set[Pubkey] = set()
    while meta is not None and _is_oracle(frame, meta):
        found.add(meta.pubkey)
        meta = next(rest)
    return meta, found


def _is_oracle(frame: Frame, meta: AccountMeta) -> bool:
    account = frame.ledger.get(meta.pubkey)
    if account is not None and account.owner in frame.program.oracles.owners:
        return True
    return _is(frame, meta, PYTH_LAZER_ORACLE, PRELAUNCH_ORACLE)


def _is(frame: Frame, meta: AccountMeta, *layouts: Layout) -> bool:
    account = frame.ledger.get(meta.pubkey)
    if account is None or account.owner != frame.program.program_id:
        return False
    data = bytes(account.data)
    return any(data[:8] == layout.head and len(data) >= layout.size for layout in layouts)
