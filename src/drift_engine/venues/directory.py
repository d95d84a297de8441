"""What is known of a protocol's markets while instructions are built: addresses, oracles, precision.

Filled from decoded market accounts; nothing here has a default. A market that was not read is unknown, and an
instruction for it is refused before anything is signed.
"""

from collections.abc import Iterable, Mapping
from typing import TypeVar

from msgspec import Struct
from solders.pubkey import Pubkey
from solders.token import ID as TOKEN

from drift_engine.venues.errors import EncodeError
from drift_engine.venues.instructions.tokens import TOKEN_2022
from drift_engine.venues.market_id import MarketId, MarketKind
from drift_engine.venues.wire.perp_market import PerpMarket
from drift_engine.venues.wire.spot_market import SpotMarket

QUOTE_INDEX = 0
"""The spot market of the settlement token (``QUOTE_SPOT_MARKET_INDEX``)."""
_TOKEN_2022_FLAG = 1
"""``TokenProgramFlag::Token2022`` (``state/spot_market.rs``)."""


class PerpTerms(Struct, frozen=True, gc=False):
    """A perp market. ``step_e9``, ``minimum_e9``: order sizes; ``tick_e6``: order prices; source: ``OracleSource``."""

    index: int
    symbol: str
    address: Pubkey
    oracle: Pubkey
    oracle_source: int
    quote_index: int
    step_e9: int
    tick_e6: int
    minimum_e9: int


class SpotTerms(Struct, frozen=True, gc=False):
    """A spot market. ``step`` and ``minimum`` in the token's own units, of which ``decimals`` make one; tick 1e6."""

    index: int
    symbol: str
    address: Pubkey
    oracle: Pubkey
    oracle_source: int
    mint: Pubkey
    vault: Pubkey
    token_program: Pubkey
    decimals: int
    step: int
    tick_e6: int
    minimum: int


T = TypeVar("T", PerpTerms, SpotTerms)


class Directory:
    """The markets of one protocol, by index or by symbol."""

    def __init__(self, protocol: str, perps: Iterable[PerpTerms] = (), spots: Iterable[SpotTerms] = ()) -> None:
        self.protocol = protocol
        self._perps: dict[int, PerpTerms] = {}
        self._spots: dict[int, SpotTerms] = {}
        self.unread: dict[MarketId, str] = {}
        """Markets that are there and could not be read, and why: who names one is told."""
        for perp in perps:
            self.know_perp(perp)
        for spot in spots:
            self.know_spot(spot)

    def read(self, market: PerpMarket | SpotMarket) -> None:
        """Take in a market as its account says it is now."""
        if isinstance(market, PerpMarket):
            self.know_perp(perp_terms(market))
        else:
            self.know_spot(spot_terms(market))

    def know_perp(self, terms: PerpTerms) -> None:
        """Take in a perp market, or what changed about it."""
        self._perps[terms.index] = terms

    def know_spot(self, terms: SpotTerms) -> None:
        """Take in a spot market, or what changed about it."""
        self._spots[terms.index] = terms

    def perp(self, which: int | str) -> PerpTerms:
        """Return a perp market. Raises ``EncodeError`` where it is not known."""
        return self._found(self._perps, which, "perp")

    def spot(self, which: int | str) -> SpotTerms:
        """Return a spot market. Raises ``EncodeError`` where it is not known."""
        return self._found(self._spots, which, "spot")

    def check_mint(self, which: int | str, mint: Pubkey) -> SpotTerms:
        """Return a spot market after checking that it keeps this token. Raises ``EncodeError``."""
        terms = self.spot(which)
        if terms.mint != mint:
            raise EncodeError(f"wrong mint {mint}: {terms.symbol} (spot market {terms.index}) keeps {terms.mint}")
        return terms

    def _found(self, markets: Mapping[int, T], which: int | str, kind: MarketKind) -> T:
        if isinstance(which, int):
            if terms := markets.get(which):
                return terms
            if why := self.unread.get(MarketId(kind, which)):
                raise EncodeError(f"{self.protocol} {kind} market {which} cannot be read: {why}")
        else:
            named = [terms for terms in markets.values() if terms.symbol == which]
            if len(named) == 1:
                return named[0]
        known = ", ".join(f"{terms.index} {terms.symbol}" for terms in markets.values()) or "none"
        unread = "".join(f"; {market} cannot be read: {why}" for market, why in self.unread.items())
        raise EncodeError(f"unknown {self.protocol} {kind} market {which!r}; known are {known}{unread}")


def perp_terms(market: PerpMarket) -> PerpTerms:
    """Return a perp market's terms."""
    return PerpTerms(
        market.market_index,
        market.name,
        market.pubkey,
        market.oracle,
        market.oracle_source,
        market.quote_spot_market_index,
        market.order_step_size,
        market.order_tick_size,
        market.min_order_size,
    )


def spot_terms(market: SpotMarket) -> SpotTerms:
    """Return a spot market's terms; its token program is the one its flag tells (``get_token_program``)."""
    return SpotTerms(
        market.market_index,
        market.name,
        market.pubkey,
        market.oracle,
        market.oracle_source,
        market.mint,
        market.vault,
        TOKEN_2022 if market.token_program_flag & _TOKEN_2022_FLAG else TOKEN,
        market.decimals,
        market.order_step_size,
        market.order_tick_size,
        market.min_order_size,
    )
