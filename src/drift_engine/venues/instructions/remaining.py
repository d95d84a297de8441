"""The accounts behind an instruction's own: oracles, then spot markets, then perp markets, then other users.

The program walks them in this order and stops at the first of another kind (``load_maps`` in
``instructions/optional_accounts.rs``), so the order between groups matters, and a market that its margin check looks
for has to be there: every market of a position or an open order, its oracle, and the quote market always. Within a
group the order is that of ``getRemainingAccounts`` (``sdk/src/driftClient.ts``): the users' spot and perp positions
first, then what the instruction names. No account stands twice; one that is wanted writable once is writable.
"""

from collections.abc import Iterable, Sequence

from solders.instruction import AccountMeta
from solders.pubkey import Pubkey

from drift_engine.venues import addresses
from drift_engine.venues.directory import (
    QUOTE_INDEX,
    Directory,
    PerpTerms,
    SpotTerms,
)
from drift_engine.venues.errors import EncodeError
from drift_engine.venues.instructions.metas import read, write
from drift_engine.venues.instructions.tokens import TOKEN_2022
from drift_engine.venues.instructions.trader import Trader
from drift_engine.venues.program import Program
from drift_engine.venues.wire.enums import OracleSource
from drift_engine.venues.wire.order_enums import MarketType
from drift_engine.venues.wire.user import User

_NONE = Pubkey.default()


class Maps:
    """What an instruction's margin check looks at, gathered piece by piece."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._oracles: dict[Pubkey, bool] = {}
        self._spots: dict[Pubkey, bool] = {}
        self._perps: dict[Pubkey, bool] = {}

    def user(self, user: User) -> None:
        """Add the markets of an account's positions and open orders. Raises ``EncodeError``."""
        for balance in user.spot_positions():
            self.spot(balance.market_index)
        for position in user.perp_positions():
            self.perp(position.market_index)
        for order in user.orders():
            (self.perp if order.market_type == MarketType.PERP else self.spot)(order.market_index)

    def perp(self, index: int | str, *, writable: bool = False) -> None:
        """Add a perp market, its oracle and its quote market. Raises ``EncodeError``."""
        terms = self._directory.perp(index)
        _add(self._perps, terms.address, writable=writable)
        if oracle := _oracle(terms, "perp"):
            _add(self._oracles, oracle, writable=writable and terms.oracle_source == OracleSource.PRELAUNCH)
        self.spot(terms.quote_index)

    def spot(self, index: int | str, *, writable: bool = False) -> None:
        """Add a spot market and its oracle, where it has one. Raises ``EncodeError``."""
        terms = self._directory.spot(index)
        _add(self._spots, terms.address, writable=writable)
        if oracle := _oracle(terms, "spot"):
            _add(self._oracles, oracle, writable=False)

    def metas(self) -> list[AccountMeta]:
        """Return the accounts in the program's order."""
        groups = (self._oracles, self._spots, self._perps)
        return [(write if writable else read)(key) for group in groups for key, writable in group.items()]


def remaining_accounts(
    directory: Directory,
    users: Iterable[User] = (),
    *,
    read_perps: Iterable[int | str] = (),
    read_spots: Iterable[int | str] = (),
    write_perps: Iterable[int | str] = (),
    write_spots: Iterable[int | str] = (),
) -> list[AccountMeta]:
    """Return the maps that a margin check of ``users`` needs, with the markets that the instruction reads or writes.

    Raises ``EncodeError`` for a market that is not known, and for one without an oracle.
    """
    maps = Maps(directory)
    for user in users:
        maps.user(user)
    for perp in read_perps:
        maps.perp(perp)
    for spot in read_spots:
        maps.spot(spot)
    for perp in write_perps:
        maps.perp(perp, writable=True)
    for spot in write_spots:
        maps.spot(spot, writable=True)
    maps.spot(QUOTE_INDEX)
    return maps.metas()


def makers_and_referrer(makers: Sequence[Trader] = (), referrer: Trader | None = None) -> list[AccountMeta]:
    """Return makers and referrer as pairs of User and UserStats; one who is both stands once (``load_user_maps``)."""
    everyone = dict.fromkeys([*makers, *([referrer] if referrer else [])])
    return [meta for each in everyone for meta in each.pair()]


def escrow(address: Pubkey) -> list[AccountMeta]:
    """Return a revenue-share escrow, the last of all, where the taker's order carries a builder code."""
    return [write(address)]


def high_leverage_mode(program: Program) -> list[AccountMeta]:
    """Return the account that an order entering Drift v2's high-leverage mode wants behind the maps."""
    if program.name != "drift_v2":
        raise EncodeError(f"{program.name} has no high-leverage mode")
    return [write(addresses.derived(program.program_id, b"high_leverage_mode_config"))]


def token_2022_mints(directory: Directory, *spots: int | str) -> list[AccountMeta]:
    """Return the mints of markets under the Token-2022 program, which transfers want behind the maps."""
    every = [directory.spot(spot) for spot in spots]
    if all(terms.token_program != TOKEN_2022 for terms in every):
        return []
    return [read(key) for key in dict.fromkeys(terms.mint for terms in every)]


def _add(group: dict[Pubkey, bool], key: Pubkey, *, writable: bool) -> None:
    group[key] = group.get(key, False) or writable


def _oracle(terms: PerpTerms | SpotTerms, kind: str) -> Pubkey | None:
    if terms.oracle != _NONE:
        return terms.oracle
    if terms.oracle_source == OracleSource.QUOTE_ASSET:
        return None
    raise EncodeError(f"{terms.symbol} ({kind} market {terms.index}) has no oracle; it cannot be traded")
