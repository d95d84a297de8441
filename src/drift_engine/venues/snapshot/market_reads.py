"""One market as it lies on the chain: its account, its oracle, what core makes of both, and what is wrong with them.

What is missing or cannot be read stays in its place with the reason. Sources: ``math/oracle.rs`` and
``state/{perp_market,spot_market}.rs`` of both programs.
"""

from collections.abc import Mapping
from struct import unpack_from
from typing import Generic, TypeVar

from msgspec import Struct
from solders.pubkey import Pubkey
from solders.token import ID as TOKEN

from drift_engine.core.interest import rates_e6
from drift_engine.core.oracle_validity import Validity
from drift_engine.core.types import Market
from drift_engine.venues import addresses
from drift_engine.venues.errors import DecodeError
from drift_engine.venues.instructions.tokens import TOKEN_2022
from drift_engine.venues.program import Program
from drift_engine.venues.rpc.types import AccountInfo
from drift_engine.venues.translate import Translator
from drift_engine.venues.translate.oracles import validity
from drift_engine.venues.wire.accounts import decode_as
from drift_engine.venues.wire.enums import OracleSource
from drift_engine.venues.wire.layout import View
from drift_engine.venues.wire.oracles import OraclePrice, read_oracle
from drift_engine.venues.wire.perp_market import PerpMarket
from drift_engine.venues.wire.records import OracleGuardRails
from drift_engine.venues.wire.spot_market import SpotMarket
from drift_engine.venues.wire.state import State

V = TypeVar("V", bound=View)
M = TypeVar("M", PerpMarket, SpotMarket)
Accounts = Mapping[Pubkey, AccountInfo | None]
MOST_MARKETS = 2_000
"""Twenty times what Drift v2 ever listed; the programs' own limit is 65,535."""
_TOKEN_AMOUNT = 64
_TOKEN_BYTES = 72


class MarketRead(Struct, Generic[M], frozen=True):
    """One market as read: ``view`` is its account, ``market`` what core knows of it, ``oracle`` its price and validity.

    ``problems`` says in words why one of these is ``None``. ``vault`` is what lies in a spot market's token account.
    """

    index: int
    address: Pubkey
    view: M | None = None
    market: Market | None = None
    oracle: OraclePrice | None = None
    validity: Validity | None = None
    vault: int | None = None
    problems: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The symbol, or the index where the account could not be read."""
        return self.view.name if self.view is not None else f"#{self.index}"


AnyRead = MarketRead[PerpMarket] | MarketRead[SpotMarket]


def owned(kind: type[V], program: Program, address: Pubkey, found: Accounts) -> V:
    """Return the account of this kind that ``program`` keeps at ``address``.

    Raises ``DecodeError`` where there is none, another program owns it, or its bytes are another kind or too few.
    """
    info = found.get(address)
    if info is None or not info.exists:
        raise DecodeError(f"there is no {kind.__name__} at {address}")
    if info.owner != program.program_id:
        raise DecodeError(f"{kind.__name__} {address} belongs to {info.owner}, not to {program.name}")
    return decode_as(kind, info.owner, info.data)


def require_place(view: PerpMarket | SpotMarket, index: int, address: Pubkey) -> None:
    """Raise ``DecodeError`` where a market is not the one of its address: it is read by a layout that it has not."""
    if view.market_index != index or view.pubkey != address:
        raise DecodeError(f"market {index} at {address} says that it is {view.market_index} at {view.pubkey}")


def market_indexes(state: State) -> tuple[range, range]:
    """Return the indexes of all perp and of all spot markets, by the counts that the state keeps.

    Raises ``DecodeError`` where they are more than any exchange has: then it is not the state that is known here.
    """
    counts = state.number_of_markets, state.number_of_spot_markets
    if max(counts) > MOST_MARKETS:
        raise DecodeError(f"State counts {counts[0]} perp and {counts[1]} spot markets: no exchange has so many")
    return range(counts[0]), range(counts[1])


class MarketReader(Struct, frozen=True):
    """What markets are read from."""

    program: Program
    found: Accounts
    slot: int
    rails: OracleGuardRails
    translator: Translator
    ts_ns: int

    def perp(self, index: int) -> MarketRead[PerpMarket]:
        """Return a perp market as far as it can be read."""
        address = addresses.perp_market(self.program.program_id, index)
        try:
            view = owned(PerpMarket, self.program, address, self.found)
        except DecodeError as error:
            return MarketRead(index, address, problems=(str(error),))
        return self._with_oracle(index, address, view)

    def spot(self, index: int) -> MarketRead[SpotMarket]:
        """Return a spot market as far as it can be read."""
        address = addresses.spot_market(self.program.program_id, index)
        try:
            view = owned(SpotMarket, self.program, address, self.found)
        except DecodeError as error:
            return MarketRead(index, address, problems=(str(error),))
        return self._with_oracle(index, address, view)

    def _with_oracle(self, index: int, address: Pubkey, view: M) -> MarketRead[M]:
        problems: list[str] = []
        oracle, valid, market, vault = None, None, None, None
        try:
            oracle = self._oracle(view)
            valid = validity(view, oracle, self.rails)
        except DecodeError as error:
            problems.append(str(error))
        try:
            require_place(view, index, address)
            market = self._market(view, oracle)
        except DecodeError as error:
            problems.append(str(error))
        if isinstance(view, SpotMarket):
            vault = vault_amount(self.found.get(view.vault))
        return MarketRead(index, address, view, market, oracle, valid, vault, tuple(problems))

    def _market(self, view: PerpMarket | SpotMarket, price: OraclePrice | None) -> Market:
        if isinstance(view, PerpMarket):
            return self.translator.perp_market(view, price, self.ts_ns)
        return self.translator.spot_market(view, price, self.ts_ns)

    def _oracle(self, view: PerpMarket | SpotMarket) -> OraclePrice:
        if view.oracle_source == OracleSource.QUOTE_ASSET:
            return read_oracle(self.program, view.oracle_source, self.program.program_id, b"", self.slot)
        info = self.found.get(view.oracle)
        if info is None or not info.exists:
            raise DecodeError(f"the oracle {view.oracle} of {view.name} is not on the chain")
        try:
            return read_oracle(self.program, view.oracle_source, info.owner, info.data, self.slot)
        except DecodeError as error:
            raise DecodeError(f"the oracle {view.oracle} of {view.name} cannot be read: {error}") from None


def withheld_e6(view: SpotMarket) -> int:
    """Return what share of interest lenders do not get: the insurance fund's, and on Velocity the protocol's too.

    Source: ``math/spot_balance.rs`` split_deposit_interest (Velocity). What a protocol does not have reads 0.
    """
    fund = view.insurance_fund
    own = view.protocol_fee_factor if "protocol_fee_factor" in view.layout.offsets else 0
    return fund.total_factor + fund.if_fee_factor + own


def rates_a_year(view: SpotMarket, market: Market) -> tuple[int | None, int | None]:
    """Return deposit and borrow rate; a market without an optimum has none, as the program cannot work them out."""
    return rates_e6(market, withheld_e6(view)) if view.optimal_utilization else (None, None)


def vault_amount(info: AccountInfo | None) -> int | None:
    """Return the tokens in a token account (spl-token ``state.rs``: amount u64 at 64), ``None`` where it is none."""
    if info is None or info.owner not in (TOKEN, TOKEN_2022) or len(info.data) < _TOKEN_BYTES:
        return None
    return int(unpack_from("<Q", info.data, _TOKEN_AMOUNT)[0])
