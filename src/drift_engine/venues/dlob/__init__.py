"""The order book server: ``Dlob`` asks it over HTTP, ``stream`` hears its WebSocket; both only read.

``messages`` are its answers in integers, ``wire`` their JSON; ``auction`` is the advice on an order's auction.
"""

from typing import TYPE_CHECKING

from drift_engine.first_use import loaded_on_first_use

if TYPE_CHECKING:
    from drift_engine.venues.dlob.dlob import Dlob
else:
    __getattr__ = loaded_on_first_use(__name__, {"Dlob": "dlob"})

__all__ = ["Dlob"]
