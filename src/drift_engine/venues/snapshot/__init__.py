"""A whole venue at one moment: ``reading`` gets it by RPC, ``assemble`` makes a ``Snapshot`` of the bytes.

``market_reads`` is one market of it: its account, its oracle, what core makes of both, and what is wrong with them.
"""

from drift_engine.venues.snapshot.snapshot import (
    Snapshot,
    SnapshotError,
    SubAccount,
    assemble,
    beside,
    market_addresses,
)

__all__ = ["Snapshot", "SnapshotError", "SubAccount", "assemble", "beside", "market_addresses"]
