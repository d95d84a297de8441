"""All markets of a protocol as its chain has them: what builders need of them, and what core computes on.

How many there are the State account says; each market's address follows from its index, its oracle from the market.
``read`` fetches them once; ``follow`` has them mirrored, so that ``market`` is as new as the stream: it is translated
when asked for, and again only after its account or its oracle's changed. What cannot be read has no price and says why
in ``troubles``; it is never left out.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from msgspec import structs
from solders.pubkey import Pubkey

from drift_engine.core.interest import rates_e6
from drift_engine.core.types import Market
from drift_engine.venues.directory import Directory
from drift_engine.venues.errors import DecodeError
from drift_engine.venues.live.shared_client import Connection
from drift_engine.venues.program import Program
from drift_engine.venues.rpc.types import AccountInfo
from drift_engine.venues.snapshot import market_addresses
from drift_engine.venues.snapshot.market_reads import withheld_e6
from drift_engine.venues.translate import Names, Translator
from drift_engine.venues.wire.accounts import decode, decode_as
from drift_engine.venues.wire.enums import OracleSource
from drift_engine.venues.wire.oracles import OraclePrice, read_oracle
from drift_engine.venues.wire.perp_market import PerpMarket
from drift_engine.venues.wire.spot_market import SpotMarket
from drift_engine.venues.wire.state import State

_NO_ORACLE = Pubkey.default()


@dataclass(slots=True)
class _Place:
    """Where a market lies, and what it was made of when last translated."""

    key: Pubkey
    oracle: Pubkey
    made_of: tuple[AccountInfo | None, AccountInfo | None] | None = None
    market: Market | None = None


class Listed:
    """A protocol's markets. ``directory``, ``names`` and ``fees`` are as of the last ``read``."""

    def __init__(self, program: Program, connection: Connection) -> None:
        self.program, self._connection = program, connection
        self.directory = Directory(program.name)
        self.names = Names({}, {})
        self.translator = Translator(program)
        self.keys: tuple[Pubkey, ...] = ()
        self.troubles: dict[str, str] = {}
        self._places: dict[str, _Place] = {}

    def __iter__(self) -> Iterator[str]:
        """Yield the markets' names, perps first."""
        return iter((*self.names.perps.values(), *self.names.spots.values()))

    async def read(self) -> None:
        """Read every market. Raises ``DecodeError`` where the chain does not have the protocol, or another layout."""
        infos = await self._fetched([self.program.state])
        state = decode_as(State, infos[0].owner, infos[0].data)
        perps, spots = market_addresses(self.program, state)
        self.translator = Translator(self.program, state.perp_fee_structure.fee_tiers[0])
        self.keys = (*spots, *perps)
        for key, info in zip(self.keys, await self._fetched(self.keys), strict=True):
            market = _market(info)
            self.directory.read(market)
            self._places[market.name] = _Place(key, market.oracle)
        self.names = Names(
            {index: self.directory.perp(index).symbol for index in range(len(perps))},
            {index: self.directory.spot(index).symbol for index in range(len(spots))},
        )

    async def follow(self) -> None:
        """Mirror the markets and their oracles from now on, and wait until all were read."""
        oracles = {place.oracle for place in self._places.values()} - {_NO_ORACLE}
        await self._connection.hold((*self.keys, *oracles))

    @property
    def slot(self) -> int:
        """The newest slot that the stream told."""
        return self._connection.subscriptions.slot

    def markets(self, now_ns: int) -> tuple[Market, ...]:
        """Return every market as it is mirrored; ``now_ns`` is Unix time, from which ages are taken off."""
        return tuple(self._dated(name, now_ns) for name in self._places)

    def market(self, name: str) -> Market:
        """Return a market as it is mirrored, without a time; without a price where its oracle cannot be read."""
        place, mirror = self._places[name], self._connection.mirror
        made_of = mirror.get(place.key), mirror.get(place.oracle)
        if place.market is None or made_of != place.made_of:
            place.made_of, place.market = made_of, self._translated(name, *made_of)
        return place.market

    def age_ns(self, name: str) -> int | None:
        """Return how old a market's figures may be, the older of its account and its oracle; ``None``: not known."""
        place, mirror = self._places[name], self._connection.mirror
        ages = [mirror.age_ns(key) for key in {place.key, place.oracle} - {_NO_ORACLE}]
        known = [age for age in ages if age is not None]
        return max(known) if len(known) == len(ages) else None

    def account(self, key: Pubkey) -> PerpMarket | SpotMarket:
        """Return a mirrored market's account. Raises ``DecodeError`` where it is not there."""
        info = self._connection.mirror.get(key)
        if info is None:
            raise DecodeError(f"market {key} was not read yet")
        return _market(info)

    def _dated(self, name: str, now_ns: int) -> Market:
        age_ns = self.age_ns(name)
        return structs.replace(self.market(name), ts_ns=0 if age_ns is None else now_ns - age_ns)

    def _translated(self, name: str, info: AccountInfo | None, oracle: AccountInfo | None) -> Market:
        if info is None:
            raise DecodeError(f"{name} was not read yet")
        view = _market(info)
        price = self._price(name, view, oracle)
        if isinstance(view, PerpMarket):
            return self.translator.perp_market(view, price)
        market = self.translator.spot_market(view, price)
        deposit_e6, borrow_e6 = rates_e6(market, withheld_e6(view))
        return structs.replace(market, deposit_rate_e6=deposit_e6, borrow_rate_e6=borrow_e6)

    def _price(self, name: str, view: PerpMarket | SpotMarket, oracle: AccountInfo | None) -> OraclePrice | None:
        """Return the oracle's price; one that stands by definition is of the newest slot."""
        own = view.oracle_source == OracleSource.QUOTE_ASSET
        if not own and (oracle is None or not oracle.exists):
            self.troubles[name] = f"{name}: its oracle {view.oracle} is not on the chain"
            return None
        owner, data = (self.program.program_id, b"") if oracle is None else (oracle.owner, oracle.data)
        try:
            price = read_oracle(self.program, view.oracle_source, owner, data, self.slot)
        except DecodeError as error:
            self.troubles[name] = f"{name}: its oracle {view.oracle} cannot be read: {error}"
            return None
        self.troubles.pop(name, None)
        return price if price.posted_slot is not None else structs.replace(price, posted_slot=self.slot)

    async def _fetched(self, keys: list[Pubkey] | tuple[Pubkey, ...]) -> list[AccountInfo]:
        return list(_present(self.program, keys, await self._connection.rpc.get_multiple_accounts(keys)))


def _present(
    program: Program, keys: list[Pubkey] | tuple[Pubkey, ...], parts: list[tuple[int, list[AccountInfo | None]]]
) -> Iterator[AccountInfo]:
    found = [info for _, infos in parts for info in infos]
    for key, info in zip(keys, found, strict=True):
        if info is None:
            raise DecodeError(f"{program.name} has no account {key} on this chain: is it the right cluster?")
        yield info


def _market(info: AccountInfo) -> PerpMarket | SpotMarket:
    found = decode(info.owner, info.data)
    if isinstance(found, PerpMarket | SpotMarket):
        return found
    raise DecodeError(f"{info.pubkey} is no market but a {found.layout.name}")
