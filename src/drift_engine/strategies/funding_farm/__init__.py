"""Takes the side that funding pays, unhedged, with a stop."""

from drift_engine.strategies.funding_farm.strategy import FundingFarmStrategy

__all__ = ["FundingFarmStrategy"]
