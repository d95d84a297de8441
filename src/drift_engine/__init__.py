"""The Modular Drift Engine: a risk-first trading engine for perpetual futures on the Drift family of protocols.

Names are loaded when they are first used, so that importing the package costs almost nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from drift_engine.engine import BaseEngine, DriftEngine
    from drift_engine.strategies.base import DriftStrategy
    from drift_engine.strategies.delta_neutral.strategy import DeltaNeutralStrategy
    from drift_engine.strategies.funding_farm.strategy import FundingFarmStrategy
    from drift_engine.strategies.hold.strategy import HoldStrategy

__version__ = "0.1.0"

_HOMES = {
    "BaseEngine": "drift_engine.engine",
    "DriftEngine": "drift_engine.engine",
    "DriftStrategy": "drift_engine.strategies.base",
    "DeltaNeutralStrategy": "drift_engine.strategies.delta_neutral.strategy",
    "FundingFarmStrategy": "drift_engine.strategies.funding_farm.strategy",
    "HoldStrategy": "drift_engine.strategies.hold.strategy",
}

__all__ = [
    "BaseEngine",
    "DeltaNeutralStrategy",
    "DriftEngine",
    "DriftStrategy",
    "FundingFarmStrategy",
    "HoldStrategy",
    "__version__",
]


def __getattr__(name: str) -> Any:
    """Load a public name from the module that defines it."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(home), name)
