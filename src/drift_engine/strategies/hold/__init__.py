"""Keeps a constant perp target."""

from drift_engine.strategies.hold.strategy import HoldStrategy

__all__ = ["HoldStrategy"]
