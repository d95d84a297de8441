"""All markets of a protocol as its chain has them: what builders need of them, and what core computes on.

How many there are the State account says; each market's address follows from its index, its oracle from the market.
``read`` fetches them once; ``follow`` has them mirrored, so that ``market`` is as new as the stream: it is translated
when asked for, and again only after its account or its oracle's changed. A market whose oracle cannot be read has no
price, and ``troubles`` says why. One whose own account cannot be read is left out: ``unread`` says which and why, and
so does the refusal of whatever needs it, be it an instruction or the account of who holds something there.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from msgspec import structs
from solders.pubkey import Pubkey

from drift_engine.core.types import Market
from drift_engine.venues.directory import Directory
from drift_engine.venues.errors import DecodeError
from drift_engine.venues.live.shared_client import Connection
from drift_engine.venues.market_id import MarketId, MarketKind
from drift_engine.venues.program import Program
from drift_engine.venues.rpc.types import AccountInfo
from drift_engine.venues.snapshot import market_addresses
from drift_engine.venues.snapshot.market_reads import rates_a_year, require_place
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

    index: int
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
        """Read every market that can be. Raises ``DecodeError`` where the chain does not have the protocol's state."""
        (info,) = await self._fetched([self.program.state])
        if info is None:
            raise DecodeError(
                f"{self.program.name} has no account {self.program.state} on this chain: is it the right cluster?"
            )
        state = decode_as(State, info.owner, info.data)
        perps, spots = market_addresses(self.program, state)
        self.translator = Translator(self.program, state.perp_fee_structure.fee_tiers[0])
        self.keys = (*spots, *perps)
        infos = await self._fetched(self.keys)
        self.names = Names(
            spots=self._taken("spot", spots, infos[: len(spots)]),
            perps=self._taken("perp", perps, infos[len(spots) :]),
            unread=self.unread,
        )

    @property
    def unread(self) -> dict[MarketId, str]:
        """Why each market that was left out could not be read."""
        return self.directory.unread

    def _taken(self, kind: MarketKind, keys: Sequence[Pubkey], infos: Sequence[AccountInfo | None]) -> dict[int, str]:
        """Take in the markets of a kind that can be read, and return their names by index."""
        names = {}
        for index, (key, info) in enumerate(zip(keys, infos, strict=True)):
            try:
                view = _market(key, index, info)
                self._made(view, None)
            except DecodeError as error:
                self.unread[MarketId(kind, index)] = str(error)
                continue
            self.directory.read(view)
            self._places[view.name] = _Place(index, key, view.oracle)
            names[index] = view.name
        return names

    async def follow(self) -> None:
        """Mirror the markets and their oracles from now on, and wait until all were read."""
        oracles = {place.oracle for place in self._places.values()} - {_NO_ORACLE}
        await self._connection.hold((*self.keys, *oracles))

    @property
    def slot(self) -> int:
        """The newest slot that the stream told, or the node named: prices grow old where the stream is silent, too."""
        return max(self._connection.subscriptions.slot, self._connection.mirror.held.times.named)

    def markets(self, now_ns: int) -> tuple[Market, ...]:
        """Return every market as it is mirrored; ``now_ns`` is Unix time, from which ages are taken off.

        One that can be read no more is left out, and ``troubles`` says why.
        """
        return tuple(market for name in self._places if (market := self._dated(name, now_ns)) is not None)

    def trouble_of(self, names: Iterable[str]) -> str | None:
        """Return why some markets have no figures, or why all grow old; ``None`` while nothing is wrong."""
        said = [self.troubles[name] for name in names if name in self.troubles]
        return "; ".join(said) or self._connection.mirror.trouble

    def market(self, name: str) -> Market:
        """Return a market as it is mirrored, without a time; without a price where its oracle cannot be read.

        Raises ``DecodeError`` where its own account can be read no more.
        """
        place, mirror = self._places[name], self._connection.mirror
        made_of = mirror.get(place.key), mirror.get(place.oracle)
        if place.market is None or made_of != place.made_of:
            place.made_of, place.market = made_of, None
            try:
                place.market = self._translated(name, place, *made_of)
            except DecodeError as error:
                self.troubles[name] = f"{name} cannot be read: {error}"
                raise
        return place.market

    def age_ns(self, name: str) -> int | None:
        """Return how old a market's figures may be, the older of its account and its oracle; ``None``: not known."""
        place, mirror = self._places[name], self._connection.mirror
        ages = [mirror.age_ns(key) for key in {place.key, place.oracle} - {_NO_ORACLE}]
        known = [age for age in ages if age is not None]
        return max(known) if len(known) == len(ages) else None

    def account(self, key: Pubkey) -> PerpMarket | SpotMarket:
        """Return a mirrored market's account. Raises ``DecodeError`` where it is not there."""
        place = next((place for place in self._places.values() if place.key == key), None)
        info = self._connection.mirror.get(key)
        if info is None or place is None:
            raise DecodeError(f"market {key} was not read yet")
        return _market(key, place.index, info)

    def _dated(self, name: str, now_ns: int) -> Market | None:
        age_ns = self.age_ns(name)
        try:
            return structs.replace(self.market(name), ts_ns=0 if age_ns is None else now_ns - age_ns)
        except DecodeError:
            return None

    def _translated(self, name: str, place: _Place, info: AccountInfo | None, oracle: AccountInfo | None) -> Market:
        if info is None:
            raise DecodeError(f"{name} was not read yet")
        view = _market(place.key, place.index, info)
        return self._made(view, self._price(name, view, oracle))

    def _made(self, view: PerpMarket | SpotMarket, price: OraclePrice | None) -> Market:
        if isinstance(view, PerpMarket):
            return self.translator.perp_market(view, price)
        market = self.translator.spot_market(view, price)
        deposit_e6, borrow_e6 = rates_a_year(view, market)
        return structs.replace(market, deposit_rate_e6=deposit_e6, borrow_rate_e6=borrow_e6)

    def _price(self, name: str, view: PerpMarket | SpotMarket, oracle: AccountInfo | None) -> OraclePrice | None:
        """Return the oracle's price; one that stands by definition is of the newest slot."""
        own = view.oracle_source == OracleSource.QUOTE_ASSET
        if not own and view.oracle != self._places[name].oracle:
            self.troubles[name] = f"{name}: its oracle is {view.oracle} by now, which is not followed; connect anew"
            return None
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

    async def _fetched(self, keys: Sequence[Pubkey]) -> list[AccountInfo | None]:
        return [info for _, infos in await self._connection.rpc.get_multiple_accounts(keys) for info in infos]


def _market(key: Pubkey, index: int, info: AccountInfo | None) -> PerpMarket | SpotMarket:
    if info is None or not info.exists:
        raise DecodeError(f"it is not on the chain, at {key}")
    found = decode(info.owner, info.data)
    if not isinstance(found, PerpMarket | SpotMarket):
        raise DecodeError(f"{key} is no market but a {found.layout.name}")
    require_place(found, index, key)
    return found
