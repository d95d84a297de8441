"""The accounts one call works on: each is read once, changed in place, and written back when the call succeeds.

A view over an account's bytes is the only truth; nothing is kept beside it. What an instruction leaves unchanged is not
written, so an account it marks read-only may be looked at.
"""

from typing import TypeVar

from solders.pubkey import Pubkey

from drift_engine.localnet.ledger import Ledger
from drift_engine.localnet.venue.refusals import refuse, require
from drift_engine.venues.program import Program
from drift_engine.venues.wire.layout import Layout, View
from drift_engine.venues.wire.perp_market import PerpMarket
from drift_engine.venues.wire.spot_market import SpotMarket
from drift_engine.venues.wire.state import State
from drift_engine.venues.wire.user import User
from drift_engine.venues.wire.user_stats import UserStats

V = TypeVar("V", bound=View)


class Accounts:
    """Views over the program's accounts in a ledger."""

    def __init__(self, program: Program, ledger: Ledger) -> None:
        self.program, self.ledger = program, ledger
        self._views: dict[Pubkey, View] = {}
        self._before: dict[Pubkey, bytes] = {}

    def user(self, address: Pubkey, name: str = "user") -> User:
        """Return a sub-account."""
        return self._view(address, User, self.program.layouts.user, name)

    def users(self) -> list[tuple[Pubkey, User]]:
        """Return the sub-accounts that were looked at."""
        return [(address, view) for address, view in self._views.items() if isinstance(view, User)]

    def stats(self, address: Pubkey) -> UserStats:
        """Return an authority's statistics."""
        return self._view(address, UserStats, self.program.layouts.user_stats, "user_stats")

    def state(self, address: Pubkey) -> State:
        """Return the protocol's state."""
        require(self.ledger.get(address), "AccountNotInitialized", account="state")
        return self._view(address, State, self.program.layouts.state, "state")

    def perp(self, address: Pubkey) -> PerpMarket:
        """Return a perp market."""
        return self._view(address, PerpMarket, self.program.layouts.perp_market, "perp_market")

    def spot(self, address: Pubkey) -> SpotMarket:
        """Return a spot market."""
        return self._view(address, SpotMarket, self.program.layouts.spot_market, "spot_market")

    def opened(self, address: Pubkey, kind: type[V], layout: Layout, payer: Pubkey) -> V:
        """Open an account of the program at the payer's cost, blank but for its discriminator."""
        self.ledger.create(payer, address, self.program.program_id, bytes(layout.blank()))
        return self._view(address, kind, layout, "")

    def forget(self, address: Pubkey) -> None:
        """Leave an account out of what is written back: it is being closed."""
        self._views.pop(address, None)

    def write_back(self) -> None:
        """Write what was changed to the ledger."""
        for address, view in self._views.items():
            data = bytes(view.data)
            if data != self._before[address]:
                self.ledger.write(address, data)
                self._before[address] = data

    def _view(self, address: Pubkey, kind: type[V], layout: Layout, name: str) -> V:
        found = self._views.get(address)
        if found is None:
            data = self._bytes(address, layout, name)
            self._before[address] = data
            self._views[address] = found = kind(bytearray(data), layout)
        if not isinstance(found, kind):
            refuse("AccountDiscriminatorMismatch", account=name)
        return found

    def _bytes(self, address: Pubkey, layout: Layout, name: str) -> bytes:
        """Return an account's bytes after Anchor's checks of an account it loads."""
        account = self.ledger.get(address)
        if account is None or account.owner != self.program.program_id:
            refuse("AccountOwnedByWrongProgram", account=name)
        data = bytes(account.data)
        require(len(data) >= 8, "AccountDiscriminatorNotFound", account=name)
        require(data[:8] == layout.head and len(data) >= layout.size, "AccountDiscriminatorMismatch", account=name)
        return data
