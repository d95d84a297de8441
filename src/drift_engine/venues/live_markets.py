"""The markets of one venue, kept equal to the chain: what a live feed tells an engine of prices, rates and status.

    async with LiveMarkets.open(program, rpc, subscriptions) as markets:
        markets.market("SOL-PERP"), markets.age_ns("SOL-PERP"), markets.slot

Which markets there are is read once, from the exchange's own count; their accounts and oracles are mirrored from then
on. A market is translated when it is asked for, and again only after one of its accounts changed. What cannot be read
has no price and says why in ``troubles``; it is never left out.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from msgspec import structs
from solders.pubkey import Pubkey

from drift_engine.core.interest import rates_e6
from drift_engine.core.types import Market
from drift_engine.venues import addresses
from drift_engine.venues.errors import DecodeError, VenueError
from drift_engine.venues.mirror import Mirror
from drift_engine.venues.program import Program
from drift_engine.venues.rpc import Rpc
from drift_engine.venues.rpc_types import AccountInfo
from drift_engine.venues.subscriptions import Subscriptions
from drift_engine.venues.translate import Translator
from drift_engine.venues.wire.accounts import decode_as
from drift_engine.venues.wire.enums import OracleSource
from drift_engine.venues.wire.oracles import OraclePrice, read_oracle
from drift_engine.venues.wire.perp_market import PerpMarket
from drift_engine.venues.wire.records import FeeTier, InsuranceFund
from drift_engine.venues.wire.spot_market import SpotMarket
from drift_engine.venues.wire.state import State


@dataclass(slots=True)
class _Place:
    """Where one market lies, and what it was when last translated."""

    key: Pubkey
    oracle: Pubkey
    kind: type[PerpMarket] | type[SpotMarket]
    market: Market | None = None


class LiveMarkets:
    """All markets of a venue by name, perps first. ``troubles`` has a line for each that has no price."""

    def __init__(self, program: Program, rpc: Rpc, subscriptions: Subscriptions, state: AccountInfo) -> None:
        self.program = program
        self.troubles: dict[str, str] = {}
        self._stream = subscriptions
        self._mirror = Mirror(rpc, subscriptions, [program.state], changed=self._changed)
        self._places: dict[str, _Place] = {}
        self._users: dict[Pubkey, list[_Place]] = {}
        self._state = state

    @classmethod
    @asynccontextmanager
    async def open(cls, program: Program, rpc: Rpc, subscriptions: Subscriptions) -> AsyncIterator["LiveMarkets"]:
        """Read which markets there are and mirror them until the context ends. Raises ``VenueError`` and ``Rpc``'s."""
        info = await rpc.get_account(program.state)
        if info is None:
            raise VenueError(f"{program.name} has no exchange at {program.state}: is this the right network?")
        markets = cls(program, rpc, subscriptions, info)
        await markets._find(rpc)
        async with markets._mirror as mirror:
            await mirror.ready()
            yield markets

    @property
    def slot(self) -> int:
        """The newest slot that the stream told."""
        return self._stream.tip

    @property
    def trouble(self) -> str | None:
        """One line on why ages grow, ``None`` while nothing is wrong."""
        return self._mirror.trouble

    def __iter__(self) -> Iterator[str]:
        """Yield the markets' names."""
        return iter(self._places)

    def fee_tiers(self) -> tuple[FeeTier, ...]:
        """Return the perp fee tiers that somebody filled in, the lowest volume first."""
        tiers = decode_as(State, self._state.owner, self._state.data).perp_fee_structure.fee_tiers
        return tuple(tier for tier in tiers if tier.fee_denominator)

    def market(self, name: str) -> Market:
        """Return a market as it stands; its ``ts_ns`` is not set. Its oracle is ``None`` where it cannot be read."""
        place = self._places[name]
        if place.market is None:
            place.market = self._translated(name, place)
        return place.market

    def age_ns(self, name: str) -> int | None:
        """Return how old a market's figures may be, the older of its account and its oracle; ``None``: not known."""
        place = self._places[name]
        ages = [self._mirror.age_ns(key) for key in {place.key, place.oracle} - {Pubkey.default()}]
        known = [age for age in ages if age is not None]
        return max(known) if len(known) == len(ages) else None

    async def _find(self, rpc: Rpc) -> None:
        state = decode_as(State, self._state.owner, self._state.data)
        program_id = self.program.program_id
        wanted: list[tuple[Pubkey, type[PerpMarket] | type[SpotMarket]]] = [
            *((addresses.perp_market(program_id, index), PerpMarket) for index in range(state.number_of_markets)),
            *((addresses.spot_market(program_id, index), SpotMarket) for index in range(state.number_of_spot_markets)),
        ]
        answers = await rpc.get_multiple_accounts([key for key, _ in wanted])
        found = [info for _, infos in answers for info in infos]
        for (key, kind), info in zip(wanted, found, strict=True):
            if info is not None:
                self._add(key, kind, info)

    def _add(self, key: Pubkey, kind: type[PerpMarket] | type[SpotMarket], info: AccountInfo) -> None:
        view = decode_as(kind, info.owner, info.data)
        place = _Place(key, view.oracle, kind)
        self._places[view.name] = place
        for mirrored in {key, view.oracle} - {Pubkey.default()}:
            self._users.setdefault(mirrored, []).append(place)
            self._mirror.add(mirrored)

    def _changed(self, key: Pubkey, info: AccountInfo) -> None:
        if key == self.program.state:
            self._state = info
        for place in self._users.get(key, ()):
            place.market = None

    def _translated(self, name: str, place: _Place) -> Market:
        info = self._mirror.get(place.key)
        if info is None or not info.exists:
            raise VenueError(f"{name} is gone: the chain no longer has {place.key}")
        view = decode_as(place.kind, info.owner, info.data)
        reading = self._oracle(name, place.oracle, view.oracle_source)
        translator = Translator(self.program, self.fee_tiers()[0])
        if isinstance(view, PerpMarket):
            return translator.perp_market(view, reading)
        return with_rates(translator.spot_market(view, reading), view.insurance_fund)

    def _oracle(self, name: str, key: Pubkey, source: int) -> OraclePrice | None:
        info = self._mirror.get(key)
        if source != OracleSource.QUOTE_ASSET and (info is None or not info.exists):
            self.troubles[name] = f"{name}: its oracle {key} does not exist"
            return None
        slot = self.slot if info is None else info.slot
        owner, data = (self.program.program_id, b"") if info is None else (info.owner, info.data)
        try:
            price = read_oracle(self.program, source, owner, data, slot)
        except DecodeError as error:
            self.troubles[name] = f"{name}: its oracle {key} cannot be read: {error}"
            return None
        self.troubles.pop(name, None)
        return price


def with_rates(market: Market, insurance: InsuranceFund) -> Market:
    """Return a spot market with the yearly rates that its utilisation makes (``core.interest``)."""
    deposit_e6, borrow_e6 = rates_e6(market, insurance.total_factor + insurance.if_fee_factor)
    return structs.replace(market, deposit_rate_e6=deposit_e6, borrow_rate_e6=borrow_e6)
