"""One protocol as one frozen record: what it is called, where it lives, how its accounts lie, by which rules it counts.

What a market can change (fees, ratios, weights, ticks, steps, minima, oracles, status, slot time) is not here: it is
read from the chain. What only a new build of the program changes is.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from solders.pubkey import Pubkey

from drift_engine.venues import addresses
from drift_engine.venues.rules import Oracles, Rules
from drift_engine.venues.wire.events.decoding import Events
from drift_engine.venues.wire.layout import Layouts

Name = Literal["velocity", "drift_v2"]


@dataclass(frozen=True, slots=True)
class Services:
    """Hosts beside the chain, main network; ``None`` where the protocol has none any more."""

    dlob: str | None
    dlob_ws: str | None
    swift: str | None
    data: str | None


@dataclass(frozen=True, slots=True)
class Program:
    """A protocol. ``quote`` is the symbol of the token it settles in, spot market 0."""

    name: Name
    program_id: Pubkey
    state_seed: bytes
    signer_seed: bytes
    quote: str
    quote_mint: Pubkey
    lookup_tables: tuple[Pubkey, ...]
    layouts: Layouts
    errors: Mapping[int, str]
    services: Services
    rules: Rules
    oracles: Oracles
    events: Events

    @property
    def state(self) -> Pubkey:
        """The address of the protocol's state account."""
        return addresses.derived(self.program_id, self.state_seed)

    @property
    def signer(self) -> Pubkey:
        """The address that signs for the protocol's vaults."""
        return addresses.derived(self.program_id, self.signer_seed)
