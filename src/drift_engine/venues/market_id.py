"""How services name a market: by kind and index."""

from typing import Literal

from msgspec import Struct

MarketKind = Literal["perp", "spot"]


class MarketId(Struct, frozen=True):
    """A market of the protocol: ``MarketId("perp", 0)``."""

    kind: MarketKind
    index: int

    def __str__(self) -> str:
        return f"{self.kind} market {self.index}"
