"""What markets are called, by their index, and why one has no name: accounts keep only the index.

A market that was not read, or could not be, has no name. Who holds something in it is refused a figure, never given one
that leaves it out.
"""

from collections.abc import Mapping

from msgspec import Struct

from drift_engine.venues.errors import DecodeError
from drift_engine.venues.market_id import MarketId, MarketKind


class Names(Struct, frozen=True):
    """Markets' names; ``unread`` says of those that are there and could not be read, why."""

    perps: Mapping[int, str]
    spots: Mapping[int, str]
    unread: Mapping[MarketId, str] = {}

    def perp(self, index: int) -> str:
        """Return a perp market's name. Raises ``DecodeError`` where it was not read."""
        return self._of(self.perps, index, "perp")

    def spot(self, index: int) -> str:
        """Return a spot market's name. Raises ``DecodeError`` where it was not read."""
        return self._of(self.spots, index, "spot")

    def _of(self, names: Mapping[int, str], index: int, kind: MarketKind) -> str:
        if (name := names.get(index)) is not None:
            return name
        which = MarketId(kind, index)
        why = f"cannot be read: {self.unread[which]}" if which in self.unread else "was not read"
        raise DecodeError(f"the account holds something in {which}, which {why}")
