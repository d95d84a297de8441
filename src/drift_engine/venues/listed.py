"""All markets of a protocol as its chain has them: what builders need of them, and what core computes on.

How many there are the State account says; each market's address follows from its index, its oracle from the market.
``read`` fetches them once; ``follow`` has them mirrored, so that ``markets`` is as new as the stream.
"""

from collections.abc import Iterator

from solders.pubkey import Pubkey

from drift_engine.core.types import Market
from drift_engine.venues import addresses
from drift_engine.venues.directory import Directory
from drift_engine.venues.errors import DecodeError
from drift_engine.venues.oracle_readings import QUOTE_ASSET, Reading, quote_reading
from drift_engine.venues.program import Program
from drift_engine.venues.rpc_types import AccountInfo
from drift_engine.venues.shared_client import Connection
from drift_engine.venues.translate import Names, Translator
from drift_engine.venues.wire.accounts import decode, decode_as
from drift_engine.venues.wire.oracles import read_oracle
from drift_engine.venues.wire.perp_market import PerpMarket
from drift_engine.venues.wire.spot_market import SpotMarket
from drift_engine.venues.wire.state import State


class Listed:
    """A protocol's markets. ``directory`` and ``names`` are as of the last ``read``."""

    def __init__(self, program: Program, connection: Connection) -> None:
        self.program, self._connection = program, connection
        self.directory = Directory(program.name)
        self.names = Names({}, {})
        self.translator = Translator(program)
        self.keys: tuple[Pubkey, ...] = ()
        self._oracles: set[Pubkey] = set()

    async def read(self) -> None:
        """Read every market. Raises ``DecodeError`` where the chain does not have the protocol, or another layout."""
        infos = await self._fetched([self.program.state])
        state = decode_as(State, infos[0].owner, infos[0].data)
        program_id = self.program.program_id
        perps = [addresses.perp_market(program_id, index) for index in range(state.number_of_markets)]
        spots = [addresses.spot_market(program_id, index) for index in range(state.number_of_spot_markets)]
        self.translator = Translator(self.program, state.perp_fee_structure.fee_tiers[0])
        self.keys = (*spots, *perps)
        for info in await self._fetched(self.keys):
            market = _market(info)
            self.directory.read(market)
            self._oracles.add(market.oracle)
        self._oracles.discard(Pubkey.default())
        self.names = Names(
            {index: self.directory.perp(index).symbol for index in range(len(perps))},
            {index: self.directory.spot(index).symbol for index in range(len(spots))},
        )

    async def follow(self) -> None:
        """Mirror the markets and their oracles from now on, and wait until all were read."""
        await self._connection.hold((*self.keys, *self._oracles))

    def markets(self, now_ns: int) -> tuple[Market, ...]:
        """Return every market as it is mirrored; ``now_ns`` is Unix time, from which ages are taken off.

        A market whose oracle account is missing or cannot be read has no price.
        """
        return tuple(self._market(key, now_ns) for key in self.keys)

    def account(self, key: Pubkey) -> PerpMarket | SpotMarket:
        """Return a mirrored market's account. Raises ``DecodeError`` where it is not there."""
        info = self._connection.mirror.get(key)
        if info is None:
            raise DecodeError(f"market {key} was not read yet")
        return _market(info)

    def _market(self, key: Pubkey, now_ns: int) -> Market:
        view = self.account(key)
        ts_ns = self._as_of_ns((key,) if view.oracle == Pubkey.default() else (key, view.oracle), now_ns)
        reading = self._reading(view)
        if isinstance(view, PerpMarket):
            return self.translator.perp_market(view, reading, ts_ns)
        return self.translator.spot_market(view, reading, ts_ns)

    def _as_of_ns(self, keys: tuple[Pubkey, ...], now_ns: int) -> int:
        """Return since when nothing is missing in what is held of accounts, 0 where that is not known."""
        ages = [self._connection.mirror.age_ns(key) for key in keys]
        known = [age for age in ages if age is not None]
        return now_ns - max(known) if len(known) == len(ages) else 0

    def _reading(self, view: PerpMarket | SpotMarket) -> Reading | None:
        slot = self._connection.subscriptions.slot
        if view.oracle_source == QUOTE_ASSET:
            return quote_reading(slot)
        info = self._connection.mirror.get(view.oracle)
        if info is None or not info.exists:
            return None
        try:
            price = read_oracle(self.program, view.oracle_source, info.owner, info.data, slot)
        except DecodeError:
            return None
        posted = slot - price.delay_slots
        return Reading(price.price_e6, price.confidence_e6, posted, price.sequence_id, price.has_sufficient_points)

    async def _fetched(self, keys: list[Pubkey] | tuple[Pubkey, ...]) -> list[AccountInfo]:
        return list(_present(self.program, keys, await self._connection.rpc.get_multiple_accounts(keys)))


def _present(
    program: Program, keys: list[Pubkey] | tuple[Pubkey, ...], parts: list[tuple[int, list[AccountInfo | None]]]
) -> Iterator[AccountInfo]:
    found = [info for _, infos in parts for info in infos]
    for key, info in zip(keys, found, strict=True):
        if info is None:
            raise DecodeError(f"this chain has no account {key} of {program.name}: is it the right cluster?")
        yield info


def _market(info: AccountInfo) -> PerpMarket | SpotMarket:
    found = decode(info.owner, info.data)
    if isinstance(found, PerpMarket | SpotMarket):
        return found
    raise DecodeError(f"{info.pubkey} is no market but a {found.layout.name}")
