"""Velocity: what differs from Drift v2."""
