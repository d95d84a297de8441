"""The Modular Drift Engine: a risk-first trading engine for perpetual futures on the Drift family of protocols.

Names are loaded when they are first used, so that importing the package costs almost nothing.
"""

from drift_engine.first_use import loaded_on_first_use

TYPE_CHECKING = False  # to import ``typing`` takes longer than all else here
if TYPE_CHECKING:
    from drift_engine.engine import BaseEngine, DriftEngine
    from drift_engine.strategies.base import DriftStrategy
    from drift_engine.strategies.delta_neutral.strategy import DeltaNeutralStrategy
    from drift_engine.strategies.funding_farm.strategy import FundingFarmStrategy
    from drift_engine.strategies.hold.strategy import HoldStrategy
else:
    __getattr__ = loaded_on_first_use(
        __name__,
        {
            "BaseEngine": "engine",
            "DriftEngine": "engine",
            "DriftStrategy": "strategies.base",
            "DeltaNeutralStrategy": "strategies.delta_neutral.strategy",
            "FundingFarmStrategy": "strategies.funding_farm.strategy",
            "HoldStrategy": "strategies.hold.strategy",
        },
    )

__version__ = "0.1.0"

__all__ = [
    "BaseEngine",
    "DeltaNeutralStrategy",
    "DriftEngine",
    "DriftStrategy",
    "FundingFarmStrategy",
    "HoldStrategy",
    "__version__",
]
