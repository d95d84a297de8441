"""A Solana node over HTTP: ``Rpc`` asks it.

``calls`` are the questions, ``types`` the answers, ``errors`` what comes instead of one; ``transport`` has the rules of
endpoints, retries, limits and deadlines. What a node tells by itself is in ``venues.streams``.
"""

from typing import TYPE_CHECKING

from drift_engine.first_use import loaded_on_first_use

if TYPE_CHECKING:
    from drift_engine.venues.rpc.rpc import Rpc
else:
    __getattr__ = loaded_on_first_use(__name__, {"Rpc": "rpc"})

__all__ = ["Rpc"]
