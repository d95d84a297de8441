"""One sub-account of an authority, acted for by one key: ``Trader``.

``orders`` is its orders, ``order_forms`` their figures as people write them, checked against the market; ``desk`` is
what every act needs.
"""

from typing import TYPE_CHECKING

from drift_engine.first_use import loaded_on_first_use

if TYPE_CHECKING:
    from drift_engine.venues.trader.trader import Trader
else:
    __getattr__ = loaded_on_first_use(__name__, {"Trader": "trader"})

__all__ = ["Trader"]
