"""Earns the carry between spot and perp, hedged."""

from drift_engine.strategies.delta_neutral.strategy import DeltaNeutralStrategy

__all__ = ["DeltaNeutralStrategy"]
